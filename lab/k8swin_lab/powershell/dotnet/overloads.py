"""Arithmetic on values that are no numbers: dates, time spans, enumerations."""

from __future__ import annotations

from typing import Any

from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet import enums, registry
from k8swin_lab.powershell.dotnet.conversion import convert
from k8swin_lab.powershell.dotnet.dates import _instant, _shifted
from k8swin_lab.powershell.dotnet.registry import ConversionError
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.times import DateTime, TimeSpan
from k8swin_lab.powershell.dotnet.typing_of import type_name_of

_NAMES = {
    "+": "op_Addition",
    "-": "op_Subtraction",
    "*": "op_Multiply",
    "/": "op_Division",
    "%": "op_Modulus",
}


def binary_operator(operator: str, left: Any, right: Any) -> Any:
    """`left operator right` when the left operand is not a number.

    Raises:
        Terminating: the type has no such operator.
    """
    if isinstance(left, DateTime | TimeSpan) and isinstance(right, list):
        raise Terminating(
            f'Cannot convert argument "1", with value: "System.Object[]", for "{_NAMES[operator]}".',
            exception="System.Management.Automation.MethodException",
            error_id="MethodArgumentConversionInvalidCastArgument",
        )
    if isinstance(left, DateTime):
        if operator == "+":
            return _shifted(left, _operand(operator, right).ticks)
        if operator == "-" and isinstance(right, DateTime):
            return TimeSpan(_instant(left) - _instant(right))
        if operator == "-" and isinstance(right, TimeSpan):
            return _shifted(left, -right.ticks)
        if operator == "-" and isinstance(right, str | int | float):
            # A date and a span can both be subtracted, and the operand converts to either.
            raise Terminating(
                f'Multiple ambiguous overloads found for "{_NAMES[operator]}" and the argument count: "2".',
                exception="System.Management.Automation.MethodException",
                error_id="MethodCountCouldNotFindBest",
            )
        if operator == "-":
            return _shifted(left, -_operand(operator, right).ticks)
    if isinstance(right, TimeSpan | DateTime) and isinstance(left, int | None) and operator in "+-":
        # a number becomes ticks, as .NET's conversions of the engine have it
        ticks = int(left or 0)
        if isinstance(right, TimeSpan):
            return TimeSpan(ticks + (1 if operator == "+" else -1) * right.ticks)
        if operator == "-":
            return TimeSpan(ticks - _instant(right))
    if isinstance(left, TimeSpan) and operator in "+-":
        return TimeSpan(
            left.ticks + (1 if operator == "+" else -1) * _operand(operator, right).ticks
        )
    if operator in ("band", "bor", "bxor"):
        return _bitwise(operator, left, right)
    raise registry.no_method(type_name_of(left), _NAMES.get(operator, operator))


def _operand(operator: str, value: Any) -> TimeSpan:
    """The right operand as the only overload of a date's or a span's operator takes it."""
    try:
        converted = convert(None, value, "System.TimeSpan")
    except ConversionError as error:
        raise Terminating(
            f'Cannot convert argument "1", with value: "{to_string(value)}", for "{_NAMES[operator]}" '
            f'to type "System.TimeSpan": "{error}"',
            exception="System.Management.Automation.MethodException",
            error_id="MethodArgumentConversionInvalidCastArgument",
        ) from error
    assert isinstance(converted, TimeSpan)  # noqa: S101 - what the conversion gives
    return converted


def _bitwise(operator: str, left: Any, right: Any) -> Any:
    enum = enums.find(type_name_of(left)) or enums.find(type_name_of(right))
    assert enum is not None  # noqa: S101 - the caller has an enumeration in hand
    a, b = (
        enum.parse(item).enum_number
        if isinstance(item, str)
        else int(getattr(item, "enum_number", item))
        for item in (left, right)
    )
    result = a & b if operator == "band" else a | b if operator == "bor" else a ^ b
    return enum.of(result)
