"""Indexes of values, as scripts write them: `$list[0]`, `$table['key']`, `$text[-1]`.

What is no hashtable, array or text is asked of the `dotnet` package.
"""

from __future__ import annotations

from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.arithmetic import to_integer
from k8swin_lab.powershell.dotnet.collections import entry_of
from k8swin_lab.powershell.dotnet.grids import Grid
from k8swin_lab.powershell.errors import PowerShellError, from_terminating, runtime_error
from k8swin_lab.powershell.scopes import NOTHING, Frame
from k8swin_lab.powershell.values import Char, Hashtable, PSArray


def _refuse_null(target: Any, key: Any) -> None:
    if target is None or target is NOTHING:
        raise runtime_error("Cannot index into a null array.", "NullArray")
    if key is None:
        raise runtime_error(
            "Index operation failed; the array index evaluated to null.", "NullArrayIndex"
        )


def index(frame: Frame, target: Any, key: Any) -> Any:
    """`target[key]`; several keys give an array."""
    _refuse_null(target, key)
    if isinstance(target, Hashtable):
        if isinstance(key, list):
            return PSArray(
                _lookup(target, item)
                for item in key
                if not (target.ordered and type(item) is int and not 0 <= item < len(target))
            )
        return _lookup(target, key)
    if (
        isinstance(key, list)
        and isinstance(target, list | tuple | str)
        and not isinstance(target, Grid)
    ):
        found = PSArray()
        for item in key:
            value = _at(frame, target, item)
            if value is not NOTHING:
                found.append(value)
        return found
    value = _at(frame, target, key)
    return None if value is NOTHING else value


def _lookup(table: Hashtable, key: Any) -> Any:
    if table.ordered and isinstance(key, int) and not isinstance(key, bool) and key not in table:
        values = list(table.values())
        return values[key] if -len(values) <= key < len(values) else None
    try:
        return table.get(key)
    except TypeError:
        return None


def _at(frame: Frame, target: Any, key: Any) -> Any:
    """One element; NOTHING when the index is out of bounds."""
    if isinstance(target, list | tuple | str):
        place = to_integer(key) if isinstance(key, float) else _place(key)
        if place is None:
            return NOTHING
        if isinstance(target, str):
            if -len(target) <= place < len(target):
                return Char(target[place])
            return _out_of_bounds(frame, place)
        if -len(target) <= place < len(target):
            return target[place]
        if not isinstance(target, PSArray) and hasattr(dotnet, "get_index"):
            return _dotnet_index(target, place)
        return _out_of_bounds(frame, place)
    return _dotnet_index(target, key)


def _place(key: Any) -> int | None:
    """An index as a place; a text that is no number is none."""
    if isinstance(key, list) or (isinstance(key, float) and not key.is_integer()):
        return None
    try:
        return to_integer(key)
    except PowerShellError:
        if isinstance(key, str):
            return None
        raise
    except Terminating as error:
        raise runtime_error(str(error), error.error_id, category=error.category) from error


def _dotnet_index(target: Any, key: Any) -> Any:
    try:
        return dotnet.get_index(target, key)
    except Terminating as error:
        if error.error_id == "CannotIndex":
            return target if _place(key) in (0, -1) else None  # it is an array of one to an index
        raise from_terminating(error) from error
    except (LookupError, TypeError) as error:
        raise runtime_error(
            f"Unable to index into an object of type {dotnet.type_name_of(target)}.", "CannotIndex"
        ) from error


def _out_of_bounds(frame: Frame, place: int) -> Any:
    if frame.scope.strictness() >= 3:
        raise runtime_error(
            "Index was outside the bounds of the array.",
            "System.IndexOutOfRangeException",
            category="OperationStopped",
            exception="System.IndexOutOfRangeException",
        )
    return NOTHING


def set_index(frame: Frame, target: Any, key: Any, value: Any) -> None:
    """`target[key] = value`."""
    if value is NOTHING:
        value = None
    _refuse_null(target, key)
    if isinstance(target, Hashtable):
        generic = dotnet.type_name_of(target).startswith("System.Collections.Generic.")
        if isinstance(key, list) and (target.ordered or generic):
            raise _no_index(target)
        if generic:
            key, value = entry_of(frame.interp, target, key, value)
        elif target.ordered and type(key) is int and key not in target:
            if not 0 <= key < len(target):
                raise runtime_error(
                    "Specified argument was out of the range of valid values.\r\nParameter name: index",
                    "System.ArgumentOutOfRangeException",
                    category="OperationStopped",
                    exception="System.ArgumentOutOfRangeException",
                )
            key = list(target.keys())[key]
        target[key] = value
        return
    if isinstance(target, PSArray):
        place = to_integer(key)
        if not -len(target) <= place < len(target):
            raise runtime_error(
                "Index was outside the bounds of the array.",
                "System.IndexOutOfRangeException",
                category="OperationStopped",
                exception="System.IndexOutOfRangeException",
            )
        if target.element_type != "System.Object":
            value = frame.interp.cast(value, target.element_type)
        target[place] = value
        return
    try:
        dotnet.set_index(target, key, value)
    except Terminating as error:
        if error.error_id == "CannotIndex":
            raise _no_index(target) from error
        raise from_terminating(error) from error


def _no_index(target: Any) -> PowerShellError:
    """The error of an assignment to what has no index."""
    name = dotnet.type_name_of(target).replace(".PSCustomObject", ".PSObject")
    return runtime_error(f"Unable to index into an object of type {name}.", "CannotIndex")
