"""Nodes, pods, services, events and workloads of a cluster as tables of typed values.

What can be chosen on the server is chosen there: namespace, labels, fields, the node of pods.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from k8swin_nb.cluster.api import ClusterApi, Listed
from k8swin_nb.cluster.columns import Columns
from k8swin_nb.cluster.kube_table import KubeTable, Source, state_of
from k8swin_nb.cluster.rows import (
    Known,
    PodRows,
    Row,
    event_row,
    known_of,
    node_row,
    service_row,
    workload_row,
)
from k8swin_nb.cluster.schema import SCHEMAS
from k8swin_nb.errors import ClusterError
from k8swin_nb.shown import names

__all__ = ["ClusterTables", "KubeTable", "Wanted", "nodes", "pods", "state_of"]

REFUSED = (403, 404)
"""Of what stands beside a table, these take only that away; all else is an error."""

NAMES_SECONDS = 15.0
"""How long names for completion count as new, and what asking for them may take."""

WORKLOADS = {
    "Deployment": "/apis/apps/v1/{}deployments",
    "StatefulSet": "/apis/apps/v1/{}statefulsets",
    "DaemonSet": "/apis/apps/v1/{}daemonsets",
    "Job": "/apis/batch/v1/{}jobs",
}

PATHS = {
    "nodes": {"Node": "/api/v1/nodes"},
    "pods": {"Pod": "/api/v1/{}pods"},
    "services": {"Service": "/api/v1/{}services"},
    "events": {"Event": "/api/v1/{}events"},
    "workloads": WORKLOADS,
}
"""By table, the kinds of its objects with the paths of their lists; `{}` stands for a namespace."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a table; empty: everything.

    Args:
        namespace: One namespace.
        labels: A selector such as `app=web,tier!=cache`.
        fields: A field selector such as `status.phase=Running`, of fields that the API server knows.
        node: Name of the node on which pods run, or of a node.
        name: Name of one object.
        os: `linux` or `windows`.
    """

    namespace: str = ""
    labels: str = ""
    fields: str = ""
    node: str = ""
    name: str = ""
    os: str = ""

    def paths(self, table: str) -> dict[str, str]:
        """Return the paths of a table's lists, by the kind of their objects."""
        space = f"namespaces/{quote(self.namespace, safe='')}/" if self.namespace else ""
        return {kind: path.format(space) for kind, path in PATHS[table].items()}

    def query(self, table: str) -> dict[str, str]:
        """Return the selectors that the API server is given."""
        fields = [self.fields.strip()] if self.fields.strip() else []
        if self.node:
            fields.append(
                f"{'metadata.name' if table == 'nodes' else 'spec.nodeName'}={_value(self.node)}"
            )
        if self.name:
            fields.append(f"metadata.name={_value(self.name)}")
        query = {"labelSelector": self.labels.strip(), "fieldSelector": ",".join(fields)}
        return {key: value for key, value in query.items() if value}

    def __str__(self) -> str:
        parts = (
            ("-n", self.namespace), ("-l", self.labels), ("--field-selector", self.fields),
            ("--node", self.node), ("--name", self.name), ("--os", self.os),
        )  # fmt: skip
        return " ".join(f"{option} {value}" for option, value in parts if value)


def _value(text: str) -> str:
    """Return a text as a value of a field selector."""
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


class ClusterTables:
    """The tables of one cluster, asked for at its API server.

    Args:
        api: What asks the server.
        cluster: What the description calls the cluster.
    """

    def __init__(self, api: ClusterApi, cluster: str = "") -> None:
        self.api = api
        self.cluster = cluster
        self._seen: dict[str, set[str]] = {"namespaces": set(), "nodes": set()}
        self._asked = 0.0
        self._asking = threading.Lock()

    def table(
        self,
        name: str,
        wanted: Wanted | None = None,
        *,
        wide: bool = True,
        cancel: threading.Event | None = None,
    ) -> KubeTable:
        """Return a table: `nodes`, `pods`, `services`, `events` or `workloads`.

        Args:
            name: Which one.
            wanted: What is wanted of it; None: everything.
            wide: With all columns, else with those that matter most.
            cancel: When it is set, asking is stopped.

        Raises:
            ClusterError: when the API server refuses, does not answer in time, or what it answers is no list.
            Stopped: when `cancel` was set.
        """
        wanted = wanted or Wanted()
        schema = SCHEMAS[name]
        columns = Columns(schema)
        told: list[str] = []
        nodes = self.known_nodes(wanted.node, told, cancel) if name == "pods" else {}
        listed = self._read(name, wanted, nodes, columns, told, cancel)
        plain = columns.frame(listed[0].asked)
        if name == "events":
            plain = plain.sort_values("LAST", kind="stable", ignore_index=True, na_position="first")
        if wanted.os and "OS" in plain:
            plain = plain[plain["OS"] == wanted.os].reset_index(drop=True)
        made = KubeTable(plain if wide else plain[list(schema.narrow)], copy=False)
        left = [one.left_out for one in listed]
        made.source = Source(
            table=name,
            cluster=self.cluster,
            server=self.api.server,
            asked=listed[0].asked,
            asked_for=str(wanted),
            left_out=None if None in left else sum(number or 0 for number in left),
            unread="; ".join(told),
        )
        self._learn(name, made)
        return made

    def _read(
        self,
        name: str,
        wanted: Wanted,
        nodes: dict[str, Known],
        columns: Columns,
        told: list[str],
        cancel: threading.Event | None,
    ) -> list[Listed]:
        """Fill a table's columns of all its lists; of several some may be refused."""
        paths = wanted.paths(name)
        found: list[Listed] = []
        refused: ClusterError | None = None
        for kind, path in paths.items():
            try:
                found.append(
                    self.api.objects(
                        path,
                        kind,
                        partial(_add, columns, row_maker(kind, nodes)),
                        again=columns.clear,
                        query=wanted.query(name),
                        cancel=cancel,
                    )
                )
            except ClusterError as error:
                if error.status not in REFUSED or len(paths) == 1:
                    raise
                refused = error
                told.append(unread(path, error))
        if not found and refused is not None:
            raise refused
        return found

    def known_nodes(
        self, node: str, told: list[str], cancel: threading.Event | None = None
    ) -> dict[str, Known]:
        """Return what tables of pods tell of nodes, by name; where nodes may not be read, nothing, and say so."""
        known: dict[str, Known] = {}
        wanted = Wanted(node=node)
        try:
            self.api.objects(
                wanted.paths("nodes")["Node"],
                "Node",
                lambda items: known.update(map(known_of, items)),
                again=known.clear,
                query=wanted.query("nodes"),
                cancel=cancel,
            )
        except ClusterError as error:
            if error.status not in REFUSED:
                raise
            told.append(f"of nodes nothing is known ({error.status} {error.reason})")
        return known

    def names(self, kind: str) -> list[str]:
        """Return the names of namespaces or nodes that are known, at once; what is older is asked for meanwhile."""
        now = time.monotonic()
        if now - self._asked > NAMES_SECONDS and self._asking.acquire(blocking=False):
            self._asked = now
            threading.Thread(target=self._ask_names, name="kube-names", daemon=True).start()
        return sorted(self._seen[kind])

    def _ask_names(self) -> None:
        """Ask for the names of namespaces and nodes; what is refused or takes long stays as it was."""
        try:
            for kind, of, path in (
                ("namespaces", "Namespace", "/api/v1/namespaces"),
                ("nodes", "Node", "/api/v1/nodes"),
            ):
                found: set[str] = set()
                with contextlib.suppress(Exception):  # nobody asked for it who could be told
                    self.api.objects(
                        path, of, lambda items, found=found: found.update(one.metadata.name for one in items),  # type: ignore[misc]
                        again=found.clear, seconds=NAMES_SECONDS,
                    )  # fmt: skip
                    self._seen[kind] = set(names([*found]))
        finally:
            self._asking.release()

    def _learn(self, name: str, made: KubeTable) -> None:
        """Take note of the names in a table."""
        for kind, column in (("namespaces", "NAMESPACE"), ("nodes", "NODE")):
            if column in made:
                self._seen[kind] = self._seen[kind] | set(made[column].dropna().unique())
        if name == "nodes":
            self._seen["nodes"] = self._seen["nodes"] | set(made["NAME"])


def unread(path: str, error: ClusterError) -> str:
    """Return what a caption says of a list that could not be read."""
    return f"not read: {path.rpartition('/')[2]} ({error.status} {error.reason})"


def nodes(api: ClusterApi, cancel: threading.Event | None = None) -> KubeTable:
    """Return the nodes of the cluster behind an API server; as `ClusterTables.table`."""
    return ClusterTables(api).table("nodes", cancel=cancel)


def pods(api: ClusterApi, namespace: str = "", cancel: threading.Event | None = None) -> KubeTable:
    """Return the pods of a namespace, or of all, of the cluster behind an API server; as `ClusterTables.table`."""
    return ClusterTables(api).table("pods", Wanted(namespace=namespace), cancel=cancel)


def _add(
    columns: Columns, make: Callable[[Iterable[Any]], list[Row]], items: Iterable[Any]
) -> None:
    columns.add(make(items))


def row_maker(kind: str, nodes: dict[str, Known]) -> Callable[[Iterable[Any]], list[Row]]:
    """Return what makes rows of the messages of a kind."""
    if kind == "Pod":
        return PodRows(nodes)
    one = {"Node": node_row, "Service": service_row, "Event": event_row}.get(kind)
    if one is not None:
        return lambda items: [one(item) for item in items]
    return lambda items: [workload_row(kind, item) for item in items]
