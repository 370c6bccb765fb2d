"""Which machines a lab has, and on which real addresses and ports they answer.

Every machine has a loopback address of its own, so that ports are the same on each and a machine
can be told from another by address, as on a real network. Systems that only have 127.0.0.1 get
distinct ports there instead.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from k8swin_lab import sites

DEFAULT_NETWORK = "127.160.0.0/24"
SSH_PORT = 2222
WINRM_HTTP_PORT = 55985
WINRM_HTTPS_PORT = 55986
API_PORT = 6443
WINDOWS_BUILD = 20348
DISTRIBUTION = "bookworm"
NIC = "Ethernet"
_SYSTEMS = ("linux", "windows")
_KEYS = {"name", "os", "address", "user", "build", "distribution", "nic", "outside", "site"}
_DISTRIBUTIONS = ("bionic", "bookworm")
_NETBIOS_LENGTH = 15


class TopologyError(Exception):
    """The machines asked for cannot be; the text names the key, the value and what fits."""


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """One machine, and where it answers on this computer."""

    name: str
    os: str  # "linux" or "windows"
    address: str  # the machine's own, on the lab's network
    user: str
    build: int = WINDOWS_BUILD  # of Windows
    distribution: str = DISTRIBUTION  # code name of the Linux that is installed
    nic: str = NIC  # alias of Windows' network adapter
    outside: bool = False  # its address is this computer's on a network with real hosts
    site: tuple[str, ...] = ()  # moods of a Windows machine, see `sites`
    listen: str = ""  # real address of its sockets; the machine's own when empty
    ssh_port: int = SSH_PORT
    winrm_http_port: int = WINRM_HTTP_PORT
    winrm_https_port: int = WINRM_HTTPS_PORT
    api_port: int = API_PORT

    @property
    def bound(self) -> str:
        """The real address on which this machine's sockets listen."""
        return self.listen or self.address


@dataclass(frozen=True, slots=True)
class Generation:
    """Which systems the machines of a lab have when nothing else is said."""

    build: int
    distribution: str


GENERATIONS = {
    # Windows Server 2022 and Debian 12: control groups v2, iptables over nf_tables
    "current": Generation(WINDOWS_BUILD, DISTRIBUTION),
    # Windows Server 2019 and Ubuntu 18.04: control groups v1, legacy iptables
    "classic": Generation(17763, "bionic"),
}


def default(network: str = DEFAULT_NETWORK, generation: str = "current") -> list[MachineSpec]:
    """Return a control plane and two Windows workers on a network such as `127.160.0.0/24`.

    Args:
        network: from which their addresses are.
        generation: a key of `GENERATIONS`.

    Raises:
        TopologyError: it is not an IPv4 network with room for them, or no generation.
    """
    try:
        hosts = ipaddress.IPv4Network(network)
    except ValueError as error:
        raise TopologyError(f"--network: {error}; expected one such as 127.161.0.0/24") from error
    if hosts.prefixlen > 24:
        raise TopologyError(f"--network: {network} is too small; expected a /24 or larger")
    if generation not in GENERATIONS:
        known = " or ".join(GENERATIONS)
        raise TopologyError(f"--generation: found {generation}, expected {known}")
    systems = GENERATIONS[generation]
    return [
        MachineSpec(
            "linuxmaster", "linux", str(hosts[10]), "ubuntu", distribution=systems.distribution
        ),
        MachineSpec(
            "winworker01", "windows", str(hosts[151]), "Administrator", build=systems.build
        ),
        MachineSpec(
            "winworker02", "windows", str(hosts[152]), "Administrator", build=systems.build
        ),
    ]


def generation_of(specs: Sequence[MachineSpec]) -> str:
    """Return the generation of the first Linux machine's system; the control plane decides versions."""
    systems = [spec.distribution for spec in specs if spec.os == "linux"]
    named = {generation.distribution: name for name, generation in GENERATIONS.items()}
    return named[systems[0]] if systems else "current"


def load(path: Path) -> list[MachineSpec]:
    """Read machines from a YAML file: `machines:` with name, os and address.

    user, build, distribution, nic, outside and site are optional. `site:` beside `machines:` is for all Windows machines.

    Raises:
        TopologyError: the file does not describe machines.
    """
    import yaml

    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise TopologyError(f"{path}: {error}") from error
    entries = document.get("machines") if isinstance(document, Mapping) else None
    if not isinstance(entries, list) or not entries:
        raise TopologyError(f"{path}: expected a list under `machines`")
    specs = [_spec(path, number, entry) for number, entry in enumerate(entries)]
    for key in ("name", "address"):
        values = [getattr(spec, key) for spec in specs]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise TopologyError(f"{path}: two machines have the {key} {twice[0]}")
    return with_site(specs, _site(str(path), document.get("site", ())))


def _site(where: str, value: Any) -> tuple[str, ...]:
    """Return the moods that a `site` key names."""
    if not isinstance(value, str | list | tuple):
        raise TopologyError(f"{where}: site is `{value}`, expected moods such as german,scanner")
    try:
        return sites.named(value)
    except sites.UnknownMood as error:
        raise TopologyError(f"{where}: site: {error}") from error


def with_site(specs: Sequence[MachineSpec], site: str | Sequence[str]) -> list[MachineSpec]:
    """Give moods to all Windows machines, beside those that they have.

    Raises:
        TopologyError: a name is not known, or does not go with another.
    """
    wanted = _site("--site", site)
    return [
        dataclasses.replace(spec, site=_site(spec.name, [*spec.site, *wanted]))
        if spec.os == "windows"
        else spec
        for spec in specs
    ]


def _spec(path: Path, number: int, entry: Any) -> MachineSpec:
    where = f"{path}: machines[{number}]"
    if not isinstance(entry, Mapping):
        raise TopologyError(f"{where}: expected name, os and address, found {entry!r}")
    unknown = set(entry) - _KEYS
    if unknown:
        known = ", ".join(sorted(_KEYS))
        raise TopologyError(f"{where}: unknown key `{sorted(unknown)[0]}`; known are {known}")
    missing = {"name", "os", "address"} - set(entry)
    if missing:
        raise TopologyError(f"{where}: `{sorted(missing)[0]}` is missing")
    name, system = str(entry["name"]), str(entry["os"])
    if system not in _SYSTEMS:
        raise TopologyError(f"{where}: os is `{system}`, expected linux or windows")
    if not name.replace("-", "").isalnum() or name != name.lower():
        raise TopologyError(f"{where}: `{name}` is not a lower-case host name")
    if system == "windows" and len(name) > _NETBIOS_LENGTH:
        raise TopologyError(f"{where}: `{name}` has more than {_NETBIOS_LENGTH} characters")
    try:
        address = ipaddress.IPv4Address(str(entry["address"]))
    except ValueError as error:
        raise TopologyError(f"{where}: {error}") from error
    outside = entry.get("outside", False)
    if not isinstance(outside, bool) or (outside and system != "windows"):
        raise TopologyError(
            f"{where}: outside is `{outside}`, expected true or false for a Windows machine"
        )
    if address.is_loopback == outside:
        wanted = "an address of this computer on its network" if outside else "127.0.0.0/8"
        raise TopologyError(
            f"{where}: {address} is not {'that' if outside else 'a loopback address'}; expected {wanted}"
        )
    build = entry.get("build", WINDOWS_BUILD)
    if not isinstance(build, int):
        raise TopologyError(f"{where}: build is `{build}`, expected a number such as 20348")
    distribution = str(entry.get("distribution", DISTRIBUTION))
    if distribution not in _DISTRIBUTIONS:
        known = " or ".join(_DISTRIBUTIONS)
        raise TopologyError(f"{where}: distribution is `{distribution}`, expected {known}")
    nic = str(entry.get("nic", NIC))
    if not nic.strip() or (system == "linux" and "nic" in entry):
        raise TopologyError(
            f"{where}: nic is `{nic}`, expected the alias of a Windows machine's adapter"
        )
    user = str(entry.get("user") or ("ubuntu" if system == "linux" else "Administrator"))
    site = _site(where, entry.get("site", ()))
    if site and system == "linux":
        raise TopologyError(f"{where}: site is for Windows machines")
    return MachineSpec(name, system, str(address), user, build, distribution, nic, outside, site)


def placed(specs: Sequence[MachineSpec]) -> list[MachineSpec]:
    """Return the machines with real addresses: their own where this computer has them.

    Where only 127.0.0.1 can be bound (macOS), machine n of the list answers there on the default
    SSH port + n, API port + n, and WinRM ports + 10 n.
    """
    for spec in specs:
        if spec.outside and not can_bind(spec.address):
            raise TopologyError(f"{spec.name}: this computer does not have {spec.address}")
    if all(can_bind(spec.address) for spec in specs):
        return list(specs)
    return [
        dataclasses.replace(
            spec,
            listen="127.0.0.1",
            ssh_port=SSH_PORT + number,
            winrm_http_port=WINRM_HTTP_PORT + 10 * number,
            winrm_https_port=WINRM_HTTPS_PORT + 10 * number,
            api_port=API_PORT + number,
        )
        for number, spec in enumerate(specs)
    ]


def can_bind(address: str, port: int = 0) -> bool:
    """Whether this computer has an address and nothing listens at its port; 0: at any port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
