"""The Kubernetes API as a function: one request in, status and object out, without a socket.

The HTTPS server, the simulated kubectl and kubeadm, the kubelets and the controllers all come
through `Api.request`, so that one is refused what the others are refused.
"""

from __future__ import annotations

import base64
import copy
import json
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from k8swin_lab.kubernetes import (
    bodies,
    discovery,
    errors,
    patching,
    rbac,
    reviews,
    schema,
    selectors,
    subresources,
    watching,
)
from k8swin_lab.kubernetes.errors import ApiError, Object
from k8swin_lab.kubernetes.paths import Target, is_true, parse, verb
from k8swin_lab.kubernetes.resources import Resource
from k8swin_lab.kubernetes.users import ADMIN, User
from k8swin_lab.kubernetes.writes import WriteOptions, Writer

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster

_RETURNED_WHEN_DELETED = {"Pod", "Service", "Namespace", "ServiceAccount", "PersistentVolumeClaim"}


class Api:
    """The API of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.store = cluster.store
        self.writer = Writer(cluster.store, cluster.service_subnet, cluster.clock, cluster.minor)

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
        """Answer one request; errors come back as Status objects.

        Args:
            method: HTTP method.
            path: Path without the query.
            query: Query parameters, one value each.
            body: The body, encoded or as an object.
            content_type: Media type of the body; it tells the patch types apart.
            user: Who asks; None is the administrator.
            accept: Media types wanted: JSON, Table or PartialObjectMetadata.
            manager: Field manager when the query names none.
            warnings: Takes the texts of Warning headers.

        Returns:
            HTTP status, and an object (a dict) or a text (a str).
        """
        query = query or {}
        asker = user or ADMIN
        self.cluster.run_due()
        try:
            status, result = self._serve(
                method.upper(), path, query, body, content_type, asker, manager, warnings
            )
        except ApiError as error:
            return error.code, error.status
        finally:
            if method.upper() not in ("GET", "HEAD"):
                self.cluster.settle()
        return status, bodies.render(result, accept, query, self.cluster.clock())

    def _serve(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        body: Any,
        content_type: str,
        user: User,
        manager: str,
        warnings: list[str] | None,
    ) -> tuple[int, Any]:
        parts = [part for part in path.split("/") if part]
        is_resource = len(parts) > (2 if parts[:1] == ["api"] else 3) and parts[0] in (
            "api",
            "apis",
        )
        if not is_resource:
            return self._document(method, "/" + "/".join(parts), user)
        target = parse(path)
        action = verb(method, target, query)
        content = bodies.decode(body, content_type)
        asked = rbac.Attributes(
            verb=action,
            group=target.resource.group,
            resource=target.resource.plural,
            subresource=target.subresource,
            namespace=target.namespace,
            name=target.name,
        )
        if target.resource.plural == "namespaces" and target.name:
            asked = rbac.Attributes(
                action,
                resource="namespaces",
                subresource=target.subresource,
                namespace=target.name,
                name=target.name,
            )
        if not rbac.allowed(self.store, user, asked):
            raise rbac.refuse(user, asked)
        if "system:nodes" in user.groups and target.name:
            stored = self.store.get(target.resource, target.namespace, target.name)
            rbac.check_node_restriction(user, asked, stored)
        elif "system:nodes" in user.groups and isinstance(content, dict):
            rbac.check_node_restriction(user, asked, content)
        options = WriteOptions(
            user=user,
            manager=query.get("fieldManager") or manager,
            dry_run=query.get("dryRun") == "All",
            field_validation=query.get("fieldValidation", "Warn"),
            subresource=target.subresource,
            warnings=warnings if warnings is not None else [],
        )
        with self.store.lock:
            return self._act(action, target, query, content, content_type, options)

    def _act(
        self,
        action: str,
        target: Target,
        query: dict[str, str],
        content: Any,
        content_type: str,
        options: WriteOptions,
    ) -> tuple[int, Any]:
        if target.subresource:
            return self._subresource(action, target, query, content, content_type, options)
        resource = target.resource
        if action not in resource.verbs:
            raise errors.method_not_allowed()
        if action == "get":
            return 200, copy.deepcopy(self.stored(target))
        if action == "list":
            return 200, self._list(target, query)
        if action == "create":
            return self._create(target, content, options)
        if action == "update":
            old = self.store.get(resource, target.namespace, target.name)
            if old is None:
                if resource.kind not in ("Lease", "Endpoints", "Event"):
                    raise errors.not_found(resource.plural, resource.group, target.name)
                content["metadata"].setdefault("name", target.name)
                return 201, self.writer.create(resource, target.namespace, content, options)
            return 200, self._copied(self.writer.update(resource, old, content, options))
        if action == "patch":
            return self._patch(target, query, content, content_type, options)
        if action == "delete":
            return 200, self._delete(self.stored(target), resource, query, content, options)
        if action == "deletecollection":
            return 200, self._delete_collection(target, query, content, options)
        raise errors.method_not_allowed()

    def stored(self, target: Target) -> Object:
        """Return the stored object that a path names.

        Raises:
            ApiError: it does not exist (404).
        """
        found = self.store.get(target.resource, target.namespace, target.name)
        if found is None:
            resource = target.resource
            raise errors.not_found(resource.plural, resource.group, target.name)
        return found

    def _copied(self, obj: Object) -> Object:
        return copy.deepcopy(obj)

    def _create(self, target: Target, content: Any, options: WriteOptions) -> tuple[int, Any]:
        if not isinstance(content, dict):
            raise errors.bad_request("Object 'Kind' is missing in the empty body")
        resource = target.resource
        if resource.plural in reviews.REVIEWS:
            return 201, reviews.answer(
                resource.plural, content, options.user, self.store, self.cluster.token_user
            )
        if resource.namespaced and not target.namespace:
            raise errors.method_not_allowed()
        return 201, self._copied(self.writer.create(resource, target.namespace, content, options))

    def _list(self, target: Target, query: dict[str, str]) -> Object:
        resource = target.resource
        matches = _matcher(resource, query)
        found = [obj for obj in self.store.objects(resource, target.namespace) if matches(obj)]
        metadata: Object = {"resourceVersion": str(self.store.version)}
        start = 0
        if token := query.get("continue"):
            try:
                start = int(json.loads(base64.b64decode(token))["start"])
            except (ValueError, KeyError, TypeError) as error:
                raise errors.bad_request(f"continue key is not valid: {error}") from error
        limit = int(query.get("limit") or 0)
        page = found[start : start + limit] if limit else found[start:]
        if limit and start + limit < len(found):
            token = base64.b64encode(json.dumps({"start": start + limit}).encode()).decode()
            metadata["continue"] = token
            metadata["remainingItemCount"] = len(found) - start - limit
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": metadata,
            "items": copy.deepcopy(page),
        }

    def _patch(
        self,
        target: Target,
        query: dict[str, str],
        content: Any,
        content_type: str,
        options: WriteOptions,
    ) -> tuple[int, Object]:
        resource = target.resource
        media = content_type.partition(";")[0].strip()
        if media in ("application/apply-patch+yaml", "application/apply-patch+cbor"):
            if not query.get("fieldManager"):
                cause = errors.required("fieldManager", "is required for apply patch")
                raise errors.invalid("PatchOptions", "meta.k8s.io", "", [cause])
            result, created = self.writer.apply(
                resource,
                target.namespace,
                target.name,
                content,
                options,
                force=is_true(query.get("force")),
            )
            return (201 if created else 200), self._copied(result)
        old = self.stored(target)
        new = self._patched(resource, old, content, media)
        return 200, self._copied(self.writer.update(resource, old, new, options))

    def _patched(self, resource: Resource, old: Object, content: Any, media: str) -> Object:
        if media == "application/json-patch+json":
            new = patching.json_patch(old, content)
        elif media == "application/merge-patch+json":
            new = patching.merge_patch(old, content)
        elif media in ("application/strategic-merge-patch+json", "application/json"):
            kind = schema.schema_of(resource.api_version, resource.kind) or {}
            new = patching.strategic_merge(old, content, kind)
        else:
            text = (
                "the body of the request was in an unknown format - accepted media types include: "
                "application/json-patch+json, application/merge-patch+json, "
                "application/strategic-merge-patch+json, application/apply-patch+yaml"
            )
            raise ApiError(415, "UnsupportedMediaType", text, {})
        patched: Object = new
        return patched

    def _delete(
        self,
        old: Object,
        resource: Resource,
        query: dict[str, str],
        content: Any,
        options: WriteOptions,
    ) -> Object:
        body = dict(content or {})
        if "gracePeriodSeconds" in query:
            body["gracePeriodSeconds"] = int(query["gracePeriodSeconds"])
        if "propagationPolicy" in query:
            body["propagationPolicy"] = query["propagationPolicy"]
        dry = options.dry_run or "All" in (body.get("dryRun") or [])
        result = self.writer.delete(resource, old, body, dry_run=dry)
        waits = result["metadata"].get("finalizers")
        if resource.kind in _RETURNED_WHEN_DELETED or waits:
            return self._copied(result)
        details: Object = {"name": old["metadata"]["name"]}
        if resource.group:
            details["group"] = resource.group
        details |= {"kind": resource.plural, "uid": old["metadata"]["uid"]}
        return subresources.success(200, details)

    def _delete_collection(
        self, target: Target, query: dict[str, str], content: Any, options: WriteOptions
    ) -> Object:
        listed = self._list(target, {k: v for k, v in query.items() if k.endswith("Selector")})
        for obj in listed["items"]:
            metadata = obj["metadata"]
            old = self.store.get(target.resource, metadata.get("namespace", ""), metadata["name"])
            if old is not None:
                self._delete(old, target.resource, query, content, options)
        return listed

    def _subresource(
        self,
        action: str,
        target: Target,
        query: dict[str, str],
        content: Any,
        content_type: str,
        options: WriteOptions,
    ) -> tuple[int, Any]:
        name = target.subresource
        known = target.resource.subresources.get(name)
        if known is None:
            raise errors.no_resource()
        if action not in known.verbs and not (name == "exec" and action in ("get", "create")):
            raise errors.method_not_allowed()
        if name == "log":
            return 200, subresources.log(self.cluster, target, query)
        if name == "exec":
            raise errors.bad_request("Upgrade request required")
        if name == "token":
            return 201, subresources.request_token(self.cluster, target, content)
        if name == "eviction":
            return 201, subresources.evict(self.cluster, target, content, options)
        if name == "binding":
            return 201, subresources.bind(self.cluster, target, content, options)
        if name == "scale":
            return 200, self._scale(action, target, content, content_type, options)
        old = self.stored(target)
        if action == "get":
            return 200, self._copied(old)
        if name == "finalize":
            return 200, self._finalize(old, content, target)
        if action == "patch":
            return self._patch(target, query, content, content_type, options)
        return 200, self._copied(self.writer.update(target.resource, old, content, options))

    def _scale(
        self, action: str, target: Target, content: Any, content_type: str, options: WriteOptions
    ) -> Object:
        current = subresources.scale_of(self.stored(target))
        if action == "get":
            return current
        wanted = content
        if action == "patch":
            media = content_type.partition(";")[0]
            if media == "application/json-patch+json":
                wanted = patching.json_patch(current, content)
            else:
                wanted = patching.merge_patch(current, content)
        options.subresource = ""
        return subresources.set_scale(self.cluster, target, wanted, options)

    def _finalize(self, old: Object, content: Object, target: Target) -> Object:
        new = copy.deepcopy(old)
        new["spec"]["finalizers"] = (content.get("spec") or {}).get("finalizers") or []
        if new["metadata"].get("deletionTimestamp") and not new["spec"]["finalizers"]:
            return self.store.remove(target.resource, "", target.name)
        return self.store.put(target.resource, new)

    def _document(self, method: str, path: str, user: User) -> tuple[int, Any]:
        if method not in ("GET", "HEAD"):
            raise errors.method_not_allowed()
        asked = rbac.Attributes(verb="get", path=path)
        if not rbac.allowed(self.store, user, asked):
            raise rbac.refuse(user, asked)
        cluster, minor = self.cluster, self.cluster.minor
        if path.split("/")[1] in (("healthz",) if minor < 16 else ("healthz", "livez", "readyz")):
            return 200, "ok"
        parts = path.strip("/").split("/")
        if path == "/version":
            return 200, discovery.version_info(cluster.version)
        if path == "/api":
            return 200, discovery.api_versions(f"{cluster.advertise_address}:{cluster.port}")
        if path == "/apis":
            return 200, discovery.group_list(minor)
        if path.startswith("/openapi/v3") and minor < 24:
            return 404, "404 page not found\n"
        if path == "/openapi/v3":
            return 200, discovery.openapi_index(minor)
        found: Object | None = None
        if path.startswith("/openapi/v3/"):
            group, version = (
                ("", parts[3]) if parts[2] == "api" else (parts[3], parts[4] if parts[4:] else "")
            )
            found = discovery.openapi_document(group, version, cluster.version)
        elif parts[0] == "api" and len(parts) == 2:
            found = discovery.resource_list("", parts[1], minor)
        elif parts[0] == "apis" and len(parts) == 2:
            found = discovery.group(parts[1], minor)
        elif parts[0] == "apis" and len(parts) == 3:
            found = discovery.resource_list(parts[1], parts[2], minor)
        elif path == "/.well-known/openid-configuration":
            found = {"issuer": cluster.signer.issuer, "response_types_supported": ["id_token"]}
        if found is None:
            return 404, "404 page not found\n"
        return 200, found

    def watch(
        self,
        path: str,
        query: dict[str, str] | None = None,
        user: User | None = None,
        *,
        accept: str = "application/json",
        cancelled: threading.Event | None = None,
    ) -> Iterator[Object]:
        """Yield the events of a watch; they are the caller's to read, not to change.

        Raises:
            ApiError: the watch itself is refused; raised before the first event.
        """
        query = query or {}
        asker = user or ADMIN
        target = parse(path)
        asked = rbac.Attributes(
            verb="watch",
            group=target.resource.group,
            resource=target.resource.plural,
            namespace=target.namespace,
            name=target.name,
        )
        if not rbac.allowed(self.store, asker, asked):
            raise rbac.refuse(asker, asked)
        if "watch" not in target.resource.verbs:
            raise errors.method_not_allowed()
        given = query.get("resourceVersion", "")
        initial = is_true(query.get("sendInitialEvents"))
        start = None if given in ("", "0") or initial else int(given)
        if given and not initial and start is not None:
            self.store.changes_after(start)
        timeout = query.get("timeoutSeconds")
        wanted = watching.WatchRequest(
            resource=target.resource,
            namespace=target.namespace,
            matches=_matcher(target.resource, query, target.name),
            version=start,
            bookmarks=is_true(query.get("allowWatchBookmarks")),
            send_initial=initial,
            timeout=float(timeout) if timeout else None,
        )
        return self._events(wanted, accept, query, cancelled)

    def _events(
        self,
        wanted: watching.WatchRequest,
        accept: str,
        query: dict[str, str],
        cancelled: threading.Event | None,
    ) -> Iterator[Object]:
        first = True
        for event in watching.watch(self.store, wanted, cancelled):
            if event["type"] in ("BOOKMARK", "ERROR"):
                shown = event["object"]
                if event["type"] == "BOOKMARK" and "as=Table" in accept.split(",")[0]:
                    shown = _bookmark_table(shown)
            else:
                shown = bodies.render(event["object"], accept, query, self.cluster.clock())
                if shown.get("kind") == "Table" and not first:
                    shown = {**shown, "columnDefinitions": None}
                first = False
            yield {"type": event["type"], "object": shown}


def _bookmark_table(bookmark: Object) -> Object:
    """Return a bookmark in a Table watch: its row carries the annotations, no cells."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": bookmark["metadata"]["resourceVersion"]},
        "columnDefinitions": [],
        "rows": [{"cells": [], "object": bookmark}],
    }


def _matcher(resource: Resource, query: dict[str, str], name: str = "") -> Any:
    labels = selectors.parse_labels(query.get("labelSelector", ""))
    fields = selectors.parse_fields(query.get("fieldSelector", ""), resource.kind)

    def matches(obj: Object) -> bool:
        metadata = obj["metadata"]
        return (
            (not name or metadata["name"] == name)
            and labels(metadata.get("labels") or {})
            and fields(obj)
        )

    return matches
