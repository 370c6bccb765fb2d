"""Masking of secrets in what is shown, logged or raised.

One redactor serves the process: a value becomes known to it when a `Secret` is made, so that no caller
can forget to pass a list along. What looks like a secret by its form is masked without being known.

A text is looked at in several readings (`text_readings`), and what any of them shows to be a secret is masked where it
stands. It takes time in proportion to the text.
"""

from __future__ import annotations

import base64
import os
import re
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from k8swin_nb.secret_forms import SHORTEST, encoded_forms, letter_forms, plain_forms
from k8swin_nb.secret_index import Index
from k8swin_nb.secret_shapes import Span, open_at, shapes, url_passwords
from k8swin_nb.text_readings import readings

MASK = "*****"

MIN_LENGTH = SHORTEST
"""Shorter values are refused: masking them would blot out ordinary text and say what they are."""

LINE_LIMIT = 16_384
"""Characters of an unfinished line that a stream holds back at most."""

_STEPS = 16
"""How often it is looked whether a text that is cut earlier is cut within something else."""

_NESTED = 2
"""How deep Base64 is read that is no form of a secret, but holds one in a document of its own."""

_RUN = re.compile(r"[A-Za-z0-9+/_-]{8,}+={0,2}")
"""Signs that may be a document in Base64, or have one in hexadecimal in them."""
_BASE64_LENGTH = 10
"""Characters of the shortest one in Base64, without the signs that fill it up."""
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{8,}+")


class _Known:
    """What is known of secrets at one time."""

    def __init__(self, plain: Index, letters: Index) -> None:
        self.plain = plain
        self._letters = letters
        self.harmless: dict[int, set[str]] = defaultdict(set)
        """Words that were read as documents and hold no secret, by how deep they lie: most words of a text come again."""

    def forms(self, kind: str) -> Index:
        """Return the forms that are looked for in a reading of some kind."""
        return self._letters if kind == "letters" else self.plain

    def remember(self, harmless: set[str], words: set[str]) -> None:
        """Remember words that hold no secret; long ones hardly come again."""
        if len(harmless) >= _WORDS:
            harmless.clear()
        harmless.update(word for word in words if len(word) <= _WORD)


_WORD, _WORDS = 100, 20_000
"""Characters of a word, and number of words, that are remembered."""


class Redactor:
    """Known secret values and the patterns of unknown ones."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal may come while it is held
        self._plain: set[str] = set()
        self._encoded: set[str] = set()
        self._index: _Known | None = _Known(Index((), ()), Index((), ()))
        self.known = 0
        """How many values are known: what was masked when there were fewer is to be masked again."""

    def add(self, value: str) -> None:
        """Make a value known, with the forms in which it may turn up.

        Raises:
            ValueError: when it has fewer than 4 characters.
        """
        if len(value) < MIN_LENGTH:
            raise ValueError(f"a secret of {len(value)} characters cannot be masked")
        with self._lock:
            if value not in self._plain:
                self._plain |= plain_forms(value)
                self._encoded |= encoded_forms(value)
                self._index = None
                self.known += 1

    def knows(self, text: str) -> bool:
        """Return whether a text as a whole is a known secret, or one of its forms."""
        return text in self._plain or text in self._encoded

    def clear(self, text: str) -> bool:
        """Return whether names hold no secret: letters and digits with `.`, `:`, `-` and `/` between, a line each.

        Such a text has no escapes, tags or unseen characters, so that two readings of it say the same as all: as it
        stands, and without what is between letters.
        """
        known = self._known()
        if next(known.plain.spans(text), None) or next(iter(shapes(text)), None):
            return False
        letters = text
        for sign in _BETWEEN_NAMES:
            letters = letters.replace(sign, "")
        return next(known.forms("letters").spans(letters), None) is None

    def _known(self) -> _Known:
        """Return the forms that are looked for."""
        known = self._index
        if known is None:
            with self._lock:
                forms = letter_forms(self._plain | self._encoded)
                known = _Known(Index(self._plain, self._encoded), Index((), forms))
                self._index = known
        return known

    def redact(self, text: str, start: int = 0, stop: int | None = None) -> str:
        """Return a text, or a part of it, with every secret replaced by `*****`.

        Args:
            text: Read as a whole.
            start: Where the part begins that is wanted; what goes before tells what it is.
            stop: Where it ends.
        """
        stop = len(text) if stop is None else stop
        return _masked(text, list(_merged(self.spans(text))), start, stop)

    def release(self, text: str, start: int, stop: int) -> tuple[str, int]:
        """Return the masked part of a text that may be shown though more is to come, and where it ends.

        It ends at `stop`, or before it where a secret would be cut in two.
        """
        begun: list[int] = []
        whole = list(_merged(self.spans(text, begun=begun)))
        stop = min([stop, *begun])
        for _ in range(_STEPS):
            cut = open_at(text, stop)
            cut = min([cut, *(first for first, last in whole if first < cut < last)])
            if cut >= stop:
                break
            stop = cut
        stop = max(stop, start)
        return _masked(text, whole, start, stop), stop

    def spans(self, text: str, depth: int = 0, begun: list[int] | None = None) -> Iterator[Span]:
        """Yield where secrets lie in a text, in no order and maybe more than once.

        Args:
            text: Where to look.
            depth: How deep it lay in other texts.
            begun: Takes the places where a secret begins that the end of the text cuts off.
        """
        for view, kind in readings(text):
            known = self._known().forms(kind)
            if begun is not None and (place := known.begun(view.text)) is not None:
                begun.append(view.span(place, place + 1)[0])
            if kind == "text":
                for start, stop in shapes(view.text):
                    yield view.span(start, stop)
            for start, stop in known.spans(view.text, lines=kind == "lines"):
                first, last = view.span(start, stop)
                if kind == "dump":
                    # What stands beside the last bytes says the same in characters.
                    end = text.find("\n", last)
                    last = len(text) if end == -1 else end
                yield first, last
            if depth < _NESTED and kind in ("text", "lines"):
                for start, stop in self._holding(view.text, depth + 1):
                    yield view.span(start, stop)

    def _holding(self, text: str, depth: int) -> Iterator[Span]:
        """Yield where a document in Base64 or hexadecimal lies that holds a secret."""
        words = _RUN.findall(text)
        if not words:
            return
        known = self._known()
        harmless = known.harmless[depth]
        new = set(words) - harmless
        if not new:
            return
        found = {word: spans for word in new if (spans := self._held_by(word, depth))}
        known.remember(harmless, new.difference(found))
        if not found:
            return
        for match in _RUN.finditer(text):
            for start, stop in found.get(match[0], ()):
                yield match.start() + start, match.start() + stop

    def _held_by(self, word: str, depth: int) -> list[Span]:
        """Return what of a word is a secret: all that may be a document and holds one."""
        held: list[Span] = []
        if len(word.rstrip("=")) >= _BASE64_LENGTH and self._holds(_of_base64(word), depth):
            held.append((0, len(word)))
        for match in _HEXADECIMAL.finditer(word):
            digits = match[0]
            if self._holds(_of_hexadecimal(digits), depth):
                held.append(match.span())
            elif digits != (lower := digits.lower()):
                found = self._known().plain.spans(lower)
                held += ((match.start() + start, match.start() + stop) for start, stop in found)
        return held

    def _holds(self, data: bytes, depth: int) -> bool:
        """Return whether bytes, read as text, hold a secret."""
        return any(
            next(self.spans(text, depth), None) is not None
            for text in _texts(data)
            if len(text) >= MIN_LENGTH
        )

    def touched(self, text: str) -> str:
        """Return the few last characters of a text, seen without its line ends, with which a secret may begin."""
        tail = "".join(text[-64:].split())
        for one in (tail, _BETWEEN.sub("", tail)):
            if count := self._known().plain.touched(one):
                return one[-count:]
        return ""


_BETWEEN_NAMES = ".:-/"
"""What names have beside letters and digits."""

_BETWEEN = re.compile(r"0x|\\x|\W")
"""What stands between bytes that are written one by one."""

_STANDARD = str.maketrans("-_", "+/")


def _of_base64(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded.translate(_STANDARD).rstrip("=") + "==")
    except ValueError:
        return b""


def _of_hexadecimal(encoded: str) -> bytes:
    return bytes.fromhex(encoded[: len(encoded) // 2 * 2])


def _texts(data: bytes) -> Iterator[str]:
    """Yield what bytes may be as text."""
    try:
        yield data.decode()
    except UnicodeDecodeError:
        # In sixteen bits half of a text that is mostly ASCII are NULs.
        if data.count(0) * 4 >= len(data):
            yield data.decode("utf-16-le", "replace")
            yield data.decode("utf-16-be", "replace")


def _masked(text: str, spans: Iterable[Span], start: int, stop: int) -> str:
    pieces: list[str] = []
    place = start
    for first, last in spans:
        if last <= place or first >= stop:
            continue
        pieces += [text[place : max(first, place)], MASK]
        place = min(last, stop)
    pieces.append(text[place:stop])
    return "".join(pieces)


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield spans in order, those that overlap as one."""
    current: Span | None = None
    for start, stop in sorted(spans):
        if current is None:
            current = start, stop
        elif start < current[1]:
            current = current[0], max(current[1], stop)
        else:
            yield current
            current = start, stop
    if current is not None:
        yield current


class RedactedStream:
    """Masks text that arrives in pieces; a secret that is spread over pieces is masked too.

    It works by whole lines: an unfinished line is kept until its end arrives, or until it grows long.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""
        self._before = ""
        """Characters that were shown already and with which a secret may have begun."""
        self._patience = 0
        """Characters that must have come before what is held is looked at again."""

    def feed(self, text: str) -> str:
        """Take a piece and return what can be shown by now."""
        self._held += text
        self._patience -= len(text)
        if not ("\n" in text or "\r" in text or len(self._held) > LINE_LIMIT):
            return ""
        if self._patience > 0 and "-----END" not in text:
            return ""
        # A carriage return ends a line too, unless the rest of `\r\n` is still to come.
        last = len(self._held) - self._held.endswith("\r")
        line_end = max(self._held.rfind("\n", 0, last), self._held.rfind("\r", 0, last)) + 1
        cut = line_end
        if len(self._held) - line_end > LINE_LIMIT:
            cut = len(self._held) - LINE_LIMIT // 4
        return self._shown(cut)

    def flush(self) -> str:
        """Return what is left, at the end of the stream."""
        return self._shown(len(self._held), last=True)

    def _shown(self, cut: int, *, last: bool = False) -> str:
        whole, before = self._before + self._held, len(self._before)
        stop = before + cut
        if last:
            shown = self._redactor.redact(whole, before)
        else:
            shown, stop = self._redactor.release(whole, before, stop)
        if stop > before:
            touched = self._redactor.touched(whole[:stop])
            self._before = f"{touched}\n" if touched else ""
        self._held = whole[stop:]
        # What is held back for long, as a key without its end, is not read anew with every line.
        self._patience = len(self._held) // 8 if len(self._held) > _SHORT else 0
        return shown


_WHOLE, _PART = 1_000_000, 250_000
"""Characters of the longest text that is read at once, and of the parts of a longer one."""

_SHORT = 2048
"""Characters up to which what is held back is read anew with every line."""


REDACTOR = Redactor()
"""The process's redactor."""


def redact(text: str) -> str:
    """Return a text with every known secret, and whatever looks like one, replaced by `*****`.

    What is very long is read in parts, so that no text takes more memory than some hundred times such a part.
    """
    if len(text) <= _WHOLE:
        return REDACTOR.redact(text)
    stream = redacted_stream()
    parts = [stream.feed(text[i : i + _PART]) for i in range(0, len(text), _PART)]
    return "".join([*parts, stream.flush()])


def redact_kept(text: str) -> str:
    """Return a text masked as `redact` does, remembered for one that is asked for again, as long as no more secrets are known."""
    return _kept(text, REDACTOR.known)


@lru_cache(maxsize=160)
def _kept(text: str, known: int) -> str:
    return redact(text)


def redacted_stream() -> RedactedStream:
    """Return a masking stream over the process's redactor."""
    return RedactedStream(REDACTOR)


def know_proxies(environment: Mapping[str, str] = os.environ) -> None:
    """Make the passwords known that stand in this computer's own proxy settings."""
    for name, value in environment.items():
        if name.lower().endswith("_proxy"):
            for password in url_passwords(value):
                if len(password) >= MIN_LENGTH:
                    REDACTOR.add(password)


know_proxies()
