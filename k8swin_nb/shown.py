"""The door through which everything passes that is shown to a person or kept: masked, as text, and bounded.

What hosts, the API server and libraries say is data. Here its secrets are masked and what a terminal or a browser would
act on is shown as text: first it is looked at without what cannot be seen, then masked, then written out. Whoever shows
or keeps something calls one of these functions; tests/test_door.py holds the list of who writes at all.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

from k8swin_nb.redact import MASK, REDACTOR, redact, redacted_stream
from k8swin_nb.text_views import FORMAT

TEXT = 20_000
"""Characters of a text that is shown in one piece, such as an error."""

LINE = 2_000
"""Characters of a line."""

LINES = 20
"""Lines of which the last are shown."""

_LOOKED = 8_192
"""Characters before a part that are looked at with it, so that no secret is cut in two."""

_DECORATION = r"\x1b\[[0-9;]*[mK]"
"""Colours, and `clear to the end of the line`, which programs write together: they say nothing."""

_SILENT = re.compile(rf"{_DECORATION}|[\x00\x07]|(?<!\r)\r++(?=\n)|\A\ufeff")
_RAW = re.compile(rf"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff{FORMAT}]")
_COLOURED = re.compile(
    rf"(?P<keep>(?!\x1b\[0*8[;m]){_DECORATION})|(?P<raw>[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff{FORMAT}])"
)


def visible(text: str) -> str:
    """Return a text in which control, bidirectional and other unseen characters stand as text: `^[`, `<U+202E>`.

    Colours are left out, and a carriage return begins a line of its own, so that nothing hides what was before it.
    """
    return _RAW.sub(_named, _SILENT.sub("", text)).replace("\r", "\n")


def coloured(text: str) -> str:
    """Return a text as `visible` does, with its colours kept: for what a front end colours itself. None hides a text."""
    return _COLOURED.sub(lambda match: match["keep"] or _named(match), text)


def _named(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if code < 0x20:
        return f"^{chr(code + 0x40)}"
    return "^?" if code == 0x7F else f"<U+{code:04X}>"


def shown(text: object, *, most: int = TEXT) -> str:
    """Return a text of several lines to be shown; of a longer one the end, which says how something ended.

    Args:
        text: Anything; `str` of it is taken.
        most: Characters that are shown at most.
    """
    whole = str(text)
    begin = max(0, len(whole) - most)
    near = whole[max(0, begin - _LOOKED) :]
    masked = REDACTOR.redact(near, len(near) - (len(whole) - begin))
    told = visible(masked)
    return f"... {begin} characters before\n{told}" if begin else told


def shown_begin(text: str, *, most: int) -> str:
    """Return a text of several lines to be shown; of a longer one the beginning."""
    begin = visible(REDACTOR.redact(text[: most + _LOOKED], 0, min(most, len(text))))
    return f"{begin} ... ({len(text) - most} characters more)" if len(text) > most else begin


def shown_line(text: object, *, most: int = LINE) -> str:
    """Return a text in one line to be shown; of a longer one the beginning."""
    return " ".join(shown_begin(str(text), most=most).split("\n")).strip(" ")


def shown_lines(text: str, *, last: int = LINES) -> list[str]:
    """Return the last lines of a text to be shown, each bounded."""
    # Of what is long only the end is looked at.
    lines = shown(text, most=last * LINE).strip("\n").split("\n")
    return [cut_line(line) for line in lines[-last:]]


def cut_line(line: str) -> str:
    """Return a line, of a longer one the beginning."""
    return line if len(line) <= LINE else f"{line[:LINE]} ... ({len(line) - LINE} characters more)"


def cell(value: object) -> object:
    """Return a value of a table to be shown: text as one bounded line, numbers as they are."""
    return shown_line(value) if isinstance(value, str) else value


_NAMES = re.compile(
    r"(?:[A-Z][A-Za-z]{0,40}/)?[A-Za-z0-9.:-]*(?:\n(?:[A-Z][A-Za-z]{0,40}/)?[A-Za-z0-9.:-]*)*"
)
"""Names, a line each, some of them with a kind before, such as `ReplicaSet/web`."""

_FEW = 8
"""Names of which each is looked at when all together are not plain."""


def names(texts: Sequence[str]) -> list[str]:
    """Return names of a table to be shown, each as `cell` returns it; many plain ones are looked at all at once."""
    whole = "\n".join(texts)
    if (
        _NAMES.fullmatch(whole)
        and whole.count("\n") == len(texts) - 1
        and max(map(len, texts), default=0) <= LINE
        and REDACTOR.clear(whole)
    ):
        return list(texts)
    if len(texts) <= _FEW:
        return [shown_line(text) for text in texts]
    # One that is odd does not slow down the others.
    half = len(texts) // 2
    return names(texts[:half]) + names(texts[half:])


_NAME = re.compile(
    r"[A-Za-z_][A-Za-z_.]*(?:sha256)?|(?:application|audio|image|text|video)/[A-Za-z0-9.+-]+"
)
"""Words of letters, and kinds of content: names of fields, also where a secret is the same word."""


def masked(value: Any) -> Any:
    """Return a structure as JSON has it with its texts masked, and with its form as it was.

    Names of fields and numbers are the structure; a key that is no name is text of somebody.
    """
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {_key(str(key)): _item(str(key), item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [masked(item) for item in value]
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return MASK if abs(value) >= _MANY and REDACTOR.knows(str(value)) else value
    return redact(str(value))


_MANY = 100_000
"""From here on a number may be a password that consists of digits."""


def _item(key: str, item: Any) -> Any:
    if isinstance(item, str) and "proxy" in key.lower():
        # What stands in a URL's password is told best by who says that it is a proxy's.
        return redact(f"{_PROXY}{item}").removeprefix(_PROXY)
    return masked(item)


_PROXY = "proxy="


def _key(key: str) -> str:
    return key if _NAME.fullmatch(key) else redact(key)


class ShownStream(io.TextIOBase):
    """A terminal's stream behind the door: what is written into it is masked and shown as text, line by line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._mask = redacted_stream()
        self._lock = threading.RLock()  # a signal may come while it is held
        self.lost: OSError | None = None
        """Why nothing more can be written: the reader is gone, or the disk is full. What is written since is dropped."""

    def write(self, text: str, /) -> int:
        """Write what can be shown by now; an unfinished line waits for its end, or for `flush`."""
        with self._lock:
            self._pass(self._mask.feed(text))
        return len(text)

    def flush(self) -> None:
        """Write what was held back: a question waits for no line end."""
        with self._lock:
            self._pass(self._mask.flush())
            self._try(self._stream.flush)

    def _pass(self, text: str) -> None:
        if not text:
            return
        told = visible(text)
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        if not told.isascii():
            # A terminal of another encoding is told what it cannot show.
            told = told.encode(encoding, "backslashreplace").decode(encoding)
        self._try(lambda: self._stream.write(told))

    def _try(self, act: Callable[[], object]) -> None:
        """Nobody's work ends because nobody reads of it any more."""
        if self.lost is None:
            try:
                act()
            except OSError as error:
                self.lost = error

    def isatty(self) -> bool:
        """Whether a person looks on."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor of the stream behind."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream behind."""
        return self._stream.encoding

    def writable(self) -> bool:
        """Always."""
        return True
