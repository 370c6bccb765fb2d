"""What is a secret by its form, whoever's it is: private keys, tokens, passwords in URLs.

Each function takes time in proportion to the text, whatever the text is: nothing is looked for again from a place
that a search has passed already.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from urllib.parse import unquote

Span = tuple[int, int]

KEY_LIMIT = 65_536
"""Characters that a private key has at most."""

_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"(?:[A-Za-z0-9+/=\s:,-]|\\[rnt])*+")

_DOTTED = re.compile(r"(?<![\w-])([\w-]{8,}+)\.[\w-]{5,}+\.[\w-]*+")
_TOKEN_HEAD = re.compile(r"\beyJ[\w-]{5}")

_BEARER = re.compile(r"[bB](?<!\w[bB])(?i:earer\s++([A-Za-z0-9._~+/=-]{8,}+))")
_KEY_DATA = re.compile(r"client-key-data[\\\"']*+\s*+:\s*+[\\\"']*+([A-Za-z0-9+/=]{8,}+)")
_CERTIFICATE_KEY = re.compile(
    r"[cC](?i:ertificate[-_ ]?key[\\\"']*+(?:[:=\s]|\\[rnt])*+[\"']?+([0-9a-f]{64}))\b"
)
_BOOTSTRAP = re.compile(r"\.(?<=[a-z0-9]{6}\.)[a-z0-9]{16}(?![\w-])")
"""It begins with the point, which the engine finds forty times faster than a place behind six letters."""
_NETRC = re.compile(r"login(?<!\wlogin)\s++\S++\s++password\s++(\S++)")

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}:(?:\\?/){2}")
_SCHEME_END = re.compile(r":(?:\\?/){2}")
"""It is looked for first, for it is seldom, and a letter is not."""
_URL_END = re.compile(r"[^\s\"<>`|]*+")
_PROXY = re.compile(r"(?i)proxy[^\n.@]{0,24}\Z")
_PROXY_WORD = re.compile(
    r"[pP](?i:roxy(?: ?server)?(?:\(s\))?(?:[\"'\s]*+[:=]\s*+|\s++REG_[A-Z_]{1,16}\s++)[\"']?+(?:https?=)?+)"
)
_BEFORE = 48
"""Characters before a URL that may say that it is a proxy's."""

_OPEN = re.compile(r"(?i)(?:certificate[-_ ]?key|client-key-data|\bbearer)[\"'=:\s]{0,100}\Z")
"""The end of a text after which a value is still to come, maybe on the next line."""


def shapes(text: str) -> Iterator[Span]:
    """Yield where there is what looks like a secret."""
    lower = text.lower()
    if "private key" in lower:
        yield from _private_keys(text)
    if "eyJ" in text:
        yield from _web_tokens(text)
    for word, pattern in _BY_WORD:
        if word in lower:
            for match in pattern.finditer(text):
                yield match.span(1)
    for match in _BOOTSTRAP.finditer(text):
        start = match.start() - 6
        if start == 0 or not (text[start - 1].isalnum() or text[start - 1] in "_.-"):
            yield start, match.end()
    if "@" in text:
        yield from _url_passwords(text)


_BY_WORD = (
    ("bearer", _BEARER),
    ("client-key-data", _KEY_DATA),
    ("certificate", _CERTIFICATE_KEY),
    ("password", _NETRC),
)


def open_at(text: str, end: int) -> int:
    """Return where to cut a text at or before `end`, so that no secret by its form is cut in two."""
    key = _open_key(text)
    if key is not None and key < end:
        end = key
    opened = _OPEN.search(text, max(0, end - 160), end)
    return opened.start() if opened else end


def _open_key(text: str) -> int | None:
    """Return where a private key begins whose end may still come."""
    last = text.rfind("PRIVATE KEY")
    if last == -1:
        return None
    closed = 0
    for match in _KEY_END.finditer(text, max(0, len(text) - KEY_LIMIT)):
        closed = match.end()
    opened = _KEY_BEGIN.search(text, max(closed, len(text) - KEY_LIMIT))
    return opened.start() if opened else None


def _private_keys(text: str) -> Iterator[Span]:
    ends = [match.end() for match in _KEY_END.finditer(text)]
    place, quote = 0, -1
    while begin := _KEY_BEGIN.search(text, place):
        number = bisect_left(ends, begin.end())
        stop = ends[number] if number < len(ends) else None
        if stop is not None and stop - begin.start() <= KEY_LIMIT:
            # A quote ends a string of JSON, and with it what is one key.
            if quote < begin.end():
                quote = text.find('"', begin.end())
                quote = len(text) if quote == -1 else quote
            if quote > stop:
                yield begin.start(), stop
                place = stop
                continue
        body = _KEY_BODY.match(text, begin.end())
        place = body.end() if body else begin.end()
        yield begin.start(), place


def _web_tokens(text: str) -> Iterator[Span]:
    for match in _DOTTED.finditer(text):
        head = _TOKEN_HEAD.search(text, match.start(), match.end(1))
        if head:
            yield head.start(), match.end()


def _url_passwords(text: str) -> Iterator[Span]:
    place = 0
    while scheme := _next_scheme(text, place):
        url = _URL_END.match(text, scheme.end())
        place = url.end() if url else scheme.end()
        proxy = bool(_PROXY.search(text, max(0, scheme.start() - _BEFORE), scheme.start()))
        yield from _user_information(text, scheme.end(), place, proxy)
    if "roxy" in text.lower():
        for word in _PROXY_WORD.finditer(text):
            url = _URL_END.match(text, word.end())
            if url and not _SCHEME.match(text, word.end()):
                yield from _user_information(text, word.end(), url.end(), True)


def _next_scheme(text: str, place: int) -> re.Match[str] | None:
    """Return the first beginning of a URL from a place on."""
    for end in _SCHEME_END.finditer(text, place):
        if scheme := _SCHEME.search(text, max(place, end.start() - 16), end.end()):
            return scheme
    return None


def url_passwords(setting: str) -> list[str]:
    """Return the passwords in the value of a proxy's setting, as written and with their escapes read."""
    text = f"proxy={setting}"
    written = [text[start:stop] for start, stop in _url_passwords(text)]
    return list(dict.fromkeys([*written, *map(unquote, written)]))


def _user_information(text: str, start: int, stop: int, proxy: bool) -> Iterator[Span]:
    """Yield the password of `user:password@host`, which may hold `@` and `/` where nobody escaped them."""
    at = text.rfind("@", start, stop)
    if at == -1:
        return
    colon = text.find(":", start, at)
    authority = min(
        (place for mark in "/?#" if (place := text.find(mark, start, stop)) != -1), default=stop
    )
    if authority < at and text.find("@", start, authority) == -1:
        # The `@` is in the path, unless what stands before it cannot be a host and a port; a proxy has no path.
        host = text[start:authority]
        port = host.rpartition("]")[2].lstrip(":") if host[:1] == "[" else host.partition(":")[2]
        if not proxy and (not port or port.isdigit()):
            return
    if colon == -1:
        if at - start >= _TOKEN_LENGTH and text[:start].endswith(("https://", "http://")):
            yield start, at
        return
    if at > colon + 1:
        yield colon + 1, at


_TOKEN_LENGTH = 20
"""Characters from which a user's name alone, in a URL of the web, is taken for a token."""
