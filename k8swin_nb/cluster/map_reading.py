"""What the map of a cluster is drawn of, asked of its API server.

Nodes and pods are read as for tables, so that their STATUS is the one that kubectl prints. Who answers a Service is read from
EndpointSlices, and from Endpoints where an old API server has none: what kube-proxy goes by, not what labels promise.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from k8swin_nb.cluster.api import ClusterApi
from k8swin_nb.cluster.cluster_map import ClusterMap, MapNode, MapPod, MapService
from k8swin_nb.cluster.pod_status import pod_state
from k8swin_nb.cluster.rows import node_row
from k8swin_nb.cluster.schema import NODES
from k8swin_nb.errors import ClusterError

SLICES, ENDPOINTS = "/apis/discovery.k8s.io/v1/endpointslices", "/api/v1/endpoints"

NOT_THERE = 404


class Answering:
    """The pods and other addresses behind one Service."""

    def __init__(self) -> None:
        self.ready: set[tuple[str, str]] = set()
        self.unready: set[tuple[str, str]] = set()
        self.elsewhere: dict[str, None] = {}


def read_map(
    api: ClusterApi, namespace: str = "", cancel: threading.Event | None = None
) -> ClusterMap:
    """Return the map of a cluster as it is now.

    Args:
        api: The cluster.
        namespace: Pods and Services of this one; empty: of all.
        cancel: When it is set, asking is stopped.

    Raises:
        ClusterError: when the API server refuses or does not answer.
        Stopped: when `cancel` was set.
    """
    within = f"namespaces/{quote(namespace, safe='')}/" if namespace else ""
    nodes: list[MapNode] = []
    api.objects(
        "/api/v1/nodes", "Node", lambda items: nodes.extend(map(_node, items)),
        again=nodes.clear, cancel=cancel,
    )  # fmt: skip
    pods: list[MapPod] = []
    api.objects(
        f"/api/v1/{within}pods", "Pod", lambda items: pods.extend(map(_pod, items)),
        again=pods.clear, cancel=cancel,
    )  # fmt: skip
    answering = _answering(api, within, cancel)
    services = [
        _service(item, answering)
        for item in api.documents(f"/api/v1/{within}services", cancel=cancel)
    ]
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    where = f"namespace {namespace}" if namespace else "all namespaces"
    return ClusterMap(nodes, pods, services, f"{api.server}, {where}, {now}")


def _node(node: Any) -> MapNode:
    row = dict(zip(NODES.fields, node_row(node), strict=True))
    return MapNode(row["NAME"], row["OS"] or "linux", row["STATUS"], row["INTERNAL-IP"] or "")


def _pod(pod: Any) -> MapPod:
    ready, containers, reason, *_ = pod_state(pod.metadata, pod.spec, pod.status)
    return MapPod(
        namespace=pod.metadata.namespace,
        name=pod.metadata.name,
        node=pod.spec.nodeName,
        status=reason,
        ready=ready == containers != 0,
    )


def _answering(
    api: ClusterApi, within: str, cancel: threading.Event | None
) -> dict[tuple[str, str], Answering]:
    found: dict[tuple[str, str], Answering] = {}
    try:
        slices = api.documents(
            SLICES.replace("endpointslices", f"{within}endpointslices"), cancel=cancel
        )
    except ClusterError as error:
        if error.status != NOT_THERE:
            raise
        for item in api.documents(
            ENDPOINTS.replace("endpoints", f"{within}endpoints"), cancel=cancel
        ):
            _of_endpoints(item, found)
        return found
    for item in slices:
        _of_slice(item, found)
    return found


def _of_slice(item: dict[str, Any], found: dict[tuple[str, str], Answering]) -> None:
    name = _dict(_metadata(item).get("labels")).get("kubernetes.io/service-name", "")
    answering = found.setdefault((_namespace(item), str(name)), Answering())
    for endpoint in _dicts(item.get("endpoints")):
        # Not said means ready.
        ready = _dict(endpoint.get("conditions")).get("ready") is not False
        addresses = [str(one) for one in endpoint.get("addresses") or []]
        _note(answering, _dict(endpoint.get("targetRef")), addresses, item, ready=ready)


def _of_endpoints(item: dict[str, Any], found: dict[tuple[str, str], Answering]) -> None:
    name = _metadata(item).get("name", "")
    answering = found.setdefault((_namespace(item), str(name)), Answering())
    for subset in _dicts(item.get("subsets")):
        for kind in ("addresses", "notReadyAddresses"):
            for one in _dicts(subset.get(kind)):
                target = _dict(one.get("targetRef"))
                address = [str(one.get("ip", ""))]
                _note(answering, target, address, item, ready=kind == "addresses")


def _note(
    answering: Answering,
    target: dict[str, Any],
    addresses: list[str],
    item: dict[str, Any],
    *,
    ready: bool,
) -> None:
    if target.get("kind") == "Pod":
        pod = (str(target.get("namespace") or _namespace(item)), str(target.get("name", "")))
        (answering.ready if ready else answering.unready).add(pod)
    elif ready:
        answering.elsewhere |= dict.fromkeys(addresses)


def _service(item: dict[str, Any], known: dict[tuple[str, str], Answering]) -> MapService:
    spec = _dict(item.get("spec"))
    namespace, name = _namespace(item), str(_metadata(item).get("name", ""))
    answering = known.get((namespace, name), Answering())
    kind = str(spec.get("type", "ClusterIP"))
    address = spec.get("externalName" if kind == "ExternalName" else "clusterIP", "")
    return MapService(
        namespace=namespace,
        name=name,
        type=kind,
        address=str(address),
        ports=",".join(map(_port, _dicts(spec.get("ports")))),
        answering=frozenset(answering.ready),
        # A pod may be behind two ports, and ready for one of them.
        unready=frozenset(answering.unready - answering.ready),
        elsewhere=tuple(answering.elsewhere),
    )


def _port(port: dict[str, Any]) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port', '?')}{node}/{port.get('protocol', 'TCP')}"


def _metadata(item: dict[str, Any]) -> dict[str, Any]:
    return _dict(item.get("metadata"))


def _namespace(item: dict[str, Any]) -> str:
    return str(_metadata(item).get("namespace", ""))


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
