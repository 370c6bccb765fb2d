"""The address map: pod, service and host networks as bars over the IPv4 space they share, in SVG.

Static: it needs no JavaScript and keeps its place in an executed notebook. A front end shows SVG of trusted
notebooks only, but pictures of all; so the same drawing is given as an image too, on a ground of its own.
"""

from __future__ import annotations

import base64
import html
from ipaddress import IPv4Network

from k8swin_nb.plan import DOCKER_BRIDGE, HNS_NAT, WINDOWS_DUMMY, NetworkPlan

WIDTH, LEFT, RIGHT, ROW = 820, 190, 30, 44
COLOURS = {
    "pods": "#0969da",
    "services": "#8250df",
    "hosts": "#1a7f37",
    "site": "#9a6700",
    "taken": "#8c959f",
}
COLLIDES = "#cf222e"
TAKEN = (
    ("docker0's usual", DOCKER_BRIDGE),
    ("Windows' nat range", HNS_NAT),
    ("SDN placeholder", WINDOWS_DUMMY),
)
"""Networks that programs take by themselves."""


class AddressMap:
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

    def _repr_html_(self) -> str:
        data = base64.b64encode(self._repr_svg_().encode()).decode()
        text = html.escape(repr(self), quote=True)
        return f'<img alt="{text}" src="data:image/svg+xml;base64,{data}"/>'

    def _repr_svg_(self) -> str:
        height = 40 + ROW * len(self.networks) + 40
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'role="img" aria-label="{html.escape(repr(self), quote=True)}" '
            'font-family="sans-serif" font-size="13" fill="#24292f">'
            f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#ffffff"/>'
        ]
        octets = range(self.first >> 24, (self.last >> 24) + 1)
        stride = max(1, len(octets) // 8)
        for octet in list(octets)[::stride]:
            x = self._x(octet << 24)
            parts.append(
                f'<line x1="{x:.1f}" y1="28" x2="{x:.1f}" y2="{height - 34}" '
                'stroke="#24292f" stroke-opacity="0.15"/>'
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
                f'fill="{COLOURS[kind]}" fill-opacity="{0.45 if kind == "taken" else 1}"'
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
            "bars of small networks are widened to be seen</text></svg>"
        )
        return "".join(parts)
