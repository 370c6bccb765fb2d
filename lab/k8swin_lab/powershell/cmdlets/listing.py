"""Get-ChildItem, Get-Item, Test-Path, Resolve-Path, Convert-Path, Get-PSDrive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import MANAGEMENT, TABLE, refuse, switch
from k8swin_lab.powershell.cmdlets.targets import (
    Target,
    existing,
    exists,
    expand,
    given,
    has_wildcard,
    kept,
    leaf_of,
    not_found,
    parent_of,
    target_of,
)
from k8swin_lab.powershell.dotnet.collections import DictionaryEntry
from k8swin_lab.powershell.dotnet.fileinfo import FileSystemInfo, info
from k8swin_lab.powershell.values import PSObject
from k8swin_lab.powershell.wildcards import wildcard

PATHS = [
    Parameter("Path", "string[]", position=0, pipeline="both"),
    Parameter("LiteralPath", "string[]", aliases=("PSPath",), pipeline="property"),
]
FILTERS = [
    Parameter("Filter", "string"),
    Parameter("Include", "string[]"),
    Parameter("Exclude", "string[]"),
]


def item_of(call: Call, target: Target) -> Any:
    """The object of an existing item."""
    session: Any = call.session
    if target.is_file_system:
        return info(session.host, target.path)
    if target.provider is not None:
        return target.provider.get(target.path)
    assert target.table is not None  # noqa: S101 - the only kind left
    return entry_of(target.drive, target.path, target.table[target.path])


def entry_of(drive: str, name: str, value: Any) -> Any:
    """An item of env:, variable:, function: or alias:."""
    if drive.lower() == "env":
        return DictionaryEntry(name, value)
    kind = {"variable": "PSVariable", "function": "FunctionInfo", "alias": "AliasInfo"}[
        drive.lower()
    ]
    pairs: list[tuple[str, Any]] = [("Name", name), ("Value", value)]
    if kind == "FunctionInfo":
        pairs = [
            ("CommandType", "Function"),
            ("Name", name),
            ("ScriptBlock", value),
            ("Definition", str(value)),
        ]
    elif kind == "AliasInfo":
        pairs = [
            ("CommandType", "Alias"),
            ("Name", name),
            ("Definition", value),
            ("DisplayName", f"{name} -> {value}"),
        ]
    return PSObject(
        pairs,
        type_names=[f"System.Management.Automation.{kind}"],
        display=f"System.Management.Automation.{kind}" if kind == "PSVariable" else name,
        default_properties=["Name", "Value"] if kind == "PSVariable" else None,
    )


@TABLE.cmdlet(
    "Get-ChildItem",
    parameters=[
        *PATHS,
        Parameter("Filter", "string", position=1),
        Parameter("Include", "string[]"),
        Parameter("Exclude", "string[]"),
        switch("Recurse", "s"),
        Parameter("Depth", "int"),
        switch("Force"),
        switch("Name"),
        switch("File", "af"),
        switch("Directory", "ad", "d"),
        switch("Hidden", "ah", "h"),
        switch("ReadOnly", "ar"),
        switch("System", "as"),
        Parameter("Attributes", "string"),
        switch("FollowSymlink"),
    ],
    module=MANAGEMENT,
    aliases=("gci", "dir", "ls"),
)
def get_child_item(call: Call) -> Iterator[Any]:
    refuse(call, "Attributes", "Hidden", "ReadOnly", "System", "FollowSymlink")
    session: Any = call.session
    for path, literal in given(call, default="."):
        try:
            targets = expand(call, path, literal=literal, hidden=bool(call["Force"]))
        except Terminating as error:
            call.session.write_error(
                str(error),
                category=error.category,
                error_id=error.error_id,
                exception=error.exception,
                target=error.target,
            )
            continue
        pattern = ""
        if not literal and has_wildcard(path) and call["Recurse"]:
            # With -Recurse the last part is a filter for all levels below.
            base = target_of(call, path)
            if base.is_file_system and not has_wildcard(
                parent_of(base.path, session.host.separator)
            ):
                pattern = leaf_of(base.path, session.host.separator)
                targets = [Target(parent_of(base.path, session.host.separator))]
        for target in targets:
            if not exists(call, target):
                shown = target.shown
                if call["Recurse"] and target.is_file_system and not literal:
                    # A name that is not there, with -Recurse, is looked for below its directory.
                    folder = parent_of(target.path, session.host.separator)
                    if folder and session.host.files.exists(folder):
                        pattern = leaf_of(target.path, session.host.separator)
                        found = list(_files(call, folder, folder, 0, pattern))
                        if found:
                            yield from found
                            continue
                not_found(call, shown)
                continue
            yield from _children(
                call, target, pattern, wildcarded=has_wildcard(path) and not literal
            )


def _children(call: Call, target: Target, pattern: str, *, wildcarded: bool) -> Iterator[Any]:
    session: Any = call.session
    if target.table is not None:
        names = [target.path] if target.path else list(target.table)
        for name in names:
            if kept(call, name):
                yield entry_of(target.drive, name, target.table[name])
        return
    if target.provider is not None:
        yield from _provider_children(call, target, target.path)
        return
    found = info(session.host, target.path)
    if not found.is_directory or (wildcarded and not pattern and not call["Recurse"]):
        if _wanted(call, found) and (kept(call, found.name) or not _filtered(call)):
            yield found.name if call["Name"] else found
        return
    yield from _files(call, target.path, target.path, 0, pattern)


def _filtered(call: Call) -> bool:
    return any(call.bound(name) for name in ("Filter", "Include", "Exclude"))


def _provider_children(call: Call, target: Target, path: str) -> Iterator[Any]:
    assert target.provider is not None  # noqa: S101 - the caller has looked
    for name in target.provider.children(path):
        child = f"{path}\\{name}" if path else name
        if kept(call, name):
            yield name if call["Name"] else target.provider.get(child)
        if call["Recurse"] and target.provider.is_container(child):
            yield from _provider_children(call, target, child)


def _wanted(call: Call, found: FileSystemInfo) -> bool:
    if call["File"] and found.is_directory:
        return False
    return not (call["Directory"] and not found.is_directory)


def _files(call: Call, folder: str, base: str, depth: int, pattern: str) -> Iterator[Any]:
    session: Any = call.session
    host = session.host
    try:
        entries = list(host.files.list(folder))
    except PermissionError:
        call.session.write_error(
            f"Access to the path '{folder}' is denied.",
            category="PermissionDenied",
            error_id="DirUnauthorizedAccessError",
            exception="System.UnauthorizedAccessException",
            target=folder,
        )
        return
    found = [FileSystemInfo(host, e.path, is_directory=e.is_directory, known=e) for e in entries]
    found = [
        f for f in found if call["Force"] or host.separator == "\\" or not f.name.startswith(".")
    ]
    found.sort(key=lambda f: (not f.is_directory, f.name.lower()))
    regex = wildcard(pattern) if pattern else None
    nested = call["Recurse"] or call.bound("Depth")
    for item in found:
        # Without -Recurse, -Include looks at the path itself, which is a directory here.
        if call["Include"] and not nested:
            continue
        if (
            _wanted(call, item)
            and kept(call, item.name)
            and (regex is None or regex.fullmatch(item.name))
        ):
            yield item.path[len(base) :].lstrip(host.separator) if call["Name"] else item
    if not nested or (call.bound("Depth") and depth >= call["Depth"]):
        return
    for item in found:
        if item.is_directory and not (item.stat and item.stat.link_target):
            yield from _files(call, item.path, base, depth + 1, pattern)


@TABLE.cmdlet(
    "Get-Item",
    parameters=[*PATHS, *FILTERS, switch("Force"), Parameter("Stream", "string[]")],
    module=MANAGEMENT,
    aliases=("gi",),
)
def get_item(call: Call) -> Iterator[Any]:
    if call["Stream"]:
        raise NotSimulated("Get-Item -Stream")
    for target in existing(call):
        found = item_of(call, target)
        if kept(call, found.name if isinstance(found, FileSystemInfo) else target.path):
            yield found


@TABLE.cmdlet(
    "Test-Path",
    parameters=[
        *PATHS,
        *FILTERS,
        Parameter("PathType", "string", aliases=("Type",), choices=("Any", "Container", "Leaf")),
        switch("IsValid"),
        Parameter("OlderThan", "datetime"),
        Parameter("NewerThan", "datetime"),
    ],
    module=MANAGEMENT,
)
def test_path(call: Call) -> Iterator[Any]:
    session: Any = call.session
    if not given(call):
        empty = call["Path"] if call.bound("Path") else None
        if empty is None or empty == []:
            raise Terminating(
                "Cannot bind argument to parameter 'Path' because it is null.",
                exception="System.Management.Automation.ParameterBindingException",
                category="InvalidData",
                error_id="ParameterArgumentValidationErrorNullNotAllowed",
            )
    kind = (call["PathType"] or "Any").lower()
    for path, literal in given(call):
        if not path.strip():
            yield False
            continue
        if call["IsValid"]:
            yield not any(char in path for char in '<>|"\0')
            continue
        try:
            targets = expand(call, path, literal=literal)
        except Terminating:
            yield False
            continue
        found = [t for t in targets if exists(call, t)]
        if found and found[0].is_file_system and _filtered(call):
            found = [t for t in found if kept(call, leaf_of(t.path, session.host.separator))]
        yield any(_has_kind(call, target, kind) for target in found)


def _has_kind(call: Call, target: Target, kind: str) -> bool:
    session: Any = call.session
    if target.is_file_system:
        found = info(session.host, target.path)
        if call.bound("NewerThan") and found.modified <= call["NewerThan"]:
            return False
        if call.bound("OlderThan") and found.modified >= call["OlderThan"]:
            return False
        container = found.is_directory
    elif target.provider is not None:
        container = target.provider.is_container(target.path)
    else:
        container = not target.path
    return kind == "any" or (kind == "container") == container


def _path_info(shown: str) -> PSObject:
    return PSObject(
        [("Path", shown), ("ProviderPath", shown)],
        type_names=["System.Management.Automation.PathInfo"],
        display=shown,
        default_properties=["Path"],
    )


@TABLE.cmdlet(
    "Resolve-Path", parameters=[*PATHS, switch("Relative")], module=MANAGEMENT, aliases=("rvpa",)
)
def resolve_path(call: Call) -> Iterator[Any]:
    session: Any = call.session
    for target in existing(call):
        if not call["Relative"]:
            yield _path_info(target.shown)
            continue
        separator = session.host.separator
        base = session.location.rstrip(separator)
        if target.path.lower().startswith((base + separator).lower()):
            yield f".{separator}{target.path[len(base) + 1 :]}"
        else:
            yield _relative(base, target.path, separator)


def _relative(base: str, path: str, separator: str) -> str:
    ours, theirs = base.split(separator), path.split(separator)
    common = 0
    while common < min(len(ours), len(theirs)) and ours[common].lower() == theirs[common].lower():
        common += 1
    return separator.join([".."] * (len(ours) - common) + theirs[common:])


@TABLE.cmdlet("Convert-Path", parameters=PATHS, module=MANAGEMENT, aliases=("cvpa",))
def convert_path(call: Call) -> Iterator[Any]:
    for target in existing(call):
        if target.provider is not None:
            yield f"{target.provider.root}\\{target.path}" if target.path else target.provider.root
        else:
            yield target.path if target.is_file_system else target.shown
