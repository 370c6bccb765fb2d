"""Endpoints and EndpointSlices of services with a selector, from the pods that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.controllers.owned import owner_reference
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.pod_status import is_ready
from k8swin_lab.kubernetes.selectors import match_labels

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

_MANAGED_BY = "endpointslice-controller.k8s.io"


def reconcile(cluster: Cluster) -> None:
    for service in cluster.objects("services"):
        if service["spec"].get("selector"):
            _endpoints(cluster, service)
            _slice(cluster, service)


def backends(cluster: Cluster, service: Object) -> list[Object]:
    """Return the pods behind a service that have an address and are not done."""
    metadata, selector = service["metadata"], service["spec"].get("selector") or {}
    return [
        pod
        for pod in cluster.objects("pods", metadata["namespace"])
        if match_labels(pod["metadata"].get("labels") or {}, selector)
        and (pod.get("status") or {}).get("podIP")
        and pod["status"].get("phase") not in ("Succeeded", "Failed")
    ]


def target_port(port: Object, pod: Object) -> int | None:
    """Return the pod's port behind a service port; a name is looked up in the containers."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for container in pod["spec"]["containers"]:
        for own in container.get("ports") or []:
            if own.get("name") == target and own.get("protocol", "TCP") == port["protocol"]:
                return int(own["containerPort"])
    return None


def _target(pod: Object) -> Object:
    metadata = pod["metadata"]
    return {
        "kind": "Pod",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def _ports(service: Object, pods: list[Object]) -> list[Object]:
    found = []
    for port in service["spec"].get("ports") or []:
        numbers = [number for pod in pods if (number := target_port(port, pod)) is not None]
        if not numbers:
            continue
        entry: Object = {"port": numbers[0], "protocol": port["protocol"]}
        if port.get("name"):
            entry = {"name": port["name"], **entry}
        found.append(entry)
    return found


def _endpoints(cluster: Cluster, service: Object) -> None:
    metadata = service["metadata"]
    groups: dict[str, list[Object]] = {"addresses": [], "notReadyAddresses": []}
    pods = backends(cluster, service)
    for pod in pods:
        if pod["metadata"].get("deletionTimestamp"):
            continue
        ready = is_ready(pod) or service["spec"].get("publishNotReadyAddresses")
        groups["addresses" if ready else "notReadyAddresses"].append(
            {
                "ip": pod["status"]["podIP"],
                "nodeName": pod["spec"]["nodeName"],
                "targetRef": _target(pod),
            }
        )
    subset: Object = {name: listed for name, listed in groups.items() if listed}
    subsets = [{**subset, "ports": _ports(service, pods)}] if subset else []
    old = cluster.object("endpoints", metadata["name"], metadata["namespace"])
    if old is None:
        labels = {**(metadata.get("labels") or {})}
        labels["endpoints.kubernetes.io/managed-by"] = "endpoint-controller"
        made: Object = {
            "metadata": {
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "labels": labels,
            },
            "subsets": subsets,
        }
        cluster.control.create("endpoints", made)
    elif (old.get("subsets") or []) != subsets:
        cluster.control.update("endpoints", {**old, "subsets": subsets})


def _slice(cluster: Cluster, service: Object) -> None:
    metadata = service["metadata"]
    pods = backends(cluster, service)
    entries = []
    for pod in pods:
        going = bool(pod["metadata"].get("deletionTimestamp"))
        ready = is_ready(pod)
        published = bool(service["spec"].get("publishNotReadyAddresses"))
        entries.append(
            {
                "addresses": [pod["status"]["podIP"]],
                "conditions": {
                    "ready": (ready and not going) or published,
                    "serving": ready,
                    "terminating": going,
                },
                "nodeName": pod["spec"]["nodeName"],
                "targetRef": _target(pod),
            }
        )
    ports = [{"name": "", **port} for port in _ports(service, pods)]
    old = next(
        (
            found
            for found in cluster.objects("endpointslices", metadata["namespace"])
            if (found["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
            == metadata["name"]
        ),
        None,
    )
    if old is None:
        cluster.control.create(
            "endpointslices",
            {
                "metadata": {
                    "generateName": f"{metadata['name']}-",
                    "namespace": metadata["namespace"],
                    "labels": {
                        **(metadata.get("labels") or {}),
                        "endpointslice.kubernetes.io/managed-by": _MANAGED_BY,
                        "kubernetes.io/service-name": metadata["name"],
                    },
                    "ownerReferences": [owner_reference(service)],
                },
                "addressType": "IPv4",
                "endpoints": entries,
                "ports": ports,
            },
        )
    elif (old.get("endpoints") or []) != entries or (old.get("ports") or []) != ports:
        cluster.control.update("endpointslices", {**old, "endpoints": entries, "ports": ports})
