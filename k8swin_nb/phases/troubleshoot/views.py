"""Findings and the table of symptoms."""

from __future__ import annotations

from k8swin_nb.phases.troubleshoot.collecting import findings
from k8swin_nb.symptoms import entries
from k8swin_nb.tables import StaticTable
from k8swin_nb.workflow.phase_run import PhaseRun


def findings_table(run: PhaseRun) -> StaticTable:
    """Return what the collected evidence shows: entry, host, evidence, fix."""
    rows = [(f.entry.id, f.host, f.evidence, f.entry.fix) for f in findings(run)]
    return StaticTable(f"Findings: {len(rows)}", ("entry", "host", "evidence", "fix"), rows)


def symptoms_table(run: PhaseRun) -> StaticTable:
    """Return the whole table: entry, symptom, cause, evidence, fix, source."""
    columns = ("entry", "symptom", "cause", "evidence", "fix", "source")
    rows = [[getattr(e, "id" if c == "entry" else c) for c in columns] for e in entries()]
    return StaticTable(f"{len(rows)} entries", columns, rows)


VIEWS = {"findings": findings_table, "symptoms": symptoms_table}
