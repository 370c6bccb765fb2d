"""System.Convert."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet import culture_now
from k8swin_lab.powershell.dotnet.conversion import convert, to_bytes
from k8swin_lab.powershell.dotnet.numbers import overflow, parse_float, parse_integer
from k8swin_lab.powershell.dotnet.primitives import INTEGERS, byte_array, sized
from k8swin_lab.powershell.dotnet.registry import (
    ConversionError,
    NetType,
    argument,
    format_error,
    out_of_range,
)
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.typing_of import type_name_of
from k8swin_lab.powershell.values import Char

CONVERT = NetType("System.Convert")
_BITS = {
    "System.Byte": 8,
    "System.SByte": 8,
    "System.Int16": 16,
    "System.UInt16": 16,
    "System.Int32": 32,
    "System.UInt32": 32,
    "System.Int64": 64,
    "System.UInt64": 64,
}


def _integer(type_name: str) -> Any:
    def apply(value: Any, base: Any = 10) -> Any:
        if (
            isinstance(value, str)
            and not isinstance(value, Char)
            and not hasattr(value, "enum_number")
        ):
            if isinstance(base, int) and base != 10:
                return _in_base(value, base, type_name)
            return parse_integer(value, type_name)
        if isinstance(value, Char):
            return sized(ord(value), type_name)
        try:
            return convert(None, value, type_name)
        except ConversionError as error:
            if "too large" in str(error):
                raise overflow(INTEGERS[type_name][2]) from error
            raise

    return apply


def _in_base(text: str, base: int, type_name: str) -> int:
    if base not in (2, 8, 16):
        raise argument("Invalid Base.")
    digits = text[2:] if base == 16 and text[:2].lower() == "0x" else text
    if not digits:
        raise out_of_range(
            "Index was out of range. Must be non-negative and less than the size of the collection."
        )
    allowed = "0123456789abcdef"[:base]
    if any(char not in allowed for char in digits.lower()):
        if digits.lower()[0] not in allowed:
            raise format_error("Could not find any recognizable digits.")
        raise format_error("Additional non-parsable characters are at the end of the string.")
    value = int(digits, base)
    bits = _BITS[type_name]
    if value >= 1 << bits:
        raise overflow(INTEGERS[type_name][2])
    low, high, _ = INTEGERS[type_name]
    return sized(value - (1 << bits) if value > high and low < 0 else value, type_name)


_FRACTIONS = ("System.Single", "System.Double", "System.Decimal")
_NUMBERS = (*INTEGERS, *_FRACTIONS, "System.Boolean")


def _can(source: str, target: str) -> bool:
    """Whether a basic type converts to another one, as IConvertible has it."""
    if source == target or "System.String" in (source, target):
        return True
    if "System.DateTime" in (source, target):
        return False
    if "System.Char" in (source, target):
        return (target if source == "System.Char" else source) in INTEGERS
    return True


def _checked(target: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """`Convert.ToX`: what no conversion leads from is an InvalidCastException, bad text a FormatException."""

    def apply(value: Any, *rest: Any) -> Any:
        provider = rest[0] if rest else None
        if isinstance(value, str) and str(getattr(provider, "type_name", "")).endswith(
            "CultureInfo"
        ):
            with culture_now.using(culture_now.known(str(provider))):
                if target == "System.DateTime" and culture_now.current() is not culture_now.US:
                    raise NotSimulated("[System.Convert]::ToDateTime() with a culture")
                return apply(culture_now.read_number(value))
        source = type_name_of(value)
        basic = source in (*_NUMBERS, "System.Char", "System.DateTime")
        if value is not None and basic and not _can(source, target):
            raise Terminating(
                f"Invalid cast from '{source.removeprefix('System.')}' to "
                f"'{target.removeprefix('System.')}'.",
                exception="System.InvalidCastException",
            )
        try:
            return function(value, *rest)
        except ConversionError as error:
            inner = re.search(r'Error: "(.*)"$', str(error))
            if not isinstance(value, str) or inner is None:
                raise
            raise format_error(inner[1]) from error

    return apply


for _name in INTEGERS:
    CONVERT.static("To" + _name.removeprefix("System."))(_checked(_name, _integer(_name)))
for _name in ("Char", "Decimal", "DateTime"):
    CONVERT.static(f"To{_name}")(
        _checked(
            f"System.{_name}",
            lambda value, provider=None, _to=f"System.{_name}": convert(None, value, _to),
        )
    )


def _to_double(value: Any, provider: Any = None) -> float:
    return (
        parse_float(value)
        if isinstance(value, str)
        else float(convert(None, value, "System.Double"))
    )


def _to_boolean(value: Any, provider: Any = None) -> bool:
    if not isinstance(value, str):
        return bool(convert(None, value, "System.Boolean"))
    found = {"true": True, "false": False}.get(value.strip().lower())
    if found is None:
        raise format_error("String was not recognized as a valid Boolean.")
    return found


CONVERT.static("ToDouble")(_checked("System.Double", _to_double))
CONVERT.static("ToSingle")(_checked("System.Single", _to_double))
CONVERT.static("ToBoolean")(_checked("System.Boolean", _to_boolean))


@CONVERT.static("ToString")
def _to_string(value: Any, base: Any = 10) -> str:
    if not isinstance(base, int) or isinstance(value, str) or base == 10:
        return to_string(value)
    number = int(convert(None, value, "System.Int64"))
    if number < 0:
        number += 1 << (64 if number < -(1 << 31) else 32)
    if base == 2:
        return format(number, "b")
    if base == 8:
        return format(number, "o")
    if base == 16:
        return format(number, "x")
    raise argument("Invalid Base.")


@CONVERT.static("ToBase64String")
def _to_base64(value: Any, *args: Any) -> str:
    data = to_bytes(value)
    numbers = [int(a) for a in args if isinstance(a, int)]
    if len(numbers) >= 2:
        data = data[numbers[0] : numbers[0] + numbers[1]]
    text = base64.b64encode(data).decode()
    if any(isinstance(a, str) and a == "InsertLineBreaks" for a in args):
        return "\r\n".join(text[i : i + 76] for i in range(0, len(text), 76))
    return text


@CONVERT.static("FromBase64String")
def _from_base64(text: str) -> Any:
    squeezed = re.sub(r"[ \t\r\n]", "", text)
    try:
        if len(squeezed) % 4:
            raise format_error("Invalid length for a Base-64 char array or string.")
        return byte_array(base64.b64decode(squeezed, validate=True))
    except (binascii.Error, ValueError) as error:
        raise format_error(
            "The input is not a valid Base-64 string as it contains a non-base 64 character, more than "
            "two padding characters, or an illegal character among the padding characters. "
        ) from error
