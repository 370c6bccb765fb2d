"""Text as HTML: in a line, in lines, and as it was typed. The only writers of `<br>` and `<pre>`.

What they return has no line end in it: HTML that stands in Markdown ends at an empty line, and what follows would be read
as Markdown, with links and images.
"""

from __future__ import annotations

import html

from k8swin_nb.shown import TEXT, shown

CELL = 10_000
"""Characters of a cell; a command is shown whole, whatever a host says is not."""


def escaped(text: object) -> str:
    """Return text as HTML, each line end as `<br>`."""
    return "<br>".join(html.escape(line) for line in shown(text, most=CELL).split("\n"))


def preformatted(text: object, *, look: str = "", most: int = TEXT) -> str:
    """Return text as a `<pre>`.

    Args:
        text: Shown with its line ends.
        look: CSS declarations.
        most: Characters that are shown; of more, the end.
    """
    style = f' style="{html.escape(look)}"' if look else ""
    return f"<pre{style}>{attribute(text, most=most)}</pre>"


def attribute(text: object, *, most: int = TEXT) -> str:
    """Return text as HTML whose line ends are references, for attributes and `<pre>`."""
    return html.escape(shown(text, most=most)).replace("\n", "&#10;")
