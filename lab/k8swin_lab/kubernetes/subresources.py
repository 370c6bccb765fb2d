"""Subresources that are actions: scale, binding, eviction, token, log."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes import errors, timestamps
from k8swin_lab.kubernetes.errors import ApiError, Object, bad_request
from k8swin_lab.kubernetes.paths import Target
from k8swin_lab.kubernetes.pod_status import is_ready
from k8swin_lab.kubernetes.resources import named
from k8swin_lab.kubernetes.selectors import match_selector, selector_text
from k8swin_lab.kubernetes.writes import WriteOptions
from k8swin_lab.network import CERTIFICATE_HEADER, HttpRequest, NetworkError, Station

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster


def scale_of(obj: Object) -> Object:
    """Return the Scale of a workload."""
    keep = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    text = selector_text(obj["spec"].get("selector"))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in keep if key in obj["metadata"]},
        "spec": {"replicas": obj["spec"].get("replicas", 0)},
        "status": {"replicas": (obj.get("status") or {}).get("replicas", 0), "selector": text},
    }


def set_scale(cluster: Cluster, target: Target, scale: Object, options: WriteOptions) -> Object:
    """Write a Scale: only the replicas change."""
    old = cluster.api.stored(target)
    new = copy.deepcopy(old)
    version = (scale.get("metadata") or {}).get("resourceVersion")
    if version:
        new["metadata"]["resourceVersion"] = version
    new["spec"]["replicas"] = (scale.get("spec") or {}).get("replicas", 0)
    return scale_of(cluster.api.writer.update(target.resource, old, new, options))


def bind(cluster: Cluster, target: Target, binding: Object, options: WriteOptions) -> Object:
    """Bind a pod to a node."""
    pod = copy.deepcopy(cluster.api.stored(target))
    if pod["spec"].get("nodeName"):
        where = f'pod {target.name} is already assigned to node "{pod["spec"]["nodeName"]}"'
        raise errors.conflict("pods/binding", "", target.name, where)
    pod["spec"]["nodeName"] = binding["target"]["name"]
    conditions = pod["status"].setdefault("conditions", [])
    conditions[:] = [item for item in conditions if item["type"] != "PodScheduled"]
    conditions.append(
        {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": timestamps.rfc3339(cluster.clock()),
        }
    )
    if not options.dry_run:
        cluster.store.put(target.resource, pod)
    return success(201)


def success(code: int = 200, details: Object | None = None) -> Object:
    found: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details:
        found["details"] = details
    if code != 200:
        found["code"] = code
    return found


def evict(cluster: Cluster, target: Target, eviction: Object, options: WriteOptions) -> Object:
    """Delete a pod unless a disruption budget forbids it (429)."""
    pod = cluster.api.stored(target)
    for budget in cluster.store.objects(named("poddisruptionbudgets"), target.namespace):
        if not match_selector(pod["metadata"].get("labels"), budget["spec"].get("selector")):
            continue
        if is_ready(pod) and (budget.get("status") or {}).get("disruptionsAllowed", 0) < 1:
            name = budget["metadata"]["name"]
            text = "Cannot evict pod as it would violate the pod's disruption budget."
            status = budget.get("status") or {}
            details = {
                "causes": [
                    {
                        "reason": "DisruptionBudget",
                        "message": (
                            f"The disruption budget {name} needs {status.get('desiredHealthy', 0)} "
                            f"healthy pods and has {status.get('currentHealthy', 0)} currently"
                        ),
                    }
                ]
            }
            raise ApiError(429, "TooManyRequests", text, details)
    body = eviction.get("deleteOptions") or {}
    dry = options.dry_run or "All" in (body.get("dryRun") or [])
    cluster.api.writer.delete(target.resource, pod, body, dry_run=dry)
    return success(201)


def request_token(cluster: Cluster, target: Target, review: Object) -> Object:
    """Answer a TokenRequest for a service account."""
    account = cluster.api.stored(target)
    spec = copy.deepcopy(review.get("spec") or {})
    seconds = int(spec.get("expirationSeconds") or 3600)
    if seconds < 600:
        cause = errors.invalid_value(
            "spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"
        )
        raise errors.invalid("TokenRequest", "authentication.k8s.io", "", [cause])
    spec["expirationSeconds"] = seconds
    spec.setdefault("audiences", [cluster.signer.issuer])
    now = cluster.clock()
    token = cluster.signer.bound_token(
        account,
        now,
        seconds=seconds,
        audiences=spec["audiences"],
        bound=spec.get("boundObjectRef"),
    )
    metadata = {
        "name": account["metadata"]["name"],
        "namespace": account["metadata"]["namespace"],
        "creationTimestamp": timestamps.rfc3339(now),
    }
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": metadata,
        "spec": spec,
        "status": {"token": token, "expirationTimestamp": timestamps.rfc3339(now + seconds)},
    }


def container_of(pod: Object, name: str) -> str:
    """Return the container that a log or exec request means.

    Raises:
        ApiError: it is ambiguous or not in the pod (400).
    """
    names = [item["name"] for item in pod["spec"]["containers"]]
    own = pod["metadata"]["name"]
    if not name:
        if len(names) > 1:
            listed = " ".join(names)
            raise bad_request(
                f"a container name must be specified for pod {own}, choose one of: [{listed}]"
            )
        return str(names[0])
    every = names + [item["name"] for item in pod["spec"].get("initContainers") or []]
    if name not in every:
        raise bad_request(f"container {name} is not valid for pod {own}")
    return name


def log(cluster: Cluster, target: Target, query: dict[str, str]) -> str:
    """Return a container's log."""
    pod = cluster.api.stored(target)
    container = container_of(pod, query.get("container", ""))
    node = pod["spec"].get("nodeName", "")
    if not node:
        return ""
    previous = _on(query, "previous")
    kubelet = cluster.kubelets.get(node)
    if kubelet is not None and kubelet.machine.kubelet_running():
        text = kubelet.logs(target.namespace, target.name, container, previous=previous)
    else:
        text = _asked_log(cluster, pod, container, previous=previous)
    lines = text.splitlines(keepends=True)
    tail = query.get("tailLines")
    if tail is not None:
        lines = lines[-int(tail) :] if int(tail) else []
    text = "".join(lines)
    limit = query.get("limitBytes")
    return text[: int(limit)] if limit else text


def _asked_log(cluster: Cluster, pod: Object, container: str, *, previous: bool) -> str:
    """Ask the kubelet at the node's address, as the API server does."""
    metadata = pod["metadata"]
    address = (pod.get("status") or {}).get("hostIP", pod["spec"]["nodeName"])
    url = (
        f"https://{address}:10250/containerLogs/{metadata['namespace']}/{metadata['name']}/"
        f"{container}"
    )
    why = f"dial tcp {address}:10250: connect: connection refused"
    if cluster.network is not None:
        shown = {CERTIFICATE_HEADER: cluster.kubelet_client}
        asked = HttpRequest("GET", f"{url}?previous=true" if previous else url, shown)
        try:
            answer = cluster.network.http(Station(cluster.advertise_address), asked)
        except NetworkError as error:
            why = why if error.kind == "refused" else f"dial tcp {address}:10250: i/o timeout"
        else:
            if answer.status == 200:
                return answer.body.decode("utf-8", "replace")
            raise ApiError(answer.status, "BadRequest", answer.body.decode("utf-8", "replace"))
    raise ApiError(500, "InternalError", f'Get "{url}": {why}', {})


def _on(query: dict[str, str], name: str) -> bool:
    return query.get(name, "false").lower() in ("1", "true")
