"""StatefulSets: pods with ordinal names, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.controllers.owned import (
    delete_pod,
    make_pod,
    owned_by,
    write_status,
)
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.naming import template_hash
from k8swin_lab.kubernetes.pod_status import is_active, is_ready

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

_COMPONENT = "statefulset-controller"
_HASH = "controller-revision-hash"


def reconcile(cluster: Cluster) -> None:
    for stateful_set in cluster.objects("statefulsets"):
        if not stateful_set["metadata"].get("deletionTimestamp"):
            _scale(cluster, stateful_set)
        _count(cluster, stateful_set)


def _revision(stateful_set: Object) -> str:
    return f"{stateful_set['metadata']['name']}-{template_hash(stateful_set['spec']['template'])}"


def _scale(cluster: Cluster, stateful_set: Object) -> None:
    name, spec = stateful_set["metadata"]["name"], stateful_set["spec"]
    ordered = spec["podManagementPolicy"] == "OrderedReady"
    pods = {pod["metadata"]["name"]: pod for pod in owned_by(cluster, "pods", stateful_set)}
    for ordinal in range(spec["replicas"]):
        own = f"{name}-{ordinal}"
        pod = pods.pop(own, None)
        if pod is None:
            labels = {
                _HASH: _revision(stateful_set),
                "statefulset.kubernetes.io/pod-name": own,
                "apps.kubernetes.io/pod-index": str(ordinal),
            }
            change = {"hostname": own, "subdomain": spec.get("serviceName", "")}
            made = make_pod(
                cluster,
                stateful_set,
                spec["template"],
                component=_COMPONENT,
                labels=labels,
                name=own,
                change={key: value for key, value in change.items() if value},
            )
            if ordered or not made:
                return
        elif ordered and not (is_active(pod) and is_ready(pod)):
            return
        elif is_active(pod) and pod["metadata"]["labels"].get(_HASH) != _revision(stateful_set):
            delete_pod(cluster, stateful_set, pod, component=_COMPONENT)
            return
    for pod in pods.values():
        if is_active(pod):
            delete_pod(cluster, stateful_set, pod, component=_COMPONENT)


def _count(cluster: Cluster, stateful_set: Object) -> None:
    pods = [pod for pod in owned_by(cluster, "pods", stateful_set) if is_active(pod)]
    ready = sum(is_ready(pod) for pod in pods)
    revision = _revision(stateful_set)
    updated = sum((pod["metadata"].get("labels") or {}).get(_HASH) == revision for pod in pods)
    write_status(
        cluster,
        stateful_set,
        {
            "observedGeneration": stateful_set["metadata"]["generation"],
            "replicas": len(pods),
            "readyReplicas": ready or None,
            "currentReplicas": updated or None,
            "updatedReplicas": updated or None,
            "currentRevision": revision,
            "updateRevision": revision,
            "collisionCount": 0,
            "availableReplicas": ready,
        },
    )
