"""Watches: the store's log of changes, seen through one request's selectors."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from k8swin_lab.kubernetes.errors import ApiError, Object
from k8swin_lab.kubernetes.resources import Resource
from k8swin_lab.kubernetes.store import Store

_STEP = 0.5
_BOOKMARK_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """What one watch asks for; `version` None means: begin with what is there."""

    resource: Resource
    namespace: str
    matches: Callable[[Object], bool]
    version: int | None
    bookmarks: bool
    send_initial: bool
    timeout: float | None


def watch(
    store: Store, asked: WatchRequest, cancelled: threading.Event | None = None
) -> Iterator[Object]:
    """Yield events (`type`, `object`) until the timeout or until cancelled."""
    end = None if asked.timeout is None else time.monotonic() + asked.timeout
    with store.lock:
        version = asked.version if asked.version is not None else store.version
        first = store.objects(asked.resource, asked.namespace) if asked.version is None else []
    for obj in first:
        if asked.matches(obj):
            yield {"type": "ADDED", "object": obj}
    if asked.send_initial and asked.bookmarks:
        yield _bookmark(asked.resource, version, initial=True)
    next_bookmark = time.monotonic() + _BOOKMARK_EVERY
    while not (cancelled and cancelled.is_set()):
        now = time.monotonic()
        if end is not None and now >= end:
            if asked.bookmarks:
                yield _bookmark(asked.resource, version)
            return
        with store.changed:
            if store.version <= version:
                store.changed.wait(_STEP if end is None else min(_STEP, end - now))
            try:
                changes = store.changes_after(version)
            except ApiError as error:
                yield {"type": "ERROR", "object": error.status}
                return
        for change in changes:
            version = change.version
            if change.resource is not asked.resource:
                continue
            if asked.namespace and change.obj["metadata"].get("namespace") != asked.namespace:
                continue
            event = _seen(change.kind, change.obj, change.before, asked.matches)
            if event is not None:
                yield event
        if asked.bookmarks and time.monotonic() >= next_bookmark:
            next_bookmark = time.monotonic() + _BOOKMARK_EVERY
            yield _bookmark(asked.resource, version)


def _seen(
    kind: str, obj: Object, before: Object | None, matches: Callable[[Object], bool]
) -> Object | None:
    """Return the event as this watch sees it: an object may come into or fall out of sight."""
    was = before is not None and matches(before)
    now = kind != "DELETED" and matches(obj)
    if now:
        return {"type": "MODIFIED" if was else "ADDED", "object": obj}
    if not was:
        return None
    version = obj["metadata"]["resourceVersion"]
    base = before if kind != "DELETED" and before is not None else obj
    gone = {**base, "metadata": {**base["metadata"], "resourceVersion": version}}
    return {"type": "DELETED", "object": gone}


def _bookmark(resource: Resource, version: int, *, initial: bool = False) -> Object:
    metadata: Object = {"resourceVersion": str(version), "creationTimestamp": None}
    if initial:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    return {
        "type": "BOOKMARK",
        "object": {
            "kind": resource.kind,
            "apiVersion": resource.api_version,
            "metadata": metadata,
        },
    }
