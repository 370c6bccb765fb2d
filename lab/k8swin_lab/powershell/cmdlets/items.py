"""New-Item, Remove-Item, Rename-Item, Set-Item, Clear-Item, New-TemporaryFile, mkdir."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import (
    MANAGEMENT,
    TABLE,
    UTILITY,
    refuse,
    should_process,
    switch,
)
from k8swin_lab.powershell.cmdlets.listing import FILTERS, PATHS, item_of
from k8swin_lab.powershell.cmdlets.targets import (
    Target,
    existing,
    exists,
    expand,
    given,
    join,
    kept,
    leaf_of,
    not_found,
    parent_of,
    target_of,
)
from k8swin_lab.powershell.dotnet.fileinfo import info
from k8swin_lab.powershell.dotnet.files import new_temp_file


def io_problem(
    call: Call,
    message: str,
    error_id: str,
    *,
    category: str = "WriteError",
    target: Any = None,
    exception: str = "System.IO.IOException",
) -> None:
    """Write a non-terminating file error."""
    call.session.write_error(
        message, category=category, error_id=error_id, target=target, exception=exception
    )


@TABLE.cmdlet(
    "New-Item",
    parameters=[
        Parameter("Path", "string[]", position=0, pipeline="property"),
        Parameter("Name", "string", pipeline="property"),
        Parameter("ItemType", "string", aliases=("Type",), pipeline="property"),
        Parameter("Value", "object", aliases=("Target",), pipeline="both"),
        switch("Force"),
        Parameter("Credential", "object"),
    ],
    module=MANAGEMENT,
    aliases=("ni",),
    should_process=True,
)
def new_item(call: Call) -> Iterator[Any]:
    yield from _make_items(call)


def _make_items(call: Call) -> Iterator[Any]:
    refuse(call, "Credential")
    session: Any = call.session
    separator = session.host.separator
    for path in call["Path"] or ["."]:
        whole = path
        if call["Name"]:
            whole = join(
                path, call["Name"], separator if not path.endswith(("/", "\\")) else path[-1]
            )
        target = target_of(call, whole)
        if not should_process(
            call,
            f"Create {(call['ItemType'] or 'File').capitalize()}",
            f"Destination: {target.shown}",
        ):
            continue
        if target.table is not None:
            if target.path in target.table and not call["Force"]:
                io_problem(
                    call,
                    "The item already exists.",
                    "Argument",
                    exception="System.Management.Automation.PSArgumentException",
                    category="InvalidArgument",
                )
                continue
            target.table[target.path] = call["Value"]
            yield item_of(call, target)
        elif target.provider is not None:
            yield from _new_in_provider(call, target)
        else:
            yield from _new_file_or_folder(call, target.path)


def _new_in_provider(call: Call, target: Target) -> Iterator[Any]:
    assert target.provider is not None  # noqa: S101 - the caller has looked
    try:
        yield target.provider.new(
            target.path, kind=call["ItemType"] or "", value=call["Value"], force=bool(call["Force"])
        )
    except FileExistsError:
        io_problem(
            call,
            "A key in this path already exists.",
            "System.IO.IOException",
            category="ResourceExists",
            target=target.shown,
        )
    except FileNotFoundError:
        io_problem(
            call,
            "The registry key at the specified path does not exist.",
            "System.ArgumentException",
            category="InvalidArgument",
            target=target.shown,
            exception="System.ArgumentException",
        )


def _new_file_or_folder(call: Call, path: str) -> Iterator[Any]:
    session: Any = call.session
    files, separator = session.host.files, session.host.separator
    kind = (call["ItemType"] or "File").lower()
    value = call["Value"]
    if kind in ("d", "dir", "directory", "container"):
        known = files.exists(path)
        if known and not (call["Force"] and files.stat(path).is_directory):
            io_problem(
                call,
                f"An item with the specified name {path} already exists.",
                "DirectoryExist",
                category="ResourceExists",
                target=path,
            )
            return
        files.make_directory(path)
        yield info(session.host, path)
        return
    if kind in ("symboliclink", "junction", "hardlink"):
        link = getattr(files, "link", None)
        if link is None:
            raise NotSimulated(f"New-Item -ItemType {call['ItemType']}")
        link(session.full_path(dotnet.to_string(value)), path, kind)
        yield info(session.host, path)
        return
    if kind not in ("file", "f", "leaf"):
        raise Terminating(
            'The type is not a known type for the file system. Only "file", "directory" or "symboliclink" can be specified.',
            exception="System.Management.Automation.PSArgumentException",
            category="InvalidArgument",
            error_id="Argument",
        )
    if files.exists(path) and not call["Force"]:
        io_problem(call, f"The file '{path}' already exists.", "NewItemIOError", target=path)
        return
    if files.exists(path) and files.stat(path).is_directory:
        io_problem(
            call,
            f"Access to the path '{path}' is denied.",
            "NewItemUnauthorizedAccessError",
            category="PermissionDenied",
            target=path,
            exception="System.UnauthorizedAccessException",
        )
        return
    parent = parent_of(path, separator)
    if parent and not files.exists(parent):
        if not call["Force"]:
            io_problem(
                call,
                f"Could not find a part of the path '{path}'.",
                "NewItemIOError",
                target=path,
                exception="System.IO.DirectoryNotFoundException",
            )
            return
        files.make_directory(parent)
    files.write(path, b"" if value is None else dotnet.to_string(value).encode())
    yield info(session.host, path)


@TABLE.cmdlet(
    "mkdir",
    parameters=[
        Parameter("Path", "string[]", position=0, pipeline="property"),
        Parameter("Name", "string", pipeline="property"),
        Parameter("Value", "object", pipeline="value"),
        switch("Force"),
    ],
    module=MANAGEMENT,
    aliases=("md",),
    should_process=True,
)
def make_directory(call: Call) -> Iterator[Any]:
    """In Windows a function around New-Item."""
    yield from _make_items(
        Call(call.session, "New-Item", {**call.parameters, "ItemType": "Directory"}, call.defaults)
    )


@TABLE.cmdlet(
    "Remove-Item",
    parameters=[
        *PATHS,
        *FILTERS,
        switch("Recurse"),
        switch("Force"),
        Parameter("Credential", "object"),
        Parameter("Stream", "string[]"),
    ],
    module=MANAGEMENT,
    aliases=("ri", "rm", "rmdir", "del", "erase", "rd"),
    should_process=True,
)
def remove_item(call: Call) -> None:
    session: Any = call.session
    refuse(call, "Stream", "Credential")
    for target in existing(call, hidden=bool(call["Force"])):
        if target.table is not None:
            if should_process(call, "Remove Item", target.shown):
                del target.table[target.path]
            continue
        if target.provider is not None:
            if should_process(call, "Remove Key", target.shown):
                if any(True for _ in target.provider.children(target.path)) and not call["Recurse"]:
                    raise _needs_prompt()
                target.provider.remove(target.path, recursive=bool(call["Recurse"]))
            continue
        found = info(session.host, target.path)
        if not kept(call, found.name):
            continue
        verb = "Remove Directory" if found.is_directory else "Remove File"
        if not should_process(call, verb, target.path):
            continue
        try:
            if (
                found.is_directory
                and not call["Recurse"]
                and any(True for _ in session.host.files.list(target.path))
            ):
                raise _needs_prompt()
            if call["Force"] and hasattr(session.host.files, "make_writable"):
                session.host.files.make_writable(target.path)
            session.host.files.remove(target.path, recursive=bool(call["Recurse"]))
        except PermissionError as error:
            # A file that is read-only is not even tried without -Force.
            kept_back = found.read_only and not call["Force"]
            io_problem(
                call,
                f"Cannot remove item {target.path}: {_READ_ONLY if kept_back else error.strerror or error}",
                "RemoveFileSystemItemUnAuthorizedAccess",
                category="PermissionDenied",
                target=target.path,
                exception="System.UnauthorizedAccessException",
            )
        except FileNotFoundError:
            not_found(call, target.path)
        except OSError as error:
            io_problem(
                call,
                f"Cannot remove item {target.path}: {error.strerror or error}",
                "RemoveFileSystemItemIOError",
                target=target.path,
            )


_READ_ONLY = "You do not have sufficient access rights to perform this operation."


def _needs_prompt() -> Terminating:
    return Terminating(
        "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.",
        exception="System.Management.Automation.PSInvalidOperationException",
        category="InvalidOperation",
        error_id="InvalidOperation",
    )


@TABLE.cmdlet(
    "Rename-Item",
    parameters=[
        Parameter("Path", "string", position=0, pipeline="both"),
        Parameter("LiteralPath", "string", aliases=("PSPath",), pipeline="property"),
        Parameter("NewName", "string", position=1, mandatory=True, pipeline="property"),
        switch("Force"),
        switch("PassThru"),
    ],
    module=MANAGEMENT,
    aliases=("rni", "ren"),
    should_process=True,
)
def rename_item(call: Call) -> Iterator[Any]:
    session: Any = call.session
    files, separator = session.host.files, session.host.separator
    path = call["LiteralPath"] if call.bound("LiteralPath") else call["Path"]
    target = expand(call, path, literal=True)[0]
    if not exists(call, target):
        io_problem(
            call,
            f"Cannot rename because item at '{path}' does not exist.",
            "InvalidOperation",
            category="InvalidOperation",
            target=path,
            exception="System.Management.Automation.PSInvalidOperationException",
        )
        return
    name = call["NewName"]
    if "/" in name or "\\" in name:
        full = session.full_path(name)
        if parent_of(full, separator).lower() != parent_of(target.path, separator).lower():
            raise Terminating(
                "Cannot rename the specified target, because it represents a path or device name.",
                exception="System.Management.Automation.PSArgumentException",
                category="InvalidArgument",
                error_id="Argument",
            )
        name = leaf_of(full, separator)
    if not target.is_file_system:
        if target.table is None:
            raise NotSimulated(f"Rename-Item on drive {target.drive}:")
        target.table[name] = target.table[target.path]
        del target.table[target.path]
        return
    new = join(parent_of(target.path, separator), name, separator)
    is_directory = files.stat(target.path).is_directory
    verb = "Rename Directory" if is_directory else "Rename File"
    if not should_process(call, verb, f"Item: {target.path} Destination: {new}"):
        return
    if files.exists(new) and new.lower() != target.path.lower():
        io_problem(
            call,
            "Cannot create a file when that file already exists.",
            "RenameItemIOError",
            target=target.path,
        )
        return
    files.move(target.path, new)
    if call["PassThru"]:
        yield info(session.host, new)


@TABLE.cmdlet(
    "Set-Item",
    parameters=[
        Parameter("Path", "string[]", position=0, pipeline="property"),
        Parameter("LiteralPath", "string[]", aliases=("PSPath",), pipeline="property"),
        Parameter("Value", "object", position=1, pipeline="both"),
        switch("Force"),
        switch("PassThru"),
    ],
    module=MANAGEMENT,
    aliases=("si",),
    should_process=True,
)
def set_item(call: Call) -> Iterator[Any]:
    for path, literal in given(call):
        for target in expand(call, path, literal=literal):
            if not should_process(call, "Set Item", target.shown):
                continue
            if target.table is not None:
                target.table[target.path] = call["Value"]
            elif target.provider is not None:
                setter = getattr(target.provider, "set_item", None)
                if setter is None:
                    raise NotSimulated(f"Set-Item on drive {target.drive}:")
                setter(target.path, call["Value"])
            else:
                raise Terminating(
                    "Provider operation stopped because the provider does not support this operation.",
                    exception="System.Management.Automation.PSNotSupportedException",
                    category="NotImplemented",
                    error_id="NotSupported",
                )
            if call["PassThru"]:
                yield item_of(call, target)


@TABLE.cmdlet(
    "Clear-Item", parameters=PATHS, module=MANAGEMENT, aliases=("cli",), should_process=True
)
def clear_item(call: Call) -> None:
    for target in existing(call):
        if target.table is None:
            raise NotSimulated(f"Clear-Item on {target.shown}")
        if should_process(call, "Clear Item", target.shown):
            target.table[target.path] = None


@TABLE.cmdlet("New-TemporaryFile", module=UTILITY, should_process=True)
def new_temporary_file(call: Call) -> Iterator[Any]:
    session: Any = call.session
    yield info(session.host, new_temp_file(session))
