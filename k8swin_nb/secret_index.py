"""The known secrets' forms, to be found in a text all at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from k8swin_nb.secret_forms import SHORTEST
from k8swin_nb.secret_shapes import Span

_HEAD = 6
"""Characters by which forms are looked for; at the few places where one begins, whole forms are compared."""

_JOINED = 8
"""Length from which a form that may be a word is also looked for across the ends of lines."""


class Index:
    """Forms to be found in a text all at once."""

    def __init__(self, plain: Iterable[str], encoded: Iterable[str]) -> None:
        self.encoded = frozenset(encoded)
        self.forms = self.encoded | frozenset(plain)
        self.longest = max(map(len, self.forms), default=0)
        self._by_head: dict[str, list[str]] = {}
        self._by_start: dict[str, list[str]] = {}
        for form in sorted(self.forms, key=len, reverse=True):
            self._by_head.setdefault(form[:_HEAD], []).append(form)
            self._by_start.setdefault(form[:SHORTEST], []).append(form)
        self._heads = re.compile(_trie(self._by_head)) if self.forms else None
        self._sizes = sorted({len(head) for head in self._by_head}, reverse=True)
        self._beginnings = {form[:n] for form in self.forms for n in range(1, SHORTEST)}

    def spans(self, text: str, *, lines: bool = False) -> Iterator[Span]:
        """Yield where known forms lie; of those that begin at one place the longest.

        Args:
            text: Where to look.
            lines: Its lines were joined: short forms that may be words are not looked for.
        """
        if self._heads is None:
            return
        place = -1
        # Heads may overlap. A pattern that looked ahead would be tried at each place, whatever letter is there.
        while match := self._heads.search(text, place + 1):
            place = match.start()
            for size in self._sizes:
                for form in self._by_head.get(text[place : place + size], ()):
                    if lines and len(form) < _JOINED and form not in self.encoded:
                        continue
                    if text.startswith(form, place):
                        yield place, place + len(form)
                        break

    def begun(self, text: str) -> int | None:
        """Return where the first form begins that the end of the text cuts off."""
        for place in range(max(0, len(text) - self.longest), len(text) - SHORTEST + 1):
            for form in self._by_start.get(text[place : place + SHORTEST], ()):
                if len(form) > len(text) - place and form.startswith(text[place:]):
                    return place
        return None

    def touched(self, text: str) -> int:
        """Return how many last characters of a text, fewer than four, begin a form."""
        for count in range(SHORTEST - 1, 0, -1):
            if len(text) >= count and text[-count:] in self._beginnings:
                return count
        return 0


def _trie(words: Iterable[str]) -> str:
    """Return a pattern for words of which common beginnings are compared once."""
    groups: dict[str, list[str]] = {}
    whole = False
    for word in words:
        if word:
            groups.setdefault(word[0], []).append(word[1:])
        else:
            whole = True
    if whole or not groups:
        return ""
    parts = [re.escape(first) + _trie(rest) for first, rest in groups.items()]
    return parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"
