"""Documents for kubeadm, flannel and kubectl, built from the plan as data and written as YAML.

Nothing is inserted into text: a value with a colon or a quote in it cannot change a document's shape.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from k8swin_nb.inventory import Host
from k8swin_nb.params import ClusterParams
from k8swin_nb.plan import NetworkPlan
from k8swin_nb.versions import (
    CGROUP_V2_REQUIRED,
    DNS_REPOSITORY,
    KUBEADM_API,
    cri_socket,
    gate,
    minor,
)

VXLAN_VNI = 4096
"""Windows takes no smaller number; Linux must use the same."""

VXLAN_PORT = 4789
"""The port that Windows uses; Linux defaults to another one and must be told."""

Document = dict[str, Any]


def to_yaml(*documents: Document) -> bytes:
    """Write documents as one YAML stream, keys in the given order."""
    return yaml.safe_dump_all(documents, sort_keys=False, width=100).encode()


def named_arguments(version: str, arguments: dict[str, str]) -> Any:
    """Return kubelet arguments as the version's kubeadm wants them: a list from v1beta4 on, else a map."""
    if gate(KUBEADM_API, version).endswith("v1beta4"):
        return [{"name": name, "value": value} for name, value in arguments.items()]
    return arguments


def kubeadm_init(params: ClusterParams, plan: NetworkPlan, master: Host) -> bytes:
    """Return the configuration file of `kubeadm init`."""
    version = params.kubernetes_version
    api = gate(KUBEADM_API, version)
    kubelet: Document = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "systemd",
    }
    if params.allow_cgroup_v1 and minor(version) >= CGROUP_V2_REQUIRED:
        kubelet["failCgroupV1"] = False
    return to_yaml(
        {
            "apiVersion": api,
            "kind": "InitConfiguration",
            "localAPIEndpoint": {"advertiseAddress": master.address, "bindPort": 6443},
            "nodeRegistration": {
                "name": master.name,
                "criSocket": cri_socket(params.profile, "linux", version),
                "kubeletExtraArgs": named_arguments(version, {"node-ip": master.address}),
            },
        },
        {
            "apiVersion": api,
            "kind": "ClusterConfiguration",
            "kubernetesVersion": f"v{version}",
            "clusterName": params.cluster_name,
            "controlPlaneEndpoint": f"{master.address}:6443",
            "imageRepository": params.image_repository,
            "networking": {
                "podSubnet": str(plan.pod_subnet),
                "serviceSubnet": str(plan.service_subnet),
                "dnsDomain": "cluster.local",
            },
            "apiServer": {"certSANs": [master.address, master.name]},
            **dns_repository(params),
        },
        kubelet,
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clusterCIDR": str(plan.pod_subnet),
        },
    )


def dns_repository(params: ClusterParams) -> Document:
    """Return where kubeadm finds CoreDNS, when it would look for it in the wrong folder.

    Of another registry than its own kubeadm takes `coredns` without a folder of its own; a mirror that keeps
    the paths has it one folder down, which the description then says.
    """
    if params.coredns_repository:
        return {"dns": {"imageRepository": params.coredns_repository}}
    below = gate(DNS_REPOSITORY, params.kubernetes_version)
    if not below or params.image_repository != "registry.k8s.io":
        return {}
    return {"dns": {"imageRepository": params.image_repository + below}}


def net_conf(plan: NetworkPlan, *, windows: bool = False, early: bool = False) -> str:
    """Return flannel's net-conf.json in one line.

    Windows names the HNS network in it; Linux is told not to use nftables, which the kubelet's own
    rules do not use either, unless it is an early flannel that has never heard of them.
    """
    backend: Document = {"Type": plan.windows_backend if windows else plan.backend}
    if plan.encapsulated:
        backend |= {"VNI": VXLAN_VNI, "Port": VXLAN_PORT}
    if windows:
        backend["Name"] = hns_network(plan)
        return json.dumps({"Network": str(plan.pod_subnet), "Backend": backend})
    if early:
        return json.dumps({"Network": str(plan.pod_subnet), "Backend": backend})
    return json.dumps(
        {"Network": str(plan.pod_subnet), "EnableNFTables": False, "Backend": backend}
    )


def hns_network(plan: NetworkPlan) -> str:
    """Return the name of the HNS network on Windows workers, which is the CNI network's name too."""
    return f"flannel.{VXLAN_VNI}" if plan.encapsulated else "cbr0"


def cni_conf(plan: NetworkPlan, node_address: str) -> str:
    """Return a Windows worker's CNI configuration (10-flannel.conf) for containerd.

    Pods reach other pods, services and the hosts' network with their own address (the exceptions);
    service addresses and the node itself are reached through the bridge.
    """
    inside = [str(plan.pod_subnet), str(plan.service_subnet), str(plan.host_subnet)]

    def endpoint(kind: str, settings: Document) -> Document:
        return {"name": "EndpointPolicy", "value": {"Type": kind, "Settings": settings}}

    policies = [
        endpoint("OutBoundNAT", {"Exceptions": inside}),
        endpoint("SDNRoute", {"DestinationPrefix": str(plan.service_subnet), "NeedEncap": True}),
    ]
    if plan.encapsulated:
        policies.append(endpoint("ProviderAddress", {"ProviderAddress": node_address}))
    else:
        policies.append(
            endpoint("SDNRoute", {"DestinationPrefix": f"{node_address}/32", "NeedEncap": True})
        )
    delegate: Document = {
        "type": "win-overlay" if plan.encapsulated else "win-bridge",
        "apiVersion": 2,
        "dns": {"Nameservers": [str(plan.dns_service_ip)], "Search": ["svc.cluster.local"]},
        "policies": policies,
    }
    if not plan.encapsulated:
        delegate["loopbackDSR"] = True
    return json.dumps(
        {
            "cniVersion": "0.3.0",
            "name": hns_network(plan),
            "type": "flannel",
            "capabilities": {"portMappings": True, "dns": True},
            "delegate": delegate,
        }
    )


def join_configuration(
    params: ClusterParams, master: Host, worker: Host, token: str, ca_hash: str
) -> str:
    """Return the configuration file of `kubeadm join`; it holds the token and is therefore a secret."""
    version = params.kubernetes_version
    return to_yaml(
        {
            "apiVersion": gate(KUBEADM_API, version),
            "kind": "JoinConfiguration",
            "discovery": {
                "bootstrapToken": {
                    "apiServerEndpoint": f"{master.address}:6443",
                    "token": token,
                    "caCertHashes": [ca_hash],
                }
            },
            "nodeRegistration": {
                "name": worker.name,
                "criSocket": cri_socket(params.profile, worker.os, version),
                "kubeletExtraArgs": named_arguments(version, {"node-ip": worker.address}),
            },
        }
    ).decode()


def kubeconfig(params: ClusterParams, master: Host, ca_data: str, user: str, token: str) -> str:
    """Return a kubeconfig for one service account; it holds the token and is therefore a secret."""
    return to_yaml(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": params.cluster_name,
                    "cluster": {
                        "server": f"https://{master.address}:6443",
                        "certificate-authority-data": ca_data,
                    },
                }
            ],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": user, "context": {"cluster": params.cluster_name, "user": user}}],
            "current-context": user,
        }
    ).decode()
