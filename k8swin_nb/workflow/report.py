"""The report of outcomes: one row per step and host, as text, as a static HTML table, as a DataFrame."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from k8swin_nb.workflow.step import Outcome

if TYPE_CHECKING:
    import pandas as pd

MARKS = {
    Outcome.OK: ("✓", "#1a7f37"),
    Outcome.CHANGED: ("●", "#9a6700"),
    Outcome.SKIPPED: ("○", "#57606a"),
    Outcome.FAILED: ("✗", "#cf222e"),
    Outcome.UNREACHABLE: ("✗", "#cf222e"),
}
"""A glyph and a colour for each outcome; the word always stands beside them."""


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
            f"{MARKS[row.outcome][0]} {row.step:<{width}}  {row.host:<{host_width}}  "
            f"{row.outcome.value:<11}  {row.seconds:6.1f}s  {row.detail}".rstrip()
            for row in self.rows
        ]
        return "\n".join([self.title, *lines, self.recap()])

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<p>{html.escape(self.title)}: {EMPTY}</p>"
        cells = []
        for row in self.rows:
            mark, colour = MARKS[row.outcome]
            cells.append(
                f'<tr><td style="text-align:left">{html.escape(row.step)}</td>'
                f'<td style="text-align:left">{html.escape(row.host)}</td>'
                f'<td style="color:{colour};text-align:left;white-space:nowrap"><b>{mark} {row.outcome.value}</b></td>'
                f'<td style="text-align:right">{row.seconds:.1f}</td>'
                f'<td style="text-align:left">{html.escape(row.detail)}</td></tr>'
            )
        head = "".join(
            f'<th scope="col" style="text-align:left">{name}</th>'
            for name in ("step", "host", "outcome", "seconds", "detail")
        )
        return (
            f'<table><caption style="text-align:left">{html.escape(self.title)}: '
            f"{html.escape(self.recap())}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{''.join(cells)}</tbody></table>"
        )
