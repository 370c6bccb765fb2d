"""Phase 04, Linux: a Linux machine becomes a worker of the cluster."""

from __future__ import annotations

from k8swin_nb.phases.linux.control_plane import check_join, join_secrets
from k8swin_nb.phases.preflight.views import VIEWS
from k8swin_nb.phases.shared_steps import (
    API_READY,
    CLUSTER_CA,
    NODE_PARTS,
    POD_NETWORK_PLANNED,
    kubelet_settings,
    node_settings,
    node_steps,
    node_variants,
    worker_ready,
)
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.step import Step

TARGET = "target"

PHASE = Phase(
    name="04_join_linux",
    title="The Linux machine is a Ready worker",
    views=VIEWS,
    target="linux",
    parts={
        "The cluster can take a worker": ("api-ready", "pod-network-planned", "cluster-ca"),
        **NODE_PARTS,
        "The host becomes a worker": ("join", "kubelet-settings", "node-settings", "worker-ready"),
    },
    steps=(
        API_READY,
        POD_NETWORK_PLANNED,
        CLUSTER_CA,
        *node_steps(TARGET),
        Step(
            name="join",
            title="The worker has joined",
            on=TARGET,
            check=check_join,
            apply="linux/join.apply.sh",
            secrets=join_secrets("JOIN_CONFIGURATION"),
            runs=(
                "linux/join.check.sh",
                "linux/node_pod_cidr.check.sh",
                "linux/join_token.apply.sh",
            ),
            timeout=600,
            wait=60,
        ),
        kubelet_settings(TARGET, "linux"),
        node_settings(TARGET),
        worker_ready("linux"),
    ),
    variants=node_variants(TARGET),
)
