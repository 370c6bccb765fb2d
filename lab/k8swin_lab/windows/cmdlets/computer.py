"""The computer as a whole: name, restart, time zone, hot fixes, execution policy, Defender."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_setup import COMPUTER_NAME, TCPIP
from k8swin_lab.powershell.api import Call, CommandTable, Terminating
from k8swin_lab.powershell.dotnet.times import TimeSpan
from k8swin_lab.powershell.values import PSArray
from k8swin_lab.windows.objects import (
    as_list,
    cim,
    date,
    enum,
    matches,
    parameters,
    record,
    texts,
)

_MANAGEMENT = "Microsoft.PowerShell.Management"


def set_date(call: Call) -> Iterator[Any]:
    """The clock, until somebody or the time service sets it again."""
    machine: WindowsMachine = call.session.machine
    seconds = float(getattr(call["Adjust"], "seconds", 0.0))
    if call["Date"] is not None:
        seconds = call["Date"].epoch - machine.now()
    elif not call.bound("Adjust"):
        raise Terminating(
            "Parameter set cannot be resolved using the specified named parameters.",
            exception="System.Management.Automation.ParameterBindingException",
        )
    machine.step_clock(seconds)
    yield date(machine.now())


def rename_computer(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    name = str(call["NewName"])
    old = str(machine.registry.get(COMPUTER_NAME + r"\ComputerName", "ComputerName"))
    if not re.fullmatch(r"(?!\d+$)[A-Za-z0-9-]{1,63}", name):
        call.session.write_error(
            f"Skip computer '{machine.computer_name}' with new name '{name}' because the new name is not valid. The "
            "new computer name entered is not properly formatted. Standard names may contain letters (a-z, A-Z), "
            "numbers (0-9), and hyphens (-), but no spaces or periods (.). The name may not consist entirely of "
            "digits, and may not be longer than 63 characters.",
            category="InvalidArgument", error_id="InvalidNewName", target=name, exception="System.InvalidOperationException",
        )  # fmt: skip
        return
    if name.lower() == old.lower():
        call.session.write_error(
            f"Skip computer '{machine.computer_name}' with new name '{name}' because the new name is the same as the "
            "current name.",
            category="InvalidOperation", error_id="NewNameIsOldName", target=name,
            exception="System.InvalidOperationException",
        )  # fmt: skip
        return
    if call["WhatIf"]:
        return
    if machine.domain:
        # a member's name is the domain's to change: NetRenameMachineInDomain wants an account there
        call.session.write_error(
            f"Fail to rename computer '{machine.computer_name}' to '{name}' due to the following exception: "
            "Access is denied.",
            category="OperationStopped", error_id="FailToRenameComputer", target=machine.computer_name,
            exception="System.InvalidOperationException",
        )  # fmt: skip
        return
    machine.registry.set(COMPUTER_NAME + r"\ComputerName", "ComputerName", name.upper()[:15])
    machine.registry.set(TCPIP, "NV Hostname", name)
    if call["Restart"]:
        machine.schedule_shutdown(1, restart=True)
    else:
        call.session.write_warning(
            f"The changes will take effect after you restart the computer {machine.computer_name}."
        )
    if call["PassThru"]:
        yield record(
            "Microsoft.PowerShell.Commands.RenameComputerChangeInfo",
            {
                "HasSucceeded": True,
                "NewComputerName": name,
                "OldComputerName": machine.computer_name,
            },
        )


def _down(call: Call, *, restart: bool) -> None:
    machine: WindowsMachine = call.session.machine
    names = [str(n).lower() for n in as_list(call["ComputerName"])]
    if any(n not in (".", "localhost", machine.computer_name.lower()) for n in names):
        raise NotSimulated("Restart-Computer of another computer")
    if call["WhatIf"]:
        return
    if not machine.schedule_shutdown(1, restart=restart):
        call.session.write_error(
            f"Failed to {'restart' if restart else 'stop'} the computer {machine.computer_name} with the following "
            "error message: A system shutdown has already been scheduled.",
            category="OperationStopped", error_id="RestartcomputerFailed", target=machine.computer_name,
            exception="System.InvalidOperationException",
        )  # fmt: skip


def restart_computer(call: Call) -> Iterator[Any]:
    _down(call, restart=True)
    return iter(())


def stop_computer(call: Call) -> Iterator[Any]:
    _down(call, restart=False)
    return iter(())


def get_timezone(call: Call) -> Iterator[Any]:
    yield record(
        "System.TimeZoneInfo",
        {
            "Id": "UTC", "DisplayName": "(UTC) Coordinated Universal Time", "StandardName": "Coordinated Universal Time",
            "DaylightName": "Coordinated Universal Time", "BaseUtcOffset": TimeSpan(0),
            "SupportsDaylightSavingTime": False,
        },
        display="(UTC) Coordinated Universal Time",
    )  # fmt: skip


def hotfixes(machine: WindowsMachine) -> list[tuple[str, str]]:
    """Installed updates: (number, kind)."""
    shipped = [("KB5034286", "Update"), ("KB5036909", "Security Update"), ("KB5036620", "Update")]
    later = [u for u in machine.updates.all if u.installed and u.needs_reboot]
    return [*shipped, *((f"KB{u.number}", "Security Update") for u in later)]


def get_hotfix(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    wanted = as_list(call["Id"])
    found = [(n, k) for n, k in hotfixes(machine) if matches(n, wanted or None)]
    if wanted and not found:
        call.session.write_error(
            "Cannot find the requested hotfix on the 'localhost' computer. Verify the input and run the command again.",
            category="ObjectNotFound", error_id="GetHotFixNoEntriesFound", target="localhost",
            exception="System.ArgumentException",
        )  # fmt: skip
    for number, kind in found:
        yield cim(
            "Win32_QuickFixEngineering",
            {
                "Source": machine.computer_name, "Description": kind, "HotFixID": number,
                "InstalledBy": r"NT AUTHORITY\SYSTEM", "InstalledOn": date(machine.now() - 20 * 86400),
                "PSComputerName": machine.computer_name,
            },
            ["Source", "Description", "HotFixID", "InstalledBy", "InstalledOn"],
            standard=False,
        )  # fmt: skip


def get_computer_info(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    edition = machine.edition
    facts = {
        "WindowsBuildLabEx": f"{edition.build}.1.amd64fre", "WindowsCurrentVersion": "6.3",
        "WindowsEditionId": "ServerStandard", "WindowsInstallationType": "Server Core",
        "WindowsProductName": edition.product, "WindowsVersion": edition.release,
        "CsName": machine.computer_name, "CsDNSHostName": machine.computer_name, "CsDomain": machine.domain or "WORKGROUP",
        "CsManufacturer": "Microsoft Corporation", "CsModel": "Virtual Machine",
        "CsNumberOfLogicalProcessors": machine.cpus, "CsNumberOfProcessors": 1,
        "CsTotalPhysicalMemory": machine.memory_bytes, "OsName": edition.caption, "OsVersion": f"10.0.{edition.build}",
        "OsBuildNumber": str(edition.build), "OsArchitecture": "64-bit", "OsLastBootUpTime": date(machine.booted_at),
        "OsTotalVisibleMemorySize": machine.memory_bytes // 1024, "OsServerLevel": "ServerCore", "TimeZone": "(UTC)",
    }  # fmt: skip
    wanted = as_list(call["Property"])
    shown = {name: value for name, value in facts.items() if matches(name, wanted or None)}
    yield record("Microsoft.PowerShell.Commands.ComputerInfo", shown)


def get_preference(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine

    def listed(kind: str) -> Any:
        return texts(machine.defender[kind]) if machine.defender[kind] else None

    yield cim(
        "MSFT_MpPreference",
        {
            "ComputerID": machine.machine_guid.upper(),
            "DisableRealtimeMonitoring": bool(
                machine.registry.get(_DEFENDER, "DisableRealtimeMonitoring", 0)
            ),
            "ExclusionExtension": listed("Extension"),
            "ExclusionPath": listed("Path"),
            "ExclusionProcess": listed("Process"),
        },
    )


_DEFENDER = r"HKLM\SOFTWARE\Microsoft\Windows Defender\Real-Time Protection"


def change_preference(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    verb = call.name.partition("-")[0].lower()
    for kind in ("Path", "Process", "Extension"):
        if not call.bound(f"Exclusion{kind}"):
            continue
        values = [str(v) for v in as_list(call[f"Exclusion{kind}"])]
        present = machine.defender[kind]
        if verb == "set":
            machine.defender[kind] = values
        elif verb == "add":
            machine.defender[kind] = present + [
                v for v in values if v.lower() not in (p.lower() for p in present)
            ]
        else:
            machine.defender[kind] = [
                p for p in present if p.lower() not in (v.lower() for v in values)
            ]
    if call.bound("DisableRealtimeMonitoring"):
        machine.registry.set(
            _DEFENDER, "DisableRealtimeMonitoring", int(bool(call["DisableRealtimeMonitoring"]))
        )
    return iter(())


def get_defender_status(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    running = machine.services.state("WinDefend") == "Running"
    off = bool(machine.registry.get(_DEFENDER, "DisableRealtimeMonitoring", 0))
    yield cim(
        "MSFT_MpComputerStatus",
        {
            "AMServiceEnabled": running, "AntispywareEnabled": running, "AntivirusEnabled": running,
            "BehaviorMonitorEnabled": running and not off, "IoavProtectionEnabled": running and not off,
            "NISEnabled": running, "OnAccessProtectionEnabled": running and not off,
            "RealTimeProtectionEnabled": running and not off, "IsTamperProtected": False,
            "AMProductVersion": "4.18.24030.9", "AntivirusSignatureAge": 0,
        },
    )  # fmt: skip


def get_events(call: Call) -> Iterator[Any]:
    """Get-WinEvent: -LogName or -FilterHashtable (LogName, ProviderName, Id, Level, StartTime)."""
    machine: WindowsMachine = call.session.machine
    wanted: dict[str, Any] = {str(k).lower(): v for k, v in (call["FilterHashtable"] or {}).items()}
    if call["LogName"]:
        wanted["logname"] = call["LogName"]
    if call["ProviderName"]:
        wanted["providername"] = call["ProviderName"]
    unknown = set(wanted) - {"logname", "providername", "id", "level", "starttime", "endtime"}
    if unknown:
        raise NotSimulated(f"Get-WinEvent -FilterHashtable {sorted(unknown)[0]}")
    levels = {"Critical": 1, "Error": 2, "Warning": 3, "Information": 4}
    found = []
    for event in machine.events:
        start = getattr(wanted.get("starttime"), "epoch", None)
        end = getattr(wanted.get("endtime"), "epoch", None)
        if (
            matches(event.log, as_list(wanted.get("logname")) or None)
            and matches(event.source, as_list(wanted.get("providername")) or None)
            and (not wanted.get("id") or event.id in [int(i) for i in as_list(wanted["id"])])
            and (
                not wanted.get("level")
                or levels[event.level] in [int(i) for i in as_list(wanted["level"])]
            )
            and (start is None or event.time >= start)
            and (end is None or event.time <= end)
        ):
            found.append(event)
    if not call["Oldest"]:
        found.reverse()
    if call["MaxEvents"]:
        found = found[: int(call["MaxEvents"])]
    if not found:
        call.session.write_error(
            "No events were found that match the specified selection criteria.", category="ObjectNotFound",
            error_id="NoMatchingEventsFound", exception="System.Exception",
        )  # fmt: skip
    for event in found:
        yield record(
            "System.Diagnostics.Eventing.Reader.EventLogRecord",
            {
                "Message": event.message, "Id": event.id, "LevelDisplayName": event.level,
                "Level": levels[event.level], "LogName": event.log, "ProviderName": event.source,
                "RecordId": event.record, "TimeCreated": date(event.time), "MachineName": machine.computer_name,
            },
            ["TimeCreated", "Id", "LevelDisplayName", "Message"],
        )  # fmt: skip


def get_event_log(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    events = [e for e in machine.events if e.log.lower() == str(call["LogName"]).lower()]
    events = [
        e
        for e in events
        if matches(e.source, call["Source"]) and matches(e.level, call["EntryType"])
    ]
    events.reverse()
    for event in events[: int(call["Newest"])] if call["Newest"] else events:
        yield record(
            "System.Diagnostics.EventLogEntry",
            {
                "Index": event.record, "TimeGenerated": date(event.time), "EntryType": event.level,
                "Source": event.source, "InstanceId": event.id, "EventID": event.id, "Message": event.message,
            },
            ["Index", "TimeGenerated", "EntryType", "Source", "InstanceId", "Message"],
        )  # fmt: skip


def get_volume(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    letters = [str(x).upper() for x in as_list(call["DriveLetter"])]
    if letters and "C" not in letters:
        call.session.write_error(
            f"No MSFT_Volume objects found with property 'DriveLetter' equal to '{letters[0]}'.  Verify the value of "
            "the property and retry.", category="ObjectNotFound", error_id="CmdletizationQuery_NotFound_DriveLetter",
        )  # fmt: skip
        return
    yield record(
        "Microsoft.Management.Infrastructure.CimInstance#ROOT/Microsoft/Windows/Storage/MSFT_Volume",
        {
            "DriveLetter": "C", "FileSystemLabel": "", "FileSystem": "NTFS", "FileSystemType": "NTFS",
            "DriveType": enum("Fixed"), "HealthStatus": enum("Healthy"), "OperationalStatus": enum("OK"),
            "SizeRemaining": machine.free_bytes(), "Size": machine.disk_bytes,
        },
    )  # fmt: skip


def start_bits(call: Call) -> Iterator[Any]:
    """Refused: BITS takes no jobs of somebody who logged in over the network."""
    if str(call.session.user).lower().startswith("nt authority"):
        raise NotSimulated("Start-BitsTransfer as a service account")
    raise Terminating(
        "The operation being requested was not performed because the user has not logged on to the network. The "
        "specified service does not exist. (Exception from HRESULT: 0x800704DD)",
        exception="System.Runtime.InteropServices.COMException",
        error_id="StartBitsTransferCOMException",
    )


def register(table: CommandTable) -> None:
    """Add the cmdlets to a table."""
    add = table.cmdlet
    add("Rename-Computer", parameters=parameters(
        "ComputerName string; PassThru switch; DomainCredential object ~; LocalCredential object ~; NewName string @0 !; "
        "Force switch; Restart switch"), module=_MANAGEMENT, should_process=True)(rename_computer)  # fmt: skip
    add("Restart-Computer", parameters=parameters(
        "ComputerName string[] @0 =CN; Credential object ~ @1; Force switch; Wait switch ~; Timeout int ~; For string ~; "
        "Delay int ~"), module=_MANAGEMENT, should_process=True)(restart_computer)  # fmt: skip
    add("Stop-Computer", parameters=parameters("ComputerName string[] @0 =CN; Force switch"), module=_MANAGEMENT,
        should_process=True)(stop_computer)  # fmt: skip
    add("Set-Date", parameters=parameters("Date datetime @0; Adjust object; DisplayHint string ~"),
        module="Microsoft.PowerShell.Utility", should_process=True)(set_date)  # fmt: skip
    add(
        "Get-TimeZone",
        parameters=parameters("Id string[] ~; ListAvailable switch ~"),
        module=_MANAGEMENT,
    )(get_timezone)
    add(
        "Get-HotFix",
        parameters=parameters("Id string[] ~ @0 =HFID; ComputerName string[] ~"),
        module=_MANAGEMENT,
    )(get_hotfix)
    add("Get-ComputerInfo", parameters=parameters("Property string[] @0"), module=_MANAGEMENT)(
        get_computer_info
    )
    exclusions = "ExclusionPath string[]; ExclusionProcess string[]; ExclusionExtension string[]; Force switch; DisableRealtimeMonitoring bool"
    add("Get-MpPreference", module="Defender")(get_preference)
    for verb in ("Add", "Set", "Remove"):
        add(f"{verb}-MpPreference", parameters=parameters(exclusions), module="Defender")(
            change_preference
        )
    add("Get-MpComputerStatus", module="Defender")(get_defender_status)
    add("Get-WinEvent", parameters=parameters(
        "LogName string[] @0; ProviderName string[]; FilterHashtable hashtable[]; MaxEvents int; Oldest switch"),
        module="Microsoft.PowerShell.Diagnostics")(_get_winevent)  # fmt: skip
    add("Get-EventLog", parameters=parameters(
        "LogName string @0 !; Newest int; Source string[]; EntryType string[]"), module=_MANAGEMENT)(get_event_log)  # fmt: skip
    add("Get-Volume", parameters=parameters("DriveLetter object[] @0"), module="Storage")(
        get_volume
    )
    add("Start-BitsTransfer", parameters=parameters(
        "Source string[] @0 !; Destination string[] @1; Asynchronous switch ~; DisplayName string; Priority string"),
        module="BitsTransfer")(start_bits)  # fmt: skip


def _get_winevent(call: Call) -> Iterator[Any]:
    """-FilterHashtable may be an array; the lab takes one table."""
    tables = call["FilterHashtable"]
    if isinstance(tables, PSArray | list):
        if len(tables) > 1:
            raise NotSimulated("Get-WinEvent with several filter tables")
        call.parameters["FilterHashtable"] = tables[0] if tables else None
    yield from get_events(call)
