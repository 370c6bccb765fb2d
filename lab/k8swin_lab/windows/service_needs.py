"""Which of Windows' own services a cmdlet asks, and what it says when that one is off.

Most modules of a server are made of classes of WMI. WMI's service and the installer of features are started by who asks
them, unless they are disabled; the firewall's and the task scheduler's are not.

Sources: microsoft/CSS-Exchange#1034 (WMI disabled: HRESULT 0x80070422), prometheus-community/windows_exporter#2105
(New-NetFirewallRule without the firewall's service: Windows System Error 1753), Microsoft's list of the task
scheduler's errors (SCHED_E_SERVICE_NOT_RUNNING, 0x80041315).
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_services import MESSAGES, ServiceError
from k8swin_lab.powershell.api import Body, Call, Cmdlet, CommandTable
from k8swin_lab.windows.objects import cim_error

_OF_WMI = {
    "CimCmdlets", "Defender", "NetAdapter", "NetConnection", "NetSecurity", "NetTCPIP", "ScheduledTasks", "ServerManager", "Storage",
}  # fmt: skip
"""Modules whose commands are methods of WMI's classes."""

_ALSO = {"get-wmiobject", "get-hotfix", "get-dnsclientserveraddress", "set-dnsclientserveraddress"}
"""Commands of other modules that ask WMI."""

_INSTALLER = {"install-windowsfeature", "uninstall-windowsfeature"}
_NOT_ANSWERED = {
    "NetSecurity": (
        "mpssvc",
        "There are no more endpoints available from the endpoint mapper. ",
        "Windows System Error 1753",
    ),
    "ScheduledTasks": (
        "Schedule",
        "The Task Scheduler service is not running. ",
        "HRESULT 0x80041315",
    ),
}
"""By module: the service that does not start by being asked, and the error without it."""


def declare(table: CommandTable) -> None:
    """Let the commands of a table ask the services that they need."""
    for name, cmdlet in table.cmdlets.items():
        if cmdlet.module in _OF_WMI or name in _ALSO:
            table.cmdlets[name] = dataclasses.replace(cmdlet, body=_guarded(name, cmdlet))


def _guarded(name: str, cmdlet: Cmdlet) -> Body:
    body = cmdlet.body
    asked = ["Winmgmt", *(["TrustedInstaller"] if name in _INSTALLER else [])]

    @functools.wraps(body)
    def guarded(call: Call) -> Iterator[Any] | None:
        machine: WindowsMachine = call.session.machine
        for service in asked:
            try:
                machine.services.ask(service)
            except ServiceError as error:
                _fail(call, error.code)
                return None
        needed = _NOT_ANSWERED.get(cmdlet.module)
        if needed and machine.services.state(needed[0]) != "Running":
            cim_error(call, needed[1], error_id=needed[2])
            return None
        return body(call)

    return guarded


def _fail(call: Call, code: int) -> None:
    text = f"{MESSAGES.get(code, 'The dependency service or group failed to start.')} "
    cim_error(call, text, error_id=f"HRESULT 0x{0x80070000 | code:08x}")
