"""ip: addresses, links, routes and neighbours."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from k8swin_lab.arguments import refuse_option
from k8swin_lab.known import options
from k8swin_lab.linux.files import machine_of
from k8swin_lab.machines.interfaces import Interface, Route, mac_of
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated, Process

_OBJECTS = ("address", "link", "route", "neighbour", "neighbor", "rule")
_FLAGS = {"-4": "4", "-6": "6", "-o": "o", "-oneline": "o", "-j": "j", "-json": "j", "-p": "p",
          "-pretty": "p", "-br": "br", "-brief": "br", "-d": "d", "-details": "d", "-s": "s",
          "-n": "", "-c": "", "-color=never": "", "-N": ""}  # fmt: skip


def ip(process: Process) -> int:
    """Run ip."""
    flags: set[str] = set()
    words = process.argv[1:]
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word in ("-V", "-Version"):
            process.out("ip utility, iproute2-6.1.0, libbpf 1.1.0\n")
            return 0
        if word == "-f" and words and words[0] in ("inet", "inet6"):
            flags.add("4" if words.pop(0) == "inet" else "6")
        elif word in _FLAGS:
            flags.add(_FLAGS[word])
        else:
            raise NotSimulated(f"ip {word}")
    if "d" in flags or "s" in flags:
        raise NotSimulated("ip -details" if "d" in flags else "ip -statistics")
    if not words:
        process.err("Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n")
        return 255
    kind = next((name for name in _OBJECTS if name.startswith(words[0])), None)
    if kind is None:
        longer = sorted(name for name in options.of("ip") if name.startswith(words[0]))
        refuse_option("ip", longer[0] if longer else words[0])
        process.err(f'Object "{words[0]}" is unknown, try "ip help".\n')
        return 1
    machine = machine_of(process)
    rest = words[1:]
    with machine.lock:
        if kind in ("address", "link"):
            return _links(process, machine, kind, flags, rest)
        if kind == "route":
            return _routes(process, machine, flags, rest)
        if kind.startswith("neigh"):
            return _neighbours(process, machine, rest)
    raise NotSimulated(f"ip {kind}")


def _links(
    process: Process, machine: LinuxMachine, kind: str, flags: set[str], words: list[str]
) -> int:
    verb = words[0] if words else "show"
    if verb in ("show", "list", "ls", "sh", "s", "l"):
        rest = [word for word in words[1:] if word != "dev"]
    elif verb in ("add", "del", "delete", "set", "flush", "replace"):
        return _change_link(process, machine, kind, words)
    else:
        rest = [word for word in words if word != "dev"]
    state = None
    if "up" in rest:
        rest.remove("up")
        state = "UP"
    if "type" in rest or "scope" in rest or "to" in rest:
        raise NotSimulated(f"ip {kind} show {' '.join(rest)}")
    if rest and rest[0] not in machine.interfaces.links:
        process.err(f'Device "{rest[0]}" does not exist.\n')
        return 1
    links = [
        link
        for link in list(machine.interfaces.links.values())
        if (not rest or link.name == rest[0]) and (not state or state in link.flags)
    ]
    if "j" in flags:
        found = [_link_json(link, kind, flags) for link in links]
        if kind == "address" and ("4" in flags or "6" in flags):
            found = [one for one in found if one["addr_info"]]
        indent = 4 if "p" in flags else None
        process.out(
            json.dumps(found, indent=indent, separators=None if indent else (",", ":")) + "\n"
        )
        return 0
    for link in links:
        process.out(_link_text(link, kind, flags))
    return 0


def _family(address: str) -> str:
    return "6" if ":" in address else "4"


def _wanted(link: Interface, flags: set[str]) -> list[str]:
    versions = flags & {"4", "6"}
    addresses = list(link.addresses)
    if link.name == "lo":
        addresses.append("::1/128")
    return [one for one in addresses if not versions or _family(one) in versions]


def _link_text(link: Interface, kind: str, flags: set[str]) -> str:
    addresses = _wanted(link, flags)
    if "br" in flags:
        shown = " ".join(addresses) if kind == "address" else f"{link.mac} <{','.join(link.flags)}>"
        return f"{link.name:<16} {link.state:<14} {shown} \n"
    if kind == "address" and flags & {"4", "6"} and not addresses:
        return ""
    if "o" in flags and kind == "address":
        return "".join(
            f"{link.index}: {link.name}    {_address_text(link, one)}\\       valid_lft forever "
            "preferred_lft forever\n"
            for one in addresses
        )
    mode = "" if kind == "address" else "mode DEFAULT "
    qdisc = "noqueue" if link.kind or link.name == "lo" else "mq"
    end = "\\" if "o" in flags else "\n"
    text = (
        f"{link.index}: {link.name}: <{','.join(link.flags)}> mtu {link.mtu} qdisc {qdisc} state "
        f"{link.state} {mode}group default qlen 1000{end}"
    )
    if not flags & {"4", "6"}:
        where = "loopback" if link.name == "lo" else "ether"
        cast = "00:00:00:00:00:00" if link.name == "lo" else "ff:ff:ff:ff:ff:ff"
        text += f"    link/{where} {link.mac} brd {cast}\n"
    if kind == "address":
        for one in addresses:
            text += (
                f"    {_address_text(link, one)}\n       valid_lft forever preferred_lft forever\n"
            )
    return text


def _address_text(link: Interface, address: str) -> str:
    if ":" in address:
        return f"inet6 {address} scope {'host' if link.name == 'lo' else 'link'} "
    if link.name == "lo":
        return f"inet {address} scope host lo"
    broadcast = ""
    network = ipaddress.ip_interface(address).network
    if network.prefixlen < 31:
        broadcast = f"brd {network.broadcast_address} "
    return f"inet {address} {broadcast}scope global {link.name}"


def _link_json(link: Interface, kind: str, flags: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ifindex": link.index,
        "ifname": link.name,
        "flags": list(link.flags),
        "mtu": link.mtu,
        "qdisc": "noqueue" if link.kind or link.name == "lo" else "mq",
        "operstate": link.state,
        **({"linkmode": "DEFAULT"} if kind == "link" else {}),
        "group": "default",
        "txqlen": 1000,
        "link_type": "loopback" if link.name == "lo" else "ether",
        "address": link.mac,
        "broadcast": "00:00:00:00:00:00" if link.name == "lo" else "ff:ff:ff:ff:ff:ff",
    }
    if kind == "address":
        found["addr_info"] = [_address_json(link, one) for one in _wanted(link, flags)]
    return found


def _address_json(link: Interface, address: str) -> dict[str, Any]:
    local, _, length = address.partition("/")
    network = ipaddress.ip_interface(address).network
    is_v4 = ":" not in address
    found: dict[str, Any] = {
        "family": "inet" if is_v4 else "inet6",
        "local": local,
        "prefixlen": int(length),
    }
    if is_v4 and link.name != "lo" and network.prefixlen < 31:
        found["broadcast"] = str(network.broadcast_address)
    found["scope"] = "host" if link.name == "lo" else "global" if is_v4 else "link"
    if is_v4:
        found["label"] = link.name
    return found | {"valid_life_time": 4294967295, "preferred_life_time": 4294967295}


def _change_link(process: Process, machine: LinuxMachine, kind: str, words: list[str]) -> int:
    verb, *rest = words
    if process.user != "root":
        process.err("RTNETLINK answers: Operation not permitted\n")
        return 2
    names = [word for word in rest if word != "dev"]
    if kind == "link" and verb in ("del", "delete") and names:
        name = names[0]
        if name not in machine.interfaces.links:
            process.err(f'Cannot find device "{name}"\n')
            return 1
        if name in ("lo", "eth0"):
            raise NotSimulated(f"ip link delete {name}")
        machine.interfaces.remove(name)
        return 0
    if kind == "link" and verb == "set" and names[1:] in (["up"], ["down"]):
        if names[0] not in machine.interfaces.links:
            process.err(f'Cannot find device "{names[0]}"\n')
            return 1
        if names[0] == "eth0" and names[1] == "down":
            raise NotSimulated("ip link set eth0 down")
        machine.interfaces.links[names[0]].state = names[1].upper()
        return 0
    raise NotSimulated(f"ip {kind} {' '.join(words)}")


def _routes(process: Process, machine: LinuxMachine, flags: set[str], words: list[str]) -> int:
    verb = words[0] if words else "show"
    if verb == "get" and len(words) > 1:
        return _route_get(process, machine, flags, words[1])
    if verb in ("add", "del", "delete", "replace", "append"):
        return _change_route(process, machine, words)
    rest = words[1:] if verb in ("show", "list", "ls") else words
    routes = [] if "6" in flags else list(machine.interfaces.routes)
    while rest:
        word = rest.pop(0)
        if word == "default":
            routes = [route for route in routes if route.destination == "default"]
        elif word in ("dev", "via", "proto", "scope", "exact", "to", "match", "table") and rest:
            value = rest.pop(0)
            if word in ("match", "scope", "table") and (word, value) != ("table", "main"):
                raise NotSimulated(f"ip route show {word} {value}")
            routes = [route for route in routes if _route_has(route, word, value)]
        elif "/" in word or word[0].isdigit():
            routes = [route for route in routes if route.destination == word.removesuffix("/32")]
        else:
            raise NotSimulated(f"ip route show {word}")
    if "j" in flags:
        found = [_route_json(route) for route in routes]
        process.out(json.dumps(found, indent=4 if "p" in flags else None,
                               separators=None if "p" in flags else (",", ":")) + "\n")  # fmt: skip
        return 0
    process.out("".join(f"{_route_text(route)} \n" for route in routes))
    return 0


def _route_has(route: Route, word: str, value: str) -> bool:
    if word == "table":
        return True
    fields = {"dev": route.device, "via": route.gateway, "proto": route.protocol,
              "exact": route.destination, "to": route.destination}  # fmt: skip
    return fields[word] == value


def _route_text(route: Route) -> str:
    text = route.destination
    if route.nexthops:
        # The kernel's answer has these in lines of their own.
        ways = " ".join(
            f"\n\tnexthop via {via} dev {device} weight 1" for via, device in route.nexthops
        )
        return f"{text} {ways}"
    if route.gateway:
        text += f" via {route.gateway}"
    text += f" dev {route.device}"
    if route.protocol:
        text += f" proto {route.protocol}"
    if route.scope:
        text += f" scope {route.scope}"
    if route.source:
        text += f" src {route.source}"
    return " ".join([text, *route.flags])


def _route_json(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {"dst": route.destination}
    if route.nexthops:
        ways = [
            {"gateway": via, "dev": device, "weight": 1, "flags": []}
            for via, device in route.nexthops
        ]
        return found | {"flags": [], "nexthops": ways}
    if route.gateway:
        found["gateway"] = route.gateway
    found["dev"] = route.device
    for key, value in (
        ("protocol", route.protocol),
        ("scope", route.scope),
        ("prefsrc", route.source),
    ):
        if value:
            found[key] = value
    return found | {"flags": list(route.flags)}


def _route_get(process: Process, machine: LinuxMachine, flags: set[str], target: str) -> int:
    try:
        address = str(ipaddress.ip_address(target.partition("/")[0]))
    except ValueError:
        process.err(f'Error: any valid prefix is expected rather than "{target}".\n')
        return 1
    if machine.interfaces.own(address):
        process.out(f"local {address} dev lo src {address} uid 0 \n    cache <local> \n")
        return 0
    route = machine.interfaces.route_to(address)
    if route is None:
        process.err("RTNETLINK answers: Network is unreachable\n")
        return 2
    link = machine.interfaces.links[route.device]
    source = route.source or (link.addresses[0].partition("/")[0] if link.addresses else "")
    if "j" in flags:
        found: dict[str, Any] = {"dst": address}
        if route.gateway:
            found["gateway"] = route.gateway
        found |= {"dev": route.device, "prefsrc": source, "flags": [], "uid": 0, "cache": []}
        process.out(json.dumps([found], separators=(",", ":")) + "\n")
        return 0
    via = f"via {route.gateway} " if route.gateway else ""
    process.out(f"{address} {via}dev {route.device} src {source} uid 0 \n    cache \n")
    return 0


def _change_route(process: Process, machine: LinuxMachine, words: list[str]) -> int:
    verb, *rest = words
    if process.user != "root":
        process.err("RTNETLINK answers: Operation not permitted\n")
        return 2
    if not rest:
        process.err('Command line is not complete. Try option "help"\n')
        return 255
    destination = rest.pop(0)
    nexthops: tuple[tuple[str, str], ...] = ()
    if "nexthop" in rest:
        words_of = " ".join(rest).split("nexthop ")
        nexthops = tuple((one.split()[1], one.split()[3]) for one in words_of[1:])
        if words_of[0] or any(len(one.split()) != 4 for one in words_of[1:]):
            raise NotSimulated(f"ip route {' '.join(words)}")
        rest = ["via", nexthops[0][0], "dev", nexthops[0][1]]
    fields = dict(zip(rest[::2], rest[1::2], strict=False))
    unknown = set(fields) - {"via", "dev", "src", "proto", "scope", "metric", "onlink"}
    if unknown or "metric" in fields:
        raise NotSimulated(f"ip route {' '.join(words)}")
    if verb in ("del", "delete"):
        if not machine.interfaces.remove_route(destination):
            process.err("RTNETLINK answers: No such process\n")
            return 2
        return 0
    gateway = fields.get("via", "")
    device = fields.get("dev", "")
    if gateway and not device:
        found = machine.interfaces.route_to(gateway)
        if found is None or found.gateway:
            process.err("Error: Nexthop has invalid gateway.\n")
            return 2
        device = found.device
    if device not in machine.interfaces.links:
        process.err(f'Cannot find device "{device}"\n')
        return 1
    if verb == "replace":
        machine.interfaces.remove_route(destination)
    route = Route(
        destination, device, gateway, fields.get("src", ""), fields.get("proto", ""),
        fields.get("scope", "" if gateway else "link"), nexthops=nexthops,
    )  # fmt: skip
    if not machine.interfaces.add_route(route):
        process.err("RTNETLINK answers: File exists\n")
        return 2
    return 0


def _neighbours(process: Process, machine: LinuxMachine, words: list[str]) -> int:
    if words and words[0] not in ("show", "list"):
        raise NotSimulated(f"ip neighbour {' '.join(words)}")
    own = machine.address.rpartition(".")[0]
    for address in sorted(machine.network.machines):
        if address != machine.address and address.rpartition(".")[0] == own:
            process.out(f"{address} dev eth0 lladdr {mac_of(address)} REACHABLE \n")
    return 0
