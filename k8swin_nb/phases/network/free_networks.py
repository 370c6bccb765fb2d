"""Networks that nobody uses: proposed from the plan, and from the routes of the hosts where they were asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from k8swin_nb.fan_out import on_each
from k8swin_nb.inventory import Host
from k8swin_nb.phases.preflight.checks import HOST_FACTS, look
from k8swin_nb.plan import DOCKER_BRIDGE, HNS_NAT, RESERVED, WINDOWS_DUMMY, NetworkPlan
from k8swin_nb.reading import first_line
from k8swin_nb.workflow.phase_run import PhaseRun

PROPOSED = 3
"""How many networks are proposed for one field."""

USUAL = {"pod_subnet": ("10.244.0.0/16", 16), "service_subnet": ("10.96.0.0/12", 12)}
"""Where the search begins, and how large a network is proposed where none that fits is given."""

PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


@dataclass(frozen=True, slots=True)
class Taken:
    """A network that is somebody's."""

    network: IPv4Network
    whose: str
    """Such as `winworker01: route via 192.168.160.1`."""

    summary: bool = False
    """Whether it only says that these addresses may be in use somewhere: a wide route to a router."""


def taken_by_plan(plan: NetworkPlan) -> list[Taken]:
    """Return what the description says is in use, and what programs take by themselves."""
    return [
        Taken(plan.host_subnet, "the hosts' network"),
        *(Taken(network, "the site's networks") for network in plan.site_networks),
        *(Taken(IPv4Network(address), name) for name, address, _ in plan.nodes),
        *(Taken(network, what) for network, what in RESERVED),
        Taken(DOCKER_BRIDGE, "docker0"),
        Taken(HNS_NAT, "Windows' nat network"),
        Taken(WINDOWS_DUMMY, "Microsoft's SDN scripts"),
    ]


def taken_by_routes(run: PhaseRun) -> list[Taken]:
    """Return the networks to which hosts have routes, as far as hosts were asked; the cluster's own are left out."""
    nodes = {str(address) for _, address, _ in run.plan.nodes}
    found: dict[IPv4Network, Taken] = {}
    for host in run.inventory.hosts:
        facts = run.facts.get(host, HOST_FACTS)
        for route in facts.routes if facts else ():
            own = route.network.subnet_of(run.plan.pod_subnet) and (
                route.via in nodes or run.plan.hns_network in route.interface
            )
            if route.network.prefixlen < 4 or own:
                continue
            how = f"via {route.via}" if route.via else f"on {route.interface}"
            summary = bool(route.via) and route.network.prefixlen < 16
            taken = Taken(route.network, f"{host.name}: route {how}", summary)
            found.setdefault(route.network, taken)
    return list(found.values())


def ask_hosts(run: PhaseRun) -> dict[str, str]:
    """Ask every host for its routes; return why one could not be asked, by its name. Nothing is changed on any."""

    def one(host: Host) -> None:
        look(run.at(host, "routes"), api_expected=False)

    hosts = [host for host in run.inventory.hosts if "hypervisor" not in host.roles]
    found = on_each(hosts, one, name=lambda host: host.name)
    return {name: first_line(error) for name, error in found.errors.items()}


def asked(run: PhaseRun) -> list[str]:
    """Return the names of the hosts whose routes are known."""
    return [host.name for host in run.inventory.hosts if run.facts.get(host, HOST_FACTS)]


def proposals(
    name: str, size: int | None, taken: Iterable[Taken], others: Iterable[IPv4Network]
) -> list[IPv4Network]:
    """Return networks of the private ranges that nobody uses, the usual one first; none when there is no room.

    Args:
        name: `pod_subnet` or `service_subnet`.
        size: Prefix length of the network that is wanted; None: the usual one.
        taken: Networks that are somebody's.
        others: Networks of the same plan that it must keep clear of.
    """
    usual, prefix = USUAL[name]
    prefix = size if size is not None and 8 <= size <= 28 else prefix
    used = list(taken)
    hard = [one.network for one in used if not one.summary] + list(others)
    # Where a site routes all private addresses to its router, those within are the next best.
    for avoided in ([*hard, *(one.network for one in used if one.summary)], hard):
        found = list(_free(IPv4Network(usual), prefix, avoided))
        if found:
            return found
    return []


def _free(usual: IPv4Network, prefix: int, avoided: list[IPv4Network]) -> Iterator[IPv4Network]:
    """Yield a few free networks: from the usual one upwards first, because the low ones are offices' more often."""
    above = next(place for place in PRIVATE if usual.subnet_of(place)).broadcast_address
    spans = [(usual.network_address, above)]
    spans += [(place.network_address, place.broadcast_address) for place in PRIVATE]
    step, found = 1 << (32 - prefix), 0
    for first, last in spans:
        at = -(-int(first) // step) * step
        while at + step - 1 <= int(last):
            network = IPv4Network((at, prefix))
            wall = next((one for one in avoided if one.overlaps(network)), None)
            if wall is None:
                yield network
                found += 1
                if found == PROPOSED:
                    return
                wall = network
                avoided = [*avoided, network]
            # What is in the way is passed over in one step: /28s in a /8 are a million.
            at = -(-(int(wall.broadcast_address) + 1) // step) * step
