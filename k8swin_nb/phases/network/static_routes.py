"""Routes to the nodes' pods, in the words of those who have to enter them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network

from k8swin_nb.reading import address as read_address
from k8swin_nb.reading import lines, shown
from k8swin_nb.reading import network as read_network
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
        StepFailed: when the API server does not answer, or a line of the script's cannot be read.
    """
    name = "linux/node_networks.check.sh"
    at = run.at(run.master, "routes")
    result = at.script(name, timeout=60)
    if result.returncode == EXIT_NEEDED:
        return []
    if result.returncode != 0:
        raise at.failed("the API server does not answer", result=result)
    found = []
    for line in lines(result.stdout):
        fields = line.split("\t")
        if len(fields) == 3 and not fields[2]:
            continue  # the node was given none yet
        network = read_network(fields[-1])
        # What is entered into a site's router is an address and a name, whatever a node calls itself.
        if len(fields) != 3 or network is None or not read_address(fields[1]):
            raise at.failed(
                f"`{name}` printed `{shown(line)}`, expected a node's name, address and network"
            )
        if not network.subnet_of(run.plan.pod_subnet):
            raise at.failed(
                f"`{name}` printed the network {network} of `{shown(fields[0])}`, expected one in "
                f"{run.plan.pod_subnet}"
            )
        if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", fields[0]):
            raise at.failed(f"`{name}` printed the node's name `{shown(fields[0])}`, which is none")
        found.append(NodeRoute(fields[0], network, fields[1]))
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
