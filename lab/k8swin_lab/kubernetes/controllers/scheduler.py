"""The scheduler: binds each pending pod to the admissible node with the fewest of its kind."""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.client import Client
from k8swin_lab.kubernetes.controllers import placement
from k8swin_lab.kubernetes.controllers.owned import controller_of
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.pod_status import condition
from k8swin_lab.kubernetes.selectors import match_selector
from k8swin_lab.kubernetes.users import SCHEDULER

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

_COMPONENT = "default-scheduler"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def reconcile(cluster: Cluster) -> None:
    for pod in cluster.objects("pods"):
        spec = pod["spec"]
        if spec.get("nodeName") or pod["metadata"].get("deletionTimestamp"):
            continue
        if spec.get("schedulerName") != "default-scheduler" or spec.get("schedulingGates"):
            continue
        _schedule(cluster, pod)


def _schedule(cluster: Cluster, pod: Object) -> None:
    nodes = cluster.objects("nodes")
    reasons: Counter[str] = Counter()
    possible = []
    for node in nodes:
        reason = _refusal(cluster, pod, node)
        if reason is None:
            possible.append(node)
        else:
            reasons[reason] += 1
    if not possible:
        _refuse(cluster, pod, len(nodes), reasons)
        return
    best = min(possible, key=lambda node: _load(cluster, pod, node))
    metadata, name = pod["metadata"], best["metadata"]["name"]
    target = {"apiVersion": "v1", "kind": "Node", "name": name}
    client = Client(cluster, SCHEDULER, "kube-scheduler")
    body = {"metadata": {"name": metadata["name"]}, "target": target}
    client.post("pods", metadata["name"], "binding", body, metadata["namespace"])
    text = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {name}"
    cluster.recorder.record(pod, "Scheduled", text, component=_COMPONENT)


def _refusal(cluster: Cluster, pod: Object, node: Object) -> str | None:
    if (node.get("spec") or {}).get("unschedulable"):
        unschedulable = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
        if not placement.tolerates(pod["spec"], unschedulable):
            return "node(s) were unschedulable"
    if not placement.fits(pod["spec"], node):
        return "node(s) didn't match Pod's node affinity/selector"
    taints = placement.untolerated(pod["spec"], node)
    if taints:
        taint = taints[0]
        return f"node(s) had untolerated taint(s) {{{taint['key']}: {taint.get('value', '')}}}"
    if _clashes(cluster, pod, node):
        return "node(s) didn't match pod anti-affinity rules"
    if _ports_taken(cluster, pod, node):
        return "node(s) didn't have free ports for the requested pod ports"
    return None


def _on(cluster: Cluster, node: Object) -> list[Object]:
    name = node["metadata"]["name"]
    return [pod for pod in cluster.objects("pods") if pod["spec"].get("nodeName") == name]


def _clashes(cluster: Cluster, pod: Object, node: Object) -> bool:
    terms = ((pod["spec"].get("affinity") or {}).get("podAntiAffinity") or {}).get(_REQUIRED) or []
    return any(
        match_selector(other["metadata"].get("labels"), term.get("labelSelector"))
        for term in terms
        for other in _on(cluster, node)
    )


def _host_ports(pod: Object) -> set[tuple[int, str]]:
    return {
        (port["hostPort"], port.get("protocol", "TCP"))
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or []
        if port.get("hostPort")
    }


def _ports_taken(cluster: Cluster, pod: Object, node: Object) -> bool:
    wanted = _host_ports(pod)
    return bool(wanted) and any(wanted & _host_ports(other) for other in _on(cluster, node))


def _load(cluster: Cluster, pod: Object, node: Object) -> tuple[int, int, str]:
    """Return how much speaks against a node: pods of the same owner first, then all pods."""
    owner = controller_of(pod)
    others = _on(cluster, node)
    same = 0
    if owner is not None:
        for other in others:
            reference = controller_of(other)
            same += reference is not None and reference["uid"] == owner["uid"]
    return same, len(others), node["metadata"]["name"]


def _refuse(cluster: Cluster, pod: Object, total: int, reasons: Counter[str]) -> None:
    if total:
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        text = f"0/{total} nodes are available: {listed}. no new claims to deallocate, "
        text += f"preemption: 0/{total} nodes are available: {total} Preemption is not helpful for "
        text += "scheduling."
    else:
        text = "no nodes available to schedule pods"
    before = condition(pod, "PodScheduled")
    if before and before.get("message") == text:
        return
    changed = copy.deepcopy(pod)
    conditions = changed["status"].setdefault("conditions", [])
    conditions[:] = [item for item in conditions if item["type"] != "PodScheduled"]
    conditions.append(
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": text,
            "lastProbeTime": None,
            "lastTransitionTime": timestamps.rfc3339(cluster.clock()),
        }
    )
    Client(cluster, SCHEDULER, "kube-scheduler").update_status("pods", changed)
    cluster.recorder.record(pod, "FailedScheduling", text, component=_COMPONENT, warning=True)
