"""ConvertTo-Csv, ConvertFrom-Csv, Export-Csv, Import-Csv."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import (
    INPUT,
    TABLE,
    UTILITY,
    argument_error,
    desktop,
    inputs,
    newline,
    should_process,
    switch,
)
from k8swin_lab.powershell.cmdlets.content import encoding_named, write_data
from k8swin_lab.powershell.cmdlets.targets import Target, exists, expand, given
from k8swin_lab.powershell.dotnet import encodings
from k8swin_lab.powershell.dotnet.properties import names_of, property_value
from k8swin_lab.powershell.dotnet.psobject import type_names
from k8swin_lab.powershell.values import PSObject


def _delimiter(call: Call) -> str:
    # The list separator of en-US is the comma, which is the default too: -UseCulture changes nothing.
    return dotnet.to_string(call["Delimiter"]) if call.bound("Delimiter") else ","


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


class CsvWriter:
    """Lines out of objects; the first object decides the columns."""

    def __init__(self, call: Call, names: list[str] | None = None) -> None:
        self.call = call
        self.names = names
        self.delimiter = _delimiter(call)
        self.quotes = dotnet.to_string(call["UseQuotes"]).lower() or "always"

    def header(self, first: Any) -> Iterator[str]:
        if self.names is not None:
            return
        self.names = names_of(first)
        with_type = self.call["IncludeTypeInformation"] or (
            desktop(self.call) and not self.call["NoTypeInformation"]
        )
        if with_type:
            yield f"#TYPE {type_names(first)[0]}"
        yield self.delimiter.join(self._field(name) for name in self.names)

    def row(self, item: Any) -> str:
        values = (property_value(self.call.session, item, name) for name in self.names or [])
        return self.delimiter.join("" if v is None else self._field(_text(v)) for v in values)

    def _field(self, text: str) -> str:
        needs = any(char in text for char in (self.delimiter, '"', "\n", "\r"))
        if self.quotes == "never" or (self.quotes == "asneeded" and not needs):
            return text
        return _quoted(text)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return dotnet.type_name_of(value)
    if isinstance(value, dotnet.DateTime):
        return dotnet.format_value(value)
    return dotnet.to_string(value)


_SHAPE = [
    Parameter("Delimiter", "char", position=1),
    switch("UseCulture"),
    switch("NoTypeInformation", "NTI"),
    switch("IncludeTypeInformation", "ITI"),
    Parameter("UseQuotes", "string", aliases=("UQ",)),
]


@TABLE.cmdlet(
    "ConvertTo-Csv",
    parameters=[Parameter("InputObject", "object", position=0, pipeline="value"), *_SHAPE],
    module=UTILITY,
    streaming=False,
)
def convert_to_csv(call: Call) -> Iterator[Any]:
    writer = CsvWriter(call)
    for item in inputs(call):
        yield from writer.header(item)
        yield writer.row(item)


@TABLE.cmdlet(
    "Export-Csv",
    parameters=[
        Parameter("Path", "string", position=0),
        Parameter("LiteralPath", "string", aliases=("PSPath",)),
        *_SHAPE,
        Parameter("Encoding", "object"),
        switch("Append"),
        switch("Force"),
        switch("NoClobber", "NoOverwrite"),
        INPUT,
    ],
    module=UTILITY,
    aliases=("epcsv",),
    streaming=False,
    should_process=True,
)
def export_csv(call: Call) -> None:
    session: Any = call.session
    path = session.full_path(call["LiteralPath"] if call.bound("LiteralPath") else call["Path"])
    files = session.host.files
    if not should_process(call, "Export-Csv", path):
        return
    if call["NoClobber"] and files.exists(path):
        raise Terminating(
            f"The file '{path}' already exists.",
            exception="System.IO.IOException",
            category="ResourceExists",
            error_id="NoClobber",
            target=path,
        )
    default = encodings.ASCII if desktop(call) else encodings.UTF8_PLAIN
    chosen = encoding_named(call, call["Encoding"], default)
    old = files.read(path) if call["Append"] and files.exists(path) else b""
    names: list[str] | None = None
    if old:
        text, chosen = encodings.detect(old, chosen)
        heads = [
            line for line in records(text, _delimiter(call)) if not line[0].startswith("#TYPE")
        ]
        names = heads[0] if heads else None
    writer = CsvWriter(call, names)
    lines: list[str] = []
    for item in inputs(call):
        if names is not None and not call["Force"]:
            missing = [n for n in names if n.lower() not in [m.lower() for m in names_of(item)]]
            if missing:
                raise argument_error(
                    "Cannot append CSV content to the following file: "
                    f"{path}. The appended object does not have a property that corresponds to the following "
                    f"column: {missing[0]}. To continue with mismatched properties, add the -Force parameter, "
                    "and then retry the command.",
                    "CannotAppendCsvWithMismatchedPropertyNames",
                )
        lines.extend(writer.header(item))
        lines.append(writer.row(item))
    body = "".join(line + newline(call) for line in lines)
    write_data(call, path, old + (b"" if old else chosen.bom) + chosen.encode(body))


def records(text: str, delimiter: str) -> list[list[str]]:
    """Fields of all lines; quoted fields may hold delimiters, doubled quotes and line ends."""
    rows: list[list[str]] = []
    fields: list[str] = []
    current = ""
    quoted = was_quoted = False
    index = 0
    started = False
    while index < len(text):
        char = text[index]
        if quoted:
            if char == '"' and text[index + 1 : index + 2] == '"':
                current += '"'
                index += 1
            elif char == '"':
                quoted = False
            else:
                current += char
        elif char == '"' and not current:
            quoted = was_quoted = started = True
        elif char == delimiter:
            fields.append(current)
            current, was_quoted, started = "", False, True
        elif char in "\r\n":
            if char == "\r" and text[index + 1 : index + 2] == "\n":
                index += 1
            if started or current or fields:
                rows.append([*fields, current])
            fields, current, was_quoted, started = [], "", False, False
        elif char in " \t" and not current and not was_quoted and char != delimiter:
            pass  # blanks before a field do not count
        elif was_quoted and char in " \t":
            pass
        else:
            current += char
            started = True
        index += 1
    if started or current or fields:
        rows.append([*fields, current])
    return rows


def objects_of(call: Call, text: str) -> Iterator[PSObject]:
    """The objects of a CSV text; the first line or -Header names the properties."""
    rows = [row for row in records(text, _delimiter(call)) if not row[0].startswith("#TYPE")]
    header = call["Header"]
    if not header:
        if not rows:
            return
        header = rows.pop(0)
    names: list[str] = []
    for index, name in enumerate(header, 1):
        shown = dotnet.to_string(name)
        if not shown:
            shown = f"H{index}"
            call.session.write_warning(
                'One or more headers were not specified. Default names starting with "H" have been used in '
                "place of any missing headers."
            )
        if shown.lower() in [n.lower() for n in names]:
            raise Terminating(
                f'The member "{shown}" is already present.',
                exception="System.Management.Automation.ExtendedTypeSystemException",
                error_id="AlreadyPresentPSMemberInfoInternalCollectionAdd",
            )
        names.append(shown)
    for row in rows:
        yield PSObject([(n, row[i] if i < len(row) else None) for i, n in enumerate(names)])


@TABLE.cmdlet(
    "ConvertFrom-Csv",
    parameters=[
        Parameter("InputObject", "string[]", position=0, pipeline="value"),
        Parameter("Delimiter", "char", position=1),
        switch("UseCulture"),
        Parameter("Header", "string[]"),
    ],
    module=UTILITY,
    streaming=False,
)
def convert_from_csv(call: Call) -> Iterator[Any]:
    given = call.input or (call["InputObject"] or [])
    lines: list[str] = []
    for item in given:
        lines.extend(dotnet.to_string(i) for i in item) if isinstance(item, list) else lines.append(
            dotnet.to_string(item)
        )
    yield from objects_of(call, "\n".join(lines))


def _existing(call: Call) -> Iterator[Target]:
    """Files to import; one that is not there is a failure to open it."""
    for path, literal in given(call):
        for target in expand(call, path, literal=literal):
            if exists(call, target):
                yield target
                continue
            call.session.write_error(
                f"Could not find file '{target.path}'.",
                category="OpenError",
                error_id="FileOpenFailure",
                exception="System.IO.FileNotFoundException",
                target=target.path,
            )


@TABLE.cmdlet(
    "Import-Csv",
    parameters=[
        Parameter("Path", "string[]", position=0, pipeline="both"),
        Parameter("Delimiter", "char", position=1),
        Parameter("LiteralPath", "string[]", aliases=("PSPath",), pipeline="property"),
        Parameter("Header", "string[]"),
        Parameter("Encoding", "object"),
        switch("UseCulture"),
    ],
    module=UTILITY,
    aliases=("ipcsv",),
)
def import_csv(call: Call) -> Iterator[Any]:
    session: Any = call.session
    for target in _existing(call):
        default = encodings.UTF8_PLAIN
        chosen = encoding_named(call, call["Encoding"], default)
        yield from objects_of(
            call, encodings.detect(session.host.files.read(target.path), chosen)[0]
        )
