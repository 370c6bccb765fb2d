"""All nodes held against each other before anything is changed."""

from __future__ import annotations

from k8swin_nb.phases.preflight.checks import CROSS_NODE, HOST_FACTS, HostFacts, look, verdict
from k8swin_nb.phases.preflight.rules import compare
from k8swin_nb.workflow.step import Verdict
from k8swin_nb.workflow.step_run import StepRun


def check_together(at: StepRun) -> Verdict:
    """Hold all nodes against each other: names, identities, segments, MTU and clocks."""
    hosts: dict[str, HostFacts] = {}
    for node in at.run.inventory.hosts:
        if "hypervisor" in node.roles:
            continue
        known = at.run.facts.get(node, HOST_FACTS)
        hosts[node.name] = known if known else look(at.on(node), api_expected=False)[1]
    findings = compare(at.run, hosts)
    at.run.facts.keep(at.host, CROSS_NODE, findings)
    return verdict(at, findings)


def not_a_node(at: StepRun) -> str | None:
    """Skip the hypervisor, which becomes no node."""
    return "a hypervisor becomes no node" if "hypervisor" in at.host.roles else None
