"""Text as HTML: in a line, in lines, and as it was typed. The only writers of `<br>` and `<pre>`.

What they return has no line end in it: HTML that stands in Markdown ends at an empty line, and what follows would be read
as Markdown, with links and images.
"""

from __future__ import annotations

import html
import re

from k8swin_nb.shown import TEXT, shown

CELL = 10_000
"""Characters of a cell; a command is shown whole, whatever a host says is not."""


LONG_WORD = re.compile(r"[^\s-]{33,}")
"""A word that may break: a hash, a path, a token. Every other stays whole, however narrow its column is."""

MONOSPACE = (
    "var(--jp-code-font-family,var(--vscode-editor-font-family,ui-monospace)),"
    "Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
)
"""The font of code: a front end's own, else one that the computer has."""


WRAPPED = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"
"""How text as it was typed goes on below where a line is too long: a box of its own that is moved sideways would have to be
reached by keyboard, which front ends do not allow in notebooks that are not trusted."""


def escaped(text: object, *, breaking: bool = False) -> str:
    """Return text as HTML, each line end as `<br>`.

    Args:
        text: What is shown.
        breaking: Whether a very long word may break, after every 32nd character.
    """
    lines = shown(text, most=CELL).split("\n")
    return "<br>".join(_breaking(line) if breaking else html.escape(line) for line in lines)


def _breaking(line: str) -> str:
    parts, end = [], 0
    for long in LONG_WORD.finditer(line):
        word = long[0]
        parts.append(html.escape(line[end : long.start()]))
        parts += "<wbr/>".join(html.escape(word[i : i + 32]) for i in range(0, len(word), 32))
        end = long.end()
    return "".join([*parts, html.escape(line[end:])])


def preformatted(text: object, *, look: str = "", most: int = TEXT) -> str:
    """Return text as a `<pre>`.

    Args:
        text: Shown with its line ends.
        look: CSS declarations.
        most: Characters that are shown; of more, the end.
    """
    look = f"font-family:{MONOSPACE};{look}"
    return f'<pre style="{look}">{attribute(text, most=most)}</pre>'


def at_its_end(text: object, *, height: str, look: str = "margin:0", most: int = TEXT) -> str:
    """Return text as a `<pre>` in a box that scrolls, whose end is in view whenever it is drawn anew.

    Args:
        text: Shown with its line ends.
        height: The box's, at most, as CSS has it.
        look: CSS declarations of the text.
        most: Characters that are shown; of more, the end.
    """
    # Reversed, the box begins at its end. JupyterLab lets a <pre> scroll by itself: as high as the box it would show its begin.
    box = f"max-height:{height};overflow:auto;display:flex;flex-direction:column-reverse"
    text = preformatted(text, look=f"{look};flex:none", most=most)
    return f'<div style="{box}" tabindex="0">{text}</div>'


def attribute(text: object, *, most: int = TEXT) -> str:
    """Return text as HTML whose line ends are references, for attributes and `<pre>`."""
    return html.escape(shown(text, most=most)).replace("\n", "&#10;")


def passed(text: str) -> str:
    """Return text as HTML that has passed the door already, as a part of a longer one; it is for no attribute."""
    return html.escape(text, quote=False)
