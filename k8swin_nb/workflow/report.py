"""The report of outcomes: one row per step and host, as text, as a static HTML table, as a DataFrame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from k8swin_nb.shown import shown_line
from k8swin_nb.tables import Column, Mark, State, escaped, table_html
from k8swin_nb.workflow.step import Outcome

if TYPE_CHECKING:
    import pandas as pd

STATES: dict[Outcome, State] = {
    Outcome.OK: "ok",
    Outcome.CHANGED: "waiting",
    Outcome.SKIPPED: "skipped",
    Outcome.FAILED: "failed",
    Outcome.UNREACHABLE: "failed",
}
"""In which state of the palette an outcome is shown."""

COLUMNS = (
    Column("step"),
    Column("host"),
    Column("outcome"),
    Column("seconds", "number"),
    Column("detail"),
)


def outcome_mark(outcome: Outcome) -> Mark:
    """Return an outcome with its glyph and colour."""
    return Mark(outcome.value, STATES[outcome])


EMPTY = "no host is of this kind"
"""What a report without rows says."""


@dataclass(frozen=True, slots=True)
class Row:
    """How one step ended on one host."""

    step: str
    host: str
    outcome: Outcome
    seconds: float
    detail: str = ""
    """One line, masked: hosts' words pass the door where the row is made."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", shown_line(self.detail))


class Report:
    """Rows in the order in which they happened."""

    def __init__(self, title: str, rows: Iterable[Row] = ()) -> None:
        self.title = title
        self.rows = list(rows)

    def counts(self) -> dict[str, int]:
        """Return how many rows ended how, in Ansible's order and with zeros left out."""
        counted = Counter(row.outcome for row in self.rows)
        return {outcome.value: counted[outcome] for outcome in Outcome if counted[outcome]}

    def recap(self) -> str:
        """Return one line: `ok=12 changed=3`."""
        return " ".join(f"{name}={count}" for name, count in self.counts().items()) or EMPTY

    def frame(self) -> pd.DataFrame:
        """Return the rows as a DataFrame with the columns step, host, outcome, seconds, detail."""
        import pandas as pd

        columns = ["step", "host", "outcome", "seconds", "detail"]
        rows = [(r.step, r.host, r.outcome.value, r.seconds, r.detail) for r in self.rows]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        width = max((len(row.step) for row in self.rows), default=4)
        host_width = max((len(row.host) for row in self.rows), default=4)
        lines = [
            f"{outcome_mark(row.outcome).glyph} {row.step:<{width}}  {row.host:<{host_width}}  "
            f"{row.outcome.value:<11}  {row.seconds:6.1f}s  {row.detail}".rstrip()
            for row in self.rows
        ]
        return "\n".join([self.title, *lines, self.recap()])

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<p>{escaped(self.title)}: {EMPTY}</p>"
        rows = [
            (row.step, row.host, outcome_mark(row.outcome), f"{row.seconds:.1f}", row.detail)
            for row in self.rows
        ]
        return table_html(f"{self.title}: {self.recap()}", COLUMNS, rows)
