"""Garbage collection: dependents of owners that are gone, and deletions that wait for dependents."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.resources import Resource

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster


def reconcile(cluster: Cluster) -> None:
    every = cluster.store.every()
    alive = {obj["metadata"].get("uid"): obj for _, obj in every}
    dependents: dict[str, list[tuple[Resource, Object]]] = {}
    for resource, obj in every:
        for reference in obj["metadata"].get("ownerReferences") or []:
            dependents.setdefault(reference["uid"], []).append((resource, obj))
    for resource, obj in every:
        metadata = obj["metadata"]
        references = metadata.get("ownerReferences") or []
        if references and not any(ref["uid"] in alive for ref in references):
            _delete(cluster, resource, obj)
        elif metadata.get("deletionTimestamp"):
            _finish(cluster, resource, obj, dependents.get(metadata["uid"], []))
    # The endpoints of a deleted service are named like it and not owned by it.
    services = {
        (obj["metadata"]["namespace"], obj["metadata"]["name"])
        for obj in cluster.objects("services")
    }
    for obj in cluster.objects("endpoints"):
        key = (obj["metadata"]["namespace"], obj["metadata"]["name"])
        managed = (obj["metadata"].get("labels") or {}).get("endpoints.kubernetes.io/managed-by")
        if managed and key not in services:
            cluster.control.delete("endpoints", key[1], key[0])


def _delete(cluster: Cluster, resource: Resource, obj: Object) -> None:
    metadata = obj["metadata"]
    if not metadata.get("deletionTimestamp"):
        cluster.control.delete(resource.plural, metadata["name"], metadata.get("namespace"))


def _finish(
    cluster: Cluster,
    resource: Resource,
    obj: Object,
    dependents: list[tuple[Resource, Object]],
) -> None:
    finalizers = list(obj["metadata"].get("finalizers") or [])
    uid = obj["metadata"]["uid"]
    if "foregroundDeletion" in finalizers:
        blocking = False
        for kind, dependent in dependents:
            _delete(cluster, kind, dependent)
            blocking = True
        if not blocking:
            _drop(cluster, resource, obj, "foregroundDeletion")
    elif "orphan" in finalizers:
        for kind, dependent in dependents:
            freed = copy.deepcopy(dependent)
            freed["metadata"]["ownerReferences"] = [
                ref for ref in freed["metadata"]["ownerReferences"] if ref["uid"] != uid
            ]
            cluster.control.update(kind.plural, freed)
        _drop(cluster, resource, obj, "orphan")


def _drop(cluster: Cluster, resource: Resource, obj: Object, finalizer: str) -> None:
    changed = copy.deepcopy(obj)
    kept = [item for item in changed["metadata"]["finalizers"] if item != finalizer]
    changed["metadata"]["finalizers"] = kept
    cluster.control.update(resource.plural, changed)
