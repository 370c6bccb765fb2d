"""Phase 02: a Linux machine becomes the control plane."""

from __future__ import annotations

from k8swin_nb.inventory import Host
from k8swin_nb.phases import documents
from k8swin_nb.phases.preflight import preflight
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.step import Step


def init_configuration(run: Run, host: Host) -> bytes:
    """Return the configuration of `kubeadm init` for this host."""
    return documents.kubeadm_init(run.params, run.plan, host)


def not_wanted_update(run: Run, host: Host) -> str | None:
    """Skip the upgrade of installed packages unless it is asked for."""
    return None if run.params.system_update else "`system_update` is false"


MASTER = "control-plane"

PHASE = Phase(
    name="02_master",
    title="The control plane runs",
    steps=(
        Step(
            name="preflight",
            title="Nothing on the master stands in the way",
            on=MASTER,
            check=preflight("linux/preflight.check.sh"),
            runs=("linux/preflight.check.sh",),
        ),
        Step(
            name="system-update",
            title="Installed packages are up to date",
            on=MASTER,
            check="linux/system_update.check.sh",
            apply="linux/system_update.apply.sh",
            timeout=1800,
            when=not_wanted_update,
        ),
        Step(
            name="host-name",
            title="The host name leads to the node's address",
            on=MASTER,
            check="linux/hostname.check.sh",
            apply="linux/hostname.apply.sh",
        ),
        Step(
            name="time",
            title="A time service keeps the clock",
            on=MASTER,
            check="linux/time.check.sh",
            apply="linux/time.apply.sh",
        ),
        Step(
            name="swap",
            title="Swap is off for good",
            on=MASTER,
            check="linux/swap.check.sh",
            apply="linux/swap.apply.sh",
        ),
        Step(
            name="kernel",
            title="The kernel forwards and filters bridged traffic",
            on=MASTER,
            check="linux/kernel.check.sh",
            apply="linux/kernel.apply.sh",
        ),
        Step(
            name="apt-sources",
            title="The package sources are configured",
            on=MASTER,
            check="linux/apt_sources.check.sh",
            apply="linux/apt_sources.apply.sh",
        ),
        Step(
            name="containerd",
            title="containerd runs, configured for Kubernetes",
            on=MASTER,
            check="linux/containerd.check.sh",
            apply="linux/containerd.apply.sh",
            wait=30,
        ),
        Step(
            name="runtime-test",
            title="A container has been run",
            on=MASTER,
            check="linux/runtime_test.check.sh",
            apply="linux/runtime_test.apply.sh",
        ),
        Step(
            name="packages",
            title="kubeadm, kubelet and kubectl are installed and held",
            on=MASTER,
            check="linux/packages.check.sh",
            apply="linux/packages.apply.sh",
            timeout=900,
        ),
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
        Step(
            name="kubeconfig",
            title="The login user has a kubeconfig",
            on=MASTER,
            check="linux/kubeconfig.check.sh",
            apply="linux/kubeconfig.apply.sh",
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
            wait=180,
        ),
    ),
)
