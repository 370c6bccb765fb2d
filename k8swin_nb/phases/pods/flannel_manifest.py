"""flannel's manifest for Linux nodes, in the two generations that are deployed here, built as data.

The early one (0.11 and 0.12, 2019) lives in kube-system with a DaemonSet for each architecture, of which
only amd64 is made, and takes its CNI plugin from the host. The present one (0.19 and newer) has a namespace of
its own and brings the plugin along. Neither needs a PodSecurityPolicy: nothing here enforces any.
"""

from __future__ import annotations

import json
from typing import Any

from k8swin_nb.description import Description
from k8swin_nb.phases.documents import Document, to_yaml
from k8swin_nb.phases.network.flannel import net_conf
from k8swin_nb.plan import NetworkPlan
from k8swin_nb.versions import (
    ARCH_LABEL,
    FLANNEL_CNI_PLUGIN,
    OS_LABEL,
    flannel_daemonset,
    flannel_is_early,
    flannel_namespace,
    gate,
)
from k8swin_nb.workflow.step_run import StepRun

LABELS = {"app": "flannel", "tier": "node"}


CNI_CONFLIST = {
    "name": "cbr0",
    "cniVersion": "0.3.1",
    "plugins": [
        {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}


def flannel(description: Description, plan: NetworkPlan) -> bytes:
    """Return the manifest of flannel on Linux nodes, in the generation of its version."""
    early = flannel_is_early(description.flannel_version)
    inside = {"namespace": flannel_namespace(description.flannel_version)}
    return to_yaml(
        *([] if early else [_namespace(inside["namespace"])]),
        *_rights(inside),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "kube-flannel-cfg", "labels": LABELS, **inside},
            "data": {
                "cni-conf.json": json.dumps(CNI_CONFLIST, indent=2),
                "net-conf.json": net_conf(plan, early=early),
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {
                "name": flannel_daemonset(description.flannel_version),
                "labels": LABELS,
                **inside,
            },
            "spec": {
                "selector": {"matchLabels": {"app": "flannel"}},
                "template": {
                    "metadata": {"labels": LABELS},
                    "spec": _early_pod(description) if early else _pod(description),
                },
            },
        },
    )


def flannel_image(description: Description) -> str:
    """Return the image of flannel on Linux nodes; early ones name the architecture in their tag."""
    architecture = "-amd64" if flannel_is_early(description.flannel_version) else ""
    return f"{description.flannel_repository}/flannel:v{description.flannel_version}{architecture}"


def _namespace(name: str) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {"pod-security.kubernetes.io/enforce": "privileged"},
        },
    }


def _rights(inside: Document) -> list[Document]:
    rbac = "rbac.authorization.k8s.io"
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "flannel", **inside},
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "flannel"},
            "rules": [
                {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
                {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch"]},
            ],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "flannel"},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "flannel"},
            "subjects": [{"kind": "ServiceAccount", "name": "flannel", **inside}],
        },
    ]


def _mount(name: str, path: str) -> Document:
    return {"name": name, "mountPath": path}


def _host_path(name: str, path: str, **more: str) -> Document:
    return {"name": name, "hostPath": {"path": path, **more}}


def _copy(name: str, image: str, source: str, target: str, *mounts: Document) -> Document:
    return {
        "name": name,
        "image": image,
        "command": ["cp"],
        "args": ["-f", source, target],
        "volumeMounts": list(mounts),
    }


def _install_cni(description: Description) -> Document:
    return _copy(
        "install-cni",
        flannel_image(description),
        "/etc/kube-flannel/cni-conf.json",
        "/etc/cni/net.d/10-flannel.conflist",
        _mount("cni", "/etc/cni/net.d"),
        _mount("flannel-cfg", "/etc/kube-flannel/"),
    )


def _flanneld(
    description: Description, capabilities: list[str], mounts: list[Document]
) -> Document:
    def field(name: str, path: str) -> Document:
        return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}

    return {
        "name": "kube-flannel",
        "image": flannel_image(description),
        "command": ["/opt/bin/flanneld"],
        # By itself it takes the interface of the default route, and ends where that has several gateways. Of those that
        # are named it takes the first that the node has.
        "args": [
            "--ip-masq",
            "--kube-subnet-mgr",
            *(f"--iface={name}" for name in description.flannel_interfaces),
            "--iface=$(NODE_ADDRESS)",
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "50Mi"}},
        "securityContext": {"privileged": False, "capabilities": {"add": capabilities}},
        "env": [
            field("POD_NAME", "metadata.name"),
            field("POD_NAMESPACE", "metadata.namespace"),
            field("NODE_ADDRESS", "status.hostIP"),
        ],
        "volumeMounts": [*mounts, _mount("flannel-cfg", "/etc/kube-flannel/")],
    }


def _common(description: Description) -> dict[str, Any]:
    return {
        "nodeSelector": {gate(OS_LABEL, description.kubernetes_version): "linux"},
        "hostNetwork": True,
        "priorityClassName": "system-node-critical",
        "serviceAccountName": "flannel",
        "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}],
    }


def _pod(description: Description) -> Document:
    plugin = f"{description.flannel_repository}/flannel-cni-plugin:{FLANNEL_CNI_PLUGIN}"
    flanneld = _flanneld(
        description,
        ["NET_ADMIN", "NET_RAW"],
        [_mount("run", "/run/flannel"), _mount("xtables-lock", "/run/xtables.lock")],
    )
    flanneld["env"].append({"name": "EVENT_QUEUE_DEPTH", "value": "5000"})
    return _common(description) | {
        "initContainers": [
            _copy(
                "install-cni-plugin",
                plugin,
                "/flannel",
                "/opt/cni/bin/flannel",
                _mount("cni-plugin", "/opt/cni/bin"),
            ),
            _install_cni(description),
        ],
        "containers": [flanneld],
        "volumes": [
            _host_path("run", "/run/flannel"),
            _host_path("cni-plugin", "/opt/cni/bin"),
            _host_path("cni", "/etc/cni/net.d"),
            {"name": "flannel-cfg", "configMap": {"name": "kube-flannel-cfg"}},
            _host_path("xtables-lock", "/run/xtables.lock", type="FileOrCreate"),
        ],
    }


def _early_pod(description: Description) -> Document:
    pod = _common(description)
    pod["nodeSelector"][gate(ARCH_LABEL, description.kubernetes_version)] = "amd64"
    return pod | {
        "initContainers": [_install_cni(description)],
        # All of /run, because the lock of iptables is shared with the host there.
        "containers": [_flanneld(description, ["NET_ADMIN"], [_mount("run", "/run")])],
        "volumes": [
            _host_path("run", "/run"),
            _host_path("cni", "/etc/cni/net.d"),
            {"name": "flannel-cfg", "configMap": {"name": "kube-flannel-cfg"}},
        ],
    }


def manifest(at: StepRun) -> bytes:
    """Return flannel's manifest.

    Raises:
        StepFailed: when the pod network is made by others.
    """
    if at.plan.topology == "ovn":
        raise at.failed(
            "topology ovn: the pod network is made by OVN/OVS, which this tool does not install",
            hint="give phase.handover() of 01_network to those who install it; "
            "for a pod network of this tool set `topology` to host-gw, l3 or vxlan, and to have 04 go on with theirs, "
            "`pod_network` to other",
        )
    return flannel(at.description, at.plan)
