"""Objects with an owner: pods made from a template, and who owns what."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes.errors import ApiError, Object
from k8swin_lab.kubernetes.pod_status import is_ready
from k8swin_lab.kubernetes.resources import named
from k8swin_lab.kubernetes.selectors import match_selector

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster


def owner_reference(owner: Object) -> Object:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: Object) -> Object | None:
    for reference in obj["metadata"].get("ownerReferences") or []:
        if reference.get("controller"):
            return dict(reference)
    return None


def owned_by(cluster: Cluster, resource: str, owner: Object) -> list[Object]:
    """Return the objects that an owner controls, adopting those that its selector matches."""
    found = []
    uid, namespace = owner["metadata"]["uid"], owner["metadata"]["namespace"]
    for obj in cluster.objects(resource, namespace):
        reference = controller_of(obj)
        if reference is not None:
            if reference["uid"] == uid:
                found.append(obj)
        elif not obj["metadata"].get("deletionTimestamp") and match_selector(
            obj["metadata"].get("labels"), owner["spec"].get("selector")
        ):
            adopted = copy.deepcopy(obj)
            adopted["metadata"].setdefault("ownerReferences", []).append(owner_reference(owner))
            found.append(cluster.control.update(resource, adopted))
    return found


def make_pod(
    cluster: Cluster,
    owner: Object,
    template: Object,
    *,
    component: str,
    labels: dict[str, str] | None = None,
    name: str = "",
    change: Object | None = None,
) -> bool:
    """Create one pod from a template; a refusal becomes an event of the owner."""
    metadata = owner["metadata"]
    pod: Object = {
        "metadata": {
            "namespace": metadata["namespace"],
            "labels": {**(template["metadata"].get("labels") or {}), **(labels or {})},
            "ownerReferences": [owner_reference(owner)],
        },
        "spec": {**copy.deepcopy(template["spec"]), **(change or {})},
    }
    if template["metadata"].get("annotations"):
        pod["metadata"]["annotations"] = dict(template["metadata"]["annotations"])
    if name:
        pod["metadata"]["name"] = name
    else:
        pod["metadata"]["generateName"] = f"{metadata['name']}-"
    try:
        made = cluster.control.create("pods", pod)
    except ApiError as error:
        text = f"Error creating: {error}"
        cluster.recorder.record(owner, "FailedCreate", text, component=component, warning=True)
        return False
    text = f"Created pod: {made['metadata']['name']}"
    cluster.recorder.record(owner, "SuccessfulCreate", text, component=component)
    return True


def delete_pod(cluster: Cluster, owner: Object, pod: Object, *, component: str) -> None:
    name = pod["metadata"]["name"]
    cluster.control.delete("pods", name, pod["metadata"]["namespace"])
    text = f"Deleted pod: {name}"
    cluster.recorder.record(owner, "SuccessfulDelete", text, component=component)


def deletion_order(pods: list[Object]) -> list[Object]:
    """Return pods with those first that are to go first: unbound, pending, not ready, newest."""
    newest = sorted(pods, key=lambda pod: pod["metadata"]["creationTimestamp"], reverse=True)
    return sorted(
        newest,
        key=lambda pod: (
            bool(pod["spec"].get("nodeName")),
            (pod.get("status") or {}).get("phase") == "Running",
            is_ready(pod),
        ),
    )


def share(value: int | str, total: int, *, up: bool) -> int:
    """Return an int-or-percent value as a number."""
    if isinstance(value, int):
        return value
    exact = int(value.rstrip("%")) * total / 100
    return math.ceil(exact) if up else math.floor(exact)


def write_status(cluster: Cluster, obj: Object, status: Object) -> None:
    """Write a status when it differs; fields that are None or zero by omission are left out."""
    status = {key: value for key, value in status.items() if value is not None}
    if status == obj.get("status"):
        return
    resource = next(
        name
        for name in ("deployments", "replicasets", "daemonsets", "statefulsets", "jobs",
                     "poddisruptionbudgets")
        if named(name).kind == obj["kind"]
    )  # fmt: skip
    current = cluster.object(resource, obj["metadata"]["name"], obj["metadata"]["namespace"])
    if current is not None:
        changed = {**copy.deepcopy(current), "status": status}
        cluster.control.update_status(resource, changed)
