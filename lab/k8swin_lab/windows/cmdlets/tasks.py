"""ScheduledTasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_tasks import WELL_KNOWN, Action, Task, Trigger
from k8swin_lab.powershell.api import Call, CommandTable, Terminating
from k8swin_lab.powershell.values import PSArray, PSObject
from k8swin_lab.windows.objects import (
    as_list,
    cim_error,
    date,
    enum,
    matches,
    parameters,
    prop,
    record,
    uint,
)

_CIM = "Microsoft.Management.Infrastructure.CimInstance#Root/Microsoft/Windows/TaskScheduler/"


_SHIPPED = {"DisallowStartIfOnBatteries": True, "StopIfGoingOnBatteries": True, "StartWhenAvailable": False}  # fmt: skip
"""What holds of a task whose settings nobody gave."""


def _span(value: Any) -> float:
    return float(getattr(value, "seconds", 0.0))


def _iso(seconds: float) -> str:
    whole = int(seconds)
    days, whole = divmod(whole, 86400)
    hours, whole = divmod(whole, 3600)
    minutes, left = divmod(whole, 60)
    clock = "".join(f"{n}{u}" for n, u in ((hours, "H"), (minutes, "M"), (left, "S")) if n)
    return (
        "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "") if seconds else "PT0S"
    )


def new_action(call: Call) -> Iterator[Any]:
    yield record(
        _CIM + "MSFT_TaskExecAction",
        {"Id": call["Id"], "Arguments": call["Argument"], "Execute": call["Execute"],
         "WorkingDirectory": call["WorkingDirectory"], "PSComputerName": None},
    )  # fmt: skip


def new_trigger(call: Call) -> Iterator[Any]:
    kinds = [k for k in ("AtStartup", "AtLogOn", "Once", "Daily", "Weekly") if call[k]]
    if len(kinds) != 1:
        raise Terminating(
            "Parameter set cannot be resolved using the specified named parameters.",
            exception="System.Management.Automation.ParameterBindingException", error_id="AmbiguousParameterSet",
            category="InvalidArgument",
        )  # fmt: skip
    names = {"AtStartup": "Boot", "AtLogOn": "Logon", "Once": "Time"}
    kind = names.get(kinds[0], kinds[0])
    yield record(
        _CIM + f"MSFT_Task{kind}Trigger",
        {"Enabled": True, "EndBoundary": None, "ExecutionTimeLimit": None, "Id": None, "Repetition": None,
         "StartBoundary": call["At"], "Delay": None, "RandomDelay": None, "UserId": call["User"], "PSComputerName": None},
    )  # fmt: skip


def new_principal(call: Call) -> Iterator[Any]:
    user = str(call["UserId"] or "")
    if not user and not call["GroupId"]:
        raise NotSimulated("New-ScheduledTaskPrincipal without -UserId")
    yield record(
        _CIM + "MSFT_TaskPrincipal2",
        {"DisplayName": None, "GroupId": call["GroupId"], "Id": call["Id"], "LogonType": enum(str(call["LogonType"] or "None")),
         "RunLevel": enum(str(call["RunLevel"] or "Limited")), "UserId": WELL_KNOWN.get(user.lower(), user),
         "ProcessTokenSidType": enum("Default"), "PSComputerName": None},
    )  # fmt: skip


def new_settings(call: Call) -> Iterator[Any]:
    limit = _iso(_span(call["ExecutionTimeLimit"])) if call.bound("ExecutionTimeLimit") else "PT72H"
    yield record(
        _CIM + "MSFT_TaskSettings3",
        {
            "AllowDemandStart": True, "AllowHardTerminate": True, "DisallowStartIfOnBatteries": not call["AllowStartIfOnBatteries"],
            "StopIfGoingOnBatteries": not call["DontStopIfGoingOnBatteries"], "Enabled": not call["Disable"],
            "ExecutionTimeLimit": limit, "Hidden": bool(call["Hidden"]), "MultipleInstances": enum(str(call["MultipleInstances"] or "IgnoreNew")),
            "Priority": uint(int(call["Priority"] or 7), 8), "RestartCount": uint(int(call["RestartCount"] or 0), 8),
            "RestartInterval": _iso(_span(call["RestartInterval"])) if call["RestartInterval"] else None,
            "RunOnlyIfNetworkAvailable": bool(call["RunOnlyIfNetworkAvailable"]),
            "StartWhenAvailable": bool(call["StartWhenAvailable"]), "WakeToRun": bool(call["WakeToRun"]), "PSComputerName": None,
        },
    )  # fmt: skip


def _seconds(text: str) -> float:
    import re

    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", text or "PT0S")
    if found is None:
        return 0.0
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return days * 86400.0 + hours * 3600 + minutes * 60 + seconds


def new_task(call: Call) -> Iterator[Any]:
    yield _definition(call)


def _definition(call: Call) -> PSObject:
    return record(
        _CIM + "MSFT_ScheduledTask",
        {"Actions": PSArray(as_list(call["Action"])), "Triggers": PSArray(as_list(call["Trigger"])),
         "Principal": call["Principal"], "Settings": call["Settings"], "Description": call["Description"]},
    )  # fmt: skip


def _task_path(path: Any) -> str:
    text = str(path or "\\")
    return "\\" + text.strip("\\") + ("\\" if text.strip("\\") else "")


def register_task(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    name, path = str(call["TaskName"] or ""), _task_path(call["TaskPath"])
    if "\\" in name.strip("\\"):
        folder, _, name = name.strip("\\").rpartition("\\")
        path = _task_path(folder)
    if call["Xml"]:
        raise NotSimulated("Register-ScheduledTask -Xml")
    source = call["InputObject"] or _definition(call)
    if machine.tasks.find(name, path) is not None and not call["Force"]:
        cim_error(call, "Cannot create a file when that file already exists. ", error_id="HRESULT 0x800700b7",
                  category="ResourceExists", target="PS_ScheduledTask")  # fmt: skip
        return
    principal, settings = prop(source, "Principal"), prop(source, "Settings")
    user = str(
        prop(principal, "UserId") or call["User"] or machine.computer_name + r"\Administrator"
    )
    actions = [
        Action(
            str(prop(a, "Execute") or ""),
            str(prop(a, "Arguments") or ""),
            str(prop(a, "WorkingDirectory") or ""),
        )
        for a in as_list(prop(source, "Actions"))
    ]
    if not actions:
        cim_error(call, "(1,2)::The task XML is missing a required element or attribute. ", error_id="HRESULT 0x80041319",
                  category="InvalidArgument", target="PS_ScheduledTask")  # fmt: skip
        return
    triggers = []
    for trigger in as_list(prop(source, "Triggers")):
        kind = trigger.type_names[0].rpartition("MSFT_Task")[2].removesuffix("Trigger")
        start = getattr(prop(trigger, "StartBoundary"), "epoch", 0.0)
        triggers.append(Trigger("Once" if kind == "Time" else kind, start))
    task = Task(
        name, path, actions, triggers, user=WELL_KNOWN.get(user.lower(), user),
        logon_type=str(prop(principal, "LogonType") or "Interactive"),
        run_level=str(prop(principal, "RunLevel") or call["RunLevel"] or "Limited"),
        description=str(prop(source, "Description") or ""), enabled=bool(prop(settings, "Enabled", True)),
        time_limit=_seconds(str(prop(settings, "ExecutionTimeLimit", "PT72H"))),
        settings={name: bool(prop(settings, name, default)) for name, default in _SHIPPED.items()},
    )  # fmt: skip
    machine.tasks.register(task)
    yield task_object(task)


def task_object(task: Task) -> PSObject:
    return record(
        _CIM + "MSFT_ScheduledTask",
        {
            "TaskPath": task.path, "TaskName": task.name, "State": enum(task.state),
            "Actions": PSArray([record(_CIM + "MSFT_TaskExecAction", {"Execute": a.execute, "Arguments": a.arguments or None,
                                "WorkingDirectory": a.working_directory or None}) for a in task.actions]),
            "Triggers": PSArray([record(_CIM + f"MSFT_Task{t.kind}Trigger", {"Enabled": t.enabled}) for t in task.triggers]),
            "Principal": PSObject({"UserId": task.user, "LogonType": task.logon_type, "RunLevel": task.run_level}),
            "Settings": PSObject({"Enabled": task.enabled, "ExecutionTimeLimit": _iso(task.time_limit), **task.settings}),
            "Description": task.description or None, "URI": task.path + task.name, "Author": None, "Version": None,
        },
        ["TaskPath", "TaskName", "State"],
    )  # fmt: skip


def _find(call: Call) -> Iterator[Task]:
    machine: WindowsMachine = call.session.machine
    machine.tasks.tick()
    source = call["InputObject"]
    names = as_list(prop(source, "TaskName")) if source is not None else as_list(call["TaskName"])
    paths = as_list(call["TaskPath"])
    for name in names or ["*"]:
        found = [
            t for t in list(machine.tasks.all.values())
            if matches(t.name, str(name).lstrip("\\")) and matches(t.path, [_task_path(p) for p in paths] or None)
        ]  # fmt: skip
        if not found and not any(c in str(name) for c in "*?"):
            if (
                call.name.lower() == "start-scheduledtask"
                or call.name.lower() == "get-scheduledtaskinfo"
            ):
                cim_error(call, "The system cannot find the file specified. ", error_id="HRESULT 0x80070002",
                          category="ObjectNotFound", target="PS_ScheduledTask")  # fmt: skip
            else:
                from k8swin_lab.windows.objects import no_match

                no_match(call, "MSFT_ScheduledTask", "TaskName", name)
        yield from found


def get_task(call: Call) -> Iterator[Any]:
    for task in _find(call):
        yield task_object(task)


def act(call: Call) -> Iterator[Any]:
    """Start-, Stop-, Enable-, Disable- and Unregister-ScheduledTask."""
    machine: WindowsMachine = call.session.machine
    verb = call.name.partition("-")[0].lower()
    for task in list(_find(call)):
        if verb == "start":
            if not task.enabled:
                cim_error(
                    call,
                    "The request is not supported. The task is disabled. ",
                    error_id="HRESULT 0x80041326",
                )
            machine.tasks.start(task)
        elif verb == "stop":
            machine.tasks.stop(task)
        elif verb == "unregister":
            machine.tasks.unregister(task)
        else:
            task.enabled = verb == "enable"
            yield task_object(task)


def get_info(call: Call) -> Iterator[Any]:
    for task in _find(call):
        yield record(
            _CIM + "MSFT_TaskDynamicInfo",
            {"LastRunTime": date(task.last_run) if task.last_run else None, "LastTaskResult": uint(task.last_result),
             "NextRunTime": None, "NumberOfMissedRuns": uint(task.missed), "TaskName": task.name, "TaskPath": task.path},
        )  # fmt: skip


def register(table: CommandTable) -> None:
    """Add the cmdlets to a table."""

    def add(name: str, body: Any, declaration: str, *, change: bool = False) -> None:
        table.cmdlet(
            name, parameters=parameters(declaration), module="ScheduledTasks", should_process=change
        )(body)

    add(
        "New-ScheduledTaskAction",
        new_action,
        "Execute string @0 !; Argument string @1; WorkingDirectory string @2; Id string",
    )
    add("New-ScheduledTaskTrigger", new_trigger, "AtStartup switch; AtLogOn switch; Once switch; Daily switch; Weekly switch; "
        "At datetime; User string; RandomDelay object ~")  # fmt: skip
    add("New-ScheduledTaskPrincipal", new_principal, "UserId string @0; LogonType string @1 |None|Password|S4U|Interactive|Group|"
        "ServiceAccount|InteractiveOrPassword; RunLevel string @2 |Limited|Highest; GroupId string; Id string")  # fmt: skip
    add("New-ScheduledTaskSettingsSet", new_settings, "ExecutionTimeLimit object; RestartCount int; RestartInterval object; "
        "MultipleInstances string |Parallel|Queue|IgnoreNew; Priority int; Hidden switch; Disable switch; StartWhenAvailable "
        "switch; AllowStartIfOnBatteries switch; DontStopIfGoingOnBatteries switch; WakeToRun switch; "
        "RunOnlyIfNetworkAvailable switch; Compatibility string ~")  # fmt: skip
    content = (
        "Action object[]; Trigger object[]; Settings object; Principal object; Description string"
    )
    add("New-ScheduledTask", new_task, content)
    add("Register-ScheduledTask", register_task, f"TaskName string @0; TaskPath string @1; {content}; InputObject object value; "
        "Xml string; User string; Password string ~; RunLevel string |Limited|Highest; Force switch")  # fmt: skip
    select = "TaskName string[] @0; TaskPath string[] @1; InputObject object value"
    add("Get-ScheduledTask", get_task, select)
    add("Get-ScheduledTaskInfo", get_info, select)
    for verb in ("Start", "Stop", "Enable", "Disable", "Unregister"):
        add(f"{verb}-ScheduledTask", act, select, change=verb == "Unregister")
