"""The frame of a picture in SVG: a ground of its own, words for readers without pictures, and an image of it.

Static: it needs no JavaScript and keeps its place in an executed notebook. A front end shows SVG of trusted
notebooks only, but images of all; so the same drawing is given as an image too. On paper and in every theme it lies on
its own pale ground.
"""

from __future__ import annotations

import base64
import unicodedata

from k8swin_nb.shown import shown_line
from k8swin_nb.tables.palette import LOOKS
from k8swin_nb.tables.text import attribute

INK = LOOKS["neutral"].ink
"""Colour of text and lines."""

FAINT = LOOKS["skipped"].ink
"""Colour of text that stands back; 4.5:1 and more on the ground."""

LETTER = 8.3
"""Pixels that a letter of the pictures' size takes at most, where it is none of those below."""

_NARROW, _SLIM, _WIDE = "'ijl.,:;|! ", 'frt()[]{}/\\"-I*', "mwMW@%<>=+~#—…&✗✓●○"
"""Letters that take about half of that, two thirds, and half as much again."""

LEAST = 8
"""Pixels that a bar has at least: what is thinner cannot be seen in print."""


class Picture:
    """A drawing whose `repr` tells the same in words."""

    def _drawing(self) -> tuple[int, int, list[str]]:
        """Return width and height in pixels, and the elements that are drawn."""
        raise NotImplementedError

    def _repr_svg_(self) -> str:
        width, height, parts = self._drawing()
        told = repr(self)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'role="img" font-family="sans-serif" font-size="13" fill="{INK}">'
            f"<title>{attribute(told.partition(chr(10))[0])}</title><desc>{attribute(told)}</desc>"
            f'<rect width="{width}" height="{height}" rx="6" fill="{LOOKS["neutral"].ground}"/>'
            f"{''.join(parts)}</svg>"
        )

    def _repr_html_(self) -> str:
        data = base64.b64encode(self._repr_svg_().encode()).decode()
        text = attribute(repr(self))
        return f'<img alt="{text}" style="max-width:100%" src="data:image/svg+xml;base64,{data}"/>'


def words(
    x: float,
    y: float,
    text: object,
    *,
    anchor: str = "start",
    fill: str = "",
    bold: bool = False,
    room: float = 0,
    turned: bool = False,
    tail: object = "",
) -> str:
    """Return a text of one line.

    Args:
        x: Where it begins, or ends, or its middle, by `anchor`, in pixels.
        y: Its base line.
        text: Somebody's words; they pass the door.
        anchor: `start`, `middle` or `end`.
        fill: Colour; empty: that of all text.
        bold: Whether it stands out.
        room: Pixels that it may take; what does not fit is left out in the middle, and told whole to who points at it.
            0: no limit.
        turned: Whether it rises to the right.
        tail: What stands behind it and is never left out, such as a state behind a name.
    """
    first, whole = shown_line(text), shown_line(f"{text}{tail}")
    behind = whole[len(first) :] if whole.startswith(first) else ""
    short = whole
    if room:
        # Bold letters are wider.
        left = (room * 0.9 if bold else room) - breadth(behind)
        short = fitting(first, left) + behind
    title = f"<title>{attribute(whole)}</title>" if short != whole else ""
    place = (
        f'transform="translate({x:.1f},{y:.1f}) rotate(-45)"'
        if turned
        else f'x="{x:.1f}" y="{y:.1f}"'
    )
    look = [
        f'text-anchor="{anchor}"' if anchor != "start" else "",
        f'fill="{fill}"' if fill else "",
        'font-weight="bold"' if bold else "",
    ]
    said = " ".join([place, *filter(None, look)])
    return f"<text {said}>{attribute(short)}{title}</text>"


def fitting(text: str, room: float) -> str:
    """Return as much of a text's begin and end as fits into so many pixels; `…` stands for what is left out."""
    if breadth(text) <= room:
        return text
    head, tail, left = 0, len(text), room - breadth("…")
    # Names of one origin begin alike, and what is said of a thing stands behind its name.
    while head < tail:
        first = head * 2 <= (len(text) - tail) * 3
        letter = breadth(text[head] if first else text[tail - 1])
        if letter > left:
            break
        left -= letter
        head, tail = (head + 1, tail) if first else (head, tail - 1)
    return f"{text[:head]}…{text[tail:]}"


def breadth(text: str) -> float:
    """Return about how many pixels a text takes at most, in the widest of the fonts that systems have for this."""
    return sum(map(_letter, text))


def _letter(letter: str) -> float:
    if letter in _NARROW:
        return LETTER * 0.52
    if letter in _SLIM:
        return LETTER * 0.65
    if letter in _WIDE or unicodedata.east_asian_width(letter) in ("W", "F"):
        return LETTER * 1.6
    return LETTER * 1.15 if letter.isupper() else LETTER


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    fill: str,
    stroke: str = "",
    thick: float = 1,
    title: str = "",
) -> str:
    """Return a rectangle with round corners, and what it tells who points at it.

    Args:
        x: Its left side, in pixels.
        y: Its upper side.
        width: Its width.
        height: Its height.
        fill: Colour inside.
        stroke: Colour of its edge; empty: none.
        thick: Width of the edge.
        title: What it tells; passes the door.
    """
    edge = f' stroke="{stroke}" stroke-width="{thick:g}"' if stroke else ""
    tip = f"<title>{attribute(title)}</title>" if title else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="3" '
        f'fill="{fill}"{edge}>{tip}</rect>'
    )
