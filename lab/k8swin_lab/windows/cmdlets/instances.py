"""Get-CimInstance, Get-WmiObject and Invoke-CimMethod over the classes of root/cimv2 that the lab knows."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator
from typing import Any

from k8swin_lab.known import cim as windows
from k8swin_lab.known import dotnet as framework
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.powershell.api import Call, CommandTable, Terminating
from k8swin_lab.powershell.values import PSObject
from k8swin_lab.windows.cmdlets.computer import hotfixes
from k8swin_lab.windows.objects import cim, date, parameters, prop, texts, uint

Maker = Callable[[WindowsMachine], Iterator[dict[str, Any]]]


def operating_system(machine: WindowsMachine) -> Iterator[dict[str, Any]]:
    total = machine.memory_bytes // 1024
    edition = machine.edition
    yield {
        "SystemDirectory": r"C:\Windows\system32", "Organization": "", "BuildNumber": str(edition.build),
        "RegisteredUser": "Windows User", "SerialNumber": "00454-40000-00001-AA000", "Version": f"10.0.{edition.build}",
        "Caption": edition.caption, "CSName": machine.computer_name, "FreePhysicalMemory": uint(total * 7 // 10, 64),
        "FreeVirtualMemory": uint(total, 64), "InstallDate": date(machine.booted_at - 30 * 86400),
        "LastBootUpTime": date(machine.booted_at), "LocalDateTime": date(machine.now()), "Name": edition.caption,
        "OperatingSystemSKU": uint(13), "OSArchitecture": "64-bit", "OSType": uint(18, 16), "ProductType": uint(3),
        "SystemDrive": "C:", "WindowsDirectory": r"C:\Windows", "TotalVisibleMemorySize": uint(total, 64),
        "TotalVirtualMemorySize": uint(total * 5 // 4, 64), "NumberOfProcesses": uint(len(machine.processes.running)),
        "OSLanguage": uint(int(machine.locale.words.language, 16)), "MUILanguages": texts([machine.locale.words.culture]), "Status": "OK",
    }  # fmt: skip


def computer_system(machine: WindowsMachine) -> Iterator[dict[str, Any]]:
    yield {
        "Name": machine.computer_name, "PrimaryOwnerName": "Windows User", "Domain": machine.domain or "WORKGROUP",
        "TotalPhysicalMemory": uint(machine.memory_bytes, 64), "Model": "Virtual Machine",
        "Manufacturer": "Microsoft Corporation", "DNSHostName": machine.computer_name.lower(), "DomainRole": uint(3 if machine.domain else 2, 16),
        "HypervisorPresent": True, "NumberOfLogicalProcessors": uint(machine.cpus), "NumberOfProcessors": uint(1),
        "PartOfDomain": bool(machine.domain), "SystemType": "x64-based PC", "UserName": None, "Workgroup": None if machine.domain else "WORKGROUP",
        "AutomaticManagedPagefile": True, "CurrentTimeZone": 0, "Status": "OK",
    }  # fmt: skip


def services(machine: WindowsMachine) -> Iterator[dict[str, Any]]:
    manager = machine.services
    modes = {"Automatic": "Auto", "Manual": "Manual", "Disabled": "Disabled"}
    states = {"StartPending": "Start Pending", "StopPending": "Stop Pending"}
    for name in manager.names():
        state = manager.state(name)
        yield {
            "Name": name, "ProcessId": uint(manager.process_id(name)), "StartMode": modes.get(manager.start_type(name), "Boot"),
            "State": states.get(state, state), "Status": "OK", "ExitCode": uint(manager.runtime(name).exit_code if state == "Stopped" else 0),
            "Caption": manager.display_name(name), "Description": manager.value(name, "Description"),
            "DisplayName": manager.display_name(name), "PathName": manager.value(name, "ImagePath"),
            "ServiceType": "Own Process", "Started": state == "Running", "StartName": manager.value(name, "ObjectName"),
            "DelayedAutoStart": bool(manager.value(name, "DelayedAutostart", 0)), "AcceptStop": state == "Running",
            "ServiceSpecificExitCode": uint(0), "SystemName": machine.computer_name,
        }  # fmt: skip


def processes(machine: WindowsMachine) -> Iterator[dict[str, Any]]:
    for entry in list(machine.processes.running.values()):
        yield {
            "ProcessId": uint(entry.pid), "Name": entry.name, "ProcessName": entry.name, "HandleCount": uint(120),
            "WorkingSetSize": uint(entry.memory, 64), "VirtualSize": uint(entry.memory * 4, 64),
            "CommandLine": entry.command_line or None, "ExecutablePath": entry.path or None,
            "ParentProcessId": uint(entry.parent), "CreationDate": date(entry.started), "SessionId": uint(0),
        }  # fmt: skip


def processor(machine: WindowsMachine) -> Iterator[dict[str, Any]]:
    yield {
        "DeviceID": "CPU0", "Name": "Intel(R) Xeon(R) CPU @ 2.50GHz", "Caption": "Intel64 Family 6 Model 85 Stepping 7",
        "MaxClockSpeed": uint(2500), "SocketDesignation": "None", "Manufacturer": "GenuineIntel",
        "NumberOfCores": uint(machine.cpus), "NumberOfLogicalProcessors": uint(machine.cpus), "AddressWidth": uint(64, 16),
        "VirtualizationFirmwareEnabled": False, "SecondLevelAddressTranslationExtensions": False,
        "LoadPercentage": uint(3, 16), "Architecture": uint(9, 16),
    }  # fmt: skip


def disks(machine: WindowsMachine) -> Iterator[dict[str, Any]]:
    yield {
        "DeviceID": "C:", "DriveType": uint(3), "ProviderName": None, "VolumeName": "", "Size": uint(machine.disk_bytes, 64),
        "FreeSpace": uint(machine.free_bytes(), 64), "FileSystem": "NTFS", "Name": "C:", "Caption": "C:",
    }  # fmt: skip


def product(machine: WindowsMachine) -> Iterator[dict[str, Any]]:
    yield {
        "IdentifyingNumber": machine.machine_guid[:8].upper(), "Name": "Virtual Machine", "Vendor": "Microsoft Corporation",
        "Version": "Hyper-V UEFI Release v4.1", "Caption": "Computer System Product", "UUID": machine.machine_guid.upper(),
    }  # fmt: skip


def bios(machine: WindowsMachine) -> Iterator[dict[str, Any]]:
    yield {
        "SMBIOSBIOSVersion": "Hyper-V UEFI Release v4.1", "Manufacturer": "Microsoft Corporation",
        "Name": "Hyper-V UEFI Release v4.1", "SerialNumber": machine.machine_guid[:8].upper(), "Version": "VRTUAL - 1",
    }  # fmt: skip


def fixes(machine: WindowsMachine) -> Iterator[dict[str, Any]]:
    for number, kind in hotfixes(machine):
        yield {"Source": machine.computer_name, "Description": kind, "HotFixID": number,
               "InstalledBy": r"NT AUTHORITY\SYSTEM", "InstalledOn": "11/3/2026"}  # fmt: skip


def adapters(machine: WindowsMachine) -> Iterator[dict[str, Any]]:
    for adapter in machine.net.adapters:
        own = [a for a in machine.net.addresses if a.index == adapter.index]
        gateways = [
            r.next_hop
            for r in machine.net.routes
            if r.index == adapter.index and r.prefix == "0.0.0.0/0"
        ]
        yield {
            "ServiceName": "netvsc", "Description": adapter.description, "Index": uint(adapter.index),
            "InterfaceIndex": uint(adapter.index), "DHCPEnabled": adapter.dhcp, "IPEnabled": bool(own),
            "IPAddress": texts(a.address for a in own) if own else None, "MACAddress": adapter.mac.replace("-", ":"),
            "DefaultIPGateway": texts(gateways) if gateways else None,
            "DNSServerSearchOrder": texts(adapter.dns) if adapter.dns else None, "SettingID": adapter.guid,
        }  # fmt: skip


def page_files(machine: WindowsMachine) -> Iterator[dict[str, Any]]:
    yield {"Name": r"C:\pagefile.sys", "AllocatedBaseSize": uint(1280), "CurrentUsage": uint(40)}


def licenses(machine: WindowsMachine) -> Iterator[dict[str, Any]]:
    """One product that is licensed for good; every other product of the real list has no key."""
    common = {
        "ApplicationID": "55c92734-d682-4d71-983e-d6ec3f16059f",
        "Name": f"Windows(R), {machine.edition.caption}",
        "Description": "Windows(R) Operating System, VOLUME_KMSCLIENT channel",
        "EvaluationEndDate": None,
    }
    yield {
        **common,
        "PartialProductKey": "KHKQY",
        "LicenseStatus": uint(1),
        "GracePeriodRemaining": uint(0),
    }
    yield {
        **common,
        "PartialProductKey": None,
        "LicenseStatus": uint(0),
        "GracePeriodRemaining": uint(0),
    }


CLASSES: dict[str, tuple[str, Maker, list[str] | None]] = {
    name.lower(): (name, maker, shown)
    for name, maker, shown in (
        ("Win32_OperatingSystem", operating_system,
         ["SystemDirectory", "Organization", "BuildNumber", "RegisteredUser", "SerialNumber", "Version"]),
        ("Win32_ComputerSystem", computer_system,
         ["Name", "PrimaryOwnerName", "Domain", "TotalPhysicalMemory", "Model", "Manufacturer"]),
        ("Win32_Service", services, ["ProcessId", "Name", "StartMode", "State", "Status", "ExitCode"]),
        ("Win32_Process", processes, ["ProcessId", "Name", "HandleCount", "WorkingSetSize", "VirtualSize"]),
        ("Win32_Processor", processor, ["DeviceID", "Name", "Caption", "MaxClockSpeed", "SocketDesignation", "Manufacturer"]),
        ("Win32_LogicalDisk", disks, ["DeviceID", "DriveType", "ProviderName", "VolumeName", "Size", "FreeSpace"]),
        ("Win32_ComputerSystemProduct", product, ["IdentifyingNumber", "Name", "Vendor", "Version", "Caption"]),
        ("Win32_BIOS", bios, ["SMBIOSBIOSVersion", "Manufacturer", "Name", "SerialNumber", "Version"]),
        ("Win32_QuickFixEngineering", fixes, ["Source", "Description", "HotFixID", "InstalledBy", "InstalledOn"]),
        ("Win32_NetworkAdapterConfiguration", adapters, ["ServiceName", "DHCPEnabled", "Index", "Description"]),
        ("Win32_PageFileUsage", page_files, None),
        ("SoftwareLicensingProduct", licenses, None),
    )
}  # fmt: skip


_CONDITION = re.compile(
    r"\s*(?P<name>\w+)\s*(?P<op>=|<>|!=|>=|<=|>|<|\blike\b|\bis\s+not\b|\bis\b)\s*"
    r"(?P<value>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|-?\d+|true|false|null)\s*",
    re.IGNORECASE,
)


def _invalid_query() -> Terminating:
    return Terminating(
        "Invalid query ", exception="Microsoft.Management.Infrastructure.CimException", category="InvalidArgument",
        error_id="HRESULT 0x80041017",
    )  # fmt: skip


def wql(condition: str) -> Callable[[dict[str, Any]], bool]:
    """Compile a WQL condition of comparisons joined by AND and OR (AND binds tighter).

    Raises:
        Terminating: Invalid query.
    """
    alternatives: list[list[tuple[str, str, Any]]] = [[]]
    rest = condition
    while True:
        found = _CONDITION.match(rest)
        if found is None and re.match(r"\s*(not\b|\(|isa\b)", rest, re.IGNORECASE):
            raise NotSimulated(f"the WQL condition {condition}")
        if found is None:
            raise _invalid_query()
        raw = found["value"]
        value: Any = (
            raw[1:-1].replace("\\\\", "\\").replace("\\'", "'") if raw[0] in "'\"" else raw.lower()
        )
        if isinstance(value, str) and raw[0] not in "'\"":
            value = {"true": True, "false": False, "null": None}.get(value, value)
            value = int(value) if isinstance(value, str) else value
        alternatives[-1].append(
            (found["name"].lower(), " ".join(found["op"].lower().split()), value)
        )
        rest = rest[found.end() :]
        if not rest:
            break
        joint = re.match(r"(and|or)\b", rest, re.IGNORECASE)
        if joint is None:
            raise _invalid_query()
        if joint[1].lower() == "or":
            alternatives.append([])
        rest = rest[joint.end() :]

    def holds(item: dict[str, Any]) -> bool:
        folded = {k.lower(): v for k, v in item.items()}
        return any(all(_compare(folded, *test) for test in tests) for tests in alternatives)

    return holds


def _compare(item: dict[str, Any], name: str, operator: str, value: Any) -> bool:
    if name not in item:
        raise _invalid_query()
    own = item[name]
    if operator == "like":
        pattern = str(value).replace("%", "*").replace("_", "?")
        return fnmatch.fnmatchcase(str(own or "").lower(), pattern.lower())
    if operator in ("is", "is not"):
        return (own is None) == (operator == "is")
    left: Any
    right: Any
    if isinstance(own, str) or isinstance(value, str):
        left, right = str(own if own is not None else "").lower(), str(value).lower()
    else:
        left, right = own or 0, value or 0
    results = {"=": left == right, "<>": left != right, "!=": left != right, ">": left > right, "<": left < right,
            ">=": left >= right, "<=": left <= right}  # fmt: skip
    return bool(results[operator])


def _instances(call: Call, name: str, condition: str | None) -> Iterator[PSObject]:
    machine: WindowsMachine = call.session.machine
    known = CLASSES.get(name.lower())
    namespace = str(call["Namespace"] or "root/cimv2").replace("\\", "/").lower()
    if namespace != "root/cimv2":
        if windows.has_namespace(namespace):
            raise NotSimulated(f"{call.name} -Namespace {namespace}")
        call.session.write_error(
            "Invalid namespace ", category="ObjectNotFound", error_id="HRESULT 0x8004100e",
            exception="Microsoft.Management.Infrastructure.CimException",
        )  # fmt: skip
        return
    if known is None:
        if windows.has_class(name):
            raise NotSimulated(f"{call.name} {name}")
        call.session.write_error(
            "Invalid class ", category="MetadataError", error_id="HRESULT 0x80041010", target=name,
            exception="Microsoft.Management.Infrastructure.CimException",
        )  # fmt: skip
        return
    holds = wql(condition) if condition else lambda item: True
    found = list(known[1](machine))
    for asked in _CONDITION.finditer(condition or ""):
        own = {key.lower() for item in found for key in item}
        if asked["name"].lower() not in own and framework.has_property(
            f"CimInstance#root/cimv2/{known[0]}", asked["name"]
        ):
            raise NotSimulated(f"{known[0]}.{asked['name']}")
    for item in found:
        if holds(item):
            yield cim(known[0], item, known[2], standard=False)


def get_instance(call: Call) -> Iterator[Any]:
    name, condition = call["ClassName"], call["Filter"]
    if call["Query"]:
        found = re.fullmatch(
            r"\s*select\s+(.+?)\s+from\s+(\w+)(?:\s+where\s+(.+))?\s*",
            str(call["Query"]),
            re.I | re.S,
        )
        if found is None:
            raise _invalid_query()
        name, condition = found[2], found[3]
    if name is None:
        raise NotSimulated("Get-CimInstance without a class or query")
    for item in _instances(call, str(name), condition):
        if call.name.lower() == "get-wmiobject":
            _add_wmi_methods(call.session.machine, item)
        yield item


def _add_wmi_methods(machine: WindowsMachine, item: PSObject) -> None:
    for name, value in list(item.properties.items()):
        if name in ("LastBootUpTime", "LocalDateTime", "InstallDate", "CreationDate") and hasattr(
            value, "datetime"
        ):
            item.properties[name] = value.datetime.strftime("%Y%m%d%H%M%S.%f+000")
    if item.type_names[0].endswith("Win32_Service"):
        name = str(item.properties["Name"])

        def delete() -> PSObject:
            machine.services.delete(name)
            return PSObject({"ReturnValue": 0})

        item.methods = {"Delete": delete}


def invoke_method(call: Call) -> Iterator[Any]:
    machine: WindowsMachine = call.session.machine
    method = str(call["MethodName"]).lower()
    name = str(call["ClassName"] or "")
    given = call["InputObject"]
    if given is not None:
        name = str(given.type_names[0]).rpartition("/")[2]
    arguments = {str(k).lower(): v for k, v in (call["Arguments"] or {}).items()}
    if (name.lower(), method) == ("win32_process", "create"):
        line = str(arguments["commandline"])
        argv = machine.split(line)
        env = machine.login_environment(call.session.user.rpartition("\\")[2] or "Administrator")
        path = machine.find_program(argv[0], env["Path"]) if argv else None
        if path is None or not machine.is_program(path):
            yield PSObject({"ProcessId": None, "ReturnValue": uint(9), "PSComputerName": None})
            return
        entry = machine.processes.start(
            [path, *argv[1:]], env=env, cwd=str(arguments.get("currentdirectory") or r"C:\Windows\system32"),
            user=call.session.user, command_line=line, parent=2104,
        )  # fmt: skip
        yield PSObject(
            {"ProcessId": uint(entry.pid), "ReturnValue": uint(0), "PSComputerName": None}
        )
    elif (name.lower(), method) == ("win32_process", "terminate") and given is not None:
        found = machine.processes.running.get(int(prop(given, "ProcessId", 0)))
        if found is not None:
            machine.processes.kill(found)
        yield PSObject({"ReturnValue": uint(0 if found else 2), "PSComputerName": None})
    elif (name.lower(), method) == ("win32_service", "delete") and given is not None:
        machine.services.delete(str(prop(given, "Name")))
        yield PSObject({"ReturnValue": uint(0), "PSComputerName": None})
    elif (name.lower(), method) == ("win32_operatingsystem", "reboot"):
        machine.schedule_shutdown(1, restart=True)
        yield PSObject({"ReturnValue": uint(0), "PSComputerName": None})
    else:
        raise NotSimulated(f"Invoke-CimMethod {name} {call['MethodName']}")


def register(table: CommandTable) -> None:
    """Add the cmdlets to a table."""
    table.cmdlet(
        "Get-CimInstance",
        parameters=parameters(
            "ClassName string @0 property =Class; Namespace string; Filter string; Query string; Property string[] ~; "
            "KeyOnly switch ~; OperationTimeoutSec int =OT ~; ComputerName string[] ~"
        ),
        module="CimCmdlets", aliases=("gcim",),
    )(get_instance)  # fmt: skip
    table.cmdlet(
        "Get-WmiObject",
        parameters=parameters(
            "ClassName string @0 =Class; Namespace string =NS; Filter string; Query string; Property string[] ~ @1; "
            "ComputerName string[] =Cn ~"
        ),
        module="Microsoft.PowerShell.Management", aliases=("gwmi",),
    )(get_instance)  # fmt: skip
    table.cmdlet(
        "Invoke-CimMethod",
        parameters=parameters(
            "ClassName string @0 =Class; MethodName string @1 ! =Name; Arguments hashtable @2; Namespace string ~; "
            "InputObject object value =CimInstance; OperationTimeoutSec int ~; ComputerName string[] ~"
        ),
        module="CimCmdlets", should_process=True, aliases=("icim",),
    )(invoke_method)  # fmt: skip
