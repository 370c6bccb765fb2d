r"""Other ways to read a text: without what cannot be seen, and with its escapes read.

A secret may lie in a text with a colour in its middle, as `\u0026` or `&amp;`, or spread over the lines of a dump. Each
reading is a `View`: the text as it then is, and for each place in it where that lies in the text below. Every reading
takes time in proportion to the text, whatever the text is.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

_STRING = r"[^\x07\x1b\x9c\x9d\x90\x98\x9e\x9f]*(?:\x07|\x1b\\|\x9c)"

SEQUENCE = (
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor, screen
    rf"|\x1b[\]PX^_]{_STRING}"  # titles, clipboard, device strings
    r"|\x9b[0-?]*[ -/]*[@-~]"
    rf"|[\x90\x98\x9d-\x9f]{_STRING}"
    r"|\x1b[ -/]*[0-~]"
)
"""A whole sequence that a terminal acts on. None of its parts can begin where another is still looked for."""

FORMAT = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\u2028\u2029"
)
"""Characters without a shape of their own: bidirectional marks, zero widths, fillers, separators of lines, tags."""

_EMOJI = "\ufe0e\ufe0f"
"""How the sign before is drawn: nothing that misleads a reader, but it may stand within a secret."""

UNSEEN = re.compile(
    rf"(?=[\x00-\x08\x0b-\x1f\x7f-\x9f{FORMAT}{_EMOJI}])"  # most places are passed by one look
    rf"(?:{SEQUENCE}|(?<!\r)\r++(?=\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{FORMAT}{_EMOJI}])"
)
"""What a reader does not see, or must not be shown raw; line ends and tabs are none of it."""

_HEX = r"[0-9A-Fa-f]"
_ESCAPE = re.compile(
    r"(?=[%_\\&`^'\"])(?:"  # most places are passed by one look
    rf"(?P<percent>(?:%{_HEX}{{2}})+)"
    rf"|%u(?P<unit>{_HEX}{{4}})|_x(?P<clixml>{_HEX}{{4}})_"
    rf"|(?P<bytes>(?:\\x{_HEX}{{2}})+)"
    r"|(?P<octal>(?:\\[0-3][0-7]{2})+)"
    rf"|\\(?:u(?P<pair>[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}})"
    rf"|u(?P<u4>{_HEX}{{4}})|U(?P<u8>000{_HEX}{{5}}))"
    rf"|(?:\\[ux]|`u)\{{(?P<ux>{_HEX}{{1,6}})\}}"
    r"|(?P<entity>&(?:#\d{1,12};?|#[xX][0-9A-Fa-f]{1,12};?|[A-Za-z][A-Za-z0-9]{1,24};|(?:amp|lt|gt|quot)))"
    r"|\\(?P<letter>[nrtabfve0])"
    r"|\\(?P<other>[^\w\r\n])"
    r"|[`^](?P<quoted>[^\w\s])"
    r"|(?P<twice>''|\"\"|%%))"
)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_LETTERS |= {"e": "\x1b", "0": "\0"}
Change = tuple[int, int, str]
"""From where to where something stands, and what is read in its place."""


@dataclass(slots=True)
class View:
    """A reading of a text."""

    text: str
    below: View | None = None
    _at: list[int] = field(default_factory=list)
    """Where pieces begin in this text."""
    _from: list[int] = field(default_factory=list)
    """Where they begin in the text below."""
    _wide: list[int] = field(default_factory=list)
    """How much of the text below a piece stands for; 0: as much as it is itself."""
    _later: Callable[[], View] | None = None
    """Works the pieces out once somebody asks for a place: most texts hold no secret."""

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """Return where a part lies in the lowest text."""
        view = self
        while view.below is not None:
            if view._later is not None:
                placed = view._later()
                view._at, view._from, view._wide = placed._at, placed._from, placed._wide
                view._later = None
            first = bisect_right(view._at, start) - 1
            last = bisect_right(view._at, stop - 1) - 1
            begin = view._from[first] + (0 if view._wide[first] else start - view._at[first])
            width = view._wide[last]
            end = view._from[last] + (width or stop - view._at[last])
            start, stop, view = begin, end, view.below
        return start, stop


def only(below: View, kept: re.Pattern[str], text: str | None = None) -> View:
    """Return a view of what a pattern finds in a text, and of nothing else.

    Args:
        below: The text.
        kept: What is kept of it.
        text: All of that, where it is known already.
    """
    if text is None:
        text = "".join(kept.findall(below.text))
    return below if text == below.text else View(text, below, _later=partial(_pieces, below, kept))


def _pieces(below: View, kept: re.Pattern[str]) -> View:
    view, length = View("", below), 0
    for match in kept.finditer(below.text):
        _piece(view, length, match.start(), 0)
        length += match.end() - match.start()
    return view


def without(below: View, left_out: re.Pattern[str]) -> View:
    """Return a view of a text without what a pattern finds in it."""
    text = left_out.sub("", below.text)
    if len(text) == len(below.text):
        return below
    return View(text, below, _later=partial(_placed, below, partial(_left_out, left_out)))


def _left_out(pattern: re.Pattern[str], text: str) -> Iterator[Change]:
    return ((match.start(), match.end(), "") for match in pattern.finditer(text))


def changed(below: View, read: Callable[[str], Iterable[Change]]) -> View:
    """Return a view in which something else is read in some places.

    Args:
        below: The text.
        read: Tells the changes of a text in their order, the same each time.
    """
    pieces: list[str] = []
    text, place = below.text, 0
    for start, stop, instead in read(text):
        if start > place:
            pieces.append(text[place:start])
        if instead:
            pieces.append(instead)
        place = stop
    if not pieces and place == 0:
        return below
    pieces.append(text[place:])
    return View("".join(pieces), below, _later=partial(_placed, below, read))


def _placed(below: View, read: Callable[[str], Iterable[Change]]) -> View:
    """Return the pieces of a view with changes."""
    view, place, length = View("", below), 0, 0
    for start, stop, instead in read(below.text):
        if start > place:
            _piece(view, length, place, 0)
            length += start - place
        if instead:
            _piece(view, length, start, stop - start)
            length += len(instead)
        place = stop
    if place < len(below.text):
        _piece(view, length, place, 0)
    return view


def _piece(view: View, at: int, origin: int, wide: int) -> None:
    view._at.append(at)
    view._from.append(origin)
    view._wide.append(wide)


def seen(below: View) -> View:
    """Return a text without what cannot be seen."""
    text = below.text
    if text.isascii() and text.replace("\n", "").replace("\t", "").isprintable():
        return below
    return without(below, UNSEEN)


def overstruck(below: View) -> View:
    """Return a text as a terminal shows it in which characters were printed over others."""
    if "\b" not in below.text:
        return below
    return without(below, _OVER)


_OVER = re.compile(r"[^\n\x08]\x08")


def unescaped(below: View) -> View:
    """Return a text with its escapes read once: of URLs, XML, JSON, shells and programs."""
    return changed(below, _read_escapes)


def _read_escapes(text: str) -> Iterator[Change]:
    for match in _ESCAPE.finditer(text):
        kind = match.lastgroup or ""
        value = match[kind]
        if kind in ("percent", "bytes", "octal"):
            yield from characters(match.start(), value, *_RUNS[kind])
        else:
            instead = _one(kind, value)
            if instead is not None:
                yield match.start(), match.end(), instead


_RUNS = {"percent": (3, 1, 16), "bytes": (4, 2, 16), "octal": (4, 1, 8)}
"""Of one escaped byte: its length, where its number begins, and the number's base."""


def characters(start: int, run: str, size: int, skip: int, base: int) -> Iterator[Change]:
    """Yield the characters that escaped bytes stand for: UTF-8 where it is, else one for each byte."""
    data = bytes(int(run[i + skip : i + size], base) for i in range(0, len(run), size))
    for first, count, character in utf8(data):
        yield start + first * size, start + (first + count) * size, character


def utf8(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield each character with its place and its length in bytes."""
    place = 0
    while place < len(data):
        first = data[place]
        count = 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
        try:
            character = data[place : place + count].decode()
        except UnicodeDecodeError:
            count, character = 1, chr(first)
        yield place, count, character
        place += count


def _one(kind: str, value: str) -> str | None:
    if kind == "letter":
        return _LETTERS[value]
    if kind in ("other", "quoted"):
        return value
    if kind == "twice":
        return value[0]
    if kind == "entity":
        read = html.unescape(value)
        return None if read == value else read
    if kind == "pair":
        high, low = int(value[:4], 16), int(value[6:], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    number = int(value, 16)
    return chr(number) if number < 0x110000 else None
