"""What an executed notebook begins with: what runs, where, by whom, under which id."""

from __future__ import annotations

import html

from k8swin_nb.api import OpenPhase


class Header:
    """The first output of a notebook, as text and as a static table."""

    def __init__(self, view: OpenPhase) -> None:
        phase, run, opened = view.phase, view.run, view.opened
        description, plan = run.description, run.plan
        self.title = phase.title
        self.rows = [
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
            ("record", f"{run.record.folder.parent.name}/{run.record.run_id}/events.jsonl"),
        ]

    def __repr__(self) -> str:
        width = max(len(name) for name, _ in self.rows)
        return "\n".join([self.title, *(f"{name:<{width}}  {value}" for name, value in self.rows)])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{html.escape(name)}</th>'
            f'<td style="text-align:left">{html.escape(str(value))}</td></tr>'
            for name, value in self.rows
        )
        return (
            f'<table><caption style="text-align:left"><b>{html.escape(self.title)}</b></caption>'
            f"<tbody>{rows}</tbody></table>"
        )
