"""Format-Table, Format-List, Out-String, Out-File."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell import dotnet, formatting
from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import (
    INPUT,
    TABLE,
    UTILITY,
    argument_error,
    inputs,
    newline,
    refuse,
    should_process,
    switch,
)
from k8swin_lab.powershell.cmdlets.content import write_text
from k8swin_lab.powershell.dotnet.properties import (
    Selector,
    expand,
    names_of,
    selector,
    selectors,
)
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.formatting_table import Column, Layout
from k8swin_lab.powershell.formatting_values import is_line
from k8swin_lab.powershell.formatting_views import column, generated, view
from k8swin_lab.powershell.values import Hashtable

_SHAPE = [
    Parameter("Property", "object[]", position=0),
    Parameter("GroupBy", "object"),
    Parameter("View", "string"),
    switch("ShowError"),
    switch("DisplayError"),
    switch("Force"),
    Parameter("Expand", "string"),
    INPUT,
]


def _column(call: Call, chosen: Selector) -> Column:
    options = chosen.options
    pattern = to_string(options.get("format", ""))
    align = to_string(options.get("align", "")).lower()
    return Column(chosen.label, chosen.read, int(options.get("width", 0) or 0), align, pattern)


def _columns(call: Call, item: Any) -> list[Column]:
    """The columns that -Property asks for, wildcards taken from the first object."""
    found: list[Column] = []
    for chosen in selectors(call.session, call["Property"]):
        names = expand(chosen, item)
        if names is None:
            label = chosen.label
            if chosen.pattern:
                known = {name.lower(): name for name in names_of(item)}
                label = known.get(label.lower(), label)
            made = _column(call, chosen)
            made.label = label.strip() if not chosen.pattern else label
            found.append(made)
        else:
            found.extend(column(call.session, name) for name in names)
    return found


def _group(call: Call) -> Any:
    if not call.bound("GroupBy"):
        return None
    chosen = selector(call.session, call["GroupBy"])
    return lambda item: (chosen.label, chosen.read(item))


def _objects(call: Call) -> list[Any]:
    found: list[Any] = []
    for item in inputs(call):
        if isinstance(item, Hashtable) and not call.bound("Property"):
            found.extend(dotnet.dictionary_entries(item))
        else:
            found.append(item)
    return [item for item in found if item is not None]


@TABLE.cmdlet(
    "Format-Table",
    parameters=[
        *_SHAPE,
        switch("AutoSize"),
        switch("Wrap"),
        switch("HideTableHeaders"),
        switch("RepeatHeader"),
    ],
    module=UTILITY,
    aliases=("ft",),
    streaming=False,
)
def format_table(call: Call) -> Iterator[Any]:
    refuse(call, "View", "Expand", "ShowError", "DisplayError", "RepeatHeader")
    objects = _objects(call)
    if not objects:
        return
    if not call.bound("Property") and is_line(objects[0]):
        yield from objects
        return
    layout = Layout("table")
    known = None if call.bound("Property") else view(call.session, objects[0])
    if call.bound("Property"):
        layout.columns = _columns(call, objects[0])
    elif known is not None and known.kind == "table":
        layout = known
    else:
        layout.columns = generated(call.session, objects[0]).columns[:10]
    if call["AutoSize"]:
        layout.auto_size = True
        for shown in layout.columns:
            if not call.bound("Property"):
                shown.width = 0
    layout.wrap = bool(call["Wrap"])
    layout.hide_headers = bool(call["HideTableHeaders"])
    layout.group = _group(call) or layout.group
    yield formatting.Formatted("table", objects, layout)


@TABLE.cmdlet("Format-List", parameters=_SHAPE, module=UTILITY, aliases=("fl",), streaming=False)
def format_list(call: Call) -> Iterator[Any]:
    refuse(call, "View", "Expand", "ShowError", "DisplayError", "GroupBy")
    objects = _objects(call)
    if not objects:
        return
    if not call.bound("Property") and is_line(objects[0]):
        yield from objects
        return
    columns = [
        _columns(call, item)
        if call.bound("Property")
        else [column(call.session, name) for name in names_of(item)]
        for item in objects
    ]
    yield formatting.Formatted("list", objects, Layout("list"), columns)


def text_of(call: Call, items: list[Any], width: int | None = None) -> str:
    """Objects as the console shows them."""
    session: Any = call.session
    lines = formatting.format_objects(session, items, width or session.width)
    return "".join(line + newline(call) for line in lines)


@TABLE.cmdlet(
    "Out-String",
    parameters=[switch("Stream"), Parameter("Width", "int"), switch("NoNewline"), INPUT],
    module=UTILITY,
    aliases=("oss",),
    streaming=False,
)
def out_string(call: Call) -> Iterator[Any]:
    session: Any = call.session
    lines = formatting.format_objects(session, inputs(call), call["Width"] or session.width)
    if call["Stream"]:
        yield from lines
    elif call["NoNewline"]:
        yield "".join(lines)
    else:
        yield "".join(line + newline(call) for line in lines)


@TABLE.cmdlet(
    "Out-File",
    parameters=[
        Parameter("FilePath", "string", position=0, aliases=("Path",)),
        Parameter("Encoding", "object", position=1),
        Parameter("LiteralPath", "string", aliases=("PSPath",), pipeline="property"),
        switch("Append"),
        switch("Force"),
        switch("NoClobber", "NoOverwrite"),
        Parameter("Width", "int"),
        switch("NoNewline"),
        INPUT,
    ],
    module=UTILITY,
    streaming=False,
    should_process=True,
)
def out_file(call: Call) -> None:
    session: Any = call.session
    path = call["LiteralPath"] if call.bound("LiteralPath") else call["FilePath"]
    if path is None:
        raise argument_error("Cannot bind argument to parameter 'FilePath' because it is null.")
    full = session.full_path(path)
    if call["NoClobber"] and session.host.files.exists(full):
        raise Terminating(
            f"The file '{full}' already exists.",
            exception="System.IO.IOException",
            category="ResourceExists",
            error_id="NoClobber",
            target=full,
        )
    if not should_process(call, "Output to File", full):
        return
    lines = formatting.format_objects(session, inputs(call), call["Width"] or session.width)
    end = "" if call["NoNewline"] else newline(call)
    write_text(
        call,
        path,
        "".join(line + end for line in lines),
        encoding=call["Encoding"],
        append=bool(call["Append"]),
        for_output=True,
    )
