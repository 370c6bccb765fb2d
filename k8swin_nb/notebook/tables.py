"""Static tables of a notebook that are no DataFrames of a cluster: the plan and the preflight."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from k8swin_nb.plan import NetworkPlan


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


def preflight_table(facts: Mapping[str, Mapping[str, Any]]) -> StaticTable:
    """Return every preflight check of every host: check, host, result, found, wanted, fix."""
    rows = []
    for host, kept in facts.items():
        for finding in kept.get("preflight", ()):
            result = (
                "✓ ok"
                if finding["holds"]
                else ("✗ fail" if finding["severity"] == "fail" else "● warn")
            )
            fix = "" if finding["holds"] else finding["fix"]
            rows.append((finding["check"], host, result, finding["found"], finding["wanted"], fix))
    columns = ("check", "host", "result", "found", "wanted", "fix")
    return StaticTable(f"Preflight: {len(rows)} checks", columns, rows)
