"""Virtual machines of a simulated Hyper-V host, as far as their network adapters go."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class VirtualAdapter:
    """A virtual network adapter; the host's switch drops foreign addresses unless spoofing is on."""

    name: str = "Network Adapter"
    switch: str = "External"
    mac: str = "00155D000001"
    mac_address_spoofing: str = "Off"


@dataclass(slots=True)
class VirtualMachine:
    name: str
    state: str = "Running"
    adapters: list[VirtualAdapter] = field(default_factory=lambda: [VirtualAdapter()])
