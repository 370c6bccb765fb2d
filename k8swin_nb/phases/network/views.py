"""What the network's notebooks show: the plan, the addresses, routes, and what is to be done at hypervisors."""

from __future__ import annotations

from typing import Any

from k8swin_nb.errors import StepFailed
from k8swin_nb.phases.network.address_map import AddressMap
from k8swin_nb.phases.network.anti_spoofing import NAMES, needs
from k8swin_nb.phases.network.handover import Handover, RouteListing
from k8swin_nb.phases.network.host_form import form_of
from k8swin_nb.phases.network.static_routes import read_routes
from k8swin_nb.phases.network.subnet_form import form
from k8swin_nb.plan import TOPOLOGIES, NetworkPlan
from k8swin_nb.reading import first_line
from k8swin_nb.tables import Column, StaticTable
from k8swin_nb.workflow.phase_run import PhaseRun


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
    ]
    warnings = [("warning", finding.message, "") for finding in plan.problems()]
    # The form, or the table in its place, stands above and shows most of it.
    return StaticTable(
        "Network plan", ("what", "value", "why"), warnings, folded=rows, word="every value, and why"
    )


def anti_spoofing_table(run: PhaseRun) -> StaticTable:
    """Return what is to be done at each node's platform, in commands."""
    rows = [
        (need.host, NAMES[need.platform], line)
        for need in needs(run)
        for line in need.commands.splitlines()
    ]
    title = "To be done at the hypervisors" if rows else "Nothing is to be done at the hypervisors"
    return StaticTable(title, ("host", "platform", Column("what to do", "code")), rows)


def routes(run: PhaseRun) -> RouteListing:
    """Return the routes to the nodes' pods for the site's router, from the live cluster.

    A cluster that is half built has none yet, which is no reason for a notebook to end.
    """
    try:
        return RouteListing(run.plan, read_routes(run))
    except StepFailed as error:
        return RouteListing(run.plan, [], trouble=first_line(error))


VIEWS: dict[str, Any] = {
    "plan_table": lambda run: plan_table(run.plan),
    "address_map": lambda run: AddressMap(run.plan),
    "subnet_form": form,
    "host_form": form_of,
    "anti_spoofing": anti_spoofing_table,
    "routes": routes,
    "handover": Handover,
}
