"""A cluster as a node's programs know it: nothing but its API server, asked and watched over the wire.

It offers a kubelet what `Cluster` offers those of the same process: objects by name, a client, events, a clock. What it
follows it keeps, as client-go's informers do: a list, then a watch from that version on, again from the start when the
server has forgotten the version or cannot be reached. Everything else is asked for when it is wanted.
"""

from __future__ import annotations

import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.errors import ApiError, Object
from k8swin_lab.kubernetes.events import new_event
from k8swin_lab.kubernetes.resources import Resource, named
from k8swin_lab.kubernetes.users import User
from k8swin_lab.lasting import Lasting

_START_DELAY = 0.3
_STATUS = "/status"
_TRIES = 4
_AGAIN = 1.0
"""Seconds until a list or watch that failed is tried again."""


class WireError(Exception):
    """Nothing answered; the text is that of Go's client."""


class Wire(Protocol):
    """How requests get to the API server and who makes them."""

    def send(
        self, method: str, path: str, query: dict[str, str], body: Any, content_type: str
    ) -> tuple[int, Any]:
        """Send a request; returns the HTTP status and the object.

        Raises:
            WireError: nothing answered.
        """

    def watch(
        self, path: str, query: dict[str, str], stopped: Callable[[], bool]
    ) -> Iterator[Object]:
        """Yield the events of a watch until it ends or `stopped` says so.

        Raises:
            WireError: it is refused, or the connection breaks.
        """


class _Cache:
    """What is known of one followed resource."""

    def __init__(self, resource: Resource, namespace: str, fields: str) -> None:
        self.resource = resource
        self.namespace = namespace
        self.fields = fields
        self.objects: dict[tuple[str, str], Object] = {}
        self.seen = 0  # version of the last list or event
        self.synced = threading.Event()

    def path(self) -> str:
        return self.resource.path(self.namespace or None)

    def put(self, obj: Object) -> None:
        """Keep an object unless a newer one is known."""
        key = _key(obj)
        old = self.objects.get(key)
        if old is None or _version(old) <= _version(obj):
            self.objects[key] = obj

    def covers(self, namespace: str) -> bool:
        return not self.namespace or self.namespace == namespace


def _key(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _version(obj: Object) -> int:
    return int(obj["metadata"].get("resourceVersion") or 0)


class RemoteCluster:
    """The API server of a cluster.

    Args:
        wire: how it is reached.
        minor: of the release that answers, 36 of v1.36.4.
        clock: the machine's, seconds since the epoch.
        say: is told what goes wrong with lists and watches.
        pace: factor for waits.
    """

    def __init__(
        self,
        wire: Wire,
        minor: int,
        clock: Callable[[], float] = time.time,
        say: Callable[[str], None] = lambda text: None,
        pace: float = 1.0,
    ) -> None:
        self.wire = wire
        self.minor = minor
        self.clock = clock
        self.container_start_delay = _START_DELAY
        self.recorder = _Recorder(self)
        self._say = say
        self._pace = pace
        self._lock = threading.RLock()
        self._caches: dict[str, _Cache] = {}
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._due: float | None = None

    # --- what clients ask

    @property
    def api(self) -> RemoteCluster:
        """What a `Client` sends its requests to: this."""
        return self

    def request(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        user: User | None = None,
        *,
        manager: str = "",
    ) -> tuple[int, Any]:
        """Send one request, as `Api.request` answers it; a status that lost a race is sent again.

        Raises:
            WireError: nothing answered.
        """
        wanted = {name: value for name, value in (query or {}).items() if value}
        code, found = self.wire.send(method, path, wanted, body, content_type)
        for _ in range(_TRIES):
            if not (code == 409 and method == "PUT" and path.endswith(_STATUS)):
                break
            # A kubelet patches statuses: what others wrote meanwhile stays.
            code, fresh = self.wire.send("GET", path.removesuffix(_STATUS), {}, None, content_type)
            if code == 200:
                sent = {**fresh, "status": {**(fresh.get("status") or {}), **body["status"]}}
                code, found = self.wire.send(method, path, wanted, sent, content_type)
        self._learn(method, path, code, found)
        return code, found

    def _learn(self, method: str, path: str, code: int, found: Any) -> None:
        """See one's own writes before the watch brings them."""
        if method not in ("PUT", "POST", "PATCH") or code >= 400 or not isinstance(found, dict):
            return
        with self._lock:
            for cache in self._caches.values():
                own = found.get("kind") == cache.resource.kind and "metadata" in found
                if not own or not cache.covers(found["metadata"].get("namespace", "")):
                    continue
                # The watch may have brought it already, and its end as well.
                if _version(found) > cache.seen:
                    cache.put(found)

    def objects(self, resource: str, namespace: str | None = None) -> list[Object]:
        """The objects of a followed resource: to read, never to change."""
        with self._lock:
            found = list(self._caches[resource].objects.values())
        if namespace is None:
            return found
        return [obj for obj in found if obj["metadata"].get("namespace", "") == namespace]

    def object(self, resource: str, name: str, namespace: str = "") -> Object | None:
        """One object, or None; what is not followed is asked for.

        Raises:
            ApiError: the API refuses (not 404).
            WireError: nothing answered.
        """
        with self._lock:
            cache = self._caches.get(resource)
            if cache is not None:
                return cache.objects.get((namespace, name))
        code, found = self.wire.send("GET", named(resource).path(namespace or None, name), {}, None, "application/json")  # fmt: skip
        if code == 404:
            return None
        if code >= 400:
            raise ApiError(code, found.get("reason", ""), found.get("message", ""))
        return dict(found)

    # --- following

    def follow(self, resource: Resource, namespace: str = "", fields: str = "") -> None:
        """List and watch from now on; `fields` is a field selector."""
        cache = _Cache(resource, namespace, fields)
        with self._lock:
            self._caches[resource.plural] = cache
        # In a copy of the lab the program that follows begins with another RemoteCluster.
        Lasting(self._follow, args=(cache,), name=f"watch {resource.plural}").start()

    def follows(self, resource: str) -> bool:
        """Whether a resource, by its plural name, is followed."""
        return resource in self._caches

    def synced(self) -> bool:
        """Whether every list has come once."""
        return all(cache.synced.is_set() for cache in self._caches.values())

    def stop(self) -> None:
        """End all watches."""
        self._stopped.set()
        self._changed.set()

    def wake_in(self, seconds: float) -> None:
        """Ask for a look after so many seconds."""
        when = time.monotonic() + seconds
        if self._due is None or when < self._due:
            self._due = when

    def wait(self, seconds: float) -> None:
        """Wait for a change, for what is due, or at most so long."""
        if self._due is not None:
            seconds = min(seconds, max(0.0, self._due - time.monotonic()))
        self._changed.wait(seconds)
        self._changed.clear()
        if self._due is not None and time.monotonic() >= self._due:
            self._due = None

    def _follow(self, cache: _Cache) -> None:
        said = ""
        while not self._stopped.is_set():
            try:
                self._watch(cache, self._list(cache))
                said = ""
            except (WireError, ApiError) as error:
                if str(error) != said:
                    said = str(error)
                    kind = f"*v1.{cache.resource.kind}"
                    self._say(f"failed to list {kind}: {error}")
                self._stopped.wait(_AGAIN * self._pace)

    def _list(self, cache: _Cache) -> str:
        query = {"fieldSelector": cache.fields} if cache.fields else {}
        code, found = self.wire.send("GET", cache.path(), query, None, "application/json")
        if code >= 400 or not isinstance(found, dict):
            text = found.get("message", str(code)) if isinstance(found, dict) else str(found)
            raise ApiError(code, "", text)
        items = found.get("items") or []
        for obj in items:
            self._name(cache, obj)
        with self._lock:
            cache.objects = {_key(obj): obj for obj in items}
            cache.seen = int(found["metadata"]["resourceVersion"] or 0)
        cache.synced.set()
        self._changed.set()
        return str(found["metadata"]["resourceVersion"])

    @staticmethod
    def _name(cache: _Cache, obj: Object) -> None:
        """The objects of a list have no kind of their own."""
        obj.setdefault("kind", cache.resource.kind)
        obj.setdefault("apiVersion", cache.resource.api_version)

    def _watch(self, cache: _Cache, version: str) -> None:
        while not self._stopped.is_set():
            query = {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true",
                     "timeoutSeconds": "300", "fieldSelector": cache.fields}  # fmt: skip
            sent = {name: value for name, value in query.items() if value}
            for event in self.wire.watch(cache.path(), sent, self._stopped.is_set):
                kind, obj = event["type"], event["object"]
                if kind == "ERROR":
                    if obj.get("code") == 410:
                        return
                    raise ApiError(int(obj.get("code") or 500), "", str(obj.get("message")))
                version = str(obj["metadata"]["resourceVersion"])
                if kind == "BOOKMARK":
                    continue
                self._name(cache, obj)
                with self._lock:
                    cache.seen = _version(obj)
                    if kind == "DELETED":
                        cache.objects.pop(_key(obj), None)
                    else:
                        cache.put(obj)
                self._changed.set()


class _Recorder:
    """Sends events; the same one again raises its count."""

    def __init__(self, cluster: RemoteCluster) -> None:
        self._cluster = cluster
        self._sent: dict[tuple[str, ...], Object] = {}

    def record(
        self,
        about: Object,
        reason: str,
        message: str,
        *,
        component: str,
        host: str = "",
        warning: bool = False,
        field: str = "",
    ) -> None:
        """Record an event about an object; one that does not arrive is lost, as a real one is."""
        metadata = about["metadata"]
        namespace = metadata.get("namespace") or "default"
        now = timestamps.rfc3339(self._cluster.clock())
        key = (str(metadata.get("uid")), reason, message, field)
        old = self._sent.get(key)
        path = f"/api/v1/namespaces/{namespace}/events"
        try:
            if old is not None:
                old["count"] += 1
                change = {"count": old["count"], "lastTimestamp": now}
                media = "application/strategic-merge-patch+json"
                self._cluster.wire.send("PATCH", f"{path}/{old['metadata']['name']}", {}, change, media)  # fmt: skip
                return
            event = new_event(
                about,
                reason,
                message[:1024],
                now=now,
                component=component,
                host=host,
                warning=warning,
                field=field,
            )
            code, _ = self._cluster.wire.send("POST", path, {}, event, "application/json")
            if code < 400:
                self._sent[key] = event
        except WireError:
            return


def query_text(query: dict[str, str]) -> str:
    """A query as it stands in an URL, with its question mark; empty without one."""
    return "?" + urllib.parse.urlencode(query) if query else ""
