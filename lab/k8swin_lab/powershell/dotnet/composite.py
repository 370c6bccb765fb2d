"""`-f` and String.Format: composite format strings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from k8swin_lab.powershell.dotnet import culture_now
from k8swin_lab.powershell.dotnet.date_format import format_date, format_span
from k8swin_lab.powershell.dotnet.numeric_format import format_number
from k8swin_lab.powershell.dotnet.registry import find, format_error
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.times import DateTime, TimeSpan
from k8swin_lab.powershell.dotnet.typing_of import type_name_of
from k8swin_lab.powershell.values import Hashtable

_INDEX = re.compile(r"\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?(?::(.*))?", re.DOTALL)
_INVALID = "Input string was not in a correct format."


def format_operator(pattern: str, args: Sequence[Any]) -> str:
    """Fill a composite format string.

    Raises:
        Terminating: System.FormatException for a bad format or a missing argument.
    """
    result: list[str] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        if char in "{}" and pattern[index + 1 : index + 2] == char:
            result.append(char)
            index += 2
        elif char == "{":
            end = _closing(pattern, index)
            result.append(_item(pattern[index + 1 : end], args))
            index = end + 1
        elif char == "}":
            raise format_error(_INVALID)
        else:
            result.append(char)
            index += 1
    return "".join(result)


def _closing(pattern: str, start: int) -> int:
    end = start + 1
    while end < len(pattern):
        if pattern[end] == "}":
            return end
        if pattern[end] == "{":
            break
        end += 1
    raise format_error(_INVALID)


def _item(body: str, args: Sequence[Any]) -> str:
    match = _INDEX.fullmatch(body)
    if match is None:
        raise format_error(_INVALID)
    number = int(match[1])
    if number >= len(args):
        raise format_error(
            "Index (zero based) must be greater than or equal to zero and less than the size of the "
            "argument list."
        )
    text = format_value(args[number], match[3] or "")
    width = int(match[2] or 0)
    return text.ljust(-width) if width < 0 else text.rjust(width)


def format_value(value: Any, pattern: str = "", *, invariant: bool = False) -> str:
    """`value.ToString(pattern)`: types without formats ignore the pattern."""
    if isinstance(value, DateTime):
        if type(value) is not DateTime and not pattern:
            return format_date(value, "M/d/yyyy h:mm:ss tt zzz")
        return format_date(value, pattern, invariant=invariant)
    if isinstance(value, TimeSpan):
        return format_span(value, pattern)
    enum_number = getattr(value, "enum_number", None)
    if isinstance(enum_number, int) and isinstance(value, str):
        return _format_enum(str(value), enum_number, pattern)
    if pattern and isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return culture_now.number(format_number(value, pattern), pattern)
    if culture_now.is_fraction(value):
        return culture_now.number(to_string(value))
    if isinstance(value, Hashtable | list):
        declared = find(type_name_of(value))
        return declared.to_text(value) if declared and declared.to_text else type_name_of(value)
    formatter = getattr(value, "format", None)
    if pattern and formatter is not None and not isinstance(value, str):
        return str(formatter(pattern))
    return to_string(value)


def _format_enum(name: str, number: int, pattern: str) -> str:
    letter = pattern.upper()
    if letter in ("", "G", "F"):
        return name
    if letter == "D":
        return str(number)
    if letter == "X":
        return f"{number & 0xFFFFFFFF:08X}"
    raise format_error('Format String can be only "G", "g", "X", "x", "F", "f", "D" or "d".')
