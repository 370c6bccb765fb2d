"""What belongs to a script in the streams of a login: everything between two lines that hold a random word.

What start-up files, banners and forced commands print before and after is no output of the script, and without the
first line no script has begun, whatever the exit code says. The word travels in two halves in the other order, so
that a host which only repeats its input does not pass for one that runs it.
"""

from __future__ import annotations

import re
import secrets

NOISE_BYTES = 65_536
"""Bytes that are kept of what a host prints before the script, to be shown when none begins."""


LINE_BYTES = 64
"""Bytes of a line of ours behind the word, at most: how it began and as whom, or how it ended."""


class Word:
    """The random word of one script."""

    def __init__(self) -> None:
        self._first, self._second = secrets.token_hex(16), secrets.token_hex(16)

    @property
    def sent(self) -> bytes:
        """The two fields that `supervise.sh` reads."""
        return f"{self._second}\0{self._first}\0".encode()

    @property
    def mark(self) -> bytes:
        """How both lines begin."""
        return f"\x1e{self._first}{self._second} ".encode()


class Frame:
    """One stream: takes bytes as they arrive and gives back those of the script."""

    def __init__(self, word: Word) -> None:
        self._mark = word.mark
        self._begin = re.compile(re.escape(word.mark) + rb"begins(?: (\d+) ([0-9a-f-]{0,36}))?\n")
        self._end = re.compile(re.escape(word.mark) + rb"ends (\d+)\n")
        self._held = b""
        self.began = False
        self.returncode: int | None = None
        self.noise = b""
        """What came before the script."""
        self.user: int | None = None
        """Number of the user as whom the script's shell runs; None: it did not say."""
        self.boot = ""
        """Id of the host's boot; empty: it did not say."""

    @property
    def ended(self) -> bool:
        """Whether the script said how it ended."""
        return self.returncode is not None

    def feed(self, data: bytes) -> bytes:
        """Take bytes and return those that the script printed; what may be the start of a line of ours is held back."""
        if self.ended:
            return b""
        data = self._held + data
        self._held = b""
        if not self.began:
            found = self._begin.search(data)
            if not found:
                at = self._unfinished(data)
                self._held = data[at:]
                self._hear(data[:at])
                return b""
            self._hear(data[: found.start()])
            self._told(found)
            data = data[found.end() :]
            self.began = True
        # Where a host brings both streams together, the other stream's line arrives here too.
        data = self._begin.sub(self._told, data)
        end = self._end.search(data)
        if end:
            self.returncode = int(end[1])
            return data[: end.start()]
        at = self._unfinished(data)
        self._held = data[at:]
        return data[:at]

    def _unfinished(self, data: bytes) -> int:
        """Return where a line of ours may begin that has not arrived as a whole."""
        at = data.rfind(self._mark)
        if at < 0 or len(data) - at > len(self._mark) + LINE_BYTES:
            at = len(data) - _overlap(data, self._mark)
        return at

    def _told(self, line: re.Match[bytes]) -> bytes:
        if line[1] is not None:
            self.user, self.boot = int(line[1]), line[2].decode()
        return b""

    def rest(self) -> bytes:
        """Return what was held back, when nothing more comes."""
        held, self._held = self._held, b""
        if self.began:
            return held
        self._hear(held)
        return b""

    def _hear(self, data: bytes) -> None:
        self.noise = (self.noise + data)[-NOISE_BYTES:]


def _overlap(data: bytes, mark: bytes) -> int:
    """Return how many bytes at the end of `data` are a beginning of `mark`."""
    for length in range(min(len(data), len(mark) - 1), 0, -1):
        if mark.startswith(data[len(data) - length :]):
            return length
    return 0
