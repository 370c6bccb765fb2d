"""Sealing a run: a statement of what every file of its folder holds, signed where the site has something to sign with.

Several notebooks of one run may end at once: one seals at a time, and each seal names the one before it. A seal that
cannot be signed is a seal all the same; the record says why it is unsigned.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from k8swin_nb import __version__
from k8swin_nb.audit.archive import last_seal
from k8swin_nb.audit.lines import read_lines
from k8swin_nb.audit.seals import SEALED
from k8swin_nb.audit.signers import Signer, Unsigned, sign_bytes, signer
from k8swin_nb.audit.statement import (
    BEGUN,
    SEAL_NAME,
    SIGNATURES,
    Seal,
    Subject,
    begun_name,
    seal_name,
    written,
)
from k8swin_nb.audit.tree import EVENTS, SEALS, digest, escaped_name, look
from k8swin_nb.errors import K8swinError, ParamsError, RecordError
from k8swin_nb.local_files import alone_in, make_folders
from k8swin_nb.reading import Unreadable
from k8swin_nb.shown import masked, shown_line, visible
from k8swin_nb.workflow.chain import NUMBER
from k8swin_nb.workflow.record import Record, operator, utc_now

RUN_ENDED, DESK_ENDED, ASKED, PAGE_WRITTEN = "run ended", "desk ended", "asked for", "page written"
FINAL = frozenset({RUN_ENDED, DESK_ENDED, ASKED, PAGE_WRITTEN})
"""Why a seal is made when nobody is at work on the run's files any more."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A seal that was made."""

    path: Path
    signatures: tuple[Path, ...] = ()
    unsigned: str = ""
    """Why it has no signature although it was to have one; empty: it has, or nobody was to sign."""


def seal_run(
    folder: Path, why: str, sign: str | None = None, *, by: str = "k8swin audit"
) -> Sealed:
    """Seal the files of a run as they are now.

    Args:
        folder: The run's folder.
        why: What ended, such as `02_master ended`; one of `FINAL` says that nobody is at work on the run any more.
        sign: Who signs, as the parameter `sign`; None: what the environment says.
        by: The notebook or program whose event it is.

    Raises:
        ParamsError: when there is no record, or the way to sign is none.
        K8swinError: when the seal cannot be written; nothing of it is then left.
    """
    who = signer(sign)
    if not (folder / EVENTS).is_file():
        raise ParamsError(f"`{folder}` holds no record that could be sealed")
    seals = folder / SEALS
    if seals.is_symlink():
        raise ParamsError(f"`{seals}` is a link: nothing is written through it")
    make_folders(seals)
    with alone_in(seals):
        return _seal(folder, why, who, by)


def seal_beside(
    folder: Path, why: str, sign: str | None = None, *, by: str = "k8swin audit"
) -> str:
    """Seal a run where something else is at its end, which a seal must not hinder.

    Returns:
        What hinders the seal or its signature, in a line to be told; empty: nothing.
    """
    try:
        unsigned = seal_run(folder, why, sign, by=by).unsigned
    except (K8swinError, OSError, ValueError) as error:
        told = f"run {folder.name} is not sealed: {shown_line(error)}"
        if not folder.is_dir():
            return told  # somebody took the run away: nothing of it is made again
        with contextlib.suppress(K8swinError, OSError):
            Record(folder.parent, folder.name, by).write(
                "seal-failed", why=why, error=shown_line(error)
            )
        return told
    return f"the seal of run {folder.name} is unsigned: {unsigned}" if unsigned else ""


def seal_at_rest(folder: Path) -> Seal | None:
    """Return the last seal of a run of which nothing was written down behind it; None: it has no seal, or went on."""
    seal = last_seal(folder)
    if seal is None:
        return None
    try:
        lines = read_lines(folder / EVENTS)
    except (OSError, Unreadable):
        return None
    return None if lines.behind(seal.events.get("lines"), seal.number) else seal


def is_signed(folder: Path) -> bool:
    """Whether a signature stands beside any of a run's seals; nobody has judged it."""
    return any(
        path.name.endswith(ending)
        for path in (folder / SEALS).glob("[0-9]*.json.*")
        for ending in SIGNATURES
    )


def tell(problem: str) -> None:
    """Say on standard error what hinders a seal; nothing when nothing does."""
    if problem:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"k8swin: {shown_line(problem)}\n")


def _seal(folder: Path, why: str, who: Signer | None, by: str) -> Sealed:
    _complete(folder)
    final = why in FINAL
    subjects, left_out = _subjects(folder, final)
    number = max((int(m[1]) for s in subjects if (m := SEAL_NAME.fullmatch(s.name))), default=0) + 1
    before = next((s for s in subjects if s.name == seal_name(number - 1)), None)
    record, lines = _events(folder)
    time = utc_now()
    predicate = {
        "run": lines.run or folder.name,
        "number": number,
        "why": why,
        "final": final,
        "time": time,
        "notebook": by,
        "operator": visible(str(masked(operator()))),
        **_about(lines.events),
        "events": {
            "bytes": record.bytes,
            "lines": len(lines.ends),
            NUMBER: lines.events[-1].get(NUMBER) if lines.events else 0,
            "last": lines.digests[-1] if lines.digests else "",
        },
        "previous": {"name": before.name, "sha256": before.sha256} if before else None,
        "left_out": left_out,
    }
    content = written([record, *subjects], predicate)
    sha256 = hashlib.sha256(content).hexdigest()
    made: list[Path] = []
    unsigned = ""
    # Under another name until the record tells of it: a seal of which no event tells is one whose event was taken away.
    begun = folder / begun_name(number)
    try:
        made.append(_put(begun, content))
        signatures = []
        try:
            if who is not None:
                signature = sign_bytes(who, content)
                made.append(_put(begun.with_name(begun.name + who.ending), signature))
                name = seal_name(number) + who.ending
                signatures = [{"file": name, "sha256": hashlib.sha256(signature).hexdigest()}]
        except Unsigned as error:
            unsigned = shown_line(f"{error}" + (f" (hint: {error.hint})" if error.hint else ""))
        fields: dict[str, Any] = {"seal": number, "sha256": sha256}
        fields |= {"signatures": signatures, **({"unsigned": unsigned} if unsigned else {})}
        Record(folder.parent, lines.run or folder.name, by).write(SEALED, time=time, **fields)
    except BaseException:
        # Ctrl-C may come when the event is written already, and the next seal then completes this one.
        if _told(folder).get(number) != sha256:
            for path in made:
                with contextlib.suppress(OSError):
                    path.unlink()
        raise
    put = _complete(folder)
    return Sealed(put[-1], tuple(put[:-1]), unsigned)


def _told(folder: Path) -> dict[int, str]:
    """Return the digests of the seals of which the record tells, by their numbers."""
    try:
        events = read_lines(folder / EVENTS).events
    except (OSError, Unreadable):
        return {}
    told = (e for e in events if e.get("event") == SEALED and type(e.get("seal")) is int)
    return {event["seal"]: str(event.get("sha256")) for event in told}


def _complete(folder: Path) -> list[Path]:
    """Give a seal of which the record tells its own name, its signatures first; take away what was begun and never told.

    A program that is killed while it seals leaves either. Returns what has its own name now, the seal last.

    Raises:
        RecordError: when that cannot be done.
    """
    names = [path.name for path in (folder / SEALS).iterdir()]
    begun = sorted((n for n in names if BEGUN.fullmatch(f"{SEALS}/{n}")), key=len, reverse=True)
    told = _told(folder) if begun else {}
    put = []
    for name in begun:
        path, own = folder / SEALS / name, folder / SEALS / name[1:]
        found = BEGUN.fullmatch(f"{SEALS}/{name}")
        number = int(found[1]) if found else 0
        try:
            if number in told and digest(folder, begun_name(number))[0] == told[number]:
                if not own.exists():
                    path.rename(own)
                    put.append(own)
                continue
            path.unlink()
        except FileNotFoundError:
            continue
        except (OSError, Unreadable) as error:
            raise RecordError(str(path), getattr(error, "strerror", None) or str(error)) from None
    return put


def _put(path: Path, content: bytes) -> Path:
    """Write a file that is not there yet, whole or not at all."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise RecordError(str(path), error.strerror or str(error)) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise RecordError(str(path), error.strerror or str(error)) from None
    return path


def _subjects(folder: Path, final: bool) -> tuple[list[Subject], list[dict[str, str]]]:
    """Return all files of a run but the record's own, and what is left out, with why."""
    subjects, left_out = [], []
    for entry in look(folder).values():
        if entry.name == EVENTS:
            continue
        if entry.odd:
            left_out.append({"name": escaped_name(entry.name), "why": entry.odd})
            continue
        try:
            sha256, size = digest(folder, entry.name)
        except FileNotFoundError:
            continue  # a file that somebody wrote beside its place, and has moved there meanwhile
        except (OSError, Unreadable) as error:
            left_out.append({"name": entry.name, "why": shown_line(error)})
            continue
        name = entry.name.rpartition("/")[2]
        at_work = name.startswith(".") or ("/" not in entry.name)
        subjects.append(Subject(entry.name, sha256, size, open=at_work and not final))
    return subjects, left_out


def _events(folder: Path) -> tuple[Subject, Any]:
    """Return the record's lines up to now as a subject, and what they hold; half a line at the end is left to the next seal."""
    try:
        lines = read_lines(folder / EVENTS)
        end = lines.ends[-1] if lines.ends else 0
        if not lines.whole:
            # Somebody is writing it, or was killed while doing so; what comes behind it makes an end of it.
            lines.digests.pop()
            lines.ends.pop()
            end = lines.ends[-1] if lines.ends else 0
        sha256, size = digest(folder, EVENTS, end)
    except (OSError, Unreadable) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RecordError(str(folder / EVENTS), reason) from None
    return Subject(EVENTS, sha256, size, prefix=True), lines


def _about(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the record says of who works, why and with what, as it was last said."""
    opened = [event for event in events if event.get("event") == "notebook-opened"]
    last = opened[-1] if opened else {}
    reasons = [event["reason"] for event in opened if event.get("reason")]
    return {
        "operator_by": last.get("operator_by", ""),
        "reason": reasons[-1] if reasons else "",
        "controller": last.get("controller", ""),
        "toolkit": last.get("toolkit") or {"version": __version__},
    }
