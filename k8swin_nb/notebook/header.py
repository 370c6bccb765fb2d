"""What an executed notebook begins with: what runs, where, by whom, under which id."""

from __future__ import annotations

from k8swin_nb.opened import OpenPhase
from k8swin_nb.shown import shown_line
from k8swin_nb.tables import Column, StaticTable, folding, table_html
from k8swin_nb.tables.exported import PAGE, exported, printed
from k8swin_nb.workflow.phase_run import PhaseRun


def _how(run: PhaseRun) -> str:
    """Return how a run is one that changes nothing."""
    confirmed_by = run.phase.confirmed_by
    if confirmed_by and not run.options.get(confirmed_by):
        return f" (preview: nothing is removed until `{confirmed_by}` names what goes)"
    return " (dry run: nothing is changed)" if run.dry_run else ""


FEW = 3
"""Hosts that the line names."""


class Header(StaticTable):
    """The first output of a notebook, as text and as a static table that is folded behind a line."""

    def __init__(self, view: OpenPhase) -> None:
        phase, run, opened = view.phase, view.run, view.opened
        description, plan = run.description, run.plan
        rows = [
            ("run", run.record.run_id + _how(run)),
            ("notebook", phase.name),
            ("started", opened["time"]),
            ("operator", f"{opened['operator']} on {opened['controller']}"),
            *([("reason", opened["reason"])] if opened["reason"] else []),
            (
                "cluster",
                f"{description.cluster_name}, Kubernetes {description.kubernetes_version}, profile {description.profile}",
            ),
            (
                "networks",
                f"pods {plan.pod_subnet}, services {plan.service_subnet}, {plan.topology}",
            ),
            ("hosts", ", ".join(f"{h.name} ({h.address})" for h in run.inventory.hosts)),
            *([("target", run.target)] if run.target else []),
            ("parameters", f"sha256 {opened['parameters_sha256'][:16]}"),
            *([("not ended", "; ".join(map(str, view.unfinished)))] if view.unfinished else []),
            ("record", f"{run.record.folder.parent.name}/{run.record.run_id}/events.jsonl"),
        ]
        # What changes what a reader may expect is in the line; what an auditor asks for is behind it.
        not_ended = (("not ended", "; ".join(map(str, view.unfinished))),)
        named = [host.name for host in run.inventory.hosts]
        hosts = ", ".join(named) if len(named) <= FEW else f"{len(named)} hosts"
        on = f" on {run.target}" if run.target else ""
        self._line = shown_line(
            f"{phase.title}: cluster {description.cluster_name}, Kubernetes {description.kubernetes_version}, {hosts}; "
            f"run {run.record.run_id}{on}{_how(run)}"
        )
        self._warnings = not_ended if view.unfinished else ()
        super().__init__(phase.title, (Column("", "name"), Column("")), rows)

    def _repr_html_(self) -> str:
        warnings = table_html("", self.columns, self._warnings) if self._warnings else ""
        # Whoever exports or prints the notebook has nbconvert's pale colours and cut-off lines otherwise.
        style = f"<style>{exported(PAGE)}{printed(PAGE)}</style>"
        return folding(self._line, super()._repr_html_()) + warnings + style
