"""Which columns the tables of a cluster have, and of which type: the same for every cluster, also for empty results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Type = Literal["text", "name", "count", "amount", "time"]
"""Of a field: texts that come again and again, texts that are others in each row, whole numbers, numbers, moments."""

DTYPES: dict[str, str] = {
    "text": "string", "name": "string", "count": "Int64", "amount": "Float64",
    "time": "datetime64[us, UTC]", "age": "timedelta64[us]",
}  # fmt: skip
"""By type of a column, pandas' name of what holds it; `string` is the one of Python's texts, with `pd.NA`."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A table's fields as rows have them, and the columns that are made of them."""

    noun: str
    """What a row is, such as `pod`."""

    fields: dict[str, Type]
    """In the order of a row."""

    ages: dict[str, str]
    """Columns that say how long ago a moment was, by name, and the field of the moment."""

    columns: tuple[str, ...]
    """In the order of the table."""

    narrow: tuple[str, ...]
    """Columns that are shown where not all were asked for."""

    folded: tuple[tuple[str, str], ...] = ()
    """Columns that are shown as one, such as `1/2`."""

    ends: Mapping[str, str] = field(default_factory=dict)
    """Of columns of `ages`, the field of the moment with which they ended; where it is missing they go on."""

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell a row from all others."""
        return tuple(name for name in ("NAMESPACE", "KIND", "NAME") if name in self.columns)

    def dtypes(self) -> dict[str, str]:
        """Return the name of each column's type, in the order of the table."""
        return {
            name: DTYPES["age" if name in self.ages else self.fields[name]] for name in self.columns
        }


NODES = Schema(
    "node",
    {"NAME": "name", "STATUS": "text", "ROLES": "text", "CREATED": "time", "VERSION": "text", "INTERNAL-IP": "name",
     "EXTERNAL-IP": "name", "OS-IMAGE": "text", "KERNEL-VERSION": "text", "CONTAINER-RUNTIME": "text", "OS": "text",
     "BUILD": "count", "ARCH": "text", "CPU": "amount", "MEMORY": "count", "PODS": "count", "TAINTS": "text",
     "POD-CIDR": "text", "REASON": "text"},
    {"AGE": "CREATED"},
    ("NAME", "STATUS", "ROLES", "AGE", "VERSION", "INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION",
     "CONTAINER-RUNTIME", "OS", "BUILD", "ARCH", "CPU", "MEMORY", "PODS", "TAINTS", "POD-CIDR", "REASON", "CREATED"),
    ("NAME", "STATUS", "ROLES", "AGE", "VERSION", "OS", "BUILD", "REASON"),
)  # fmt: skip

PODS = Schema(
    "pod",
    {"NAMESPACE": "text", "NAME": "name", "READY": "count", "DESIRED": "count", "STATUS": "text", "RESTARTS": "count",
     "RESTARTED": "time", "CREATED": "time", "IP": "name", "NODE": "text", "NODE-STATUS": "text", "OS": "text",
     "BUILD": "count", "IMAGE": "text", "IMAGE-BUILD": "count", "NOMINATED-NODE": "text", "READINESS-GATES": "text",
     "OWNER": "text", "CPU": "amount", "MEMORY": "count"},
    {"AGE": "CREATED", "LAST-RESTART": "RESTARTED"},
    ("NAMESPACE", "NAME", "READY", "DESIRED", "STATUS", "RESTARTS", "LAST-RESTART", "AGE", "IP", "NODE", "NODE-STATUS",
     "OS", "BUILD", "IMAGE", "IMAGE-BUILD", "NOMINATED-NODE", "READINESS-GATES", "OWNER", "CPU", "MEMORY", "CREATED"),
    ("NAMESPACE", "NAME", "READY", "DESIRED", "STATUS", "RESTARTS", "AGE", "NODE", "OS", "BUILD", "IMAGE", "IMAGE-BUILD"),
    (("READY", "DESIRED"),),
)  # fmt: skip

SERVICES = Schema(
    "service",
    {"NAMESPACE": "text", "NAME": "name", "TYPE": "text", "CLUSTER-IP": "name", "EXTERNAL-IP": "text", "PORT(S)": "text",
     "CREATED": "time", "SELECTOR": "text"},
    {"AGE": "CREATED"},
    ("NAMESPACE", "NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR", "CREATED"),
    ("NAMESPACE", "NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"),
)  # fmt: skip

EVENTS = Schema(
    "event",
    {"NAMESPACE": "text", "LAST": "time", "TYPE": "text", "REASON": "text", "OBJECT": "name", "MESSAGE": "text",
     "SUBOBJECT": "text", "SOURCE": "text", "FIRST": "time", "COUNT": "count", "NAME": "name"},
    {"LAST-SEEN": "LAST", "FIRST-SEEN": "FIRST"},
    ("NAMESPACE", "LAST-SEEN", "TYPE", "REASON", "OBJECT", "SUBOBJECT", "SOURCE", "MESSAGE", "FIRST-SEEN", "COUNT",
     "NAME", "LAST", "FIRST"),
    ("NAMESPACE", "LAST-SEEN", "TYPE", "REASON", "OBJECT", "COUNT", "MESSAGE"),
)  # fmt: skip

WORKLOADS = Schema(
    "workload",
    {"NAMESPACE": "text", "KIND": "text", "NAME": "name", "READY": "count", "DESIRED": "count", "CURRENT": "count",
     "UP-TO-DATE": "count", "AVAILABLE": "count", "STATUS": "text", "STARTED": "time", "FINISHED": "time", "CREATED": "time",
     "OS": "text", "CONTAINERS": "text", "IMAGES": "text", "SELECTOR": "text", "NODE-SELECTOR": "text"},
    {"AGE": "CREATED", "DURATION": "STARTED"},
    ("NAMESPACE", "KIND", "NAME", "READY", "DESIRED", "CURRENT", "UP-TO-DATE", "AVAILABLE", "STATUS", "DURATION", "AGE", "OS",
     "CONTAINERS", "IMAGES", "SELECTOR", "NODE-SELECTOR", "CREATED"),
    ("NAMESPACE", "KIND", "NAME", "READY", "DESIRED", "UP-TO-DATE", "AVAILABLE", "STATUS", "AGE", "OS", "IMAGES"),
    (("READY", "DESIRED"),),
    {"DURATION": "FINISHED"},
)  # fmt: skip

SCHEMAS = {"nodes": NODES, "pods": PODS, "services": SERVICES, "events": EVENTS, "workloads": WORKLOADS}  # fmt: skip
"""By the name of the table."""
