"""Network settings of a simulated Windows: adapters, addresses, routes, DNS, profiles, firewall, HNS.

Creating the first external HNS network moves the addresses of the physical adapter to a virtual one,
`vEthernet (Ethernet)`, and interrupts every connection for some seconds, as the virtual switch does.
"""

from __future__ import annotations

import ipaddress
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8swin_lab.machines.windows import WindowsMachine

LOOPBACK_INDEX = 1


class HnsError(Exception):
    """`code` is the HRESULT, as HNS words it."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{text} ({code})" if code else text)
        self.code = code


@dataclass(slots=True)
class Adapter:
    index: int
    name: str
    description: str
    mac: str
    status: str = "Up"
    virtual: bool = False
    dhcp: bool = False
    forwarding: bool = False
    metric: int = 15
    mtu: int = 1500
    dns: list[str] = field(default_factory=list)
    category: str = "Private"  # network profile
    profile: str = "Network"
    guid: str = field(default_factory=lambda: "{" + str(uuid.uuid4()).upper() + "}")


@dataclass(slots=True)
class Address:
    index: int  # of the interface
    address: str
    length: int
    origin: str = "Manual"  # Manual, Dhcp, WellKnown
    compartment: int = 1

    @property
    def network(self) -> str:
        return str(ipaddress.ip_interface(f"{self.address}/{self.length}").network)


@dataclass(slots=True)
class Route:
    prefix: str
    next_hop: str
    index: int
    metric: int = 256
    persistent: bool = True
    protocol: str = "NetMgmt"


@dataclass(slots=True)
class FirewallRule:
    name: str
    display_name: str
    description: str = ""
    group: str = ""
    enabled: bool = True
    profile: str = "Any"
    direction: str = "Inbound"
    action: str = "Allow"
    protocol: str = "Any"
    local_port: list[str] = field(default_factory=lambda: ["Any"])
    remote_port: list[str] = field(default_factory=lambda: ["Any"])
    local_address: list[str] = field(default_factory=lambda: ["Any"])
    remote_address: list[str] = field(default_factory=lambda: ["Any"])
    icmp_type: list[str] = field(default_factory=lambda: ["Any"])
    program: str = "Any"
    service: str = "Any"
    interface_alias: list[str] = field(default_factory=lambda: ["Any"])


@dataclass(slots=True)
class HnsNetwork:
    name: str
    kind: str  # "L2Bridge", "Overlay", "NAT", "Transparent"
    subnets: list[dict[str, Any]]  # {"AddressPrefix": ..., "GatewayAddress": ...}
    management_address: str = ""
    adapter_name: str = ""
    source_mac: str = ""
    gateway_index: int = 0  # of the host's adapter on an internal network
    persistent: bool = True  # whether it is there again after a reboot
    id: str = field(default_factory=lambda: str(uuid.uuid4()).upper())


@dataclass(slots=True)
class HnsEndpoint:
    name: str
    network: str  # id
    address: str
    mac: str
    compartment: int = 0
    gateway: str = ""
    prefix_length: int = 24
    policies: list[dict[str, Any]] = field(default_factory=list)
    id: str = field(default_factory=lambda: str(uuid.uuid4()).upper())


class WindowsNetwork:
    """The settings of one machine."""

    def __init__(
        self,
        machine: WindowsMachine,
        *,
        prefix_length: int,
        gateway: str,
        dns: list[str],
        nic: str = "Ethernet",
    ) -> None:
        self._machine = machine
        number = random.Random(machine.address)  # noqa: S311 - a stable MAC address, not a secret
        self._number = number
        mac = self.new_mac("00-15-5D")
        ethernet = Adapter(5, nic, "Microsoft Hyper-V Network Adapter", mac, dns=dns)
        ethernet.guid = "{" + str(uuid.uuid5(uuid.NAMESPACE_OID, mac)).upper() + "}"
        self.adapters = [ethernet]
        self.addresses = [
            Address(5, machine.address, prefix_length),
            Address(LOOPBACK_INDEX, "127.0.0.1", 8, "WellKnown"),
        ]
        self.routes: list[Route] = []
        if gateway:
            self.routes.append(Route("0.0.0.0/0", gateway, 5))
        self.rules = _initial_rules()
        self.profiles_enabled = {"Domain": True, "Private": True, "Public": True}
        self.dynamic_ports = {"tcp": (49152, 16384), "udp": (49152, 16384)}
        self.excluded_ports: dict[str, list[tuple[int, int]]] = {"tcp": [], "udp": []}
        self.hns_networks: list[HnsNetwork] = []
        self.hns_endpoints: list[HnsEndpoint] = []
        self.hns_policies: list[dict[str, Any]] = []
        self.interruption_seconds = 3.0
        """How long the machine is unreachable when the virtual switch takes the adapter over."""
        self.loses_address = 0
        """How many of the next hand-overs of the adapter lose its static address (a fault)."""
        self.returns_as_dhcp = 0
        """How many of the next hand-overs of the adapter give its address back as one that DHCP gave (a mood)."""
        self.rebinding_seconds = 0.0
        """How long HNS refuses every question while the adapter is handed over."""
        self._rebinding_until = 0.0
        self.early_ends = 0
        """How many of the next starts of flanneld end at once: its adapter has no address for a moment."""
        self.silent_starts = 0
        """How many of the next starts of flanneld make no network (a fault)."""

    def new_mac(self, vendor: str = "00-15-5D") -> str:
        """A MAC address with that vendor's beginning."""
        return vendor + "".join(f"-{self._number.randrange(256):02X}" for _ in range(3))

    # --- looking things up

    def adapter(self, *, index: int | None = None, name: str | None = None) -> Adapter | None:
        """An adapter by interface index or alias."""
        for adapter in self.adapters:
            if index == adapter.index or (
                name is not None and adapter.name.lower() == name.lower()
            ):
                return adapter
        return None

    def interface_name(self, index: int) -> str:
        """The alias of an interface index."""
        if index == LOOPBACK_INDEX:
            return "Loopback Pseudo-Interface 1"
        adapter = self.adapter(index=index)
        return adapter.name if adapter else ""

    def primary(self) -> Adapter:
        """The adapter that holds the machine's own address, else the physical one."""
        for address in self.addresses:
            if address.address == self._machine.address:
                adapter = self.adapter(index=address.index)
                if adapter is not None:
                    return adapter
        return self.adapters[0]

    def physical_of(self, address: str) -> str:
        """The alias of the physical adapter that holds an address, or on whose behalf a virtual one does."""
        index = next((a.index for a in self.addresses if a.address == address), None)
        adapter = self.adapter(index=index) if index is not None else None
        name = adapter.name if adapter is not None else self.adapters[0].name
        return (
            name.removeprefix("vEthernet (").removesuffix(")")
            if adapter and adapter.virtual
            else name
        )

    def route_table(self) -> list[Route]:
        """Configured routes and those that follow from addresses."""
        result = list(self.routes)
        for address in self.addresses:
            if address.compartment != 1:
                continue
            network = ipaddress.ip_network(address.network)
            for prefix in (
                str(network),
                f"{address.address}/32",
                f"{network.broadcast_address}/32",
            ):
                result.append(Route(prefix, "0.0.0.0", address.index, 256, True, "Local"))  # noqa: S104
        for adapter in self.adapters:
            for prefix in ("224.0.0.0/4", "255.255.255.255/32"):
                result.append(Route(prefix, "0.0.0.0", adapter.index, 256, True, "Local"))  # noqa: S104
        return result

    def next_index(self) -> int:
        """The next free interface index."""
        return max(adapter.index for adapter in self.adapters) + 6

    # --- HNS

    def network_named(self, name: str) -> HnsNetwork | None:
        """An HNS network by name."""
        return next((n for n in self.hns_networks if n.name.lower() == name.lower()), None)

    def create_hns_network(
        self, name: str, kind: str, subnets: list[dict[str, Any]], adapter_name: str = ""
    ) -> HnsNetwork:
        """Create a network; an external one takes the adapter over and interrupts the machine.

        Raises:
            HnsError: The service does not run, the name is taken, or the adapter is in use or missing.
        """
        machine = self._machine
        self.require_hns()
        if machine.services.state("mpssvc") != "Running":
            # It writes rules of the firewall for each network (docker/for-win#9474, microsoft/WSL#4403).
            raise HnsError(
                "0x800706d9",
                "hnsCall failed in Win32: There are no more endpoints available from the endpoint mapper.",
            )
        if self.network_named(name) is not None:
            raise HnsError(
                "0x803b0010", "hnsCall failed in Win32: A network with this name already exists."
            )
        kinds = {"l2bridge": "L2Bridge", "overlay": "Overlay", "nat": "NAT", "transparent": "Transparent",
                 "l2tunnel": "L2Tunnel", "ics": "ICS", "private": "Private", "internal": "Internal"}  # fmt: skip
        if kind.lower() not in kinds:
            raise HnsError(
                "0x803b000d", f"hnsCall failed in Win32: The network type {kind} is not valid."
            )
        network = HnsNetwork(
            name, kinds[kind.lower()], subnets, source_mac=self.new_mac("00-15-5D")
        )
        if network.kind in ("L2Bridge", "Overlay", "Transparent", "L2Tunnel"):
            with machine.lock:
                self._take_adapter(network, adapter_name)
        elif network.kind in ("NAT", "ICS", "Internal") and subnets:
            self._add_gateway(network, subnets[0])
        self.hns_networks.append(network)
        machine.registry.create(
            rf"HKLM\SYSTEM\CurrentControlSet\Services\hns\State\HostComputeNetwork\Network\{network.id}"
        )
        return network

    def _add_gateway(self, network: HnsNetwork, subnet: dict[str, Any]) -> None:
        """An internal switch: the host has an adapter on it, with the gateway's address."""
        name = "nat" if network.kind == "NAT" else network.name
        adapter = Adapter(self.next_index(), f"vEthernet ({name})", "Hyper-V Virtual Ethernet Adapter", self.new_mac(), virtual=True,
                          category="Public", profile="Unidentified network")  # fmt: skip
        length = int(str(subnet.get("AddressPrefix", "/24")).rpartition("/")[2])
        with self._machine.lock:
            self.adapters.append(adapter)
            self.addresses.append(
                Address(adapter.index, str(subnet.get("GatewayAddress", "")), length)
            )
        network.gateway_index = adapter.index

    def require_hns(self) -> None:
        """Raise unless the Host Network Service runs."""
        if self._machine.services.state("hns") != "Running":
            raise HnsError("0x800706ba", "hnsCall failed in Win32: The RPC server is unavailable.")
        if time.monotonic() < self._rebinding_until:
            raise HnsError(
                "0x80070015", "hnsCall failed in Win32: The device is not ready for this request."
            )

    def _rebind(self) -> None:
        """The adapter changes hands: connections break, and HNS has no answers until it is over."""
        self._rebinding_until = time.monotonic() + self.rebinding_seconds * self._machine.pace
        self._machine.interrupt(self.interruption_seconds)

    def _take_adapter(self, network: HnsNetwork, adapter_name: str) -> None:
        name = adapter_name or next(a.name for a in self.adapters if not a.virtual)
        name = (
            name.removeprefix("vEthernet (").removesuffix(")")
            if name.startswith("vEthernet")
            else name
        )
        existing = next((n for n in self.hns_networks if n.adapter_name), None)
        physical = self.adapter(name=name)
        if physical is None or physical.virtual:
            raise HnsError("0x803b0006", "hnsCall failed in Win32: An adapter was not found.")
        network.adapter_name = physical.name
        if existing is not None:
            network.management_address = existing.management_address
            return
        virtual = Adapter(
            self.next_index(), f"vEthernet ({physical.name})", "Hyper-V Virtual Ethernet Adapter", physical.mac,
            virtual=True, dhcp=physical.dhcp, dns=list(physical.dns), category="Public",
            profile="Unidentified network",
        )  # fmt: skip
        self.adapters.append(virtual)
        self._move(physical.index, virtual.index)
        physical.dns = []
        own = next((a for a in self.addresses if a.index == virtual.index), None)
        network.management_address = own.address if own else ""
        self._lose(virtual.index)
        self._give_back_as_dhcp(virtual)
        self._rebind()

    def _lose(self, index: int) -> None:
        """The fault: a static address does not survive the hand-over, Windows gives itself one instead."""
        if self.loses_address <= 0:
            return
        self.loses_address -= 1
        number = self._number
        self.addresses = [a for a in self.addresses if a.index != index]
        self.addresses.append(
            Address(
                index,
                f"169.254.{number.randrange(1, 255)}.{number.randrange(1, 255)}",
                16,
                "WellKnown",
            )
        )
        self.routes = [r for r in self.routes if r.index != index]

    def _give_back_as_dhcp(self, adapter: Adapter) -> None:
        """A static address that comes back with DHCP switched on: the next lease takes it away.

        Source: kubernetes-sigs/sig-windows-tools#162, where a server's static address was such after the switch.
        """
        if self.returns_as_dhcp <= 0:
            return
        self.returns_as_dhcp -= 1
        adapter.dhcp = True
        for address in self.addresses:
            if address.index == adapter.index and address.origin == "Manual":
                address.origin = "Dhcp"

    def _move(self, source: int, target: int) -> None:
        for address in self.addresses:
            if address.index == source:
                address.index = target
        for route in self.routes:
            if route.index == source:
                route.index = target

    def remove_hns_network(self, network: HnsNetwork) -> None:
        """Remove a network with its endpoints; the last external one gives the adapter back."""
        self.require_hns()
        if self._let_go(network):
            physical = self.adapter(name=network.adapter_name)
            if physical is not None:
                self._lose(physical.index)
                self._give_back_as_dhcp(physical)
                self._rebind()

    def _let_go(self, network: HnsNetwork) -> bool:
        """A network is gone with its endpoints; True when the adapter is its own again."""
        self.hns_networks = [n for n in self.hns_networks if n.id != network.id]
        for endpoint in [e for e in self.hns_endpoints if e.network == network.id]:
            self.remove_hns_endpoint(endpoint)
        self._machine.registry.delete(
            rf"HKLM\SYSTEM\CurrentControlSet\Services\hns\State\HostComputeNetwork\Network\{network.id}"
        )
        if network.gateway_index:
            self.adapters = [a for a in self.adapters if a.index != network.gateway_index]
            self.addresses = [a for a in self.addresses if a.index != network.gateway_index]
        if not network.adapter_name or any(n.adapter_name for n in self.hns_networks):
            return False
        physical = self.adapter(name=network.adapter_name)
        virtual = self.adapter(name=f"vEthernet ({network.adapter_name})")
        if physical is None or virtual is None:
            return False
        self._move(virtual.index, physical.index)
        physical.dns = list(virtual.dns)
        self.adapters.remove(virtual)
        return True

    def create_hns_endpoint(
        self, name: str, network: HnsNetwork, address: str, gateway: str = ""
    ) -> HnsEndpoint:
        """Create an endpoint in a network.

        Raises:
            HnsError: The address is taken (0x1392, the object already exists).
        """
        self.require_hns()
        if any(e.address == address and e.network == network.id for e in self.hns_endpoints):
            raise HnsError(
                "0x1392", "hcnCreateEndpoint failed in Win32: The object already exists."
            )
        endpoint = HnsEndpoint(name, network.id, address, self.new_mac("00-15-5D"), gateway=gateway)
        self.hns_endpoints.append(endpoint)
        return endpoint

    def attach_host_endpoint(self, endpoint: HnsEndpoint) -> Adapter:
        """Attach an endpoint to the host's own compartment: it becomes an adapter with an address."""
        adapter = Adapter(
            self.next_index(), f"vEthernet ({endpoint.name})", "Hyper-V Virtual Ethernet Adapter #2", endpoint.mac,
            virtual=True, category="Public", profile="Unidentified network",
        )  # fmt: skip
        endpoint.compartment = 1
        self.adapters.append(adapter)
        self.addresses.append(Address(adapter.index, endpoint.address, endpoint.prefix_length))
        return adapter

    def remove_hns_endpoint(self, endpoint: HnsEndpoint) -> None:
        """Remove an endpoint and the adapter that it may be on the host."""
        self.hns_endpoints = [e for e in self.hns_endpoints if e.id != endpoint.id]
        adapter = self.adapter(name=f"vEthernet ({endpoint.name})")
        if adapter is not None:
            self.adapters.remove(adapter)
            self.addresses = [a for a in self.addresses if a.index != adapter.index]
            self.routes = [r for r in self.routes if r.index != adapter.index]

    def forget(self) -> None:
        """A reboot: what is not persistent and containers' endpoints are gone."""
        for network in [n for n in self.hns_networks if not n.persistent]:
            self._let_go(network)
        self.routes = [r for r in self.routes if r.persistent]
        self.hns_policies = []
        self.hns_endpoints = [e for e in self.hns_endpoints if e.compartment == 1]


def _initial_rules() -> list[FirewallRule]:
    remote = "Windows Remote Management"
    sharing = "File and Printer Sharing"
    return [
        FirewallRule("WINRM-HTTP-In-TCP", f"{remote} (HTTP-In)", group=remote, protocol="TCP", local_port=["5985"]),
        FirewallRule("WINRM-HTTPS-In-TCP", f"{remote} (HTTPS-In)", protocol="TCP", local_port=["5986"]),
        FirewallRule(
            "FPS-ICMP4-ERQ-In", f"{sharing} (Echo Request - ICMPv4-In)", group=sharing, protocol="ICMPv4",
            icmp_type=["8"], enabled=False, profile="Private",
        ),
        FirewallRule("CoreNet-DHCP-In", "Core Networking - Dynamic Host Configuration Protocol (DHCP-In)",
                     group="Core Networking", protocol="UDP", local_port=["68"], remote_port=["67"]),
        FirewallRule("RemoteDesktop-UserMode-In-TCP", "Remote Desktop - User Mode (TCP-In)",
                     group="Remote Desktop", protocol="TCP", local_port=["3389"], enabled=False),
    ]  # fmt: skip
