"""The values that scripts may declare: one table, by name, for every host of a run.

A script says what it needs (`: "${POD_SUBNET:?...}"`, `param([string]$PodSubnet)`) and gets it from here;
a test holds that nothing is declared that this table lacks.
"""

from __future__ import annotations

import json

from k8swin_nb.compatibility import docker_source, package_source
from k8swin_nb.inventory import Host
from k8swin_nb.params import ClusterParams
from k8swin_nb.phases import documents, windows_node
from k8swin_nb.phases.artifacts import worker_artifacts
from k8swin_nb.phases.flannel_manifest import flannel_image
from k8swin_nb.phases.linux_artifacts import linux_artifacts
from k8swin_nb.phases.places import places
from k8swin_nb.scripts import Script
from k8swin_nb.versions import (
    CGROUP_V2_READ,
    CGROUP_V2_REQUIRED,
    CONTAINERD_2_ADVISED,
    CONTROL_PLANE_PORTS,
    CRI_V1,
    ENDPOINTS,
    OS_LABEL,
    PAUSE,
    READY_PATH,
    SERVER_SIDE_APPLY,
    TOKEN_SECRETS_REMOVED,
    WINDOWS_BUILDS,
    cri_socket,
    flannel_daemonset,
    flannel_is_early,
    flannel_namespace,
    gate,
    minor,
)
from k8swin_nb.workflow.run import Run


def pause_image(params: ClusterParams, os: str = "windows") -> str:
    """Return the image that holds a pod's network: on Linux the one that kubeadm lists as well."""
    if os == "windows":
        return windows_node.pause_image(params)
    return f"{params.image_repository}/pause:{gate(PAUSE, params.kubernetes_version)}"


def firewall_rules(run: Run, host: Host) -> str:
    """Return a worker's firewall rules as JSON: name, title, protocol, port."""
    rules = [
        ("k8swin-kubelet", "k8swin kubelet", "TCP", "10250"),
        ("k8swin-winrm", "k8swin WinRM on every network profile", "TCP", str(host.winrm_port)),
    ]
    if run.plan.encapsulated:
        rules.append(("k8swin-vxlan", "k8swin vxlan", "UDP", str(documents.VXLAN_PORT)))
    keys = ("name", "title", "protocol", "port")
    return json.dumps([dict(zip(keys, rule, strict=True)) for rule in rules])


def supported_builds(params: ClusterParams) -> str:
    """Return the Windows builds that this Kubernetes version runs on, comma-separated."""
    version = minor(params.kubernetes_version)
    return ",".join(str(b.build) for b in WINDOWS_BUILDS if version >= b.kubernetes_from)


def version_values(params: ClusterParams) -> dict[str, str]:
    """Return the values that follow from the Kubernetes and flannel versions alone."""
    version = params.kubernetes_version
    cgroup_v2 = minor(version) >= CGROUP_V2_REQUIRED
    return {
        "os_label": gate(OS_LABEL, version),
        "ready_path": gate(READY_PATH, version),
        "control_plane_ports": gate(CONTROL_PLANE_PORTS, version),
        "endpoints": gate(ENDPOINTS, version),
        "server_side_apply": str(minor(version) >= SERVER_SIDE_APPLY).lower(),
        "token_secrets": str(minor(version) < TOKEN_SECRETS_REMOVED).lower(),
        "flannel_namespace": flannel_namespace(params.flannel_version),
        "flannel_daemonset": flannel_daemonset(params.flannel_version),
        "cgroup_v1_required": str(
            params.profile == "classic" and minor(version) < CGROUP_V2_READ
        ).lower(),
        "cgroup_v2_required": str(cgroup_v2).lower(),
        "allow_cgroup_v1": str(params.allow_cgroup_v1).lower(),
        "ignore_preflight_errors": (
            "SystemVerification" if params.allow_cgroup_v1 and cgroup_v2 else ""
        ),
    }


def linux_values(run: Run, host: Host) -> dict[str, str]:
    """Return the values of a Linux host's container runtime and programs."""
    params = run.params
    classic = params.profile == "classic"
    return {
        "container_runtime": "docker" if classic else "containerd",
        "runtime_apt_source": params.docker_apt_source if classic else params.containerd_apt_source,
        "runtime_apt_key": params.runtime_apt_key,
        "docker_version": params.docker_version,
        "docker_source": docker_source(params),
        "package_source": package_source(params),
        "containerd_series": params.containerd_version.split(".")[0],
        "containerd_newest": "1" if minor(params.kubernetes_version) < CRI_V1 else "",
        "containerd_advised": "2"
        if minor(params.kubernetes_version) >= CONTAINERD_2_ADVISED
        else "1",
        "cri_socket": cri_socket(params.profile, "linux", params.kubernetes_version),
        "linux_artifacts": linux_artifacts(params),
    }


def common_values(run: Run, host: Host) -> dict[str, str]:
    """Return every value that is the same for all steps, in snake case."""
    params, plan, master = run.params, run.plan, run.master
    version = params.kubernetes_version
    values = {
        "node_name": host.name,
        "node_address": host.address,
        "node_user": host.user,
        "node_role": host.roles[0] if host.roles else "worker",
        "master_address": master.address,
        "cluster_ca": str(run.facts.get(master.name, {}).get("cluster_ca", "")),
        "kubernetes_version": version,
        "kubernetes_apt_source": params.kubernetes_apt_source,
        "kubernetes_apt_key": params.kubernetes_apt_key,
        "runtime_test_image": params.runtime_test_image,
        "pause_image": pause_image(params, host.os),
        "pod_subnet": str(plan.pod_subnet),
        "service_subnet": str(plan.service_subnet),
        "api_service_ip": str(plan.api_service_ip),
        "dns_service_ip": str(plan.dns_service_ip),
        "flannel_backend": plan.backend,
        "flannel_image": flannel_image(params),
        "net_conf": documents.net_conf(plan, early=flannel_is_early(params.flannel_version)),
        **version_values(params),
    }
    return values | (windows_values if host.os == "windows" else linux_values)(run, host)


def windows_values(run: Run, host: Host) -> dict[str, str]:
    """Return the values that only Windows scripts declare."""
    params, plan = run.params, run.plan
    classic = params.profile == "classic"
    return {
        "hns_network": documents.hns_network(plan),
        "cni_conf": (
            windows_node.dockershim_cni_conf(plan, host.address)
            if classic
            else documents.cni_conf(plan, host.address)
        ),
        "windows_net_conf": documents.net_conf(plan, windows=True),
        "places": places(params),
        "winrm_port": str(host.winrm_port),
        "supported_builds": supported_builds(params),
        "pod_network_job": Script.load("windows/pod_network.job.ps1").text,
        "hns_removal_job": Script.load("windows/hns_removed.job.ps1").text,
        "firewall_rules": firewall_rules(run, host),
        "artifacts": worker_artifacts(params),
        **windows_node.profile_values(run, host),
    }
