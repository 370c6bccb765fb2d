"""Phase 03: the pod network on Linux nodes."""

from __future__ import annotations

from k8swin_nb.inventory import Host
from k8swin_nb.phases import flannel_manifest
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.step import Step

MASTER = "control-plane"


def manifest(run: Run, host: Host) -> bytes:
    """Return flannel's manifest."""
    return flannel_manifest.flannel(run.params, run.plan)


API_READY = Step(
    name="api-ready",
    title="The control plane answers",
    on=MASTER,
    check="linux/api_ready.check.sh",
)
"""What every phase after 02 begins with; it names 02_master when there is nothing to talk to."""

PHASE = Phase(
    name="03_flannel",
    title="Pods have a network",
    steps=(
        API_READY,
        Step(
            name="flannel",
            title="flannel is deployed on Linux nodes",
            on=MASTER,
            check="linux/flannel.check.sh",
            apply="linux/flannel.apply.sh",
            reads=manifest,
        ),
        Step(
            name="flannel-ready",
            title="The pod network is up and CoreDNS is available",
            on=MASTER,
            check="linux/flannel_ready.check.sh",
            wait=300,
        ),
    ),
)
