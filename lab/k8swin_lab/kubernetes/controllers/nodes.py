"""Nodes: pod CIDRs, the labels and taints that follow from conditions, and silent kubelets."""

from __future__ import annotations

import copy
import ipaddress
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.pod_status import condition

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_KUBELET_PORT = 10250
_MANAGED = {NOT_READY, UNREACHABLE, UNSCHEDULABLE}


def reconcile(cluster: Cluster) -> None:
    """Give each node its CIDR and its taints; orphaned pods of gone nodes are removed."""
    for node in cluster.objects("nodes"):
        _silence(cluster, node)
    for node in cluster.objects("nodes"):
        changed = copy.deepcopy(node)
        spec = changed.setdefault("spec", {})
        if cluster.pod_subnet and not spec.get("podCIDR"):
            cidr = _free_cidr(cluster)
            if cidr is not None:
                spec["podCIDR"] = cidr
                if cluster.minor >= 16:
                    spec["podCIDRs"] = [cidr]
        _set_taints(cluster, changed)
        if changed != node:
            cluster.control.update("nodes", changed)
    _collect_orphans(cluster)


def _free_cidr(cluster: Cluster) -> str | None:
    taken = {(node.get("spec") or {}).get("podCIDR") for node in cluster.objects("nodes")}
    network = ipaddress.ip_network(cluster.pod_subnet or "")
    if network.prefixlen > 24:
        return None
    return next(
        (str(subnet) for subnet in network.subnets(new_prefix=24) if str(subnet) not in taken),
        None,
    )


def _silence(cluster: Cluster, node: Object) -> None:
    """Mark a node whose kubelet no longer reports; the lab does not make anybody wait 50 s."""
    name = node["metadata"]["name"]
    ready = condition(node, "Ready")
    if ready is None or _reports(cluster, node):
        return
    if ready["status"] == "Unknown":
        return
    changed = copy.deepcopy(node)
    now = timestamps.rfc3339(cluster.clock())
    for entry in changed["status"]["conditions"]:
        if entry["type"] == "NetworkUnavailable":
            continue
        entry |= {
            "status": "Unknown",
            "reason": "NodeStatusUnknown",
            "message": "Kubelet stopped posting node status.",
            "lastTransitionTime": now,
        }
    cluster.control.update_status("nodes", changed)
    for pod in cluster.objects("pods"):
        ready_pod = condition(pod, "Ready")
        if pod["spec"].get("nodeName") == name and ready_pod and ready_pod["status"] == "True":
            gone = copy.deepcopy(pod)
            for entry in gone["status"]["conditions"]:
                if entry["type"] == "Ready":
                    entry |= {"status": "False", "lastTransitionTime": now}
            cluster.control.update_status("pods", gone)


def _reports(cluster: Cluster, node: Object) -> bool:
    """Whether a node's kubelet is there: one of this process, or one that listens at the node's address."""
    own = cluster.kubelets.get(node["metadata"]["name"])
    if own is not None:
        return own.machine.kubelet_running()
    if cluster.network is None:
        return True
    for entry in (node.get("status") or {}).get("addresses") or []:
        machine = cluster.network.machine_at(entry["address"])
        if machine is not None and entry["type"] == "InternalIP":
            return machine.reachable and _KUBELET_PORT in machine.listening
    return True


def _set_taints(cluster: Cluster, node: Object) -> None:
    ready = condition(node, "Ready")
    status = ready["status"] if ready else "Unknown"
    wanted: list[tuple[str, str]] = []
    if node["spec"].get("unschedulable"):
        wanted.append((UNSCHEDULABLE, "NoSchedule"))
    if status == "False":
        wanted += [(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")]
    elif status == "Unknown" and ready is not None:
        wanted += [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")]
    elif ready is None:
        wanted.append((NOT_READY, "NoSchedule"))
    present = node["spec"].get("taints") or []
    kept = [
        taint
        for taint in present
        if taint["key"] not in _MANAGED or (taint["key"], taint["effect"]) in wanted
    ]
    have = {(taint["key"], taint["effect"]) for taint in kept}
    for key, effect in wanted:
        if (key, effect) not in have:
            taint: Object = {"key": key, "effect": effect}
            if key != UNSCHEDULABLE:
                taint["timeAdded"] = timestamps.rfc3339(cluster.clock())
            kept.append(taint)
    if kept:
        node["spec"]["taints"] = kept
    else:
        node["spec"].pop("taints", None)


def _collect_orphans(cluster: Cluster) -> None:
    names = {node["metadata"]["name"] for node in cluster.objects("nodes")}
    for pod in cluster.objects("pods"):
        where = pod["spec"].get("nodeName")
        if where and where not in names:
            metadata = pod["metadata"]
            cluster.control.delete("pods", metadata["name"], metadata["namespace"], grace=0)
    for lease in cluster.objects("leases", "kube-node-lease"):
        name = lease["metadata"]["name"]
        if name not in names and lease["metadata"].get("ownerReferences"):
            cluster.control.delete("leases", name, "kube-node-lease")
