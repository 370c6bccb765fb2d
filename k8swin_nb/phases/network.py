"""Phase 01: the network plan, every host reached, and the hypervisor's protection out of the way."""

from __future__ import annotations

import json
from pathlib import Path

from k8swin_nb.inventory import Host
from k8swin_nb.params import project_root
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.step import State, Step, Verdict


def plan_document(run: Run) -> str:
    """Return the plan as JSON: what was decided, and what was derived from it."""
    params, plan = run.params, run.plan
    document = {
        "cluster_name": params.cluster_name,
        "profile": params.profile,
        "kubernetes_version": params.kubernetes_version,
        "pod_subnet": str(plan.pod_subnet),
        "service_subnet": str(plan.service_subnet),
        "host_subnet": str(plan.host_subnet),
        "api_service_ip": str(plan.api_service_ip),
        "dns_service_ip": str(plan.dns_service_ip),
        "topology": plan.topology,
        "hosts": {name: str(address) for name, address, _ in plan.nodes},
    }
    return json.dumps(document, indent=2) + "\n"


def _plan_file(run: Run) -> Path:
    return project_root() / ".k8swin" / "clusters" / run.params.cluster_name / "plan.json"


def check_saved_plan(run: Run, host: Host) -> Verdict:
    """Compare the saved plan with the computed one."""
    path = _plan_file(run)
    if not path.exists():
        return Verdict(State.NEEDED, "the plan is not saved yet")
    if path.read_text(encoding="utf-8") != plan_document(run):
        return Verdict(State.NEEDED, "the saved plan differs from the parameters")
    return Verdict(State.OK, f"the plan is saved in {path.name}")


def save_plan(run: Run, host: Host) -> None:
    """Write the plan, so that a later change of it shows."""
    path = _plan_file(run)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(plan_document(run), encoding="utf-8")


def vm_names(run: Run, host: Host) -> dict[str, str]:
    """Return the workers' names on the Hyper-V host, separated by semicolons."""
    names = [entry.vm_name or entry.name for entry in run.params.hosts if entry.role == "worker"]
    return {"vm_names": ";".join(names)}


PHASE = Phase(
    name="01_network",
    title="The network plan holds and every host can be reached",
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
            name="mac-spoofing",
            title="The Hyper-V host lets workers send with their pods' addresses",
            on="hypervisor",
            check="windows/mac_spoofing.check.ps1",
            apply="windows/mac_spoofing.apply.ps1",
            values=vm_names,
        ),
    ),
)
