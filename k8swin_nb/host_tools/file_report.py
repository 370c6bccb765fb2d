"""What became of files on hosts: a row each, and the differences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from k8swin_nb.host_tools.facts import size_text
from k8swin_nb.shown import shown
from k8swin_nb.tables import Column, Mark, State, StaticTable, preformatted, table_html

if TYPE_CHECKING:
    from k8swin_nb.tables.frames import ShownFrame

STATES: dict[str, State] = {
    "ok": "ok",
    "changed": "waiting",
    "would change": "waiting",
    "skipped": "skipped",
    "failed": "failed",
}
"""How a file ended, and how that looks."""

MOST_DIFF = 20_000
"""Characters of a difference that are shown."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of one host."""

    host: str
    file: str
    """Its place: on the host what was pushed or written, here what was pulled."""

    outcome: str
    """`ok`, `changed`, `would change`, `failed`, or `skipped`: it is not carried, `detail` says why."""

    size: int
    """Bytes."""

    detail: str = ""
    diff: str = ""
    """Found and wanted as a unified diff; empty where there is none to be shown."""


class FileReport:
    """Files on hosts and how they ended; `df` has them as a DataFrame, `diffs` what differed, by host and file."""

    def __init__(self, caption: str, rows: Iterable[FileRow]) -> None:
        self.caption = caption
        self.rows = list(rows)

    def __iter__(self) -> Iterator[FileRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def changed(self) -> bool:
        """Whether something was changed, or would be."""
        return any("change" in row.outcome for row in self.rows)

    @property
    def diffs(self) -> dict[tuple[str, str], str]:
        """What differed, by host and file, unmasked."""
        return {(row.host, row.file): row.diff for row in self.rows if row.diff}

    @property
    def df(self) -> ShownFrame:
        """A row for each file: HOST, FILE, OUTCOME, BYTES, DETAIL."""
        from k8swin_nb.host_tools.tool_frames import FilesFrame

        rows = [[row.host, row.file, row.outcome, row.size, row.detail] for row in self.rows]
        return FilesFrame.of(rows, columns=["HOST", "FILE", "OUTCOME", "BYTES", "DETAIL"])

    def _table(self) -> list[list[Any]]:
        return [
            [
                row.host,
                Mark(row.outcome, STATES.get(row.outcome, "neutral")),
                row.file,
                size_text(row.size),
                row.detail,
            ]
            for row in self.rows
        ]

    def _title(self) -> str:
        return self.caption if self.rows else f"{self.caption}: no files"

    def _told(self) -> list[tuple[str, str]]:
        """Return each different difference once, with the files that it is of."""
        by_diff: dict[str, list[FileRow]] = {}
        for row in self.rows:
            if row.diff:
                by_diff.setdefault(row.diff, []).append(row)
        told = []
        for diff, rows in by_diff.items():
            files = ", ".join(dict.fromkeys(row.file for row in rows))
            hosts = ", ".join(dict.fromkeys(row.host for row in rows))
            told.append((f"{files} on {hosts}", shown(diff, most=MOST_DIFF)))
        return told

    def __repr__(self) -> str:
        table = StaticTable(self._title(), ["", "", "", "", ""], self._table())
        return "\n".join([repr(table), *(f"{title}:\n{diff}" for title, diff in self._told())])

    def _repr_html_(self) -> str:
        columns = [
            Column("host", "name"),
            Column("outcome"),
            Column("file", "wrapped"),
            Column("size", "number"),
            Column("", "wrapped"),
        ]
        diffs = "".join(preformatted(f"{title}:\n{diff}") for title, diff in self._told())
        return table_html(self._title(), columns, self._table()) + diffs
