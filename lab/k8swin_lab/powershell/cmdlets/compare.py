"""Compare-Object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell.api import Call, Parameter
from k8swin_lab.powershell.cmdlets.common import TABLE, UTILITY, refuse, switch
from k8swin_lab.powershell.cmdlets.ordering import compare_values, values_of
from k8swin_lab.powershell.dotnet import extended
from k8swin_lab.powershell.dotnet.properties import selectors
from k8swin_lab.powershell.dotnet.psobject import copy_object
from k8swin_lab.powershell.values import PSObject


@TABLE.cmdlet(
    "Compare-Object",
    parameters=[
        Parameter("ReferenceObject", "object[]", position=0, mandatory=True),
        Parameter("DifferenceObject", "object[]", position=1, mandatory=True, pipeline="value"),
        Parameter("SyncWindow", "int"),
        Parameter("Property", "object[]"),
        switch("ExcludeDifferent"),
        switch("IncludeEqual"),
        switch("PassThru"),
        Parameter("Culture", "string"),
        switch("CaseSensitive"),
    ],
    module=UTILITY,
    aliases=("compare", "diff"),
    streaming=False,
)
def compare_object(call: Call) -> Iterator[Any]:
    """What is equal comes first, then what only the difference has, then what only the reference has."""
    refuse(call, "Culture")
    chosen = selectors(call.session, call["Property"]) if call.bound("Property") else []
    difference = list(call.input) or list(call["DifferenceObject"] or [])
    reference = [(values_of(call, item, chosen), item) for item in call["ReferenceObject"] or []]
    window = call["SyncWindow"] if call.bound("SyncWindow") else len(reference) + len(difference)
    fold = not call["CaseSensitive"]
    left: list[tuple[int, list[Any], Any]] = [(i, v, item) for i, (v, item) in enumerate(reference)]
    only: list[tuple[list[Any], Any]] = []
    for position, item in enumerate(difference):
        values = values_of(call, item, chosen)
        match = next(
            (
                entry
                for entry in left
                if abs(entry[0] - position) <= window and _same(entry[1], values, fold)
            ),
            None,
        )
        if match is None:
            only.append((values, item))
            continue
        left.remove(match)
        if call["IncludeEqual"]:
            yield _result(call, chosen, match[1], match[2], "==")
    if call["ExcludeDifferent"]:
        return
    for values, item in only:
        yield _result(call, chosen, values, item, "=>")
    for _, values, item in left:
        yield _result(call, chosen, values, item, "<=")


def _same(left: list[Any], right: list[Any], fold: bool) -> bool:
    return all(compare_values(a, b, fold) == 0 for a, b in zip(left, right, strict=False))


def _result(call: Call, chosen: list[Any], values: list[Any], item: Any, side: str) -> Any:
    if call["PassThru"]:
        if isinstance(item, PSObject):
            result = copy_object(item)
            result.properties["SideIndicator"] = side
            return result
        return extended.attach(item, "SideIndicator", side)
    if chosen:
        pairs: list[tuple[str, Any]] = [
            (selector.label, value) for selector, value in zip(chosen, values, strict=False)
        ]
    else:
        pairs = [("InputObject", item)]
    return PSObject([*pairs, ("SideIndicator", side)])
