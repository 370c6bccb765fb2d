"""Phase 03: the pod network on Linux nodes."""

from __future__ import annotations

from k8swin_nb.phases.linux.control_plane import MASTER, by_flannel, by_others
from k8swin_nb.phases.network.views import VIEWS
from k8swin_nb.phases.pods.flannel_manifest import manifest
from k8swin_nb.phases.shared_steps import API_READY
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.step import Step

PHASE = Phase(
    name="03_flannel",
    title="Pods have a network",
    views={name: VIEWS[name] for name in ("routes", "handover")},
    parts={
        "The pod network is made": ("api-ready", "flannel", "flannel-ready", "network-of-others"),
    },
    steps=(
        API_READY,
        Step(
            name="flannel",
            title="flannel is deployed on Linux nodes",
            on=MASTER,
            check="linux/flannel.check.sh",
            apply="linux/flannel.apply.sh",
            reads=manifest,
            when=by_others,
        ),
        Step(
            name="flannel-ready",
            title="The pod network is up and CoreDNS is available",
            on=MASTER,
            check="linux/flannel_ready.check.sh",
            proves=("flannel",),
            wait=300,
            when=by_others,
        ),
        Step(
            name="network-of-others",
            title="The pod network of others is up on Linux nodes",
            on=MASTER,
            check="linux/network_of_others.check.sh",
            wait=60,
            when=by_flannel,
        ),
    ),
)
