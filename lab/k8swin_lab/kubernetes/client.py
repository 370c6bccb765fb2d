"""A client of the API in the same process: verbs by plural resource name, errors as exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8swin_lab.kubernetes.errors import ApiError, Object
from k8swin_lab.kubernetes.resources import named
from k8swin_lab.kubernetes.users import User

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster
    from k8swin_lab.kubernetes.remote import RemoteCluster


class Client:
    """Requests as one user; every method raises `ApiError` when the API refuses."""

    def __init__(self, cluster: Cluster | RemoteCluster, user: User, manager: str) -> None:
        self.cluster = cluster
        self.user = user
        self.manager = manager

    def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Any:
        code, result = self.cluster.api.request(
            method, path, query, body, content_type, self.user, manager=self.manager
        )
        if code >= 400:
            if not isinstance(result, dict):
                raise ApiError(code, "NotFound", str(result), {})
            error = ApiError(code, result.get("reason", ""), result.get("message", ""))
            error.status = result
            raise error
        return result

    def get(self, resource: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object, or None when it does not exist."""
        try:
            found: Object = self._send("GET", named(resource).path(namespace, name))
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        return found

    def list(
        self, resource: str, namespace: str | None = None, selector: str = "", fields: str = ""
    ) -> list[Object]:
        query = {"labelSelector": selector, "fieldSelector": fields}
        listed = self._send("GET", named(resource).path(namespace), query=query)
        kind = named(resource)
        found: list[Object] = listed["items"]
        for obj in found:
            obj.setdefault("kind", kind.kind)
            obj.setdefault("apiVersion", kind.api_version)
        return found

    def create(self, resource: str, obj: Object, namespace: str | None = None) -> Object:
        where = namespace or obj.get("metadata", {}).get("namespace")
        kind = named(resource)
        typed = {"apiVersion": kind.api_version, "kind": kind.kind, **obj}
        made: Object = self._send("POST", kind.path(where), typed)
        return made

    def update(self, resource: str, obj: Object, subresource: str = "") -> Object:
        metadata = obj["metadata"]
        path = named(resource).path(metadata.get("namespace"), metadata["name"], subresource)
        written: Object = self._send("PUT", path, obj)
        return written

    def update_status(self, resource: str, obj: Object) -> Object:
        return self.update(resource, obj, "status")

    def patch(
        self,
        resource: str,
        name: str,
        patch: Object,
        namespace: str | None = None,
        subresource: str = "",
    ) -> Object:
        """Merge-patch an object."""
        path = named(resource).path(namespace, name, subresource)
        media = "application/merge-patch+json"
        written: Object = self._send("PATCH", path, patch, content_type=media)
        return written

    def post(self, resource: str, name: str, subresource: str, body: Object, namespace: str) -> Any:
        """Post to a subresource: binding, eviction, token."""
        return self._send("POST", named(resource).path(namespace, name, subresource), body)

    def delete(
        self,
        resource: str,
        name: str,
        namespace: str | None = None,
        *,
        grace: int | None = None,
        propagation: str = "Background",
        uid: str = "",
    ) -> None:
        """Delete an object; one that is gone already is no error."""
        body: Object = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": propagation,
        }
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        if uid:
            body["preconditions"] = {"uid": uid}
        try:
            self._send("DELETE", named(resource).path(namespace, name), body)
        except ApiError as error:
            if error.code != 404:
                raise
