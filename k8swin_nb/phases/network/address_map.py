"""The address map: pod, service and host networks as bars over the IPv4 space they share, in SVG."""

from __future__ import annotations

import html
from ipaddress import IPv4Network

from k8swin_nb.plan import DOCKER_BRIDGE, HNS_NAT, WINDOWS_DUMMY, NetworkPlan
from k8swin_nb.tables.palette import BARS, LOOKS
from k8swin_nb.tables.picture import INK, Picture

WIDTH, LEFT, RIGHT, ROW = 820, 190, 30, 44
COLLIDES = LOOKS["failed"].ink
TAKEN = (
    ("docker0's usual", DOCKER_BRIDGE),
    ("Windows' nat range", HNS_NAT),
    ("SDN placeholder", WINDOWS_DUMMY),
)
"""Networks that programs take by themselves."""


class AddressMap(Picture):
    """A drawing of a plan's networks; text for readers without pictures."""

    def __init__(self, plan: NetworkPlan) -> None:
        self.plan = plan
        self.networks: list[tuple[str, str, IPv4Network]] = [
            ("pods", "pod network", plan.pod_subnet),
            ("services", "service network", plan.service_subnet),
            ("hosts", "hosts' network", plan.host_subnet),
            *(("site", "site network", network) for network in plan.site_networks),
            *(("taken", label, network) for label, network in TAKEN),
        ]
        self.collisions = [
            any(
                network.overlaps(other)
                for position, (_, _, other) in enumerate(self.networks)
                # Only the pods' and services' networks must be apart from all others.
                if position != index and min(position, index) < 2
            )
            for index, (_, _, network) in enumerate(self.networks)
        ]
        first = min(int(n.network_address) for _, _, n in self.networks)
        last = max(int(n.broadcast_address) for _, _, n in self.networks)
        # Whole /8 networks, so that the axis has marks that a reader knows.
        self.first = first >> 24 << 24
        self.last = ((last >> 24) + 1) << 24

    def _x(self, address: int) -> float:
        share = (address - self.first) / (self.last - self.first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def __repr__(self) -> str:
        lines = ["Address map"]
        for (_, label, network), collides in zip(self.networks, self.collisions, strict=True):
            size = f"{network.num_addresses:,}".replace(",", " ")
            mark = ", ✗ overlaps" if collides else ""
            lines.append(f"{label:<18} {network!s:<20} {size} addresses{mark}")
        return "\n".join(lines)

    def _note(self, kind: str, network: IPv4Network) -> str:
        plan = self.plan
        if kind == "services":
            room = f"{plan.service_capacity:,}".replace(",", " ")
            return f"API {plan.api_service_ip}, DNS {plan.dns_service_ip}, room for {room}"
        if kind == "pods":
            return f"{len(plan.nodes)} of {plan.node_capacity} nodes, a /24 each"
        if kind == "taken":
            return "taken by programs on their own"
        return f"{network.num_addresses:,} addresses".replace(",", " ")

    def _drawing(self) -> tuple[int, int, list[str]]:
        height = 40 + ROW * len(self.networks) + 40
        parts = []
        octets = range(self.first >> 24, (self.last >> 24) + 1)
        stride = max(1, len(octets) // 8)
        for octet in list(octets)[::stride]:
            x = self._x(octet << 24)
            parts.append(
                f'<line x1="{x:.1f}" y1="28" x2="{x:.1f}" y2="{height - 34}" '
                f'stroke="{INK}" stroke-opacity="0.15"/>'
                f'<text x="{x:.1f}" y="20" text-anchor="middle" fill-opacity="0.7">{octet}.0.0.0</text>'
            )
        for index, (kind, label, network) in enumerate(self.networks):
            y = 40 + index * ROW
            start = self._x(int(network.network_address))
            # A /24 would be thinner than a pixel beside a /12.
            width = max(4.0, self._x(int(network.broadcast_address) + 1) - start)
            parts.append(
                f'<text x="{LEFT - 12}" y="{y + 12}" text-anchor="end">{html.escape(label)}</text>'
                f'<text x="{LEFT - 12}" y="{y + 27}" text-anchor="end" fill-opacity="0.7">{network}</text>'
                f'<rect x="{start:.1f}" y="{y}" width="{width:.1f}" height="28" rx="3" '
                f'fill="{BARS[kind]}" fill-opacity="{0.45 if kind == "taken" else 1}"'
                + (f' stroke="{COLLIDES}" stroke-width="3"' if self.collisions[index] else "")
                + f"><title>{html.escape(label)} {network}</title></rect>"
            )
            note = self._note(kind, network)
            if self.collisions[index]:
                note = f"✗ overlaps · {note}"
            end = start + width
            fits = end + 8 + 7 * len(note) < WIDTH
            parts.append(
                f'<text x="{end + 8 if fits else start - 8:.1f}" y="{y + 19}" '
                + (f'fill="{COLLIDES}" ' if self.collisions[index] else "")
                + f'text-anchor="{"start" if fits else "end"}">{html.escape(note)}</text>'
            )
        parts.append(
            f'<text x="{LEFT}" y="{height - 10}" fill-opacity="0.7">'
            f"addresses from {self.first >> 24}.0.0.0, drawn to scale; "
            "bars of small networks are widened to be seen</text>"
        )
        return WIDTH, height, parts
