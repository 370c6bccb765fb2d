"""The values that scripts may declare: one table, by name, for every host of a run.

A script says what it needs (`: "${POD_SUBNET:?...}"`, `param([string]$PodSubnet)`) and gets it from here;
a test holds that nothing is declared that this table lacks.
"""

from __future__ import annotations

import json

from k8swin_nb.inventory import Host
from k8swin_nb.params import ClusterParams
from k8swin_nb.phases import documents
from k8swin_nb.phases.artifacts import worker_artifacts
from k8swin_nb.scripts import Script
from k8swin_nb.versions import (
    CGROUP_V2_REQUIRED,
    OS_LABEL,
    READY_PATH,
    WINDOWS_BUILDS,
    gate,
    minor,
    windows_build,
)
from k8swin_nb.workflow.run import Run

PAUSE_VERSION = "3.10.2"
"""The pause image that holds all three supported Windows builds."""

FOLDERS = (
    r"C:\k",
    r"C:\k8swin",
    r"C:\k8swin\downloads",
    r"C:\k8swin\jobs",
    r"C:\k8swin\state",
    r"C:\etc\cni\net.d",
    r"C:\etc\containerd\certs.d",
    r"C:\etc\kube-flannel",
    r"C:\etc\kube-proxy",
    r"C:\etc\kubernetes\manifests",
    r"C:\etc\kubernetes\pki",
    r"C:\opt\cni\bin",
    r"C:\run\flannel",
    r"C:\var\lib\kubelet",
    r"C:\var\log\containerd",
    r"C:\var\log\flanneld",
    r"C:\var\log\kube-proxy",
    r"C:\var\log\kubelet",
)
"""Folders of a worker. kubeadm and flanneld do not make the ones that they write to."""


def pause_image(params: ClusterParams) -> str:
    """Return the image that holds a pod's network."""
    return f"{params.image_repository}/pause:{PAUSE_VERSION}"


def containerd_config(params: ClusterParams) -> str:
    """Return containerd's configuration on a Windows worker, in the format of version 2."""
    lines = [
        "version = 3",
        r"root = 'C:\ProgramData\containerd\root'",
        r"state = 'C:\ProgramData\containerd\state'",
        "",
        "[grpc]",
        r"  address = '\\.\pipe\containerd-containerd'",
        "",
        "[plugins.'io.containerd.cri.v1.images'.pinned_images]",
        f"  sandbox = '{pause_image(params)}'",
        "",
        "[plugins.'io.containerd.cri.v1.images'.registry]",
        r"  config_path = 'C:\etc\containerd\certs.d'",
        "",
        "[plugins.'io.containerd.cri.v1.runtime'.cni]",
        r"  bin_dirs = ['C:\opt\cni\bin']",
        r"  conf_dir = 'C:\etc\cni\net.d'",
        "",
    ]
    return "\n".join(lines)


def test_image(run: Run, host: Host) -> str:
    """Return the test app's image for a Windows worker: the given one, or servercore of its build."""
    if run.params.test_image:
        return run.params.test_image
    facts = run.facts.get(host.name, {}).get("facts")
    tag = windows_build(int(facts["build"])).tag if facts else ""
    return f"mcr.microsoft.com/windows/servercore:{tag}" if tag else ""


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


def common_values(run: Run, host: Host) -> dict[str, str]:
    """Return every value that is the same for all steps, in snake case."""
    params, plan, master = run.params, run.plan, run.master
    version = params.kubernetes_version
    cgroup_v2 = minor(version) >= CGROUP_V2_REQUIRED
    values = {
        "node_name": host.name,
        "node_address": host.address,
        "node_user": host.user,
        "node_role": host.roles[0] if host.roles else "worker",
        "master_address": master.address,
        "cluster_ca": str(run.facts.get(master.name, {}).get("cluster_ca", "")),
        "kubernetes_version": version,
        "containerd_series": params.containerd_version.split(".")[0],
        "kubernetes_apt_source": params.kubernetes_apt_source,
        "containerd_apt_source": params.containerd_apt_source,
        "runtime_test_image": params.runtime_test_image,
        "pause_image": pause_image(params),
        "pod_subnet": str(plan.pod_subnet),
        "service_subnet": str(plan.service_subnet),
        "api_service_ip": str(plan.api_service_ip),
        "dns_service_ip": str(plan.dns_service_ip),
        "flannel_backend": plan.backend,
        "flannel_image": documents.flannel_image(params),
        "net_conf": documents.net_conf(plan),
        "os_label": gate(OS_LABEL, version),
        "ready_path": gate(READY_PATH, version),
        "cgroup_v2_required": str(cgroup_v2).lower(),
        "allow_cgroup_v1": str(params.allow_cgroup_v1).lower(),
        "ignore_preflight_errors": (
            "SystemVerification" if params.allow_cgroup_v1 and cgroup_v2 else ""
        ),
    }
    if host.os == "windows":
        values |= windows_values(run, host)
    return values


def windows_values(run: Run, host: Host) -> dict[str, str]:
    """Return the values that only Windows scripts declare."""
    params, plan = run.params, run.plan
    return {
        "hns_network": documents.hns_network(plan),
        "cni_conf": documents.cni_conf(plan, host.address),
        "windows_net_conf": documents.net_conf(plan, windows=True),
        "containerd_config": containerd_config(params),
        "folders": ";".join(FOLDERS),
        "supported_builds": supported_builds(params),
        "pod_network_job": Script.load("windows/pod_network.job.ps1").text,
        "firewall_rules": firewall_rules(run, host),
        "artifacts": worker_artifacts(params),
        "images": f"{pause_image(params)} {test_image(run, host)}".strip(),
    }
