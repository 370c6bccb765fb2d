"""Select-Object, Get-Unique, Tee-Object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Call, Parameter, StopUpstream, Terminating
from k8swin_lab.powershell.cmdlets.common import INPUT, TABLE, UTILITY, inputs, switch
from k8swin_lab.powershell.cmdlets.content import write_text
from k8swin_lab.powershell.cmdlets.display import text_of
from k8swin_lab.powershell.dotnet import extended
from k8swin_lab.powershell.dotnet.properties import (
    Selector,
    expand,
    has_property,
    names_of,
    property_value,
    selectors,
)
from k8swin_lab.powershell.dotnet.psobject import copy_object, type_names
from k8swin_lab.powershell.errors import PowerShellError
from k8swin_lab.powershell.values import PSArray, PSObject
from k8swin_lab.powershell.wildcards import wildcard


def _finish(call: Call) -> Iterator[Any]:
    state = call.state
    kept = state.get("kept")
    if kept is not None:
        if call.bound("Last"):
            last, skip = call["Last"], call["Skip"] or 0
            end = len(kept) - skip
            kept = kept[max(end - last, 0) : max(end, 0)]
            if call.bound("First"):
                kept = _merged(state.get("first", []), state["kept"], kept)
        elif call.bound("SkipLast"):
            kept = kept[: len(kept) - call["SkipLast"]] if call["SkipLast"] else kept
        for item in kept:
            yield from _selected(call, item)


def _merged(first: list[Any], everything: list[Any], last: list[Any]) -> list[Any]:
    count = len(first)
    start = len(everything) - len(last)
    return [*first, *everything[max(start, count) :]]


@TABLE.cmdlet(
    "Select-Object",
    parameters=[
        Parameter("Property", "object[]", position=0),
        Parameter("ExcludeProperty", "string[]"),
        Parameter("ExpandProperty", "string"),
        switch("Unique"),
        Parameter("Last", "int"),
        Parameter("First", "int"),
        Parameter("Skip", "int"),
        Parameter("SkipLast", "int"),
        Parameter("Index", "int[]"),
        switch("Wait"),
        INPUT,
    ],
    module=UTILITY,
    aliases=("select",),
    end=_finish,
)
def select_object(call: Call) -> Iterator[Any]:
    state = call.state
    first = call["First"] if call.bound("First") else None
    if first is not None and first <= 0 and not call.bound("Last"):
        raise StopUpstream
    for item in inputs(call):
        position = state["seen"] = state.get("seen", -1) + 1
        if call.bound("Last") or call.bound("SkipLast"):
            state.setdefault("kept", []).append(item)
            if first is not None and position < first:
                state.setdefault("first", []).append(item)
            continue
        if call.bound("Index"):
            if position in call["Index"]:
                yield from _selected(call, item)
            if position >= max(call["Index"], default=-1) and not call["Wait"]:
                raise StopUpstream
            continue
        if position < (call["Skip"] or 0):
            continue
        if first is None:
            yield from _selected(call, item)
            continue
        done = state["done"] = state.get("done", 0) + 1
        if done <= first:
            yield from _selected(call, item)
        if done >= first and not call["Wait"]:
            raise StopUpstream


def _selected(call: Call, item: Any) -> Iterator[Any]:
    for result in _shaped(call, item):
        if call["Unique"]:
            seen = call.state.setdefault("unique", [])
            key = _identity(call, result)
            if key in seen:
                continue
            seen.append(key)
        yield result


def _identity(call: Call, value: Any) -> Any:
    if isinstance(value, PSObject):
        return tuple(
            (name.lower(), dotnet.to_string(property_value(call.session, value, name)))
            for name in value.properties
        )
    return (dotnet.type_name_of(value), dotnet.to_string(value))


def _shaped(call: Call, item: Any) -> Iterator[Any]:
    chosen = selectors(call.session, call["Property"]) if call.bound("Property") else []
    if call.bound("ExpandProperty"):
        yield from _expanded(call, item, chosen)
    elif chosen or call.bound("ExcludeProperty"):
        if not chosen:
            chosen = selectors(call.session, "*")
        yield _copy(call, item, chosen)
    else:
        yield item


def _pairs(call: Call, item: Any, chosen: list[Selector]) -> Iterator[tuple[str, Any]]:
    excluded = [wildcard(pattern) for pattern in call["ExcludeProperty"] or []]
    known = {name.lower(): name for name in names_of(item)}
    for selector in chosen:
        names = expand(selector, item)
        if names is not None:
            pairs = [(name, property_value(call.session, item, name)) for name in names]
        else:
            label = selector.label
            if selector.pattern:
                label = known.get(label.lower(), label)
            try:
                pairs = [(label, selector.read(item))]
            except Exception as error:
                if not _is_script_error(error):
                    raise
                pairs = [(label, None)]
        calculated = names is None and not selector.pattern
        for name, value in pairs:
            if calculated or not any(regex.fullmatch(name) for regex in excluded):
                yield name, value


def _is_script_error(error: Exception) -> bool:
    # A calculated property that fails is empty; leaving a loop or ending the session goes on.
    return isinstance(error, PowerShellError | Terminating)


def _copy(call: Call, item: Any, chosen: list[Selector]) -> PSObject:
    names = type_names(item)
    result = PSObject(
        [], type_names=[f"Selected.{names[0]}", "System.Management.Automation.PSCustomObject"]
    )
    for name, value in _pairs(call, item, chosen):
        if name in result.properties:
            call.session.write_error(
                f'The property cannot be processed because the property "{name}" already exists.',
                error_id="AlreadyExistingUserSpecifiedPropertyNoExpand",
                category="InvalidOperation",
                exception="System.Management.Automation.PSArgumentException",
                target=item,
            )
            continue
        result.properties[name] = value
    return result


def _expanded(call: Call, item: Any, chosen: list[Selector]) -> Iterator[Any]:
    name = call["ExpandProperty"]
    if not has_property(item, name):
        call.session.write_error(
            f'Property "{name}" cannot be found.',
            error_id="ExpandPropertyNotFound",
            category="InvalidArgument",
            exception="System.Management.Automation.PSArgumentException",
            target=item,
        )
        return
    value = property_value(call.session, item, name)
    found = value if isinstance(value, list) else dotnet.enumerate_value(value)
    extra = list(_pairs(call, item, chosen))
    for element in [value] if found is None else found:
        yield _with_notes(element, extra) if extra else element


def _with_notes(element: Any, extra: list[tuple[str, Any]]) -> Any:
    if isinstance(element, PSObject):
        result = copy_object(element)
        for name, value in extra:
            if name not in result.properties:
                result.properties[name] = value
        return result
    for name, value in extra:
        element = extended.attach(element, name, value)
    return element


@TABLE.cmdlet(
    "Get-Unique",
    parameters=[INPUT, switch("AsString"), switch("OnType")],
    module=UTILITY,
    aliases=("gu",),
)
def get_unique(call: Call) -> Iterator[Any]:
    """Only neighbours are compared, with case."""
    for item in inputs(call):
        if call["OnType"]:
            same = "last" in call.state and dotnet.type_name_of(
                call.state["last"]
            ) == dotnet.type_name_of(item)
        else:
            same = "last" in call.state and _alike(call, call.state["last"], item)
        call.state["last"] = item
        if not same:
            yield item


def _alike(call: Call, a: Any, b: Any) -> bool:
    if call["AsString"] or isinstance(a, PSObject):
        return dotnet.to_string(a) == dotnet.to_string(b)
    try:
        return dotnet.compare(a, b, False) == 0
    except Terminating:
        return False


def _end_tee(call: Call) -> None:
    items = call.state.get("items", [])
    if call.bound("Variable"):
        drive = call.session.drive("variable")
        if drive is not None:
            drive[call["Variable"]] = items[0] if len(items) == 1 else PSArray(items)
        return
    path = call["LiteralPath"] if call.bound("LiteralPath") else call["FilePath"]
    write_text(
        call, path, text_of(call, items), encoding=None, append=call["Append"], for_output=True
    )


@TABLE.cmdlet(
    "Tee-Object",
    parameters=[
        Parameter("FilePath", "string", position=0, aliases=("Path",)),
        Parameter("LiteralPath", "string", aliases=("PSPath",)),
        Parameter("Variable", "string"),
        switch("Append"),
        INPUT,
    ],
    module=UTILITY,
    aliases=("tee",),
    end=_end_tee,
)
def tee_object(call: Call) -> Iterator[Any]:
    for item in inputs(call):
        call.state.setdefault("items", []).append(item)
        yield item
