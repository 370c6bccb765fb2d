"""All readings of a text in which a secret is looked for: views of it, its lines put together, its dumps as bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from k8swin_nb.text_views import (
    Change,
    View,
    changed,
    characters,
    only,
    overstruck,
    seen,
    unescaped,
    utf8,
    without,
)

READINGS = 3
"""How often escapes are read: a text may be escaped within an escaped text."""

_HEX = r"[0-9A-Fa-f]"

_BREAK = re.compile(
    r"[ \t\r\\\n](?<![ \t\r\n][ \t\r\\\n])"
    r"(?:(?<=\n)|(?<=\\)\r?\n|(?<=[ \t\r])[ \t\r]*+(?:\\\r?)?\n)[ \t\r\n>|]*+"
)
"""The end of a line with the blanks before it, at most one `\\` among them, and the indentation of the next.

Like others here it begins with a set of characters: the engine passes all places at which none of them is in one go.
"""

_APART = r"[ \t\r\n,:;\\-]"
_DUMP = re.compile(
    rf"[0-9A-Fa-f\\](?:(?<=\w\\)x{_HEX}{{2,4}}|(?<!\\)(?<!\w{_HEX})(?:(?<=0)x{_HEX}{{2,4}}|{_HEX}{{1,3}}))"
    rf"{_APART}{{1,6}}(?:0x|\\x)?{_HEX}{{2}}"
)
"""Where bytes begin that are written one by one, in hexadecimal, maybe behind `0x` or `\\x`, at a word's edge."""
_BYTE = re.compile(
    rf"(?:0x|\\x)?({_HEX}{{2,4}})(?:{_APART}(?!x{_HEX})){{0,6}}(?:(?:0x|\\x|0)?{_HEX}?\Z)?"
)
"""One of them with what stands behind it: also the first half of the next, where a text arrives in pieces."""

_DUMP_LINE = re.compile(
    rf"(?m)^[ \t]*+{_HEX}{{4,8}}:?[ \t]++("
    rf"{_HEX}{{4}}(?:[ \t]{_HEX}{{4}})*+(?:[ \t]{_HEX}{{2}}(?!{_HEX}))?+"
    rf"|(?:{_HEX}{{2}}(?!{_HEX})(?:[ \t-]{{1,3}}(?={_HEX}{{2}}))?){{1,16}}+)[^\n]*+\n?"
)
"""A line of a dump: the offset, the bytes, the characters that they are."""
_GAP = re.compile(r"[ \t-]+")

_WORD_LINE = re.compile(
    r"(?m)^(?:[0-7]{7,}|[0-9A-Fa-f]{7,8}):?[ \t]+("
    + "|".join(
        rf"{word}(?!\w)(?:[ \t]{{1,7}}{word}(?!\w))*+"
        for word in ("[01]{8}", f"{_HEX}{{8}}", f"{_HEX}{{4}}", "[0-7]{6}")
    )
    + "|"
    + "|".join(
        rf"{word}(?:[ \t]{{1,7}}{word})*+(?=[ \t]*$)"
        for word in ("[0-7]{3}", r"(?:[0-7]{3}|\\[0abfnrtv\\]|\S)")
    )
    + r")[^\n]*+\n?"
)
"""A line of a dump of words, bits, octal numbers or characters, as od and hexdump print it unless told otherwise."""
_WORD = re.compile(r"\S+")

_TAG = re.compile(r"</?[A-Za-z][\w:.-]{0,40}(?:[ \t][^<>\n]{0,200})?/?>")

_COLOUR = rf"color: color-mix\(in srgb,#{_HEX}{{6}} \d\d%,currentColor\)"
_NUMBERING = r"user-select:none;opacity:\.\d+"
COLOURING = rf'(?:<span style="{_COLOUR}">|</span>|<i style="{_NUMBERING}">|</i>)'
"""Pattern of a tag that colours source text. Nine tenths of a listing are such tags, and nobody wrote what is in them."""
_COLOURING = re.compile(rf"{COLOURING}++")
_ONE_TAG = "<s>"

_LETTERS = re.compile(r"[^\W_]+")
_SIGNS = bytes(code for code in range(128) if not chr(code).isalnum())

_NUMBERS = re.compile(r"\d(?<![\w.]\d)\d{0,2}[,; \t\r\n]{1,4}(?:\d{1,3}[,; \t\r\n]{1,4}){2}")
_NUMBER = re.compile(r"(\d{1,3})(?![\w.])[,; \t\r\n]{0,4}")
"""Bytes as decimal numbers, as a list of them is shown."""

_QUOTED = re.compile(r"=(?:([0-9A-F]{2}(?:=[0-9A-F]{2})*)|\r?\n)")


_SIMPLE = re.compile(r"[A-Za-z0-9_ .,:;/@+()\[\]<>|*?!#$~-]*")
"""One line in which nothing is escaped or unseen."""


def readings(text: str) -> Iterator[tuple[View, str]]:
    """Yield the readings of a text that differ, each with its kind.

    `text` is read as it is; in `lines`, what stood apart is together, so that words may come about that nobody wrote;
    `bytes` are read as characters; a `dump` shows its bytes a second time beside them; `letters` are all that is left
    without blanks and signs, so that only what is long is to be looked for.
    """
    first = last = uncoloured(View(text))
    yield first, "text"
    if _SIMPLE.fullmatch(text) and "_x" not in text:
        # Most cells of tables: there is nothing to undo, and bytes at most to be read.
        for reading, kind in ((dumped, "lines"), (numbered, "bytes"), (letters, "letters")):
            view = reading(first)
            if view is not first:
                yield view, kind
        return
    for reading in (seen, *(_unescaped,) * READINGS):
        view = reading(last)
        if view is last and reading is _unescaped:
            break
        if view is not last:
            last = view
            yield view, "text"
    for one in (first, last) if last is not first else (first,):
        for reading, kind in _TOGETHER:
            view = reading(one)
            if view is not one:
                yield view, kind
    # What PowerShell wrote as XML is wrapped between its tags; an escaped `<` must not begin one.
    bare = untagged(first)
    if bare is not first:
        bare = seen(_unescaped(bare))
        yield bare, "text"
        for reading, kind in ((joined, "lines"), (letters, "letters")):
            yield reading(bare), kind


def _unescaped(below: View) -> View:
    return seen(unescaped(below))


def joined(below: View) -> View:
    """Return a text with its lines put together: what a program wrapped is whole again."""
    return without(below, _BREAK)


def dumped(below: View) -> View:
    """Return a text in which bytes that stand one by one, as `50 61 73` or `0x50,0x61`, stand side by side."""
    return changed(below, _between_bytes)


def hexdump(below: View) -> View:
    """Return a text without the offsets and the characters beside the bytes of a dump, as xxd writes it."""
    return changed(below, _beside_bytes)


def numbered(below: View) -> View:
    """Return a text in which bytes that are written as decimal numbers are characters."""
    return changed(below, _numbers)


def quoted_printable(below: View) -> View:
    """Return a text in which `=C3=A4` and lines that end with `=` are read as in a mail."""
    return changed(below, _read_quoted)


def worded(below: View) -> View:
    """Return a text in which the lines of a dump of words, bits or octal numbers are the bytes' characters."""
    return changed(below, _words)


def uncoloured(below: View) -> View:
    """Return a text in which one short tag stands for those that colour source text."""
    if "</span>" not in below.text:
        return below
    return changed(below, _colouring)


def _colouring(text: str) -> Iterator[Change]:
    return ((match.start(), match.end(), _ONE_TAG) for match in _COLOURING.finditer(text))


def untagged(below: View) -> View:
    """Return a text without the tags of XML and HTML."""
    if "<" not in below.text:
        return below
    return without(below, _TAG)


def letters(below: View) -> View:
    """Return the letters and digits of a text, without whatever stands between them."""
    text = below.text
    if text.isascii():
        return only(below, _LETTERS, text.encode().translate(None, _SIGNS).decode())
    return only(below, _LETTERS)


def _words(text: str) -> Iterator[Change]:
    for line in _WORD_LINE.finditer(text):
        yield line.start(), line.start(1), ""
        place = line.start(1)
        for word in _WORD.finditer(text, line.start(1), line.end(1)):
            if word.start() > place:
                yield place, word.start(), ""
            yield word.start(), word.end(), _of_word(word[0])
            place = word.end()
        if line.end() > place:
            yield place, line.end(), ""


def _of_word(word: str) -> str:
    """Return a character for each byte of a word; where one is of several bytes, the lowest comes first."""
    if len(word) < 3:
        return _ESCAPED.get(word, word)
    if len(word) == 8 and not word.strip("01"):
        return chr(int(word, 2))
    if len(word) in (4, 8):
        return bytes.fromhex(word)[::-1].decode("latin-1")
    number = int(word, 8)
    return chr(number & 0xFF) + (chr(number >> 8 & 0xFF) if len(word) == 6 else "")


_ESCAPED = {
    "\\0": "\0",
    "\\a": "\a",
    "\\b": "\b",
    "\\f": "\f",
    "\\n": "\n",
    "\\r": "\r",
    "\\t": "\t",
}


def _beside_bytes(text: str) -> Iterator[Change]:
    for line in _DUMP_LINE.finditer(text):
        yield line.start(), line.start(1), ""
        for gap in _GAP.finditer(text, line.start(1), line.end(1)):
            yield gap.start(), gap.end(), ""
        if line.end() > line.end(1):
            yield line.end(1), line.end(), ""


def _numbers(text: str) -> Iterator[Change]:
    place = 0
    while run := _NUMBERS.search(text, place):
        place = run.start()
        numbers = []
        while (number := _NUMBER.match(text, place)) and int(number[1]) < 256:
            numbers.append(number)
            place = number.end()
        if not numbers:
            place = run.end()
            continue
        data = bytes(int(number[1]) for number in numbers)
        for first, count, character in utf8(data):
            yield numbers[first].start(), numbers[first + count - 1].end(), character


def _read_quoted(text: str) -> Iterator[Change]:
    for match in _QUOTED.finditer(text):
        if match[1] is None:
            yield match.start(), match.end(), ""
        else:
            yield from characters(match.start(), match[0], 3, 1, 16)


def _between_bytes(text: str) -> Iterator[Change]:
    place = 0
    while run := _DUMP.search(text, place):
        place = run.start()
        while byte := _BYTE.match(text, place):
            if byte.start(1) > byte.start():
                yield byte.start(), byte.start(1), ""
            if byte.end() > byte.end(1):
                yield byte.end(1), byte.end(), ""
            place = byte.end()


_TOGETHER = (
    (joined, "lines"),
    (dumped, "lines"),
    (hexdump, "dump"),
    (numbered, "bytes"),
    (quoted_printable, "bytes"),
    (worded, "bytes"),
    (overstruck, "bytes"),
    (letters, "letters"),
)
