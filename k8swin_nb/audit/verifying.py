"""Whether the record of a run is as it was written: its chain, its seals, their signatures, and every file of its folder.

Nothing is written and nobody is asked. Each finding says what was found against what was expected; what cannot be known is
said too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from k8swin_nb.audit.lines import Lines, judge_chain, references
from k8swin_nb.audit.notebooks import judge_notebooks
from k8swin_nb.audit.seals import judge_seals, left_begun
from k8swin_nb.audit.signatures import Trusted
from k8swin_nb.audit.statement import Seal, Subject, seal_name
from k8swin_nb.audit.tree import EVENTS, SEALS, Entry, digests, escaped_name, look
from k8swin_nb.audit.verdict import CHANGED, REMARK, UNPROVEN, Verdict
from k8swin_nb.errors import ParamsError
from k8swin_nb.reading import Unreadable
from k8swin_nb.shown import shown_line

KEPT = ("logs/", "scripts/", "parameters/", "diagnostics/", f"{SEALS}/")
"""Folders whose files are written once, or grow at their end, and are never changed or taken away."""

GROWS_LATER = re.compile(
    r"[^/]+\.(ipynb|html|pdf)|(logs|scripts|parameters|diagnostics)/.*|(?:.*/)?\.[^/]*|desk\.json"
)
"""Names of files that come into a run's folder while it goes on."""

_RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}")

ENDS = {"notebook-finished", "failed", "interrupted", "run-stopped", "run-finished"}
"""Events after which a notebook is not at work any more."""


def verify(
    folder: Path, trusted: Trusted | None = None, notebooks: Sequence[Path] = (), *, named: str = ""
) -> Verdict:
    """Judge the record of a run.

    Args:
        folder: The run's folder.
        trusted: Whose signatures count.
        notebooks: Executed notebooks that lie elsewhere, to be compared with the record.
        named: What the run is called by who asks; empty: as the folder.

    Raises:
        ParamsError: when there is no record, or it cannot be read at all.
    """
    trusted = trusted or Trusted()
    trusted.check()
    entries = look(folder)
    verdict = Verdict(folder.name)
    verdict.files = len(entries)
    if EVENTS not in entries:
        raise ParamsError(
            f"`{folder}` holds no `{EVENTS}`, so it is not the folder of a run",
            hint="name a folder below `runs/`, or an archive of `k8swin audit export`",
        )
    if odd := entries[EVENTS].odd:
        verdict.add(CHANGED, "not-a-file", EVENTS, f"it is {odd}, expected a plain file")
        return verdict
    try:
        lines = judge_chain(folder / EVENTS, verdict)
    except (OSError, Unreadable) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ParamsError(f"`{folder / EVENTS}` cannot be read: {reason}") from None
    verdict.run = lines.run or folder.name
    _name(named or folder.name, lines, verdict)
    seals = judge_seals(folder, entries, lines, trusted, verdict)
    _odd(entries, seals, verdict)
    _files(folder, entries, seals, lines, verdict)
    _referred(folder, entries, lines, verdict)
    _proof(seals, lines, verdict)
    judge_notebooks(folder, entries, lines, notebooks, verdict)
    return verdict


def _name(named: str, lines: Lines, verdict: Verdict) -> None:
    if not lines.events:
        verdict.add(UNPROVEN, "empty", EVENTS, "it holds no event")
    elif named != lines.run:
        text = f"the folder is called `{shown_line(named, most=80)}`, and the record is of run `{shown_line(lines.run, most=80)}`"
        # A copy may have any name; the name of a run says that it is another one.
        other = _RUN_ID.fullmatch(named) is not None
        verdict.add(CHANGED if other else REMARK, "renamed", "", text)


def _odd(entries: dict[str, Entry], seals: list[Seal], verdict: Verdict) -> None:
    """Tell of what is no plain file: a run makes none, but somebody at a desk may have, before it was sealed."""
    listed = seals[-1].predicate.get("left_out") if seals else ()
    items = listed if isinstance(listed, list) else ()
    known = {str(item.get("name")) for item in items if isinstance(item, dict)}
    for entry in entries.values():
        if entry.odd and escaped_name(entry.name) not in known:
            text = f"it is {entry.odd}, and a record has plain files alone"
            verdict.add(CHANGED, "not-a-file", entry.name, text)
        elif entry.odd:
            text = f"it is {entry.odd}: no seal says what it holds"
            verdict.add(REMARK, "left-out", entry.name, text)


def _files(
    folder: Path, entries: dict[str, Entry], seals: list[Seal], lines: Lines, verdict: Verdict
) -> None:
    """Compare each file with the last seal, and what is never changed with all of them."""
    begun = left_begun(entries, seals, verdict)
    if not seals:
        return
    last = seals[-1]
    later = _later(seals[-1], lines)
    # Of a run that was sealed as ended, and went on: a notebook that is saved and a page that is written are its own.
    on = not last.final or bool(lines.behind(last.events.get("lines"), last.number))
    after = f"after seal {last.number}"
    for name, subject in last.subjects.items():
        entry = entries.get(name)
        if name == EVENTS or (entry is not None and entry.odd):
            continue
        if entry is None:
            gone = _at_work(name, subject, last, on) and not name.startswith(KEPT)
            verdict.add(
                UNPROVEN if gone else CHANGED, "file-removed", name, f"it was taken away {after}"
            )
            continue
        before = [seal for seal in seals[:-1] if name in seal.subjects and name.startswith(KEPT)]
        _file(folder, name, entry, [*before, last], verdict, on=on)
    for seal in seals[:-1]:
        for name in seal.subjects:
            if name.startswith(KEPT) and name not in last.subjects and name not in entries:
                verdict.add(
                    CHANGED, "file-removed", name, f"it was taken away after seal {seal.number}"
                )
    own = {last.name + ending for ending in ("", ".sig", ".p7s", ".sigstore.json")}
    for name, entry in entries.items():
        if name in last.subjects or name in own or name in begun or entry.odd:
            continue
        if name.startswith(f"{SEALS}/"):
            verdict.add(
                CHANGED, "file-added", name, "no seal names it, and it is none of the last one"
            )
        elif name in later or (on and GROWS_LATER.fullmatch(name)):
            verdict.add(
                UNPROVEN, "file-not-sealed", name, f"it came {after}, so that no seal covers it"
            )
        else:
            verdict.add(CHANGED, "file-added", name, f"no seal names it: it was put there {after}")


def _at_work(name: str, subject: Subject, seal: Seal, on: bool) -> bool:
    """Whether a file may have been saved anew behind a seal by who went on with the run."""
    return (subject.open and not seal.final) or (on and "/" not in name)


def _file(
    folder: Path, name: str, entry: Entry, seals: list[Seal], verdict: Verdict, *, on: bool
) -> None:
    """Compare one file with the seals that name it; the last of them says how it is to be now."""
    subjects = [seal.subjects[name] for seal in seals]
    last, seal = subjects[-1], seals[-1]
    if entry.size < last.bytes:
        found = f"it has {entry.size} bytes, and {last.bytes} when it was sealed"
        _differs(name, seal, found, verdict, mild=_at_work(name, last, seal, on))
        return
    try:
        made = digests(folder, name, [subject.bytes for subject in subjects])
    except (OSError, Unreadable) as error:
        reason = getattr(error, "strerror", None) or str(error)
        verdict.add(CHANGED, "file-unreadable", name, f"it cannot be read: {shown_line(reason)}")
        return
    if made[-1][0] != last.sha256:
        found = f"sha256 {made[-1][0]}, sealed was {last.sha256}"
        _differs(name, seal, found, verdict, mild=_at_work(name, last, seal, on))
    elif entry.size > last.bytes:
        grown = f"it has grown from {last.bytes} to {entry.size} bytes after seal {seal.number}"
        live = on and name.startswith("logs/")
        live |= _at_work(name, last, seal, on)
        _differs(name, seal, grown, verdict, mild=live)
    for subject, (sha256, _), earlier in zip(subjects[:-1], made[:-1], seals[:-1], strict=True):
        if subject.sha256 != sha256:
            text = f"it was changed between seal {earlier.number} and a later one, and such a file never changes"
            verdict.add(CHANGED, "file-changed", name, text)
            break


def _differs(name: str, seal: Seal, found: str, verdict: Verdict, *, mild: bool) -> None:
    if mild:
        text = f"changed since seal {seal.number}, by when nobody had ended the run, or after which it went on: {found}"
        verdict.add(UNPROVEN, "file-not-sealed", name, text)
    else:
        verdict.add(CHANGED, "file-changed", name, f"changed after seal {seal.number}: {found}")


def _later(last: Seal, lines: Lines) -> set[str]:
    """Return the files that events behind the last seal name."""
    begin = last.events.get("lines")
    place = begin if type(begin) is int else 0
    return {name for at, event in lines.at.items() if at > place for name, _ in references(event)}


def _referred(folder: Path, entries: dict[str, Entry], lines: Lines, verdict: Verdict) -> None:
    """Compare each file that an event names with the digest that the event has of it."""
    known: dict[str, str] = {}
    told: set[tuple[str, str]] = set()
    for place, event in lines.at.items():
        for name, wanted in references(event):
            if (name, wanted) in told or (name in entries and entries[name].odd):
                continue
            told.add((name, wanted))
            here = f"{EVENTS} line {place}"
            if name not in entries:
                verdict.add(CHANGED, "file-removed", name, f"it is not there, and {here} names it")
                continue
            if name not in known:
                try:
                    known[name] = digests(folder, name, [None])[0][0]
                except (OSError, Unreadable) as error:
                    verdict.add(
                        CHANGED, "file-unreadable", name, f"it cannot be read: {shown_line(error)}"
                    )
                    known[name] = ""
            if known[name] and known[name] != wanted:
                text = f"sha256 {known[name]}, and {here} says {shown_line(wanted, most=64)}"
                verdict.add(CHANGED, "file-changed", name, text)


def _proof(seals: list[Seal], lines: Lines, verdict: Verdict) -> None:
    """Say what no seal, or no signature, covers."""
    if not seals:
        if not any(event.get("event") == "sealed" for event in lines.events):
            text = "there is no seal: anybody who can write the folder could have written all of it"
            verdict.add(UNPROVEN, "no-seal", "", text)
        _ended(lines, verdict)
        return
    last, seen = seals[-1], verdict.seals[-1]
    covered = seen.events
    behind = lines.behind(covered, last.number)
    if behind:
        kinds = ", ".join(
            sorted({shown_line(event.get("event", ""), most=30) for event in behind})[:6]
        )
        text = f"{len(behind)} events stand behind the last seal ({kinds}), so that no seal covers them"
        verdict.add(UNPROVEN, "events-not-sealed", EVENTS, text)
    _ended(lines, verdict)
    if seen.trusted:
        return
    if not seen.signatures:
        text = f"the last seal, number {last.number}, is not signed: {_before(verdict)}"
        verdict.add(UNPROVEN, "unsigned", seal_name(last.number), text)
    elif not any(one.outcome == "bad" for one in seen.signatures):
        text = f"nobody who is trusted has signed the last seal: {_before(verdict)}"
        verdict.add(UNPROVEN, "signer-unknown", seal_name(last.number), text)


def _before(verdict: Verdict) -> str:
    """Return up to where somebody who is trusted has signed."""
    trusted = [seal for seal in verdict.seals if seal.trusted]
    if not trusted:
        return "no seal of this run is signed by anybody who is trusted"
    return f"what is proven ends with seal {trusted[-1].number} of {trusted[-1].time}, {trusted[-1].events} events"


def _ended(lines: Lines, verdict: Verdict) -> None:
    """Say which notebooks, or whether the run, began and have no end in the record."""
    at_work: dict[tuple[str, str], None] = {}
    run = False
    for event in lines.events:
        kind, notebook = event.get("event"), str(event.get("notebook", ""))
        if kind == "run-begun":
            run = True
        elif kind in ("run-finished", "run-stopped"):
            run = False
            at_work.clear()
        elif kind == "notebook-opened":
            at_work[notebook, str(event.get("target", ""))] = None
        elif kind in ENDS:
            # Joins of several workers are notebooks of one name: only the beginning says for which.
            mine = next((one for one in at_work if one[0] == notebook), None)
            if mine:
                del at_work[mine]
    if run:
        verdict.add(
            UNPROVEN,
            "run-not-ended",
            "",
            "the run was begun and its end is not in the record: it goes on, was killed, or its end was cut off",
        )
    elif at_work:
        names = shown_line(", ".join(" ".join(one).strip() for one in at_work), most=300)
        verdict.add(
            UNPROVEN,
            "notebook-not-ended",
            "",
            f"begun, and no end is in the record: {names}; it goes on, was left, killed, or its end was cut off",
        )
