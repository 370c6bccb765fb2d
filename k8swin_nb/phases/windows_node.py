"""What differs on a Windows worker by profile: configurations, folders, images, proxies."""

from __future__ import annotations

import json
from typing import Any

from k8swin_nb.inventory import Host
from k8swin_nb.params import ClusterParams
from k8swin_nb.phases.documents import hns_network
from k8swin_nb.plan import WINDOWS_DUMMY, NetworkPlan
from k8swin_nb.scripts import Script
from k8swin_nb.versions import minor, windows_build
from k8swin_nb.workflow.run import Run

PAUSE = {"current": "3.10.2", "classic": "3.6"}
"""The pause image by profile. 3.10.2 is the first for Windows Server 2025; 3.6 has 2019 and 2022 and suits Docker."""

SEVERAL_CNI_FOLDERS = (2, 2)
"""From this containerd on the CRI plugin takes a list of folders of CNI plugins."""

_COMMON_FOLDERS = (
    r"C:\k",
    r"C:\k8swin",
    r"C:\k8swin\downloads",
    r"C:\k8swin\jobs",
    r"C:\k8swin\state",
    r"C:\etc\kube-flannel",
    r"C:\etc\kubernetes\manifests",
    r"C:\etc\kubernetes\pki",
    r"C:\run\flannel",
    r"C:\var\lib\kubelet",
    r"C:\var\log\flanneld",
    r"C:\var\log\kube-proxy",
    r"C:\var\log\kubelet",
)
FOLDERS = {
    "current": (
        *_COMMON_FOLDERS,
        r"C:\etc\cni\net.d",
        r"C:\etc\containerd\certs.d",
        r"C:\etc\kube-proxy",
        r"C:\opt\cni\bin",
        r"C:\var\log\containerd",
    ),
    "classic": (*_COMMON_FOLDERS, r"C:\k\cni", r"C:\k\cni\config", r"C:\flannel"),
}
"""Folders of a worker. kubeadm and flanneld do not make the ones that they write to."""

CNI_FOLDER = {"current": r"C:\etc\cni\net.d", "classic": r"C:\k\cni\config"}
CNI_FILE = {"current": "10-flannel.conf", "classic": "cni.conf"}
CNI_PLUGINS = {"current": r"C:\opt\cni\bin", "classic": r"C:\k\cni"}

NET_CONF_FILES = {
    "current": (r"C:\etc\kube-flannel\net-conf.json",),
    # flanneld reads the first; Microsoft's scripts copy the second over it whenever somebody runs them.
    "classic": (r"C:\etc\kube-flannel\net-conf.json", r"C:\k\net-conf.json"),
}


_COMMON_PROGRAMS = (r"C:\k\kubelet.exe", r"C:\k\kube-proxy.exe", r"C:\k\flanneld.exe")
EXCLUDED_PROGRAMS = {
    "current": (
        *_COMMON_PROGRAMS,
        r"C:\Program Files\containerd\containerd.exe",
        r"C:\Program Files\containerd\containerd-shim-runhcs-v1.exe",
        r"C:\Program Files\containerd\ctr.exe",
    ),
    "classic": (*_COMMON_PROGRAMS, r"C:\Program Files\docker\dockerd.exe"),
}
EXCLUDED_FOLDERS = {"current": r"C:\ProgramData\containerd", "classic": r"C:\ProgramData\docker"}
"""What Microsoft Defender leaves alone when it is asked to."""


def pause_image(params: ClusterParams) -> str:
    """Return the image that holds a pod's network on a Windows worker."""
    return f"{params.image_repository}/pause:{PAUSE[params.profile]}"


def windows_tag(run: Run, host: Host) -> str:
    """Return the tag of Microsoft's images for a host's build; empty before its build is known."""
    facts = run.facts.get(host.name, {}).get("facts")
    return windows_build(int(facts["build"])).tag if facts else ""


def servercore(params: ClusterParams, tag: str) -> str:
    """Return Microsoft's image with PowerShell, in which the test app's pods run."""
    return f"{params.windows_repository}/servercore:{tag}"


def test_image(run: Run, host: Host) -> str:
    """Return the test app's image for a Windows worker: the given one, or servercore of its build."""
    if run.params.test_image:
        return run.params.test_image
    tag = windows_tag(run, host)
    return servercore(run.params, tag) if tag else ""


def base_image(run: Run, host: Host) -> str:
    """Return the small image that is run once to prove Docker, and that a pause image is made of."""
    tag = windows_tag(run, host)
    return f"{run.params.windows_repository}/nanoserver:{tag}" if tag else ""


def images(run: Run, host: Host) -> str:
    """Return the images that a Windows worker needs, separated by spaces.

    The test app's is among them unless its pods run on Linux.
    """
    wanted = [pause_image(run.params)]
    if run.params.profile == "classic":
        wanted.append(base_image(run, host))
    if run.params.test_os == "windows":
        wanted.append(test_image(run, host))
    return " ".join(image for image in wanted if image)


def containerd_config(params: ClusterParams) -> str:
    """Return containerd's configuration on a Windows worker, in the format of its version."""
    series = minor(params.containerd_version)
    head = [
        f"version = {3 if series >= (2, 0) else 2}",
        r"root = 'C:\ProgramData\containerd\root'",
        r"state = 'C:\ProgramData\containerd\state'",
        "",
        "[grpc]",
        r"  address = '\\.\pipe\containerd-containerd'",
        "",
    ]
    plugins = CNI_PLUGINS["current"]
    bin_dirs = (
        f"  bin_dirs = ['{plugins}']"
        if series >= SEVERAL_CNI_FOLDERS
        else f"  bin_dir = '{plugins}'"
    )
    conf_dir = f"  conf_dir = '{CNI_FOLDER['current']}'"
    registry = r"  config_path = 'C:\etc\containerd\certs.d'"
    if series >= (2, 0):
        body = [
            "[plugins.'io.containerd.cri.v1.images'.pinned_images]",
            f"  sandbox = '{pause_image(params)}'",
            "",
            "[plugins.'io.containerd.cri.v1.images'.registry]",
            registry,
            "",
            "[plugins.'io.containerd.cri.v1.runtime'.cni]",
            bin_dirs,
            conf_dir,
        ]
    else:
        body = [
            "[plugins.'io.containerd.grpc.v1.cri']",
            f"  sandbox_image = '{pause_image(params)}'",
            "",
            "[plugins.'io.containerd.grpc.v1.cri'.registry]",
            registry,
            "",
            "[plugins.'io.containerd.grpc.v1.cri'.cni]",
            bin_dirs,
            conf_dir,
        ]
    return "\n".join([*head, *body, ""])


def docker_config() -> str:
    """Return Docker's configuration on a Windows worker: logs of containers that do not fill the disk."""
    options = {"max-size": "50m", "max-file": "5"}
    return json.dumps({"log-driver": "json-file", "log-opts": options}, indent=2) + "\n"


def dockershim_cni_conf(plan: NetworkPlan, node_address: str) -> str:
    """Return a Windows worker's CNI configuration (cni.conf) for Docker.

    dockershim names the container and not its network namespace, which is the first version of the HNS
    interface: its policies are flat and have other words than containerd's. Every network in it is the
    plan's, so that a worker cannot have another service network than the control plane.
    """
    inside = [str(plan.pod_subnet), str(plan.service_subnet), str(plan.host_subnet)]

    def endpoint(kind: str, **value: Any) -> dict[str, Any]:
        return {"name": "EndpointPolicy", "value": {"Type": kind, **value}}

    return json.dumps(
        {
            "cniVersion": "0.2.0",
            "name": hns_network(plan),
            "type": "flannel",
            "delegate": {
                "type": "win-bridge",
                "dns": {
                    "nameservers": [str(plan.dns_service_ip)],
                    "search": ["svc.cluster.local"],
                },
                "policies": [
                    endpoint("OutBoundNAT", ExceptionList=inside),
                    endpoint("ROUTE", DestinationPrefix=str(plan.service_subnet), NeedEncap=True),
                    endpoint("ROUTE", DestinationPrefix=f"{node_address}/32", NeedEncap=True),
                ],
                "loopbackDSR": True,
            },
        }
    )


def external_network(plan: NetworkPlan) -> str:
    """Return the placeholder HNS network of Microsoft's scripts as JSON; empty where none is made.

    It makes the virtual switch before flanneld starts: an early flanneld waits for the adapter for five
    seconds only, which is less than the adapter may need.
    """
    if plan.profile != "classic":
        return ""
    subnet = {
        "AddressPrefix": str(WINDOWS_DUMMY),
        "GatewayAddress": str(WINDOWS_DUMMY[1]),
    }
    return json.dumps({"Name": "External", "Type": "L2Bridge", "Subnets": [subnet]})


def no_proxy(run: Run) -> str:
    """Return what must never go through a proxy: this computer, the nodes, the cluster's networks."""
    plan = run.plan
    nodes = [str(address) for _, address, _ in plan.nodes]
    networks = [str(plan.host_subnet), str(plan.pod_subnet), str(plan.service_subnet)]
    return ",".join(
        [
            "localhost",
            "127.0.0.1",
            *nodes,
            *networks,
            str(plan.api_service_ip),
            ".svc",
            ".cluster.local",
        ]
    )


def profile_values(run: Run, host: Host) -> dict[str, str]:
    """Return the values of a Windows worker that follow from its profile."""
    params, profile = run.params, run.params.profile
    return {
        "cluster_profile": profile,
        "docker_config": docker_config(),
        "containerd_config": containerd_config(params),
        "folders": ";".join(FOLDERS[profile]),
        "images": images(run, host),
        "base_image": base_image(run, host),
        "cni_folder": CNI_FOLDER[profile],
        "cni_file": CNI_FILE[profile],
        "cni_plugins": CNI_PLUGINS[profile],
        "net_conf_files": ";".join(NET_CONF_FILES[profile]),
        "runtime_service": "docker" if profile == "classic" else "containerd",
        "external_network": external_network(run.plan),
        "network_type": "Overlay" if run.plan.encapsulated else "L2Bridge",
        "no_proxy": no_proxy(run),
        "excluded_programs": ";".join(EXCLUDED_PROGRAMS[profile]),
        "excluded_folders": EXCLUDED_FOLDERS[profile],
        "windows_update_job": Script.load("windows/windows_update.job.ps1").text,
    }
