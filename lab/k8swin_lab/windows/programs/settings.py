"""Programs that set what later sessions find: winrm's settings, variables of the environment, a file's attributes."""

from __future__ import annotations

import re
from typing import Any

from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows_setup import ENVIRONMENT
from k8swin_lab.machines.windows_winrm import SETTINGS
from k8swin_lab.windows.drives import WSMAN
from k8swin_lab.windows.machine_of import full_path, machine_of

_PARTS = {
    "winrm/config": "",
    "winrm/config/service": "Service",
    "winrm/config/winrs": "Shell",
    "winrm/config/client": "Client",
    "winrm/config/service/auth": r"Service\Auth",
}
"""What winrm names, and where that is in the drive WSMan:."""

_ASSIGNED = re.compile(r"""\s*(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^;"'}]*))\s*(?:;|$)""")
_LONGEST = 1024


def winrm(process: Process) -> int:
    """winrm.cmd: get and set of winrm/config and its parts, and quickconfig."""
    words = [w.lower() for w in process.argv[1:]]
    if words[:1] == ["quickconfig"]:
        process.out(
            "WinRM service is already running on this machine.\r\nWinRM is already set up for remote management on this computer.\r\n"
        )
        return 0
    place = _PARTS.get(words[1]) if len(words) > 1 else None
    if place is None or words[0] not in ("get", "set"):
        raise NotSimulated(f"winrm {' '.join(process.argv[1:])}")
    settings: dict[str, Any] = WSMAN["localhost"]
    for part in place.split("\\") if place else ():
        settings = settings[part]
    if words[0] == "set":
        for name, value in _given(process, settings).items():
            path = "\\".join(filter(None, ("localhost", place, name)))
            machine_of(process).registry.set(SETTINGS, path, value)
    process.out(f"{_shown(place.rpartition(chr(92))[2] or 'Config')}\r\n")
    _print(process, settings, place, 1)
    return 0


def _given(process: Process, settings: dict[str, Any]) -> dict[str, str]:
    """Read `@{Name="value";Other="value"}`; cmd takes the quotes away."""
    text = " ".join(process.argv[3:]).strip()
    found: dict[str, str] = {}
    rest = text[2:-1] if text.startswith("@{") and text.endswith("}") else ""
    while match := _ASSIGNED.match(rest):
        name = next((k for k in settings if k.lower() == match[1].lower()), None)
        if name is None or isinstance(settings[name], dict):
            break
        found[name] = match[2] or match[3] or match[4] or ""
        rest = rest[match.end() :]
    if rest or not found:
        raise NotSimulated(f"winrm {' '.join(process.argv[1:])}")
    return found


def _shown(name: str) -> str:
    return "Winrs" if name == "Shell" else name


def _print(process: Process, settings: dict[str, Any], place: str, depth: int) -> None:
    registry, indent = machine_of(process).registry, "    " * depth
    for name, value in settings.items():
        path = "\\".join(filter(None, (place, name)))
        if not isinstance(value, dict):
            kept = registry.get(SETTINGS, rf"localhost\{path}", value)
            process.out(f"{indent}{name} = {kept}\r\n")
        elif name != "Listener":
            process.out(f"{indent}{_shown(name)}\r\n")
            _print(process, value, path, depth + 1)


def setx(process: Process) -> int:
    """setx.exe: a variable of the user, or of the machine with /M; what is longer than 1024 letters is cut."""
    words = [word for word in process.argv[1:] if word.lower() not in ("/m", "-m")]
    if len(words) != 2 or words[0].startswith("/"):
        raise NotSimulated(f"setx.exe {' '.join(process.argv[1:])}")
    key = ENVIRONMENT if len(words) < len(process.argv) - 1 else r"HKCU\Environment"
    name, value = words
    if len(value) > _LONGEST:
        process.out("\r\nWARNING: The data being saved is truncated to 1024 characters.\r\n")
    kind = "REG_EXPAND_SZ" if "%" in value else "REG_SZ"
    machine_of(process).registry.set(key, name, value[:_LONGEST], kind)
    process.out("\r\nSUCCESS: Specified value was saved.\r\n")
    return 0


def attrib(process: Process) -> int:
    """attrib.exe: +R and -R of one file, or what a file has."""
    machine = machine_of(process)
    changes = [word.upper() for word in process.argv[1:] if word[:1] in "+-"]
    paths = [word for word in process.argv[1:] if word[:1] not in "+-"]
    if len(paths) != 1 or set(changes) - {"+R", "-R"} or "*" in paths[0]:
        raise NotSimulated(f"attrib.exe {' '.join(process.argv[1:])}")
    path = full_path(process, paths[0])
    if not machine.files.exists(path):
        process.out(f"File not found - {paths[0]}\r\n")
        return 0
    found = machine.files.attributes(path)
    for change in changes:
        found = found | {"ReadOnly"} if change == "+R" else found - {"ReadOnly"}
    if changes:
        machine.files.set_attributes(path, found)
    else:
        letters = "".join(
            c if n in found else " " for n, c in (("Archive", "A"), ("ReadOnly", "R"))
        )
        process.out(f"{letters[0]}    {letters[1]}               {path}\r\n")
    return 0
