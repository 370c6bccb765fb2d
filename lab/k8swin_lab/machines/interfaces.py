"""Network interfaces, addresses and routes of a Linux machine."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass, field


@dataclass(slots=True)
class Interface:
    """One interface."""

    index: int
    name: str
    mac: str
    mtu: int = 1500
    flags: tuple[str, ...] = ("BROADCAST", "MULTICAST", "UP", "LOWER_UP")
    state: str = "UP"
    addresses: list[str] = field(default_factory=list)  # "192.168.160.10/24"
    kind: str = ""  # "bridge", "vxlan", "veth"; "" for a real one


@dataclass(slots=True)
class Route:
    """One route of the main table."""

    destination: str  # "default" or a network
    device: str
    gateway: str = ""
    source: str = ""
    protocol: str = ""  # "kernel", "static"; "" when it was added by hand
    scope: str = ""  # "link"
    flags: tuple[str, ...] = ()  # "onlink", "linkdown"
    nexthops: tuple[
        tuple[str, str], ...
    ] = ()  # gateway and device of each, where there are several


class Interfaces:
    """The interfaces in order and the routes as the kernel lists them."""

    def __init__(self, address: str, gateway: str) -> None:
        """Make lo and eth0.

        Args:
            address: eth0's address; its network is the /24 around it.
            gateway: of the default route; "" for none.
        """
        network = ipaddress.ip_network(f"{address}/24", strict=False)
        self.links = {
            "lo": Interface(1, "lo", "00:00:00:00:00:00", 65536, ("LOOPBACK", "UP", "LOWER_UP"),
                            "UNKNOWN", ["127.0.0.1/8"]),
            "eth0": Interface(2, "eth0", mac_of(address), addresses=[f"{address}/24"]),
        }  # fmt: skip
        self.routes: list[Route] = []
        if gateway:
            self.routes.append(Route("default", "eth0", gateway, flags=("onlink",)))
        self.routes.append(Route(str(network), "eth0", "", address, "kernel", "link"))

    def add(self, name: str, kind: str, address: str, mtu: int = 1500) -> Interface:
        """Add an interface of a kind with an address, or return the one that is there."""
        if name in self.links:
            return self.links[name]
        index = max(link.index for link in list(self.links.values())) + 1
        link = Interface(index, name, mac_of(name + address), mtu, kind=kind)
        self.links[name] = link
        if address:
            link.addresses.append(address)
            network = ipaddress.ip_interface(address).network
            if network.prefixlen < 32:
                own = address.partition("/")[0]
                self.add_route(Route(str(network), name, "", own, "kernel", "link"))
        return link

    def remove(self, name: str) -> None:
        """Remove an interface and the routes through it."""
        self.links.pop(name, None)
        self.routes = [route for route in self.routes if route.device != name]

    def add_route(self, route: Route) -> bool:
        """Add a route, kept in the kernel's order; False when the destination has one already."""
        if any(known.destination == route.destination for known in self.routes):
            return False
        self.routes.append(route)
        self.routes.sort(key=_order)
        return True

    def remove_route(self, destination: str) -> bool:
        """Remove the route to a destination; False when there is none."""
        kept = [route for route in self.routes if route.destination != destination]
        found = len(kept) != len(self.routes)
        self.routes = kept
        return found

    def route_to(self, address: str) -> Route | None:
        """Return the most specific route to an address."""
        wanted = ipaddress.ip_address(address)
        best, length = None, -1
        for route in self.routes:
            network = ipaddress.ip_network(
                "0.0.0.0/0" if route.destination == "default" else route.destination
            )
            if (
                wanted.version == network.version
                and wanted in network
                and network.prefixlen > length
            ):
                best, length = route, network.prefixlen
        return best

    def network_of(self, device: str) -> str:
        """Return the network of an interface's first address, or "" when it has none."""
        link = self.links.get(device)
        if link is None or not link.addresses:
            return ""
        return str(ipaddress.ip_interface(link.addresses[0]).network)

    def own(self, address: str) -> str | None:
        """Return the interface that has an address."""
        for link in list(self.links.values()):
            if any(one.partition("/")[0] == address for one in link.addresses):
                return link.name
        return None


def _order(route: Route) -> tuple[int, int]:
    if route.destination == "default":
        return (0, 0)
    return (1, int(ipaddress.ip_network(route.destination).network_address))


def mac_of(seed: str) -> str:
    """Return a locally administered MAC address, always the same for a seed."""
    digits = hashlib.sha256(seed.encode()).hexdigest()
    return "02:" + ":".join(digits[at : at + 2] for at in range(0, 10, 2))
