"""kubeadm's add-ons: CoreDNS and kube-proxy, both pinned to Linux nodes."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import yaml

from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.users import ADMIN

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

_RBAC = "rbac.authorization.k8s.io"
_DNS_LABEL = {"k8s-app": "kube-dns"}
_SYSTEM = "kube-system"


def _apply(cluster: Cluster, resource: str, obj: Object) -> None:
    client, metadata = cluster.client(ADMIN, "kubeadm"), obj["metadata"]
    old = client.get(resource, metadata["name"], metadata.get("namespace"))
    if old is None:
        client.create(resource, obj)
    else:
        version = old["metadata"]["resourceVersion"]
        new = {**obj, "metadata": {**metadata, "resourceVersion": version}}
        if resource == "services":
            new["spec"] = {**new["spec"], "clusterIP": old["spec"]["clusterIP"],
                           "clusterIPs": old["spec"]["clusterIPs"]}  # fmt: skip
        client.update(resource, new)


def _linux(cluster: Cluster) -> dict[str, str]:
    """Return the selector of Linux nodes; the addons kept the old label until 1.17."""
    return {f"{'beta.' if cluster.minor < 18 else ''}kubernetes.io/os": "linux"}


def _account(name: str) -> Object:
    metadata = {"name": name, "namespace": _SYSTEM}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _config_map(name: str, data: dict[str, str], labels: dict[str, str] | None = None) -> Object:
    metadata: Object = {"name": name, "namespace": _SYSTEM}
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _bind_account(name: str, role: str, account: str) -> Object:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": _SYSTEM}],
    }


def install_coredns(cluster: Cluster, image: str, replicas: int = 2) -> None:
    """Install CoreDNS: account, role, Corefile, Deployment, and the service at address ten."""
    _apply(cluster, "serviceaccounts", _account("coredns"))
    verbs = ["list", "watch"]
    rules = [
        {
            "verbs": verbs,
            "apiGroups": [""],
            "resources": ["endpoints", "services", "pods", "namespaces"],
        },
        {"verbs": verbs, "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"]},
    ]
    role: Object = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "system:coredns"},
        "rules": rules,
    }
    _apply(cluster, "clusterroles", role)
    _apply(
        cluster, "clusterrolebindings", _bind_account("system:coredns", "system:coredns", "coredns")
    )
    corefile = "\n    ".join(
        [
            ".:53 {\n    errors",
            "health {\n       lameduck 5s\n    }",
            "ready",
            f"kubernetes {cluster.dns_domain} in-addr.arpa ip6.arpa {{",
            "   pods insecure\n       fallthrough in-addr.arpa ip6.arpa\n       ttl 30\n    }",
            "prometheus :9153",
            "forward . /etc/resolv.conf {\n       max_concurrent 1000\n    }",
            "cache 30 {",
            f"   disable success {cluster.dns_domain}\n       disable denial {cluster.dns_domain}",
            "}\n    loop\n    reload\n    loadbalance\n}\n",
        ]
    )
    _apply(cluster, "configmaps", _config_map("coredns", {"Corefile": corefile}))
    _apply(cluster, "deployments", _coredns_deployment(cluster, image, replicas))
    address = str(ipaddress.ip_network(cluster.service_subnet)[10])
    _apply(
        cluster,
        "services",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": "kube-dns",
                "namespace": _SYSTEM,
                "labels": {
                    **_DNS_LABEL,
                    "kubernetes.io/cluster-service": "true",
                    "kubernetes.io/name": "CoreDNS",
                },
                "annotations": {"prometheus.io/port": "9153", "prometheus.io/scrape": "true"},
            },
            "spec": {
                "clusterIP": address,
                "selector": _DNS_LABEL,
                "ports": [
                    {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
                    {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
                    {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
                ],
            },
        },
    )


def _coredns_deployment(cluster: Cluster, image: str, replicas: int) -> Object:
    container: Object = {
        "name": "coredns",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": {
            "limits": {"memory": "170Mi"},
            "requests": {"cpu": "100m", "memory": "70Mi"},
        },
        "ports": [
            {"containerPort": 53, "name": "dns", "protocol": "UDP"},
            {"containerPort": 53, "name": "dns-tcp", "protocol": "TCP"},
            {"containerPort": 9153, "name": "metrics", "protocol": "TCP"},
        ],
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": 8080},
            "initialDelaySeconds": 60,
            "timeoutSeconds": 5,
            "failureThreshold": 5,
        },
        **(
            {"readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}}}
            if cluster.minor >= 15
            else {}
        ),
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}],
    }
    items = [{"key": "Corefile", "path": "Corefile"}]
    spec: Object = {
        "priorityClassName": "system-cluster-critical",
        "serviceAccountName": "coredns",
        # kubeadm has pinned CoreDNS to Linux since 1.14.
        **({"nodeSelector": _linux(cluster)} if cluster.minor >= 14 else {}),
        "tolerations": [
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            *(
                {"key": f"node-role.kubernetes.io/{name}", "effect": "NoSchedule"}
                for name, first, last in (("master", 0, 24), ("control-plane", 20, 1000))
                if first <= cluster.minor <= last
            ),
        ],
        "containers": [container],
        "dnsPolicy": "Default",
        "volumes": [{"name": "config-volume", "configMap": {"name": "coredns", "items": items}}],
    }
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "coredns", "namespace": _SYSTEM, "labels": _DNS_LABEL},
        "spec": {
            "replicas": replicas,
            "strategy": rolling,
            "selector": {"matchLabels": _DNS_LABEL},
            "template": {"metadata": {"labels": _DNS_LABEL}, "spec": spec},
        },
    }


def install_kube_proxy(cluster: Cluster, image: str, server: str, configuration: str = "") -> None:
    """Install kube-proxy: account, ConfigMap (configuration and kubeconfig) and DaemonSet."""
    _apply(cluster, "serviceaccounts", _account("kube-proxy"))
    binding = _bind_account("kubeadm:node-proxier", "system:node-proxier", "kube-proxy")
    _apply(cluster, "clusterrolebindings", binding)
    mount = "/var/run/secrets/kubernetes.io/serviceaccount"
    settings = configuration or yaml.safe_dump(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "bindAddress": "0.0.0.0",  # noqa: S104 (what kube-proxy's own configuration says)
            "clientConnection": {"kubeconfig": "/var/lib/kube-proxy/kubeconfig.conf"},
            "clusterCIDR": cluster.pod_subnet or "",
            "kind": "KubeProxyConfiguration",
            "mode": "",
        }
    )
    kubeconfig = yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "cluster": {"certificate-authority": f"{mount}/ca.crt", "server": server},
                    "name": "default",
                }
            ],
            "contexts": [
                {
                    "context": {"cluster": "default", "namespace": "default", "user": "default"},
                    "name": "default",
                }
            ],
            "current-context": "default",
            "users": [{"name": "default", "user": {"tokenFile": f"{mount}/token"}}],
        }
    )
    data = {"config.conf": settings, "kubeconfig.conf": kubeconfig}
    _apply(cluster, "configmaps", _config_map("kube-proxy", data, {"app": "kube-proxy"}))
    label = {"k8s-app": "kube-proxy"}
    container: Object = {
        "name": "kube-proxy",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": [
            "/usr/local/bin/kube-proxy",
            "--config=/var/lib/kube-proxy/config.conf",
            "--hostname-override=$(NODE_NAME)",
        ],
        "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "securityContext": {"privileged": True},
        "volumeMounts": [{"name": "kube-proxy", "mountPath": "/var/lib/kube-proxy"}],
    }
    spec: Object = {
        "priorityClassName": "system-node-critical",
        "serviceAccountName": "kube-proxy",
        "hostNetwork": True,
        # kubeadm has pinned kube-proxy to Linux since 1.15.
        **({"nodeSelector": _linux(cluster)} if cluster.minor >= 15 else {}),
        "tolerations": [
            *([{"key": "CriticalAddonsOnly", "operator": "Exists"}] if cluster.minor < 30 else []),
            {"operator": "Exists"},
        ],
        "containers": [container],
        "volumes": [{"name": "kube-proxy", "configMap": {"name": "kube-proxy"}}],
    }
    _apply(
        cluster,
        "daemonsets",
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "kube-proxy", "namespace": _SYSTEM, "labels": label},
            "spec": {
                "selector": {"matchLabels": label},
                "template": {"metadata": {"labels": label}, "spec": spec},
                "updateStrategy": {"type": "RollingUpdate"},
            },
        },
    )
