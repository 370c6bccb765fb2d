"""The values that scripts may declare: by operating system and name, each worked out when a script declares it.

A script says what it needs (`: "${POD_SUBNET:?...}"`, `param([string]$PodSubnet)`) and gets it from here;
a test holds that nothing is declared that these tables lack. What cannot be worked out, such as the downloads
of a lock file that is not valid, is an error of the step whose script declares it, and of no other.
"""

from __future__ import annotations

import json

from k8swin_nb.compatibility import docker_source, package_source
from k8swin_nb.description import Description
from k8swin_nb.inventory import Host
from k8swin_nb.phases.linux.artifacts import linux_artifacts
from k8swin_nb.phases.linux.containerd import pause_image
from k8swin_nb.phases.linux.control_plane import CLUSTER_AUTHORITY
from k8swin_nb.phases.linux.kubeadm import certificate_names
from k8swin_nb.phases.linux.registries import has_logins, registry_files
from k8swin_nb.phases.network.flannel import net_conf
from k8swin_nb.phases.pods.flannel_manifest import flannel_image
from k8swin_nb.phases.proxies import no_proxy
from k8swin_nb.phases.windows import cni, configuration
from k8swin_nb.phases.windows.artifacts import worker_artifacts
from k8swin_nb.phases.windows.places import places
from k8swin_nb.plan import VXLAN_PORT
from k8swin_nb.scripts import Script
from k8swin_nb.versions import (
    CGROUP_V2_READ,
    CGROUP_V2_REQUIRED,
    CONTAINERD_2_ADVISED,
    CONTROL_PLANE_PORTS,
    CRI_V1,
    ENDPOINTS,
    OS_LABEL,
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
from k8swin_nb.workflow.phase_run import PhaseRun, Value, Values


def firewall_rules(run: PhaseRun, host: Host) -> str:
    """Return a worker's firewall rules as JSON: name, title, protocol, port."""
    rules = [
        ("k8swin-kubelet", "k8swin kubelet", "TCP", "10250"),
        ("k8swin-winrm", "k8swin WinRM on every network profile", "TCP", str(host.winrm_port)),
    ]
    if run.plan.encapsulated:
        rules.append(("k8swin-vxlan", "k8swin vxlan", "UDP", str(VXLAN_PORT)))
    keys = ("name", "title", "protocol", "port")
    return json.dumps([dict(zip(keys, rule, strict=True)) for rule in rules])


def supported_builds(description: Description) -> str:
    """Return the Windows builds that this Kubernetes version runs on, comma-separated."""
    version = minor(description.kubernetes_version)
    return ",".join(str(b.build) for b in WINDOWS_BUILDS if version >= b.kubernetes_from)


def _described(name: str) -> Value:
    """Make the value that is a parameter of the description, as it is."""
    return lambda run, host: str(getattr(run.description, name))


def _planned(name: str) -> Value:
    """Make the value that is a part of the plan, as text."""
    return lambda run, host: str(getattr(run.plan, name))


def _by_version(table: object) -> Value:
    """Make the value that a table of versions has for the cluster's."""
    return lambda run, host: gate(table, run.description.kubernetes_version)  # type: ignore[arg-type]


def _version(run: PhaseRun) -> tuple[int, int]:
    return minor(run.description.kubernetes_version)


def _classic(run: PhaseRun) -> bool:
    return run.description.profile == "classic"


def _word(truth: bool) -> str:
    return str(truth).lower()


COMMON: dict[str, Value] = {
    "node_name": lambda run, host: host.name,
    "node_address": lambda run, host: host.address,
    "node_user": lambda run, host: host.user,
    "node_role": lambda run, host: host.roles[0] if host.roles else "worker",
    "master_address": lambda run, host: run.master.address,
    "api_endpoint": _described("api_endpoint"),
    "control_plane_address": _described("control_plane_address"),
    "cluster_ca": lambda run, host: run.facts.get(run.master, CLUSTER_AUTHORITY, ""),
    "kubernetes_version": _described("kubernetes_version"),
    "kubernetes_apt_source": _described("kubernetes_apt_source"),
    "kubernetes_apt_key": _described("kubernetes_apt_key"),
    "kubernetes_apt_fingerprint": _described("kubernetes_apt_fingerprint"),
    "runtime_test_image": _described("runtime_test_image"),
    "pod_subnet": _planned("pod_subnet"),
    "service_subnet": _planned("service_subnet"),
    "api_service_ip": _planned("api_service_ip"),
    "dns_service_ip": _planned("dns_service_ip"),
    "flannel_backend": _planned("backend"),
    "flannel_image": lambda run, host: flannel_image(run.description),
    "net_conf": lambda run, host: net_conf(
        run.plan, early=flannel_is_early(run.description.flannel_version)
    ),
    "registry_logins": lambda run, host: _word(has_logins(run.description)),
    "pod_network": _described("pod_network"),
    "os_label": _by_version(OS_LABEL),
    "ready_path": _by_version(READY_PATH),
    "control_plane_ports": lambda run, host: " ".join(
        (
            str(run.description.api_port),
            gate(CONTROL_PLANE_PORTS, run.description.kubernetes_version),
        )
    ),
    "api_port": _described("api_port"),
    "endpoints": _by_version(ENDPOINTS),
    "server_side_apply": lambda run, host: _word(_version(run) >= SERVER_SIDE_APPLY),
    "token_secrets": lambda run, host: _word(_version(run) < TOKEN_SECRETS_REMOVED),
    "flannel_namespace": lambda run, host: flannel_namespace(run.description.flannel_version),
    "flannel_daemonset": lambda run, host: flannel_daemonset(run.description.flannel_version),
    "cgroup_v1_required": lambda run, host: _word(_classic(run) and _version(run) < CGROUP_V2_READ),
    "cgroup_v2_required": lambda run, host: _word(_version(run) >= CGROUP_V2_REQUIRED),
    "allow_cgroup_v1": lambda run, host: _word(run.description.allow_cgroup_v1),
    "ignore_preflight_errors": lambda run, host: (
        "SystemVerification"
        if run.description.allow_cgroup_v1 and _version(run) >= CGROUP_V2_REQUIRED
        else ""
    ),
}
"""What scripts of both operating systems may declare."""

LINUX: dict[str, Value] = {
    "api_certificate_names": lambda run, host: " ".join(
        certificate_names(run.description, run.master)
    ),
    "flannel_interfaces": lambda run, host: " ".join(run.description.flannel_interfaces),
    "pause_image": lambda run, host: pause_image(run.description),
    "container_runtime": lambda run, host: "docker" if _classic(run) else "containerd",
    "runtime_apt_source": lambda run, host: (
        run.description.docker_apt_source
        if _classic(run)
        else run.description.containerd_apt_source
    ),
    "runtime_apt_key": _described("runtime_apt_key"),
    "runtime_apt_fingerprint": _described("runtime_apt_fingerprint"),
    "docker_version": _described("docker_version"),
    "linux_proxy": _described("linux_proxy"),
    "cluster_no_proxy": lambda run, host: no_proxy(run.plan),
    "docker_source": lambda run, host: docker_source(run.description),
    "package_source": lambda run, host: package_source(run.description),
    "containerd_series": lambda run, host: run.description.containerd_version.split(".")[0],
    "containerd_newest": lambda run, host: "1" if _version(run) < CRI_V1 else "",
    "containerd_advised": lambda run, host: "2" if _version(run) >= CONTAINERD_2_ADVISED else "1",
    "cri_socket": lambda run, host: cri_socket(
        run.description.profile, "linux", run.description.kubernetes_version
    ),
    "linux_artifacts": lambda run, host: linux_artifacts(run.description),
}
"""A Linux host's container runtime and programs."""

WINDOWS: dict[str, Value] = {
    "pause_image": lambda run, host: configuration.pause_image(run.description),
    "hns_network": lambda run, host: run.plan.hns_network,
    "cni_conf": lambda run, host: (
        cni.dockershim_cni_conf(run.plan, host.address)
        if _classic(run)
        else cni.cni_conf(run.plan, host.address)
    ),
    "windows_net_conf": lambda run, host: net_conf(run.plan, windows=True),
    "places": lambda run, host: places(run.description),
    "winrm_port": lambda run, host: str(host.winrm_port),
    "supported_builds": lambda run, host: supported_builds(run.description),
    "pod_network_job": lambda run, host: Script.load("windows/pod_network.job.ps1").text,
    "hns_removal_job": lambda run, host: Script.load("windows/hns_removed.job.ps1").text,
    "windows_update_job": lambda run, host: Script.load("windows/windows_update.job.ps1").text,
    "containerd_log_job": lambda run, host: Script.load("windows/containerd_log.job.ps1").text,
    "firewall_rules": firewall_rules,
    "artifacts": lambda run, host: worker_artifacts(run.description),
    "cluster_profile": _described("profile"),
    "windows_update": lambda run, host: _word(run.description.windows_update),
    "early_flannel": lambda run, host: _word(flannel_is_early(run.description.flannel_version)),
    "containerd_version": lambda run, host: (
        "" if _classic(run) else run.description.containerd_version
    ),
    "docker_config": lambda run, host: configuration.docker_config(run.description),
    "registry_files": lambda run, host: registry_files(run.description, "windows"),
    "cri_socket": lambda run, host: cri_socket(
        run.description.profile, "windows", run.description.kubernetes_version
    ),
    "folders": lambda run, host: ";".join(configuration.FOLDERS[run.description.profile]),
    "images": configuration.images,
    "base_image": configuration.base_image,
    "cni_folder": lambda run, host: configuration.CNI_FOLDER[run.description.profile],
    "cni_file": lambda run, host: configuration.CNI_FILE[run.description.profile],
    "cni_plugins": lambda run, host: configuration.CNI_PLUGINS[run.description.profile],
    "net_conf_files": lambda run, host: ";".join(
        configuration.NET_CONF_FILES[run.description.profile]
    ),
    "runtime_service": lambda run, host: "docker" if _classic(run) else "containerd",
    "external_network": lambda run, host: cni.external_network(run.plan),
    "network_type": lambda run, host: "Overlay" if run.plan.encapsulated else "L2Bridge",
    "no_proxy": lambda run, host: no_proxy(run.plan),
    "excluded_programs": lambda run, host: ";".join(
        configuration.EXCLUDED_PROGRAMS[run.description.profile]
    ),
    "excluded_folders": lambda run, host: configuration.EXCLUDED_FOLDERS[run.description.profile],
}
"""What only Windows scripts declare."""

VALUES: Values = {"linux": COMMON | LINUX, "windows": COMMON | WINDOWS}
"""By operating system, every value that a script may declare beside those of its step."""
