"""Which API versions a release of Kubernetes serves, and how old ones stand for those that are stored.

Inside the lab every object is stored, read and written in the version of `resources.json`; what comes from
outside passes here, so that a client meets exactly the API of the cluster's release.
"""

from __future__ import annotations

import copy
import dataclasses
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from k8swin_lab.kubernetes import errors, resources
from k8swin_lab.kubernetes.errors import ApiError, Object
from k8swin_lab.kubernetes.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from k8swin_lab.kubernetes.api import Api
    from k8swin_lab.kubernetes.users import User

_SINCE: dict[tuple[str, str], int] = {
    ("certificates.k8s.io", "certificatesigningrequests"): 19,
    ("coordination.k8s.io", "leases"): 14,
    ("discovery.k8s.io", "endpointslices"): 21,
    ("networking.k8s.io", "ingresses"): 19,
    ("policy", "poddisruptionbudgets"): 21,
    ("scheduling.k8s.io", "priorityclasses"): 14,
    ("storage.k8s.io", "csidrivers"): 18,
    ("storage.k8s.io", "csinodes"): 17,
    ("authentication.k8s.io", "selfsubjectreviews"): 28,
}
"""The first minor version of Kubernetes 1 that serves the stored version of a resource."""

_UNTIL: dict[tuple[str, str], int] = {("policy", "podsecuritypolicies"): 24}
"""The last one, for what is gone since."""

_APPS = ("controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets")
_RBAC = ("clusterrolebindings", "clusterroles", "rolebindings", "roles")
_BEFORE: tuple[tuple[str, str, tuple[str, ...], int, int], ...] = (
    # group, version, resources, first and last minor version that serves it
    ("apps", "v1beta1", ("controllerrevisions", "deployments", "statefulsets"), 6, 15),
    ("apps", "v1beta2", _APPS, 8, 15),
    ("authentication.k8s.io", "v1beta1", ("tokenreviews",), 6, 21),
    ("authorization.k8s.io", "v1beta1",
     ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews"), 6, 21),
    ("certificates.k8s.io", "v1beta1", ("certificatesigningrequests",), 6, 21),
    ("coordination.k8s.io", "v1beta1", ("leases",), 12, 21),
    ("discovery.k8s.io", "v1beta1", ("endpointslices",), 17, 24),
    ("extensions", "v1beta1",
     ("daemonsets", "deployments", "networkpolicies", "podsecuritypolicies", "replicasets"), 3, 15),
    ("policy", "v1beta1", ("poddisruptionbudgets",), 5, 24),
    ("rbac.authorization.k8s.io", "v1beta1", _RBAC, 6, 21),
    ("scheduling.k8s.io", "v1beta1", ("priorityclasses",), 11, 21),
    ("storage.k8s.io", "v1beta1", ("storageclasses",), 4, 21),
)  # fmt: skip
_SELECTS = ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")


@dataclasses.dataclass(frozen=True, slots=True)
class Served:
    """One resource as a client sees it, and the version in which it is stored."""

    seen: Resource
    stored: Resource


@cache
def table(minor: int) -> tuple[Served, ...]:
    """Return what a release serves, newest versions of a group first."""
    found = [
        Served(resource, resource)
        for resource in resources.table()
        if _SINCE.get((resource.group, resource.plural), 0) <= minor
        and minor <= _UNTIL.get((resource.group, resource.plural), 1000)
    ]
    for group, version, names, first, last in _BEFORE:
        if first <= minor <= last:
            for name in names:
                stored = resources.named(name)
                found.append(
                    Served(dataclasses.replace(stored, group=group, version=version), stored)
                )
    return tuple(found)


@cache
def seen(minor: int) -> tuple[Resource, ...]:
    """Return the resources of a release as clients see them."""
    return tuple(one.seen for one in table(minor))


@cache
def groups(minor: int) -> dict[str, list[str]]:
    """Return the versions that a release serves of each group, the core group under the empty name."""
    found: dict[str, list[str]] = {}
    for resource in seen(minor):
        versions = found.setdefault(resource.group, [])
        if resource.version not in versions:
            versions.append(resource.version)
    return found


@cache
def find(minor: int, group: str, version: str, plural: str) -> Served | None:
    """Return what a release serves under a name, or None."""
    for one in table(minor):
        if (one.seen.group, one.seen.version, one.seen.plural) == (group, version, plural):
            return one
    return None


@cache
def of_kind(minor: int, api_version: str, kind: str) -> Resource | None:
    """Return the resource of a kind, or None when the release does not serve it."""
    for resource in seen(minor):
        if resource.api_version == api_version and resource.kind == kind:
            return resource
    return None


class Front:
    """The API of one cluster as its release shows it to the outside.

    Args:
        api: the API behind it.
        minor: of the release.
    """

    def __init__(self, api: Api, minor: int) -> None:
        self._api = api
        self._minor = minor

    def request(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: bytes | Object | list[Object] | None = None,
        content_type: str = "application/json",
        user: User | None = None,
        *,
        accept: str = "application/json",
        manager: str = "unknown",
        warnings: list[str] | None = None,
    ) -> tuple[int, Any]:
        """Answer one request, as `Api.request` does."""
        try:
            one, inside = self._resolve(path)
            if "apply-patch" in content_type and self._minor < 18:
                text = "the body of the request was in an unknown format"
                raise ApiError(415, "UnsupportedMediaType", text, {})
        except ApiError as error:
            return error.code, error.status
        old = one is not None and one.seen.api_version != one.stored.api_version
        if one is not None and old:
            body = _inward(one, body, method)
        status, result = self._api.request(
            method, inside, query, body, content_type, user,
            accept=accept, manager=manager, warnings=warnings,
        )  # fmt: skip
        if one is not None and old:
            result = _outward(one, result)
        return status, result

    def watch(
        self,
        path: str,
        query: dict[str, str] | None = None,
        user: User | None = None,
        **options: Any,
    ) -> Iterator[Object]:
        """Yield the events of a watch, as `Api.watch` does.

        Raises:
            ApiError: the watch itself is refused; raised before the first event.
        """
        one, inside = self._resolve(path)
        events = self._api.watch(inside, query, user, **options)
        if one is None or one.seen.api_version == one.stored.api_version:
            return events
        found = one
        return ({**event, "object": _outward(found, event["object"])} for event in events)

    def inside(self, path: str) -> str:
        """Return a path with the version in which its object is stored.

        Raises:
            ApiError: this release serves nothing there (404).
        """
        return self._resolve(path)[1]

    def _resolve(self, path: str) -> tuple[Served | None, str]:
        parts = [part for part in path.split("/") if part]
        if parts[:1] == ["api"] and len(parts) > 2:
            group, version, rest = "", parts[1], parts[2:]
        elif parts[:1] == ["apis"] and len(parts) > 3:
            group, version, rest = parts[1], parts[2], parts[3:]
        else:
            return None, path
        own = rest[2] if rest[0] == "namespaces" and len(rest) >= 3 else rest[0]
        if own in ("status", "finalize"):
            own = rest[0]
        one = find(self._minor, group, version, own)
        if one is None:
            raise errors.no_resource()
        return one, f"{one.stored.base}/{'/'.join(rest)}"


def _inward(one: Served, body: Any, method: str) -> Any:
    """Return a body with the stored version, and what an old version filled in by itself."""
    value = body
    if isinstance(body, bytes):
        try:
            value = json.loads(body)
        except ValueError:
            try:
                value = yaml.safe_load(body)
            except (yaml.YAMLError, UnicodeDecodeError):
                return body
    if not isinstance(value, dict):
        return body
    value = copy.deepcopy(value)
    if value.get("apiVersion") == one.seen.api_version:
        value["apiVersion"] = one.stored.api_version
    if method.upper() == "POST" and value.get("kind") == "CertificateSigningRequest":
        # what the old version worked out from the request itself
        spec = value.setdefault("spec", {})
        spec.setdefault("signerName", "kubernetes.io/kube-apiserver-client-kubelet")
    if method.upper() in ("POST", "PUT") and value.get("kind") in _SELECTS:
        spec = value.setdefault("spec", {})
        labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
        if not spec.get("selector") and labels and one.seen.version == "v1beta1":
            spec["selector"] = {"matchLabels": labels}
        if value["kind"] == "DaemonSet" and one.seen.group == "extensions":
            spec.setdefault("updateStrategy", {"type": "OnDelete"})
    return value


def _outward(one: Served, value: Any) -> Any:
    """Return an answer with the version that was asked for."""
    if not isinstance(value, dict):
        return value
    changed = dict(value)
    if changed.get("apiVersion") == one.stored.api_version:
        changed["apiVersion"] = one.seen.api_version
    if isinstance(changed.get("items"), list):
        changed["items"] = [_outward(one, item) for item in changed["items"]]
    return changed
