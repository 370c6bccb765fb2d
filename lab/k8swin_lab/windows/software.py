"""What a Windows machine of the lab runs: its programs, and what makes its containers."""

from __future__ import annotations

from k8swin_lab.known import lines
from k8swin_lab.machines.program import Program
from k8swin_lab.machines.software import WindowsSoftware
from k8swin_lab.windows.container import WindowsContainer
from k8swin_lab.windows.docker import PROGRAMS as DOCKER
from k8swin_lab.windows.kubernetes import PROGRAMS as KUBERNETES
from k8swin_lab.windows.powershell import powershell
from k8swin_lab.windows.programs import (
    command_shell,
    file_tools,
    netsh,
    network_tools,
    nssm,
    service_control,
    settings,
    system_tools,
)

_SYSTEM: dict[str, Program] = {
    "certutil": file_tools.certutil, "cmd": command_shell.cmd, "curl": network_tools.curl, "dism": system_tools.dism,
    "find": file_tools.find, "findstr": file_tools.findstr, "hostname": system_tools.hostname, "icacls": file_tools.icacls,
    "ipconfig": network_tools.ipconfig, "netsh": netsh.netsh, "nslookup": network_tools.nslookup,
    "ping": network_tools.ping, "reg": system_tools.reg, "route": network_tools.route, "sc": service_control.sc,
    "shutdown": system_tools.shutdown, "systeminfo": system_tools.systeminfo, "takeown": file_tools.takeown,
    "tar": file_tools.tar, "taskkill": system_tools.taskkill, "tasklist": system_tools.tasklist,
    "tzutil": system_tools.tzutil, "w32tm": system_tools.w32tm, "where": file_tools.where, "whoami": system_tools.whoami,
    "winrm": settings.winrm, "setx": settings.setx, "attrib": settings.attrib,
}  # fmt: skip
SYSTEM_PROGRAMS = tuple(word for line in lines("windows-programs.txt") for word in line.split())
"""Programs that have a file in System32 from the start; what is not in `PROGRAMS` is refused when it is run."""

PROGRAMS: dict[str, Program] = {
    **_SYSTEM,
    "powershell": powershell,
    "nssm": nssm.nssm,
    **DOCKER,
    **KUBERNETES,
}
"""Every program that a file may stand for, by name without `.exe`."""


def windows_software() -> WindowsSoftware:
    """What a Windows machine of the lab is given."""
    return WindowsSoftware(PROGRAMS, SYSTEM_PROGRAMS, WindowsContainer)
