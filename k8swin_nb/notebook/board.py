"""What a live view knows: how far each step is on each host, what failed and why. Nothing is displayed here."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from k8swin_nb.tables.human import moment
from k8swin_nb.workflow.heartbeat import QUIET, Heartbeat, duration
from k8swin_nb.workflow.runner import StepProgress
from k8swin_nb.workflow.step import Outcome, Step

Mood = Literal["waits", "works", "failed", "stopped", "done"]
"""How a phase stands: nothing runs, something does, it failed, it was stopped, or it is through."""

BAD = (Outcome.FAILED, Outcome.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class Line:
    """A step on a host."""

    step: str
    host: str
    outcome: Outcome | None
    """None while it is at work."""

    seconds: float
    """How long it took, or the clock when it began."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the work ended early."""

    what: str
    """What happened, in one line."""

    fix: str = ""
    """What to do about it."""

    step: str = ""
    """The step, where it was one."""

    cell: str = ""
    """The front end's name of the cell, where it was no step."""

    evidence: str = ""
    """Folder of what was kept of the hosts."""

    stopped: bool = False
    """Whether a person stopped it."""

    more: Sequence[tuple[str, str]] = ()
    """What happened on further hosts, each with what to do about it, where that differs from the one behind."""

    def told(self) -> list[tuple[str, str]]:
        """Return everything that happened, each with its fix."""
        return [(self.what, self.fix), *self.more]


@dataclass(frozen=True, slots=True)
class Picture:
    """How a phase stands at one moment."""

    phase: str
    mood: Mood
    steps: Sequence[tuple[str, str]]
    """Name of every step of the phase, and the heading below which the notebook has it."""

    lines: Sequence[Line]
    step: str
    """The step at work; else the next one, or empty."""

    beat: str
    """What is said of the work that goes on, when it is quiet for a while."""

    trouble: Trouble | None
    when: str
    """The moment, by this computer's clock, in UTC."""

    seconds: float
    """How long steps were at work, in sum."""

    dry_run: bool = False
    nobody: frozenset[str] = frozenset()
    """Steps that came up and are for no host of this cluster."""

    run: str = ""
    """The run's id."""

    @property
    def ended(self) -> int:
        """How many steps have ended on all their hosts."""
        going = {line.step for line in self.lines if line.outcome is None}
        return len(({line.step for line in self.lines} | self.nobody) - going)

    def counts(self) -> str:
        """Return how many lines ended how: `ok=4 changed=1`."""
        found = Counter(line.outcome for line in self.lines if line.outcome)
        return " ".join(
            f"{outcome.value}={found[outcome]}" for outcome in Outcome if found[outcome]
        )


@dataclass
class Board:
    """How far each step is on each host; may be told and asked from any thread."""

    phase: str
    steps: Sequence[Step]
    dry_run: bool = False
    trouble: Trouble | None = None
    closed: bool = False
    """Whether the phase was summed up, or another one took its place."""

    headings: Mapping[str, str] = field(default_factory=dict)
    """Headings of steps that do not stand below their own title."""

    run: str = ""
    """The run's id."""

    beat: Heartbeat = field(default_factory=Heartbeat)
    _lines: dict[tuple[str, str], Line] = field(default_factory=dict)
    _nobody: set[str] = field(default_factory=set)
    _works: str = ""
    _seconds: float = 0.0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def begin(self, step: str, hosts: Iterable[str]) -> None:
        """A step is taken up on hosts."""
        hosts = list(hosts)
        with self._lock:
            if self._works:
                self._seconds += self.beat.elapsed
            if not hosts:
                self._nobody.add(step)
            self.beat = Heartbeat(hosts)
            self._works, self.trouble = step, None
            self.closed = False

    def told(self, progress: StepProgress) -> None:
        """Take what a runner says."""
        key = (progress.step, progress.host)
        with self._lock:
            if progress.outcome is not None:
                began = self._lines.get(key)
                took = time.monotonic() - began.seconds if began and not began.outcome else 0.0
                self._lines[key] = Line(*key, progress.outcome, took, progress.detail)
                self.beat.end(
                    progress.host,
                    fine=progress.outcome not in BAD,
                    skipped=progress.outcome is Outcome.SKIPPED,
                )
            elif progress.detail:
                self.beat.waits(progress.host, progress.detail)
                if began := self._lines.get(key):
                    self._lines[key] = replace(began, detail=progress.detail)
            else:
                # A step that is applied once more stands where it is done now.
                self._lines.pop(key, None)
                self._lines[key] = Line(*key, None, time.monotonic())
                self.beat.begin(progress.host)

    def rest(self) -> None:
        """Nothing is at work any more; what had begun and has not ended was stopped."""
        with self._lock:
            if self._works:
                self._seconds += self.beat.elapsed
            self._works = ""
            self._lines = {key: line for key, line in self._lines.items() if line.outcome}

    def fail(self, trouble: Trouble) -> None:
        """Something ended the work early."""
        with self._lock:
            self.trouble = trouble

    def look_into(self, trouble: Trouble, what: str) -> None:
        """Something went wrong, and it is found out why; that may take a while."""
        with self._lock:
            self.trouble, self.beat.why = trouble, what

    def kept(self) -> dict[tuple[str, str], Line]:
        """Return the lines, to be put back by `put_back` after a look that is no outcome."""
        with self._lock:
            return dict(self._lines)

    def put_back(self, lines: dict[tuple[str, str], Line]) -> None:
        """Put lines back that were kept."""
        with self._lock:
            self._lines = dict(lines)

    def picture(self) -> Picture:
        """Return how it stands now."""
        with self._lock:
            lines = list(self._lines.values())
            names = [(step.name, self.headings.get(step.name, step.title)) for step in self.steps]
            seen = {line.step for line in lines} | self._nobody
            left = [name for name, _ in names if name not in seen]
            works = self._works
            mood: Mood = "works" if works else "waits" if left else "done"
            if self.trouble:
                mood = "stopped" if self.trouble.stopped else "failed"
            now = time.monotonic()
            lines = [
                line if line.outcome else replace(line, seconds=max(0.0, now - line.seconds))
                for line in lines
            ]
            return Picture(
                self.phase,
                mood,
                names,
                lines,
                works or next(iter(left), ""),
                self.beat.text() if works and self.beat.elapsed >= QUIET else "",
                self.trouble,
                f"{moment(datetime.now(UTC))} UTC",
                self._seconds + (self.beat.elapsed if works else 0.0),
                self.dry_run,
                frozenset(self._nobody),
                self.run,
            )


def sentence(picture: Picture) -> str:
    """Return in one line how a phase stands."""
    many = len(picture.steps)
    if not many:
        return "it could not be opened"
    far = f"{picture.ended} of {many} steps"
    counts = picture.counts()
    match picture.mood:
        case "works":
            place = [name for name, _ in picture.steps].index(picture.step) + 1
            return f"step {place} of {many}: {picture.step}"
        case "failed" | "stopped":
            assert picture.trouble is not None  # noqa: S101 -- the mood says so
            at = f"at {picture.trouble.step}, " if picture.trouble.step else ""
            return f"{at}{far}"
        case "done":
            return f"{far}: {counts}, {duration(picture.seconds)}"
    if not picture.lines:
        return f"{many} steps, none has run yet"
    return f"{far}: {counts}; next: {picture.step}"
