"""kubeadm's documents for the control plane and for workers, and kubeconfigs, built from the plan as data."""

from __future__ import annotations

from typing import Any

from k8swin_nb.description import Description
from k8swin_nb.inventory import Host
from k8swin_nb.phases.documents import Document, to_yaml
from k8swin_nb.plan import NetworkPlan
from k8swin_nb.versions import (
    CGROUP_V2_REQUIRED,
    DNS_REPOSITORY,
    KUBEADM_API,
    cri_socket,
    gate,
    minor,
)
from k8swin_nb.workflow.step_run import StepRun


def named_arguments(version: str, arguments: dict[str, str]) -> Any:
    """Return kubelet arguments as the version's kubeadm wants them: a list from v1beta4 on, else a map."""
    if gate(KUBEADM_API, version).endswith("v1beta4"):
        return [{"name": name, "value": value} for name, value in arguments.items()]
    return arguments


def kubeadm_init(description: Description, plan: NetworkPlan, master: Host) -> bytes:
    """Return the configuration file of `kubeadm init`."""
    version = description.kubernetes_version
    api = gate(KUBEADM_API, version)
    kubelet: Document = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "systemd",
    }
    if description.allow_cgroup_v1 and minor(version) >= CGROUP_V2_REQUIRED:
        kubelet["failCgroupV1"] = False
    kubelet |= description.kubelet_settings
    return to_yaml(
        {
            "apiVersion": api,
            "kind": "InitConfiguration",
            "localAPIEndpoint": {
                "advertiseAddress": master.address,
                "bindPort": description.api_port,
            },
            "nodeRegistration": {
                "name": master.name,
                "criSocket": cri_socket(description.profile, "linux", version),
                "kubeletExtraArgs": named_arguments(version, {"node-ip": master.address}),
                **({"taints": []} if description.control_plane_workloads else {}),
            },
        },
        {
            "apiVersion": api,
            "kind": "ClusterConfiguration",
            "kubernetesVersion": f"v{version}",
            "clusterName": description.cluster_name,
            "controlPlaneEndpoint": description.api_endpoint,
            "imageRepository": description.image_repository,
            "networking": {
                "podSubnet": str(plan.pod_subnet),
                "serviceSubnet": str(plan.service_subnet),
                "dnsDomain": "cluster.local",
            },
            "apiServer": {"certSANs": certificate_names(description, master)},
            **dns_repository(description),
        },
        kubelet,
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clusterCIDR": str(plan.pod_subnet),
        },
    )


def certificate_names(description: Description, master: Host) -> list[str]:
    """Return what the API server's certificate is to name, beside what kubeadm writes into it by itself.

    The master's address is among them, by which this computer asks wherever the endpoint leads.
    """
    endpoint = description.api_endpoint.rpartition(":")[0]
    names = [master.address, master.name, endpoint, *description.api_certificate_names]
    return list(dict.fromkeys(names))


def dns_repository(description: Description) -> Document:
    """Return where kubeadm finds CoreDNS, when it would look for it in the wrong folder.

    Of another registry than its own kubeadm takes `coredns` without a folder of its own; a mirror that keeps
    the paths has it one folder down, which the description then says.
    """
    if description.coredns_repository:
        return {"dns": {"imageRepository": description.coredns_repository}}
    below = gate(DNS_REPOSITORY, description.kubernetes_version)
    if not below or description.image_repository != "registry.k8s.io":
        return {}
    return {"dns": {"imageRepository": description.image_repository + below}}


def join_configuration(
    description: Description, master: Host, worker: Host, token: str, ca_hash: str
) -> str:
    """Return the configuration file of `kubeadm join`; it holds the token and is therefore a secret."""
    version = description.kubernetes_version
    return to_yaml(
        {
            "apiVersion": gate(KUBEADM_API, version),
            "kind": "JoinConfiguration",
            "discovery": {
                "bootstrapToken": {
                    "apiServerEndpoint": description.api_endpoint,
                    "token": token,
                    "caCertHashes": [ca_hash],
                }
            },
            "nodeRegistration": {
                "name": worker.name,
                "criSocket": cri_socket(description.profile, worker.os, version),
                "kubeletExtraArgs": named_arguments(version, {"node-ip": worker.address}),
            },
        }
    ).decode()


def kubeconfig(description: Description, master: Host, ca_data: str, user: str, token: str) -> str:
    """Return a kubeconfig for one service account; it holds the token and is therefore a secret."""
    return to_yaml(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": description.cluster_name,
                    "cluster": {
                        "server": f"https://{description.api_endpoint}",
                        "certificate-authority-data": ca_data,
                    },
                }
            ],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [
                {"name": user, "context": {"cluster": description.cluster_name, "user": user}}
            ],
            "current-context": user,
        }
    ).decode()


def init_configuration(at: StepRun) -> bytes:
    """Return the configuration of `kubeadm init` for this host."""
    return kubeadm_init(at.description, at.plan, at.host)
