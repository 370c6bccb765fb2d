"""The table of the cmdlets and what several of them share."""

from __future__ import annotations

from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Call, CommandTable, Parameter, Terminating

TABLE = CommandTable()
UTILITY = "Microsoft.PowerShell.Utility"
MANAGEMENT = "Microsoft.PowerShell.Management"
INPUT = Parameter("InputObject", "object", pipeline="value")


def inputs(call: Call) -> list[Any]:
    """What came through the pipeline, or else the -InputObject argument as one object."""
    if call.input:
        return call.input
    return [call["InputObject"]] if call.bound("InputObject") else []


def switch(name: str, *aliases: str) -> Parameter:
    """A switch parameter."""
    return Parameter(name, "switch", aliases=aliases)


def argument_error(message: str, error_id: str = "Argument", **more: Any) -> Terminating:
    """A terminating PSArgumentException."""
    return Terminating(
        message,
        exception="System.Management.Automation.PSArgumentException",
        category="InvalidArgument",
        error_id=error_id,
        **more,
    )


def refuse(call: Call, *names: str) -> None:
    """Parameters that bind but that the lab does not simulate."""
    for name in names:
        if call.bound(name) and call[name] not in (None, False):
            raise NotSimulated(f"{call.name} -{name}")


def should_process(call: Call, operation: str, target: str) -> bool:
    """Under -WhatIf (or $WhatIfPreference), say what would happen and answer no."""
    what_if = call["WhatIf"] if call.bound("WhatIf") else _preference(call, "WhatIfPreference")
    if not what_if:
        return True
    session: Any = call.session
    session.write_host(f'What if: Performing the operation "{operation}" on target "{target}".')
    return False


def _preference(call: Call, name: str) -> bool:
    drive = call.session.drive("variable")
    return bool(drive.get(name)) if drive is not None else False


def desktop(call: Call) -> bool:
    """Whether the session is Windows PowerShell (5.1) and not PowerShell 7."""
    session: Any = call.session
    return bool(session.host.edition == "Desktop")


def newline(call: Call) -> str:
    """The line end of the session."""
    return str(getattr(call.session, "newline", "\r\n"))
