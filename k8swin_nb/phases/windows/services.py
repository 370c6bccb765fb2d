"""The services of a Windows worker: kubelet, flanneld and kube-proxy, with the flags of their versions.

nssm runs them: flanneld is no service by itself, and one way for all three has one place for restarts and
for logs that are rotated. A flag that a version does not know ends its program at once, and the service
manager then reports a timeout and nothing else; so every flag is held by a test against what the Windows
builds print.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from subprocess import list2cmdline

from k8swin_nb.inventory import Host
from k8swin_nb.phases.windows.configuration import CNI_FOLDER, CNI_PLUGINS, pause_image
from k8swin_nb.scripts import Script
from k8swin_nb.versions import flannel_is_early, minor, passes
from k8swin_nb.workflow.facts import Fact
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.step import Step
from k8swin_nb.workflow.step_run import StepRun

SOURCE_VIP = Fact[str]("source_vip")
"""The address from which kube-proxy sends on an encapsulated network."""

Definition = Callable[[PhaseRun, Host], dict[str, object]]

INSTANCE_CONFIG = (1, 36)
"""From here on kubeadm writes the runtime's socket to a file that the kubelet reads by itself."""

PRIORITY_CLASS = (1, 22)
"""From here on the kubelet is surely able to run before the containers that take all processors."""

CONTAINERD_SOCKET = "npipe:////./pipe/containerd-containerd"
ADMIN_KUBECONFIG = r"C:\k\config"


def service(definition: Definition) -> Callable[[StepRun], Mapping[str, str]]:
    """Make the values of a step that defines a service."""
    return lambda at: {"service": json.dumps(definition(at.run, at.host))}


def defined(name: str, title: str, definition: Definition) -> Step:
    """Make the step that defines a service."""
    return Step(
        name=name,
        title=title,
        on="target",
        check="windows/service.check.ps1",
        apply="windows/service.apply.ps1",
        values=service(definition),
        wait=30,
    )


def kubelet_service(run: PhaseRun, host: Host) -> dict[str, object]:
    """Define the kubelet. kubeadm join starts it; it reads what kubeadm writes.

    kubeadm's own flags file is read by no program on Windows, so the node's name and address are here.
    The empty values turn off what a Linux cluster's configuration turns on.
    """
    version = run.description.kubernetes_version
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
    ]
    if minor(version) >= PRIORITY_CLASS:
        arguments.append("--windows-priorityclass=ABOVE_NORMAL_PRIORITY_CLASS")
    if passes("--container-runtime=remote", version):
        arguments.append("--container-runtime=remote")
    if minor(version) < INSTANCE_CONFIG:
        arguments.append(f"--container-runtime-endpoint={CONTAINERD_SOCKET}")
    return {
        "name": "kubelet",
        "program": r"C:\k\kubelet.exe",
        "arguments": list2cmdline(arguments),
        "environment": [],
        "depends": "containerd",
        "log": r"C:\var\log\kubelet\kubelet.log",
        "start": False,
    }


def classic_kubelet_service(run: PhaseRun, host: Host) -> dict[str, object]:
    """Define the kubelet that talks to Docker and finds pods a network by itself. The next step starts it.

    It writes its log to standard error, which nssm rotates, instead of to files that nobody does. Its
    DNS server is the plan's.
    """
    version = run.description.kubernetes_version
    arguments = [
        f"--kubeconfig={ADMIN_KUBECONFIG}",
        f"--hostname-override={host.name}",
        f"--node-ip={host.address}",
        f"--pod-infra-container-image={pause_image(run.description)}",
        f"--cluster-dns={run.plan.dns_service_ip}",
        "--cluster-domain=cluster.local",
        "--enable-debugging-handlers",
        "--hairpin-mode=promiscuous-bridge",
        "--cgroups-per-qos=false",
        "--enforce-node-allocatable=",
        "--resolv-conf=",
        "--image-pull-progress-deadline=20m",
        "--network-plugin=cni",
        f"--cni-bin-dir={CNI_PLUGINS['classic']}",
        f"--cni-conf-dir={CNI_FOLDER['classic']}",
        r"--cert-dir=C:\var\lib\kubelet\pki",
        "--v=4",
    ]
    if passes("--allow-privileged", version):
        arguments.append("--allow-privileged=true")
    return {
        "name": "kubelet",
        "program": r"C:\k\kubelet.exe",
        "arguments": list2cmdline(arguments),
        "environment": [],
        "depends": "docker",
        "log": r"C:\var\log\kubelet\kubelet.log",
        "start": False,
    }


def _flanneld_arguments(run: PhaseRun, host: Host, kubeconfig: str) -> list[str]:
    # An early flanneld has no flag for its configuration: it reads this very file of its own drive.
    early = flannel_is_early(run.description.flannel_version)
    return [
        f"--kubeconfig-file={kubeconfig}",
        *([] if early else [r"--net-config-path=C:\etc\kube-flannel\net-conf.json"]),
        f"--iface={host.address}",
        "--ip-masq",
        "--kube-subnet-mgr",
        "--iptables-forward-rules=false",
    ]


def _flanneld(run: PhaseRun, host: Host, kubeconfig: str) -> dict[str, object]:
    return {
        "name": "flanneld",
        "program": r"C:\k\flanneld.exe",
        "arguments": list2cmdline(_flanneld_arguments(run, host, kubeconfig)),
        "environment": [f"NODE_NAME={host.name}"],
        "depends": "hns",
        "log": r"C:\var\log\flanneld\flanneld.log",
        "start": False,
    }


def _behind_script(
    run: PhaseRun, host: Host, kubeconfig: str, *, always: bool
) -> dict[str, object]:
    """Define flanneld behind a script that removes the endpoint which the last boot left; `always`: each time."""
    told = {
        "network": run.plan.hns_network,
        "always": always,
        "arguments": _flanneld_arguments(run, host, kubeconfig),
    }
    script = r"C:\k8swin\flanneld.ps1"
    return _flanneld(run, host, kubeconfig) | {
        "program": r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
        "arguments": f"-NoProfile -NonInteractive -ExecutionPolicy Bypass -File {script}",
        "files": [
            {"path": script, "text": Script.load("windows/flanneld.run.ps1").text},
            {"path": r"C:\k8swin\state\flanneld.json", "text": json.dumps(told)},
        ],
    }


def flanneld_service(run: PhaseRun, host: Host) -> dict[str, object]:
    """Define flanneld. The pod network's job starts it, because it cuts the network when it starts.

    Its interface is named by its address: the adapter's alias changes with the virtual switch, and may
    hold spaces. On a bridge it has an endpoint of its own, which Windows keeps over a reboot.
    """
    kubeconfig = r"C:\etc\kube-flannel\kubeconfig"
    if run.plan.encapsulated:
        return _flanneld(run, host, kubeconfig)
    return _behind_script(run, host, kubeconfig, always=False)


def classic_flanneld_service(run: PhaseRun, host: Host) -> dict[str, object]:
    """Define flanneld with the administrator's kubeconfig; an early one never takes its endpoint as it finds it."""
    return _behind_script(run, host, ADMIN_KUBECONFIG, always=True)


def _kube_proxy(run: PhaseRun, host: Host, kubeconfig: str) -> dict[str, object]:
    version = run.description.kubernetes_version
    arguments = [
        "--proxy-mode=kernelspace",
        f"--hostname-override={host.name}",
        f"--kubeconfig={kubeconfig}",
        f"--cluster-cidr={run.plan.pod_subnet}",
        "--v=4" if run.description.profile == "classic" else "--v=3",
    ]
    if run.plan.encapsulated:
        arguments += [
            f"--network-name={run.plan.hns_network}",
            f"--bind-address={host.address}",
            f"--source-vip={run.facts.get(host, SOURCE_VIP, '')}",
        ]
        if passes("--feature-gates=WinOverlay=true", version):
            arguments.append("--feature-gates=WinOverlay=true")
    return {
        "name": "kube-proxy",
        "program": r"C:\k\kube-proxy.exe",
        "arguments": list2cmdline(arguments),
        "environment": [f"KUBE_NETWORK={run.plan.hns_network}"],
        "depends": "flanneld",
        "log": r"C:\var\log\kube-proxy\kube-proxy.log",
        "start": True,
    }


def kube_proxy_service(run: PhaseRun, host: Host) -> dict[str, object]:
    """Define kube-proxy. Without its node name it deletes the endpoints of containers."""
    return _kube_proxy(run, host, r"C:\etc\kube-proxy\kubeconfig")


def classic_kube_proxy_service(run: PhaseRun, host: Host) -> dict[str, object]:
    """Define kube-proxy with the administrator's kubeconfig, as Microsoft's scripts start it."""
    return _kube_proxy(run, host, ADMIN_KUBECONFIG)
