"""The kubelet of a tarball as a service: what its packages bring, written here."""

from __future__ import annotations

from k8swin_nb.compatibility import package_source
from k8swin_nb.phases.linux.artifacts import PROGRAMS, wanted_layouts
from k8swin_nb.workflow.step_run import StepRun

UNIT = f"""\
[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target

[Service]
ExecStart={PROGRAMS}/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
"""

ADDITION = f"""\
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
# kubeadm writes the first at init and join; the second is for this host's own arguments.
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart={PROGRAMS}/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
"""


def units(at: StepRun) -> bytes:
    """Return the kubelet's unit and kubeadm's addition to it, one after the other."""
    return (UNIT + ADDITION).encode()


def nothing_to_download(at: StepRun) -> str | None:
    """Skip the downloads where package repositories have everything."""
    return None if wanted_layouts(at.description) else "all programs come from package repositories"


def from_tarball(at: StepRun) -> str | None:
    """Skip the packages where kubeadm, kubelet and kubectl come as a tarball."""
    return "`package_source` is tarball" if package_source(at.description) == "tarball" else None


def from_packages(at: StepRun) -> str | None:
    """Skip the service where the packages bring it."""
    return "the packages bring the service" if package_source(at.description) == "apt" else None


def not_wanted_update(at: StepRun) -> str | None:
    """Skip the upgrade of installed packages unless it is asked for."""
    return None if at.description.system_update else "`system_update` is false"
