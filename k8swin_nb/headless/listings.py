"""Listings of source on their way into the page: they are most of it, and go round nbconvert's parser of HTML.

The parser takes a page apart and writes it anew, tag by tag. What it makes of a listing is known beforehand: the tags that
colour it stay as they are, and of its characters only `&`, `<` and `>` stay escaped.
"""

from __future__ import annotations

import re
import uuid

from k8swin_nb.text_readings import COLOURING

_BEGIN, _END = '<pre style="line-height: 125%;">', "</pre>"
_LISTING = re.compile(
    rf"(?<={re.escape(_BEGIN)})(?:[^<&]++|{COLOURING}|&(?:lt|gt|amp|quot|\#39|\#10);)++(?={_END})"
)
_READ = {"&quot;": '"', "&#39;": "'", "&#10;": "\n"}


class Listings:
    """The listings of a page, each with a word that nobody can know beforehand in its place."""

    def __init__(self) -> None:
        self._name = f"listing-{uuid.uuid4().hex}-"
        self._texts: list[str] = []

    def taken_out(self, html: str) -> str:
        """Return HTML with a word in place of each listing."""
        return _LISTING.sub(self._take, html)

    def put_back(self, page: str) -> str:
        """Return a page with the listings in place of their words."""
        return re.sub(rf"{self._name}(\d+)\.", lambda m: self._texts[int(m[1])], page)

    def _take(self, listing: re.Match[str]) -> str:
        text = listing[0]
        if text.count("<span") != text.count("</span>"):
            return text  # the parser has to close what is open
        for escaped, character in _READ.items():
            text = text.replace(escaped, character)
        self._texts.append(text)
        return f"{self._name}{len(self._texts) - 1}."
