"""Steps that several phases have: what every Linux node needs, and what every phase after 02 asks the control plane.

Data like the phases' own records; what the steps need beyond scripts is in `linux/`.
"""

from __future__ import annotations

from k8swin_nb.phases.linux.containerd import apply_containerd, check_containerd
from k8swin_nb.phases.linux.control_plane import (
    KUBELET_CHECKS,
    MASTER,
    by_others,
    check_worker_ready,
    endpoint_is_an_address,
    read_cluster_ca,
)
from k8swin_nb.phases.linux.docker import check_docker, daemon_json
from k8swin_nb.phases.linux.kubelet_service import (
    from_packages,
    from_tarball,
    not_wanted_update,
    nothing_to_download,
    units,
)
from k8swin_nb.phases.linux.kubelet_settings import (
    apply_kubelet_settings,
    check_kubelet_settings,
    no_settings,
    runs,
)
from k8swin_nb.phases.linux.node_settings import (
    APPLY,
    CHECK,
    apply_node_settings,
    check_node_settings,
    nothing_described,
)
from k8swin_nb.phases.linux.registries import no_registry_files, registry_files
from k8swin_nb.phases.preflight.checks import LINUX, preflight
from k8swin_nb.workflow.step import Step, check_and_apply

POD_NETWORK_PLANNED = Step(
    name="pod-network-planned",
    title="flannel is deployed as planned",
    on=MASTER,
    check="linux/pod_network.check.sh",
    made_by="03_flannel",
    when=by_others,
)


CLUSTER_CA = Step(
    name="cluster-ca",
    title="The cluster's certificate authority is known",
    on=MASTER,
    check=read_cluster_ca,
    runs=("linux/cluster_ca.check.sh",),
)


def api_name(on: str, system: str) -> Step:
    """Make the step that lets hosts of an operating system find the control plane by its name."""
    return Step(
        name="api-name",
        title="The control plane's name leads to its address",
        on=on,
        when=endpoint_is_an_address,
        **check_and_apply(f"{system}/api_name"),
    )


def registries(on: str, system: str) -> Step:
    """Make the step that puts the files of registries onto hosts of an operating system."""
    return Step(
        name="registries",
        title="Registries have their mirrors and authorities",
        on=on,
        reads=(lambda at: registry_files(at.description, "linux").encode())
        if system == "linux"
        else None,
        when=no_registry_files,
        **check_and_apply(f"{system}/registries"),
    )


API_READY = Step(
    name="api-ready",
    title="The control plane answers",
    on=MASTER,
    check="linux/api_ready.check.sh",
    made_by="02_master",
    wait=60,
)
"""What every phase after 02 begins with; it names 02_master when there is nothing to talk to."""


def node_settings(on: str) -> Step:
    """Make the step that gives nodes their labels and taints."""
    return Step(
        name="node-settings",
        title="The node has its labels and taints",
        on=on,
        check=check_node_settings,
        apply=apply_node_settings,
        runs=(CHECK, APPLY),
        when=nothing_described,
        wait=30,
    )


def kubelet_settings(on: str, system: str) -> Step:
    """Make the step that gives kubelets of an operating system their settings."""
    return Step(
        name="kubelet-settings",
        title="The kubelet has its settings",
        on=on,
        check=check_kubelet_settings,
        apply=apply_kubelet_settings,
        runs=runs(system),
        when=no_settings,
        wait=60,
    )


READY_AFTER = {
    "linux": (
        "proxy",
        "container-runtime",
        "packages",
        "kubelet-service",
        "join",
        "kubelet-settings",
    ),
    "windows": (
        "reboot",
        "artifacts",
        "container-runtime",
        "proxy",
        "kubelet",
        "join",
        "kubelet-settings",
        "cni",
        "flanneld",
        "pod-network",
    ),
}
"""Steps after which a worker's kubelet, runtime or pod network starts anew, in their order, by operating system."""


def worker_ready(system: str) -> Step:
    """Make the step that proves a worker of an operating system by asking the master."""
    return Step(
        name="worker-ready",
        title="The worker is Ready at its planned address",
        on="target",
        check=check_worker_ready,
        proves=READY_AFTER[system],
        runs=("linux/worker_ready.check.sh", KUBELET_CHECKS[system]),
        wait=300,
    )


NODE_PARTS = {
    "The host is prepared": (
        "proxy",
        "system-update",
        "host-name",
        "api-name",
        "time",
        "swap",
        "kernel",
    ),
    "The container runtime and Kubernetes' programs are installed": (
        "apt-sources",
        "downloads",
        "registries",
        "container-runtime",
        "packages",
        "kubelet-service",
        "runtime-test",
    ),
}
"""Parts of a notebook with `node_steps`, as `Phase.parts` has them."""


def node_steps(on: str) -> tuple[Step, ...]:
    """Return the steps from the preflight to the held packages, for the hosts that `on` selects."""
    return (
        Step(
            name="preflight",
            title="Nothing on the host stands in the way",
            on=on,
            check=preflight(api_expected=on != "control-plane"),
            on_failure="preflight",
            runs=(LINUX,),
        ),
        Step(
            name="proxy",
            title="A web proxy is used for the internet and for nothing else",
            on=on,
            check="linux/proxy.check.sh",
            apply="linux/proxy.apply.sh",
        ),
        Step(
            name="system-update",
            title="Installed packages are up to date",
            on=on,
            check="linux/system_update.check.sh",
            apply="linux/system_update.apply.sh",
            timeout=1800,
            when=not_wanted_update,
        ),
        Step(
            name="host-name",
            title="The host name leads to the node's address",
            on=on,
            check="linux/hostname.check.sh",
            apply="linux/hostname.apply.sh",
        ),
        api_name(on, "linux"),
        Step(
            name="time",
            title="A time service keeps the clock",
            on=on,
            check="linux/time.check.sh",
            apply="linux/time.apply.sh",
            timeout=900,
        ),
        Step(
            name="swap",
            title="Swap is off for good",
            on=on,
            check="linux/swap.check.sh",
            apply="linux/swap.apply.sh",
        ),
        Step(
            name="kernel",
            title="The kernel forwards and filters bridged traffic",
            on=on,
            check="linux/kernel.check.sh",
            apply="linux/kernel.apply.sh",
        ),
        Step(
            name="apt-sources",
            title="The package sources are configured",
            on=on,
            check="linux/apt_sources.check.sh",
            apply="linux/apt_sources.apply.sh",
            timeout=900,
        ),
        Step(
            name="downloads",
            title="Programs without a package are installed",
            on=on,
            check="linux/downloads.check.sh",
            apply="linux/downloads.apply.sh",
            timeout=1800,
            when=nothing_to_download,
        ),
        registries(on, "linux"),
        Step(
            name="container-runtime",
            title="The container runtime runs, configured for Kubernetes",
            on=on,
            check=check_containerd,
            apply=apply_containerd,
            runs=(
                "linux/containerd_config.check.sh",
                "linux/containerd.check.sh",
                "linux/containerd_installed.apply.sh",
                "linux/containerd.apply.sh",
            ),
            timeout=900,
            wait=30,
        ),
        Step(
            name="packages",
            title="kubeadm, kubelet and kubectl are installed and held",
            on=on,
            check="linux/packages.check.sh",
            apply="linux/packages.apply.sh",
            timeout=900,
            when=from_tarball,
        ),
        Step(
            name="kubelet-service",
            title="The kubelet is a service",
            on=on,
            check="linux/kubelet_service.check.sh",
            apply="linux/kubelet_service.apply.sh",
            reads=units,
            timeout=900,
            when=from_packages,
        ),
        Step(
            name="runtime-test",
            title="A container has been run",
            on=on,
            check="linux/runtime_test.check.sh",
            apply="linux/runtime_test.apply.sh",
        ),
    )


def node_variants(on: str) -> dict[str, dict[str, Step]]:
    """Return the steps that other profiles do in another way, by profile."""
    return {"classic": docker_steps(on)}


def docker_steps(on: str) -> dict[str, Step]:
    """Return the steps that stand in for containerd's, for the hosts that `on` selects."""
    return {
        "container-runtime": Step(
            name="container-runtime",
            title="The container runtime runs, configured for Kubernetes",
            on=on,
            check=check_docker,
            apply="linux/docker.apply.sh",
            runs=("linux/docker_config.check.sh", "linux/docker.check.sh"),
            reads=daemon_json,
            timeout=900,
            wait=30,
        ),
        "runtime-test": Step(
            name="runtime-test",
            title="A container has been run",
            on=on,
            check="linux/docker_test.check.sh",
            apply="linux/docker_test.apply.sh",
        ),
    }
