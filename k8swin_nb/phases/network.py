"""Phase 01: the network plan, every host reached and looked at, and the hypervisors' protection out of the way."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from k8swin_nb.inventory import Host
from k8swin_nb.params import project_root
from k8swin_nb.phases.anti_spoofing import check_attested, encapsulated, record_attestation
from k8swin_nb.phases.preflight import LINUX, WINDOWS, Facts, look, preflight, verdict
from k8swin_nb.phases.preflight_rules import compare
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.step import State, Step, Verdict


def plan_document(run: Run) -> str:
    """Return the plan as JSON: what was decided, and what was derived from it.

    It is also what those are given who build a pod network by other means: nothing in it has to be worked out.
    """
    params, plan = run.params, run.plan
    document = {
        "cluster_name": params.cluster_name,
        "profile": params.profile,
        "kubernetes_version": params.kubernetes_version,
        "topology": plan.topology,
        "pod_subnet": str(plan.pod_subnet),
        "service_subnet": str(plan.service_subnet),
        "host_subnet": str(plan.host_subnet),
        "site_networks": [str(network) for network in plan.site_networks],
        "api_service_ip": str(plan.api_service_ip),
        "dns_service_ip": str(plan.dns_service_ip),
        "dns_domain": "cluster.local",
        "api_server": f"https://{run.master.address}:6443",
        "capacity": {"nodes": plan.node_capacity, "services": plan.service_capacity},
        "nodes": [
            {
                "name": name,
                "address": str(address),
                "os": system,
                "pods": plan.pods_per_node[system],
            }
            for name, address, system in plan.nodes
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def plan_file(run: Run) -> Path:
    """Return where the plan is saved."""
    return project_root() / ".k8swin" / "clusters" / run.params.cluster_name / "plan.json"


def check_saved_plan(run: Run, host: Host) -> Verdict:
    """Compare the saved plan with the computed one."""
    path = plan_file(run)
    if not path.exists():
        return Verdict(State.NEEDED, "the plan is not saved yet")
    if path.read_text(encoding="utf-8") != plan_document(run):
        return Verdict(State.NEEDED, "the saved plan differs from the parameters")
    return Verdict(State.OK, f"the plan is saved in {path.name}")


def save_plan(run: Run, host: Host) -> None:
    """Write the plan, so that a later change of it shows."""
    path = plan_file(run)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(plan_document(run), encoding="utf-8")


def check_together(run: Run, host: Host) -> Verdict:
    """Hold all nodes against each other: names, identities, segments, MTU and clocks."""
    hosts: dict[str, Facts] = {}
    for node in run.inventory.hosts:
        if "hypervisor" in node.roles:
            continue
        known = run.facts.get(node.name, {}).get("preflight_facts")
        hosts[node.name] = known if known else look(run, node, api_expected=False)[1]
    findings = compare(run, hosts)
    run.keep_facts(host, "cross_node", [asdict(finding) for finding in findings])
    return verdict(host, findings, "hosts-together")


def not_a_node(run: Run, host: Host) -> str | None:
    """Skip the hypervisor, which becomes no node."""
    return "a hypervisor becomes no node" if "hypervisor" in host.roles else None


def vm_names(run: Run, host: Host) -> dict[str, str]:
    """Return the Windows workers' names on the Hyper-V host, separated by semicolons."""
    names = [
        entry.vm_name or entry.name
        for entry in run.params.hosts
        if entry.role == "worker" and entry.os == "windows" and entry.platform in (None, "hyper-v")
    ]
    hypervisors = sum(entry.role == "hypervisor" for entry in run.params.hosts)
    return {"vm_names": ";".join(names), "hypervisors": str(hypervisors)}


PHASE = Phase(
    name="01_network",
    title="The network plan holds and every host is fit for it",
    steps=(
        Step(
            name="plan",
            title="The plan is saved",
            on="control-plane",
            check=check_saved_plan,
            apply=save_plan,
        ),
        Step(
            name="reach-linux",
            title="Every Linux host answers over SSH",
            on="linux",
            check="linux/reach.check.sh",
            timeout=60,
        ),
        Step(
            name="reach-windows",
            title="Every Windows host answers over WinRM",
            on="windows",
            check="windows/reach.check.ps1",
            timeout=60,
        ),
        Step(
            name="preflight-linux",
            title="Nothing on the Linux hosts stands in the way",
            on="linux",
            check=preflight(api_expected=False, alone=True),
            runs=(LINUX,),
            when=not_a_node,
        ),
        Step(
            name="preflight-windows",
            title="Nothing on the Windows hosts stands in the way",
            on="windows",
            check=preflight(api_expected=False, alone=True),
            runs=(WINDOWS,),
            when=not_a_node,
        ),
        Step(
            name="hosts-together",
            title="The hosts fit together",
            on="control-plane",
            check=check_together,
            runs=(LINUX, WINDOWS),
        ),
        Step(
            name="mac-spoofing",
            title="The Hyper-V host lets workers send with their pods' addresses",
            on="hypervisor",
            check="windows/mac_spoofing.check.ps1",
            apply="windows/mac_spoofing.apply.ps1",
            values=vm_names,
            when=encapsulated,
        ),
        Step(
            name="anti-spoofing",
            title="Other platforms let nodes send with their pods' addresses",
            on="control-plane",
            check=check_attested,
            apply=record_attestation,
            when=encapsulated,
        ),
    ),
)
