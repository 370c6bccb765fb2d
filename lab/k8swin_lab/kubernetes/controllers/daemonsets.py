"""DaemonSets: one pod on each node that the template may run on."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.controllers import placement
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

_COMPONENT = "daemonset-controller"
_HASH = "controller-revision-hash"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


def reconcile(cluster: Cluster) -> None:
    for daemon_set in cluster.objects("daemonsets"):
        if not daemon_set["metadata"].get("deletionTimestamp"):
            _place(cluster, daemon_set)
        _count(cluster, daemon_set)


def _tolerations(spec: Object) -> list[Object]:
    found = list(copy.deepcopy(spec.get("tolerations") or []))
    wanted = list(_TOLERATED)
    if spec.get("hostNetwork"):
        wanted.append(("node.kubernetes.io/network-unavailable", "NoSchedule"))
    for key, effect in wanted:
        entry = {"key": key, "operator": "Exists", "effect": effect}
        if entry not in found:
            found.append(entry)
    return found


def _wanted_on(daemon_set: Object, node: Object) -> bool:
    spec = {**daemon_set["spec"]["template"]["spec"]}
    spec["tolerations"] = _tolerations(spec)
    return placement.fits(spec, node) and placement.tolerated(spec, node)


def _pinned(spec: Object, node: str) -> Object:
    """Return the affinity of the template with the node's name required, as the real one does."""
    affinity = copy.deepcopy(spec.get("affinity") or {})
    field = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity["nodeAffinity"] = {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [field]}
    }
    return affinity


def _place(cluster: Cluster, daemon_set: Object) -> None:
    spec = daemon_set["spec"]["template"]["spec"]
    key = template_hash(daemon_set["spec"]["template"])
    by_node: dict[str, list[Object]] = {}
    for pod in owned_by(cluster, "pods", daemon_set):
        done = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if done and not pod["metadata"].get("deletionTimestamp"):
            delete_pod(cluster, daemon_set, pod, component=_COMPONENT)
        by_node.setdefault(_node_of(pod), []).append(pod)
    rolling = daemon_set["spec"]["updateStrategy"]["type"] == "RollingUpdate"
    down = sum(not (is_active(pod) and is_ready(pod)) for pods in by_node.values() for pod in pods)
    room = max(1, _number(daemon_set)) - down
    for node in cluster.objects("nodes"):
        name = node["metadata"]["name"]
        pods = by_node.pop(name, [])
        if not _wanted_on(daemon_set, node):
            for pod in filter(is_active, pods):
                delete_pod(cluster, daemon_set, pod, component=_COMPONENT)
        elif not pods:
            make_pod(
                cluster,
                daemon_set,
                daemon_set["spec"]["template"],
                component=_COMPONENT,
                labels={
                    _HASH: key,
                    "pod-template-generation": str(daemon_set["metadata"]["generation"]),
                },
                change={"tolerations": _tolerations(spec), "affinity": _pinned(spec, name)},
            )
        elif rolling:
            for pod in filter(is_active, pods):
                if pod["metadata"]["labels"].get(_HASH) == key:
                    continue
                if not is_ready(pod) or room > 0:
                    room -= 1 if is_ready(pod) else 0
                    delete_pod(cluster, daemon_set, pod, component=_COMPONENT)


def _number(daemon_set: Object) -> int:
    value = daemon_set["spec"]["updateStrategy"].get("rollingUpdate", {}).get("maxUnavailable", 1)
    if isinstance(value, int):
        return value
    total = (daemon_set.get("status") or {}).get("desiredNumberScheduled", 0)
    return int(int(str(value).rstrip("%")) * total / 100)


def _node_of(pod: Object) -> str:
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    return placement.pinned_node(pod["spec"]) or ""


def _count(cluster: Cluster, daemon_set: Object) -> None:
    key = template_hash(daemon_set["spec"]["template"])
    wanted = {
        node["metadata"]["name"]
        for node in cluster.objects("nodes")
        if _wanted_on(daemon_set, node)
    }
    pods = [pod for pod in owned_by(cluster, "pods", daemon_set) if is_active(pod)]
    placed = [pod for pod in pods if _node_of(pod) in wanted]
    ready = sum(is_ready(pod) for pod in placed)
    updated = sum((pod["metadata"].get("labels") or {}).get(_HASH) == key for pod in placed)
    write_status(
        cluster,
        daemon_set,
        {
            "currentNumberScheduled": len({_node_of(pod) for pod in placed}),
            "numberMisscheduled": len(pods) - len(placed),
            "desiredNumberScheduled": len(wanted),
            "numberReady": ready,
            "observedGeneration": daemon_set["metadata"]["generation"],
            "updatedNumberScheduled": updated or None,
            "numberAvailable": ready or None,
            "numberUnavailable": (len(wanted) - ready) or None,
        },
    )
