"""Tells a script's own output from everything that stands around it, and whether the script ran at all.

What starts a script prints a word that nobody can know before, at its begin and at its end. A host on which
something else answered, such as a banner that exits with 0, does not know the word.
"""

from __future__ import annotations

import re
import secrets

BEFORE_LIMIT = 16 * 1024
"""Bytes that are kept of what was printed before a script began."""

_CODE = re.compile(rb"(-?\d{0,11})!\r?\n?")
_TAIL = 16
"""Bytes behind the word of the end: exit code, mark and line end."""


class Proof:
    """Reads one standard output.

    The script's begin is the line `WORD begin`, its end is `WORD end CODE!`; CODE is empty where only the program
    around the script knows it.

    Args:
        word: That of a script which was started earlier; empty: one of its own.
    """

    def __init__(self, word: str = "") -> None:
        self.word = word or "k8swin" + secrets.token_hex(16)
        self.began = False
        self.ended = False
        self.code: int | None = None
        self.taken = False
        """Whether a begin is taken for granted, because the same process has served another script."""
        self.heard = False
        self.before = b""
        """What was printed before the script began; its first part when that was much."""
        self._begin = re.compile(re.escape(self.word).encode() + rb" begin\r?\n")
        self._end = f"{self.word} end ".encode()
        self._held = b""

    @property
    def seen(self) -> bool:
        """Whether anything of the script was seen."""
        return self.began and (self.heard or not self.taken)

    def take(self) -> None:
        """Take the begin for granted."""
        self.began = self.taken = True

    def give_back(self) -> None:
        """Wait for a begin again: nothing was seen."""
        self.began = self.taken = self.ended = False
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take output as it arrives, and return what of it is the script's own."""
        self.heard = self.heard or bool(data)
        self._held += data
        if not self.began:
            found = self._begin.search(self._held)
            if found is None:
                # A begin may still be whole when more arrives.
                self._pass_over(max(0, len(self._held) - len(self._end) - _TAIL))
                return b""
            self._pass_over(found.start())
            self._held = self._held[found.end() - found.start() :]
            self.began = True
        if self.ended:
            return self._all()
        at = self._held.find(self._end)
        if at < 0:
            keep = _overlap(self._held, self._end)
            own, self._held = (
                self._held[: len(self._held) - keep],
                self._held[-keep:] if keep else b"",
            )
            return own
        found = _CODE.match(self._held, at + len(self._end))
        if found is None and len(self._held) - at > len(self._end) + _TAIL:
            return self._all()  # the word, but not the line
        if found is None or (len(self._held) == found.end() and not found[0].endswith(b"\n")):
            own, self._held = self._held[:at], self._held[at:]
            return own
        self.ended = True
        self.code = int(found[1]) if found[1].strip(b"-") else None
        self._held = self._held[:at] + self._held[found.end() :]
        return self._all()

    def finish(self) -> bytes:
        """Return what was held back, once nothing more can come."""
        if not self.began:
            self._pass_over(len(self._held))
            return b""
        found = (
            _CODE.match(self._held, len(self._end)) if self._held.startswith(self._end) else None
        )
        if found is not None:
            self.ended = True
            self.code = int(found[1]) if found[1].strip(b"-") else None
            self._held = self._held[found.end() :]
        return self._all()

    def _pass_over(self, size: int) -> None:
        room = max(0, BEFORE_LIMIT - len(self.before))
        self.before += self._held[: min(size, room)]
        self._held = self._held[size:]

    def _all(self) -> bytes:
        own, self._held = self._held, b""
        return own


def _overlap(data: bytes, word: bytes) -> int:
    """Return how many bytes at the end of `data` may be the begin of `word`."""
    for size in range(min(len(data), len(word) - 1), 0, -1):
        if data.endswith(word[:size]):
            return size
    return 0
