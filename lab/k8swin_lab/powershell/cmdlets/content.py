"""Get-Content, Set-Content, Add-Content, Clear-Content, and the encodings they share with Out-File."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import (
    MANAGEMENT,
    TABLE,
    desktop,
    newline,
    refuse,
    should_process,
    switch,
)
from k8swin_lab.powershell.cmdlets.listing import FILTERS, PATHS
from k8swin_lab.powershell.cmdlets.targets import existing, expand, given, parent_of
from k8swin_lab.powershell.dotnet import encodings
from k8swin_lab.powershell.dotnet.encodings import Encoding
from k8swin_lab.powershell.dotnet.fileinfo import info
from k8swin_lab.powershell.values import PSArray

_NAMES: dict[str, Encoding] = {
    "utf8bom": encodings.UTF8,
    "utf8nobom": encodings.UTF8_PLAIN,
    "unicode": encodings.UNICODE,
    "string": encodings.UNICODE,
    "unknown": encodings.UNICODE,
    "bigendianunicode": encodings.BIG_ENDIAN,
    "utf32": encodings.UTF32,
    "ascii": encodings.ASCII,
}


def encoding_named(call: Call, value: Any, default: Encoding) -> Encoding:
    """What an -Encoding argument means in this edition.

    Raises:
        Terminating: no such encoding.
    """
    if value is None:
        return default
    if isinstance(value, Encoding):
        return value
    name = dotnet.to_string(value).lower()
    if name == "utf8":
        return encodings.UTF8 if desktop(call) else encodings.UTF8_PLAIN
    if name == "default":
        return default_for_content(call)
    if name in ("oem", "ansi"):
        machine = call.session.machine
        return encodings.oem(machine) if name == "oem" else encodings.ansi(machine)
    if name == "utf7":
        raise NotSimulated("encoding UTF7")
    found = _NAMES.get(name)
    if found is None:
        raise Terminating(
            f"Cannot validate argument on parameter 'Encoding'. The argument \"{name}\" does not belong to "
            "the set of encodings.",
            exception="System.Management.Automation.ParameterBindingException",
            category="InvalidData",
            error_id="ParameterArgumentValidationError",
        )
    return found


def default_for_content(call: Call) -> Encoding:
    """What Set-Content and Get-Content use when nothing says otherwise."""
    machine = call.session.machine
    return encodings.ansi(machine) if desktop(call) else encodings.UTF8_PLAIN


def _raw_bytes(call: Call) -> bool:
    return bool(call["AsByteStream"]) or dotnet.to_string(call["Encoding"]).lower() == "byte"


@TABLE.cmdlet(
    "Get-Content",
    parameters=[
        *PATHS,
        *FILTERS,
        Parameter("ReadCount", "long", default=1),
        Parameter("TotalCount", "long", aliases=("First", "Head")),
        Parameter("Tail", "int", aliases=("Last",)),
        Parameter("Delimiter", "string"),
        Parameter("Encoding", "object"),
        switch("Raw"),
        switch("Wait"),
        switch("Force"),
        switch("AsByteStream"),
        Parameter("Stream", "string"),
        Parameter("Credential", "object"),
    ],
    module=MANAGEMENT,
    aliases=("gc", "cat", "type"),
)
def get_content(call: Call) -> Iterator[Any]:
    if call["Wait"] or call["Stream"]:
        raise NotSimulated("Get-Content -Wait" if call["Wait"] else "Get-Content -Stream")
    refuse(call, "Credential", "Filter", "Include", "Exclude")
    session: Any = call.session
    for target in existing(call):
        if target.table is not None:
            value = target.table[target.path]
            yield from value if isinstance(value, list) else [value]
            continue
        if target.provider is not None:
            raise NotSimulated(f"Get-Content on drive {target.drive}:")
        if info(session.host, target.path).is_directory:
            call.session.write_error(
                f"Access to the path '{target.path}' is denied."
                if desktop(call)
                else f"Unable to get content because it is a directory: '{target.path}'. Please use "
                "'Get-ChildItem' instead.",
                category="PermissionDenied" if desktop(call) else "InvalidOperation",
                error_id="GetContentReaderUnauthorizedAccessError",
                exception="System.UnauthorizedAccessException",
                target=target.path,
            )
            continue
        yield from _read(call, session.host.files.read(target.path))


def _read(call: Call, data: bytes) -> Iterator[Any]:
    if _raw_bytes(call):
        values = dotnet.byte_array(data)
        if call["Raw"] or call["ReadCount"] == 0:
            yield values
        else:
            yield from _counted(call, list(values))
        return
    asked = encoding_named(call, call["Encoding"], default_for_content(call))
    text = encodings.detect(data, asked)[0]
    if call["Raw"]:
        if text or data or not desktop(call):
            yield text
        return
    if call.bound("Delimiter") and call["Delimiter"]:
        parts = text.split(call["Delimiter"])
        lines = parts if parts[-1] else parts[:-1]
    else:
        lines = split_lines(text)
    yield from _counted(call, lines)


def split_lines(text: str) -> list[str]:
    """Lines at CR LF, LF or CR."""
    parts = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return parts[:-1] if parts[-1] == "" else parts


def _counted(call: Call, items: list[Any]) -> Iterator[Any]:
    if call.bound("TotalCount"):
        items = items[: call["TotalCount"]] if call["TotalCount"] >= 0 else items
    elif call.bound("Tail"):
        items = items[max(len(items) - call["Tail"], 0) :]
    size = call["ReadCount"]
    if size == 0:
        yield PSArray(items)
    elif size > 1:
        for start in range(0, len(items), size):
            yield PSArray(items[start : start + size])
    else:
        yield from items


def write_data(call: Call, path: str, data: bytes) -> bool:
    """Write a file; a missing directory is an error of the cmdlet."""
    session: Any = call.session
    files = session.host.files
    parent = parent_of(path, session.host.separator)
    if parent and not files.exists(parent):
        _open_failure(
            call,
            f"Could not find a part of the path '{path}'.",
            path,
            "System.IO.DirectoryNotFoundException",
        )
        return False
    attributes: set[str] = set()
    if call["Force"] and hasattr(files, "attributes") and files.exists(path):
        attributes = files.attributes(path)
        files.set_attributes(path, attributes - {"ReadOnly"})
    try:
        files.write(path, data)
        if "ReadOnly" in attributes:
            files.set_attributes(path, attributes)
    except (PermissionError, IsADirectoryError):
        _open_failure(
            call,
            f"Access to the path '{path}' is denied.",
            path,
            "System.UnauthorizedAccessException",
        )
        return False
    return True


def _open_failure(call: Call, message: str, path: str, exception: str) -> None:
    if call.name in ("Set-Content", "Add-Content", "Clear-Content"):
        denied = "UnauthorizedAccess" in exception
        call.session.write_error(
            message,
            category="PermissionDenied" if denied else "ObjectNotFound",
            error_id=f"{call.name.replace('-', '')[:3]}ContentWriter{'UnauthorizedAccess' if denied else 'DirectoryNotFound'}Error"
            if denied
            else "GetContentWriterDirectoryNotFoundError",
            exception=exception,
            target=path,
        )
        return
    raise Terminating(
        message, exception=exception, category="OpenError", error_id="FileOpenFailure", target=path
    )


def write_text(
    call: Call, path: str, text: str, *, encoding: Any, append: bool, for_output: bool = False
) -> None:
    """Write or append text as Out-File (UTF-16 in 5.1) or as Set-Content (ANSI in 5.1) does."""
    session: Any = call.session
    full = session.full_path(path)
    default = default_for_content(call)
    if for_output and desktop(call):
        default = encodings.UNICODE
    chosen = encoding_named(call, encoding, default)
    old = b""
    if append and session.host.files.exists(full):
        old = session.host.files.read(full)
        if encoding is None and not for_output:
            chosen = encodings.detect(old, chosen)[1]
    mark = chosen.bom if not old else b""
    write_data(call, full, old + mark + chosen.encode(text))


_WRITE = [
    Parameter("Path", "string[]", position=0, pipeline="property"),
    Parameter("LiteralPath", "string[]", aliases=("PSPath",), pipeline="property"),
    Parameter("Value", "object[]", position=1, pipeline="both"),
    *FILTERS,
    Parameter("Encoding", "object"),
    switch("NoNewline"),
    switch("Force"),
    switch("PassThru"),
    switch("AsByteStream"),
    Parameter("Stream", "string"),
    Parameter("Credential", "object"),
]


def _store(call: Call, *, append: bool) -> Iterator[Any]:
    refuse(call, "Stream", "Credential", "Filter", "Include", "Exclude")
    values = call.input if call.input else (call["Value"] or [])
    for path, literal in given(call):
        for target in expand(call, path, literal=literal):
            verb = "Add Content" if append else "Set Content"
            if not should_process(call, verb, f"Path: {target.shown}"):
                continue
            if target.table is not None:
                target.table[target.path] = values[0] if len(values) == 1 else PSArray(values)
                continue
            if target.provider is not None:
                raise NotSimulated(f"{call.name} on drive {target.drive}:")
            if _raw_bytes(call):
                _store_bytes(call, target.path, values, append=append)
            else:
                end = "" if call["NoNewline"] else newline(call)
                text = "".join(line + end for line in _lines(values))
                write_text(call, target.path, text, encoding=call["Encoding"], append=append)
    if call["PassThru"]:
        yield from values


def _lines(values: list[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, list):
            yield from _lines(value)
        else:
            yield dotnet.to_string(value)


def _store_bytes(call: Call, path: str, values: list[Any], *, append: bool) -> None:
    session: Any = call.session
    flat: list[int] = []
    for value in values:
        flat.extend(int(i) for i in value) if isinstance(value, list) else flat.append(int(value))
    old = session.host.files.read(path) if append and session.host.files.exists(path) else b""
    write_data(call, path, old + bytes(flat))


@TABLE.cmdlet(
    "Set-Content",
    parameters=_WRITE,
    module=MANAGEMENT,
    aliases=("sc",),
    streaming=False,
    should_process=True,
)
def set_content(call: Call) -> Iterator[Any]:
    yield from _store(call, append=False)


@TABLE.cmdlet(
    "Add-Content",
    parameters=_WRITE,
    module=MANAGEMENT,
    aliases=("ac",),
    streaming=False,
    should_process=True,
)
def add_content(call: Call) -> Iterator[Any]:
    yield from _store(call, append=True)


@TABLE.cmdlet(
    "Clear-Content",
    parameters=[*PATHS, *FILTERS, switch("Force")],
    module=MANAGEMENT,
    aliases=("clc",),
    should_process=True,
)
def clear_content(call: Call) -> None:
    refuse(call, "Filter", "Include", "Exclude")
    for target in existing(call):
        if not target.is_file_system:
            raise NotSimulated(f"Clear-Content on {target.shown}")
        if should_process(call, "Clear Content", f"Item: {target.path}"):
            write_data(call, target.path, b"")
