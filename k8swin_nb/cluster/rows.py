"""Rows of tables: what kubectl prints of an object, as values.

STATUS and the numbers are worked out as Kubernetes' own printers do it (kubernetes/kubernetes,
pkg/printers/internalversion/printers.go: printPod, printNode, printService, printEvent and their like). A time is in
microseconds since 1970, in UTC; what is not there is None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from k8swin_nb.cluster.messages import parsed
from k8swin_nb.cluster.pod_status import gates, pod_state
from k8swin_nb.cluster.quantities import amount, share
from k8swin_nb.versions import WINDOWS_BUILDS

Row = tuple[Any, ...]

ROLE = "node-role.kubernetes.io/"
_BUILD = re.compile(r"\b10\.0\.(\d{4,6})\b")
_TAGS: dict[str, int] = {
    **{build.tag: build.build for build in WINDOWS_BUILDS},
    # Names of releases that Microsoft's images have, and that nothing is built for any more.
    "ltsc2016": 14393, "1709": 16299, "1803": 17134, "1809": 17763, "1903": 18362, "1909": 18363,
    "2004": 19041, "20h2": 19042,
}  # fmt: skip
_TAG = re.compile(rf"(?<![a-z0-9])(?:{'|'.join(_TAGS)})(?![a-z0-9])")


@dataclass(frozen=True, slots=True)
class Known:
    """What tables of pods tell of a node."""

    os: str | None
    build: int | None
    status: str | None


def seconds(time: Any) -> int | None:
    """Return a time in microseconds; None where it is not set."""
    if not time.seconds:
        return None
    whole: int = time.seconds * 1_000_000 + time.nanos // 1000
    return whole if abs(whole) < 1 << 61 else None


def windows_build(version: str) -> int | None:
    """Return the build in a version of Windows, such as 20348 of `10.0.20348.2762`."""
    found = _BUILD.search(version)
    return int(found[1]) if found else None


def image_build(image: str) -> int | None:
    """Return the build of Windows that an image's tag names; None where it names none: the image may have several."""
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2].lower()
    if found := windows_build(tag):
        return found
    named = _TAG.findall(tag)
    return _TAGS[named[-1]] if named else None


def _joined(values: Iterable[str], between: str = ",") -> str | None:
    return between.join(value for value in values if value) or None


def _labels(mapping: Mapping[str, str]) -> str | None:
    return _joined(f"{key}={mapping[key]}" for key in sorted(mapping))


def node_row(node: Any) -> Row:
    """Return a node's values, in the order of the table `nodes`."""
    meta, spec, status = node.metadata, node.spec, node.status
    info, labels = status.nodeInfo, meta.labels
    state, reason = _node_state(node)
    os = _node_os(node)
    roles = {key.removeprefix(ROLE) for key in labels if key.startswith(ROLE)}
    if labels.get("kubernetes.io/role"):
        roles.add(labels["kubernetes.io/role"])
    addresses: dict[str, str] = {}
    for one in status.addresses:
        addresses.setdefault(one.type, one.address)
    has = status.allocatable
    return (
        meta.name, state, _joined(sorted(roles)), seconds(meta.creationTimestamp),
        info.kubeletVersion or None, addresses.get("InternalIP"), addresses.get("ExternalIP"),
        info.osImage or None, info.kernelVersion or None, info.containerRuntimeVersion or None,
        os, windows_build(info.kernelVersion) if os == "windows" else None,
        info.architecture or None, _of(has, "cpu", share), _of(has, "memory", amount),
        _of(has, "pods", amount), _joined(map(_taint, spec.taints)), spec.podCIDR or None, reason,
    )  # fmt: skip


def _node_state(node: Any) -> tuple[str, str | None]:
    """Return STATUS and, where a node is not ready, why."""
    state, reason = "Unknown", None
    for condition in node.status.conditions:
        if condition.type == "Ready":
            state = "Ready" if condition.status == "True" else "NotReady"
            reason = None if condition.status == "True" else condition.reason or condition.status
    if node.spec.unschedulable:
        state += ",SchedulingDisabled"
    return state, reason


def _node_os(node: Any) -> str | None:
    labels = node.metadata.labels
    return (
        node.status.nodeInfo.operatingSystem
        or labels.get("kubernetes.io/os")
        or labels.get("beta.kubernetes.io/os")
        or None
    )


def known_of(node: Any) -> tuple[str, Known]:
    """Return a node's name, and what tables of pods tell of it."""
    os = _node_os(node)
    build = windows_build(node.status.nodeInfo.kernelVersion) if os == "windows" else None
    return node.metadata.name, Known(os=os, build=build, status=_node_state(node)[0])


def _taint(taint: Any) -> str:
    return f"{taint.key}{'=' + taint.value if taint.value else ''}:{taint.effect}"


def _of(quantities: Any, name: str, read: Callable[[str], Any]) -> Any:
    return read(quantities[name].string) if name in quantities else None


_NOBODY = Known(None, None, None)


class PodRows:
    """Makes rows of pods; what many pods have in common is looked at once.

    Args:
        nodes: What is known of nodes, by name.
    """

    def __init__(self, nodes: Mapping[str, Known]) -> None:
        self._nodes = nodes
        self._builds: dict[str, int | None] = {}
        self._wishes: dict[bytes, tuple[float | None, int | None]] = {}
        self._owners: dict[bytes, str | None] = {}

    def __call__(self, pods: Iterable[Any]) -> list[Row]:
        """Return the values of pods, in the order of the table `pods`."""
        return [self._row(pod) for pod in pods]

    def _row(self, pod: Any) -> Row:
        # Every look at a message makes an object: none is looked at twice.
        meta, spec, status = pod.metadata, pod.spec, pod.status
        name = spec.nodeName
        node = self._nodes.get(name, _NOBODY)
        os = node.os or spec.os.name or _wanted_os(spec.nodeSelector)
        containers = spec.containers
        if len(containers) == 1:
            one = containers[0]
            image: str | None = one.image or None
            cpu, memory = self._wish(one.resources)
        else:
            image = _joined(one.image for one in containers)
            wishes = [self._wish(one.resources) for one in containers]
            cpu, memory = (
                (_sum(each) for each in zip(*wishes, strict=True)) if wishes else (None, None)
            )
        owner = None
        for reference in meta.ownerReferences:
            owner = owner or self._owner(reference)
        return (
            meta.namespace, meta.name, *pod_state(meta, spec, status), seconds(meta.creationTimestamp),
            status.podIP or (status.podIPs[0].ip if status.podIPs else None) or None, name or None,
            node.status, os, node.build, image, self._build(image) if os == "windows" else None,
            status.nominatedNodeName or None, gates(spec, status), owner, cpu, memory,
        )  # fmt: skip

    def _build(self, images: str | None) -> int | None:
        if images is None:
            return None
        if images not in self._builds:
            found = next(filter(None, map(image_build, images.split(","))), None)
            self._builds[images] = found
        return self._builds[images]

    def _wish(self, resources: bytes) -> tuple[float | None, int | None]:
        """Return the processors and bytes that a container asks for."""
        known = self._wishes.get(resources)
        if known is None:
            wants = parsed("Resources", resources).requests
            known = _of(wants, "cpu", share), _of(wants, "memory", amount)
            self._wishes[resources] = known
        return known

    def _owner(self, reference: bytes) -> str | None:
        if reference not in self._owners:
            owner = parsed("Owner", reference)
            self._owners[reference] = f"{owner.kind}/{owner.name}" if owner.controller else None
        return self._owners[reference]


def _sum(values: Iterable[Any]) -> Any:
    there = [value for value in values if value is not None]
    return sum(there) if there else None


def _wanted_os(selector: Mapping[str, str]) -> str | None:
    return selector.get("kubernetes.io/os") or selector.get("beta.kubernetes.io/os") or None


def service_row(service: Any) -> Row:
    """Return a service's values, in the order of the table `services`."""
    meta, spec = service.metadata, service.spec
    outside = list(spec.externalIPs)
    if spec.type == "LoadBalancer":
        given = {one.ip or one.hostname for one in service.status.loadBalancer.ingress} - {""}
        outside = [*sorted(given), *outside] or ["<pending>"]
    elif spec.type == "ExternalName":
        outside = [spec.externalName]
    ports = (
        f"{port.port}{f':{port.nodePort}' if port.nodePort else ''}/{port.protocol or 'TCP'}"
        for port in spec.ports
    )
    return (
        meta.namespace, meta.name, spec.type or "ClusterIP", spec.clusterIP or None, _joined(outside),
        _joined(ports), seconds(meta.creationTimestamp), _labels(spec.selector),
    )  # fmt: skip


def event_row(event: Any) -> Row:
    """Return an event's values, in the order of the table `events`."""
    about, series = event.involvedObject, event.series
    first = seconds(event.firstTimestamp) or seconds(event.eventTime)
    last = seconds(event.lastTimestamp) or first
    count = event.count or 1
    if event.HasField("series"):
        last, count = seconds(series.lastObservedTime) or last, series.count
    kind = about.kind.lower()
    told = event.source
    source = _joined(
        [told.component or event.reportingComponent, told.host or event.reportingInstance], ", "
    )
    return (
        event.metadata.namespace, last, event.type or None, event.reason or None,
        f"{kind}/{about.name}" if about.name else kind or None, event.message.strip() or None,
        about.fieldPath or None, source, first, count, event.metadata.name,
    )  # fmt: skip


def workload_row(kind: str, workload: Any) -> Row:
    """Return a workload's values, in the order of the table `workloads`."""
    meta, spec, status = workload.metadata, workload.spec, workload.status
    started = finished = None
    if kind == "Job":
        wanted = spec.completions if spec.HasField("completions") else 1
        numbers = (status.succeeded, wanted, None, None, None)
        started, finished = seconds(status.startTime), seconds(status.completionTime)
        state = _job_state(workload)
    else:
        if kind == "DaemonSet":
            numbers = (status.numberReady, status.desiredNumberScheduled, status.currentNumberScheduled,
                       status.updatedNumberScheduled, status.numberAvailable)  # fmt: skip
        else:
            wanted = spec.replicas if spec.HasField("replicas") else 1
            numbers = (status.readyReplicas, wanted, status.replicas,
                       status.updatedReplicas, status.availableReplicas)  # fmt: skip
        state = _rollout_state(kind, workload, numbers)
    pod = spec.template.spec
    os = pod.os.name or _wanted_os(pod.nodeSelector)
    return (
        meta.namespace, kind, meta.name, *numbers, state, started, finished, seconds(meta.creationTimestamp),
        os or None, _joined(one.name for one in pod.containers), _joined(one.image for one in pod.containers),
        _selector(spec.selector), _labels(pod.nodeSelector),
    )  # fmt: skip


def _job_state(job: Any) -> str:
    true = {one.type for one in job.status.conditions if one.status == "True"}
    for name in ("Complete", "Failed"):
        if name in true:
            return name
    if job.metadata.HasField("deletionTimestamp"):
        return "Terminating"
    for name in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if name in true:
            return name
    return "Suspended" if job.spec.suspend else "Running"


def _rollout_state(kind: str, workload: Any, numbers: tuple[int | None, ...]) -> str:
    """Return `Ready` when all that is wanted runs as it is wanted now, `Terminating`, or `Progressing`."""
    if workload.metadata.HasField("deletionTimestamp"):
        return "Terminating"
    ready, wanted, _, updated, available = (number or 0 for number in numbers)
    if kind == "StatefulSet" and not workload.status.HasField("availableReplicas"):
        available = ready  # before 1.22 it is not told
    seen = workload.status.observedGeneration >= workload.metadata.generation
    return "Ready" if seen and min(ready, updated, available) >= wanted else "Progressing"


def _selector(selector: Any) -> str | None:
    parts = [(key, f"{key}={value}") for key, value in selector.matchLabels.items()]
    for one in selector.matchExpressions:
        values = ",".join(sorted(one.values))
        parts.append((one.key, {
            "In": f"{one.key} in ({values})", "NotIn": f"{one.key} notin ({values})",
            "Exists": one.key, "DoesNotExist": f"!{one.key}",
        }.get(one.operator, one.key)))  # fmt: skip
    # Of one key, as they are written.
    return _joined(part for _, part in sorted(parts, key=lambda part: part[0]))
