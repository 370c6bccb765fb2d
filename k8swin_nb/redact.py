"""Masking of secrets in what is shown, logged or raised.

One redactor serves the process: a value becomes known to it when a `Secret` is made, so that no caller
can forget to pass a list along. What looks like a secret by its form is masked without being known.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
import threading
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "*****"

MIN_LENGTH = 4
"""Shorter values are refused: masking them would blot out ordinary text and say what they are."""

LINE_LIMIT = 16_384
"""Characters of an unfinished line that a stream holds back at most."""

PEM_LIMIT = 65_536
"""Characters that a stream holds back at most while a private key is unfinished."""

_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"
    r'(?:[^"]*?-----END [A-Z0-9 ]*PRIVATE KEY-----'
    # Without its end: as far as it looks like one, and never over the quote that ends a JSON string.
    r"|(?:[A-Za-z0-9+/=\s:,-]|\\[rnt])*)"
)
_PEM_OPEN = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:(?!-----END [A-Z0-9 ]*PRIVATE KEY-----).)*\Z",
    re.DOTALL,
)

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (_PEM, MASK),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*"), MASK),
    (re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}"), r"\1" + MASK),
    (re.compile(r"(client-key-data[\\\"']*\s*:\s*[\\\"']*)[A-Za-z0-9+/=]{8,}"), r"\1" + MASK),
    (
        re.compile(r"(?i)(certificate[-_ ]?key[\\\"']*(?:[:=\s]|\\[rnt])*[\"']?)[0-9a-f]{64}\b"),
        r"\1" + MASK,
    ),
    # kubeadm's token: six characters, a dot, sixteen characters.
    (re.compile(r"(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w-])"), MASK),
)

_OPEN = re.compile(r"(?i)(?:certificate[-_ ]?key|client-key-data|\bbearer)[\"'=:\s]*\Z")
"""The end of a text after which a value is still to come, maybe on the next line."""


class Redactor:
    """Known secret values and the patterns of unknown ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._known: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        """Make a value known, with the forms in which it may turn up.

        Raises:
            ValueError: when it has fewer than 4 characters.
        """
        if len(value) < MIN_LENGTH:
            raise ValueError(f"a secret of {len(value)} characters cannot be masked")
        with self._lock:
            before = len(self._forms)
            self._forms.update(_derived(value))
            if len(self._forms) != before:
                longest_first = sorted(self._forms, key=len, reverse=True)
                self._known = re.compile("|".join(map(re.escape, longest_first)))

    def redact(self, text: str) -> str:
        """Return the text with every secret replaced by `*****`."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def spans(self, text: str) -> Iterable[tuple[int, int]]:
        """Yield where secrets lie in a text."""
        patterns = [pattern for pattern, _ in _PATTERNS]
        if self._known is not None:
            patterns.append(self._known)
        for pattern in patterns:
            for match in pattern.finditer(text):
                yield match.span()

    def unfinished(self, text: str, end: int) -> int:
        """Return where to cut a text at or before `end`, so that no secret is cut in two."""
        with self._lock:
            many_lines = [form for form in self._forms if "\n" in form]
        for form in many_lines:
            start = text.find(form[0], max(0, len(text) - len(form) + 1))
            while start != -1 and start < end:
                if form.startswith(text[start:]):
                    end = start
                start = text.find(form[0], start + 1)
        key = _PEM_OPEN.search(text)
        if key and key.start() < end and len(text) - key.start() < PEM_LIMIT:
            end = key.start()
        moved = True
        while moved:
            moved = False
            opened = _OPEN.search(text, 0, end)
            if opened and opened.start() < end:
                end, moved = opened.start(), True
            for start, stop in self.spans(text):
                if start < end < stop:
                    end, moved = start, True
        return end


class RedactedStream:
    """Masks text that arrives in pieces; a secret that is spread over pieces is masked too.

    It works by whole lines: an unfinished line is kept until its end arrives, or until it grows long.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""

    def feed(self, text: str) -> str:
        """Take a piece and return what can be shown by now."""
        self._held += text
        # A carriage return ends a line too, unless the rest of `\r\n` is still to come.
        last = len(self._held) - self._held.endswith("\r")
        line_end = max(self._held.rfind("\n", 0, last), self._held.rfind("\r", 0, last)) + 1
        cut = line_end
        if len(self._held) - line_end > LINE_LIMIT:
            cut = len(self._held) - LINE_LIMIT // 4
        cut = self._redactor.unfinished(self._held, cut)
        shown, self._held = self._held[:cut], self._held[cut:]
        return self._redactor.redact(shown)

    def flush(self) -> str:
        """Return what is left, at the end of the stream."""
        shown, self._held = self._held, ""
        return self._redactor.redact(shown)


def _derived(value: str) -> set[str]:
    """Return the forms of a secret: itself, encoded, escaped and quoted."""
    escaped = json.dumps(value)[1:-1]
    forms = {
        value,
        value.strip(),
        value.replace("\n", "\r\n"),
        escaped,
        json.dumps(value, ensure_ascii=False)[1:-1],
        escaped.replace("/", "\\/"),
        json.dumps(escaped)[1:-1],
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        shlex.quote(value),
        value.replace("'", "''"),
    }
    for encoding in ("utf-8", "utf-16-le"):
        data = value.encode(encoding, "surrogatepass")
        forms.add(base64.b64encode(data).decode())
        forms.add(base64.urlsafe_b64encode(data).decode())
        forms.update(_inside_base64(data))
    return {form for form in forms if len(form) >= MIN_LENGTH}


def _inside_base64(data: bytes) -> Iterable[str]:
    """Yield the characters that stand for the data within the base64 of a longer document.

    Three bytes make four characters, so there are three ways to lie in it; the characters at both ends,
    which hold bits of the neighbours, are left out.
    """
    for shift, first in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * shift + data).decode()
        last = (shift + len(data)) * 8 // 6
        if last - first >= 2 * MIN_LENGTH:
            yield encoded[first:last]


REDACTOR = Redactor()
"""The process's redactor."""


def redact(text: str) -> str:
    """Return a text with every known secret, and whatever looks like one, replaced by `*****`."""
    return REDACTOR.redact(text)


def redacted_stream() -> RedactedStream:
    """Return a masking stream over the process's redactor."""
    return RedactedStream(REDACTOR)
