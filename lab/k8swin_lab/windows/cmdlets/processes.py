"""Get-Process, Stop-Process, Start-Process and Wait-Process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_environment import Environment
from k8swin_lab.machines.windows_processes import SERVICES, WindowsProcess
from k8swin_lab.powershell.api import Call, CommandTable, Terminating
from k8swin_lab.powershell.values import PSObject
from k8swin_lab.windows.objects import (
    as_list,
    date,
    has_wildcard,
    matches,
    parameters,
    prop,
    record,
)

_TYPE = "System.Diagnostics.Process"
_EXCEPTION = "Microsoft.PowerShell.Commands.ProcessCommandException"


def process_object(machine: WindowsMachine, entry: WindowsProcess) -> PSObject:
    name = entry.name.removesuffix(".exe")
    found = record(
        _TYPE,
        {
            "Name": name, "ProcessName": name, "Id": entry.pid, "Handles": 120, "HandleCount": 120, "SI": 0, "SessionId": 0,
            "WorkingSet64": entry.memory, "WorkingSet": entry.memory, "WS": entry.memory, "PM": entry.memory // 2,
            "NPM": 12_000, "CPU": 0.1, "Path": entry.path or None, "StartTime": date(entry.started),
            "HasExited": entry.ended.is_set(), "ExitCode": entry.exit_code, "MachineName": ".", "PriorityClass": "Normal",
            "Responding": True, "MainWindowTitle": "",
        },
        ["Handles", "NPM", "PM", "WS", "CPU", "Id", "SI", "ProcessName"],
        display=f"{_TYPE} ({name})",
    )  # fmt: skip

    def refresh() -> None:
        found.properties["HasExited"] = entry.ended.is_set()
        found.properties["ExitCode"] = entry.exit_code

    def kill() -> None:
        machine.processes.kill(entry)
        refresh()

    def wait(milliseconds: Any = None) -> bool:
        ended = entry.ended.wait(None if milliseconds is None else int(milliseconds) / 1000)
        refresh()
        return ended

    found.methods = {
        "Refresh": refresh,
        "Kill": kill,
        "WaitForExit": wait,
        "Dispose": lambda: None,
        "Close": lambda: None,
    }
    return found


def _select(call: Call) -> Iterator[WindowsProcess]:
    machine: WindowsMachine = call.session.machine
    running = sorted(machine.processes.running.values(), key=lambda e: e.name.lower())
    wanted: list[Any] = as_list(call["InputObject"])
    if wanted or call["Id"]:
        for item in wanted or as_list(call["Id"]):
            pid = int(prop(item, "Id", item))
            entry = machine.processes.running.get(pid)
            if entry is None:
                call.session.write_error(
                    f"Cannot find a process with the process identifier {pid}.", category="ObjectNotFound",
                    error_id="NoProcessFoundForGivenId", target=pid, exception=_EXCEPTION,
                )  # fmt: skip
            else:
                yield entry
        return
    for name in as_list(call["Name"]) or ["*"]:
        found = [e for e in running if matches(e.name.removesuffix(".exe"), name)]
        if not found and not has_wildcard(str(name)):
            call.session.write_error(
                f'Cannot find a process with the name "{name}". Verify the process name and call the cmdlet again.',
                category="ObjectNotFound", error_id="NoProcessFoundForGivenName", target=name, exception=_EXCEPTION,
            )  # fmt: skip
        yield from found


def get_process(call: Call) -> Iterator[Any]:
    for entry in _select(call):
        yield process_object(call.session.machine, entry)


def stop_process(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    for entry in list(_select(call)):
        if call["WhatIf"]:
            continue
        if entry.process is None:
            call.session.write_error(
                f'Cannot stop process "{entry.name.removesuffix(".exe")} ({entry.pid})" because of the following error: '
                "Access is denied", category="CloseError", error_id="CouldNotStopProcess", exception=_EXCEPTION,
            )  # fmt: skip
            continue
        machine.processes.kill(entry)
        if call["PassThru"]:
            yield process_object(machine, entry)


def wait_process(call: Call) -> Iterator[Any]:
    for entry in list(_select(call)):
        limit = float(call["Timeout"]) if call["Timeout"] else None
        waited = 0.0
        while not entry.ended.wait(0.1) and not call.session.cancelled():
            waited += 0.1
            if limit is not None and waited >= limit:
                call.session.write_error(
                    f'This command stopped operation because process "{entry.name} ({entry.pid})" is not stopped in the '
                    "specified time-out.", category="CloseError", error_id="ProcessNotTerminated", exception="System.TimeoutException",
                )  # fmt: skip
                break
    return iter(())


class _FileWriter:
    """Output that goes to a file as it comes."""

    def __init__(self, machine: WindowsMachine, path: str) -> None:
        self._machine = machine
        self._path = path
        machine.files.write(path, b"")

    def write(self, data: bytes, /) -> int:
        self._machine.files.append(self._path, data)
        return len(data)


def start_process(call: Call) -> Iterator[Any]:
    session = call.session
    machine: WindowsMachine = session.machine
    name = str(call["FilePath"])
    env = Environment(dict(session.environment).items())
    path = machine.find_program(name, env.get("Path", ""), session.location)
    if path is None:
        raise Terminating(
            "This command cannot be run due to the error: The system cannot find the file specified.",
            exception="System.InvalidOperationException", category="InvalidOperation", error_id="InvalidOperationException",
        )  # fmt: skip
    if not machine.is_program(path):
        raise Terminating(
            "This command cannot be run due to the error: %1 is not a valid Win32 application.",
            exception="System.InvalidOperationException", category="InvalidOperation", error_id="InvalidOperationException",
        )  # fmt: skip
    line = " ".join(str(a) for a in as_list(call["ArgumentList"]))
    cwd = (
        session.full_path(str(call["WorkingDirectory"]))
        if call["WorkingDirectory"]
        else session.location
    )
    outer = getattr(session, "stdout", None), getattr(session, "stderr", None)
    stdout = (
        _FileWriter(machine, session.full_path(str(call["RedirectStandardOutput"])))
        if call["RedirectStandardOutput"]
        else None
    )
    stderr = (
        _FileWriter(machine, session.full_path(str(call["RedirectStandardError"])))
        if call["RedirectStandardError"]
        else None
    )
    if call["NoNewWindow"]:
        stdout, stderr = stdout or outer[0], stderr or outer[1]
    event = getattr(session, "cancelled_event", None)
    job = machine.processes.job_with(event) if event is not None else 0
    parent = machine.processes.parent_with(event) if event is not None else SERVICES
    entry = machine.processes.start(
        [path, *machine.split(line)], env=dict(env), cwd=cwd, user=session.user, stdout=stdout, stderr=stderr, job=job,
        parent=parent,
        command_line=f'"{path}" {line}'.strip(),
    )  # fmt: skip
    if call["Wait"]:
        while not entry.ended.wait(0.1):
            if session.cancelled():
                machine.processes.kill(entry)
    if call["PassThru"]:
        yield process_object(machine, entry)


def register(table: CommandTable) -> None:
    """Add the cmdlets to a table."""
    module = "Microsoft.PowerShell.Management"
    select = "Id int[] property =PID; InputObject object[] value"
    table.cmdlet("Get-Process", parameters=parameters(f"Name string[] @0 property =ProcessName; {select}; IncludeUserName switch ~; "
                 "ComputerName string[] ~"), module=module, aliases=("gps", "ps"))(get_process)  # fmt: skip
    table.cmdlet("Stop-Process", parameters=parameters("Name string[] property =ProcessName; Id int[] @0 property; InputObject "
                 "object[] value; Force switch; PassThru switch"), module=module, should_process=True,
                 aliases=("spps", "kill"))(stop_process)  # fmt: skip
    table.cmdlet("Wait-Process", parameters=parameters(f"Name string[] @0 =ProcessName; {select}; Timeout int =TimeoutSec"),
                 module=module)(wait_process)  # fmt: skip
    table.cmdlet("Start-Process", parameters=parameters(
        "FilePath string @0 ! =PSPath; ArgumentList string[] @1 =Args; WorkingDirectory string; NoNewWindow switch =nnw; "
        "PassThru switch; Wait switch; WindowStyle string; Verb string ~; RedirectStandardOutput string =RSO; "
        "RedirectStandardError string =RSE; LoadUserProfile switch ~; UseNewEnvironment switch ~"), module=module,
        aliases=("saps", "start"))(start_process)  # fmt: skip
