"""Tables: the columns that kubectl prints, computed here as the real API server computes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.pod_status import pod_summary
from k8swin_lab.kubernetes.selectors import selector_text

Column = tuple[str, str, int]
"""Name, type and priority; priority 1 shows with -o wide only."""
Row = Callable[[Object, float], list[Any]]

_SHORT = "string"


def _columns(text: str) -> list[Column]:
    """Read a row of column names; `*` marks wide ones and `#` integers."""
    found = []
    for word in text.split("|"):
        wide, integer = "*" in word, "#" in word
        found.append((word.strip(" *#"), "integer" if integer else _SHORT, 1 if wide else 0))
    return found


def table(obj: Object, include: str, now: float) -> Object:
    """Return an object or a list as a Table; `include` is None, Metadata or Object."""
    listed = "items" in obj
    items = obj["items"] if listed else [obj]
    kind = obj["kind"].removesuffix("List") if listed else obj["kind"]
    columns, row = _TABLES.get(kind, (_columns("Name|Created At"), _created))
    rows = []
    for item in items:
        entry: Object = {"cells": row(item, now)}
        if include == "Metadata":
            entry["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": item["metadata"],
            }
        elif include == "Object":
            entry["object"] = item
        rows.append(entry)
    metadata = obj["metadata"] if listed else {}
    version = obj["metadata"].get("resourceVersion", "")
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version, **metadata},
        "columnDefinitions": [
            {
                "name": name,
                "type": kind_of,
                "format": "name" if name == "Name" else "",
                "description": "",
                "priority": priority,
            }
            for name, kind_of, priority in columns
        ],
        "rows": rows,
    }


def _age(obj: Object, now: float) -> str:
    return _since(obj["metadata"].get("creationTimestamp"), now)


def _since(text: str | None, now: float) -> str:
    return timestamps.age(now - timestamps.parse(text)) if text else "<unknown>"


def _name(obj: Object) -> str:
    return str(obj["metadata"]["name"])


def _created(obj: Object, now: float) -> list[Any]:
    return [_name(obj), obj["metadata"].get("creationTimestamp")]


def _node(obj: Object, now: float) -> list[Any]:
    status, metadata = obj.get("status") or {}, obj["metadata"]
    ready = next((c for c in status.get("conditions") or [] if c["type"] == "Ready"), None)
    text = "Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"
    if (obj.get("spec") or {}).get("unschedulable"):
        text += ",SchedulingDisabled"
    roles = []
    for key, value in (metadata.get("labels") or {}).items():
        if key.startswith("node-role.kubernetes.io/"):
            roles.append(key.partition("/")[2])
        elif key == "kubernetes.io/role" and value:
            roles.append(value)
    addresses = {a["type"]: a["address"] for a in status.get("addresses") or []}
    facts = status.get("nodeInfo") or {}
    return [
        _name(obj),
        text,
        ",".join(sorted(filter(None, roles))) or "<none>",
        _age(obj, now),
        facts.get("kubeletVersion", ""),
        addresses.get("InternalIP", "<none>"),
        addresses.get("ExternalIP", "<none>"),
        facts.get("osImage") or "<unknown>",
        facts.get("kernelVersion") or "<unknown>",
        facts.get("containerRuntimeVersion") or "<unknown>",
    ]


def _pod(obj: Object, now: float) -> list[Any]:
    ready, status, restarts = pod_summary(obj, now)
    spec, state = obj["spec"], obj.get("status") or {}
    return [
        _name(obj),
        ready,
        status,
        restarts,
        _age(obj, now),
        state.get("podIP") or "<none>",
        spec.get("nodeName") or "<none>",
        state.get("nominatedNodeName") or "<none>",
        "<none>",
    ]


def _ports(spec: Object) -> str:
    shown = []
    for port in spec.get("ports") or []:
        number = str(port["port"])
        if port.get("nodePort"):
            number += f":{port['nodePort']}"
        shown.append(f"{number}/{port['protocol']}")
    return ",".join(shown) or "<none>"


def _service(obj: Object, now: float) -> list[Any]:
    spec = obj["spec"]
    external = ",".join(spec.get("externalIPs") or []) or "<none>"
    if spec["type"] == "LoadBalancer" and external == "<none>":
        external = "<pending>"
    if spec["type"] == "ExternalName":
        external = spec.get("externalName", "<none>")
    selector = ",".join(f"{k}={v}" for k, v in sorted((spec.get("selector") or {}).items()))
    return [
        _name(obj),
        spec["type"],
        spec.get("clusterIP") or "<none>",
        external,
        _ports(spec),
        _age(obj, now),
        selector or "<none>",
    ]


def _containers(obj: Object) -> list[Any]:
    containers = obj["spec"]["template"]["spec"]["containers"]
    return [",".join(c["name"] for c in containers), ",".join(c["image"] for c in containers)]


def _deployment(obj: Object, now: float) -> list[Any]:
    status = obj.get("status") or {}
    return [
        _name(obj),
        f"{status.get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        _age(obj, now),
        *_containers(obj),
        selector_text(obj["spec"].get("selector")),
    ]


def _daemon_set(obj: Object, now: float) -> list[Any]:
    status = obj.get("status") or {}
    nodes = obj["spec"]["template"]["spec"].get("nodeSelector") or {}
    return [
        _name(obj),
        status.get("desiredNumberScheduled", 0),
        status.get("currentNumberScheduled", 0),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        ",".join(f"{key}={value}" for key, value in sorted(nodes.items())) or "<none>",
        _age(obj, now),
        *_containers(obj),
        selector_text(obj["spec"].get("selector")),
    ]


def _replica_set(obj: Object, now: float) -> list[Any]:
    status = obj.get("status") or {}
    return [
        _name(obj),
        obj["spec"].get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        _age(obj, now),
        *_containers(obj),
        selector_text(obj["spec"].get("selector")),
    ]


def _stateful_set(obj: Object, now: float) -> list[Any]:
    status = obj.get("status") or {}
    ready = f"{status.get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"
    return [_name(obj), ready, _age(obj, now), *_containers(obj)]


def _job(obj: Object, now: float) -> list[Any]:
    status = obj.get("status") or {}
    conditions = {c["type"] for c in status.get("conditions") or [] if c["status"] == "True"}
    state = next((name for name in ("Complete", "Failed") if name in conditions), "Running")
    start, end = status.get("startTime"), status.get("completionTime")
    took = "" if not start else _since(start, timestamps.parse(end) if end else now)
    wanted = obj["spec"].get("completions") or f"1 of {obj['spec']['parallelism']}"
    return [
        _name(obj),
        state,
        f"{status.get('succeeded', 0)}/{wanted}",
        took,
        _age(obj, now),
        *_containers(obj),
        selector_text(obj["spec"].get("selector")),
    ]


def _config_map(obj: Object, now: float) -> list[Any]:
    count = len(obj.get("data") or {}) + len(obj.get("binaryData") or {})
    return [_name(obj), str(count), _age(obj, now)]


def _secret(obj: Object, now: float) -> list[Any]:
    return [_name(obj), obj.get("type"), str(len(obj.get("data") or {})), _age(obj, now)]


def _namespace(obj: Object, now: float) -> list[Any]:
    return [_name(obj), (obj.get("status") or {}).get("phase"), _age(obj, now)]


def _aged(obj: Object, now: float) -> list[Any]:
    return [_name(obj), _age(obj, now)]


def _shortened(values: list[str], limit: int = 3) -> str:
    if not values:
        return "<none>"
    more = f" + {len(values) - limit} more..." if len(values) > limit else ""
    return ",".join(values[:limit]) + more


def _endpoints(obj: Object, now: float) -> list[Any]:
    found = []
    for subset in obj.get("subsets") or []:
        addresses = [address["ip"] for address in subset.get("addresses") or []]
        ports = [port["port"] for port in subset.get("ports") or []]
        found += [f"{address}:{port}" for port in ports for address in addresses]
        if not ports:
            found += addresses
    return [_name(obj), _shortened(found), _age(obj, now)]


def _endpoint_slice(obj: Object, now: float) -> list[Any]:
    ports = [str(port["port"]) for port in obj.get("ports") or [] if port.get("port")]
    addresses = [address for entry in obj.get("endpoints") or [] for address in entry["addresses"]]
    return [
        _name(obj),
        obj["addressType"],
        _shortened(ports) if ports else "<unset>",
        _shortened(addresses) if addresses else "<unset>",
        _age(obj, now),
    ]


def _event(obj: Object, now: float) -> list[Any]:
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    last = obj.get("lastTimestamp") or first
    about = obj.get("involvedObject") or {}
    source = obj.get("source") or {}
    component = source.get("component") or obj.get("reportingComponent") or ""
    shown = f"{component}, {source['host']}" if source.get("host") else component
    return [
        _since(last, now),
        obj.get("type"),
        obj.get("reason"),
        f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}",
        about.get("fieldPath", ""),
        shown,
        str(obj.get("message", "")).strip(),
        _since(first, now),
        str(obj.get("count") or 1),
        _name(obj),
    ]


def _lease(obj: Object, now: float) -> list[Any]:
    return [_name(obj), (obj.get("spec") or {}).get("holderIdentity", ""), _age(obj, now)]


def _binding(obj: Object, now: float) -> list[Any]:
    by_kind: dict[str, list[str]] = {}
    for subject in obj.get("subjects") or []:
        name = subject["name"]
        if subject["kind"] == "ServiceAccount":
            name = f"{subject.get('namespace', '')}/{name}"
        by_kind.setdefault(subject["kind"], []).append(name)
    listed = [", ".join(by_kind.get(kind, [])) for kind in ("User", "Group", "ServiceAccount")]
    reference = obj["roleRef"]
    return [_name(obj), f"{reference['kind']}/{reference['name']}", _age(obj, now), *listed]


def _disruption_budget(obj: Object, now: float) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        _name(obj),
        str(spec.get("minAvailable", "N/A")),
        str(spec.get("maxUnavailable", "N/A")),
        status.get("disruptionsAllowed", 0),
        _age(obj, now),
    ]


_WORKLOAD = "Containers*|Images*|Selector*"
_TABLES: dict[str, tuple[list[Column], Row]] = {
    "Node": (
        _columns(
            "Name|Status|Roles|Age|Version|Internal-IP*|External-IP*|OS-Image*|Kernel-Version*|"
            "Container-Runtime*"
        ),
        _node,
    ),
    "Pod": (
        _columns("Name|Ready|Status|Restarts|Age|IP*|Node*|Nominated Node*|Readiness Gates*"),
        _pod,
    ),
    "Service": (
        _columns("Name|Type|Cluster-IP|External-IP|Port(s)|Age|Selector*"),
        _service,
    ),
    "Deployment": (_columns(f"Name|Ready|Up-to-date|Available|Age|{_WORKLOAD}"), _deployment),
    "DaemonSet": (
        _columns(
            f"Name|Desired#|Current#|Ready#|Up-to-date#|Available#|Node Selector|Age|{_WORKLOAD}"
        ),
        _daemon_set,
    ),
    "ReplicaSet": (_columns(f"Name|Desired#|Current#|Ready#|Age|{_WORKLOAD}"), _replica_set),
    "StatefulSet": (_columns("Name|Ready|Age|Containers*|Images*"), _stateful_set),
    "Job": (_columns(f"Name|Status|Completions|Duration|Age|{_WORKLOAD}"), _job),
    "ConfigMap": (_columns("Name|Data|Age"), _config_map),
    "Secret": (_columns("Name|Type|Data|Age"), _secret),
    "Namespace": (_columns("Name|Status|Age"), _namespace),
    "ServiceAccount": (_columns("Name|Age"), _aged),
    "Endpoints": (_columns("Name|Endpoints|Age"), _endpoints),
    "EndpointSlice": (_columns("Name|AddressType|Ports|Endpoints|Age"), _endpoint_slice),
    "Event": (
        _columns(
            "Last Seen|Type|Reason|Object|Subobject*|Source*|Message|First Seen*|Count*|Name*"
        ),
        _event,
    ),
    "Lease": (_columns("Name|Holder|Age"), _lease),
    "RoleBinding": (_columns("Name|Role|Age|Users*|Groups*|ServiceAccounts*"), _binding),
    "ClusterRoleBinding": (_columns("Name|Role|Age|Users*|Groups*|ServiceAccounts*"), _binding),
    "PodDisruptionBudget": (
        _columns("Name|Min Available|Max Unavailable|Allowed Disruptions#|Age"),
        _disruption_budget,
    ),
}
