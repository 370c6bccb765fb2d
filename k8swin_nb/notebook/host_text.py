"""What one host prints, bounded: so much of it for a cell, and all of it in a file of the run's folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from k8swin_nb.errors import RecordError
from k8swin_nb.shown import cut_line, visible
from k8swin_nb.workflow.output_log import AlreadyKept
from k8swin_nb.workflow.record import KeptLog

KEPT_LINES = 400
"""Lines of a host that a cell shows: the last ones where its display is updated, else the first and a few last."""

LAST_LINES = 40
"""The few last ones."""

KEPT_SIZE = 100_000
"""Characters of a host that a cell shows."""

_LONGEST = 16_384
"""Characters after which a line that does not end is taken for one."""

_MANY = 1_024
"""Characters of an unfinished line after which its earlier states are looked at."""

_MARKS = {"stderr": "stderr: "}

BAR = 20
"""Characters of a bar of progress."""

_PERCENT = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d+)?) ?%")
_DRAWN = re.compile(r"[█▉▊▋▌▍▎▏░▒▓]|[#=]{3}|\[[-#=> .]{3,}\]")
_COUNTING = re.compile(r"[\W\d_]+")

KeepOutput = Callable[[str], KeptLog | AlreadyKept]
"""Opens a file of the run's folder for what is too long for a cell; given a name."""


class HostText:
    """One host's lines: the whole ones, and the unfinished last one of each stream."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.hidden = 0
        self.where = ""
        """Where all of it is, as the end of a sentence."""
        self._size = 0
        self._rest: dict[str, str] = {}

    def add(self, stream: str, text: str) -> list[str]:
        """Take a piece and return the lines that it completed."""
        pieces = (self._rest.get(stream, "") + text).split("\n")
        rest = pieces.pop()
        if len(rest) > _LONGEST:
            pieces.append(rest)
            rest = ""
        self._rest[stream] = _last_states(rest)
        return self._keep(stream, pieces)

    def finish(self) -> list[str]:
        """Return the lines that never ended."""
        rest, self._rest = self._rest, {}
        done = []
        for stream, text in rest.items():
            if text:
                done += self._keep(stream, [text])
        return done

    @property
    def size(self) -> int:
        """Characters that are kept."""
        return self._size

    def moving(self) -> list[str]:
        """Return the unfinished lines as they stand now, such as a bar of progress that writes over itself."""
        lines = []
        for stream, rest in self._rest.items():
            states = settled(rest)
            if states[-1].strip():
                lines.append(_MARKS.get(stream, "") + barred(cut_line(states[-1])))
        return lines

    def _keep(self, stream: str, pieces: list[str]) -> list[str]:
        mark = _MARKS.get(stream, "")
        lines = [mark + cut_line(line) for piece in pieces for line in settled(piece)]
        self.lines += lines
        self._size += sum(map(len, lines))
        while len(self.lines) > KEPT_LINES or self._size > KEPT_SIZE:
            many = max(1, len(self.lines) - KEPT_LINES)
            self.hidden += many
            self._size -= sum(map(len, self.lines[:many]))
            del self.lines[:many]
        return lines


def _last_states(rest: str) -> str:
    """Return an unfinished line without the states of it that are not shown in the end, once there are many."""
    if len(rest) < _MANY or "\r" not in rest:
        return rest
    states = rest.split("\r")
    kept = [
        state
        for state, following in pairwise(states)
        if _words(state) not in ("", _words(following))
    ]
    return "\r".join([*kept, states[-1]])


def settled(piece: str) -> list[str]:
    """Return a line of output as lines to be shown.

    A carriage return writes over a line, as progress bars do. Of states that differ in their figures alone the last one
    is shown; what is overwritten by other words is a line of its own, so that nothing can be hidden by it.
    """
    if piece.isascii() and piece.isprintable():
        return [piece]  # as nearly all lines are: a host that floods is not to keep the kernel busy
    states = [visible(state) for state in piece.rstrip("\r").split("\r")]
    return [
        state
        for state, following in zip(states, [*states[1:], None], strict=True)
        if following is None or _words(state) not in ("", _words(following))
    ]


def barred(line: str) -> str:
    """Return a line that tells a part in percent with a bar before it; one that draws its own stays as it is."""
    found = _PERCENT.search(line)
    if not found or float(found[1]) > 100 or _DRAWN.search(line):
        return line
    full = round(float(found[1]) / 100 * BAR)
    return f"{'█' * full}{'░' * (BAR - full)} {line}"


def _words(text: str) -> str:
    return _COUNTING.sub("", text)


class Whole:
    """All that a host prints: a little of it in memory, and from then on a file."""

    def __init__(self, host: str, keep: KeepOutput | None) -> None:
        self.left = 0
        """Lines that were more than fits into a cell."""
        self._host = host
        self._keep = keep
        self._lines = 0
        self._size = 0
        self._head: list[str] = []
        self._length = 0
        self._log: KeptLog | AlreadyKept | None = None
        self._lost = ""

    def fitting(self, lines: list[str]) -> list[str]:
        """Return those of the next lines that a cell that only ever grows still shows."""
        for number, line in enumerate(lines):
            if self.left or self._lines == KEPT_LINES or self._size > KEPT_SIZE:
                self.left += len(lines) - number
                return lines[:number]
            self._lines += 1
            self._size += len(line)
        return lines

    def write(self, text: str) -> None:
        """Take what the host printed."""
        if self._log is not None:
            self._log.write(text)
            return
        self._head.append(text)
        self._length += len(text)
        if self._length > KEPT_SIZE or len(self._head) > KEPT_LINES:
            self._spill()

    def _spill(self) -> None:
        if self._keep is not None:
            try:
                self._log = self._keep(f"output-{self._host}")
                self._log.write("".join(self._head))
            except RecordError as error:
                # The script goes on; what it prints is not worth more than what it does.
                self._keep, self._lost = None, f"; {error}"
        self._head, self._length = [], 0

    def close(self) -> str:
        """Return where all of it is, as the end of a sentence; empty when the cell shows all."""
        if self._log is None and self.left:
            self._spill()
        return f"; all of it is in {self._log.close()}" if self._log is not None else self._lost
