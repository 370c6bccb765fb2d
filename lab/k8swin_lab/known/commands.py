"""Commands of Windows PowerShell 5.1 and of Windows' modules, with their parameters and aliases."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from k8swin_lab.known import lines

_CDXML = ("AsJob", "CimSession", "ThrottleLimit")
_ALIASES: dict[str, tuple[str, ...]] = {
    "computername": ("Cn", "__Server", "IPAddress", "Server"), "literalpath": ("PSPath",), "credential": ("RunAs",),
    "recurse": ("s",), "name": ("ServiceName", "ProcessName", "CommandName", "ifAlias", "InterfaceAlias"),
    "argumentlist": ("Args",), "interfacealias": ("ifAlias",), "interfaceindex": ("ifIndex",), "authentication": ("auth", "am"),
    "interfacedescription": ("ifDesc", "InstanceID"), "cimsession": ("Session",), "id": ("PID", "ProcessId"),
    "usetransaction": ("usetx",), "namespace": ("NS",), "buffersize": ("Size", "Bytes", "BS"), "timeout": ("TimeoutSec",),
    "startuptype": ("StartMode", "StartType", "SM", "ST"), "dependentservices": ("DS",), "requiredservices": ("SDO",),
    "filepath": ("PSPath", "Path"), "encoding": ("BE",), "totalcount": ("First", "Head"), "tail": ("Last",), "nonewwindow": ("nnw",),
    "redirectstandarderror": ("RSE",), "redirectstandardinput": ("RSI",), "redirectstandardoutput": ("RSO",),
    "loaduserprofile": ("Lup",), "fileversioninfo": ("FV", "FVI"), "noclobber": ("NoOverwrite",), "ashashtable": ("AHT",),
    "notypeinformation": ("NTI",), "assemblyname": ("AN",), "referencedassemblies": ("RA",), "outputassembly": ("OA",),
    "outputtype": ("OT",), "usingnamespace": ("Using",), "sessionvariable": ("SV",), "usessl": ("ssl",),
    "displayname": ("DN",), "itemtype": ("Type",), "membertype": ("Type",), "commandtype": ("Type",),
    "sessionoption": ("so",), "connectionuri": ("URI", "CU", "CURI"), "milliseconds": ("ms",), "target": ("Value",),
}  # fmt: skip
"""Other names of parameters, after the sources of PowerShell and the CDXML files of its modules."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command that exists; `parameters` by their folded names and aliases, None when they are not listed."""

    name: str
    module: str
    parameters: dict[str, str] | None


@cache
def commands() -> dict[str, Command]:
    """All commands by folded name."""
    found: dict[str, Command] = {}
    module = ""
    for line in lines("commands.txt"):
        if line.startswith("["):
            module = line.strip("[]")
            continue
        name, *words = line.split()
        found[name.lower()] = Command(name, module, None if "*" in words else _parameters(words))
    return found


def _parameters(words: list[str]) -> dict[str, str]:
    names = [word.rstrip("?") for word in words if word not in ("&", "!")]
    if "&" in words:
        names.extend(_CDXML)
    found = {name.lower(): name for name in names}
    for name in names:
        for alias in _ALIASES.get(name.lower(), ()):
            found.setdefault(alias.lower(), name)
    return found


@cache
def aliases() -> dict[str, str]:
    """Commands by folded alias."""
    found: dict[str, str] = {}
    for line in lines("aliases.txt"):
        name, *others = line.split()
        found.update((other.lower(), name) for other in others)
    return found


@cache
def modules() -> dict[str, str]:
    """Modules by folded name."""
    return {command.module.lower(): command.module for command in commands().values()}


def command(name: str) -> Command | None:
    r"""The command that a name means: itself, an alias, `Module\\Name`, or the noun of a Get- command."""
    folded = name.lower()
    module, slash, plain = folded.rpartition("\\")
    if slash:
        found = commands().get(plain)
        return found if found is not None and found.module.lower() == module else None
    folded = aliases().get(folded, folded).lower()
    return commands().get(folded) or ("-" not in folded and commands().get("get-" + folded)) or None
