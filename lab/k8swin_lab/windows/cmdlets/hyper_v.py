"""The Hyper-V module: virtual machines and whether their adapters may send with other MAC addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.virtual_machines import VirtualAdapter, VirtualMachine
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.powershell.api import Call, CommandTable
from k8swin_lab.powershell.values import PSObject
from k8swin_lab.windows.objects import as_list, has_wildcard, matches, parameters, prop

_MODULE = "Hyper-V"


def _machines(call: Call, names: Any) -> Iterator[VirtualMachine]:
    machine: WindowsMachine = call.session.machine
    for name in as_list(names):
        found = [vm for vm in machine.virtual_machines if matches(vm.name, str(name))]
        if not found and not has_wildcard(str(name)):
            call.session.write_error(
                f'Hyper-V was unable to find a virtual machine with name "{name}".',
                category="InvalidArgument", error_id="InvalidParameter", target=name,
                exception="Microsoft.HyperV.PowerShell.VirtualizationException",
            )  # fmt: skip
        yield from found


def get_vm(call: Call) -> Iterator[Any]:
    for vm in _machines(call, call["Name"] if call.bound("Name") else "*"):
        yield PSObject({"Name": vm.name, "VMName": vm.name, "State": vm.state})


def _object(vm: VirtualMachine, adapter: VirtualAdapter) -> PSObject:
    return PSObject(
        {
            "Name": adapter.name, "VMName": vm.name, "SwitchName": adapter.switch, "MacAddress": adapter.mac,
            "MacAddressSpoofing": adapter.mac_address_spoofing, "IsManagementOs": False, "Status": "Ok",
        }
    )  # fmt: skip


def get_adapter(call: Call) -> Iterator[Any]:
    for vm in _machines(call, call["VMName"]):
        for adapter in vm.adapters:
            if not call.bound("Name") or matches(adapter.name, str(call["Name"])):
                yield _object(vm, adapter)


def set_adapter(call: Call) -> Iterator[Any]:
    given = call["VMNetworkAdapter"]
    if given is not None:
        wanted = [(str(prop(item, "VMName")), str(prop(item, "Name"))) for item in as_list(given)]
    else:
        wanted = [(vm.name, str(call["Name"] or "*")) for vm in _machines(call, call["VMName"])]
    if not call.bound("MacAddressSpoofing"):
        raise NotSimulated("Set-VMNetworkAdapter without -MacAddressSpoofing")
    for name, adapter_name in wanted:
        for vm in _machines(call, name):
            for adapter in vm.adapters:
                if matches(adapter.name, adapter_name):
                    adapter.mac_address_spoofing = str(call["MacAddressSpoofing"]).capitalize()
    return iter(())


def register(table: CommandTable) -> None:
    """Add the cmdlets to a table."""

    def add(name: str, body: Any, declaration: str, *, change: bool = False) -> None:
        table.cmdlet(
            name, parameters=parameters(declaration), module=_MODULE, should_process=change
        )(body)

    add("Get-VM", get_vm, "Name string[] @0")
    add("Get-VMNetworkAdapter", get_adapter, "VMName string[] @0 !; Name string")
    add(
        "Set-VMNetworkAdapter",
        set_adapter,
        "VMName string[] @0; VMNetworkAdapter object[] value; Name string; MacAddressSpoofing string",
        change=True,
    )
