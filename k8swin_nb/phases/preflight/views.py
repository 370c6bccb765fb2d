"""The preflight as a table."""

from __future__ import annotations

from k8swin_nb.phases.preflight.checks import CROSS_NODE, PREFLIGHT
from k8swin_nb.tables import Column, Mark, StaticTable
from k8swin_nb.workflow.phase_run import PhaseRun

RESULTS = {
    "fail": Mark("fail", "failed"),
    "warn": Mark("warn", "waiting"),
    "step": Mark("later step", "neutral", sign="→"),
    "info": Mark("ok", "ok"),
}
"""How a check that does not hold is shown; the worst first."""


def preflight_table(run: PhaseRun) -> StaticTable:
    """Return every preflight check of every host, what stops first and what passes folded away.

    Its columns are check, host, result, found, wanted, fix.
    """
    rows = []
    for host in sorted(run.inventory.hosts, key=lambda host: host.name):
        for check in (*run.facts.get(host, PREFLIGHT, []), *run.facts.get(host, CROSS_NODE, [])):
            result = RESULTS["info"] if check.holds else RESULTS[check.severity]
            fix = "" if result == RESULTS["info"] else check.fix
            name = f"{check.id} {check.check}"
            rows.append((name, check.host, result, check.found, check.wanted, fix))
    order = list(RESULTS.values())
    rows.sort(key=lambda row: order.index(row[2]))
    counts = {result: sum(row[2] == result for row in rows) for result in order}
    said = ", ".join(f"{number} {result.word}" for result, number in counts.items() if number)
    wrapped = [Column(name, "wrapped") for name in ("found", "wanted", "fix")]
    columns = [*map(Column, ("check", "host", "result")), *wrapped]
    passed = [row for row in rows if row[2] is RESULTS["info"]]
    return StaticTable(
        f"Preflight: {len(rows)} checks: {said}",
        columns,
        [row for row in rows if row[2] is not RESULTS["info"]],
        folded=passed,
        word=Mark(f"{len(passed)} ok", "ok"),
    )


VIEWS = {"preflight": preflight_table}
