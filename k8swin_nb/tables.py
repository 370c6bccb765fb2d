"""Tables for readers: the same content as text and as static HTML, without JavaScript or pandas."""

from __future__ import annotations

import html
from collections.abc import Sequence


class StaticTable:
    """A small table with the same content as text and as HTML; needs neither JavaScript nor pandas."""

    def __init__(self, caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.caption = caption
        self.columns = list(columns)
        self.rows = [list(map(str, row)) for row in rows]

    def __repr__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        text = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([self.caption, *text])

    def _repr_html_(self) -> str:
        def cells(tag: str, line: Sequence[str]) -> str:
            scope = ' scope="col"' if tag == "th" else ""
            return "".join(
                f'<{tag}{scope} style="text-align:left">{html.escape(cell)}</{tag}>'
                for cell in line
            )

        body = "".join(f"<tr>{cells('td', row)}</tr>" for row in self.rows)
        return (
            f'<table><caption style="text-align:left">{html.escape(self.caption)}</caption>'
            f"<thead><tr>{cells('th', self.columns)}</tr></thead><tbody>{body}</tbody></table>"
        )
