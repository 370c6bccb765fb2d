"""Phase 04: one Windows server becomes a worker of the cluster."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from k8swin_nb.inventory import Host
from k8swin_nb.phases import documents
from k8swin_nb.phases.detached import await_pod_network, reboot
from k8swin_nb.phases.flannel import API_READY
from k8swin_nb.phases.joining import (
    CLUSTER_CA,
    POD_NETWORK_PLANNED,
    join_secrets,
    secret_json,
    worker_ready,
)
from k8swin_nb.phases.preflight import preflight
from k8swin_nb.secret import Secret
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.step import Step

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


Definition = Callable[[Run, Host], dict[str, object]]


def service(definition: Definition) -> Callable[[Run, Host], Mapping[str, str]]:
    """Make the values of a step that defines a service."""
    return lambda run, host: {"service": json.dumps(definition(run, host))}


def kubelet_service(run: Run, host: Host) -> dict[str, object]:
    """Define the kubelet. kubeadm join starts it; it reads what kubeadm writes.

    kubeadm's own flags file is read by no program on Windows, so the node's name and address are here.
    The two empty values turn off what a Linux cluster's configuration turns on.
    """
    arguments = [
        "--config=C:/var/lib/kubelet/config.yaml",
        "--bootstrap-kubeconfig=C:/etc/kubernetes/bootstrap-kubelet.conf",
        "--kubeconfig=C:/etc/kubernetes/kubelet.conf",
        "--cert-dir=C:/var/lib/kubelet/pki",
        f"--hostname-override={host.name}",
        f"--node-ip={host.address}",
        "--cgroups-per-qos=false",
        "--enforce-node-allocatable=",
        "--resolv-conf=",
        "--windows-priorityclass=ABOVE_NORMAL_PRIORITY_CLASS",
    ]
    return {
        "name": "kubelet",
        "program": r"C:\k\kubelet.exe",
        "arguments": " ".join(arguments),
        "environment": [],
        "depends": "containerd",
        "log": r"C:\var\log\kubelet\kubelet.log",
        "start": False,
    }


def flanneld_service(run: Run, host: Host) -> dict[str, object]:
    """Define flanneld. The pod network's job starts it, because it cuts the network when it starts."""
    arguments = [
        r"--kubeconfig-file=C:\etc\kube-flannel\kubeconfig",
        r"--net-config-path=C:\etc\kube-flannel\net-conf.json",
        f"--iface={host.address}",
        "--ip-masq",
        "--kube-subnet-mgr",
        "--iptables-forward-rules=false",
    ]
    return {
        "name": "flanneld",
        "program": r"C:\k\flanneld.exe",
        "arguments": " ".join(arguments),
        "environment": [f"NODE_NAME={host.name}"],
        "depends": "hns",
        "log": r"C:\var\log\flanneld\flanneld.log",
        "start": False,
    }


def kube_proxy_service(run: Run, host: Host) -> dict[str, object]:
    """Define kube-proxy. Without its node name it deletes the endpoints of containers."""
    arguments = [
        "--proxy-mode=kernelspace",
        f"--hostname-override={host.name}",
        r"--kubeconfig=C:\etc\kube-proxy\kubeconfig",
        f"--cluster-cidr={run.plan.pod_subnet}",
        "--v=3",
    ]
    return {
        "name": "kube-proxy",
        "program": r"C:\k\kube-proxy.exe",
        "arguments": " ".join(arguments),
        "environment": [f"KUBE_NETWORK={documents.hns_network(run.plan)}"],
        "depends": "flanneld",
        "log": r"C:\var\log\kube-proxy\kube-proxy.log",
        "start": True,
    }


def defined(name: str, title: str, definition: Definition) -> Step:
    """Make the step that defines a service."""
    return Step(
        name=name,
        title=title,
        on=TARGET,
        check="windows/service.check.ps1",
        apply="windows/service.apply.ps1",
        values=service(definition),
        wait=30,
    )


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
            check=preflight("windows/preflight.check.ps1"),
            runs=("windows/preflight.check.ps1",),
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
            name="containerd",
            title="containerd runs",
            on=TARGET,
            check="windows/containerd.check.ps1",
            apply="windows/containerd.apply.ps1",
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
        defined("kubelet", "The kubelet is a service", kubelet_service),
        Step(
            name="join",
            title="The worker has joined",
            on=TARGET,
            check="windows/join.check.ps1",
            apply="windows/join.apply.ps1",
            secrets=join_secrets("JoinConfiguration"),
            runs=("linux/join_token.apply.sh",),
            timeout=600,
            wait=60,
        ),
        Step(
            name="credentials",
            title="flanneld and kube-proxy have kubeconfigs of their own",
            on=TARGET,
            check="windows/credentials.check.ps1",
            apply="windows/credentials.apply.ps1",
            secrets=credential_secrets,
            runs=("linux/worker_tokens.apply.sh",),
        ),
        Step(
            name="cni",
            title="The CNI configuration equals the plan",
            on=TARGET,
            check="windows/cni.check.ps1",
            apply="windows/cni.apply.ps1",
        ),
        defined("flanneld", "flanneld is a service", flanneld_service),
        Step(
            name="pod-network",
            title="The HNS network is up and the address is still there",
            on=TARGET,
            check="windows/pod_network.check.ps1",
            apply=await_pod_network,
            runs=(
                "windows/pod_network.apply.ps1",
                "windows/pod_network.job.ps1",
                "windows/job.status.ps1",
            ),
            wait=60,
        ),
        defined("kube-proxy", "kube-proxy runs", kube_proxy_service),
        worker_ready(),
    ),
)
