"""The connectivity matrix: a table, the same as a list, and a picture in SVG.

Static, like the address map: no JavaScript, and an image too, because a front end shows SVG of trusted
notebooks only. Every state has a mark and a word beside its colour.
"""

from __future__ import annotations

import base64
import html
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

Record = Mapping[str, str]

MARKS = {
    "pass": ("✓", "#1a7f37", "#dafbe1"),
    "fail": ("✗", "#cf222e", "#ffebe9"),
    "known limitation": ("~", "#9a6700", "#fff8c5"),
    "skipped": ("·", "#57606a", "#f6f8fa"),
}
"""By state: a mark, its colour, and the colour of its ground."""

LEFT, TOP, CELL_WIDTH, CELL_HEIGHT = 220, 150, 46, 32


def labels(records: Sequence[Record], name: str) -> list[str]:
    """Return the headings of one side, in the order in which they come."""
    return list(dict.fromkeys(record[name] for record in records))


class MatrixTable(pd.DataFrame):
    """States by where a connection begins (rows) and where it leads (columns)."""

    _metadata = ["caption"]  # noqa: RUF012 - pandas' own protocol
    caption: str

    @property
    def _constructor(self) -> Any:
        return MatrixTable

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col" style="text-align:left">{html.escape(str(name))}</th>'
            for name in ["from \\ to", *self.columns]
        )
        body = []
        for name, row in zip(self.index, self.itertuples(index=False, name=None), strict=True):
            cells = [f'<th scope="row" style="text-align:left">{html.escape(str(name))}</th>']
            for value in row:
                mark, colour, _ = MARKS.get(str(value), ("", "inherit", ""))
                cells.append(
                    f'<td style="color:{colour};text-align:left;white-space:nowrap">'
                    f"{mark} {html.escape(str(value))}</td>"
                )
            body.append(f"<tr>{''.join(cells)}</tr>")
        caption = html.escape(getattr(self, "caption", "") or "")
        return (
            f'<table><caption style="text-align:left">{caption}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
        )


def caption(records: Sequence[Record]) -> str:
    """Return how many connections ended how."""
    counts = Counter(record["state"] for record in records)
    told = ", ".join(f"{counts[state]} {state}" for state in MARKS if counts[state])
    return f"{len(records)} connections: {told or 'none was tried yet'}"


def matrix_table(records: Sequence[Record]) -> MatrixTable:
    """Return the matrix as a DataFrame: a row for each beginning, a column for each end."""
    rows, columns = labels(records, "from"), labels(records, "to")
    states = {(record["from"], record["to"]): record["state"] for record in records}
    table = MatrixTable(
        [[states.get((row, column), "") for column in columns] for row in rows],
        index=rows,
        columns=columns,
    )
    table.caption = caption(records)
    return table


class ConnectionsTable(pd.DataFrame):
    """One row for each connection, shown in full: a command that is cut off cannot be repeated."""

    _metadata = ["caption"]  # noqa: RUF012 - pandas' own protocol
    caption: str

    @property
    def _constructor(self) -> Any:
        return ConnectionsTable

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col" style="text-align:left">{html.escape(str(name))}</th>'
            for name in self.columns
        )
        body = []
        for row in self.itertuples(index=False, name=None):
            cells = []
            for name, value in zip(self.columns, row, strict=True):
                style, text = "text-align:left", html.escape(str(value))
                if name == "state":
                    mark, colour, _ = MARKS.get(str(value), ("", "inherit", ""))
                    style, text = f"{style};color:{colour};white-space:nowrap", f"{mark} {text}"
                if name in ("evidence", "reason"):
                    style = f"{style};min-width:11em;overflow-wrap:anywhere"
                if name == "command" and text:
                    style, text = (
                        f"{style};min-width:18em;overflow-wrap:anywhere",
                        f"<code>{text}</code>",
                    )
                cells.append(f'<td style="{style}">{text}</td>')
            body.append(f"<tr>{''.join(cells)}</tr>")
        return (
            f'<table><caption style="text-align:left">{html.escape(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
        )


def connections_table(records: Sequence[Record]) -> ConnectionsTable:
    """Return one row for each connection: from, to, state, evidence, reason, command; what was skipped last."""
    columns = ["from", "to", "state", "evidence", "reason", "command"]
    ordered = sorted(records, key=lambda record: record["state"] == "skipped")
    table = ConnectionsTable(ordered, columns=columns)
    table.caption = caption(records)
    return table


class MatrixPicture:
    """The matrix as a picture; text for readers without pictures."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = list(records)

    def __repr__(self) -> str:
        lines = [f"Connectivity matrix, {caption(self.records)}"]
        lines += [
            f"{record['state']}: {record['from']} to {record['to']}: "
            f"{record['evidence'] or record['reason']}"
            for record in self.records
            if record["state"] != "skipped"
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        data = base64.b64encode(self._repr_svg_().encode()).decode()
        text = html.escape(repr(self), quote=True)
        return f'<img alt="{text}" src="data:image/svg+xml;base64,{data}"/>'

    def _repr_svg_(self) -> str:
        rows, columns = labels(self.records, "from"), labels(self.records, "to")
        # The last heading leans to the right by as much as it is high.
        width = max(LEFT + CELL_WIDTH * len(columns) + TOP, 640)
        height = TOP + CELL_HEIGHT * len(rows) + 56
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'role="img" aria-label="{html.escape(repr(self), quote=True)}" '
            'font-family="sans-serif" font-size="13" fill="#24292f">'
            f'<rect width="{width}" height="{height}" rx="6" fill="#ffffff"/>'
            f'<text x="{LEFT - 12}" y="{TOP - 12}" text-anchor="end" fill-opacity="0.7">'
            "from, and to →</text>"
        ]
        for index, column in enumerate(columns):
            x = LEFT + CELL_WIDTH * index + CELL_WIDTH // 2
            parts.append(
                f'<text transform="translate({x},{TOP - 8}) rotate(-45)">{html.escape(column)}</text>'
            )
        for index, row in enumerate(rows):
            y = TOP + CELL_HEIGHT * index + CELL_HEIGHT // 2 + 5
            parts.append(
                f'<text x="{LEFT - 12}" y="{y}" text-anchor="end">{html.escape(row)}</text>'
            )
        for record in self.records:
            parts.append(
                self._cell(record, rows.index(record["from"]), columns.index(record["to"]))
            )
        parts.append(self._legend(height - 24))
        return "".join(parts) + "</svg>"

    def _cell(self, record: Record, row: int, column: int) -> str:
        mark, colour, ground = MARKS[record["state"]]
        x, y = LEFT + CELL_WIDTH * column, TOP + CELL_HEIGHT * row
        lines = [
            f"{record['from']} to {record['to']}: {record['state']}",
            record["evidence"],
            record["reason"],
            record["command"],
        ]
        title = html.escape("\n".join(line for line in lines if line))
        return (
            f'<g><title>{title}</title><rect x="{x + 2}" y="{y + 2}" width="{CELL_WIDTH - 4}" '
            f'height="{CELL_HEIGHT - 4}" rx="3" fill="{ground}" stroke="{colour}" '
            f'stroke-opacity="0.4"/><text x="{x + CELL_WIDTH // 2}" y="{y + CELL_HEIGHT // 2 + 5}" '
            f'text-anchor="middle" font-weight="bold" fill="{colour}">{mark}</text></g>'
        )

    def _legend(self, y: int) -> str:
        counts = Counter(record["state"] for record in self.records)
        parts, x = [], 24
        for state, (mark, colour, _) in MARKS.items():
            text = f"{counts[state]} {state}"
            parts.append(
                f'<text x="{x}" y="{y}" font-weight="bold" fill="{colour}">{mark}</text>'
                f'<text x="{x + 16}" y="{y}">{text}</text>'
            )
            x += 34 + 8 * len(text)
        return "".join(parts)
