"""The connectivity matrix: a table, the same as a list, and a picture in SVG.

Every state has a mark and a word beside its colour.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

from k8swin_nb.shown import shown_line
from k8swin_nb.tables import Mark
from k8swin_nb.tables.frames import ShownFrame
from k8swin_nb.tables.palette import LOOKS
from k8swin_nb.tables.picture import Picture
from k8swin_nb.tables.table import Kind
from k8swin_nb.tables.text import CELL

Record = Mapping[str, str]

MARKS = {
    mark.word: mark
    for mark in (
        Mark("pass", "ok"),
        Mark("fail", "failed"),
        Mark("known limitation", "waiting", sign="~"),
        Mark("skipped", "skipped", sign="·"),
    )
}
"""By the state of a connection."""

SIDE = 40
"""Rows and columns that a picture of the matrix has at most."""

LEFT, TOP, CELL_WIDTH, CELL_HEIGHT = 220, 150, 46, 32


def told(records: Sequence[Record]) -> list[Record]:
    """Return connections as they may be shown: what pods and hosts answered is their word."""
    return [{name: shown_line(text, most=CELL) for name, text in r.items()} for r in records]


def labels(records: Sequence[Record], name: str) -> list[str]:
    """Return the headings of one side, in the order in which they come."""
    return list(dict.fromkeys(record[name] for record in records))


class MatrixTable(ShownFrame):
    """States by where a connection begins (rows) and where it leads (columns)."""

    _index_heading = "from \\ to"

    def _mark(self, column: str, value: str) -> Mark | None:
        return MARKS.get(value)


def caption(records: Sequence[Record]) -> str:
    """Return how many connections ended how."""
    counts = Counter(record["state"] for record in records)
    told = ", ".join(f"{counts[state]} {state}" for state in MARKS if counts[state])
    return f"{len(records)} connections: {told or 'none was tried yet'}"


def matrix_table(records: Sequence[Record]) -> MatrixTable:
    """Return the matrix as a DataFrame: a row for each beginning, a column for each end."""
    records = told(records)
    rows, columns = labels(records, "from"), labels(records, "to")
    states = {(record["from"], record["to"]): record["state"] for record in records}
    table = MatrixTable(
        [[states.get((row, column), "") for column in columns] for row in rows],
        index=rows,
        columns=columns,
    )
    table.caption = caption(records)
    return table


class ConnectionsTable(ShownFrame):
    """One row for each connection, shown in full: a command that is cut off cannot be repeated."""

    _kinds: ClassVar[Mapping[str, Kind]] = {
        "evidence": "wrapped",
        "reason": "wrapped",
        "command": "code",
    }

    def _mark(self, column: str, value: str) -> Mark | None:
        return MARKS.get(value) if column == "state" else None


def connections_table(records: Sequence[Record]) -> ConnectionsTable:
    """Return one row for each connection: from, to, state, evidence, reason, command; what was skipped last."""
    columns = ["from", "to", "state", "evidence", "reason", "command"]
    ordered = sorted(told(records), key=lambda record: record["state"] == "skipped")
    table = ConnectionsTable(ordered, columns=columns)
    table.caption = caption(records)
    return table


class MatrixPicture(Picture):
    """The matrix as a picture; text for readers without pictures."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = told(records)
        sides = {name: labels(self.records, name)[:SIDE] for name in ("from", "to")}
        self.drawn = [r for r in self.records if all(r[name] in sides[name] for name in sides)]
        """What fits into a picture; the list has all."""

    def __repr__(self) -> str:
        lines = [f"Connectivity matrix, {caption(self.records)}"]
        if len(self.drawn) < len(self.records):
            lines.append(f"{len(self.records) - len(self.drawn)} of them are in the list alone")
        lines += [
            f"{record['state']}: {record['from']} to {record['to']}: "
            f"{record['evidence'] or record['reason']}"
            for record in self.drawn
            if record["state"] != "skipped"
        ]
        return "\n".join(lines)

    def _drawing(self) -> tuple[int, int, list[str]]:
        rows, columns = labels(self.drawn, "from"), labels(self.drawn, "to")
        # The last heading leans to the right by as much as it is high.
        width = max(LEFT + CELL_WIDTH * len(columns) + TOP, 640)
        height = TOP + CELL_HEIGHT * len(rows) + 56
        parts = [
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
        for record in self.drawn:
            parts.append(
                self._cell(record, rows.index(record["from"]), columns.index(record["to"]))
            )
        parts.append(self._legend(height - 24))
        return width, height, parts

    def _cell(self, record: Record, row: int, column: int) -> str:
        mark = MARKS[record["state"]]
        look = LOOKS[mark.state]
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
            f'height="{CELL_HEIGHT - 4}" rx="3" fill="{look.ground}" stroke="{look.ink}" '
            f'stroke-opacity="0.4"/><text x="{x + CELL_WIDTH // 2}" y="{y + CELL_HEIGHT // 2 + 5}" '
            f'text-anchor="middle" font-weight="bold" fill="{look.ink}">{mark.glyph}</text></g>'
        )

    def _legend(self, y: int) -> str:
        counts = Counter(record["state"] for record in self.records)
        parts, x = [], 24
        for state, mark in MARKS.items():
            text = f"{counts[state]} {state}"
            parts.append(
                f'<text x="{x}" y="{y}" font-weight="bold" fill="{LOOKS[mark.state].ink}">{mark.glyph}</text>'
                f'<text x="{x + 16}" y="{y}">{text}</text>'
            )
            x += 34 + 8 * len(text)
        return "".join(parts)
