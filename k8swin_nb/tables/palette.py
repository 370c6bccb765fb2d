"""The palette: what each state looks like, in text that lies on any theme and in pictures on a ground of their own.

Colour never stands alone: a mark is a glyph, a word, and then a colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "waiting", "failed", "skipped", "neutral"]

SHARE = 60
"""Percent of a state's hue in its text; the rest is the text colour of the theme.

JupyterLab's hues alone are too pale on white and too dark on black. Mixed with the theme's own text colour they hold
4.5:1 and more against the ground, the striped and the pointed-at rows of its light and its dark theme.
"""


@dataclass(frozen=True, slots=True)
class Look:
    """How a state looks."""

    glyph: str
    text: str
    """CSS colour of text, whatever the theme; empty: the theme's own."""

    ink: str
    """Colour in pictures, on white and on `ground`."""

    ground: str
    """Pale colour of a field in pictures."""


def _on_any_theme(hue: str, fallback: str) -> str:
    return f"color-mix(in srgb,var(--jp-{hue}-color1,{fallback}) {SHARE}%,currentColor)"


LOOKS: dict[State, Look] = {
    "ok": Look("✓", _on_any_theme("success", "#2da44e"), "#1a7f37", "#dafbe1"),
    "waiting": Look("●", _on_any_theme("warn", "#bf8700"), "#9a6700", "#fff8c5"),
    "failed": Look("✗", _on_any_theme("error", "#e5534b"), "#cf222e", "#ffebe9"),
    "skipped": Look("○", "color-mix(in srgb,currentColor 75%,transparent)", "#57606a", "#f6f8fa"),
    "neutral": Look("·", "", "#24292f", "#ffffff"),
}
"""By state; `waiting` is also what was changed, and what is worth knowing."""

BARS = {
    "pods": "#0969da",
    "services": "#8250df",
    "hosts": LOOKS["ok"].ink,
    "site": LOOKS["waiting"].ink,
    "taken": "#8c959f",
}
"""Colours of networks in pictures; each bar has its name beside it."""


def style(state: State) -> str:
    """Return the CSS declaration of a state's colour; empty where it has none."""
    colour = LOOKS[state].text
    return f"color:{colour}" if colour else ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A word with its state.

    Args:
        word: What a reader is told, in whose words ever.
        state: What it means.
        sign: A glyph of its own; empty: the state's.
    """

    word: str
    state: State
    sign: str = ""

    @property
    def glyph(self) -> str:
        """The glyph that stands before the word."""
        return self.sign or LOOKS[self.state].glyph

    def __str__(self) -> str:
        return f"{self.glyph} {self.word}"
