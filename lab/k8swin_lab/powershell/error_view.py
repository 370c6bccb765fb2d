"""How Windows PowerShell shows an error: its message, where it came about, and what kind it is."""

from __future__ import annotations

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.records import ErrorRecord
from k8swin_lab.powershell.values import PSObject


def console_form(record: ErrorRecord) -> str:
    """An error as the console of Windows PowerShell shows it."""
    info = record.properties.get("InvocationInfo")
    activity = record.properties["CategoryInfo"].properties["Activity"]
    name = activity or _program(record, info)
    head = f"{name} : {record.message}" if name else record.message
    lines = [head]
    if isinstance(info, PSObject):
        lines.extend(str(info.properties["PositionMessage"]).split("\n"))
    lines.append(f"    + CategoryInfo          : {category_text(record)}")
    lines.append(f"    + FullyQualifiedErrorId : {record.error_id}")
    return "\n".join(lines)


def _program(record: ErrorRecord, info: object) -> str:
    """The program whose line on standard error this is."""
    if record.error_id != "NativeCommandError" or not isinstance(info, PSObject):
        return ""
    return str(info.properties["InvocationName"]).replace("/", "\\").rpartition("\\")[2]


def category_text(record: ErrorRecord) -> str:
    r"""`ObjectNotFound: (C:\x:String) [Get-Item], ItemNotFoundException`."""
    info = record.properties["CategoryInfo"].properties
    target = record.properties.get("TargetObject")
    shown = "" if target is None else dotnet.to_string(target)
    kind = "" if target is None else str(dotnet.type_name_of(target)).rpartition(".")[2]
    return f"{info['Category']}: ({shown}:{kind}) [{info['Activity']}], {info['Reason']}"
