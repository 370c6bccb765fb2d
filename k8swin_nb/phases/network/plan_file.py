"""The network plan as a document, saved so that a later change of it shows."""

from __future__ import annotations

import json
from pathlib import Path

from k8swin_nb.errors import K8swinError, Stopped
from k8swin_nb.local_files import make_folders, write_whole
from k8swin_nb.reading import Unreadable, file_text, json_document
from k8swin_nb.workflow.difference import file
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.step import State, Verdict
from k8swin_nb.workflow.step_run import StepRun

NETWORKS = "linux/cluster_networks.check.sh"
"""Asks the control plane's host whether a cluster stands there with other networks."""


def plan_document(run: PhaseRun) -> str:
    """Return the plan as JSON: what was decided, and what was derived from it.

    It is also what those are given who build a pod network by other means: nothing in it has to be worked out.
    """
    description, plan = run.description, run.plan
    document = {
        "cluster_name": description.cluster_name,
        "profile": description.profile,
        "kubernetes_version": description.kubernetes_version,
        "topology": plan.topology,
        "pod_subnet": str(plan.pod_subnet),
        "service_subnet": str(plan.service_subnet),
        "host_subnet": str(plan.host_subnet),
        "site_networks": [str(network) for network in plan.site_networks],
        "api_service_ip": str(plan.api_service_ip),
        "dns_service_ip": str(plan.dns_service_ip),
        "dns_domain": "cluster.local",
        "api_server": f"https://{run.description.api_endpoint}",
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


def plan_file(run: PhaseRun) -> Path:
    """Return where the plan is saved."""
    return run.description.state / "clusters" / run.description.cluster_name / "plan.json"


def check_saved_plan(at: StepRun) -> Verdict:
    """Compare the saved plan with the computed one, and that with a cluster that stands."""
    path = plan_file(at.run)
    wanted = plan_document(at.run)
    try:
        found = file_text(path) if path.exists() else None
    except (OSError, Unreadable):
        found = ""  # somebody else wrote it, or half of it
    stands = _standing(at, found or "")
    if stands.state is State.DRIFT:
        return stands
    if found is None:
        new = file(str(path), None, wanted)
        return Verdict(State.NEEDED, "the plan is not saved yet", differences=(new,))
    if found != wanted:
        said = "the saved plan differs from the parameters"
        return Verdict(State.NEEDED, said, differences=(file(str(path), found, wanted),))
    return Verdict(State.OK, f"the plan is saved in {path.name}")


def _standing(at: StepRun, saved: str) -> Verdict:
    """Find out whether a cluster stands whose networks are others, before a plan is saved that 02_master would refuse.

    A host that cannot be asked is told of by the next step. Where other networks were planned before, that error comes
    here: a cluster may stand with them, and what is saved is all that this computer knows of it.
    """
    try:
        state, result = at.ask(NETWORKS)
    except Stopped:
        raise
    except K8swinError as error:
        if _networks_in(saved) in (None, _networks_in(plan_document(at.run))):
            return Verdict(State.OK, str(error))
        raise
    return Verdict.read(state, result.stdout)


def _networks_in(document: str) -> tuple[str, str] | None:
    """Return the networks of pods and of services in a saved plan, or None where it does not say them."""
    try:
        read = json_document(document)
    except Unreadable:
        return None
    if not isinstance(read, dict):
        return None
    return str(read.get("pod_subnet")), str(read.get("service_subnet"))


def save_plan(at: StepRun) -> None:
    """Write the plan, so that a later change of it shows."""
    path = plan_file(at.run)
    make_folders(path.parent)
    write_whole(path, plan_document(at.run))
