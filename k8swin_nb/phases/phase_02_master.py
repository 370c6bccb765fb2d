"""Phase 02: a Linux machine becomes the control plane."""

from __future__ import annotations

from k8swin_nb.phases.linux.control_plane import MASTER
from k8swin_nb.phases.linux.kubeadm import init_configuration
from k8swin_nb.phases.linux.user_kubeconfig import check_merged, merged_secret
from k8swin_nb.phases.preflight.views import VIEWS
from k8swin_nb.phases.shared_steps import (
    NODE_PARTS,
    kubelet_settings,
    node_settings,
    node_steps,
    node_variants,
)
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.step import Step

PHASE = Phase(
    name="02_master",
    title="The control plane runs",
    views=VIEWS,
    parts={
        **NODE_PARTS,
        "The control plane is made": ("kubeadm-config", "images", "control-plane"),
        "The control plane is set up and its pods run": (
            "kubelet-settings",
            "node-settings",
            "kubeconfig",
            "linux-only",
            "control-plane-ready",
        ),
    },
    steps=(
        *node_steps(MASTER),
        Step(
            name="kubeadm-config",
            title="The configuration of kubeadm init is written",
            on=MASTER,
            check="linux/kubeadm_config.check.sh",
            apply="linux/kubeadm_config.apply.sh",
            reads=init_configuration,
        ),
        Step(
            name="images",
            title="The control plane's images are on the host",
            on=MASTER,
            check="linux/images.check.sh",
            apply="linux/images.apply.sh",
            timeout=1800,
        ),
        Step(
            name="control-plane",
            title="The control plane answers",
            on=MASTER,
            check="linux/control_plane.check.sh",
            apply="linux/control_plane.apply.sh",
            timeout=900,
            wait=60,
        ),
        kubelet_settings(MASTER, "linux"),
        node_settings(MASTER),
        Step(
            name="kubeconfig",
            title="The login user has a kubeconfig",
            on=MASTER,
            check=check_merged,
            apply="linux/kubeconfig.apply.sh",
            secrets=merged_secret,
            runs=("linux/kubeconfig.check.sh",),
        ),
        Step(
            name="linux-only",
            title="kube-proxy and CoreDNS stay on Linux nodes",
            on=MASTER,
            check="linux/linux_only.check.sh",
            apply="linux/linux_only.apply.sh",
        ),
        Step(
            name="control-plane-ready",
            title="The control plane's pods run at the planned addresses",
            on=MASTER,
            check="linux/control_plane_ready.check.sh",
            # With the runtime, which starts anew with another proxy, its pods may start anew.
            proves=("proxy", "container-runtime", "control-plane"),
            wait=180,
        ),
    ),
    variants=node_variants(MASTER),
)
