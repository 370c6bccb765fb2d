"""The record's own lines, judged: the chain, whose run they are, and what they say of files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from k8swin_nb.audit.tree import EVENTS, inside
from k8swin_nb.audit.tree import digest as digest_of
from k8swin_nb.audit.verdict import CHANGED, REMARK, UNPROVEN, Verdict
from k8swin_nb.reading import Unreadable, open_file
from k8swin_nb.shown import shown_line
from k8swin_nb.workflow.chain import NUMBER, PREVIOUS, Line, beginning, digest, read_event
from k8swin_nb.workflow.log_file import CONTINUED

LINE_BYTES = 8 * 1024 * 1024
"""What one line may have; a whole output is a file of its own."""

RECORD_BYTES = 256 * 1024 * 1024

LINES = 1_000_000

BACK_SECONDS = 2.0
"""By how much a time may lie before the one before it without a word: computers' clocks differ a little."""


@dataclass(slots=True)
class Lines:
    """What the record's file holds."""

    run: str = ""
    """The run that the record says it is of."""

    events: list[dict[str, Any]] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    """Of each line, without its end, by its place."""

    ends: list[int] = field(default_factory=list)
    """Bytes up to the end of each line."""

    at: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Events by the place of their line, counted from 1."""

    whole: bool = True
    """Whether the last line has an end."""

    def behind(self, covered: object, seal: int) -> list[dict[str, Any]]:
        """Return the events behind the lines that a seal covers, but for the one that tells of that seal."""
        place = covered if type(covered) is int else 0
        return [
            event
            for at, event in self.at.items()
            if at > place and not (event.get("event") == "sealed" and event.get("seal") == seal)
        ]


def bounded_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a record as `chain.read_lines` does, and no more of them than fit into memory.

    Raises:
        OSError, Unreadable: when the file cannot be read, or is none of a record.
    """
    read = 0
    with open_file(path) as file:
        for number in range(1, LINES + 2):
            line = file.readline(LINE_BYTES + 1)
            read += len(line)
            if not line:
                return
            if len(line) > LINE_BYTES or number > LINES or read > RECORD_BYTES:
                raise Unreadable("it has a line, or more lines, than no record has")
            content = line.removesuffix(b"\n")
            yield Line(number, content, line.endswith(b"\n"), read_event(content))


def read_lines(path: Path) -> Lines:
    """Return what a record holds, without judging it.

    Raises:
        OSError, Unreadable: as of `bounded_lines`.
    """
    found, end = Lines(), 0
    for line in bounded_lines(path):
        end += len(line.content) + line.whole
        found.digests.append(digest(line.content))
        found.ends.append(end)
        found.whole = line.whole
        if line.event is not None:
            found.events.append(line.event)
            found.at[line.number] = line.event
            found.run = found.run or str(line.event.get("run", ""))
    return found


def judge_chain(path: Path, verdict: Verdict) -> Lines:
    """Judge each link of the record's chain; return what the record holds.

    Raises:
        OSError, Unreadable: as of `bounded_lines`.
    """
    found = read_lines(path)
    before = beginning(found.run)
    first = min(
        (at for at, event in found.at.items() if NUMBER in event), default=len(found.ends) + 1
    )
    latest: tuple[datetime, int] | None = None
    seen: dict[str, int] = {}
    for line in bounded_lines(path):
        here = f"{EVENTS} line {line.number}"
        own = found.digests[line.number - 1]
        if line.event is None:
            _no_event(line, found, here, verdict)
        else:
            _whose(line.event, found.run, here, verdict)
            if line.number >= first:
                _link(line.event, here, before, line.number, seen.get(own), verdict)
                # Each line is written in one way: another one says that somebody wrote it anew.
                if _as_written(line.event) != line.content:
                    text = "it is not written as the toolkit writes a line"
                    verdict.add(CHANGED, "line-rewritten", here, text)
            latest = _time(line.event, line.number, latest, verdict)
        seen.setdefault(own, line.number)
        before = own
    if older := sum(1 for at in found.at if at < first):
        text = f"{older} lines are of a toolkit that did not chain them; only a seal tells whether they are as written"
        verdict.add(
            REMARK if older < len(found.events) else UNPROVEN, "older-version", EVENTS, text
        )
    if not found.whole and len(found.ends) in found.at:
        text = "the end of the last line is missing: it was cut off there, or its writer was killed in that moment"
        verdict.add(CHANGED, "tail-cut", f"{EVENTS} line {len(found.ends)}", text)
    _continued(path, found, verdict)
    verdict.events = len(found.events)
    return found


def _as_written(event: dict[str, Any]) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")


def _no_event(line: Line, found: Lines, here: str, verdict: Verdict) -> None:
    """Tell of a line that is no event: one that was left so is followed by an event that says it."""
    following = found.at.get(line.number + 1, {})
    if not line.whole:
        text = "it is half a line, as a full disk or a kernel that died leaves one"
        verdict.add(UNPROVEN, "half-line", here, text)
    elif (
        following.get("event") == CONTINUED
        and following.get(PREVIOUS) == found.digests[line.number - 1]
    ):
        text = (
            "it is no event, as a full disk or a kernel that died leaves one; the next line says so"
        )
        verdict.add(REMARK, "half-line", here, text)
    else:
        verdict.add(CHANGED, "line-edited", here, "it is no event of a record")


def _continued(path: Path, found: Lines, verdict: Verdict) -> None:
    """Compare what `record-continued` says of all lines before it with them."""
    for at, event in found.at.items():
        if event.get("event") != CONTINUED or at < 2:
            continue
        end = found.ends[at - 2]
        sha256, _ = digest_of(path.parent, EVENTS, end)
        if (event.get("lines"), event.get("bytes"), event.get("sha256")) != (at - 1, end, sha256):
            text = (
                f"the {at - 1} lines before it are not those that stood there when it was written"
            )
            verdict.add(CHANGED, "line-edited", f"{EVENTS} line {at}", text)


def _whose(event: dict[str, Any], run: str, here: str, verdict: Verdict) -> None:
    if event.get("run") != run:
        other = shown_line(event.get("run", ""), most=80)
        verdict.add(
            CHANGED,
            "another-run",
            here,
            f"it is an event of run `{other}`, and the record is of `{run}`",
        )


def _link(
    event: dict[str, Any], here: str, before: str, place: int, twin: int | None, verdict: Verdict
) -> None:
    number, previous = event.get(NUMBER), event.get(PREVIOUS)
    if number == place and previous == before:
        return
    if twin:
        verdict.add(CHANGED, "line-duplicated", here, f"it is line {twin} once more")
    elif number == place:
        text = f"it follows upon another line than the one before it: that one was edited, put in or exchanged (`previous` is {shown_line(previous, most=64)}, expected {before})"
        verdict.add(CHANGED, "line-edited", here, text)
    elif previous != before:
        text = f"it is event {shown_line(number, most=20)} in place {place}: lines were taken out, put in, or are in another order"
        verdict.add(CHANGED, "line-missing", here, text)
    # What is moved by an earlier line is told there.


def _time(
    event: dict[str, Any], number: int, latest: tuple[datetime, int] | None, verdict: Verdict
) -> tuple[datetime, int] | None:
    try:
        time = datetime.fromisoformat(str(event.get("time")))
        if latest and (latest[0] - time).total_seconds() > BACK_SECONDS:
            text = f"it is of {event.get('time')}, and line {latest[1]} before it of {latest[0].isoformat()}: a clock was set, or two computers' clocks differ"
            verdict.add(REMARK, "clock", f"{EVENTS} line {number}", shown_line(text, most=300))
        return time, number
    except (ValueError, TypeError):
        return latest


def references(event: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the files that an event names, with the SHA-256 that each has by it."""
    output, sha256 = event.get("output"), event.get("output_sha256")
    if inside(output) and isinstance(sha256, str) and "/" in str(output):
        yield str(output), sha256
    for named in ("script_file", "parameters_file"):
        # These have the digest of what they hold for their name.
        name = event.get(named)
        if inside(name):
            yield str(name), str(name).rpartition("/")[2].partition(".")[0]
