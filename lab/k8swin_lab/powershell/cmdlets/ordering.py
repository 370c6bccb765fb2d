"""Sort-Object, Group-Object, Measure-Object."""

from __future__ import annotations

import functools
import re
import statistics
from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Call, Parameter, Terminating
from k8swin_lab.powershell.cmdlets.common import (
    INPUT,
    TABLE,
    UTILITY,
    desktop,
    inputs,
    refuse,
    switch,
)
from k8swin_lab.powershell.dotnet.collections import NetList
from k8swin_lab.powershell.dotnet.properties import (
    Selector,
    expand,
    has_property,
    property_value,
    selectors,
)
from k8swin_lab.powershell.values import Hashtable, PSObject

MISSING = object()
"""Stands for a property that an object does not have; it sorts last."""


def compare_values(left: Any, right: Any, ignore_case: bool) -> int:
    """Order of two property values of any types."""
    if left is MISSING or right is MISSING:
        return (left is MISSING) - (right is MISSING)
    try:
        return dotnet.compare(left, right, ignore_case)
    except Terminating:
        a, b = dotnet.to_string(left), dotnet.to_string(right)
        return dotnet.compare(a, b, ignore_case)


def values_of(call: Call, item: Any, chosen: list[Selector]) -> list[Any]:
    """The values that an object is sorted or grouped by."""
    if not chosen:
        return [item]
    found: list[Any] = []
    for selector in chosen:
        if selector.pattern:
            names = expand(selector, item)
            if names is not None:
                found.extend(property_value(call.session, item, name) for name in names)
                continue
            if not has_property(item, selector.pattern):
                found.append(MISSING)
                continue
        found.append(selector.read(item))
    return found


@TABLE.cmdlet(
    "Sort-Object",
    parameters=[
        Parameter("Property", "object[]", position=0),
        switch("Descending"),
        switch("Unique"),
        switch("CaseSensitive"),
        switch("Stable"),
        Parameter("Culture", "string"),
        Parameter("Top", "int"),
        Parameter("Bottom", "int"),
        INPUT,
    ],
    module=UTILITY,
    aliases=("sort",),
    streaming=False,
)
def sort_object(call: Call) -> Iterator[Any]:
    refuse(call, "Culture")
    chosen = selectors(call.session, call["Property"]) if call.bound("Property") else []
    fold = not call["CaseSensitive"]
    descending = [
        bool(s.options["descending"])
        if "descending" in s.options
        else not s.options["ascending"]
        if "ascending" in s.options
        else bool(call["Descending"])
        for s in chosen
    ] or [bool(call["Descending"])]
    rows = [(values_of(call, item, chosen), item) for item in inputs(call)]

    def order(a: tuple[list[Any], Any], b: tuple[list[Any], Any]) -> int:
        for index, (left, right) in enumerate(zip(a[0], b[0], strict=False)):
            found = compare_values(left, right, fold)
            if found:
                swap = descending[min(index, len(descending) - 1)]
                swap = swap and left is not MISSING and right is not MISSING
                return -found if swap else found
        return 0

    rows.sort(key=functools.cmp_to_key(order))
    if call["Unique"]:
        rows = [row for i, row in enumerate(rows) if i == 0 or order(rows[i - 1], row) != 0]
    if call.bound("Top"):
        rows = rows[: call["Top"]]
    elif call.bound("Bottom"):
        rows = rows[max(len(rows) - call["Bottom"], 0) :]
    for _, item in rows:
        yield item


@TABLE.cmdlet(
    "Group-Object",
    parameters=[
        Parameter("Property", "object[]", position=0),
        switch("NoElement"),
        switch("AsHashTable", "AHT"),
        switch("AsString"),
        switch("CaseSensitive"),
        Parameter("Culture", "string"),
        INPUT,
    ],
    module=UTILITY,
    aliases=("group",),
    streaming=False,
)
def group_object(call: Call) -> Iterator[Any]:
    refuse(call, "Culture")
    chosen = selectors(call.session, call["Property"]) if call.bound("Property") else []
    fold = not call["CaseSensitive"]
    found: list[tuple[list[Any], list[Any]]] = []
    index: dict[Any, int] = {}
    for item in inputs(call):
        values = [None if v is MISSING else v for v in values_of(call, item, chosen)]
        key = tuple(_group_key(v, fold) for v in values)
        if key not in index:
            index[key] = len(found)
            found.append((values, []))
        found[index[key]][1].append(item)
    if call["AsHashTable"]:
        table = Hashtable()
        for values, members in found:
            key_value = _group_name(values) if call["AsString"] or len(values) > 1 else values[0]
            table[key_value] = NetList(
                members,
                "System.Collections.ObjectModel.Collection`1[System.Management.Automation.PSObject]",
            )
        yield table
        return
    if not desktop(call):
        found.sort(key=_group_order(fold))
    for values, members in found:
        yield _group_info(values, members, elements=not call["NoElement"])


def _group_order(fold: bool) -> Any:
    """The key that sorts groups by their values."""

    def order(a: tuple[list[Any], Any], b: tuple[list[Any], Any]) -> int:
        return _by_values(a[0], b[0], fold)

    return functools.cmp_to_key(order)


def _by_values(left: list[Any], right: list[Any], fold: bool) -> int:
    for a, b in zip(left, right, strict=False):
        found = compare_values(a, b, fold)
        if found:
            return found
    return 0


def _group_key(value: Any, fold: bool) -> Any:
    if isinstance(value, str):
        return ("s", value.casefold() if fold else value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ("n", value)
    text = dotnet.to_string(value)
    return (dotnet.type_name_of(value), text.casefold() if fold else text)


def _group_name(values: list[Any]) -> str:
    return ", ".join(dotnet.to_string(value) for value in values)


def _group_info(values: list[Any], members: list[Any], *, elements: bool) -> PSObject:
    name = "GroupInfo" if elements else "GroupInfoNoElement"
    collection = (
        "System.Collections.ObjectModel.Collection`1[System.Management.Automation.PSObject]"
    )
    return PSObject(
        [
            ("Values", NetList(values)),
            ("Count", len(members)),
            *([("Group", NetList(members, collection))] if elements else []),
            ("Name", _group_name(values)),
        ],
        type_names=[f"Microsoft.PowerShell.Commands.{name}"],
    )


@TABLE.cmdlet(
    "Measure-Object",
    parameters=[
        Parameter("Property", "object[]", position=0),
        switch("Sum"),
        switch("Average"),
        switch("Maximum"),
        switch("Minimum"),
        switch("StandardDeviation"),
        switch("AllStats"),
        switch("Line"),
        switch("Word"),
        switch("Character"),
        switch("IgnoreWhiteSpace"),
        INPUT,
    ],
    module=UTILITY,
    aliases=("measure",),
    streaming=False,
)
def measure_object(call: Call) -> Iterator[Any]:
    chosen = selectors(call.session, call["Property"]) if call.bound("Property") else [None]
    text_wanted = call["Line"] or call["Word"] or call["Character"]
    for selector in chosen:
        values: list[Any] = []
        for item in inputs(call):
            if selector is None:
                values.append(item)
                continue
            names = expand(selector, item)
            for name in [selector.pattern] if names is None else names:
                if selector.pattern and not has_property(item, name):
                    continue
                values.append(
                    property_value(call.session, item, name)
                    if selector.pattern
                    else selector.read(item)
                )
        label = selector.label if selector is not None else None
        if selector is not None and not values:
            call.session.write_error(
                f'The property "{label}" cannot be found in the input for any objects.',
                category="InvalidArgument",
                error_id="GenericMeasurePropertyNotFound",
                exception="System.Management.Automation.PSArgumentException",
            )
            continue
        yield _text_measure(call, values, label) if text_wanted else _measure(call, values, label)


def _text_measure(call: Call, values: list[Any], label: str | None) -> PSObject:
    texts = [dotnet.to_string(value) for value in values]
    characters = sum(
        len(re.sub(r"\s", "", text)) if call["IgnoreWhiteSpace"] else len(text) for text in texts
    )
    return PSObject(
        [
            ("Lines", sum(_line_count(text) for text in texts) if call["Line"] else None),
            ("Words", sum(len(text.split()) for text in texts) if call["Word"] else None),
            ("Characters", characters if call["Character"] else None),
            ("Property", label),
        ],
        type_names=["Microsoft.PowerShell.Commands.TextMeasureInfo"],
    )


def _line_count(text: str) -> int:
    return 0 if not text else text.count("\n") + (0 if text.endswith("\n") else 1)


def _measure(call: Call, values: list[Any], label: str | None) -> PSObject:
    everything = call["AllStats"]
    numeric = call["Sum"] or call["Average"] or call["StandardDeviation"] or everything
    numbers: list[Any] = []
    if numeric:
        for value in values:
            try:
                numbers.append(float(dotnet.convert(call.session, value, "System.Double")))
            except Terminating:
                call.session.write_error(
                    f'Input object "{dotnet.to_string(value)}" is not numeric.',
                    category="InvalidType",
                    error_id="NonNumericInputObject",
                    exception="System.Management.Automation.PSInvalidCastException",
                    target=value,
                )
    total = sum(numbers)
    maximum = minimum = None
    if (call["Maximum"] or call["Minimum"] or everything) and values:
        ordered = sorted(values, key=functools.cmp_to_key(lambda a, b: compare_values(a, b, True)))
        minimum, maximum = ordered[0], ordered[-1]
    deviation = statistics.stdev(numbers) if len(numbers) > 1 else 0.0
    wants = {
        name: bool(call[name] or everything) for name in ("Average", "Sum", "Maximum", "Minimum")
    }
    return PSObject(
        [
            ("Count", len(values)),
            ("Average", total / len(numbers) if wants["Average"] and numbers else None),
            ("Sum", float(total) if wants["Sum"] and numbers else None),
            ("Maximum", _as_number(maximum) if wants["Maximum"] else None),
            ("Minimum", _as_number(minimum) if wants["Minimum"] else None),
            *(
                [
                    (
                        "StandardDeviation",
                        deviation if call["StandardDeviation"] or everything else None,
                    )
                ]
                if not desktop(call)
                else []
            ),
            ("Property", label),
        ],
        type_names=["Microsoft.PowerShell.Commands.GenericMeasureInfo"],
    )


def _as_number(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
