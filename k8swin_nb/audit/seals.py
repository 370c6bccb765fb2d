"""The seals of a run, judged: each by itself, as a chain, against the record's lines, and by their signatures."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from k8swin_nb.audit.lines import Lines
from k8swin_nb.audit.signatures import SIGNATURE_BYTES, Judged, Trusted, judge
from k8swin_nb.audit.statement import (
    BEGUN,
    SEAL_BYTES,
    SEAL_NAME,
    SIGNATURES,
    Seal,
    begun_name,
    read,
    seal_name,
)
from k8swin_nb.audit.tree import EVENTS, Entry, content, digest
from k8swin_nb.audit.verdict import CHANGED, REMARK, UNPROVEN, SealSeen, Verdict
from k8swin_nb.reading import Unreadable
from k8swin_nb.shown import shown_line

SEALED = "sealed"
"""The event that follows a seal."""

FIELDS = frozenset(
    {
        "n",
        "previous",
        "time",
        "run",
        "notebook",
        "event",
        "operator",
        "seal",
        "sha256",
        "signatures",
        "unsigned",
    }
)
"""What such an event holds, and nothing else: no seal covers the last of them."""


def judge_seals(
    folder: Path, entries: dict[str, Entry], lines: Lines, trusted: Trusted, verdict: Verdict
) -> list[Seal]:
    """Judge all seals of a run; return those that can be read, in their order."""
    events: dict[int, tuple[int, dict[str, Any]]] = {}
    for place, event in lines.at.items():
        told = event.get("seal")
        if event.get("event") == SEALED and type(told) is int:
            events[told] = (place, event)
    numbers = sorted(
        int(match[1])
        for name in entries
        if (match := SEAL_NAME.fullmatch(name)) and seal_name(int(match[1])) == name
    )
    last = max([*numbers, 0])
    for number in sorted(({*range(1, last + 1)} | {*events}) - {*numbers}):
        if number == last + 1 and _begun(folder, entries, number, events[number][1]):
            continue
        verdict.add(
            CHANGED,
            "seal-missing",
            seal_name(number),
            "it is not there"
            + (
                f", and {EVENTS} line {events[number][0]} says that it was made"
                if number in events
                else ", and a later one is"
            ),
        )
    seals: list[Seal] = []
    before: Seal | None = None
    for number in numbers:
        name = seal_name(number)
        try:
            written = content(folder, name, SEAL_BYTES)
            seal = read(written, number)
        except (OSError, Unreadable) as error:
            reason = getattr(error, "strerror", None) or str(error)
            verdict.add(
                CHANGED,
                "seal-edited",
                name,
                f"it is no seal as it was written: {shown_line(reason, most=200)}",
            )
            before = None
            continue
        _link(seal, before, number, verdict)
        covered = _record(folder, seal, lines, verdict)
        signatures = _signatures(
            folder, entries, seal, written, trusted, verdict, last=number == numbers[-1]
        )
        _event(folder, seal, events.get(number), signatures, verdict)
        seen = SealSeen(
            number,
            seal.time,
            str(seal.predicate.get("why", "")),
            seal.final,
            len(seal.subjects),
            covered,
        )
        seen.signatures = signatures
        verdict.seals.append(seen)
        seals.append(seal)
        before = seal
    return seals


def _begun(folder: Path, entries: dict[str, Entry], number: int, event: dict[str, Any]) -> bool:
    """Whether a seal of which the record tells lies there by the name that it had before; `left_begun` tells of it."""
    name = begun_name(number)
    if name not in entries or entries[name].odd:
        return False
    try:
        return digest(folder, name)[0] == event.get("sha256")
    except (OSError, Unreadable):
        return False


def left_begun(entries: dict[str, Entry], seals: list[Seal], verdict: Verdict) -> set[str]:
    """Tell of a seal that was begun and is not in its place; return the names of its files."""
    number = (seals[-1].number if seals else 0) + 1
    names = {
        name
        for name, entry in entries.items()
        if not entry.odd and (found := BEGUN.fullmatch(name)) and int(found[1]) == number
    }
    names |= {seal_name(number) + end for end in SIGNATURES} & {*entries} if names else set()
    if names:
        text = (
            "its program was killed while it made it; the next seal completes it, or takes it away"
        )
        verdict.add(UNPROVEN, "seal-not-whole", begun_name(number), text)
    return names


def _link(seal: Seal, before: Seal | None, number: int, verdict: Verdict) -> None:
    said = seal.predicate.get("previous")
    named = said.get("sha256") if isinstance(said, dict) else None
    if seal.run != verdict.run:
        text = f"it seals run `{shown_line(seal.run, most=80)}`, and the record is of `{shown_line(verdict.run, most=80)}`"
        verdict.add(CHANGED, "seal-of-another-run", seal.name, text)
    if number == 1 and named is not None:
        verdict.add(CHANGED, "seal-order", seal.name, "it names a seal before it, and is the first")
    if before is not None and before.number == number - 1 and named != before.sha256:
        text = f"it was made after another seal than {before.name}: sha256 {before.sha256}, expected {shown_line(named, most=64)}"
        verdict.add(CHANGED, "seal-order", seal.name, text)


def _record(folder: Path, seal: Seal, lines: Lines, verdict: Verdict) -> int:
    """Compare the record's beginning with what a seal says of it; return how many lines it covers."""
    subject, said = seal.subjects.get(EVENTS), seal.events
    if subject is None:
        verdict.add(CHANGED, "seal-edited", seal.name, f"it does not name {EVENTS}")
        return 0
    count, last = said.get("lines"), said.get("last")
    if subject.bytes and subject.bytes not in lines.ends:
        have = lines.ends[-1] if lines.ends else 0
        if subject.bytes > have:
            text = f"it has {have} bytes, and had {subject.bytes} at seal {seal.number}: its tail is cut off, or lines are shorter"
        else:
            text = f"at seal {seal.number} a line ended at byte {subject.bytes}, and none does now: lines before it were changed"
        verdict.add(CHANGED, "record-changed", EVENTS, text)
        return count if type(count) is int else 0
    covered = lines.ends.index(subject.bytes) + 1 if subject.bytes else 0
    try:
        sha256, _ = digest(folder, EVENTS, subject.bytes)
    except (OSError, Unreadable) as error:
        sha256 = shown_line(error)
    if sha256 != subject.sha256:
        text = f"its first {subject.bytes} bytes are not those that seal {seal.number} covers: sha256 {sha256}, sealed was {subject.sha256}"
        verdict.add(CHANGED, "record-changed", EVENTS, text)
    elif count != covered or (covered and lines.digests[covered - 1] != last):
        verdict.add(
            CHANGED,
            "seal-edited",
            seal.name,
            "what it says of the last line that it covers is not so",
        )
    return covered


def _signatures(
    folder: Path,
    entries: dict[str, Entry],
    seal: Seal,
    written: bytes,
    trusted: Trusted,
    verdict: Verdict,
    *,
    last: bool,
) -> list[Judged]:
    judged = []
    for ending, kind in SIGNATURES.items():
        name = seal.name + ending
        if name not in entries or entries[name].odd:
            continue
        try:
            one = judge(
                name, kind, content(folder, name, SIGNATURE_BYTES), written, seal.time, trusted
            )
        except (OSError, Unreadable) as error:
            one = Judged(name, kind, "bad", why=f"it cannot be read: {shown_line(error, most=200)}")
        judged.append(one)
        if one.outcome == "bad":
            verdict.add(CHANGED, "signature-bad", name, one.why)
        elif one.outcome == "void":
            verdict.add(
                UNPROVEN,
                "signature-void",
                name,
                f"{one.who or one.key} signed, and that does not count: {one.why}",
            )
        elif one.outcome == "unjudged":
            verdict.add(UNPROVEN, "signature-unjudged", name, one.why)
        elif one.outcome == "unknown" and last:
            verdict.add(
                REMARK,
                "signature-unknown",
                name,
                f"signed by {one.who + ' ' if one.who else ''}{one.key}: {one.why}",
            )
        elif one.why and last:
            verdict.add(REMARK, "signature-note", name, one.why)
    return judged


def _event(
    folder: Path,
    seal: Seal,
    found: tuple[int, dict[str, Any]] | None,
    judged: list[Judged],
    verdict: Verdict,
) -> None:
    """Compare a seal and its signatures with the event that was written after it."""
    if found is None:
        text = f"no event `{SEALED}` tells of it: the record's tail behind it was cut off, or the program was killed in that moment"
        verdict.add(CHANGED, "tail-cut", seal.name, text)
        return
    place, event = found
    here = f"{EVENTS} line {place}"
    if event.get("sha256") != seal.sha256:
        text = f"sha256 {seal.sha256}, and {here} says {shown_line(event.get('sha256'), most=64)}"
        verdict.add(CHANGED, "seal-edited", seal.name, text)
    covers = seal.events.get("lines")
    if type(covers) is int and place <= covers:
        verdict.add(
            CHANGED,
            "seal-order",
            here,
            f"seal {seal.number} covers {covers} lines, and its event stands before",
        )
    same = all(
        event.get(name) == seal.predicate.get(name) for name in ("time", "operator", "notebook")
    )
    if not same or not event.keys() <= FIELDS:
        verdict.add(
            CHANGED, "line-edited", here, f"it is not what was written after seal {seal.number}"
        )
    listed = event.get("signatures")
    wanted = {}
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict):
            wanted[str(item.get("file"))] = str(item.get("sha256"))
    there = {one.name for one in judged}
    for name in sorted(wanted.keys() - there):
        verdict.add(
            CHANGED,
            "signature-missing",
            shown_line(name, most=200),
            f"{here} says that it was made",
        )
    for name in sorted(there):
        try:
            sha256 = hashlib.sha256(content(folder, name, SIGNATURE_BYTES)).hexdigest()
        except (OSError, Unreadable):
            continue
        if name not in wanted:
            verdict.add(
                REMARK,
                "signature-later",
                name,
                f"it was made after seal {seal.number} was written down",
            )
        elif wanted[name] != sha256:
            verdict.add(
                CHANGED,
                "signature-changed",
                name,
                f"sha256 {sha256}, and {here} says {wanted[name]}",
            )
    if "unsigned" in event:
        verdict.add(
            REMARK,
            "unsigned",
            seal.name,
            f"it was to be signed: {shown_line(event['unsigned'], most=300)}",
        )
