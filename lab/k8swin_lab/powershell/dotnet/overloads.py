"""Operators that types declare as methods: those of dates and time spans.

An operand is converted as the argument of any method is. A date is the one type with two methods of a
name: a date and a span can both be subtracted, and an operand that converts to either is ambiguous.
"""

from __future__ import annotations

from typing import Any

from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet import registry
from k8swin_lab.powershell.dotnet.castability import source_kind
from k8swin_lab.powershell.dotnet.conversion import convert
from k8swin_lab.powershell.dotnet.dates import _instant, _shifted
from k8swin_lab.powershell.dotnet.registry import ConversionError
from k8swin_lab.powershell.dotnet.text import CUSTOM_OBJECT, to_string
from k8swin_lab.powershell.dotnet.times import DateTime, TimeSpan
from k8swin_lab.powershell.dotnet.typing_of import type_name_of
from k8swin_lab.powershell.records import TypeValue

_METHOD_EXCEPTION = "System.Management.Automation.MethodException"
_DATE, _SPAN = DateTime.type_name, TimeSpan.type_name
_EITHER = frozenset(["string", "number", "char", "bool", "enum", "table"])
"""What converts to a date as well as to a span."""


def binary_operator(name: str, owner: Any, left: Any, right: Any) -> Any:
    """`left` and `right` to the operator's method `name` of the type of `owner`, which is one of them.

    Raises:
        Terminating: the type has no such operator, or it does not take the operands.
    """
    kind = kind_name(owner)
    if isinstance(owner, DateTime | TimeSpan) and name in ("op_Addition", "op_Subtraction"):
        second = _SPAN
        if kind == _DATE and name == "op_Subtraction":
            second = _subtracted(right)
        a, b = operand(name, 0, left, kind), operand(name, 1, right, second)
        sign = 1 if name == "op_Addition" else -1
        if isinstance(a, TimeSpan):
            return TimeSpan(a.ticks + sign * b.ticks)
        if isinstance(b, DateTime):
            return TimeSpan(_instant(a) - _instant(b))
        return _shifted(a, sign * b.ticks)
    raise no_operator(kind, name)


def _subtracted(value: Any) -> str:
    """The type that a value is taken as when it is subtracted from a date."""
    if isinstance(value, DateTime | TimeSpan):
        return _DATE if isinstance(value, DateTime) else _SPAN
    words = "Cannot find an overload for"
    if source_kind(value) in _EITHER:
        words = "Multiple ambiguous overloads found for"
    raise Terminating(
        f'{words} "op_Subtraction" and the argument count: "2".',
        exception=_METHOD_EXCEPTION,
        error_id="MethodCountCouldNotFindBest",
    )


def kind_name(value: Any) -> str:
    """The type that an operator sees: of a custom object its wrapper's."""
    name = type_name_of(value)
    return "System.Management.Automation.PSObject" if name == CUSTOM_OBJECT else name


def no_operator(type_name: str, name: str) -> Terminating:
    """The error of a type without the operator's method."""
    error = registry.no_method(type_name, name)
    error.target = name
    return error


def operand(name: str, index: int, value: Any, type_name: str) -> Any:
    """An operand as the operator's method takes it."""
    try:
        return convert(None, value, type_name)
    except ConversionError as error:
        text = type_name_of(value) if isinstance(value, list) else to_string(value)
        if isinstance(value, TypeValue):
            text = value.name
        raise Terminating(
            f'Cannot convert argument "{index}", with value: "{text}", for "{name}" '
            f'to type "{type_name}": "{error}"',
            exception=_METHOD_EXCEPTION,
            error_id="MethodArgumentConversionInvalidCastArgument",
        ) from error
