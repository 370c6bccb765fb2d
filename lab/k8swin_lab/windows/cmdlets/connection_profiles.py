"""NetConnection: which kind of network Windows takes each adapter's for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.powershell.api import Call, CommandTable
from k8swin_lab.windows.cmdlets.adapters import named_interface, profile_object, search
from k8swin_lab.windows.objects import no_match, parameters, prop


def get_profile(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    indexes = {a.index for a in machine.net.addresses}
    items = [profile_object(a) for a in machine.net.adapters if a.index in indexes]
    yield from search(
        call,
        "MSFT_NetConnectionProfile",
        items,
        ("Name", "InterfaceAlias", "InterfaceIndex", "NetworkCategory"),
    )


def set_profile(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    source = call["InputObject"]
    adapter = (
        machine.net.adapter(index=int(prop(source, "InterfaceIndex")))
        if source is not None
        else named_interface(call)
    )
    if adapter is None:
        no_match(
            call,
            "MSFT_NetConnectionProfile",
            "InterfaceAlias",
            call["InterfaceAlias"] or call["InterfaceIndex"],
        )
    elif call["NetworkCategory"]:
        adapter.category = str(call["NetworkCategory"]).capitalize()
    if adapter is not None and call["PassThru"]:
        yield profile_object(adapter)


def register(table: CommandTable) -> None:
    """Add the cmdlets to a table."""
    table.cmdlet(
        "Get-NetConnectionProfile",
        parameters=parameters(
            "Name string[]; InterfaceIndex object[] property =ifIndex; "
            "InterfaceAlias string[] property =ifAlias; NetworkCategory string[]"
        ),
        module="NetConnection",
    )(get_profile)
    table.cmdlet(
        "Set-NetConnectionProfile",
        parameters=parameters(
            "InterfaceIndex object =ifIndex; InterfaceAlias string =ifAlias; "
            "NetworkCategory string; InputObject object value; PassThru switch"
        ),
        module="NetConnection",
        should_process=True,
    )(set_profile)
