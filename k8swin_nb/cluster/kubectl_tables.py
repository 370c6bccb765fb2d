"""Nodes and pods as DataFrames with kubectl's columns, and their state in words and colour."""

from __future__ import annotations

import html
from typing import Any, Literal

import pandas as pd

from k8swin_nb.cluster.api import ApiTable, ClusterApi

State = Literal["ok", "waiting", "failed"]

WAITING = (
    "Pending",
    "ContainerCreating",
    "Terminating",
    "PodInitializing",
    "SchedulingDisabled",
    "Init:",
)
FINE = ("Ready", "Running", "Completed", "Succeeded")
MARKS: dict[State, tuple[str, str]] = {
    "ok": ("✓", "#1a7f37"),
    "waiting": ("●", "#9a6700"),
    "failed": ("✗", "#cf222e"),
}
"""A glyph and a colour for each state; the API server's own word always stands beside them."""


def state_of(status: str) -> State:
    """Classify the STATUS that the API server gives: `Ready`, `Pending`, `CrashLoopBackOff`, ..."""
    if any(word in status for word in WAITING):
        return "waiting"
    return "ok" if status in FINE else "failed"


class KubeTable(pd.DataFrame):
    """A DataFrame whose STATUS shows its state; every operation gives a KubeTable again."""

    _metadata = ["caption"]  # noqa: RUF012 - pandas' own protocol
    caption: str

    @property
    def _constructor(self) -> Any:
        return KubeTable

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col" style="text-align:left">{html.escape(str(name))}</th>'
            for name in self.columns
        )
        body = []
        for row in self.itertuples(index=False, name=None):
            cells = []
            for name, value in zip(self.columns, row, strict=True):
                text = html.escape(str(value))
                if name == "STATUS":
                    mark, colour = MARKS[state_of(str(value))]
                    cells.append(
                        f'<td style="color:{colour};text-align:left;white-space:nowrap">'
                        f"<b>{mark} {text}</b></td>"
                    )
                else:
                    cells.append(f'<td style="text-align:left">{text}</td>')
            body.append(f"<tr>{''.join(cells)}</tr>")
        caption = html.escape(getattr(self, "caption", "") or "")
        return (
            f'<table><caption style="text-align:left">{caption}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
        )


def counted(number: int, noun: str) -> str:
    """Return `1 node`, `2 nodes`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _frame(table: ApiTable, caption: str, *, namespaced: bool) -> KubeTable:
    frame = KubeTable(list(table.rows), columns=list(table.columns))
    if namespaced:
        frame.insert(0, "NAMESPACE", list(table.namespaces))
    frame.caption = caption
    return frame


def nodes(api: ClusterApi) -> KubeTable:
    """Return the nodes with the columns of `kubectl get nodes -o wide`, a row each."""
    table = api.table("/api/v1/nodes")
    return _frame(table, counted(len(table.rows), "node"), namespaced=False)


def pods(api: ClusterApi, namespace: str = "") -> KubeTable:
    """Return pods with the columns of `kubectl get pods -o wide`, a row each.

    Args:
        api: The cluster.
        namespace: One namespace; empty for all, with NAMESPACE as the first column.
    """
    path = f"/api/v1/namespaces/{namespace}/pods" if namespace else "/api/v1/pods"
    table = api.table(path)
    where = f"in {namespace}" if namespace else "in all namespaces"
    return _frame(table, f"{counted(len(table.rows), 'pod')} {where}", namespaced=not namespace)
