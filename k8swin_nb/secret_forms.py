"""The forms in which a secret may stand in a text: as it is, in other character sets, in Base64, hexadecimal, Base32.

What is escaped character by character needs no form: the text is read with its escapes undone, see `text_views`.
"""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote_plus

from k8swin_nb.text_readings import READINGS, untagged
from k8swin_nb.text_views import View, seen, unescaped

SHORTEST = 4
"""Characters of the shortest form; what is shorter says nothing and stands everywhere."""

LINE = 32
"""Characters from which a line of a secret of many lines is known by itself, if it looks like encoded bytes."""

ENOUGH = 10
"""Letters and digits of the shortest form that is known without the signs and blanks between them."""

_CODE_PAGES = ("cp1252", "latin-1", "cp850", "cp437")
_ENCODED_LINE = re.compile(rf"[A-Za-z0-9+/=_-]{{{LINE},}}")


def decoded(text: str) -> str:
    """Return a text as it is when its escapes are read as often as a text to be masked is."""
    view = View(text)
    for _ in range(READINGS):
        view = seen(unescaped(view))
    return view.text


def plain_forms(value: str) -> set[str]:
    """Return the forms in which a secret's characters stand side by side; none has fewer than 4."""
    plain = {value, value.strip(), value.replace("\r\n", "\n"), "".join(value.split("\n"))}
    plain |= {shlex.quote(value), quote_plus(value), value.replace(" ", "+")}
    plain |= {line for line in value.splitlines() if _ENCODED_LINE.fullmatch(line)}
    plain |= {decoded(value), *_misread(value)}
    if not value.isascii():
        # Its tables take half a megabyte.
        from unicodedata import normalize

        plain |= {normalize("NFC", value), normalize("NFD", value)}
    plain |= {seen(View(form)).text for form in plain} | {untagged(View(value)).text}
    return {form for form in plain if len(form.strip()) >= SHORTEST}


def encoded_forms(value: str) -> set[str]:
    """Return the forms in which a secret's bytes are written in letters and digits."""
    return {form for data in _bytes(value) for form in _encoded(data)}


def letter_forms(forms: Iterable[str]) -> set[str]:
    """Return the letters and digits alone of those forms in which they are enough to know the secret by."""
    found = {"".join(filter(str.isalnum, form)) for form in forms}
    return {form for form in found if len(form) >= ENOUGH and not form.isdigit()}


def _bytes(value: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        yield value.encode(encoding, "surrogatepass")


def _misread(value: str) -> Iterator[str]:
    """Yield what is seen where the secret was written in one character set and read in another."""
    utf8 = value.encode("utf-8", "surrogatepass")
    for page in _CODE_PAGES:
        yield value.encode(page, "replace").decode("utf-8", "replace")
        yield utf8.decode(page, "replace")
    for data in _bytes(value):
        yield data.decode("utf-8", "replace")
        yield data.decode("latin-1")
    for shift in (0, 1):
        # UTF-8 that a program took for UTF-16, as PowerShell does with a file that says nothing else.
        read = utf8[shift:]
        yield read[: len(read) // 2 * 2].decode("utf-16-le", "replace")
    yield "".join(
        f"{unit:c}" for unit in memoryview(value.encode("utf-16", "surrogatepass")[2:]).cast("H")
    )
    yield value.encode("utf-7", "replace").decode()


def _encoded(data: bytes) -> Iterator[str]:
    yield from (data.hex(), data.hex().upper())
    whole = _base64(data)
    for part in (whole, whole.rstrip("="), *_inside(data, 3, 6, _base64)):
        # Letters alone of one case are a word rather than bytes.
        if len(part) >= SHORTEST and not (part.isalpha() and part.islower()):
            yield from (part, part.translate(_URL_SAFE))
    whole = _base32(data)
    for part in (whole, whole.rstrip("="), *_inside(data, 5, 5, _base32)):
        if len(part) > SHORTEST:
            yield part
        if len(part) > SHORTEST + 2:
            yield part.lower()


_URL_SAFE = str.maketrans("+/", "-_")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode()


def _inside(data: bytes, group: int, bits: int, encode: Callable[[bytes], str]) -> Iterator[str]:
    """Yield the characters that stand for the data within the encoding of a longer document.

    A group of bytes makes whole characters, so there are as many ways to lie in it as a group has bytes; the
    characters at both ends, which hold bits of the neighbours, are left out.
    """
    for shift in range(group):
        first = -(-shift * 8 // bits)
        last = (shift + len(data)) * 8 // bits
        yield encode(b"\0" * shift + data)[first:last]
