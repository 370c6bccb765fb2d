"""Source texts of the page: each is there once, whoever shows it, and a function that several scripts share is there once too.

A notebook shows a script as a listing, with its colours in each tag, for front ends drop a style sheet where they do not trust
it. In the page a colour is a name, which `RULES` explain, and where a listing stood is a link to its text.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from k8swin_nb.redact import redact_kept
from k8swin_nb.scripts import functions
from k8swin_nb.tables.code import HUES, NUMBER, OPENING, colour, highlighted
from k8swin_nb.tables.table import AS_IT_IS
from k8swin_nb.text_readings import COLOURING

_NAMES = {colour(hue): f"q{n}" for n, hue in enumerate(dict.fromkeys(HUES.values()))}
_CLASSES = {f'<span style="{look}">': f'<span class="{name}">' for look, name in _NAMES.items()}
_LONG = re.compile("|".join(map(re.escape, _CLASSES)))

RULES = "".join(f"pre .{name}{{{look}}}" for look, name in _NAMES.items())
"""CSS rules of a page whose colours are names."""

CLASSES = frozenset(_NAMES.values())
"""The names of colours."""

_INSIDE = rf"(?:[^<&]++|{COLOURING}|&(?:lt|gt|amp|quot|\#39|\#10);)++"
LISTING = re.compile(
    rf'<details class="{AS_IT_IS}"><summary[^>]*><code>(?P<title>[^<]*)</code></summary>'
    rf"{re.escape(OPENING)}(?P<inside>{_INSIDE})</pre></details>"
)
"""A script of a step as a notebook shows it, folded."""

_NUMBER = re.compile(re.escape(NUMBER) + r"[^<]*</i>")

_LANGUAGES = {"sh": "bash", "ps1": "powershell"}


@dataclass(slots=True)
class Text:
    """A source text."""

    title: str
    language: str
    lines: list[str]
    """HTML of each line."""

    plain: str
    """The same as it is, masked."""

    sha256: str = ""
    """Of what was sent, as the record has it; empty for what the record does not know."""

    file: str = ""
    """Where it lies below the run's folder; empty: it is not kept there."""

    runs: int = 0
    """How many times it ran."""

    looks: bool = False
    """Whether it changes nothing."""

    names: list[str] = field(default_factory=list)
    """Other names under which it ran."""

    @property
    def key(self) -> str:
        """What its place in the page is called."""
        return key_of(self.plain)


def key_of(plain: str) -> str:
    """Return what the place of a text in the page is called; line ends before and behind it do not count."""
    return "t-" + hashlib.sha256(plain.strip("\n").encode("utf-8", "replace")).hexdigest()[:16]


def language_of(name: str) -> str:
    """Return the language of a script or function of this name."""
    return _LANGUAGES.get(name.rpartition(".")[2], "python" if name.endswith("()") else "text")


def text_of(title: str, language: str, source: str) -> Text:
    """Return a source text, highlighted and masked."""
    inside = highlighted(source, language).removeprefix(OPENING).removesuffix("</pre>")
    return _text(title, language, inside)


def _text(title: str, language: str, inside: str) -> Text:
    inside = redact_kept(_NUMBER.sub("", inside))
    lines = [_LONG.sub(lambda tag: _CLASSES[tag[0]], line) for line in inside.split("&#10;")]
    plain = html.unescape(re.sub(r"<[^>]*>", "", "\n".join(lines)))
    return Text(title, language, lines, plain)


class Listings:
    """The texts that a notebook shows."""

    def __init__(self) -> None:
        self.texts: dict[str, Text] = {}
        self._known: dict[str, Text] = {}

    def taken_out(self, output: str) -> str:
        """Return HTML with a link to its text in place of each listing."""
        return LISTING.sub(self._take, output)

    def _take(self, listing: re.Match[str]) -> str:
        title, inside = html.unescape(listing["title"]), listing["inside"]
        text = self._known.get(inside)
        if text is None:
            name = title.partition(": ")[2] or title
            text = self._known[inside] = _text(name, language_of(name), inside)
            self.texts.setdefault(text.key, text)
        return f'<a href="#{text.key}">{listing["title"]}</a><br/>'


@dataclass(frozen=True, slots=True)
class Shared:
    """A function that several texts hold in the same words."""

    name: str
    language: str
    key: str
    lines: tuple[str, ...]


Piece = tuple[int, list[str]] | Shared
"""Lines with the number of their first, or a function that stands elsewhere."""


def without_shared(texts: Iterable[Text]) -> tuple[dict[str, list[Piece]], dict[str, Shared]]:
    """Return by key of each text its pieces, and the functions that several of them share, by key."""
    found = {text.key: (text, _functions(text)) for text in texts}
    counts = Counter(block for _, blocks in found.values() for block in {b for _, b, _ in blocks})
    shared: dict[str, Shared] = {}
    pieces: dict[str, list[Piece]] = {}
    for key, (text, blocks) in found.items():
        parts: list[Piece] = []
        end = 0
        for name, block, first in blocks:
            if counts[block] < 2 or first < end:
                continue
            length = block.count("\n")
            place = "f-" + key_of(block)[2:]
            shared.setdefault(
                place, Shared(name, text.language, place, tuple(text.lines[first : first + length]))
            )
            if any(line.strip() for line in text.lines[end:first]):
                parts.append((end + 1, text.lines[end:first]))
            parts.append(shared[place])
            end = first + length
        if any(line.strip() for line in text.lines[end:]):
            parts.append((end + 1, text.lines[end:]))
        pieces[key] = parts
    return pieces, shared


def _functions(text: Text) -> list[tuple[str, str, int]]:
    """Return the functions of a text in their order: name, words, and number of lines before."""
    if text.language not in ("bash", "powershell") or text.plain.count("\n") + 1 != len(text.lines):
        return []
    plain = text.plain + "\n"
    found = []
    for name, block in functions.read(plain, text.language).items():
        at = plain.find(block)
        if at == 0 or plain[at - 1 : at] == "\n":
            found.append((name, block, plain.count("\n", 0, at)))
    return sorted(found, key=lambda one: one[2])
