"""Static values that depend on the machine and the session: names, clock, separators."""

from __future__ import annotations

from typing import Any

from k8swin_lab.powershell.dotnet.encodings import OEM, UTF8, UTF8_PLAIN, Encoding
from k8swin_lab.powershell.dotnet.environment import OperatingSystem
from k8swin_lab.powershell.dotnet.times import DateTime, DateTimeOffset
from k8swin_lab.powershell.dotnet.values import parse_version
from k8swin_lab.powershell.values import Char

_DAY = 864_000_000_000


def value(interp: Any, type_name: str, member: str) -> Any:
    """The value of a static member (lower case), or None when it depends on nothing."""
    if type_name == "System.Environment":
        return _environment(interp, member)
    if type_name in ("System.DateTime", "System.DateTimeOffset"):
        return _clock(interp, type_name, member)
    if type_name == "System.Console" and member == "inputencoding":
        return input_encoding(interp)
    if type_name == "System.IO.Path":
        return _separator(interp, member)
    if (
        type_name == "System.Text.Encoding"
        and member == "default"
        and interp.host.edition != "Desktop"
    ):
        return UTF8_PLAIN
    return None


def input_encoding(interp: Any) -> Encoding:
    """`[Console]::InputEncoding`, which also is the encoding of what a program is handed on standard input.

    .NET Framework makes it of the console's code page. That of 65001, which remote shells ask for, has a byte-order
    mark, and .NET writes the mark in front (dotnet/runtime#28929); .NET 5 and later leave it out.
    """
    found = interp.input_encoding
    if isinstance(found, Encoding):
        return found
    if interp.host.edition != "Desktop":
        return UTF8_PLAIN
    return UTF8 if interp.codepage == 65001 else OEM


def _clock(interp: Any, type_name: str, member: str) -> Any:
    if member not in ("now", "utcnow", "today"):
        return None
    moment = DateTime.from_epoch(interp.host.now(), "Utc" if member == "utcnow" else "Local")
    if type_name == "System.DateTimeOffset":
        return DateTimeOffset(moment.ticks)
    return DateTime(moment.ticks // _DAY * _DAY, "Local") if member == "today" else moment


def _separator(interp: Any, member: str) -> Any:
    windows = interp.host.separator == "\\"
    found = {
        "directoryseparatorchar": "\\" if windows else "/",
        "altdirectoryseparatorchar": "/",
        "pathseparator": ";" if windows else ":",
        "volumeseparatorchar": ":" if windows else "/",
    }.get(member)
    return None if found is None else Char(found)


def _environment(interp: Any, member: str) -> Any:
    host = interp.host
    windows = host.separator == "\\"
    name = str(getattr(host.machine, "name", "") or "localhost")
    if member == "machinename":
        return name.upper()[:15] if windows else name
    if member == "username":
        return str(interp.user).rpartition("\\")[2]
    if member == "userdomainname":
        return name.upper()[:15] if windows else name
    if member == "currentdirectory":
        return interp.location
    if member == "systemdirectory":
        return "C:\\Windows\\system32" if windows else ""
    if member == "processorcount":
        return int(getattr(host.machine, "processors", 2))
    if member == "osversion":
        build = getattr(host.machine, "build", 20348)
        return OperatingSystem(parse_version(f"10.0.{build}.0" if windows else "6.8.0.0"), windows)
    if member == "version":
        return parse_version("4.0.30319.42000")
    if member == "newline":
        return getattr(interp, "newline", "\r\n")
    return None
