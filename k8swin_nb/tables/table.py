"""The one writer of tables: caption, columns and rows as text and as static HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from k8swin_nb.shown import shown, shown_line
from k8swin_nb.tables.palette import Mark, style
from k8swin_nb.tables.text import CELL, escaped

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


ROWS = 500
"""Rows that a table shows; what has more is not read row by row."""

SIZE = 1_000_000
"""Characters of a table as HTML."""

AS_IT_IS = "tex2jax_ignore mathjax_ignore"
"""Classes of what front ends do not search for formulas: a `$` in a host's name begins none."""

Cell = str | Mark
"""Anything else in a row is shown as `str` has it."""


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
    caption: str,
    columns: Iterable[Column | str],
    rows: Iterable[Sequence[object]],
    *,
    more: int = 0,
) -> str:
    """Return a table as HTML that runs nothing; everything in it is masked, escaped and bounded.

    Args:
        caption: What the table is; empty: none is written.
        columns: Headings in their order. When all are empty, the table has no row of headings.
        rows: One value for each column; a `Mark` is shown with its colour.
        more: Rows that there are beyond these.

    Raises:
        ValueError: when a row has more or fewer values than there are columns.
    """
    kinds = as_columns(columns)
    head = "".join(
        f'<th scope="col" style="text-align:{"right" if column.kind == "number" else "left"}">'
        f"{escaped(column.heading)}</th>"
        for column in kinds
    )
    body: list[str] = []
    size = 0
    for row in rows:
        if len(body) == ROWS or size > SIZE:
            more += 1
            continue
        body.append(
            "<tr>" + "".join(_cell(c, value) for c, value in zip(kinds, row, strict=True)) + "</tr>"
        )
        size += len(body[-1])
    if more:
        body.append(f'<tr><td colspan="{len(kinds)}">{left_out(more)}</td></tr>')
    titled = f'<caption style="text-align:left">{escaped(caption)}</caption>' if caption else ""
    headed = f"<thead><tr>{head}</tr></thead>" if has_headings(kinds) else ""
    return f'<table class="{AS_IT_IS}">{titled}{headed}<tbody>{"".join(body)}</tbody></table>'


def left_out(rows: int) -> str:
    """Return what stands in place of rows that are not shown."""
    return f"... {rows} more rows" if rows > 1 else "... 1 more row"


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
        self.caption = shown(caption)
        self.columns = as_columns(columns)
        self.rows = [
            [c if isinstance(c, Mark) else shown(c, most=CELL) for c in row] for row in rows
        ]

    def __repr__(self) -> str:
        headings = (
            [[shown_line(c.heading) for c in self.columns]] if has_headings(self.columns) else []
        )
        lines = [*headings, *(list(map(_in_one_line, row)) for row in self.rows[:ROWS])]
        widths = [
            max((len(line[i]) for line in lines), default=0) for i in range(len(self.columns))
        ]
        text = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        if len(self.rows) > ROWS:
            text.append(left_out(len(self.rows) - ROWS))
        return "\n".join([self.caption, *text])

    def _repr_html_(self) -> str:
        return table_html(self.caption, self.columns, self.rows)


def _in_one_line(value: Cell) -> str:
    # A line end in a cell would begin what looks like a row.
    return shown(value, most=CELL).replace("\n", " ↵ ")
