"""The report of outcomes: one row per step and host, as text, as a static HTML table, as a DataFrame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from k8swin_nb.shown import shown_line
from k8swin_nb.tables import (
    Column,
    Folded,
    Mark,
    State,
    escaped,
    folding,
    marked,
    preformatted,
    table_html,
)
from k8swin_nb.tables.table import AS_IT_IS, PREFORMATTED
from k8swin_nb.workflow.step import Outcome

if TYPE_CHECKING:
    import pandas as pd

STATES: dict[Outcome, State] = {
    Outcome.OK: "ok",
    Outcome.CHANGED: "waiting",
    Outcome.WOULD_CHANGE: "waiting",
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
    Column("detail", "wrapped"),
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

    difference: str = ""
    """What the step changed or would change, as text of several lines, masked; empty where `detail` says it."""

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

    def by_host(self) -> dict[str, str]:
        """Return how it ended on each host, by its worst row: `unreachable`, `failed`, `changed` or `ok`."""
        worst = (Outcome.UNREACHABLE, Outcome.FAILED, Outcome.CHANGED, Outcome.WOULD_CHANGE)
        by_host: dict[str, set[Outcome]] = {}
        for row in self.rows:
            by_host.setdefault(row.host, set()).add(row.outcome)
        found = {
            host: next((one for one in worst if one in outcomes), Outcome.OK)
            for host, outcomes in by_host.items()
        }
        return {
            host: "changed" if one is Outcome.WOULD_CHANGE else one.value
            for host, one in found.items()
        }

    def recap(self) -> str:
        """Return one line: `ok=12 changed=3`, in a dry run `ok=12 would-change=3`."""
        counted = self.counts().items()
        return " ".join(f"{name.replace(' ', '-')}={count}" for name, count in counted) or EMPTY

    def frame(self) -> pd.DataFrame:
        """Return the rows as a DataFrame with the columns step, host, outcome, seconds, detail, difference."""
        import pandas as pd

        columns = ["step", "host", "outcome", "seconds", "detail", "difference"]
        rows = [
            (r.step, r.host, r.outcome.value, r.seconds, r.detail, r.difference) for r in self.rows
        ]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        width = max((len(row.step) for row in self.rows), default=4)
        host_width = max((len(row.host) for row in self.rows), default=4)
        lines = []
        for row in self.rows:
            lines.append(
                f"{outcome_mark(row.outcome).glyph} {row.step:<{width}}  {row.host:<{host_width}}  "
                f"{row.outcome.value:<12}  {row.seconds:6.1f}s  {row.detail}".rstrip()
            )
            lines.extend(f"    {line}".rstrip() for line in row.difference.splitlines())
        return "\n".join([self.title, *lines, self.recap()])

    def _repr_html_(self) -> str:
        if not self.rows:
            return f'<div class="{AS_IT_IS}">{self.line()}</div>'
        line, behind = self.line(), self.behind()
        if line and behind:
            return folding("", behind, heading=line)
        if line:
            return f'<div class="{AS_IT_IS}">{line}</div>'
        passed = [row for row in self.rows if row.outcome in PASSED]
        return table_html(
            f"{self.title}: {self.recap()}",
            COLUMNS,
            [_cells(row) for row in self.rows if row.outcome not in PASSED],
            folded=list(map(_cells, passed)),
            word=Report("", passed).recap(),
        )

    def line(self) -> str:
        """Return the report as one line of HTML; empty where there is something to look at row by row."""
        if not self.rows:
            return f"{escaped(self.title)}: {EMPTY}"
        if len(self.rows) == 1:
            row = self.rows[0]
            said = f"{row.host}, {row.seconds:.1f} s{f': {row.detail}' if row.detail else ''}"
            failed = STATES[row.outcome] == "failed"
            return (
                ""
                if failed
                else f"{marked(outcome_mark(row.outcome))} {escaped(said, breaking=True)}"
            )
        if any(row.outcome not in PASSED for row in self.rows):
            return ""
        marks = (
            marked(Mark(f"{number} {name}", STATES[Outcome(name)]))
            for name, number in self.counts().items()
        )
        hosts = dict.fromkeys(row.host for row in self.rows)
        details = dict.fromkeys(row.detail for row in self.rows)
        said = next(iter(details)) if len(details) == 1 else ""
        told = ", ".join(hosts) if len(hosts) <= FEW else f"{len(hosts)} hosts"
        what = f"{self.title}:" if len({row.step for row in self.rows}) > 1 else ""
        on = f"on {told}{f': {said}' if said else ''}"
        return f"{escaped(what)} {', '.join(marks)} {escaped(on, breaking=True)}".strip()

    def behind(self) -> str:
        """Return as HTML what `line` leaves out: the rows, or what the only one changes; empty where it says all."""
        if len(self.rows) > 1:
            return table_html("", COLUMNS, map(_cells, self.rows))
        return "".join(
            preformatted(row.difference, look=PREFORMATTED) for row in self.rows if row.difference
        )


FEW = 4
"""Hosts that a line names."""

PASSED = frozenset({Outcome.OK, Outcome.CHANGED, Outcome.SKIPPED})
"""How a row ends that nobody has to look at: it is folded away."""


def _cells(row: Row) -> tuple[object, ...]:
    return (row.step, row.host, outcome_mark(row.outcome), f"{row.seconds:.1f}", told(row))


def told(row: Row) -> str | Folded:
    """Return a row's line, with what the step changes folded behind it."""
    return Folded(row.detail, row.difference) if row.difference else row.detail
