"""The address map: pod, service and host networks as bars over the IPv4 space they share, in SVG.

Static: it needs no JavaScript and keeps its place in an executed notebook. A front end shows SVG of trusted
notebooks only, but pictures of all; so the same drawing is given as an image too, on a ground of its own.
"""

from __future__ import annotations

import base64
import html
from ipaddress import IPv4Network

from k8swin_nb.plan import NetworkPlan

WIDTH, LEFT, RIGHT, ROW = 820, 190, 30, 44
COLOURS = {"pods": "#0969da", "services": "#8250df", "hosts": "#1a7f37", "site": "#9a6700"}


class AddressMap:
    """A drawing of a plan's networks; text for readers without pictures."""

    def __init__(self, plan: NetworkPlan) -> None:
        self.plan = plan
        self.networks: list[tuple[str, str, IPv4Network]] = [
            ("pods", "pod network", plan.pod_subnet),
            ("services", "service network", plan.service_subnet),
            ("hosts", "hosts' network", plan.host_subnet),
            *(("site", "site network", network) for network in plan.site_networks),
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
        for _, label, network in self.networks:
            size = f"{network.num_addresses:,}".replace(",", " ")
            lines.append(f"{label:<16} {network!s:<20} {size} addresses")
        return "\n".join(lines)

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
                f'fill="{COLOURS[kind]}"><title>{html.escape(label)} {network}</title></rect>'
            )
            if kind == "services":
                note = f"API {self.plan.api_service_ip}, DNS {self.plan.dns_service_ip}"
            elif kind == "pods":
                note = f"{self.plan.node_capacity} nodes, a /24 each"
            else:
                note = f"{network.num_addresses:,} addresses".replace(",", " ")
            end = start + width
            fits = end + 8 + 7 * len(note) < WIDTH
            parts.append(
                f'<text x="{end + 8 if fits else start - 8:.1f}" y="{y + 19}" '
                f'text-anchor="{"start" if fits else "end"}">{html.escape(note)}</text>'
            )
        parts.append(
            f'<text x="{LEFT}" y="{height - 10}" fill-opacity="0.7">'
            f"addresses from {self.first >> 24}.0.0.0, drawn to scale; "
            "bars of small networks are widened to be seen</text></svg>"
        )
        return "".join(parts)
