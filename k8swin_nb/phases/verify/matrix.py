"""The connectivity matrix: a table, the same as a list, and a picture in SVG.

Every state has a mark and a word beside its colour.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from k8swin_nb.shown import shown_line
from k8swin_nb.tables import Mark, escaped, folding
from k8swin_nb.tables.frames import ShownFrame
from k8swin_nb.tables.palette import LOOKS
from k8swin_nb.tables.picture import FAINT, Picture, box, breadth, words
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

LIMITATION = "known limitation"

SEVERITY = ("fail", LIMITATION, "pass", "skipped")
"""States in the order in which a reader wants to know of them."""

MOST_ROWS, MOST_COLUMNS = 24, 16
"""What a picture of the matrix has at most, so that its words can be read on a page."""

MOST_WORDS = 200
"""Connections that are told in words in place of the picture."""

LEFT, TOP, CELL_WIDTH, CELL_HEIGHT = 230, 150, 46, 30


def told(records: Sequence[Record]) -> list[Record]:
    """Return connections as they may be shown: what pods and hosts answered is their word."""
    # Most texts of a large matrix are the same few.
    passed = functools.cache(lambda text: shown_line(text, most=CELL))
    return [{name: passed(text) for name, text in r.items()} for r in records]


def labels(records: Sequence[Record], name: str) -> list[str]:
    """Return the headings of one side, in the order in which they come."""
    return list(dict.fromkeys(record[name] for record in records))


class MatrixTable(ShownFrame):
    """States by where a connection begins (rows) and where it leads (columns)."""

    _index_heading = "from \\ to"
    _long = True

    @property
    def caption(self) -> str:
        """How many of the connections in the table ended how."""
        states = (state for state in self.to_numpy().ravel() if isinstance(state, str))
        return _caption(state for state in states if state in MARKS)

    def _mark(self, column: str, value: str) -> Mark | None:
        return MARKS.get(value)


def caption(records: Sequence[Record]) -> str:
    """Return how many connections ended how."""
    return _caption(record["state"] for record in records)


def _caption(states: Iterable[str]) -> str:
    counts = Counter(states)
    told = ", ".join(f"{counts[state]} {state}" for state in MARKS if counts[state])
    number = counts.total()
    return f"{number} connection{'' if number == 1 else 's'}: {told or 'none was tried yet'}"


def matrix_table(records: Sequence[Record]) -> MatrixTable:
    """Return the matrix as a DataFrame: a row for each beginning, a column for each end."""
    records = told(records)
    rows, columns = labels(records, "from"), labels(records, "to")
    states = {(record["from"], record["to"]): record["state"] for record in records}
    return MatrixTable(
        [[states.get((row, column), "") for column in columns] for row in rows],
        index=rows,
        columns=columns,
    )


class ConnectionsTable(ShownFrame):
    """One row for each connection, shown in full: a command that is cut off cannot be repeated."""

    _kinds: ClassVar[Mapping[str, Kind]] = {
        "evidence": "wrapped",
        "reason": "wrapped",
        "command": "code",
    }
    _long = True

    @property
    def caption(self) -> str:
        """How many of the connections in the table ended how; of rows that are no connections, nothing."""
        if not self.columns.is_unique or not {"from", "to", "state"} <= set(self.columns):
            return ""
        return _caption(state for state in self["state"] if isinstance(state, str) and state)

    def _mark(self, column: str, value: str) -> Mark | None:
        return MARKS.get(value) if column == "state" else None

    def _repr_html_(self) -> str | None:
        """Fold away what nobody has to look at, where there is much of it: what passes, was skipped or is a known limitation."""
        html = super()._repr_html_()
        if html is None or not self.caption or len(self) <= MANY:
            return html
        limits = self["state"] == LIMITATION
        passes = self["state"].isin(["pass", "skipped"])
        wrong = self[~passes & ~limits]
        # What is told apart from a failure stands first, with its reasons.
        folded = [part for part in (self[limits], self[passes]) if len(part)]
        if not folded:
            return html
        parts = [super(ConnectionsTable, wrong)._repr_html_() or ""] if len(wrong) else []
        for part in folded:
            said = ", ".join(f"{n} {state}" for state, n in Counter(part["state"]).items())
            parts.append(folding(said, super(ConnectionsTable, part)._repr_html_() or ""))
        return f"<div>{escaped(self.caption)}</div>{''.join(parts)}"


MANY = 5
"""Connections that are shown without anything folded away."""


def connections_table(records: Sequence[Record]) -> ConnectionsTable:
    """Return one row for each connection: from, to, state, evidence, reason, command; what was skipped last."""
    columns = ["from", "to", "state", "evidence", "reason", "command"]
    ordered = sorted(told(records), key=lambda record: record["state"] == "skipped")
    return ConnectionsTable(ordered, columns=columns)


class MatrixPicture(Picture):
    """The matrix as a picture; text for readers without pictures.

    One that has too many rows or columns to be read on paper is drawn by kinds of places, such as all Windows pods; what
    fails keeps a row and a column of its own.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = told(records)
        self.rows = _folded(self.records, "from", MOST_ROWS)
        self.columns = _folded(self.records, "to", MOST_COLUMNS)

    def __repr__(self) -> str:
        lines = [f"Connectivity matrix, {caption(self.records)}"]
        tried = [record for record in self.records if record["state"] != "skipped"]
        # What is wrong comes first, and so is never among what is left out.
        tried.sort(key=lambda record: SEVERITY.index(record["state"]))
        lines += [
            f"{record['state']}: {record['from']} to {record['to']}: "
            f"{record['evidence'] or record['reason']}"
            for record in tried[:MOST_WORDS]
        ]
        if len(tried) > MOST_WORDS:
            lines.append(f"{len(tried) - MOST_WORDS} more of them are in the list alone")
        return "\n".join(lines)

    def _drawing(self) -> tuple[int, int, list[str]]:
        rows = list(dict.fromkeys(self.rows.values()))
        columns = list(dict.fromkeys(self.columns.values()))
        # The last heading leans to the right by as much as it is high.
        width = max(LEFT + CELL_WIDTH * len(columns) + TOP, 640)
        height = TOP + CELL_HEIGHT * len(rows) + 56
        parts = [words(LEFT - 12, TOP - 12, "from, and to →", anchor="end", fill=FAINT)]
        for index, column in enumerate(columns):
            x = LEFT + CELL_WIDTH * index + CELL_WIDTH // 2
            parts.append(words(x, TOP - 8, column, turned=True, room=TOP * 1.35))
        for index, row in enumerate(rows):
            y = TOP + CELL_HEIGHT * index + CELL_HEIGHT // 2 + 5
            parts.append(words(LEFT - 12, y, row, anchor="end", room=LEFT - 16))
        cells: dict[tuple[str, str], list[Record]] = {}
        for record in self.records:
            place = self.rows[record["from"]], self.columns[record["to"]]
            cells.setdefault(place, []).append(record)
        for (row, column), found in cells.items():
            parts.append(self._cell(found, rows.index(row), columns.index(column)))
        parts.append(self._legend(height - 24))
        return width, height, parts

    def _cell(self, found: list[Record], row: int, column: int) -> str:
        found = sorted(found, key=lambda record: SEVERITY.index(record["state"]))
        worst = found[0]
        mark = MARKS[worst["state"]]
        look = LOOKS[mark.state]
        x, y = LEFT + CELL_WIDTH * column, TOP + CELL_HEIGHT * row
        lines = [
            f"{worst['from']} to {worst['to']}: {worst['state']}",
            worst["evidence"],
            worst["reason"],
            worst["command"],
            caption(found) if len(found) > 1 else "",
        ]
        title = "\n".join(line for line in lines if line)
        # What was not tried says nothing about the rest of a group.
        count = sum(record["state"] == worst["state"] for record in found)
        sign = mark.glyph if len(found) == 1 else f"{mark.glyph}{count}"
        middle = x + CELL_WIDTH // 2, y + CELL_HEIGHT // 2 + 5
        return box(
            x + 2,
            y + 2,
            CELL_WIDTH - 4,
            CELL_HEIGHT - 4,
            fill=look.ground,
            stroke=look.ink,
            title=title,
        ) + words(*middle, sign, anchor="middle", bold=True, fill=look.ink)

    def _legend(self, y: int) -> str:
        counts = Counter(record["state"] for record in self.records)
        parts, x = [], 24.0
        for state, mark in MARKS.items():
            text = f"{counts[state]} {state}"
            parts.append(words(x, y, mark.glyph, bold=True, fill=LOOKS[mark.state].ink))
            parts.append(words(x + 16, y, text))
            x += 34 + breadth(text)
        return "".join(parts)


def _folded(records: Sequence[Record], side: str, most: int) -> dict[str, str]:
    """Return under which heading each place of a side is drawn: its own, or its kind's where there are too many."""
    kinds = {record[side]: record.get(f"{side}_kind") or record[side] for record in records}
    if len(kinds) <= most:
        return {name: name for name in kinds}
    if len(set(kinds.values())) == len(kinds):
        # Nobody says of what kind they are.
        kinds = dict.fromkeys(kinds, "others")
    counts = Counter(kinds.values())
    wrong = [r[side] for r in records if r["state"] == "fail"]
    # The places with most failures, each by itself.
    alone = {name for name, _ in Counter(wrong).most_common(max(0, most - len(counts)))}
    left = Counter(kind for name, kind in kinds.items() if name not in alone)
    return {
        name: name if name in alone or left[kind] == 1 else f"{left[kind]} {kind}"
        for name, kind in kinds.items()
    }
