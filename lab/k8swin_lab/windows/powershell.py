"""powershell.exe of a Windows machine."""

from __future__ import annotations

from typing import cast

from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows_environment import Environment
from k8swin_lab.powershell.host import PowerShellHost
from k8swin_lab.powershell.program import powershell_program
from k8swin_lab.windows import web_client_class  # noqa: F401 - declares System.Net.WebClient
from k8swin_lab.windows.host import WindowsHost
from k8swin_lab.windows.machine_of import machine_of


def powershell(process: Process) -> int:
    """Start a session over the machine's host."""
    process.env = Environment(process.env.items())
    entry = machine_of(process).processes.of(process)
    pid = entry.pid if entry else None
    return powershell_program(lambda p: cast(PowerShellHost, WindowsHost(machine_of(p), pid)))(
        process
    )
