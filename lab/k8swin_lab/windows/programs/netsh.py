"""netsh.exe: port ranges, forwarding, the addresses of interfaces, the WinHTTP proxy, the firewall's basics."""

from __future__ import annotations

import re
from collections.abc import Callable

from k8swin_lab.known import options
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.windows.machine_of import machine_of
from k8swin_lab.windows.programs.network_tools import netmask


def netsh(process: Process) -> int:
    """netsh.exe: port ranges, forwarding, the WinHTTP proxy, and the firewall's basics."""
    words = [w.lower() for w in process.argv[1:]]
    text = " ".join(words)
    text = re.sub(r"^(?:int|interface) ip(?:v4)? ", "interface ipv4 ", text)
    for pattern, action in _NETSH:
        found = re.fullmatch(pattern, text)
        if found is not None:
            return action(process, found)
    if not words:
        raise NotSimulated("an interactive netsh.exe")
    if words[0] in options.of("netsh.exe"):
        raise NotSimulated(f"netsh.exe {text}")
    process.out(f"The following command was not found: {' '.join(process.argv[1:])}.\r\n")
    return 1


def _say(process: Process, text: str) -> None:
    """Write an answer of netsh in the language of the machine."""
    process.out(f"{machine_of(process).locale.words.say(text)}\r\n\r\n")


def _excluded(process: Process, found: re.Match[str]) -> int:
    ranges = [(5985, 5985, ""), (47001, 47001, "")]
    ranges += [(a, b, "     *") for a, b in machine_of(process).net.excluded_ports[found[1]]]
    rows = "".join(f"{a:>10}{b:>12}{mark} \r\n" for a, b, mark in sorted(ranges))
    say = machine_of(process).locale.words.say
    title = say("Protocol {} Port Exclusion Ranges").format(found[1])
    process.out(f"\r\n{title}\r\n\r\n{say('Start Port    End Port')}      \r\n----------    --------      \r\n"
                f"{rows}\r\n{say('* - Administered port exclusions.')}\r\n\r\n")  # fmt: skip
    return 0


def _exclude(process: Process, found: re.Match[str]) -> int:
    first, count = int(found[3]), int(found[4])
    ranges = machine_of(process).net.excluded_ports[found[2]]
    wanted = (first, first + count - 1)
    if found[1] == "delete":
        if wanted not in ranges:
            _say(process, "The system cannot find the file specified.")
            return 1
        ranges.remove(wanted)
    elif (
        count < 1 or first + count > 65536 or any(a <= wanted[1] and first <= b for a, b in ranges)
    ):
        _say(
            process,
            "The process cannot access the file because it is being used by another process.",
        )
        return 1
    else:
        ranges.append(wanted)
    _say(process, "Ok.")
    return 0


def _dynamic(process: Process, found: re.Match[str]) -> int:
    start, count = machine_of(process).net.dynamic_ports[found[1]]
    say = machine_of(process).locale.words.say
    title = say("Protocol {} Dynamic Port Range").format(found[1])
    process.out(f"\r\n{title}\r\n---------------------------------\r\n{say('Start Port      : {}').format(start)}\r\n"
                f"{say('Number of Ports : {}').format(count)}\r\n\r\n")  # fmt: skip
    return 0


def _set_dynamic(process: Process, found: re.Match[str]) -> int:
    start, count = int(found[2]), int(found[3])
    if start < 1025 or count < 255 or start + count > 65536:
        _say(process, "The parameter is incorrect.")
        return 1
    machine_of(process).net.dynamic_ports[found[1]] = (start, count)
    _say(process, "Ok.")
    return 0


def _proxy(process: Process, found: re.Match[str]) -> int:
    say = machine_of(process).locale.words.say
    process.out(
        f"\r\n{say('Current WinHTTP proxy settings:')}\r\n\r\n    {say('Direct access (no proxy server).')}\r\n\r\n"
    )
    return 0


def _forwarding(process: Process, found: re.Match[str]) -> int:
    name = found[1].strip('"')
    net = machine_of(process).net
    adapter = net.adapter(index=int(name)) if name.isdigit() else net.adapter(name=name)
    if adapter is None:
        _say(process, "The filename, directory name, or volume label syntax is incorrect.")
        return 1
    adapter.forwarding = found[2] == "enabled"
    _say(process, "Ok.")
    return 0


def _configuration(process: Process, found: re.Match[str]) -> int:
    """`show config`, with or without an interface: flanneld 0.11 and 0.12 read its English words."""
    net = machine_of(process).net
    say = machine_of(process).locale.words.say
    wanted = (found[1] or "").strip('"')
    adapters = [a for a in net.adapters if wanted in ("", a.name.lower(), str(a.index))]
    if not adapters:
        _say(process, "The filename, directory name, or volume label syntax is incorrect.")
        return 1
    for adapter in adapters:
        title = say('Configuration for interface "{}"').format(adapter.name)
        lines = [(say("DHCP enabled"), say("Yes" if adapter.dhcp else "No"))]
        for address in net.addresses:
            if address.index == adapter.index:
                prefix = f"{address.network} ({say('mask')} {netmask(address.length)})"
                lines += [(say("IP Address"), address.address), (say("Subnet Prefix"), prefix)]
        for route in net.routes:
            if route.index == adapter.index and route.prefix == "0.0.0.0/0":
                lines += [
                    (say("Default Gateway"), route.next_hop),
                    (say("Gateway Metric"), str(route.metric)),
                ]
        lines.append((say("InterfaceMetric"), str(adapter.metric)))
        body = "".join(f"    {name + ':':<38}{value}\r\n" for name, value in lines)
        process.out(f"\r\n{title}\r\n{body}")
    process.out("\r\n")
    return 0


def _firewall_off(process: Process, found: re.Match[str]) -> int:
    net = machine_of(process).net
    for name in net.profiles_enabled:
        if found[1] in ("all", name.lower()):
            net.profiles_enabled[name] = found[2] == "on"
    _say(process, "Ok.")
    return 0


_NETSH: tuple[tuple[str, Callable[[Process, re.Match[str]], int]], ...] = (
    (r"interface ipv4 show excludedportrange (?:protocol=)?(tcp|udp)(?: store=(?:active|persistent))?", _excluded),
    (r"interface ipv4 (add|delete) excludedportrange (?:protocol=)?(tcp|udp) (?:startport=)?(\d+) (?:numberofports=)?(\d+)"
     r"(?: (?:store=)?(?:active|persistent))?", _exclude),
    (r"interface ipv4 show dynamic(?:port|portrange)? ?(?:protocol=)?(tcp|udp)", _dynamic),
    (r"interface ipv4 set dynamic(?:port|portrange)? (?:protocol=)?(tcp|udp) (?:start=|startport=)?(\d+) (?:num=|numberofports=)?(\d+)",
     _set_dynamic),
    (r"interface ipv4 set int(?:erface)? (?:interface=)?(\"[^\"]+\"|.+?) for(?:warding)?=(enabled|disabled)",
     _forwarding),
    (r"interface ipv4 show (?:config|addresses)(?: (?:name=)?(\"[^\"]+\"|.+))?", _configuration),
    (r"winhttp show proxy", _proxy),
    (r"advfirewall set (all|domain|private|public)profiles? state (on|off)", _firewall_off),
)  # fmt: skip
