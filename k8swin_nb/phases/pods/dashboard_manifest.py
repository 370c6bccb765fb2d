"""The Dashboard's objects as data: which release, what it may do, and where it runs."""

from __future__ import annotations

from typing import Any

from k8swin_nb.description import Description
from k8swin_nb.errors import ParamsError
from k8swin_nb.phases.documents import to_yaml
from k8swin_nb.phases.pods.test_app import tolerations
from k8swin_nb.versions import DASHBOARD, OS_LABEL, gate, minor
from k8swin_nb.workflow.step_run import StepRun

NAME = "kubernetes-dashboard"
VIEWER = "k8swin-viewer"
OURS = {"app.kubernetes.io/managed-by": "k8swin"}


def dashboard_version(description: Description) -> str:
    """Return the Dashboard's version: the given one, or the one made for the Kubernetes version.

    Raises:
        ParamsError: when there is none that works, with the reason.
    """
    version = description.kubernetes_version
    if minor(version) < DASHBOARD[0][0]:
        raise ParamsError(
            f"`dashboard` with `kubernetes_version` {version}: before 1.20 a control plane of kubeadm "
            "gives no tokens that expire",
            hint="set `dashboard` to false, or use Kubernetes 1.20 or newer",
        )
    if description.dashboard_version and minor(description.dashboard_version) >= (3, 0):
        raise ParamsError(
            f"`dashboard_version` {description.dashboard_version}: releases from 3 on are installed with Helm",
            hint='set `dashboard_version` to "2.7.0", the last one without',
        )
    return description.dashboard_version or gate(DASHBOARD, version)


def manifest(at: StepRun) -> bytes:
    """Return the Dashboard's objects, and an account that may look at everything but secrets."""
    description = at.description
    labels = {"k8s-app": NAME}
    rbac = "rbac.authorization.k8s.io"
    secrets = [f"{NAME}-{use}" for use in ("certs", "csrf", "key-holder")]

    def metadata(name: str = NAME) -> dict[str, Any]:
        return {"name": name, "namespace": NAME, "labels": {**labels, **OURS}}

    def wide(name: str) -> dict[str, Any]:
        return {"name": name, "labels": {**labels, **OURS}}

    def account(name: str) -> dict[str, Any]:
        return {"kind": "ServiceAccount", "name": name, "namespace": NAME}

    def role_of(kind: str, name: str) -> dict[str, Any]:
        return {"apiGroup": rbac, "kind": kind, "name": name}

    def binding(name: str, role: str) -> dict[str, Any]:
        return {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": wide(name),
            "roleRef": role_of("ClusterRole", role),
            "subjects": [account(VIEWER)],
        }

    container: dict[str, Any] = {
        "name": NAME,
        "image": f"{description.dashboard_repository}/dashboard:v{dashboard_version(description)}",
        "imagePullPolicy": "IfNotPresent",
        # Without a metrics server a scraper would have nothing to show: the provider is switched off.
        "args": ["--auto-generate-certificates", f"--namespace={NAME}", "--metrics-provider=none"],
        "ports": [{"containerPort": 8443, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"scheme": "HTTPS", "path": "/", "port": 8443}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsUser": 1001,
            "runAsGroup": 2001,
        },
        "volumeMounts": [
            {"name": "certs", "mountPath": "/certs"},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - inside the container
        ],
    }
    pod: dict[str, Any] = {
        "serviceAccountName": NAME,
        # On a cluster with Windows workers nothing else keeps it off them.
        "nodeSelector": {gate(OS_LABEL, description.kubernetes_version): "linux"},
        "tolerations": tolerations("linux"),
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [
            {"name": "certs", "secret": {"secretName": secrets[0]}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    return to_yaml(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": wide(NAME)},
        *(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(name)}
            for name in (NAME, VIEWER)
        ),
        # Empty: the Dashboard writes its own keys into them.
        *(
            {"apiVersion": "v1", "kind": "Secret", "metadata": metadata(name), "type": "Opaque"}
            for name in secrets
        ),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(f"{NAME}-settings")},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "Role",
            "metadata": metadata(),
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["secrets"],
                    "resourceNames": secrets,
                    "verbs": ["get", "update", "delete"],
                },
                {
                    "apiGroups": [""],
                    "resources": ["configmaps"],
                    "resourceNames": [f"{NAME}-settings"],
                    "verbs": ["get", "update"],
                },
            ],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": metadata(),
            "roleRef": role_of("Role", NAME),
            "subjects": [account(NAME)],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": wide(f"{VIEWER}-nodes"),
            "rules": [
                {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]}
            ],
        },
        binding(VIEWER, "view"),
        # `view` leaves out what belongs to no namespace, and a cluster's nodes are worth a look.
        binding(f"{VIEWER}-nodes", f"{VIEWER}-nodes"),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(),
            "spec": {
                "ports": [{"port": 443, "targetPort": 8443, "protocol": "TCP"}],
                "selector": labels,
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(),
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
    )
