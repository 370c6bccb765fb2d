"""Listings of source on their way into the page: they are most of it, and go round nbconvert's parser of HTML.

The parser takes a page apart and writes it anew, tag by tag. What it makes of a listing is known beforehand: the tags that
colour it stay as they are, and of its characters only `&`, `<` and `>` stay escaped.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from k8swin_nb.tables.code import HUES, NUMBER, OPENING, colour
from k8swin_nb.text_readings import COLOURING

_BEGIN, _END = OPENING, "</pre>"
_LISTING = re.compile(
    rf"(?<={re.escape(_BEGIN)})(?:[^<&]++|{COLOURING}|&(?:lt|gt|amp|quot|\#39|\#10);)++(?={_END})"
)
_READ = {"&quot;": '"', "&#39;": "'", "&#10;": "\n"}

_NAMES = {colour(hue): f"q{n}" for n, hue in enumerate(dict.fromkeys(HUES.values()))}
_CLASSES = {f'<span style="{look}">': f'<span class="{name}">' for look, name in _NAMES.items()}
_CLASSES[NUMBER] = '<i class="qn">'
_LONG = re.compile("|".join(map(re.escape, _CLASSES)))

RULES = "".join(f"pre .{name}{{{look}}}" for look, name in _NAMES.items()) + (
    f"pre .qn{{{NUMBER.split(chr(34))[1]}}}"
)
"""CSS rules of a page whose colours were `shortened`."""


def shortened(page: str) -> str:
    """Return a page in which the colours of source are names, which `RULES` explain.

    A notebook has them in each tag, for front ends drop a style sheet where they do not trust it. There are a hundred thousand
    in the page of a run: half of its size.
    """
    return _LONG.sub(lambda tag: _CLASSES[tag[0]], page)


class Listings:
    """The listings of a page, each with a word that nobody can know beforehand in its place."""

    def __init__(self) -> None:
        self._name = f"listing-{uuid.uuid4().hex}-"
        self._numbers: dict[str, int] = {}

    def taken_out(self, html: str) -> str:
        """Return HTML with a word in place of each listing."""
        return _LISTING.sub(self._take, html)

    def put_back(self, page: str, masked: Callable[[str], str]) -> str:
        """Return a page with the listings in place of their words.

        Args:
            page: HTML with the words.
            masked: What is put in for a listing; it is asked once for each, for most stand in a page more than once.
        """
        texts = list(map(masked, self._numbers))
        return re.sub(rf"{self._name}(\d+)\.", lambda m: texts[int(m[1])], page)

    def _take(self, listing: re.Match[str]) -> str:
        text = listing[0]
        if any(text.count(f"<{tag}") != text.count(f"</{tag}>") for tag in ("span", "i")):
            return text  # the parser has to close what is open
        for escaped, character in _READ.items():
            text = text.replace(escaped, character)
        number = self._numbers.setdefault(text, len(self._numbers))
        return f"{self._name}{number}."
