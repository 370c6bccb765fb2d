"""ReplicaSets: as many pods as asked, and a status that counts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.controllers.owned import (
    delete_pod,
    deletion_order,
    make_pod,
    owned_by,
    write_status,
)
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.pod_status import is_active, is_ready

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

_COMPONENT = "replicaset-controller"


def reconcile(cluster: Cluster) -> None:
    for replica_set in cluster.objects("replicasets"):
        pods = [pod for pod in owned_by(cluster, "pods", replica_set) if is_active(pod)]
        if not replica_set["metadata"].get("deletionTimestamp"):
            _scale(cluster, replica_set, pods)
            pods = [pod for pod in owned_by(cluster, "pods", replica_set) if is_active(pod)]
        _count(cluster, replica_set, pods)


def _scale(cluster: Cluster, replica_set: Object, pods: list[Object]) -> None:
    missing = replica_set["spec"]["replicas"] - len(pods)
    for _ in range(missing):
        template = replica_set["spec"]["template"]
        if not make_pod(cluster, replica_set, template, component=_COMPONENT):
            return
    if missing < 0:
        for pod in deletion_order(pods)[:-missing]:
            delete_pod(cluster, replica_set, pod, component=_COMPONENT)


def _count(cluster: Cluster, replica_set: Object, pods: list[Object]) -> None:
    ready = sum(is_ready(pod) for pod in pods)
    labels = (replica_set["spec"]["template"]["metadata"].get("labels") or {}).items()
    full = sum(labels <= (pod["metadata"].get("labels") or {}).items() for pod in pods)
    write_status(
        cluster,
        replica_set,
        {
            "replicas": len(pods),
            "fullyLabeledReplicas": full or None,
            "readyReplicas": ready or None,
            "availableReplicas": ready or None,
            "observedGeneration": replica_set["metadata"]["generation"],
        },
    )
