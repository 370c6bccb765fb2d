"""Nodes and pods as DataFrames with kubectl's columns, and their state in words and colour."""

from __future__ import annotations

import threading
from urllib.parse import quote

from k8swin_nb.cluster.api import ApiTable, ClusterApi
from k8swin_nb.shown import cell, shown_line
from k8swin_nb.tables import Mark, State
from k8swin_nb.tables.frames import ShownFrame

WAITING = (
    "Pending",
    "ContainerCreating",
    "Terminating",
    "PodInitializing",
    "SchedulingDisabled",
    "Init:",
)
FINE = ("Ready", "Running", "Completed", "Succeeded")


def state_of(status: str) -> State:
    """Classify the STATUS that the API server gives: `Ready`, `Pending`, `CrashLoopBackOff`, ..."""
    if any(word in status for word in WAITING):
        return "waiting"
    return "ok" if status in FINE else "failed"


class KubeTable(ShownFrame):
    """A DataFrame whose STATUS shows its state; every operation gives a KubeTable again."""

    def _mark(self, column: str, value: str) -> Mark | None:
        return Mark(value, state_of(value)) if column == "STATUS" else None


def counted(number: int, noun: str) -> str:
    """Return `1 node`, `2 nodes`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _frame(table: ApiTable, caption: str, *, namespaced: bool) -> KubeTable:
    frame = KubeTable.of(table.rows, columns=[shown_line(name) for name in table.columns])
    if namespaced:
        frame.insert(0, "NAMESPACE", [cell(name) for name in table.namespaces])
    frame.caption = caption
    return frame


def _counted(table: ApiTable, noun: str) -> str:
    """Return how many there are; where not all were read, how many of how many."""
    read = counted(len(table.rows), noun)
    if table.left_out == 0:
        return read
    total = "more" if table.left_out is None else str(len(table.rows) + table.left_out)
    return f"the first {len(table.rows)} of {total} {noun}s"


def nodes(api: ClusterApi, cancel: threading.Event | None = None) -> KubeTable:
    """Return the nodes with the columns of `kubectl get nodes -o wide`, a row each."""
    table = api.table("/api/v1/nodes", cancel=cancel)
    return _frame(table, _counted(table, "node"), namespaced=False)


def pods(api: ClusterApi, namespace: str = "", cancel: threading.Event | None = None) -> KubeTable:
    """Return pods with the columns of `kubectl get pods -o wide`, a row each.

    Of a very large cluster it is the first some thousand, and the caption says of how many.

    Args:
        api: The cluster.
        namespace: One namespace; empty for all, with NAMESPACE as the first column.
        cancel: When it is set, asking is stopped.
    """
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods" if namespace else "/api/v1/pods"
    table = api.table(path, cancel=cancel)
    where = f"in {namespace}" if namespace else "in all namespaces"
    return _frame(table, f"{_counted(table, 'pod')} {where}", namespaced=not namespace)
