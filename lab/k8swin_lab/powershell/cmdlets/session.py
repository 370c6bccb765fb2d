"""Start-Sleep, Read-Host, Get-Culture, Clear-Host."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import MANAGEMENT, TABLE, UTILITY, switch
from k8swin_lab.powershell.dotnet import culture_now
from k8swin_lab.powershell.dotnet.reflection import Culture, ui_culture
from k8swin_lab.powershell.dotnet.times import TimeSpan


@TABLE.cmdlet(
    "Start-Sleep",
    parameters=[
        Parameter("Seconds", "double", position=0, pipeline="both"),
        Parameter("Milliseconds", "int", aliases=("ms",)),
        Parameter("Duration", "timespan"),
    ],
    module=UTILITY,
    aliases=("sleep",),
)
def start_sleep(call: Call) -> None:
    """Sleeps by parts, so that a client that gives up is noticed."""
    if isinstance(call["Duration"], TimeSpan):
        seconds = call["Duration"].seconds
    elif call.bound("Milliseconds"):
        seconds = call["Milliseconds"] / 1000
    else:
        seconds = float(call["Seconds"] or 0)
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if call.session.cancelled():
            return
        time.sleep(min(left, 0.1))


def _not_interactive() -> Terminating:
    return Terminating(
        "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.",
        exception="System.Management.Automation.PSInvalidOperationException",
        category="InvalidOperation",
        error_id="InvalidOperation",
    )


@TABLE.cmdlet(
    "Read-Host",
    parameters=[
        Parameter("Prompt", "object", position=0, remaining=True),
        switch("AsSecureString"),
    ],
    module=UTILITY,
)
def read_host(call: Call) -> None:
    raise _not_interactive()


@TABLE.cmdlet("Get-Culture", module=UTILITY)
def get_culture(call: Call) -> Iterator[Any]:
    yield Culture(culture_now.current().name)


@TABLE.cmdlet("Get-UICulture", module=UTILITY)
def get_ui_culture(call: Call) -> Iterator[Any]:
    yield ui_culture()


@TABLE.cmdlet("Clear-Host", module=MANAGEMENT, aliases=("cls",))
def clear_host(call: Call) -> None:
    """There is no screen to clear."""
