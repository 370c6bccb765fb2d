"""Source text as HTML: in a monospace font, with line numbers, highlighted so that it can be read on any theme."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from k8swin_nb.shown import shown
from k8swin_nb.tables.text import MONOSPACE, passed

SHARE = 60
"""Percent of a hue in the colour of its text; the rest is the theme's text colour.

The hues are of middling lightness. So mixed they hold 4.5:1 on the light and dark grounds of JupyterLab, VS Code and paper.
"""

HUES = {
    "Comment": "#808080",
    "Keyword": "#9a60e0",
    "Literal.String": "#20a060",
    "Literal.Number": "#b07000",
    "Name.Variable": "#2080e0",
    "Name.Builtin": "#b07000",
    "Name.Constant": "#b07000",
    "Name.Function": "#2080e0",
    "Name.Class": "#2080e0",
}
"""Hues by the kind of a token, in Pygments' words; what is not named has the text's colour."""

CODE = 200_000
"""Characters of a script that are shown."""

OPENING = (
    f'<pre style="font-family:{MONOSPACE};line-height:125%;margin:0;'
    'white-space:pre-wrap;overflow-wrap:anywhere" tabindex="0">'
)
"""The tag that a listing begins with. A line that is too long for a page of paper goes on below."""

NUMBER = '<i style="user-select:none;opacity:.75">'
"""The tag of a line's number: whoever copies the text has none in it."""


def colour(hue: str) -> str:
    """Return the CSS declaration of a hue's text."""
    return f"color: color-mix(in srgb,{hue} {SHARE}%,currentColor)"


@lru_cache(maxsize=128)
def highlighted(text: str, language: str) -> str:
    """Return source text as a highlighted `<pre>` with line numbers.

    A notebook shows a step's scripts before they run and with how they ended, and Pygments is slow.

    Args:
        text: The source.
        language: A name that Pygments knows: `bash`, `powershell`, `python`.
    """
    lines = "".join(_runs(shown(text, most=CODE), language)).removesuffix("\n").split("\n")
    width = len(str(len(lines)))
    numbered = (f"{NUMBER}{n:>{width}} </i>{line}" for n, line in enumerate(lines, 1))
    # No line end is left: an empty line would end the HTML where it stands in Markdown.
    return f"{OPENING}{'&#10;'.join(numbered)}</pre>"


def _runs(text: str, language: str) -> Iterator[str]:
    """Yield the text as HTML: neighbours of one hue together, none of them across the end of a line."""
    from pygments.lexers import get_lexer_by_name

    hue, run = "", ""
    for kind, part in get_lexer_by_name(language).get_tokens(text):
        # What is not seen needs no colour.
        here = hue if part.isspace() and "\n" not in part else _hue(kind)
        if here != hue:
            yield _coloured(run, hue)
            hue, run = here, ""
        run += part
    yield _coloured(run, hue)


def _hue(kind: object) -> str:
    name = str(kind).removeprefix("Token.")
    while name:
        if name in HUES:
            return HUES[name]
        name = name.rpartition(".")[0]
    return ""


def _coloured(run: str, hue: str) -> str:
    lines: Iterable[str] = map(passed, run.split("\n"))
    if hue:
        tag = f'<span style="{colour(hue)}">'
        lines = (f"{tag}{line}</span>" if line else "" for line in lines)
    return "\n".join(lines)
