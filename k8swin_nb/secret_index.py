"""The known secrets' forms, to be found in a text all at once.

A form is looked for where one of a few characters stands that most texts have seldom, the *anchors*: the engine passes
all other places in one go. What stands behind an anchor is compared with what forms have there, and where that fits,
whole forms are compared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from k8swin_nb.secret_forms import SHORTEST
from k8swin_nb.secret_shapes import Span

_KEY = 6
"""Characters from an anchor on by which forms are looked for."""

_JOINED = 8
"""Length from which a form that may be a word is also looked for across the ends of lines."""

_OFTEN = " eationsrl0:1.-2cd\n34/5m67u98p\"hf_g,=b'ykvw(){}<>[]"
"""What texts have most often, the commonest first, as it is in logs, sources, JSON and listings."""


class Index:
    """Forms to be found in a text all at once."""

    def __init__(self, plain: Iterable[str], encoded: Iterable[str]) -> None:
        self.encoded = frozenset(encoded)
        self.forms = self.encoded | frozenset(plain)
        self.longest = max(map(len, self.forms), default=0)
        self._by_key: dict[str, list[tuple[int, str]]] = {}
        self._by_start: dict[str, list[str]] = {}
        anchors = _anchors(self.forms)
        for form in sorted(self.forms, key=len, reverse=True):
            place = _anchored(form, anchors)
            self._by_key.setdefault(form[place : place + _KEY], []).append((place, form))
            self._by_start.setdefault(form[:SHORTEST], []).append(form)
        self._keys = re.compile(_trie(self._by_key)) if self.forms else None
        self._sizes = sorted({len(key) for key in self._by_key})
        self._beginnings = {form[:n] for form in self.forms for n in range(1, SHORTEST)}

    def spans(self, text: str, *, lines: bool = False) -> Iterator[Span]:
        """Yield where known forms lie, in no order.

        Args:
            text: Where to look.
            lines: Its lines were joined: short forms that may be words are not looked for.
        """
        if self._keys is None:
            return
        place = -1
        # Keys may overlap. A pattern that looked ahead would be tried at each place, whatever letter is there.
        while match := self._keys.search(text, place + 1):
            place = match.start()
            for size in self._sizes:
                for before, form in self._by_key.get(text[place : place + size], ()):
                    start = place - before
                    if lines and len(form) < _JOINED and form not in self.encoded:
                        continue
                    if start >= 0 and text.startswith(form, start):
                        yield start, start + len(form)

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


def _places(form: str) -> str:
    """Return the characters of a form at which it may be anchored: enough of it stands behind them to tell it by."""
    return form[: max(1, len(form) - SHORTEST + 1)]


def _anchors(forms: Iterable[str]) -> frozenset[str]:
    """Return few and seldom characters, of which each form has one in its places."""
    seldom = {character: 1 / (2 + number) for number, character in enumerate(_OFTEN)}
    left = [frozenset(_places(form)) for form in forms]
    found: set[str] = set()
    while left:
        counts = Counter(character for one in left for character in one)
        best = max(counts, key=lambda one: (counts[one] / seldom.get(one, _SELDOM), one))
        found.add(best)
        left = [one for one in left if best not in one]
    return frozenset(found)


_SELDOM = 1 / 100
"""How often other characters are met, beside 1/2 for a blank."""


def _anchored(form: str, anchors: frozenset[str]) -> int:
    """Return the place of a form's anchor."""
    return next(i for i, character in enumerate(_places(form)) if character in anchors)


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
