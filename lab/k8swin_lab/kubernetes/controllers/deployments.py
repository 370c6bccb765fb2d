"""Deployments: one ReplicaSet per template, rolled from the old to the new within the limits."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.controllers.owned import (
    owned_by,
    owner_reference,
    share,
    write_status,
)
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.naming import template_hash
from k8swin_lab.kubernetes.pod_status import condition

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

_COMPONENT = "deployment-controller"
_REVISION = "deployment.kubernetes.io/revision"
_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MOST = "deployment.kubernetes.io/max-replicas"
_HASH = "pod-template-hash"


def reconcile(cluster: Cluster) -> None:
    for deployment in cluster.objects("deployments"):
        if not deployment["metadata"].get("deletionTimestamp"):
            _roll(cluster, deployment)


def _limits(deployment: Object) -> tuple[int, int]:
    """Return how many pods may be unavailable, and how many may be there at most."""
    wanted, strategy = deployment["spec"]["replicas"], deployment["spec"]["strategy"]
    if strategy["type"] == "Recreate":
        return wanted, wanted
    rolling = strategy["rollingUpdate"]
    surge = share(rolling["maxSurge"], wanted, up=True)
    unavailable = share(rolling["maxUnavailable"], wanted, up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return unavailable, wanted + surge


def _plain(template: Object) -> Object:
    plain = copy.deepcopy(template)
    (plain["metadata"].get("labels") or {}).pop(_HASH, None)
    return plain


def _roll(cluster: Cluster, deployment: Object) -> None:
    sets = owned_by(cluster, "replicasets", deployment)
    template = deployment["spec"]["template"]
    current = next((rs for rs in sets if _plain(rs["spec"]["template"]) == template), None)
    old = [rs for rs in sets if rs is not current]
    if not deployment["spec"].get("paused"):
        if current is None:
            current = _make_set(cluster, deployment, old)
        _annotate(cluster, deployment, current, old)
        if deployment["spec"]["strategy"]["type"] == "Recreate":
            _recreate(cluster, deployment, current, old)
        else:
            _scale_up(cluster, deployment, current, old)
            _scale_down(cluster, deployment, current, old)
        _clean_up(cluster, deployment, old)
    elif current is not None and not any(rs["spec"]["replicas"] for rs in old):
        _set_replicas(cluster, deployment, current, deployment["spec"]["replicas"])
    _count(cluster, deployment, template)


def _revision(obj: Object) -> int:
    return int((obj["metadata"].get("annotations") or {}).get(_REVISION, "0"))


def _make_set(cluster: Cluster, deployment: Object, old: list[Object]) -> Object:
    name, spec = deployment["metadata"]["name"], deployment["spec"]
    key = template_hash(spec["template"])
    template = copy.deepcopy(spec["template"])
    template["metadata"].setdefault("labels", {})[_HASH] = key
    selector = copy.deepcopy(spec["selector"])
    selector.setdefault("matchLabels", {})[_HASH] = key
    return cluster.control.create(
        "replicasets",
        {
            "metadata": {
                "name": f"{name}-{key}",
                "namespace": deployment["metadata"]["namespace"],
                "labels": template["metadata"]["labels"],
                "annotations": {_REVISION: str(max([_revision(rs) for rs in old], default=0) + 1)},
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
        },
    )


def _annotate(cluster: Cluster, deployment: Object, current: Object, old: list[Object]) -> None:
    """Keep revisions: a ReplicaSet that is taken up again gets the newest number."""
    newest = max([_revision(rs) for rs in old], default=0)
    revision = _revision(current)
    if revision <= newest:
        revision = newest + 1
    wanted = {
        _REVISION: str(revision),
        _DESIRED: str(deployment["spec"]["replicas"]),
        _MOST: str(_limits(deployment)[1]),
    }
    for key, value in (deployment["metadata"].get("annotations") or {}).items():
        if key == "kubernetes.io/change-cause":
            wanted[key] = value
    if wanted.items() - (current["metadata"].get("annotations") or {}).items():
        where = current["metadata"]["namespace"]
        change = {"metadata": {"annotations": wanted}}
        cluster.control.patch("replicasets", current["metadata"]["name"], change, where)
    if _revision(deployment) != revision:
        metadata = deployment["metadata"]
        change = {"metadata": {"annotations": {_REVISION: str(revision)}}}
        cluster.control.patch("deployments", metadata["name"], change, metadata["namespace"])


def _set_replicas(cluster: Cluster, deployment: Object, replica_set: Object, count: int) -> None:
    before = replica_set["spec"]["replicas"]
    if before == count:
        return
    metadata = replica_set["metadata"]
    change = {"spec": {"replicas": count}}
    cluster.control.patch("replicasets", metadata["name"], change, metadata["namespace"])
    direction = "up" if count > before else "down"
    text = f"Scaled {direction} replica set {metadata['name']} from {before} to {count}"
    cluster.recorder.record(deployment, "ScalingReplicaSet", text, component=_COMPONENT)


def _fresh(cluster: Cluster, replica_set: Object) -> Object:
    metadata = replica_set["metadata"]
    found = cluster.object("replicasets", metadata["name"], metadata["namespace"])
    return found or replica_set


def _available(replica_set: Object) -> int:
    return int((replica_set.get("status") or {}).get("availableReplicas", 0))


def _scale_up(cluster: Cluster, deployment: Object, current: Object, old: list[Object]) -> None:
    current = _fresh(cluster, current)
    wanted = deployment["spec"]["replicas"]
    have = current["spec"]["replicas"]
    if have > wanted:
        _set_replicas(cluster, deployment, current, wanted)
    elif have < wanted:
        total = have + sum(rs["spec"]["replicas"] for rs in old)
        room = _limits(deployment)[1] - total
        if room > 0:
            _set_replicas(cluster, deployment, current, min(wanted, have + room))


def _scale_down(cluster: Cluster, deployment: Object, current: Object, old: list[Object]) -> None:
    wanted = deployment["spec"]["replicas"]
    unavailable, _ = _limits(deployment)
    current = _fresh(cluster, current)
    every = [_fresh(cluster, rs) for rs in old]
    total = current["spec"]["replicas"] + sum(rs["spec"]["replicas"] for rs in every)
    new_missing = current["spec"]["replicas"] - _available(current)
    room = total - (wanted - unavailable) - new_missing
    for replica_set in sorted(every, key=_revision):
        if room <= 0:
            return
        have = replica_set["spec"]["replicas"]
        sick = have - min(have, _available(replica_set))
        step = min(have, max(room, 0))
        if sick and step < sick:
            step = min(sick, room)
        if step:
            _set_replicas(cluster, deployment, replica_set, have - step)
            room -= step


def _recreate(cluster: Cluster, deployment: Object, current: Object, old: list[Object]) -> None:
    for replica_set in old:
        _set_replicas(cluster, deployment, replica_set, 0)
    going = any(owned_by(cluster, "pods", rs) for rs in old)
    if not going:
        wanted = deployment["spec"]["replicas"]
        _set_replicas(cluster, deployment, _fresh(cluster, current), wanted)


def _clean_up(cluster: Cluster, deployment: Object, old: list[Object]) -> None:
    idle = [
        rs
        for rs in sorted(old, key=_revision)
        if rs["spec"]["replicas"] == 0 and not (rs.get("status") or {}).get("replicas")
    ]
    for replica_set in idle[: max(0, len(idle) - deployment["spec"]["revisionHistoryLimit"])]:
        metadata = replica_set["metadata"]
        cluster.control.delete("replicasets", metadata["name"], metadata["namespace"])


def _count(cluster: Cluster, deployment: Object, template: Object) -> None:
    metadata = deployment["metadata"]
    fresh = cluster.object("deployments", metadata["name"], metadata["namespace"])
    if fresh is None:
        return
    sets = owned_by(cluster, "replicasets", fresh)

    def total(field: str, among: list[Object]) -> int:
        return sum(int((rs.get("status") or {}).get(field, 0)) for rs in among)

    current = [rs for rs in sets if _plain(rs["spec"]["template"]) == template]
    wanted = fresh["spec"]["replicas"]
    available = total("availableReplicas", sets)
    replicas, updated = total("replicas", sets), total("replicas", current)
    status: Object = {
        "observedGeneration": fresh["metadata"]["generation"],
        "replicas": replicas or None,
        "updatedReplicas": updated or None,
        "readyReplicas": total("readyReplicas", sets) or None,
        "availableReplicas": available or None,
        "unavailableReplicas": max(0, wanted - available) or None,
    }
    least = wanted - _limits(fresh)[0]
    done = updated == wanted == replicas and available >= wanted
    name = current[0]["metadata"]["name"] if current else ""
    status["conditions"] = [
        _condition(
            cluster,
            fresh,
            "Available",
            available >= least,
            *(
                ("MinimumReplicasAvailable", "Deployment has minimum availability.")
                if available >= least
                else (
                    "MinimumReplicasUnavailable",
                    "Deployment does not have minimum availability.",
                )
            ),
        ),
        _progressing(cluster, fresh, done, name),
    ]
    write_status(cluster, fresh, status)


def _progressing(cluster: Cluster, deployment: Object, done: bool, name: str) -> Object:
    before = condition(deployment, "Progressing")
    now = cluster.clock()
    if done:
        text = f'ReplicaSet "{name}" has successfully progressed.'
        return _condition(cluster, deployment, "Progressing", True, "NewReplicaSetAvailable", text)
    deadline = deployment["spec"]["progressDeadlineSeconds"]
    observed = (deployment.get("status") or {}).get("observedGeneration")
    same = observed == deployment["metadata"]["generation"]
    if before and same and before["reason"] in ("ReplicaSetUpdated", "ProgressDeadlineExceeded"):
        waited = now - timestamps.parse(before["lastUpdateTime"])
        if waited > deadline or before["reason"] == "ProgressDeadlineExceeded":
            text = f'ReplicaSet "{name}" has timed out progressing.'
            return _condition(
                cluster, deployment, "Progressing", False, "ProgressDeadlineExceeded", text
            )
        cluster.wake_in(deadline - waited + 1)
    text = f'ReplicaSet "{name}" is progressing.'
    return _condition(cluster, deployment, "Progressing", True, "ReplicaSetUpdated", text)


def _condition(
    cluster: Cluster, obj: Object, kind: str, state: bool, reason: str, message: str
) -> Object:
    before = condition(obj, kind)
    status = "True" if state else "False"
    if before and (before["status"], before["reason"], before["message"]) == (
        status,
        reason,
        message,
    ):
        return before
    now = timestamps.rfc3339(cluster.clock())
    kept = before["lastTransitionTime"] if before and before["status"] == status else now
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": now,
        "lastTransitionTime": kept,
        "reason": reason,
        "message": message,
    }
