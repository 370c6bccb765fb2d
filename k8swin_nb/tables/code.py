"""Source text as HTML, highlighted so that it can be read on any theme."""

from __future__ import annotations

import re

from k8swin_nb.shown import shown

SHARE = 32
"""Percent of a token's hue in its colour; the rest is the theme's text colour, or the dark hues drown on black."""


CODE = 200_000
"""Characters of a script that are shown."""


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
    code: str = highlight(shown(text, most=CODE), get_lexer_by_name(language), formatter).rstrip(
        "\n"
    )
    # No line end is left: an empty line would end the HTML where it stands in Markdown.
    code = code.replace("\n", "&#10;")
    # What is not seen needs no colour: half of the tags were of blanks.
    code = re.sub(r'<span style="[^"]*">([ \t]+)</span>', r"\1", code)
    # The source's own `<` is escaped: what begins a span here was written by Pygments.
    return re.sub(
        r'(<span style="[^"]*?\bcolor: )(#[0-9A-Fa-f]{3,6})\b',
        rf"\1color-mix(in srgb,\2 {SHARE}%,currentColor)",
        code,
    )
