"""What happens to an object between decoding and storing: admission of pods, and status set-up."""

from __future__ import annotations

from k8swin_lab.kubernetes.errors import Object, forbidden
from k8swin_lab.kubernetes.naming import suffix
from k8swin_lab.kubernetes.resources import named
from k8swin_lab.kubernetes.store import Store

_TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 (a directory)
PRIORITIES = {"system-node-critical": 2000001000, "system-cluster-critical": 2000000000}


def admit_pod(store: Store, pod: Object, minor: int) -> None:
    """Give a new pod its service account, token volume, priority and default tolerations.

    Raises:
        ApiError: its service account or priority class does not exist (403).
    """
    spec, name = pod["spec"], pod["metadata"]["name"]
    namespace = pod["metadata"]["namespace"]
    mirror = "kubernetes.io/config.mirror" in (pod["metadata"].get("annotations") or {})
    if not mirror:
        account = spec.setdefault("serviceAccountName", "default")
        spec["serviceAccount"] = account
        found = store.get(named("serviceaccounts"), namespace, account)
        if found is None:
            raise forbidden(
                f'pods "{name}" is forbidden: error looking up service account '
                f'{namespace}/{account}: serviceaccount "{account}" not found',
                "pods",
                "",
                name,
            )
        if spec.get("automountServiceAccountToken", True):
            _mount_token(spec, found if minor < 21 else None)
    _priority(store, spec, name)
    if not mirror:
        _tolerations(spec)
    pod["status"] = {"phase": "Pending", "qosClass": quality_of_service(spec)}


def _mount_token(spec: Object, account: Object | None) -> None:
    """Mount a token: of the API server from 1.21 on, before that of the account's Secret."""
    containers = [*spec["containers"], *(spec.get("initContainers") or [])]
    bare = [
        container
        for container in containers
        if all(
            mount.get("mountPath") != _TOKEN_MOUNT for mount in container.get("volumeMounts") or []
        )
    ]
    if not bare:
        return
    secrets = (account or {}).get("secrets") or []
    if secrets:
        name = secrets[0]["name"]
        held: Object = {"name": name, "secret": {"secretName": name, "defaultMode": 420}}
        spec.setdefault("volumes", []).append(held)
        for container in bare:
            container.setdefault("volumeMounts", []).append(
                {"name": name, "readOnly": True, "mountPath": _TOKEN_MOUNT}
            )
        return
    volume = f"kube-api-access-{suffix()}"
    spec.setdefault("volumes", []).append(
        {
            "name": volume,
            "projected": {
                "sources": [
                    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                    {
                        "configMap": {
                            "name": "kube-root-ca.crt",
                            "items": [{"key": "ca.crt", "path": "ca.crt"}],
                        }
                    },
                    {
                        "downwardAPI": {
                            "items": [
                                {
                                    "path": "namespace",
                                    "fieldRef": {
                                        "apiVersion": "v1",
                                        "fieldPath": "metadata.namespace",
                                    },
                                }
                            ]
                        }
                    },
                ],
                "defaultMode": 420,
            },
        }
    )
    for container in bare:
        container.setdefault("volumeMounts", []).append(
            {"name": volume, "readOnly": True, "mountPath": _TOKEN_MOUNT}
        )


def _priority(store: Store, spec: Object, name: str) -> None:
    wanted = spec.get("priorityClassName")
    value = 0
    if wanted:
        found = store.get(named("priorityclasses"), "", wanted)
        if found is None and wanted not in PRIORITIES:
            raise forbidden(
                f'pods "{name}" is forbidden: no PriorityClass with name {wanted} was found',
                "pods",
                "",
                name,
            )
        value = found["value"] if found else PRIORITIES[wanted]
    spec["priority"] = value
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")


def _tolerations(spec: Object) -> None:
    present = spec.setdefault("tolerations", [])
    for reason in ("not-ready", "unreachable"):
        key = f"node.kubernetes.io/{reason}"
        covered = any(
            item.get("key") in (key, None, "")
            and item.get("operator", "Equal") == "Exists"
            and item.get("effect") in ("NoExecute", None, "")
            for item in present
        )
        if not covered:
            present.append(
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            )


def quality_of_service(spec: Object) -> str:
    """Return the pod's QoS class from its containers' requests and limits."""
    guaranteed = True
    anything = False
    for container in spec["containers"]:
        resources = container.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        anything = anything or bool(limits or requests)
        for name in ("cpu", "memory"):
            if name not in limits or limits[name] != requests.get(name):
                guaranteed = False
    if not anything:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"
