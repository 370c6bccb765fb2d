"""The one writer of tables: caption, columns and rows as text and as static HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from k8swin_nb.shown import shown, shown_line
from k8swin_nb.tables.palette import Mark, style
from k8swin_nb.tables.text import CELL, WRAPPED, attribute, escaped, preformatted

Kind = Literal["text", "name", "key", "number", "wrapped", "code", "whole"]

_STYLES: dict[Kind, str] = {
    "text": "text-align:left",
    "name": "text-align:left",
    "key": "text-align:left;white-space:nowrap",
    "number": "text-align:right",
    "wrapped": "text-align:left;min-width:11em",
    "code": "text-align:left;min-width:18em",
    "whole": "text-align:left;white-space:nowrap",
}
_LEAST: dict[Kind, int] = {"wrapped": 11, "code": 18}
_OTHER = 5
_ROOM = 40
"""Widths in em: what columns need at least, and what there is beside JupyterLab's file browser on a screen of 1000 px."""

_KEPT = "word-break:normal;overflow-wrap:normal"
"""A word is never cut by a narrow column; what is very long has places to break of its own."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and what kind of text it holds.

    `name` heads its row, `key` too, in one line, `number` is aligned to the right, `wrapped` is prose and has room for some words, `code` is a
    command, which is shown whole, and `whole` keeps its value in one line.
    """

    heading: str
    kind: Kind = "text"


ROWS = 500
"""Rows that a table shows; what has more is not read row by row."""

SIZE = 1_000_000
"""Characters of a table as HTML."""

AS_IT_IS = "tex2jax_ignore mathjax_ignore"
"""Classes of what front ends do not search for formulas: a `$` in a host's name begins none."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A cell of one line, behind which more is folded away: text as it was typed, such as a difference."""

    line: str
    more: str

    def __str__(self) -> str:
        return f"{self.line}\n{self.more}"


Cell = str | Mark | Folded
"""Anything else in a row is shown as `str` has it."""


def _cell(column: Column, value: object) -> str:
    look = _STYLES[column.kind]
    if isinstance(value, Folded):
        text = _folded(value)
    else:
        text = escaped(value, breaking=column.kind != "whole")
    if isinstance(value, Mark):
        look = ";".join(part for part in (look, style(value.state), "white-space:nowrap") if part)
        text = f"<b>{text}</b>"
    elif column.kind == "code" and text:
        text = f"<code>{text}</code>"
    tag = 'th scope="row"' if column.kind in ("name", "key") else "td"
    return f'<{tag} style="{look}">{text}</{tag[:2]}>'


def _folded(value: Folded) -> str:
    return folding(value.line, preformatted(value.more, look=PREFORMATTED))


PREFORMATTED = f"margin:0;width:max-content;max-width:60em;text-align:left;{WRAPPED}"
"""How text that is folded away looks: a very long line goes on below, on a screen and on paper."""


def table_html(
    caption: str,
    columns: Iterable[Column | str],
    rows: Iterable[Sequence[object]],
    *,
    more: int = 0,
    most: int = ROWS,
    folded: Sequence[Sequence[object]] = (),
    word: Mark | str = "",
) -> str:
    """Return a table as HTML that runs nothing; everything in it is masked, escaped and bounded.

    A table that is wider than its place is moved sideways in a box of its own, by keyboard too.

    Args:
        caption: What the table is; empty: none is written.
        columns: Headings in their order. When all are empty, the table has no row of headings.
        rows: One value for each column; a `Mark` is shown with its colour.
        more: Rows that there are beyond these.
        most: Rows that are written.
        folded: Rows that do not matter now: a table of their own, folded behind `word`.
        word: What the folded rows are, such as `125 ok`.

    Raises:
        ValueError: when a row has more or fewer values than there are columns.
    """
    kinds = as_columns(columns)
    rows = list(rows) if folded else rows
    shown_rows = (
        _table(caption, kinds, rows, more, most) if rows or not folded else _titled(caption)
    )
    if not folded:
        return shown_rows
    return shown_rows + folding(word, _table("", kinds, folded, 0))


def folding(summary: Mark | str, inside: str, *, heading: str = "") -> str:
    """Return HTML that is folded away behind a line; it needs no JavaScript.

    Args:
        summary: The line: text, or a mark in its colour.
        inside: What is folded: HTML of this package.
        heading: HTML of this package that stands in the line behind its summary.
    """
    told = escaped(summary, breaking=True)
    if isinstance(summary, Mark):
        told = f'<b style="{style(summary.state)}">{told}</b>'
    return (
        f'<details class="{AS_IT_IS}"><summary style="cursor:pointer;padding:1px 0">{told}{heading}</summary>'
        f"{inside}</details>"
    )


def marked(mark: Mark) -> str:
    """Return a mark as HTML, in its colour."""
    return f'<b style="{style(mark.state)}">{escaped(mark)}</b>'


def _titled(caption: str) -> str:
    return f'<div class="{AS_IT_IS}">{escaped(caption, breaking=True)}</div>' if caption else ""


def _table(
    caption: str,
    kinds: list[Column],
    rows: Iterable[Sequence[object]],
    more: int,
    most: int = ROWS,
) -> str:
    head = "".join(
        f'<th scope="col" style="text-align:{"right" if column.kind == "number" else "left"}">'
        f"{escaped(column.heading)}</th>"
        for column in kinds
    )
    body: list[str] = []
    size = 0
    for row in rows:
        if len(body) == most or size > SIZE:
            more += 1
            continue
        body.append(
            "<tr>" + "".join(_cell(c, value) for c, value in zip(kinds, row, strict=True)) + "</tr>"
        )
        size += len(body[-1])
    if more:
        body.append(f'<tr><td colspan="{len(kinds)}">{left_out(more)}</td></tr>')
    least = sum(_LEAST.get(column.kind, _OTHER) for column in kinds)
    wide = least > _ROOM or any(column.kind == "whole" for column in kinds)
    said = escaped(caption, breaking=True)
    if wide:
        # Of what moves the box by keyboard, a front end leaves this alone in a notebook that is not trusted.
        said = f'<a tabindex="0" style="color:inherit">{said}</a>'
    titled = f'<caption style="text-align:left">{said}</caption>' if caption else ""
    headed = f"<thead><tr>{head}</tr></thead>" if has_headings(kinds) else ""
    table = (
        f'<table class="{AS_IT_IS}" style="{_KEPT}">{titled}{headed}'
        f"<tbody>{''.join(body)}</tbody></table>"
    )
    if not wide:
        return table
    reached = f'aria-label="{attribute(caption)}"' if caption else 'tabindex="0" aria-label="table"'
    return f'<div class="{AS_IT_IS}" role="group" {reached} style="overflow-x:auto">{table}</div>'


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
    """A small table with the same content as text and as HTML; needs neither JavaScript nor pandas.

    `folded` are rows that do not matter now: behind `word` in HTML, the last in text.
    """

    def __init__(
        self,
        caption: str,
        columns: Iterable[Column | str],
        rows: Iterable[Sequence[Cell]],
        *,
        folded: Iterable[Sequence[Cell]] = (),
        word: Mark | str = "",
    ) -> None:
        self.caption = shown(caption)
        self.columns = as_columns(columns)
        self._open = _kept(rows)
        self._folded = _kept(folded)
        self._word = word

    @property
    def rows(self) -> list[list[Cell]]:
        """All rows, those that are folded last."""
        return self._open + self._folded

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
        return table_html(
            self.caption, self.columns, self._open, folded=self._folded, word=self._word
        )


def _kept(rows: Iterable[Sequence[Cell]]) -> list[list[Cell]]:
    return [
        [c if isinstance(c, Mark | Folded) else shown(c, most=CELL) for c in row] for row in rows
    ]


def _in_one_line(value: Cell) -> str:
    # A line end in a cell would begin what looks like a row.
    return shown(value, most=CELL).replace("\n", " ↵ ")
