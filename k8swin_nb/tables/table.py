"""The one writer of tables: caption, columns and rows as text and as static HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from k8swin_nb.tables.palette import Mark, style

Kind = Literal["text", "name", "number", "wrapped", "code"]

_STYLES: dict[Kind, str] = {
    "text": "text-align:left",
    "name": "text-align:left",
    "number": "text-align:right",
    "wrapped": "text-align:left;min-width:11em;overflow-wrap:anywhere",
    "code": "text-align:left;min-width:18em;overflow-wrap:anywhere",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and what kind of text it holds.

    `name` heads its row, `number` is aligned to the right, `wrapped` is prose that may break anywhere, `code` is a
    command, which is shown whole.
    """

    heading: str
    kind: Kind = "text"


Cell = str | Mark
"""Anything else in a row is shown as `str` has it."""


def escaped(text: object) -> str:
    """Return text as HTML in one line: an empty line would end a table that stands in Markdown."""
    return "<br>".join(html.escape(line) for line in str(text).splitlines())


def _cell(column: Column, value: object) -> str:
    look, text = _STYLES[column.kind], escaped(value)
    if isinstance(value, Mark):
        look = ";".join(part for part in (look, style(value.state), "white-space:nowrap") if part)
        text = f"<b>{text}</b>"
    elif column.kind == "code" and text:
        text = f"<code>{text}</code>"
    tag = 'th scope="row"' if column.kind == "name" else "td"
    return f'<{tag} style="{look}">{text}</{tag[:2]}>'


def table_html(
    caption: str, columns: Iterable[Column | str], rows: Iterable[Sequence[object]]
) -> str:
    """Return a table as HTML that runs nothing; everything in it is escaped.

    Args:
        caption: What the table is; empty: none is written.
        columns: Headings in their order. When all are empty, the table has no row of headings.
        rows: One value for each column; a `Mark` is shown with its colour.

    Raises:
        ValueError: when a row has more or fewer values than there are columns.
    """
    kinds = as_columns(columns)
    head = "".join(
        f'<th scope="col" style="text-align:{"right" if column.kind == "number" else "left"}">'
        f"{escaped(column.heading)}</th>"
        for column in kinds
    )
    body = "".join(
        "<tr>" + "".join(_cell(c, value) for c, value in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    titled = f'<caption style="text-align:left">{escaped(caption)}</caption>' if caption else ""
    headed = f"<thead><tr>{head}</tr></thead>" if has_headings(kinds) else ""
    return f"<table>{titled}{headed}<tbody>{body}</tbody></table>"


def as_columns(columns: Iterable[Column | str]) -> list[Column]:
    """Return columns of which some were given as their heading alone."""
    return [Column(column) if isinstance(column, str) else column for column in columns]


def has_headings(columns: Sequence[Column]) -> bool:
    """Return whether a table has a row of headings."""
    return any(column.heading for column in columns)


class StaticTable:
    """A small table with the same content as text and as HTML; needs neither JavaScript nor pandas."""

    def __init__(
        self,
        caption: str,
        columns: Iterable[Column | str],
        rows: Iterable[Sequence[Cell]],
    ) -> None:
        self.caption = caption
        self.columns = as_columns(columns)
        self.rows = [[c if isinstance(c, Mark) else str(c) for c in row] for row in rows]

    def __repr__(self) -> str:
        headings = [[c.heading for c in self.columns]] if has_headings(self.columns) else []
        lines = [*headings, *(list(map(str, row)) for row in self.rows)]
        widths = [
            max((len(line[i]) for line in lines), default=0) for i in range(len(self.columns))
        ]
        text = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([self.caption, *text])

    def _repr_html_(self) -> str:
        return table_html(self.caption, self.columns, self.rows)
