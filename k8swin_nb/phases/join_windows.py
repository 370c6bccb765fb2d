"""Phase 04: one Windows server becomes a worker of the cluster.

Both profiles have the same steps in the same order. What the classic one does in another way stands in
`CLASSIC`; a step that only one of them needs says so where it is skipped.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace

from k8swin_nb.errors import StepFailed
from k8swin_nb.inventory import Host
from k8swin_nb.phases import documents, windows_services
from k8swin_nb.phases.asking import ask
from k8swin_nb.phases.detached import await_pod_network, reboot, update_windows
from k8swin_nb.phases.flannel import API_READY
from k8swin_nb.phases.joining import (
    CLUSTER_CA,
    POD_NETWORK_PLANNED,
    join_secrets,
    secret_json,
    worker_ready,
)
from k8swin_nb.phases.preflight import LINUX, WINDOWS, preflight
from k8swin_nb.phases.windows_services import defined
from k8swin_nb.secret import Secret
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.runner import last_line
from k8swin_nb.workflow.step import State, Step, Verdict

TARGET = "target"


def credential_secrets(run: Run, host: Host) -> Mapping[str, Secret]:
    """Make the kubeconfigs of flanneld and kube-proxy, each around a token of its service account."""
    made = secret_json(run, "linux/worker_tokens.apply.sh", "credentials")
    ca = str(run.facts[run.master.name]["cluster_ca"])
    config = {}
    for name, user in (("flannel", "flannel"), ("kube_proxy", "kube-proxy")):
        Secret(made[name])
        config[name] = documents.kubeconfig(run.params, run.master, ca, user, made[name])
    return {
        "FlannelKubeconfig": Secret(config["flannel"]),
        "KubeProxyKubeconfig": Secret(config["kube_proxy"]),
    }


def admin_values(run: Run, host: Host) -> Mapping[str, str]:
    """Return what is public of the administrator's kubeconfig: its hash, and how long it is valid."""
    result = run.script(
        "linux/admin_kubeconfig.check.sh",
        run.master,
        verb="check",
        step="credentials",
        quiet=True,
    )
    if result.returncode != 0:
        raise StepFailed(
            phase="",
            step="credentials",
            host=run.master.name,
            detail="the administrator's kubeconfig was not read",
            result=result,
        )
    found = result.json()
    return {"admin_sha256": found["sha256"], "admin_days": found["days"]}


def admin_secrets(run: Run, host: Host) -> Mapping[str, Secret]:
    """Fetch the administrator's kubeconfig; it goes to the worker on standard input."""
    made = secret_json(run, "linux/admin_kubeconfig.apply.sh", "credentials")
    return {"AdminKubeconfig": Secret(base64.b64decode(made["kubeconfig"]).decode())}


def node_pod_cidr(run: Run, host: Host) -> tuple[State, str]:
    """Ask the master for the pod network that the worker's node was given; needed: there is no node."""
    state, result = ask(
        run,
        "linux/node_pod_cidr.check.sh",
        run.master,
        "join",
        values={"worker_name": host.name},
        detail="the control plane was not asked for the node",
    )
    return state, result.stdout.strip()


def check_join(run: Run, host: Host) -> Verdict:
    """Ask the worker whether it has joined, and the control plane whether it still knows the worker.

    A node that was deleted comes back when its kubelet starts again, and at no other time.
    """
    state, result = ask(run, "windows/join.check.ps1", host, "join")
    said = last_line(result.stdout)
    if state is State.OK:
        known, found = node_pod_cidr(run, host)
        if known is not State.OK:
            return Verdict(State.NEEDED, f"{said}, but {found}")
    return Verdict(state, said)


def pod_cidr_values(run: Run, host: Host) -> Mapping[str, str]:
    """Return the pod network that the worker's HNS network must have; empty before there is a node."""
    state, found = node_pod_cidr(run, host)
    return {"node_pod_cidr": found if state is State.OK else ""}


def check_source_vip(run: Run, host: Host) -> Verdict:
    """Look for kube-proxy's own address on an encapsulated network, and keep it for its service."""
    state, result = ask(run, "windows/source_vip.check.ps1", host, "source-vip")
    found = result.stdout.strip()
    if state is State.OK:
        run.keep_facts(host, "source_vip", found)
        return Verdict(state, f"kube-proxy sends from {found}")
    return Verdict(state, found)


def only_when(parameter: str, reason: str) -> Callable[[Run, Host], str | None]:
    """Make the `when` of a step that is done only when a parameter asks for it."""
    return lambda run, host: None if getattr(run.params, parameter) else reason


def only_encapsulated(run: Run, host: Host) -> str | None:
    """Return why kube-proxy needs no address of its own."""
    return None if run.plan.encapsulated else "packets are not encapsulated: no address is needed"


CLASSIC = {
    step.name: step
    for step in (
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
    target="windows",
    steps=(
        API_READY,
        POD_NETWORK_PLANNED,
        CLUSTER_CA,
        Step(
            name="facts",
            title="The server's build is known",
            on=TARGET,
            check="windows/facts.check.ps1",
            keep="facts",
        ),
        Step(
            name="preflight",
            title="Nothing on the server stands in the way",
            on=TARGET,
            check=preflight(),
            runs=(WINDOWS, LINUX),
        ),
        Step(
            name="host-name",
            title="The server carries the node's name",
            on=TARGET,
            check="windows/host_name.check.ps1",
            apply="windows/host_name.apply.ps1",
        ),
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
            runs=("windows/reboot.apply.ps1", "windows/boot_time.check.ps1"),
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
        Step(
            name="system-settings",
            title="Node ports are free, and WinRM starts in its turn",
            on=TARGET,
            check="windows/system_settings.check.ps1",
            apply="windows/system_settings.apply.ps1",
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
        Step(
            name="container-runtime",
            title="The container runtime runs",
            on=TARGET,
            check="windows/containerd.check.ps1",
            apply="windows/containerd.apply.ps1",
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
        Step(
            name="cni",
            title="The CNI configuration equals the plan",
            on=TARGET,
            check="windows/cni.check.ps1",
            apply="windows/cni.apply.ps1",
        ),
        defined("flanneld", "flanneld is a service", windows_services.flanneld_service),
        Step(
            name="pod-network",
            title="The HNS network is up and the address is still there",
            on=TARGET,
            check="windows/pod_network.check.ps1",
            apply=await_pod_network,
            values=pod_cidr_values,
            runs=(
                "windows/pod_network.apply.ps1",
                "windows/pod_network.job.ps1",
                "windows/job.status.ps1",
                "linux/node_pod_cidr.check.sh",
            ),
            wait=60,
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
        defined("kube-proxy", "kube-proxy runs", windows_services.kube_proxy_service),
        worker_ready(),
    ),
    variants={"classic": CLASSIC},
)
