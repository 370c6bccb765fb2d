"""Static tables of a notebook that are no DataFrames of a cluster: the plan and the preflight."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from k8swin_nb.phases.anti_spoofing import NAMES, needs
from k8swin_nb.plan import NetworkPlan
from k8swin_nb.workflow.run import Run


class StaticTable:
    """A small table with the same content as text and as HTML; needs neither JavaScript nor pandas."""

    def __init__(self, caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.caption = caption
        self.columns = list(columns)
        self.rows = [list(map(str, row)) for row in rows]

    def __repr__(self) -> str:
        lines = [self.columns, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        text = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([self.caption, *text])

    def _repr_html_(self) -> str:
        def cells(tag: str, line: Sequence[str]) -> str:
            scope = ' scope="col"' if tag == "th" else ""
            return "".join(
                f'<{tag}{scope} style="text-align:left">{html.escape(cell)}</{tag}>'
                for cell in line
            )

        body = "".join(f"<tr>{cells('td', row)}</tr>" for row in self.rows)
        return (
            f'<table><caption style="text-align:left">{html.escape(self.caption)}</caption>'
            f"<thead><tr>{cells('th', self.columns)}</tr></thead><tbody>{body}</tbody></table>"
        )


TOPOLOGIES = {
    "host-gw": "each node routes to the others' pods; one layer-2 segment",
    "l3": "the site's router routes to the nodes' pods",
    "ovn": "made by OVN/OVS, which this tool does not install",
    "vxlan": "inside UDP port 4789, VNI 4096, on all nodes",
}
"""What each topology means, in a few words."""


def plan_table(plan: NetworkPlan) -> StaticTable:
    """Return what a plan decides and derives, one row each."""
    pods = plan.pods_per_node
    rows = [
        ("pod network", str(plan.pod_subnet), "given"),
        ("service network", str(plan.service_subnet), "given"),
        ("hosts' network", str(plan.host_subnet), "given"),
        ("API service", str(plan.api_service_ip), "1st address of the service network"),
        ("DNS service", str(plan.dns_service_ip), "10th address of the service network"),
        ("nodes", f"{len(plan.nodes)} of {plan.node_capacity}", "a /24 of the pod network each"),
        ("pods", f"{plan.pod_capacity} on these nodes", "sum of what fits on each"),
        ("services", str(plan.service_capacity), "addresses of the service network"),
        ("pods on a Linux node", str(pods["linux"]), "addresses of a /24, capped by the kubelet"),
        (
            "pods on a Windows node",
            str(pods["windows"]),
            "addresses of a /24, capped by the kubelet",
        ),
        (
            "topology",
            plan.topology,
            TOPOLOGIES[plan.topology],
        ),
        *(("warning", finding.message, "") for finding in plan.findings()),
    ]
    return StaticTable("Network plan", ("what", "value", "why"), rows)


RESULTS = {"fail": "✗ fail", "warn": "● warn", "step": "→ later step", "info": "✓ ok"}
"""How a check that does not hold is shown; the worst first."""


def preflight_table(facts: Mapping[str, Mapping[str, Any]]) -> StaticTable:
    """Return every preflight check of every host, what stops first: check, host, result, found, wanted, fix."""
    rows = []
    for _, kept in sorted(facts.items()):
        for finding in (*kept.get("preflight", ()), *kept.get("cross_node", ())):
            result = "✓ ok" if finding["holds"] else RESULTS[finding["severity"]]
            fix = "" if result == "✓ ok" else finding["fix"]
            name = f"{finding['id']} {finding['check']}"
            rows.append((name, finding["host"], result, finding["found"], finding["wanted"], fix))
    order = list(RESULTS.values())
    rows.sort(key=lambda row: order.index(row[2]))
    counts = {result: sum(row[2] == result for row in rows) for result in order}
    said = ", ".join(f"{number} {result[2:]}" for result, number in counts.items() if number)
    columns = ("check", "host", "result", "found", "wanted", "fix")
    return StaticTable(f"Preflight: {len(rows)} checks: {said}", columns, rows)


def anti_spoofing_table(run: Run) -> StaticTable:
    """Return what is to be done at each node's platform, in commands."""
    rows = [
        (need.host, NAMES[need.platform], line)
        for need in needs(run)
        for line in need.commands.splitlines()
    ]
    title = "To be done at the hypervisors" if rows else "Nothing is to be done at the hypervisors"
    return StaticTable(title, ("host", "platform", "what to do"), rows)
