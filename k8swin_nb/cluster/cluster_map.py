"""The map of a cluster: which pods are on which node, and which Service is answered by whom, in SVG and in words.

Pods of one workload are one field of their node; a Service leads to the nodes on which pods answer it. What is wrong is
drawn first, so that it is never among what a large cluster's picture leaves out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from k8swin_nb.shown import shown_line
from k8swin_nb.tables import Mark, State
from k8swin_nb.tables.palette import LOOKS
from k8swin_nb.tables.picture import FAINT, INK, Picture, box, breadth, words

MOST_NODES, MOST_SERVICES, MOST_FIELDS = 24, 24, 18
"""What is drawn at most: nodes, Services, and workloads of a node."""

MOST_WORDS = 400
"""Lines of the text."""

MOST_LINES = 40
"""Lines between Services and nodes; where there are more, the Services' numbers alone say who answers."""

WIDTH, LEFT, SERVICE, NODE = 980, 16, 330, 480
"""Pixels: of the whole, where Services begin, how wide they are, and where nodes begin."""

LINE, FIELD, GAP = 17, 24, 6

HUES = ("#0969da", "#8250df", "#953800", "#1a7f37", "#bf3989", "#57606a")
"""Colours of Services, in turn; each has its number, too."""

_MADE = re.compile(
    r"-[bcdfghjklmnpqrstvwxz2456789]{5,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$"
    r"|-[bcdfghjklmnpqrstvwxz2456789]{5}$|-\d{1,4}$"
)
"""What controllers add to their pods' names: Kubernetes' safe letters, or a number."""


@dataclass(frozen=True, slots=True)
class MapNode:
    """A node: its name, system, STATUS as kubectl prints it, and address."""

    name: str
    os: str
    status: str
    address: str


@dataclass(frozen=True, slots=True)
class MapPod:
    """A pod: where it is, STATUS as kubectl prints it, and whether it is ready."""

    namespace: str
    name: str
    node: str
    status: str
    ready: bool


@dataclass(frozen=True, slots=True)
class MapService:
    """A Service, and the pods that answer for it: by namespace and name."""

    namespace: str
    name: str
    type: str
    address: str
    ports: str
    answering: frozenset[tuple[str, str]] = frozenset()
    unready: frozenset[tuple[str, str]] = frozenset()
    """Pods behind it that are not ready, so that nothing is sent to them."""

    elsewhere: tuple[str, ...] = ()
    """Addresses that answer and are no pods: the API server's, or what somebody entered by hand."""

    @property
    def label(self) -> str:
        """Namespace and name."""
        return f"{self.namespace}/{self.name}"


@dataclass(slots=True)
class Group:
    """The pods of one workload on one node."""

    label: str
    pods: list[MapPod] = field(default_factory=list)
    services: list[int] = field(default_factory=list)

    @property
    def state(self) -> State:
        """The worst of its pods."""
        return max((pod_state(pod) for pod in self.pods), key=_SEVERITY.index)

    @property
    def text(self) -> str:
        """What its field says."""
        return self.name + self.told

    @property
    def name(self) -> str:
        """The first part of that: a mark and the workload."""
        return f"{LOOKS[self.state].glyph} {self.label}"

    @property
    def told(self) -> str:
        """The second part: how many, and what is wrong with them."""
        many = f" x{len(self.pods)}" if len(self.pods) > 1 else ""
        wrong = Counter(
            "not ready" if pod.status == "Running" else pod.status
            for pod in self.pods
            if pod_state(pod) in ("waiting", "failed")
        )
        told = "".join(f", {count} {status}" for status, count in wrong.most_common(2))
        return f"{many}{told}"


_SEVERITY: tuple[State, ...] = ("skipped", "ok", "waiting", "failed")


def pod_state(pod: MapPod) -> State:
    """Return a pod's state in the palette."""
    if pod.status in ("Completed", "Succeeded"):
        return "skipped"
    if pod.ready and pod.status == "Running":
        return "ok"
    waiting = ("Pending", "ContainerCreating", "PodInitializing", "Running", "Terminating")
    return "waiting" if pod.status in waiting or pod.status.startswith("Init:") else "failed"


def node_state(node: MapNode) -> State:
    """Return a node's state in the palette."""
    if node.status == "Ready":
        return "ok"
    return "waiting" if node.status.startswith("Ready,") else "failed"


def workload(pod: MapPod) -> str:
    """Return what a pod belongs to, by its name: without what its controller or its node added."""
    name = pod.name.removesuffix(f"-{pod.node}")
    return f"{pod.namespace}/{_MADE.sub('', name) or name}"


class ClusterMap(Picture):
    """A drawing of nodes, pods and Services; text for readers without pictures.

    Args:
        nodes: In the order in which they are to stand.
        pods: Of all namespaces that are wanted.
        services: Likewise; the first is number 1.
        caption: When and from where.
    """

    def __init__(
        self,
        nodes: Iterable[MapNode],
        pods: Iterable[MapPod],
        services: Iterable[MapService],
        caption: str = "",
    ) -> None:
        self.caption = caption
        self.pods = list(pods)
        known = list(nodes)
        names = {node.name for node in known}
        homeless = {pod.node for pod in self.pods} - names
        # Pods that no node has yet, and pods of nodes that are gone.
        known += [
            MapNode(name, "", "no such node" if name else "", "") for name in sorted(homeless)
        ]
        self.nodes = known
        self.services = sorted(services, key=lambda one: bool(one.answering or one.elsewhere))
        """Those that nobody answers come first."""
        self.groups = self._grouped()
        self.nodes.sort(key=self._rank)

    def _grouped(self) -> dict[str, list[Group]]:
        behind: dict[tuple[str, str], list[int]] = {}
        for number, service in enumerate(self.services, 1):
            for name in service.answering | service.unready:
                behind.setdefault(name, []).append(number)
        groups: dict[tuple[str, str], Group] = {}
        for pod in self.pods:
            label = workload(pod)
            group = groups.setdefault((pod.node, label), Group(label))
            group.pods.append(pod)
            for number in behind.get((pod.namespace, pod.name), ()):
                if number not in group.services:
                    group.services.append(number)
        by_node: dict[str, list[Group]] = {}
        for (node, _), group in groups.items():
            by_node.setdefault(node, []).append(group)
        for found in by_node.values():
            found.sort(key=lambda one: (-_SEVERITY.index(one.state), not one.services, one.label))
        return by_node

    def _rank(self, node: MapNode) -> tuple[int, int]:
        """Return a node's place: those that are not ready come first, then those with the worst pods."""
        own = len(_SEVERITY) - _SEVERITY.index(node_state(node))
        worst = max((_SEVERITY.index(group.state) for group in self._on(node)), default=0)
        return own, len(_SEVERITY) - max(worst, _SEVERITY.index("ok"))

    def _on(self, node: MapNode) -> list[Group]:
        return self.groups.get(node.name, [])

    def counted(self) -> str:
        """Return how many nodes, pods and Services there are."""
        real = [node for node in self.nodes if node.os or node.address]
        ready = sum(node_state(node) == "ok" for node in real)
        running = sum(pod_state(pod) == "ok" for pod in self.pods)
        finished = sum(pod_state(pod) == "skipped" for pod in self.pods)
        done = f", {finished} completed" if finished else ""
        return (
            f"{ready} of {len(real)} nodes ready, {running} of {len(self.pods)} pods ready{done}, "
            f"{len(self.services)} Services"
        )

    def __repr__(self) -> str:
        lines = [f"Map of the cluster: {self.counted()}"]
        lines += [self.caption] if self.caption else []
        where = {(pod.namespace, pod.name): pod.node for pod in self.pods}
        most = MOST_WORDS // 2
        for number, service in enumerate(self.services[:most], 1):
            lines.append(
                f"{number} {service.label} {service.type} {service.address} {service.ports}: "
                f"{_answers(service, where)}"
            )
        if len(self.services) > most:
            lines.append(f"... {len(self.services) - most} more Services")
        for node in self.nodes:
            lines.append(_node_line(node, self._on(node)))
            for group in self._on(node):
                names = ", ".join(pod.name for pod in group.pods[:10])
                more = f" and {len(group.pods) - 10} more" if len(group.pods) > 10 else ""
                states = Counter(pod.status for pod in group.pods)
                told = ", ".join(f"{count} {status}" for status, count in states.items())
                answers = (
                    f"; behind Service {', '.join(map(str, group.services))}"
                    if group.services
                    else ""
                )
                lines.append(f"  {group.text} ({told}): {names}{more}{answers}")
        if len(lines) > MOST_WORDS:
            left = len(lines) - MOST_WORDS
            lines = [*lines[:MOST_WORDS], f"... {left} more lines; `pods()` has all"]
        return "\n".join(lines)

    def _drawing(self) -> tuple[int, int, list[str]]:
        parts = [words(LEFT, 24, f"{self.counted()}", bold=True)]
        if self.caption:
            parts.append(words(LEFT, 42, self.caption, fill=FAINT))
        top = 58
        drawn: dict[str, float] = {}
        nodes: list[str] = []
        y: float = top
        for node in self.nodes[:MOST_NODES]:
            drawn[node.name] = y
            shapes, height = self._node(node, y)
            nodes += shapes
            y += height + 10
        if rest := self.nodes[MOST_NODES:]:
            pods = sum(len(group.pods) for node in rest for group in self._on(node))
            nodes.append(
                words(NODE, y + 12, f"... {len(rest)} more nodes with {pods} pods", fill=FAINT)
            )
            y += 24
        below = top
        services: list[str] = []
        lines: list[str] = []
        where = {(pod.namespace, pod.name): pod.node for pod in self.pods}
        for number, service in enumerate(self.services[:MOST_SERVICES], 1):
            services += _service(number, service, below, where)
            lines += _lines(number, service, below, where, drawn)
            below += 2 * LINE + 20
        if rest_of := self.services[MOST_SERVICES:]:
            services.append(
                words(LEFT, below + 12, f"... {len(rest_of)} more Services", fill=FAINT)
            )
            below += 24
        if len(lines) > MOST_LINES:
            lines = []
            services.append(words(LEFT, below + 12, "who answers: by the numbers", fill=FAINT))
            below += 24
        # Lines lie below what they join.
        return WIDTH, int(max(y, below)) + 8, [*parts, *lines, *services, *nodes]

    def _node(self, node: MapNode, y: float) -> tuple[list[str], float]:
        look = LOOKS[node_state(node)] if node.name else LOOKS["waiting"]
        groups = self._on(node)
        fields: list[str] = []
        x, row = NODE + 10.0, y + 30.0
        for group in groups[:MOST_FIELDS]:
            badges = "".join(f" {_badge(number)}" for number in group.services[:4])
            wide = min(WIDTH - NODE - 30, breadth(group.text) + breadth(badges) * 1.1 + 16)
            if x + wide > WIDTH - 20 and x > NODE + 10:
                x, row = NODE + 10.0, row + FIELD + GAP
            fields += _field(group, x, row, wide)
            x += wide + GAP
        if len(groups) > MOST_FIELDS:
            row += FIELD + GAP
            pods = sum(len(group.pods) for group in groups[MOST_FIELDS:])
            more = f"... {len(groups) - MOST_FIELDS} more workloads with {pods} pods"
            fields.append(words(NODE + 10, row + 12, more, fill=FAINT))
        height = (row + FIELD + 8 - y) if groups else 30
        edge = box(NODE, y, WIDTH - NODE - 10, height, fill="#ffffff", stroke=look.ink, thick=2)
        first, told = _node_words(node, groups)
        room = WIDTH - NODE - 30
        head = words(NODE + 10, y + 19, first, bold=True, room=room, tail=told)
        return [edge, head, *fields], height


def _node_line(node: MapNode, groups: Sequence[Group]) -> str:
    return "".join(_node_words(node, groups))


def _node_words(node: MapNode, groups: Sequence[Group]) -> tuple[str, str]:
    """Return a node's mark and name, and what is said of it."""
    pods = sum(len(group.pods) for group in groups)
    counted = "1 pod" if pods == 1 else f"{pods} pods"
    if not node.name:
        return f"{LOOKS['waiting'].glyph} on no node yet", f": {counted}"
    said = [shown_line(part)[:30] for part in (node.os, node.status, node.address, counted) if part]
    return f"{LOOKS[node_state(node)].glyph} {node.name}", "".join(f" · {part}" for part in said)


def _answers(service: MapService, where: dict[tuple[str, str], str]) -> str:
    """Return who answers a Service."""
    if service.type == "ExternalName":
        return f"another name for {service.address or 'a name elsewhere'}"
    if not service.answering and service.elsewhere:
        return f"✓ answered by {', '.join(service.elsewhere[:3])}"
    ready = len(service.answering)
    waiting = f", {len(service.unready)} not ready" if service.unready else ""
    if not ready:
        return f"✗ nobody answers{waiting}"
    nodes = len({where.get(pod, "") for pod in service.answering})
    return (
        f"✓ {ready} pod{'' if ready == 1 else 's'} on {nodes} node{'' if nodes == 1 else 's'} "
        f"answer{'s' if ready == 1 else ''}{waiting}"
    )


def _badge(number: int) -> str:
    return f"[{number}]"


def _hue(number: int) -> str:
    return HUES[(number - 1) % len(HUES)]


def _service(
    number: int, service: MapService, y: float, where: dict[tuple[str, str], str]
) -> list[str]:
    told = _answers(service, where)
    mark = Mark("", "failed" if told.startswith("✗") else "ok")
    title = f"{service.label} {service.type} {service.address} {service.ports}"
    room = SERVICE - 56
    ports = shown_line(service.ports)
    few = f" {ports if breadth(ports) < room / 2 else f'{ports[:13]}…'}"
    return [
        box(LEFT, y, SERVICE, 2 * LINE + 12, fill="#ffffff", stroke=_hue(number), title=title),
        words(LEFT + 8, y + 18, _badge(number), bold=True, fill=_hue(number)),
        words(LEFT + 46, y + 18, service.label, bold=True, room=room, tail=few),
        words(LEFT + 46, y + 18 + LINE, told, fill=LOOKS[mark.state].ink, room=room),
    ]


def _lines(
    number: int,
    service: MapService,
    y: float,
    where: dict[tuple[str, str], str],
    drawn: dict[str, float],
) -> list[str]:
    """Return a line from a Service to each node on which pods answer it, with their number; dashed: none is ready."""
    ready = Counter(where.get(pod, "") for pod in service.answering)
    waiting = Counter(where.get(pod, "") for pod in service.unready)
    parts = []
    for node, place in drawn.items():
        count = ready[node] or waiting[node]
        if not count:
            continue
        begin, end = (LEFT + SERVICE, y + LINE + 6), (NODE, place + 15)
        middle = (begin[0] + end[0]) / 2
        dashed = "" if ready[node] else ' stroke-dasharray="5 4"'
        parts.append(
            f'<path d="M{begin[0]:.0f} {begin[1]:.0f} C{middle:.0f} {begin[1]:.0f} {middle:.0f} {end[1]:.0f} '
            f'{end[0]:.0f} {end[1]:.0f}" fill="none" stroke="{_hue(number)}" stroke-width="1.5"{dashed}/>'
        )
    return parts


def _field(group: Group, x: float, y: float, wide: float) -> list[str]:
    look = LOOKS[group.state]
    names = "\n".join(f"{pod.name}: {pod.status}" for pod in group.pods[:20])
    badges = " ".join(map(_badge, group.services[:4]))
    behind = breadth(badges) * 1.1 + 4 if badges else 0
    parts = [
        box(x, y, wide, FIELD, fill=look.ground, stroke=look.ink, title=names),
        words(x + 6, y + 16, group.name, fill=INK, room=wide - behind - 8, tail=group.told),
    ]
    if badges:
        hue = _hue(group.services[0])
        parts.append(words(x + wide - 5, y + 16, badges, anchor="end", bold=True, fill=hue))
    return parts
