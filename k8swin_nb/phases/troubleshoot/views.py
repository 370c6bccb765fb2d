"""Findings and the table of symptoms."""

from __future__ import annotations

from k8swin_nb.phases.troubleshoot.collecting import findings
from k8swin_nb.symptoms import entries
from k8swin_nb.tables import Column, StaticTable
from k8swin_nb.workflow.phase_run import PhaseRun


def findings_table(run: PhaseRun) -> StaticTable:
    """Return what the collected evidence shows: entry, host, evidence, fix."""
    rows = [(f.entry.id, f.host, f.evidence, f.entry.fix) for f in findings(run)]
    columns = ("entry", "host", Column("evidence", "wrapped"), Column("fix", "wrapped"))
    return StaticTable(f"Findings: {len(rows)}", columns, rows)


def symptoms_table(run: PhaseRun) -> StaticTable:
    """Return the whole table: entry, symptom, cause, evidence, fix, source."""
    names = ("symptom", "cause", "evidence", "fix", "source")
    rows = [[e.id, *(getattr(e, name) for name in names)] for e in entries()]
    columns = [Column("entry"), *(Column(name, "wrapped") for name in names)]
    return StaticTable(f"{len(rows)} entries", columns, rows)


VIEWS = {"findings": findings_table, "symptoms": symptoms_table}
