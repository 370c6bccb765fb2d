"""Events: what controllers and kubelets report, counted when they repeat."""

from __future__ import annotations

import copy
import uuid
from typing import TYPE_CHECKING

from k8swin_lab.kubernetes import timestamps
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.naming import suffix
from k8swin_lab.kubernetes.resources import named

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster


def new_event(
    about: Object,
    reason: str,
    message: str,
    *,
    now: str,
    component: str,
    host: str,
    warning: bool,
    field: str,
) -> Object:
    """Return an Event as a client makes it; what the API server adds is not in it."""
    metadata = about["metadata"]
    namespace = metadata.get("namespace") or "default"
    involved = {
        "kind": about["kind"],
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "uid": metadata.get("uid", ""),
        "apiVersion": about["apiVersion"],
        "resourceVersion": metadata.get("resourceVersion", ""),
        "fieldPath": field,
    }
    source = {"component": component, "host": host}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{suffix(16)}", "namespace": namespace},
        "involvedObject": {name: value for name, value in involved.items() if value},
        "reason": reason,
        "message": message,
        "source": {name: value for name, value in source.items() if value},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        "type": "Warning" if warning else "Normal",
    }


class Recorder:
    """Writes Event objects; the same event again raises its count."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

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
        """Record an event about an object."""
        store, metadata = self.cluster.store, about["metadata"]
        namespace = metadata.get("namespace") or "default"
        now = timestamps.rfc3339(self.cluster.clock())
        events = named("events")
        with store.lock:
            if store.get(named("namespaces"), "", namespace) is None:
                return
            for event in store.objects(events, namespace):
                if (
                    event["involvedObject"].get("uid") == metadata.get("uid")
                    and event["reason"] == reason
                    and event["message"] == message
                    and event["involvedObject"].get("fieldPath", "") == field
                ):
                    again = copy.deepcopy(event)
                    again["count"] = event.get("count", 1) + 1
                    again["lastTimestamp"] = now
                    store.put(events, again)
                    return
            event = new_event(
                about,
                reason,
                message,
                now=now,
                component=component,
                host=host,
                warning=warning,
                field=field,
            )
            event["metadata"] |= {"uid": str(uuid.uuid4()), "creationTimestamp": now}
            event |= {
                "eventTime": None,
                "reportingComponent": component,
                "reportingInstance": host,
            }
            store.put(events, event)
