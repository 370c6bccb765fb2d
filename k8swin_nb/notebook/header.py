"""What an executed notebook begins with: what runs, where, by whom, under which id."""

from __future__ import annotations

from k8swin_nb.opened import OpenPhase
from k8swin_nb.tables import Column, StaticTable


class Header(StaticTable):
    """The first output of a notebook, as text and as a static table."""

    def __init__(self, view: OpenPhase) -> None:
        phase, run, opened = view.phase, view.run, view.opened
        description, plan = run.description, run.plan
        rows = [
            ("run", run.record.run_id + (" (dry run: nothing is changed)" if run.dry_run else "")),
            ("notebook", phase.name),
            ("started", opened["time"]),
            ("operator", f"{opened['operator']} on {opened['controller']}"),
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
        super().__init__(phase.title, (Column("", "name"), Column("")), rows)
