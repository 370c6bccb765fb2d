"""The address map: a plan's networks as bars over the blocks of IPv4 addresses that they lie in, in SVG.

Each private block has an axis of its own: to the scale of all addresses a /24 would be thinner than a hair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from k8swin_nb.plan import DOCKER_BRIDGE, HNS_NAT, WINDOWS_DUMMY, NetworkPlan
from k8swin_nb.tables.palette import BARS, LOOKS
from k8swin_nb.tables.picture import FAINT, INK, LEAST, Picture, box, breadth, words

WIDTH, LEFT, RIGHT = 880, 190, 62
HEAD, ROW, BAR = 46, 40, 22
"""Pixels of a block's heading with its axis, of a network's row, and of its bar."""

COLLIDES = LOOKS["failed"].ink
GRID = "#d0d7de"

TAKEN = (
    ("docker0's usual", DOCKER_BRIDGE),
    ("Windows' nat range", HNS_NAT),
    ("SDN placeholder", WINDOWS_DUMMY),
)
"""Networks that programs take by themselves."""

BLOCKS = (
    (IPv4Network("10.0.0.0/8"), "private, RFC 1918"),
    (IPv4Network("100.64.0.0/10"), "shared by carriers, RFC 6598"),
    (IPv4Network("127.0.0.0/8"), "loopback"),
    (IPv4Network("169.254.0.0/16"), "link-local"),
    (IPv4Network("172.16.0.0/12"), "private, RFC 1918"),
    (IPv4Network("192.168.0.0/16"), "private, RFC 1918"),
    (IPv4Network("198.18.0.0/15"), "for benchmarks, RFC 2544"),
)
"""Blocks of addresses that a site may use, and what they are."""

MOST = 60
"""Networks that are drawn; the text and the plan's table have all."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A network on the map."""

    kind: str
    """`pods`, `services`, `hosts`, `site` or `taken`."""

    label: str
    network: IPv4Network
    overlaps: tuple[str, ...] = ()
    """Labels of the networks that it must be apart from and is not."""


def block_of(network: IPv4Network) -> tuple[IPv4Network, str]:
    """Return the block that a network is drawn in, and what it is; of public addresses the /8, or the network."""
    for block, what in BLOCKS:
        if network.subnet_of(block):
            return block, what
    wide = network if network.prefixlen < 8 else network.supernet(new_prefix=8)
    return wide, "public addresses"


def placed(plan: NetworkPlan) -> list[Placed]:
    """Return the networks of a plan with what they overlap."""
    known = [
        Placed("pods", "pod network", plan.pod_subnet),
        Placed("services", "service network", plan.service_subnet),
        Placed("hosts", "hosts' network", plan.host_subnet),
        *(Placed("site", "site network", network) for network in plan.site_networks),
        *(Placed("taken", label, network) for label, network in TAKEN),
    ]
    return [
        Placed(one.kind, one.label, one.network, _overlaps(index, one, known))
        for index, one in enumerate(known)
    ]


def _overlaps(index: int, one: Placed, known: Sequence[Placed]) -> tuple[str, ...]:
    # Only the pods' and services' networks must be apart from all others.
    return tuple(
        f"{other.label} {other.network}"
        for position, other in enumerate(known)
        if position != index and min(position, index) < 2 and one.network.overlaps(other.network)
    )


class AddressMap(Picture):
    """A drawing of a plan's networks; text for readers without pictures."""

    def __init__(self, plan: NetworkPlan) -> None:
        self.plan = plan
        self.networks = placed(plan)
        self.blocks: dict[tuple[IPv4Network, str], list[Placed]] = {}
        for one in self.networks:
            self.blocks.setdefault(block_of(one.network), []).append(one)
        self.blocks = dict(sorted(self.blocks.items()))
        """The networks of each block, in the order of addresses."""

    def __repr__(self) -> str:
        lines = ["Address map"]
        for (block, what), networks in self.blocks.items():
            lines.append(f"{block} {what}")
            for one in networks:
                size = _spaced(one.network.num_addresses)
                mark = f", ✗ overlaps {', '.join(one.overlaps)}" if one.overlaps else ""
                lines.append(f"  {one.label:<18} {one.network!s:<20} {size} addresses{mark}")
        return "\n".join(lines)

    def _note(self, one: Placed) -> str:
        plan = self.plan
        if one.kind == "services":
            room = _spaced(plan.service_capacity)
            return f"API {plan.api_service_ip}, DNS {plan.dns_service_ip}, room for {room}"
        if one.kind == "pods":
            return f"{len(plan.nodes)} of {plan.node_capacity} nodes, a /24 each"
        if one.kind == "taken":
            return "taken by programs on their own"
        return f"{_spaced(one.network.num_addresses)} addresses"

    def _drawing(self) -> tuple[int, int, list[str]]:
        parts: list[str] = []
        y, drawn = 12, 0
        for (block, what), networks in self.blocks.items():
            fitting = networks[: max(0, MOST - drawn)]
            drawn += len(fitting)
            if fitting:
                parts += _axis(block, what, y, len(fitting))
                parts += [
                    part
                    for row, one in enumerate(fitting)
                    for part in self._row(block, one, y + HEAD + row * ROW)
                ]
                y += HEAD + len(fitting) * ROW + 8
        left = len(self.networks) - drawn
        told = f"{left} more networks are in the text alone; " if left else ""
        note = f"{told}each block to its own scale; a bar has {LEAST} pixels at least"
        parts.append(words(LEFT, y + 10, note, fill=FAINT))
        return WIDTH, y + 22, parts

    def _row(self, block: IPv4Network, one: Placed, y: float) -> list[str]:
        begin = _x(block, int(one.network.network_address))
        width = max(LEAST, _x(block, int(one.network.broadcast_address) + 1) - begin)
        begin = min(begin, WIDTH - RIGHT - width)
        edge, thick = (COLLIDES, 3) if one.overlaps else (INK, 1)
        note = self._note(one)
        if one.overlaps:
            note = f"✗ overlaps {', '.join(one.overlaps)}"
        parts = [
            words(LEFT - 12, y + 11, one.label, anchor="end", room=LEFT - 14),
            words(LEFT - 12, y + 26, one.network, anchor="end", fill=FAINT),
            box(
                begin,
                y,
                width,
                BAR,
                fill=BARS[one.kind],
                stroke=edge,
                thick=thick,
                title=f"{one.label} {one.network}\n{note}",
            ),
        ]
        # Beside the bar where there is more room; across it where there is none.
        after, before = WIDTH - begin - width - 12, begin - LEFT - 8
        colour = COLLIDES if one.overlaps else ""
        if max(after, before) < breadth(note) and width > max(after, before):
            parts.append(
                box(
                    begin + 6,
                    y + 3,
                    min(width - 12, breadth(note) + 8),
                    BAR - 6,
                    fill=LOOKS["neutral"].ground,
                )
            )
            parts.append(words(begin + 10, y + 15.5, note, fill=colour, room=width - 20))
        elif after >= before:
            parts.append(words(begin + width + 8, y + 16, note, fill=colour, room=after))
        else:
            parts.append(words(begin - 8, y + 16, note, anchor="end", fill=colour, room=before))
        return parts


def _x(block: IPv4Network, address: int) -> float:
    share = (address - int(block.network_address)) / block.num_addresses
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _axis(block: IPv4Network, what: str, y: int, rows: int) -> list[str]:
    """Return a block's heading, its axis in four parts, and lines through its rows."""
    parts = [words(16, y + 12, f"{block} {what}", bold=True)]
    for part in range(5):
        address = int(block.network_address) + block.num_addresses * part // 4
        x = _x(block, address)
        parts.append(
            f'<line x1="{x:.1f}" y1="{y + HEAD - 9}" x2="{x:.1f}" y2="{y + HEAD + rows * ROW - 6}" '
            f'stroke="{GRID}"/>'
        )
        # The end is the first address behind the block, which may be none.
        last = address > int(block.broadcast_address)
        said = IPv4Address(address - 1 if last else address)
        parts.append(words(x, y + HEAD - 14, said, anchor="middle", fill=FAINT))
    return parts


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")
