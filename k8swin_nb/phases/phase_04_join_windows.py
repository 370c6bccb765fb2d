"""Phase 04: one Windows server becomes a worker of the cluster.

Both profiles have the same steps in the same order. What the classic one does in another way stands in
`CLASSIC`; a step that only one of them needs says so where it is skipped.
"""

from __future__ import annotations

from dataclasses import replace

from k8swin_nb.phases.linux.control_plane import by_flannel, by_others, check_join, join_secrets
from k8swin_nb.phases.preflight.checks import LINUX, WINDOWS, preflight
from k8swin_nb.phases.preflight.views import VIEWS
from k8swin_nb.phases.shared_steps import (
    API_READY,
    CLUSTER_CA,
    POD_NETWORK_PLANNED,
    api_name,
    kubelet_settings,
    node_settings,
    registries,
    worker_ready,
)
from k8swin_nb.phases.windows import services as windows_services
from k8swin_nb.phases.windows.configuration import SERVER
from k8swin_nb.phases.windows.containerd import configuration, configuration_secret
from k8swin_nb.phases.windows.detached import reboot, update_windows
from k8swin_nb.phases.windows.join import (
    admin_secrets,
    admin_values,
    check_source_vip,
    credential_secrets,
    make_pod_network,
    only_encapsulated,
    only_when,
    pod_cidr_values,
)
from k8swin_nb.phases.windows.services import defined
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.step import Step

TARGET = "target"

SYSTEM_SETTINGS = Step(
    name="system-settings",
    title="Node ports are free, and WinRM starts in its turn",
    on=TARGET,
    check="windows/system_settings.check.ps1",
    apply="windows/system_settings.apply.ps1",
)

CLASSIC = {
    step.name: step
    for step in (
        SYSTEM_SETTINGS,
        Step(
            name="container-runtime",
            title="The container runtime runs",
            on=TARGET,
            check="windows/docker.check.ps1",
            apply="windows/docker.apply.ps1",
            wait=60,
        ),
        Step(
            name="images",
            title="The images are on the worker",
            on=TARGET,
            check="windows/docker_images.check.ps1",
            apply="windows/docker_images.apply.ps1",
            timeout=3600,
        ),
        Step(
            name="credentials",
            title="flanneld and kube-proxy can talk to the API server",
            on=TARGET,
            check="windows/admin_kubeconfig.check.ps1",
            apply="windows/admin_kubeconfig.apply.ps1",
            values=admin_values,
            secrets=admin_secrets,
            runs=("linux/admin_kubeconfig.check.sh", "linux/admin_kubeconfig.apply.sh"),
        ),
        defined("kubelet", "The kubelet is a service", windows_services.classic_kubelet_service),
        Step(
            name="join",
            title="The worker has joined",
            on=TARGET,
            check="windows/register.check.ps1",
            apply="windows/register.apply.ps1",
        ),
        replace(
            defined("flanneld", "flanneld is a service", windows_services.classic_flanneld_service),
            runs=("windows/flanneld.run.ps1",),
        ),
        defined("kube-proxy", "kube-proxy runs", windows_services.classic_kube_proxy_service),
    )
}
"""What the classic profile does in another way: Docker, and one kubeconfig, the administrator's, for all."""


PHASE = Phase(
    name="04_join_windows",
    title="The Windows server is a Ready worker",
    views=VIEWS,
    target="windows",
    parts={
        "The cluster can take a worker": (
            "api-ready",
            "pod-network-planned",
            "cluster-ca",
            "facts",
        ),
        "The server is prepared": (
            "host-name",
            "api-name",
            "containers",
            "reboot",
            "folders",
            "windows-update",
            "system-settings",
            "defender",
            "firewall",
        ),
        "Programs and images are in place": (
            "artifacts",
            "registries",
            "container-runtime",
            "proxy",
            "images",
        ),
        "The server becomes a worker": (
            "credentials",
            "kubelet",
            "join",
            "kubelet-settings",
            "node-settings",
        ),
        "The worker's pods have a network": (
            "cni",
            "flanneld",
            "pod-network",
            "source-vip",
            "kube-proxy",
            "network-of-others",
            "worker-ready",
        ),
    },
    steps=(
        API_READY,
        POD_NETWORK_PLANNED,
        CLUSTER_CA,
        Step(
            name="facts",
            title="The server's build is known",
            on=TARGET,
            check="windows/facts.check.ps1",
            keep=SERVER,
        ),
        Step(
            name="preflight",
            title="Nothing on the server stands in the way",
            on=TARGET,
            check=preflight(),
            on_failure="preflight",
            runs=(WINDOWS, LINUX),
        ),
        Step(
            name="host-name",
            title="The server carries the node's name",
            on=TARGET,
            check="windows/host_name.check.ps1",
            apply="windows/host_name.apply.ps1",
        ),
        api_name(TARGET, "windows"),
        Step(
            name="containers",
            title="The Containers feature is installed",
            on=TARGET,
            check="windows/containers.check.ps1",
            apply="windows/containers.apply.ps1",
            timeout=1800,
        ),
        Step(
            name="reboot",
            title="No reboot is pending",
            on=TARGET,
            check="windows/reboot.check.ps1",
            apply=reboot,
            follows=dict.fromkeys(("host-name", "containers"), "reboot: none is pending -> done"),
            runs=("windows/reboot.apply.ps1", "windows/boot_time.check.ps1"),
            wait=600,
        ),
        Step(
            name="folders",
            title="Folders, PATH and the saved network configuration are in place",
            on=TARGET,
            check="windows/folders.check.ps1",
            apply="windows/folders.apply.ps1",
        ),
        Step(
            name="windows-update",
            title="Windows is up to date",
            on=TARGET,
            check="windows/windows_update.check.ps1",
            apply=update_windows,
            runs=(
                "windows/windows_update.apply.ps1",
                "windows/windows_update.job.ps1",
                "windows/windows_update.status.ps1",
            ),
            when=only_when("windows_update", "`windows_update` is false"),
        ),
        # Docker's pods look shares up in the server's own compartment, which needs no setting of HNS.
        replace(
            SYSTEM_SETTINGS,
            follows={
                "containers": "EnableCompartmentNamespace of HNS: not there before the feature -> 1"
            },
        ),
        Step(
            name="defender",
            title="Microsoft Defender leaves the worker's programs alone",
            on=TARGET,
            check="windows/defender.check.ps1",
            apply="windows/defender.apply.ps1",
            when=only_when("defender_exclusions", "`defender_exclusions` is false"),
        ),
        Step(
            name="firewall",
            title="The firewall lets the kubelet and WinRM through",
            on=TARGET,
            check="windows/firewall.check.ps1",
            apply="windows/firewall.apply.ps1",
        ),
        Step(
            name="artifacts",
            title="All programs are in place with their SHA-256",
            on=TARGET,
            check="windows/artifacts.check.ps1",
            apply="windows/artifacts.apply.ps1",
            timeout=3600,
        ),
        registries(TARGET, "windows"),
        Step(
            name="container-runtime",
            title="The container runtime runs",
            on=TARGET,
            check="windows/containerd.check.ps1",
            apply="windows/containerd.apply.ps1",
            values=configuration,
            secrets=configuration_secret,
            runs=("windows/containerd_config.check.ps1", "windows/containerd_log.job.ps1"),
            wait=60,
        ),
        Step(
            name="proxy",
            title="A web proxy is used for the internet and for nothing else",
            on=TARGET,
            check="windows/proxy.check.ps1",
            apply="windows/proxy.apply.ps1",
            wait=60,
        ),
        Step(
            name="images",
            title="The images are on the worker",
            on=TARGET,
            check="windows/images.check.ps1",
            apply="windows/images.apply.ps1",
            timeout=3600,
        ),
        Step(
            name="credentials",
            title="flanneld and kube-proxy can talk to the API server",
            on=TARGET,
            check="windows/credentials.check.ps1",
            apply="windows/credentials.apply.ps1",
            secrets=credential_secrets,
            runs=("linux/worker_tokens.apply.sh",),
            when=by_others,
        ),
        defined("kubelet", "The kubelet is a service", windows_services.kubelet_service),
        Step(
            name="join",
            title="The worker has joined",
            on=TARGET,
            check=check_join,
            apply="windows/join.apply.ps1",
            secrets=join_secrets("JoinConfiguration"),
            runs=(
                "windows/join.check.ps1",
                "linux/node_pod_cidr.check.sh",
                "linux/join_token.apply.sh",
            ),
            timeout=600,
            wait=60,
        ),
        kubelet_settings(TARGET, "windows"),
        node_settings(TARGET),
        Step(
            name="cni",
            title="The CNI configuration equals the plan",
            on=TARGET,
            check="windows/cni.check.ps1",
            apply="windows/cni.apply.ps1",
            values=pod_cidr_values,
            runs=("linux/node_pod_cidr.check.sh",),
            when=by_others,
        ),
        replace(
            defined("flanneld", "flanneld is a service", windows_services.flanneld_service),
            runs=("windows/flanneld.run.ps1",),
            when=by_others,
        ),
        Step(
            name="pod-network",
            title="The HNS network is up and the address is still there",
            on=TARGET,
            check="windows/pod_network.check.ps1",
            apply=make_pod_network,
            values=pod_cidr_values,
            runs=(
                "windows/pod_network.apply.ps1",
                "windows/pod_network.job.ps1",
                "windows/job.status.ps1",
                "linux/node_pod_cidr.check.sh",
            ),
            wait=60,
            when=by_others,
        ),
        Step(
            name="source-vip",
            title="kube-proxy has an address of its own where packets are encapsulated",
            on=TARGET,
            check=check_source_vip,
            apply="windows/source_vip.apply.ps1",
            runs=("windows/source_vip.check.ps1",),
            when=only_encapsulated,
        ),
        replace(
            defined("kube-proxy", "kube-proxy runs", windows_services.kube_proxy_service),
            when=by_others,
        ),
        Step(
            name="network-of-others",
            title="The pod network of others is up on the worker",
            on=TARGET,
            check="windows/network_of_others.check.ps1",
            proves=("reboot", "join"),
            wait=300,
            when=by_flannel,
        ),
        worker_ready("windows"),
    ),
    variants={"classic": CLASSIC},
)
