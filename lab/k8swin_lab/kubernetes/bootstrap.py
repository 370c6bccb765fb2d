"""What kubeadm init writes into a new cluster, as functions named after its phases."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.addons import install_coredns, install_kube_proxy
from k8swin_lab.kubernetes.client import Client
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.users import ADMIN

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

__all__ = [
    "InitSettings",
    "cluster_info",
    "create_bootstrap_token",
    "create_rbac",
    "init_cluster",
    "install_coredns",
    "install_kube_proxy",
    "mark_control_plane",
    "static_pod_manifests",
    "upload_config",
    "upload_kubelet_config",
]

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
DEFAULT_GROUPS = ("system:bootstrappers:kubeadm:default-node-token",)
_RBAC = "rbac.authorization.k8s.io"


@dataclass(slots=True)
class InitSettings:
    """The parts of an InitConfiguration and ClusterConfiguration that the cluster's objects need."""

    node_name: str
    kubernetes_version: str = "v1.36.4"
    image_repository: str = "registry.k8s.io"
    etcd_tag: str = "3.6.8-0"
    coredns_image: str = "registry.k8s.io/coredns/coredns:v1.14.2"
    labels: Sequence[str] = (
        CONTROL_PLANE,
        "node.kubernetes.io/exclude-from-external-load-balancers",
    )
    kubelet_config_map: str = "kubelet-config"
    control_plane_endpoint: str = ""
    cluster_configuration: str = ""
    """YAML as kubeadm prints it; made from the cluster when empty."""
    kubelet_configuration: str = ""
    kube_proxy_configuration: str = ""
    token: str = ""
    token_ttl_seconds: float = 24 * 3600
    token_groups: Sequence[str] = DEFAULT_GROUPS
    token_usages: Sequence[str] = ("signing", "authentication")
    skip_phases: Sequence[str] = ()
    taints: list[Object] = field(
        default_factory=lambda: [{"key": CONTROL_PLANE, "effect": "NoSchedule"}]
    )


def _kubeadm(cluster: Cluster) -> Client:
    return cluster.client(ADMIN, "kubeadm")


def _put(cluster: Cluster, resource: str, obj: Object) -> None:
    """Create an object, or replace its content when a second init finds it."""
    client, metadata = _kubeadm(cluster), obj["metadata"]
    old = client.get(resource, metadata["name"], metadata.get("namespace"))
    if old is None:
        client.create(resource, obj)
    else:
        client.update(resource, {**old, **{k: v for k, v in obj.items() if k != "metadata"}})


def init_cluster(cluster: Cluster, settings: InitSettings) -> None:
    """Do all phases that write objects; the node must have been registered by its kubelet."""
    create_rbac(cluster)
    upload_config(
        cluster, settings.cluster_configuration or _cluster_configuration(cluster, settings)
    )
    upload_kubelet_config(
        cluster,
        settings.kubelet_configuration or _kubelet_configuration(cluster),
        settings.kubelet_config_map,
    )
    mark_control_plane(cluster, settings.node_name, settings.taints, settings.labels)
    if settings.token:
        create_bootstrap_token(
            cluster,
            settings.token,
            settings.token_ttl_seconds,
            settings.token_usages,
            settings.token_groups,
            "",
        )
    endpoint = settings.control_plane_endpoint or f"{cluster.advertise_address}:{cluster.port}"
    cluster_info(cluster, f"https://{endpoint}")
    if "addon/coredns" not in settings.skip_phases:
        install_coredns(cluster, settings.coredns_image)
    if "addon/kube-proxy" not in settings.skip_phases:
        image = f"{settings.image_repository}/kube-proxy:{settings.kubernetes_version}"
        install_kube_proxy(cluster, image, f"https://{endpoint}", settings.kube_proxy_configuration)


def create_rbac(cluster: Cluster) -> None:
    """Create kubeadm's bindings: administrators, bootstrap tokens, nodes."""
    bindings = (
        ("kubeadm:cluster-admins", "cluster-admin", ("kubeadm:cluster-admins",)),
        ("kubeadm:get-nodes", "kubeadm:get-nodes", DEFAULT_GROUPS),
        ("kubeadm:kubelet-bootstrap", "system:node-bootstrapper", DEFAULT_GROUPS),
        (
            "kubeadm:node-autoapprove-bootstrap",
            "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
            DEFAULT_GROUPS,
        ),
        (
            "kubeadm:node-autoapprove-certificate-rotation",
            "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
            ("system:nodes",),
        ),
    )
    get_nodes = {"verbs": ["get"], "apiGroups": [""], "resources": ["nodes"]}
    _put(cluster, "clusterroles", _role("ClusterRole", "kubeadm:get-nodes", "", [get_nodes]))
    for name, role, groups in bindings:
        _put(
            cluster,
            "clusterrolebindings",
            _binding("ClusterRoleBinding", name, "", "ClusterRole", role, _groups(groups)),
        )


def _groups(names: Sequence[str]) -> list[Object]:
    return [{"kind": "Group", "name": name, "apiGroup": _RBAC} for name in names]


def _role(kind: str, name: str, namespace: str, rules: list[Object]) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": metadata, "rules": rules}


def _binding(
    kind: str, name: str, namespace: str, role_kind: str, role: str, subjects: list[Object]
) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": kind,
        "metadata": metadata,
        "roleRef": {"apiGroup": _RBAC, "kind": role_kind, "name": role},
        "subjects": subjects,
    }


def _readable_config_map(
    cluster: Cluster, name: str, data: dict[str, str], role: str, groups: Sequence[str]
) -> None:
    """Create a ConfigMap in kube-system, and let these groups read it."""
    where = {"name": name, "namespace": "kube-system"}
    _put(cluster, "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": where,
                                 "data": data})  # fmt: skip
    rule = {"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"],
            "resourceNames": [name]}  # fmt: skip
    _put(cluster, "roles", _role("Role", role, "kube-system", [rule]))
    binding = _binding("RoleBinding", role, "kube-system", "Role", role, _groups(groups))
    _put(cluster, "rolebindings", binding)


def _cluster_configuration(cluster: Cluster, settings: InitSettings) -> str:
    configuration: Object = {
        "apiServer": {},
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "caCertificateValidityPeriod": "87600h0m0s",
        "certificateValidityPeriod": "8760h0m0s",
        "certificatesDir": "/etc/kubernetes/pki",
        "clusterName": "kubernetes",
        "controllerManager": {},
        "dns": {},
        "encryptionAlgorithm": "RSA-2048",
        "etcd": {"local": {"dataDir": "/var/lib/etcd"}},
        "imageRepository": settings.image_repository,
        "kind": "ClusterConfiguration",
        "kubernetesVersion": settings.kubernetes_version,
        "networking": {
            "dnsDomain": cluster.dns_domain,
            **({"podSubnet": cluster.pod_subnet} if cluster.pod_subnet else {}),
            "serviceSubnet": cluster.service_subnet,
        },
        "proxy": {},
        "scheduler": {},
    }
    if settings.control_plane_endpoint:
        configuration["controlPlaneEndpoint"] = settings.control_plane_endpoint
    return yaml.safe_dump(configuration, sort_keys=True)


def _kubelet_configuration(cluster: Cluster) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"cacheTTL": "0s", "enabled": True},
                "x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"},
            },
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "systemd",
            "clusterDNS": [dns_address(cluster)],
            "clusterDomain": cluster.dns_domain,
            "healthzBindAddress": "127.0.0.1",
            "healthzPort": 10248,
            "kind": "KubeletConfiguration",
            "rotateCertificates": True,
            "staticPodPath": "/etc/kubernetes/manifests",
        }
    )


def dns_address(cluster: Cluster) -> str:
    """Return the tenth address of the service subnet, which is the DNS service's."""
    return str(ipaddress.ip_network(cluster.service_subnet)[10])


def upload_config(cluster: Cluster, cluster_configuration: str) -> None:
    """Keep the ClusterConfiguration (YAML) in the ConfigMap kubeadm-config."""
    data = {"ClusterConfiguration": cluster_configuration}
    groups = (*DEFAULT_GROUPS, "system:nodes")
    _readable_config_map(cluster, "kubeadm-config", data, "kubeadm:nodes-kubeadm-config", groups)


def upload_kubelet_config(
    cluster: Cluster, configuration: str, name: str = "kubelet-config"
) -> None:
    """Keep the KubeletConfiguration (YAML) in a ConfigMap."""
    groups = ("system:nodes", *DEFAULT_GROUPS)
    role = f"kubeadm:{name}"
    _readable_config_map(cluster, name, {"kubelet": configuration}, role, groups)


def mark_control_plane(
    cluster: Cluster, node: str, taints: list[Object], names: Sequence[str] = (CONTROL_PLANE,)
) -> None:
    """Label and taint the control-plane node."""
    client = _kubeadm(cluster)
    found = client.get("nodes", node)
    if found is None:
        raise LookupError(f"node {node!r} is not in the cluster: start its kubelet first")
    labels = found["metadata"].setdefault("labels", {})
    labels.update(dict.fromkeys(names, ""))
    present = found["spec"].setdefault("taints", [])
    for taint in taints:
        if not any((t["key"], t["effect"]) == (taint["key"], taint["effect"]) for t in present):
            present.append(taint)
    annotations = found["metadata"].setdefault("annotations", {})
    annotations["node.alpha.kubernetes.io/ttl"] = "0"
    client.update("nodes", found)


def create_bootstrap_token(
    cluster: Cluster,
    token: str,
    ttl_seconds: float,
    usages: Sequence[str] = ("signing", "authentication"),
    groups: Sequence[str] = DEFAULT_GROUPS,
    description: str = "",
) -> None:
    """Create the Secret of a bootstrap token `id.secret`; a TTL of 0 means that it never expires."""
    token_id, _, token_secret = token.partition(".")
    values = {"token-id": token_id, "token-secret": token_secret}
    if ttl_seconds:
        values["expiration"] = timestamps.rfc3339(cluster.clock() + ttl_seconds)
    if description:
        values["description"] = description
    for usage in usages:
        values[f"usage-bootstrap-{usage}"] = "true"
    if groups:
        values["auth-extra-groups"] = ",".join(groups)
    _kubeadm(cluster).create(
        "secrets",
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"bootstrap-token-{token_id}", "namespace": "kube-system"},
            "type": "bootstrap.kubernetes.io/token",
            "data": {k: base64.b64encode(v.encode()).decode() for k, v in values.items()},
        },
    )


def cluster_info(cluster: Cluster, server: str) -> None:
    """Publish the cluster's address and CA where anybody may read them; a controller signs it."""
    authority = base64.b64encode(cluster.authority.certificate_pem).decode()
    kubeconfig: Object = {
        "apiVersion": "v1",
        "clusters": [
            {"cluster": {"certificate-authority-data": authority, "server": server}, "name": ""}
        ],
        "contexts": None,
        "current-context": "",
        "kind": "Config",
        "preferences": {},
        "users": None,
    }
    where = {"name": "cluster-info", "namespace": "kube-public"}
    data = {"kubeconfig": yaml.safe_dump(kubeconfig)}
    _put(cluster, "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": where,
                                 "data": data})  # fmt: skip
    role = "kubeadm:bootstrap-signer-clusterinfo"
    rule = {"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"],
            "resourceNames": ["cluster-info"]}  # fmt: skip
    _put(cluster, "roles", _role("Role", role, "kube-public", [rule]))
    subjects = [{"kind": "User", "name": "system:anonymous", "apiGroup": _RBAC}]
    _put(
        cluster,
        "rolebindings",
        _binding("RoleBinding", role, "kube-public", "Role", role, subjects),
    )


def static_pod_manifests(cluster: Cluster, settings: InitSettings) -> dict[str, Object]:
    """Return the control plane's pods by manifest file name."""
    repository, version = settings.image_repository, settings.kubernetes_version
    address = cluster.advertise_address
    etcd = f"{repository}/etcd:{settings.etcd_tag}"
    api = _static_pod("kube-apiserver", f"{repository}/kube-apiserver:{version}", [
        "kube-apiserver", f"--advertise-address={address}", "--authorization-mode=Node,RBAC",
        "--client-ca-file=/etc/kubernetes/pki/ca.crt",
        "--enable-admission-plugins=NodeRestriction", "--enable-bootstrap-token-auth=true",
        f"--secure-port={cluster.port}", f"--service-cluster-ip-range={cluster.service_subnet}",
    ], ("/readyz", cluster.port) if cluster.minor >= 16 else None)  # fmt: skip
    api["metadata"]["annotations"] = {
        "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint": f"{address}:{cluster.port}"
    }
    if cluster.minor >= 16:
        api["spec"]["containers"][0]["readinessProbe"]["httpGet"]["scheme"] = "HTTPS"
    manager = ["kube-controller-manager", "--bind-address=127.0.0.1",
               "--kubeconfig=/etc/kubernetes/controller-manager.conf"]  # fmt: skip
    if cluster.pod_subnet:
        manager += ["--allocate-node-cidrs=true", f"--cluster-cidr={cluster.pod_subnet}",
                    f"--service-cluster-ip-range={cluster.service_subnet}"]  # fmt: skip
    scheduler = ["kube-scheduler", "--bind-address=127.0.0.1",
                 "--kubeconfig=/etc/kubernetes/scheduler.conf"]  # fmt: skip
    return {
        "etcd.yaml": _static_pod(
            "etcd",
            etcd,
            ["etcd", "--data-dir=/var/lib/etcd"],
            ("/readyz", 2381) if cluster.minor >= 31 else None,
        ),
        "kube-apiserver.yaml": api,
        "kube-controller-manager.yaml": _static_pod(
            "kube-controller-manager",
            f"{repository}/kube-controller-manager:{version}",
            manager,
            None,
        ),
        "kube-scheduler.yaml": _static_pod(
            "kube-scheduler", f"{repository}/kube-scheduler:{version}", scheduler, None
        ),
    }


def _static_pod(name: str, image: str, command: list[str], ready: tuple[str, int] | None) -> Object:
    container: Object = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "resources": {"requests": {"cpu": "100m"}},
    }
    if ready:
        path, port = ready
        container["readinessProbe"] = {
            "httpGet": {"host": "127.0.0.1", "path": path, "port": port, "scheme": "HTTP"},
            "periodSeconds": 1,
            "timeoutSeconds": 15,
            "failureThreshold": 3,
        }
    labels = {"component": name, "tier": "control-plane"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "kube-system", "labels": labels},
        "spec": {
            "containers": [container],
            "hostNetwork": True,
            "priorityClassName": "system-node-critical",
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        },
    }
