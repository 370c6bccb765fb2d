"""How known types look: the columns that nobody asked for."""

from __future__ import annotations

from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.dotnet.fileinfo import FileSystemInfo
from k8swin_lab.powershell.dotnet.properties import names_of, property_value
from k8swin_lab.powershell.formatting_table import Column, Layout
from k8swin_lab.powershell.values import Hashtable, PSObject

LIST_LIMIT = 4
"""An object with more properties than this is shown as a list."""


def column(session: Any, label: str, name: str = "", width: int = 0, align: str = "") -> Column:
    """A column of a property."""
    source = name or label
    return Column(label, lambda value: property_value(session, value, source), width, align)


def _file_layout(session: Any) -> Layout:
    def written(value: Any) -> str:
        moment = value.modified
        date = dotnet.format_value(moment, "d").rjust(10)
        return f"{date}     {dotnet.format_value(moment, 't').rjust(8)}"

    return Layout(
        "table",
        [
            column(session, "Mode", width=7),
            Column("LastWriteTime", written, 25, "right"),
            column(session, "Length", width=14, align="right"),
            column(session, "Name"),
        ],
        auto_size=False,
        group=lambda value: ("Directory", value.parent),
        group_title=lambda label, value: ["", "", f"    Directory: {value}", ""],
    )


def _dictionary_layout(session: Any) -> Layout:
    return Layout(
        "table",
        [column(session, "Name", width=30, align="left"), column(session, "Value", align="left")],
        auto_size=False,
    )


_FIXED: dict[str, tuple[tuple[str, str, int, str], ...]] = {
    "System.ServiceProcess.ServiceController": (
        ("Status", "Status", 8, "left"),
        ("Name", "Name", 18, "left"),
        ("DisplayName", "DisplayName", 38, "left"),
    ),
    "System.Version": (
        ("Major", "Major", 6, "left"),
        ("Minor", "Minor", 6, "left"),
        ("Build", "Build", 6, "left"),
        ("Revision", "Revision", 8, "left"),
    ),
    "System.RuntimeType": (
        ("IsPublic", "IsPublic", 8, "left"),
        ("IsSerial", "IsSerializable", 8, "left"),
        ("Name", "Name", 40, "left"),
        ("BaseType", "BaseType", 0, "left"),
    ),
    "Microsoft.PowerShell.Commands.GroupInfo": (
        ("Count", "Count", 5, "right"),
        ("Name", "Name", 25, "left"),
        ("Group", "Group", 0, "left"),
    ),
    "Microsoft.PowerShell.Commands.GroupInfoNoElement": (
        ("Count", "Count", 5, "right"),
        ("Name", "Name", 25, "left"),
    ),
    "System.Management.Automation.AliasInfo": (
        ("CommandType", "CommandType", 15, "left"),
        ("Name", "DisplayName", 50, "left"),
        ("Version", "Version", 10, "left"),
        ("Source", "Source", 0, "left"),
    ),
    "System.Management.Automation.CommandInfo": (
        ("CommandType", "CommandType", 15, "left"),
        ("Name", "Name", 50, "left"),
        ("Version", "Version", 10, "left"),
        ("Source", "Source", 0, "left"),
    ),
    "System.Diagnostics.Process": (
        ("Handles", "HandleCount", 7, "right"),
        ("NPM(K)", "NPM", 7, "right"),
        ("PM(K)", "PM", 8, "right"),
        ("WS(K)", "WS", 10, "right"),
        ("CPU(s)", "CPU", 10, "right"),
        ("Id", "Id", 6, "right"),
        ("SI", "SI", 3, "right"),
        ("ProcessName", "ProcessName", 0, "left"),
    ),
}
_KILOBYTES = ("NPM", "PM", "WS")
_GROUPED = {"Microsoft.PowerShell.Commands.MemberDefinition": "TypeName"}


def _process_reader(session: Any, name: str) -> Any:
    def read(value: Any) -> Any:
        found = property_value(session, value, name)
        if name in _KILOBYTES and found is not None:
            return found // 1024
        if name == "CPU" and found is not None:
            return dotnet.format_operator("{0:N}", [float(found)])
        return found

    return read


def _grouping(session: Any, name: str) -> Any:
    return lambda value: (name, property_value(session, value, name))


def view(session: Any, value: Any) -> Layout | None:
    """The layout of a known type, or None."""
    if isinstance(value, PSObject) and value.type_names[:1] == [
        "Microsoft.PowerShell.Commands.MatchInfo"
    ]:
        return Layout("text")
    if isinstance(value, FileSystemInfo):
        return _file_layout(session)
    if isinstance(value, Hashtable):
        return _dictionary_layout(session)
    names = (
        value.type_names
        if isinstance(value, PSObject)
        else dotnet.base_types(dotnet.type_name_of(value))
    )
    if names and names[0] == "System.Collections.DictionaryEntry":
        return _dictionary_layout(session)
    for name in names:
        fixed = _FIXED.get(name)
        if fixed is not None:
            columns = [
                Column(label, _process_reader(session, source), width, align)
                for label, source, width, align in fixed
            ]
            return Layout("table", columns, auto_size=False)
        if name in _GROUPED:
            group = _GROUPED[name]
            columns = [column(session, n) for n in ("Name", "MemberType", "Definition")]
            return Layout("table", columns, group=_grouping(session, group))
    if isinstance(value, PSObject) and value.default_properties:
        return Layout("table", [column(session, n) for n in value.default_properties])
    return None


_LISTED_TYPES = (
    "System.TimeSpan",
    "System.Net.IPAddress",
    "System.Uri",
    "System.Management.Automation.ErrorRecord",
)


def generated(session: Any, value: Any) -> Layout:
    """The layout of any other object: a table of up to four properties, else a list."""
    names = [
        name for name in names_of(value) if not name.startswith("PS") or isinstance(value, PSObject)
    ]
    columns = [column(session, name) for name in names]
    listed = len(names) > LIST_LIMIT or dotnet.type_name_of(value) in _LISTED_TYPES
    return Layout("list" if listed else "table", columns, generated=True)
