"""The network plan: pure arithmetic over a cluster's description.

What kubeadm, flannel and the Windows scripts need is derived here, once, so that no address is asked
for twice. Nobody else catches an overlap: kubeadm installs a service network that contains the
hosts' own without a complaint and hands out addresses of it later.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

from k8swin_nb.description import Description
from k8swin_nb.errors import ParamsError
from k8swin_nb.reading import address as ip_address

NODE_PREFIX = 24
"""Prefix length of each node's part of the pod network (kube-controller-manager's default)."""

MAX_PODS = 110
"""The kubelet's default limit of pods on a node."""

SERVICE_PREFIX_MIN = 12
"""The API server refuses a service network of more than 2^20 addresses."""

BACKENDS = {"host-gw": "host-gw", "l3": "alloc", "ovn": "", "vxlan": "vxlan"}
"""flannel's backend by topology: `alloc` hands out networks and leaves the routing to others."""

RESERVED = (
    (IPv4Network("0.0.0.0/8"), "the addresses that no host has,"),
    (IPv4Network("127.0.0.0/8"), "the loopback network"),
    (IPv4Network("169.254.0.0/16"), "the link-local network"),
    (IPv4Network("224.0.0.0/4"), "the multicast network"),
    (IPv4Network("240.0.0.0/4"), "the reserved network that Windows does not use,"),
)
"""Networks that are for other things on every host, as IANA's register of special addresses (RFC 6890) has them."""

WINDOWS_DUMMY = IPv4Network("192.168.255.0/30")
"""Prefix of the placeholder network that Microsoft's SDN scripts create on a worker."""

UNENCAPSULATED = ("host-gw", "l3")
"""Topologies whose nodes send packets with their pods' addresses, which a hypervisor may take for spoofing."""

DOCKER_BRIDGE = IPv4Network("172.17.0.0/16")
"""docker0's default network."""

HNS_NAT = IPv4Network("172.16.0.0/12")
"""The range from which Windows takes the network of its `nat` switch."""


VXLAN_VNI = 4096
"""Windows takes no smaller number; Linux must use the same."""

VXLAN_PORT = 4789
"""The port that Windows uses; Linux defaults to another one and must be told."""

TOPOLOGIES = {
    "host-gw": "each node routes to the others' pods; one layer-2 segment",
    "l3": "the site's router routes to the nodes' pods",
    "ovn": "made by OVN/OVS, which this tool does not install",
    "vxlan": "inside UDP port 4789, VNI 4096, on all nodes",
}
"""What each topology means, in a few words."""


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """One thing that is wrong (`fail`) or worth knowing (`warn`) about a plan."""

    severity: Literal["fail", "warn"]
    message: str


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """The networks of one cluster and what follows from them."""

    pod_subnet: IPv4Network
    service_subnet: IPv4Network
    host_subnet: IPv4Network
    site_networks: tuple[IPv4Network, ...]
    topology: str
    """How pods reach pods of other nodes, as `topology` in the parameters."""

    profile: str
    nodes: tuple[tuple[str, IPv4Address, str], ...]
    """Every node as (name, address, os)."""

    api_host: str = ""
    """Name or address by which nodes reach the API server, where it is not the master's own address."""

    pod_network: str = "flannel"
    """Who makes the pod network, as `pod_network` in the parameters."""

    other_interfaces: bool = False
    """Whether flannel is told interfaces, so that it announces other addresses than the nodes'."""

    @property
    def by_others(self) -> bool:
        """Whether the pod network is made by others, and flannel's parts are left out."""
        return self.pod_network != "flannel"

    @property
    def api_service_ip(self) -> IPv4Address:
        """Address of the `kubernetes` Service: the 1st of the service network."""
        return self._service_address(1)

    @property
    def dns_service_ip(self) -> IPv4Address:
        """Address of the `kube-dns` Service: the 10th of the service network."""
        return self._service_address(10)

    def _service_address(self, number: int) -> IPv4Address:
        """Return an address by its number; behind a service network that is too small, so that its plan can be shown."""
        last = 2**32 - 1
        return IPv4Address(min(int(self.service_subnet.network_address) + number, last))

    @property
    def backend(self) -> str:
        """Type of flannel's backend for the topology; empty where flannel is not the pod network."""
        return "" if self.by_others else BACKENDS[self.topology]

    @property
    def windows_backend(self) -> str:
        """Type of flannel's backend on Windows workers.

        `alloc` makes no HNS network there. `host-gw` does, and its routes pass over nodes that announce
        another backend: pods of Linux nodes are then reached through the default gateway, as planned.
        """
        return "host-gw" if self.backend == "alloc" else self.backend

    @property
    def service_capacity(self) -> int:
        """How many Services there is room for, less the network's and the API's and DNS's addresses."""
        return max(0, self.service_subnet.num_addresses - 4)

    @property
    def pod_capacity(self) -> int:
        """How many pods the planned nodes can run together."""
        return sum(self.pods_per_node[system] for _, _, system in self.nodes)

    @property
    def encapsulated(self) -> bool:
        """Whether packets between pods travel inside packets between nodes."""
        return self.topology == "vxlan"

    @property
    def hns_network(self) -> str:
        """Name of the HNS network on Windows workers, which is the CNI network's name too."""
        return f"flannel.{VXLAN_VNI}" if self.encapsulated else "cbr0"

    @property
    def node_capacity(self) -> int:
        """How many nodes the pod network has room for, each with a /24."""
        return int(2 ** max(0, NODE_PREFIX - self.pod_subnet.prefixlen))

    @property
    def pods_per_node(self) -> dict[str, int]:
        """Pods that fit on a node by operating system: addresses of a /24, capped by the kubelet.

        On Linux the network, bridge and broadcast addresses are taken; on Windows with host-gw `.1`
        is the gateway of the HNS network and `.2` the node's own endpoint.
        """
        addresses = int(2 ** (32 - NODE_PREFIX))
        return {"linux": min(MAX_PODS, addresses - 3), "windows": min(MAX_PODS, addresses - 4)}

    def problems(self) -> list[PlanProblem]:
        """Check every rule and return what does not hold, failures first."""
        found = [*self._overlaps(), *self._sizes(), *self._hosts()]
        return sorted(found, key=lambda problem: problem.severity != "fail")

    def _overlaps(self) -> list[PlanProblem]:
        found = []
        networks = [
            ("pod_subnet", self.pod_subnet),
            ("service_subnet", self.service_subnet),
            ("host_subnet", self.host_subnet),
            *((f"site_networks[{i}]", network) for i, network in enumerate(self.site_networks)),
        ]
        for index, (name, network) in enumerate(networks):
            for other_name, other in networks[index + 1 :]:
                planned = {"pod_subnet", "service_subnet"} & {name, other_name}
                if planned and network.overlaps(other):
                    found.append(
                        PlanProblem("fail", f"`{name}` {network} overlaps `{other_name}` {other}")
                    )
        for name, network in networks[:2]:
            for reserved, what in RESERVED:
                if network.overlaps(reserved):
                    found.append(
                        PlanProblem("fail", f"`{name}` {network} overlaps {what} {reserved}")
                    )
            docker: Literal["fail", "warn"] = "fail" if self.profile == "classic" else "warn"
            if network.overlaps(DOCKER_BRIDGE):
                found.append(
                    PlanProblem(docker, f"`{name}` {network} overlaps docker0's {DOCKER_BRIDGE}")
                )
            elif network.overlaps(HNS_NAT):
                found.append(
                    PlanProblem(
                        "warn",
                        f"`{name}` {network} lies in {HNS_NAT}, from which Windows takes its nat network",
                    )
                )
        for name, network in networks:
            if network.overlaps(WINDOWS_DUMMY):
                severity: Literal["fail", "warn"] = "fail" if self.profile == "classic" else "warn"
                found.append(
                    PlanProblem(
                        severity,
                        f"`{name}` {network} contains {WINDOWS_DUMMY}, "
                        "which Microsoft's SDN scripts use on every worker",
                    )
                )
        return found

    def _sizes(self) -> list[PlanProblem]:
        found = []
        if self.pod_subnet.prefixlen > NODE_PREFIX:
            found.append(
                PlanProblem(
                    "fail",
                    f"`pod_subnet` {self.pod_subnet} is smaller than the /{NODE_PREFIX} of one node",
                )
            )
        elif len(self.nodes) > self.node_capacity:
            found.append(
                PlanProblem(
                    "fail",
                    f"`pod_subnet` {self.pod_subnet} has room for {self.node_capacity} nodes, "
                    f"`hosts` names {len(self.nodes)}",
                )
            )
        if self.service_subnet.prefixlen < SERVICE_PREFIX_MIN:
            found.append(
                PlanProblem(
                    "fail",
                    f"`service_subnet` {self.service_subnet} is larger than the "
                    f"/{SERVICE_PREFIX_MIN} that the API server accepts",
                )
            )
        if self.service_subnet.prefixlen > 27:
            found.append(
                PlanProblem(
                    "fail",
                    f"`service_subnet` {self.service_subnet} is too small to hold its 10th address and services",
                )
            )
        return found

    def _windows_segments(self) -> list[PlanProblem]:
        """With l3, flanneld on Windows routes to other Windows nodes directly: they must be neighbours."""
        if self.topology != "l3":
            return []
        known = (self.host_subnet, *self.site_networks)
        places = {
            name: next((str(n) for n in known if address in n), str(address))
            for name, address, system in self.nodes
            if system == "windows"
        }
        if len(set(places.values())) < 2:
            return []
        where = ", ".join(f"`{name}` in {place}" for name, place in places.items())
        return [
            PlanProblem(
                "fail",
                f"Windows workers are on several segments ({where}): with l3 flanneld on Windows still "
                "routes to other Windows nodes directly; put them on one, or use `topology: vxlan`",
            )
        ]

    def _hosts(self) -> list[PlanProblem]:
        found = self._windows_segments()
        if (endpoint := ip_address(self.api_host)) is not None:
            for label, network in (("pod", self.pod_subnet), ("service", self.service_subnet)):
                if endpoint in network:
                    found.append(
                        PlanProblem(
                            "fail",
                            f"`control_plane_endpoint` {endpoint} lies in `{label}_subnet` {network}",
                        )
                    )
        for name, address, _ in self.nodes:
            if address in (self.host_subnet[0], self.host_subnet[-1]):
                found.append(
                    PlanProblem(
                        "fail",
                        f"`{name}` {address} is the network's or broadcast address of {self.host_subnet}",
                    )
                )
            if address not in self.host_subnet:
                if self.topology == "host-gw":
                    message = (
                        f"`{name}` {address} is outside `host_subnet` {self.host_subnet}: host-gw needs "
                        "all nodes on one layer-2 segment; use `topology: vxlan`, or l3 with the site's router"
                    )
                    found.append(PlanProblem("fail", message))
                else:
                    found.append(
                        PlanProblem(
                            "warn",
                            f"`{name}` {address} is outside `host_subnet` {self.host_subnet}",
                        )
                    )
            for label, network in (("pod", self.pod_subnet), ("service", self.service_subnet)):
                if address in network:
                    found.append(
                        PlanProblem(
                            "fail", f"`{name}` {address} lies in `{label}_subnet` {network}"
                        )
                    )
        return found


def network_plan(description: Description) -> NetworkPlan:
    """Derive the plan of a description; nothing is checked yet."""
    return NetworkPlan(
        pod_subnet=IPv4Network(description.pod_subnet),
        service_subnet=IPv4Network(description.service_subnet),
        host_subnet=IPv4Network(description.host_subnet),
        site_networks=tuple(map(IPv4Network, description.site_networks)),
        topology=description.topology,
        profile=description.profile,
        nodes=tuple(
            (host.name, ipaddress.IPv4Address(host.address), host.os)
            for host in description.hosts
            if host.role != "hypervisor"
        ),
        pod_network=description.pod_network,
        other_interfaces=bool(description.flannel_interfaces),
        api_host=description.control_plane_endpoint.partition(":")[0],
    )


def check_plan(description: Description) -> NetworkPlan:
    """Derive the plan and refuse one that cannot work.

    Raises:
        ParamsError: naming every value that contradicts another.
    """
    plan = network_plan(description)
    problems = [problem.message for problem in plan.problems() if problem.severity == "fail"]
    if description.worker_service_subnet not in (None, description.service_subnet):
        problems.insert(
            0,
            f"the master's `service_subnet` {description.service_subnet} and the workers' "
            f"`worker_service_subnet` {description.worker_service_subnet} differ: a cluster has one service network",
        )
    if not problems and description.dns_service_ip not in (None, str(plan.dns_service_ip)):
        problems.append(
            f"`dns_service_ip` {description.dns_service_ip} is not the 10th address "
            f"{plan.dns_service_ip} of `service_subnet` {plan.service_subnet}"
        )
    if problems:
        raise ParamsError(
            "network plan: " + "; ".join(problems),
            hint="change the networks in the parameters file, then run 01_network again",
        )
    return plan
