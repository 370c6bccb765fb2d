"""What ought to reach what in a cluster, and what was found: the cells of the connectivity matrix.

Rows are where a connection begins, columns where it leads. This module decides what is tried and what an
answer means; it runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from k8swin_nb.description import Description
from k8swin_nb.reading import address, lines, whole

OPERATOR = "this computer"
CLUSTER_NAME = "kubernetes.default.svc.cluster.local"
TRIES = 3
"""Connections to a Service: each may be led to another pod, so one alone proves little."""

NODE_PORT_LIMITATION = "Windows does not lead a node's own node ports back to it"
SERVICE_LIMITATION = "a Windows host, other than its pods, has no way to Services"

CURL_SAYS = {
    6: "the name was not found",
    7: "the connection was refused",
    22: "the answer was an HTTP error",
    28: "no answer in time",
    52: "the connection was closed without an answer",
    56: "the connection broke",
}
"""Exit codes of a curl that was told to be silent."""


TIMED_OUT = 124
"""Exit code of `timeout` when it had to end a command."""


class CellState(StrEnum):
    """How a cell of the matrix ended."""

    PASS = "pass"  # noqa: S105 - a word of the matrix
    FAIL = "fail"
    LIMITATION = "known limitation"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Node:
    """A node as the API server lists it."""

    name: str
    address: str
    os: str
    ready: bool


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that answers web requests on port 80 and in which commands can be run."""

    name: str
    node: str
    address: str


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to verify."""

    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]
    """The first Ready one of each node."""

    service: str
    node_port: int
    external: str
    resolves: bool
    """Whether the control plane's host itself finds the external name."""

    connects: bool
    """Whether it gets a connection there."""

    master: str
    image: str = ""
    """Of the test app."""

    def pod_on(self, node: str) -> Pod | None:
        """Return the pod of a node."""
        return next((pod for pod in self.pods if pod.node == node), None)


@dataclass(frozen=True, slots=True)
class Row:
    """Where connections begin: this computer, a node's host, or a pod."""

    kind: str
    """`operator`, `host` or `pod`."""

    node: str = ""
    os: str = ""
    pod: str = ""

    @property
    def label(self) -> str:
        """The row's heading."""
        if self.kind == "operator":
            return OPERATOR
        return self.node if self.kind == "host" else f"{self.os} pod on {self.node}"

    @property
    def group(self) -> str:
        """What this and its like are called together."""
        if self.kind == "operator":
            return OPERATOR
        return f"{self.os} hosts" if self.kind == "host" else f"{self.os} pods"


@dataclass(frozen=True, slots=True)
class Column:
    """Where connections lead."""

    kind: str
    """`pod`, `service`, `node-port`, `dns`, `external-dns`, `external` or `kubelet`."""

    label: str
    node: str = ""

    @property
    def group(self) -> str:
        """What this and its like are called together."""
        return {"node-port": "NodePorts", "kubelet": "logs, exec"}.get(self.kind, self.label)


@dataclass(frozen=True, slots=True)
class Probe:
    """One connection to try."""

    kind: str
    """`http`, `resolve`, `connect`, `logs` or `exec`."""

    target: str


@dataclass(frozen=True, slots=True)
class Answer:
    """How one connection ended."""

    code: int
    command: str
    said: str


@dataclass(slots=True)
class Cell:
    """One cell: from where to where, what was tried, and how it ended."""

    row: Row
    column: Column
    probes: tuple[Probe, ...] = ()
    reason: str = ""
    """Why it is skipped, or why it may fail."""

    may_fail: bool = False
    state: CellState = CellState.SKIPPED
    commands: list[str] = field(default_factory=list)
    evidence: str = ""

    def record(self) -> dict[str, str]:
        """Return the cell as it is kept in the record and shown in tables."""
        return {
            "from": self.row.label,
            "from_kind": self.row.group,
            "to": self.column.label,
            "to_kind": self.column.group,
            "state": self.state.value,
            "evidence": self.evidence,
            "command": "; ".join(dict.fromkeys(self.commands)),
            "reason": self.reason,
        }


def external_name(description: Description) -> str:
    """Return a name outside the cluster: the given one, or the registry of the cluster's images."""
    if description.test_external_name:
        return description.test_external_name
    host = description.image_repository.partition("/")[0].partition(":")[0]
    is_name = "." in host and not host.replace(".", "").isdigit()
    return host if is_name else "registry.k8s.io"


NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
"""What nodes, pods and names in DNS are called; anything else is no word for a command."""


def _is(name: str, place: str) -> bool:
    return bool(NAME.fullmatch(name) and address(place))


def parse_found(text: str, master: str) -> Found:
    """Read what `linux/verify_facts.check.sh` prints; a line of another form is passed over."""
    nodes: list[Node] = []
    pods: dict[str, Pod] = {}
    service, node_port, external, resolves, connects, image = "", 0, "", False, False, ""
    for line in lines(text):
        kind, *words = line.split() or [""]
        match kind, words:
            case "node", [name, place, "linux" | "windows" as system, ready] if _is(name, place):
                if name not in {node.name for node in nodes}:
                    nodes.append(Node(name, place, system, ready == "True"))
            case "pod", [name, node_name, place, "True"] if _is(name, place) and NAME.fullmatch(
                node_name
            ):
                pods.setdefault(node_name, Pod(name, node_name, place))
            case "service", [place, port] if address(place):
                service, node_port = place, whole(port) or 0
            case "external", [name, found, connected] if NAME.fullmatch(name):
                external, resolves, connects = name, found == "yes", connected == "yes"
            case "image", [name]:
                image = name
    # The control plane first, then as kubectl lists them.
    nodes.sort(key=lambda node: node.name != master)
    return Found(
        nodes=tuple(nodes),
        pods=tuple(pods.values()),
        service=service,
        node_port=node_port,
        external=external,
        resolves=resolves,
        connects=connects,
        master=master,
        image=image,
    )


def rows(found: Found) -> list[Row]:
    """Return where connections begin: this computer, every node's host, and a pod on every node."""
    hosts = [Row("host", node.name, node.os) for node in found.nodes]
    inside = []
    for node in found.nodes:
        pod = found.pod_on(node.name)
        inside.append(Row("pod", node.name, node.os, pod.name if pod else ""))
    return [Row("operator"), *hosts, *inside]


def columns(found: Found) -> list[Column]:
    """Return where connections lead."""
    return [
        Column("pod", "pods on other nodes"),
        Column("service", f"ClusterIP {found.service}"),
        *(Column("node-port", f"NodePort of {node.name}", node.name) for node in found.nodes),
        Column("dns", "cluster DNS"),
        Column("external-dns", f"DNS {found.external}"),
        Column("external", f"{found.external}:443"),
        *(Column("kubelet", f"logs, exec on {node.name}", node.name) for node in found.nodes),
    ]


def plan_cells(found: Found) -> list[Cell]:
    """Return every cell of the matrix with what is to be tried, or why nothing is."""
    return [_plan(found, row, column) for row in rows(found) for column in columns(found)]


def _plan(found: Found, row: Row, column: Column) -> Cell:
    cell = Cell(row, column)
    if row.kind == "pod" and not row.pod:
        cell.reason = f"no pod of the test app is Ready on {row.node}"
        return cell
    tried = {
        "pod": _to_pods,
        "service": _to_service,
        "node-port": _to_node_port,
        "kubelet": _to_kubelet,
    }.get(column.kind, _to_names)(found, row, column)
    if isinstance(tried, str):
        cell.reason = tried
    else:
        cell.probes = tuple(tried)
        cell.reason = _limitation(row, column)
        cell.may_fail = bool(cell.reason)
    return cell


def _to_pods(found: Found, row: Row, column: Column) -> str | list[Probe]:
    if row.kind == "operator":
        return "pod addresses are known inside the cluster only"
    others = [pod for pod in found.pods if pod.node != row.node]
    if not others:
        return "no other node has a pod of the test app"
    return [Probe("http", f"{pod.address}:80") for pod in others]


def _to_service(found: Found, row: Row, column: Column) -> str | list[Probe]:
    if row.kind == "operator":
        return "cluster addresses are known inside the cluster only"
    return [Probe("http", f"{found.service}:80")] * TRIES


def _to_node_port(found: Found, row: Row, column: Column) -> str | list[Probe]:
    node = next(node for node in found.nodes if node.name == column.node)
    return [Probe("http", f"{node.address}:{found.node_port}")] * TRIES


def _to_kubelet(found: Found, row: Row, column: Column) -> str | list[Probe]:
    if not (row.kind == "host" and row.node == found.master):
        return "the API server asks the kubelet, see the control plane's row"
    pod = found.pod_on(column.node)
    if pod is None:
        return f"no pod of the test app is Ready on {column.node}"
    system = next(node.os for node in found.nodes if node.name == column.node)
    return [Probe("logs", pod.name), Probe("exec", f"{pod.name} {system}")]


def _to_names(found: Found, row: Row, column: Column) -> str | list[Probe]:
    if row.kind != "pod":
        return "only pods are given the cluster's DNS and its way out"
    if column.kind == "dns":
        return [Probe("resolve", CLUSTER_NAME)]
    if not found.resolves:
        return f"the control plane's host finds no {found.external} either"
    if column.kind == "external-dns":
        return [Probe("resolve", found.external)]
    if not found.connects:
        return f"the control plane's host gets no connection to {found.external} either"
    return [Probe("connect", f"{found.external}:443")]


def _limitation(row: Row, column: Column) -> str:
    if row.os != "windows":
        return ""
    if column.kind == "node-port" and column.node == row.node:
        return NODE_PORT_LIMITATION
    if column.kind == "service" and row.kind == "host":
        return SERVICE_LIMITATION
    return ""


def parse_answers(text: str) -> list[Answer]:
    """Read the lines of a connecting script: exit code, command and what was said, between tabs."""
    answers = []
    for line in lines(text):
        parts = line.split("\t", 2)
        code = whole(parts[0])
        if len(parts) == 3 and code is not None:
            said = parts[2].strip()
            if code == TIMED_OUT and not said:
                said = "no answer in time"
            elif code and not said and "curl" in parts[1]:
                said = CURL_SAYS.get(code, f"curl ended with {code}")
            answers.append(Answer(code, parts[1], said))
    return answers


def judge(cell: Cell, answers: Sequence[Answer]) -> None:
    """Set a cell's state by the answers to its probes."""
    cell.commands = [answer.command for answer in answers if answer.command]
    if any(not answer.command for answer in answers):
        cell.state, cell.reason = CellState.SKIPPED, answers[0].said
        return
    failed = [
        answer
        for probe, answer in zip(cell.probes, answers, strict=True)
        if not _reached(probe, answer)
    ]
    if not failed:
        cell.state = CellState.PASS
        cell.evidence = _summary(answers)
        return
    cell.state = CellState.LIMITATION if cell.may_fail else CellState.FAIL
    what = failed[0].said or f"exit code {failed[0].code}"
    cell.evidence = f"{len(failed)} of {len(answers)} failed: {what}"
    # The command that failed is the one to repeat by hand.
    cell.commands = [answer.command for answer in failed]


def _reached(probe: Probe, answer: Answer) -> bool:
    if answer.code == 0:
        return True
    if probe.kind == "exec" and "unable to start container process" in answer.said:
        return True  # the kubelet was reached, and the image has no such program
    # agnhost looks a name up only to connect to it; what it says else than DNS, the name was found.
    found = ("TIMEOUT", "REFUSED", "OTHER")
    return probe.kind == "resolve" and answer.said.startswith(found)


def _summary(answers: Iterable[Answer]) -> str:
    said = list(dict.fromkeys(answer.said for answer in answers if answer.said))
    return ", ".join(said[:3]) or "connected"


def next_action(cell: Cell) -> str:
    """Return what to do about a cell that fails."""
    kind, where = cell.column.kind, cell.row.node
    if kind == "pod":
        return (
            "look for the route to the other node's pods, and for anti-spoofing of its virtual "
            "machine: run 01_network"
        )
    if kind in ("service", "node-port"):
        node = cell.column.node or where
        return f"look at kube-proxy on {node} and at the Service's endpoints"
    if kind in ("dns", "external-dns"):
        return "look at CoreDNS: `kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide`"
    if kind == "kubelet":
        return f"open TCP port 10250 of {cell.column.node} for the control plane"
    return f"look at how {where} lets its pods out: address translation, proxy, firewall"


def retried(cells: Iterable[Cell]) -> list[Cell]:
    """Return the cells that are worth another try: what fails and should not."""
    return [cell for cell in cells if cell.state is CellState.FAIL]
