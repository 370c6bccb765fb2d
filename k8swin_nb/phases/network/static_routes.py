"""Routes to the nodes' pods, in the words of those who have to enter them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network

from k8swin_nb.workflow.phase_run import PhaseRun

EXIT_NEEDED = 10
"""The script's word for: there is no cluster yet."""


@dataclass(frozen=True, slots=True)
class NodeRoute:
    """A node's pods and the address behind which they are."""

    name: str
    network: IPv4Network
    address: str


def read_routes(run: PhaseRun) -> list[NodeRoute]:
    """Ask the master which node was given which part of the pod network; empty before there is a cluster.

    Raises:
        StepFailed: when the API server does not answer.
    """
    name = "linux/node_networks.check.sh"
    at = run.at(run.master, "routes")
    result = at.script(name, timeout=60)
    if result.returncode == EXIT_NEEDED:
        return []
    if result.returncode != 0:
        raise at.failed("the API server does not answer", result=result)
    found = []
    for line in result.stdout.splitlines():
        node, address, network = line.split("\t")
        if network:
            found.append(NodeRoute(node, IPv4Network(network), address))
    return found


def listings(routes: Iterable[NodeRoute]) -> dict[str, list[str]]:
    """Return the routes as commands, by the kind of router."""
    kept = list(routes)
    return {
        "Linux (iproute2)": [f"ip route replace {r.network} via {r.address}" for r in kept],
        "Cisco IOS, IOS XE": [
            f"ip route {r.network.network_address} {r.network.netmask} {r.address} name {r.name}"
            for r in kept
        ],
        "Cisco NX-OS, Arista EOS": [
            f"ip route {r.network} {r.address} name {r.name}" for r in kept
        ],
        "Juniper Junos": [
            f"set routing-options static route {r.network} next-hop {r.address}" for r in kept
        ],
        "Windows Server (RRAS)": [
            f"New-NetRoute -DestinationPrefix {r.network} -NextHop {r.address} -InterfaceAlias <alias>"
            for r in kept
        ],
    }
