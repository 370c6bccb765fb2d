"""The objects of one cluster, and the log of their changes from which watches are served.

An own store and not `kmock`: kmock matches requests of one test's client to prepared answers and
keeps whatever object comes; what makes up this cluster (defaulting, strategic merge, apply,
controllers, watches from a resource version) would have to be written on top of it all the same.

Objects in the store are never changed in place: a writer puts a new one, a reader copies.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from k8swin_lab.kubernetes.errors import Object, expired
from k8swin_lab.kubernetes.resources import Resource

Key = tuple[str, str]
"""Namespace (empty for cluster-scoped objects) and name."""

_KEPT_CHANGES = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the log; `kind` is ADDED, MODIFIED or DELETED."""

    version: int
    kind: str
    resource: Resource
    obj: Object
    before: Object | None


class Store:
    """Objects by resource and key; `lock` guards all of it and `changed` wakes the watchers."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.version = 1
        self._objects: dict[Resource, dict[Key, Object]] = {}
        self._log: deque[Change] = deque(maxlen=_KEPT_CHANGES)
        self._oldest = 0

    def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        return self._objects.get(resource, {}).get((namespace, name))

    def objects(self, resource: Resource, namespace: str | None = None) -> list[Object]:
        """Return the objects in the order of the API: by namespace, then by name."""
        with self.lock:
            found = sorted(self._objects.get(resource, {}).items())
        return [obj for (where, _), obj in found if not namespace or where == namespace]

    def every(self) -> list[tuple[Resource, Object]]:
        with self.lock:
            return [(kind, obj) for kind, found in self._objects.items() for obj in found.values()]

    def put(self, resource: Resource, obj: Object) -> Object:
        """Add or replace an object; it gets the next resource version and is owned by the store."""
        with self.changed:
            metadata = obj["metadata"]
            key = (metadata.get("namespace", ""), metadata["name"])
            found = self._objects.setdefault(resource, {})
            before = found.get(key)
            self.version += 1
            metadata["resourceVersion"] = str(self.version)
            found[key] = obj
            self._record("MODIFIED" if before else "ADDED", resource, obj, before)
            return obj

    def remove(self, resource: Resource, namespace: str, name: str) -> Object:
        """Take an object out; returns its last state with the resource version of the removal."""
        with self.changed:
            before = self._objects[resource].pop((namespace, name))
            self.version += 1
            last = {
                **before,
                "metadata": {**before["metadata"], "resourceVersion": str(self.version)},
            }
            self._record("DELETED", resource, last, before)
            return last

    def _record(self, kind: str, resource: Resource, obj: Object, before: Object | None) -> None:
        if len(self._log) == _KEPT_CHANGES:
            self._oldest = self._log[0].version
        self._log.append(Change(self.version, kind, resource, obj, before))
        self.changed.notify_all()

    def changes_after(self, version: int) -> list[Change]:
        """Return what changed after a resource version.

        Raises:
            ApiError: the log no longer goes back that far (410 Expired).
        """
        with self.lock:
            if version < self._oldest:
                raise expired(version, self._oldest)
            if version >= self.version:
                return []
            found: list[Change] = []
            for change in reversed(self._log):
                if change.version <= version:
                    break
                found.append(change)
            found.reverse()
            return found
