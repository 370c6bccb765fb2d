"""The frame of a picture in SVG: a ground of its own, words for readers without pictures, and an image of it.

Static: it needs no JavaScript and keeps its place in an executed notebook. A front end shows SVG of trusted
notebooks only, but images of all; so the same drawing is given as an image too.
"""

from __future__ import annotations

import base64

from k8swin_nb.tables.palette import LOOKS
from k8swin_nb.tables.text import attribute

INK = LOOKS["neutral"].ink
"""Colour of text and lines."""


class Picture:
    """A drawing whose `repr` tells the same in words."""

    def _drawing(self) -> tuple[int, int, list[str]]:
        """Return width and height in pixels, and the elements that are drawn."""
        raise NotImplementedError

    def _repr_svg_(self) -> str:
        width, height, parts = self._drawing()
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'role="img" aria-label="{attribute(repr(self))}" '
            f'font-family="sans-serif" font-size="13" fill="{INK}">'
            f'<rect width="{width}" height="{height}" rx="6" fill="{LOOKS["neutral"].ground}"/>'
            f"{''.join(parts)}</svg>"
        )

    def _repr_html_(self) -> str:
        data = base64.b64encode(self._repr_svg_().encode()).decode()
        text = attribute(repr(self))
        return f'<img alt="{text}" src="data:image/svg+xml;base64,{data}"/>'
