"""Copy-Item and Move-Item."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Call, Parameter
from k8swin_lab.powershell.cmdlets.common import (
    MANAGEMENT,
    TABLE,
    refuse,
    should_process,
    switch,
)
from k8swin_lab.powershell.cmdlets.items import io_problem
from k8swin_lab.powershell.cmdlets.listing import FILTERS, PATHS
from k8swin_lab.powershell.cmdlets.targets import (
    existing,
    join,
    kept,
    leaf_of,
    parent_of,
    target_of,
)
from k8swin_lab.powershell.dotnet.fileinfo import info


def _destination(call: Call, source: str) -> str:
    """Where a source goes: into an existing directory, or to the very path."""
    session: Any = call.session
    files, separator = session.host.files, session.host.separator
    target = target_of(call, call["Destination"] or ".")
    if not target.is_file_system:
        raise NotSimulated(f"{call.name} to {target.shown}")
    if files.exists(target.path) and files.stat(target.path).is_directory:
        return join(target.path, leaf_of(source, separator), separator)
    return target.path


@TABLE.cmdlet(
    "Copy-Item",
    parameters=[
        *PATHS,
        Parameter("Destination", "string", position=1, pipeline="property"),
        *FILTERS,
        switch("Container"),
        switch("Force"),
        switch("Recurse"),
        switch("PassThru"),
        Parameter("ToSession", "object"),
        Parameter("FromSession", "object"),
        Parameter("Credential", "object"),
    ],
    module=MANAGEMENT,
    aliases=("cpi", "cp", "copy"),
    should_process=True,
)
def copy_item(call: Call) -> Iterator[Any]:
    refuse(call, "ToSession", "FromSession", "Credential")
    if call.bound("Container") and not call["Container"]:
        raise NotSimulated("Copy-Item -Container:$false")
    session: Any = call.session
    for target in existing(call):
        if not target.is_file_system:
            raise NotSimulated(f"Copy-Item from {target.shown}")
        found = info(session.host, target.path)
        if not kept(call, found.name):
            continue
        new = _destination(call, target.path)
        verb = "Copy Directory" if found.is_directory else "Copy File"
        if not should_process(call, verb, f"Item: {target.path} Destination: {new}"):
            continue
        made = (
            _copy_folder(call, target.path, new)
            if found.is_directory
            else _copy_file(call, target.path, new)
        )
        if call["PassThru"] and made:
            yield info(session.host, new)


def _copy_file(call: Call, source: str, new: str) -> bool:
    session: Any = call.session
    files, separator = session.host.files, session.host.separator
    if source.lower() == new.lower() and (separator == "\\" or source == new):
        io_problem(
            call, f"Cannot overwrite the item {source} with itself.", "CopyError", target=source
        )
        return False
    parent = parent_of(new, separator)
    if parent and not files.exists(parent):
        io_problem(
            call,
            f"Could not find a part of the path '{new}'.",
            "CopyFileInfoItemIOError",
            target=source,
            exception="System.IO.DirectoryNotFoundException",
        )
        return False
    if call["Force"] and hasattr(files, "make_writable") and files.exists(new):
        files.make_writable(new)
    try:
        files.write(new, files.read(source))
    except PermissionError:
        io_problem(
            call,
            f"Access to the path '{new}' is denied.",
            "CopyFileInfoItemUnauthorizedAccessError",
            category="PermissionDenied",
            target=source,
            exception="System.UnauthorizedAccessException",
        )
        return False
    return True


def _copy_folder(call: Call, source: str, new: str) -> bool:
    session: Any = call.session
    files, separator = session.host.files, session.host.separator
    if files.exists(new) and not files.stat(new).is_directory:
        io_problem(
            call,
            "Container cannot be copied onto existing leaf item.",
            "CopyContainerItemToLeafError",
            category="InvalidArgument",
            target=source,
        )
        return False
    entries = list(files.list(source)) if call["Recurse"] else []
    files.make_directory(new)
    for entry in entries:
        name = leaf_of(entry.path, separator)
        child = join(new, name, separator)
        if entry.is_directory:
            _copy_folder(call, entry.path, child)
        elif kept(call, name):
            _copy_file(call, entry.path, child)
    return True


@TABLE.cmdlet(
    "Move-Item",
    parameters=[
        *PATHS,
        Parameter("Destination", "string", position=1, pipeline="property"),
        *FILTERS,
        switch("Force"),
        switch("PassThru"),
    ],
    module=MANAGEMENT,
    aliases=("mi", "mv", "move"),
    should_process=True,
)
def move_item(call: Call) -> Iterator[Any]:
    session: Any = call.session
    files, separator = session.host.files, session.host.separator
    for target in existing(call):
        if not target.is_file_system:
            raise NotSimulated(f"Move-Item from {target.shown}")
        found = info(session.host, target.path)
        if not kept(call, found.name):
            continue
        new = _destination(call, target.path)
        verb = "Move Directory" if found.is_directory else "Move File"
        if not should_process(call, verb, f"Item: {target.path} Destination: {new}"):
            continue
        parent = parent_of(new, separator)
        if parent and not files.exists(parent):
            io_problem(
                call,
                "Could not find a part of the path.",
                "MoveFileInfoItemIOError" if not found.is_directory else "MoveDirectoryItemIOError",
                target=target.path,
                exception="System.IO.DirectoryNotFoundException",
            )
            continue
        if files.exists(new) and new.lower() != target.path.lower():
            if not call["Force"] or files.stat(new).is_directory:
                io_problem(
                    call,
                    "Cannot create a file when that file already exists.",
                    "MoveDirectoryItemIOError" if found.is_directory else "MoveFileInfoItemIOError",
                    target=target.path,
                )
                continue
            if hasattr(files, "make_writable"):
                files.make_writable(new)
            files.remove(new)
        files.move(target.path, new)
        if call["PassThru"]:
            yield info(session.host, new)
