"""Source text as HTML, highlighted so that it can be read on any theme."""

from __future__ import annotations

import re

SHARE = 40
"""Percent of a token's hue in its colour; the rest is the theme's text colour, or the dark hues drown on black."""


def highlighted(text: str, language: str) -> str:
    """Return source text as a highlighted `<pre>`.

    Args:
        text: The source.
        language: A name that Pygments knows: `bash`, `powershell`, `python`.
    """
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    formatter = HtmlFormatter(noclasses=True, nobackground=True)
    code: str = highlight(text, get_lexer_by_name(language), formatter)
    # The source's own `<` is escaped: what begins a span here was written by Pygments.
    return re.sub(
        r'(<span style="[^"]*?\bcolor: )(#[0-9A-Fa-f]{3,6})\b',
        rf"\1color-mix(in srgb,\2 {SHARE}%,currentColor)",
        code,
    )
