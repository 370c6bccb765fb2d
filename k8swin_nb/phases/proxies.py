"""What must never go through a web proxy, and what a given NO_PROXY leaves to it. The one judgement of it.

NO_PROXY is read as the programs of a cluster read it: kubeadm, the kubelet, containerd and Docker are written in
Go, whose rules (golang.org/x/net/http/httpproxy) are these. Words are separated by commas alone. A network is an
address with the length of its prefix, and spares every address in it. An address or a name may carry a port, and
then spares that port alone. `.svc`, `*.svc` and `svc` all spare `web.default.svc`. `*` spares everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses

from k8swin_nb.plan import NetworkPlan
from k8swin_nb.reading import address, whole

NAMES = (".svc", ".cluster.local")
"""Names of Services: the API server calls webhooks by the first."""


@dataclass(frozen=True, slots=True)
class Exceptions:
    """A NO_PROXY, taken apart."""

    everything: bool
    networks: tuple[IPv4Network, ...]
    """Networks and addresses that are spared on every port, those that make up a larger one as that one."""

    ports: frozenset[tuple[IPv4Address, int]]
    """What is spared on one port alone."""

    names: tuple[str, ...]
    """Endings of names, each with a dot in front."""

    @classmethod
    def of(cls, text: str) -> Exceptions:
        """Take a NO_PROXY apart; words that mean nothing to Go spare nothing."""
        words = [word.strip().lower() for word in text.split(",") if word.strip()]
        networks, ports, names = [], set(), []
        for word in words:
            host, _, port = word.partition(":")
            if network := _network(word):
                networks.append(network)
            elif (number := whole(port)) and (address := _network(host)) and "/" not in host:
                ports.add((address.network_address, number))
            elif not port and "/" not in word and not re.search(r"\s", word):
                names.append("." + word.removeprefix("*").removeprefix("."))
        return cls(
            "*" in words, tuple(collapse_addresses(networks)), frozenset(ports), tuple(names)
        )

    def spare(self, network: IPv4Network) -> bool:
        """Return whether every address of a network is spared, on every port."""
        return self.everything or any(network.subnet_of(spared) for spared in self.networks)

    def spare_address(self, address: IPv4Address, port: int | None = None) -> bool:
        """Return whether an address is spared: on one port, or on all when None."""
        return self.spare(IPv4Network(address)) or (address, port) in self.ports

    def spare_name(self, ending: str) -> bool:
        """Return whether all names with an ending, such as `.svc`, are spared."""
        return self.everything or any(ending.endswith(name) for name in self.names)


def _network(word: str) -> IPv4Network | None:
    """Return a network or an address; None for what Go does not take for one, such as a mask in dots."""
    if not re.fullmatch(r"[\d.]+(/\d+)?", word):
        return None
    try:
        return IPv4Network(word, strict=False)
    except ValueError:
        return None


def uncovered(plan: NetworkPlan, no_proxy: str) -> list[str]:
    """Return what a NO_PROXY leaves to the proxy and must not: networks, nodes' addresses, endings of names."""
    given = Exceptions.of(no_proxy)
    nodes = [node for _, node, _ in plan.nodes]
    return [
        *(str(n) for n in (plan.pod_subnet, plan.service_subnet) if not given.spare(n)),
        *(str(node) for node in nodes if not given.spare_address(node)),
        *_endpoint(plan, given),
        *(name for name in NAMES if not given.spare_name(name)),
    ]


def _endpoint(plan: NetworkPlan, given: Exceptions) -> list[str]:
    """Return the control plane's own name or address, unless it is spared or there is none."""
    host = plan.api_host
    if not host:
        return []
    told = address(host)
    spared = given.spare_address(told) if told is not None else given.spare_name(f".{host}")
    return [] if spared else [host]


def advice(plan: NetworkPlan) -> str:
    """Return the shortest words for NO_PROXY that leave nothing uncovered, for a person to add."""
    far = [node for _, node, _ in plan.nodes if node not in plan.host_subnet]
    named = [plan.api_host] if plan.api_host else []
    return _joined([plan.pod_subnet, plan.service_subnet, plan.host_subnet, *far, *named])


def no_proxy(plan: NetworkPlan) -> str:
    """Return what is written into NO_PROXY: this computer, the nodes, the cluster's networks and names.

    Nodes and the API's Service stand in it by address too, for programs that know no networks.
    """
    nodes = [node for _, node, _ in plan.nodes]
    networks = [plan.host_subnet, plan.pod_subnet, plan.service_subnet]
    named = [plan.api_host] if plan.api_host else []
    return _joined(["localhost", "127.0.0.1", *nodes, *named, *networks, plan.api_service_ip])


def _joined(words: Iterable[object]) -> str:
    return ",".join(map(str, (*words, *NAMES)))
