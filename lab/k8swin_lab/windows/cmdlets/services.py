"""Get-Service and its family, as Windows PowerShell 5.1 has them (Remove-Service is not among them)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_services import ServiceError
from k8swin_lab.powershell.api import Call, CommandTable, Terminating
from k8swin_lab.powershell.values import PSArray, PSObject
from k8swin_lab.windows.objects import (
    as_list,
    enum,
    has_wildcard,
    matches,
    parameters,
    prop,
    record,
)

_TYPE = "System.ServiceProcess.ServiceController"
_SERVICE_EXCEPTION = "Microsoft.PowerShell.Commands.ServiceCommandException"
_START_NUMBERS = {"Automatic": 2, "Manual": 3, "Disabled": 4, "Boot": 0, "System": 1}


def service_object(machine: WindowsMachine, name: str) -> PSObject:
    """A ServiceController, with the methods that scripts call."""
    services = machine.services
    running = services.state(name) == "Running"

    def brief(names: list[str]) -> PSArray:
        return PSArray([service_object(machine, n) for n in names if services.find(n)], _TYPE)

    found = record(
        _TYPE,
        {
            "Name": name,
            "RequiredServices": brief(services.depends_on(name)),
            "CanPauseAndContinue": False,
            "CanShutdown": running,
            "CanStop": running,
            "DisplayName": services.display_name(name),
            "DependentServices": None,
            "MachineName": ".",
            "ServiceName": name,
            "ServicesDependedOn": None,
            "ServiceHandle": None,
            "Status": enum(services.state(name), "System.ServiceProcess.ServiceControllerStatus"),
            "ServiceType": enum("Win32OwnProcess", "System.ServiceProcess.ServiceType"),
            "StartType": enum(services.start_type(name), "System.ServiceProcess.ServiceStartMode"),
        },
        ["Status", "Name", "DisplayName"],
        display=name,
    )
    found.properties["ServicesDependedOn"] = found.properties["RequiredServices"]
    found.properties["DependentServices"] = PSArray(services.dependents(name), _TYPE)

    def refresh() -> None:
        found.properties["Status"] = enum(
            services.state(name), "System.ServiceProcess.ServiceControllerStatus"
        )

    def control(action: Any) -> None:
        try:
            action()
        except ServiceError as error:
            raise Terminating(str(error), exception="System.InvalidOperationException") from error
        refresh()

    def wait_for(status: Any, timeout: Any = None) -> None:
        limit = getattr(timeout, "seconds", 3600.0)
        waited = 0.0
        while services.state(name).lower() != str(status).lower():
            if waited >= limit:
                raise Terminating(
                    "Time out has expired and the operation has not been completed.",
                    exception="System.ServiceProcess.TimeoutException",
                )
            machine.pause(0.25)
            waited += 0.25
        refresh()

    found.methods = {
        "Refresh": refresh,
        "Start": lambda *a: control(lambda: services.start(name)),
        "Stop": lambda: control(lambda: services.stop(name, force=True)),
        "WaitForStatus": wait_for,
        "Close": lambda: None,
        "Dispose": lambda: None,
    }
    return found


def _missing(call: Call, name: str, *, by: str = "name") -> None:
    kind = "ServiceName" if by == "name" else "DisplayName"
    call.session.write_error(
        f"Cannot find any service with {'service' if by == 'name' else 'display'} name '{name}'.",
        category="ObjectNotFound",
        error_id=f"NoServiceFoundForGiven{'Name' if kind == 'ServiceName' else 'DisplayName'}",
        target=name,
        exception=_SERVICE_EXCEPTION,
    )


def _select(call: Call) -> Iterator[str]:
    """Names that -Name, -DisplayName or -InputObject mean; a missing one is an error."""
    machine = call.session.machine
    services = machine.services
    given = as_list(call["InputObject"])
    for item in given:
        found = services.find(str(prop(item, "Name", item)))
        if found:
            yield found
        else:
            _missing(call, str(prop(item, "Name", item)))
    if given:
        return
    if call["DisplayName"]:
        for text in as_list(call["DisplayName"]):
            names = [n for n in services.names() if matches(services.display_name(n), text)]
            if not names and not has_wildcard(text):
                _missing(call, text, by="display")
            yield from names
        return
    for text in as_list(call["Name"]) or ["*"]:
        names = [n for n in services.names() if matches(n, text)]
        if not names and not has_wildcard(text):
            _missing(call, text)
        yield from sorted(names, key=str.lower)


def get_service(call: Call) -> Iterator[Any]:
    machine = call.session.machine
    for name in _select(call):
        if call["Include"] and not matches(name, call["Include"]):
            continue
        if call["Exclude"] and matches(name, call["Exclude"]):
            continue
        found = service_object(machine, name)
        if call["RequiredServices"]:
            yield from found.properties["RequiredServices"]
        elif call["DependentServices"]:
            for dependent in machine.services.dependents(name):
                yield service_object(machine, dependent)
        else:
            yield found


def _title(machine: WindowsMachine, name: str) -> str:
    return f"{machine.services.display_name(name)} ({name})"


def _start(call: Call, name: str) -> bool:
    machine: WindowsMachine = call.session.machine
    if machine.services.state(name) == "Running":
        return True
    title = _title(machine, name)
    try:
        machine.services.start(name)
    except ServiceError as error:
        if error.code == 1056:
            return True
        call.session.write_error(
            f"Service '{title}' cannot be started due to the following error: Cannot start service {name} on "
            "computer '.'.",
            category="OpenError", error_id="CouldNotStartService", target=service_object(machine, name),
            exception=_SERVICE_EXCEPTION,
        )  # fmt: skip
        return False
    if machine.services.state(name) != "Running":
        call.session.write_error(
            f"Failed to start service '{title}'.", category="OpenError", error_id="StartServiceFailed",
            target=service_object(machine, name), exception=_SERVICE_EXCEPTION,
        )  # fmt: skip
        return False
    return True


def _stop(call: Call, name: str) -> bool:
    machine: WindowsMachine = call.session.machine
    if machine.services.state(name) == "Stopped":
        return True
    title = _title(machine, name)
    try:
        machine.services.stop(name, force=bool(call["Force"]))
    except ServiceError as error:
        if error.code == 1062:
            return True
        if error.code == 1051:
            message = f"Cannot stop service '{title}' because it has dependent services. It can only be stopped if the Force flag is set."
            error_id = "ServiceHasDependentServices"
        else:
            message = f"Service '{title}' cannot be stopped due to the following error: Cannot stop {name} service on computer '.'."
            error_id = "CouldNotStopService"
        call.session.write_error(
            message, category="CloseError", error_id=error_id, target=service_object(machine, name),
            exception=_SERVICE_EXCEPTION,
        )  # fmt: skip
        return False
    return True


def start_service(call: Call) -> Iterator[Any]:
    for name in list(_select(call)):
        if not call["WhatIf"] and _start(call, name) and call["PassThru"]:
            yield service_object(call.session.machine, name)


def stop_service(call: Call) -> Iterator[Any]:
    for name in list(_select(call)):
        if not call["WhatIf"] and _stop(call, name) and call["PassThru"]:
            yield service_object(call.session.machine, name)


def restart_service(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    for name in list(_select(call)):
        if call["WhatIf"]:
            continue
        again = [
            n for n in machine.services.dependents(name) if machine.services.state(n) == "Running"
        ]
        if _stop(call, name) and _start(call, name):
            for dependent in again:
                _start(call, dependent)
            if call["PassThru"]:
                yield service_object(machine, name)


def _start_type(call: Call, name: str) -> None:
    machine: WindowsMachine = call.session.machine
    kind = str(call["StartupType"])
    wanted = next((k for k in _START_NUMBERS if k.lower() == kind.lower()), None)
    if wanted is None:
        raise Terminating(
            f"Cannot validate argument on parameter 'StartupType'. The argument \"{kind}\" is not one of "
            "Boot, System, Automatic, Manual, Disabled.",
            exception="System.Management.Automation.ParameterBindingValidationException",
        )
    machine.services.set_value(name, "Start", _START_NUMBERS[wanted], "REG_DWORD")
    machine.services.set_value(name, "DelayedAutostart", 0, "REG_DWORD")


def set_service(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    for name in list(_select(call)):
        if call["WhatIf"]:
            continue
        if call.bound("StartupType"):
            _start_type(call, name)
        if call.bound("Description"):
            machine.services.set_value(name, "Description", str(call["Description"]))
        status = str(call["Status"] or "").lower()
        if status == "running":
            _start(call, name)
        elif status == "stopped":
            _stop(call, name)
        if call["PassThru"]:
            yield service_object(machine, name)


def new_service(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    name = str(call["Name"])
    if call["WhatIf"]:
        return
    credential = prop(call["Credential"], "UserName", None)
    try:
        machine.services.create(
            name, str(call["BinaryPathName"]), display_name=str(call["DisplayName"] or name), start=2,
            account=str(credential or "LocalSystem"), depends=[str(d) for d in as_list(call["DependsOn"])],
            description=str(call["Description"] or ""),
        )  # fmt: skip
    except ServiceError as error:
        call.session.write_error(
            f"Service '{name} ({name})' cannot be created due to the following error: {error}",
            category="PermissionDenied", error_id="CouldNotNewService", target=name, exception=_SERVICE_EXCEPTION,
        )  # fmt: skip
        return
    if call.bound("StartupType"):
        _start_type(call, name)
    yield service_object(machine, name)


def register(table: CommandTable) -> None:
    """Add the family to a table."""
    module = "Microsoft.PowerShell.Management"
    select = "Name string[] @0 both =ServiceName; DisplayName string[]; InputObject object value; Include string[] ~; Exclude string[] ~"
    passing = f"{select}; PassThru switch"
    table.cmdlet(
        "Get-Service",
        parameters=parameters(
            f"{select}; ComputerName string[] =Cn ~; DependentServices switch =DS; RequiredServices switch =SDO,ServicesDependedOn"
        ),
        module=module,
        aliases=("gsv",),
    )(get_service)
    table.cmdlet(
        "Start-Service",
        parameters=parameters(passing),
        module=module,
        should_process=True,
        aliases=("sasv",),
    )(start_service)
    for name, body, alias in (
        ("Stop-Service", stop_service, "spsv"),
        ("Restart-Service", restart_service, ""),
    ):
        extra = "; Force switch; NoWait switch ~" if name == "Stop-Service" else "; Force switch"
        table.cmdlet(
            name, parameters=parameters(passing + extra), module=module, should_process=True,
            aliases=(alias,) if alias else (),
        )(body)  # fmt: skip
    table.cmdlet(
        "Set-Service",
        parameters=parameters(
            "Name string @0 both =ServiceName,SN; DisplayName string =DN; Description string; StartupType string "
            "=StartMode,SM,ST; Status string |Running|Stopped|Paused; InputObject object value; PassThru switch; "
            "ComputerName string[] =cn ~; Include string[] ~; Exclude string[] ~"
        ),
        module=module,
        should_process=True,
    )(_set_one)
    table.cmdlet(
        "New-Service",
        parameters=parameters(
            "Name string @0 ! =ServiceName; BinaryPathName string @1 !; DisplayName string; Description string; "
            "StartupType string; Credential object; DependsOn string[]"
        ),
        module=module,
        should_process=True,
    )(new_service)


def _set_one(call: Call) -> Iterator[Any]:
    """-DisplayName of Set-Service is a value to set, not a search."""
    machine: WindowsMachine = call.session.machine
    name = str(prop(call["InputObject"], "Name", call["Name"]))
    if machine.services.find(name) is None:
        call.session.write_error(
            f"Service {name} was not found on computer '.'.", category="ObjectNotFound",
            error_id="InvalidOperationException", target=name, exception="System.InvalidOperationException",
        )  # fmt: skip
        return
    searched = Call(
        call.session, call.name, {k: v for k, v in call.parameters.items() if k not in ("DisplayName", "InputObject")},
        call.defaults, call.input, call.state,
    )  # fmt: skip
    searched.parameters["Name"] = name
    if call.bound("DisplayName"):
        machine.services.set_value(name, "DisplayName", str(call["DisplayName"]))
    yield from set_service(searched)
