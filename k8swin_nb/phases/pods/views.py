"""What notebooks show of what runs in the cluster."""

from __future__ import annotations

from k8swin_nb.phases.pods.dashboard import dashboard_rows
from k8swin_nb.tables import StaticTable
from k8swin_nb.workflow.phase_run import PhaseRun


def dashboard(run: PhaseRun) -> StaticTable:
    """Return where the Dashboard is, how to open it, and in which file its token is."""
    return StaticTable("Kubernetes Dashboard", ("what", "value"), dashboard_rows(run))
