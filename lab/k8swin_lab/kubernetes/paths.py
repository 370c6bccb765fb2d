"""Request paths: which resource, object or subresource one names, and what verb that makes."""

from __future__ import annotations

from dataclasses import dataclass

from k8swin_lab.kubernetes import resources
from k8swin_lab.kubernetes.errors import no_resource
from k8swin_lab.kubernetes.resources import Resource


@dataclass(frozen=True, slots=True)
class Target:
    resource: Resource
    namespace: str
    name: str
    subresource: str
    rest: str = ""  # what follows the subresource


def parse(path: str) -> Target:
    """Return what a path under /api or /apis names.

    Raises:
        ApiError: nothing is served there (404).
    """
    parts = [part for part in path.split("/") if part]
    if parts[0] == "api":
        group, version, parts = "", parts[1], parts[2:]
    else:
        group, version, parts = parts[1], parts[2], parts[3:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) >= 3 and parts[2] not in ("status", "finalize"):
        namespace, parts = parts[1], parts[2:]
    resource = resources.find(group, version, parts[0])
    if resource is None or (namespace and not resource.namespaced):
        raise no_resource()
    name = parts[1] if len(parts) > 1 else ""
    subresource = parts[2] if len(parts) > 2 else ""
    if resource.namespaced and name and not namespace:
        raise no_resource()
    return Target(resource, namespace, name, subresource, "/".join(parts[3:]))


_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


def verb(method: str, target: Target, query: dict[str, str]) -> str:
    """Return the API verb of a request."""
    if method == "GET":
        if is_true(query.get("watch")):
            return "watch"
        return "get" if target.name else "list"
    if method == "DELETE":
        return "delete" if target.name else "deletecollection"
    return _VERBS.get(method, method.lower())


def is_true(text: str | None) -> bool:
    return text is not None and text.lower() in ("1", "true", "")
