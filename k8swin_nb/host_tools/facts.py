"""What a host is: system, build, processor, memory, disks, addresses, clock, versions; typed, and read only."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from k8swin_nb.errors import K8swinError, ScriptError
from k8swin_nb.fan_out import Answers, on_each
from k8swin_nb.host_tools.asking import Machines, ask, chosen
from k8swin_nb.inventory import Host
from k8swin_nb.reading import lines, whole
from k8swin_nb.shown import cell
from k8swin_nb.tables import Column, StaticTable, table_html

if TYPE_CHECKING:
    from k8swin_nb.result import Result
    from k8swin_nb.tables.frames import ShownFrame

TITLES = {
    "name": "name",
    "system": "system",
    "kernel": "kernel or build",
    "architecture": "architecture",
    "user": "login",
    "booted": "booted",
    "uptime": "up",
    "cpus": "processors",
    "cpu": "processor",
    "virtualization": "virtualization",
    "memory": "memory",
    "memory_available": "memory available",
    "swap": "swap",
    "disks": "disks",
    "addresses": "addresses",
    "time_zone": "time zone",
    "clock_offset": "clock beside ours",
    "time_synchronized": "clock synchronized",
    "pending_reboot": "reboot pending",
    "versions": "versions",
}
"""Every fact, in the order in which they are shown. One that a host does not tell is missing there."""

_WHOLE = ("cpus", "memory", "memory_available", "swap")


class HostFacts(dict[str, Any]):
    """The facts of one host by name: text, whole numbers (memory in bytes), times, lists of addresses and of disks."""

    def __init__(self, host: str, facts: Mapping[str, Any]) -> None:
        super().__init__(facts)
        self.host = host

    def _rows(self) -> list[tuple[str, str]]:
        return [(TITLES[name], _told(name, self[name])) for name in TITLES if name in self]

    def _caption(self) -> str:
        return f"Facts of {self.host}"

    def __repr__(self) -> str:
        return repr(StaticTable(self._caption(), ["", ""], self._rows()))

    def _repr_html_(self) -> str:
        return table_html(
            self._caption(), [Column("", "name"), Column("", "wrapped")], self._rows()
        )


class FactsOfHosts(dict[str, HostFacts]):
    """The facts of several hosts, by name; hosts that did not answer are in `errors`."""

    def __init__(self, facts: Mapping[str, HostFacts], errors: Mapping[str, K8swinError]) -> None:
        super().__init__(facts)
        self.errors = dict(errors)

    @property
    def df(self) -> ShownFrame:
        """A row for each host, a column for each fact."""
        from k8swin_nb.host_tools.tool_frames import FactsFrame

        names = [name for name in TITLES if any(name in facts for facts in self.values())]
        return FactsFrame.of(
            ([facts.get(name) for name in names] for facts in self.values()),
            columns=names,
            index=list(self),
        )

    def _rows(self) -> list[list[str]]:
        rows = [
            [TITLES[name], *(_told(name, facts.get(name)) for facts in self.values())]
            for name in TITLES
            if any(name in facts for facts in self.values())
        ]
        if self.errors:
            rows += [[f"no answer: {host}", str(error)] for host, error in self.errors.items()]
        width = max((len(row) for row in rows), default=1)
        return [row + [""] * (width - len(row)) for row in rows]

    def _columns(self) -> list[Column | str]:
        others = max(len(self), 1 if self.errors else 0) - len(self)
        return [
            Column("", "name"),
            *(Column(name, "wrapped") for name in self),
            *([Column("", "wrapped")] * others),
        ]

    def __repr__(self) -> str:
        return repr(StaticTable("Facts", self._columns(), self._rows()))

    def _repr_html_(self) -> str:
        return table_html("Facts", self._columns(), self._rows())


def facts(
    cluster: Machines,
    on: str | tuple[Host, ...] = "all",
    *,
    short: bool = False,
    seconds: float = 60.0,
    cancel: threading.Event | None = None,
) -> Answers[HostFacts]:
    """Ask hosts what they are, all at once, and change nothing.

    Args:
        cluster: An open cluster.
        on: A selection, or hosts.
        short: What takes no time alone: name, system, kernel, account, boot and clock.
        seconds: After that a host is an error.
        cancel: When it is set, asking is stopped.

    Raises:
        InventoryError: when the selection names no host.
    """
    cancel = cancel or threading.Event()

    def one(host: Host) -> HostFacts:
        return facts_of(cluster, host, short=short, seconds=seconds, cancel=cancel)

    return on_each(chosen(cluster, on), one, name=lambda host: host.name, cancel=cancel)


def facts_of(
    cluster: Machines,
    host: Host,
    *,
    short: bool = False,
    seconds: float = 60.0,
    cancel: threading.Event | None = None,
) -> HostFacts:
    """Ask one host what it is, and change nothing.

    Raises:
        CommandFailed: when its script fails.
        ScriptError: when what it says cannot be read.
        TransportError: when it cannot be reached or used.
    """
    asked = time.time()
    what = {"facts": "short" if short else "all"}
    result = ask(cluster, host, "host_facts.check", what, timeout=seconds, cancel=cancel)
    result.check_returncode()
    read = _of_windows if host.os == "windows" else _of_linux
    return HostFacts(host.name, _typed(read(result), (asked + time.time()) / 2))


def _of_linux(result: Result) -> dict[str, Any]:
    """Read lines of name, tab and value; what says nothing that can be read is left out."""
    found: dict[str, Any] = {"disks": [], "addresses": [], "versions": {}}
    for line in lines(result.stdout):
        name, *values = line.split("\t")
        match name, values:
            case "disk", [place, size, free, device]:
                sizes = {"size": whole(size) or 0, "free": whole(free) or 0}
                found["disks"].append({"place": place, **sizes, "device": device})
            case "address", [interface, address]:
                found["addresses"].append({"interface": interface, "address": address})
            case "version", [program, version]:
                found["versions"][program] = version
            case _, [value]:
                found[name] = value
    if "system" not in found and "kernel" not in found:
        raise ScriptError(f"{result.host}: it did not say what it is", hint="run it again")
    for name in ("disks", "addresses", "versions"):
        if not found[name]:
            del found[name]
    for name in ("booted", "time"):
        if name in found:
            found[name] = whole(found[name])
    if "time_synchronized" in found:
        found["time_synchronized"] = found["time_synchronized"] == "yes"
    if "disks" in found or "cpus" in found:
        found["pending_reboot"] = str(found.get("pending_reboot", "")).strip()
    return found


def _of_windows(result: Result) -> dict[str, Any]:
    found = result.mapping()
    for name in ("booted", "time"):
        try:
            found[name] = datetime.fromisoformat(str(found.get(name))).timestamp()
        except ValueError:
            found.pop(name, None)
    for name in ("disks", "addresses"):
        # Of one item ConvertTo-Json may make the item itself.
        if isinstance(found.get(name), dict):
            found[name] = [found[name]]
    return found


def _typed(found: dict[str, Any], asked: float) -> dict[str, Any]:
    """Give each fact its type; what has none of it is left out."""
    told = found.get("time")
    now = float(told) if isinstance(told, int | float) else math.nan
    facts: dict[str, Any] = {}
    for name in TITLES:
        value: Any = found.get(name)
        if name in _WHOLE:
            value = value if isinstance(value, int) else whole(value or "")
        elif name == "booted":
            value = datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else None
        elif name == "uptime" and "booted" in facts and not math.isnan(now):
            value = timedelta(seconds=round(max(0.0, now - facts["booted"].timestamp())))
        elif name == "clock_offset" and not math.isnan(now):
            value = timedelta(seconds=round(now - asked))
        elif name == "addresses":
            value = list(_addresses(value or [])) or None
        if value is not None and (value != "" or name == "pending_reboot"):
            facts[name] = value
    return facts


def _addresses(listed: Iterable[Any]) -> Iterable[dict[str, Any]]:
    for one in listed:
        try:
            address = ipaddress.ip_interface(str(one["address"]))
        except (KeyError, TypeError, ValueError):
            continue
        yield {"interface": str(one.get("interface", "")), "address": address}


def _told(name: str, value: Any) -> str:
    """Return a fact as it is shown."""
    if value is None:
        return ""
    if name in ("memory", "memory_available", "swap"):
        return size_text(value)
    if name == "booted":
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if name == "disks":
        told = (
            f"{d['place']} {size_text(d['free'])} of {size_text(d['size'])} free" for d in value
        )
        return "; ".join(told)
    if name == "addresses":
        return "; ".join(f"{one['interface']} {one['address']}" for one in value)
    if name == "versions":
        return "; ".join(f"{program} {version}" for program, version in value.items())
    if name == "clock_offset":
        return f"{value.total_seconds():+.0f} s"
    if name == "pending_reboot":
        return str(value) or "no"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(cell(value))


def size_text(size: float) -> str:
    """Return a number of bytes as people read it: `23.5 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
