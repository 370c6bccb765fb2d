"""Casts to numbers: what a number, a string, a character or a structure is as one of .NET's types."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from k8swin_lab.powershell.dotnet.castability import (
    failure,
    no_conversion,
    of_structure,
    source_kind,
)
from k8swin_lab.powershell.dotnet.primitives import INTEGERS, parse_number, sized
from k8swin_lab.powershell.dotnet.typing_of import type_name_of
from k8swin_lab.powershell.values import Char, TypedInt


def round_half_even(value: float | Decimal) -> int:
    """[int] rounds to the even neighbour."""
    return round(value)


def to_integer(value: Any, type_name: str) -> int:
    low, high, words = INTEGERS[type_name]
    too_large = f"Value was either too large or too small for {words}."
    if isinstance(value, Char):
        number = ord(value)
    elif isinstance(getattr(value, "enum_number", None), int):
        number = value.enum_number
    elif isinstance(value, str):
        if not value.strip():
            return sized(0, type_name)
        parsed = parse_number(value)
        if parsed is None:
            raise failure(
                value,
                type_name,
                "Input string was not in a correct format.",
                "InvalidCastFromStringToInteger",
            )
        if not low <= parsed <= high:
            # What is no integer is read as a Double first, and its failure is the first attempt's.
            plain = value.strip().lstrip("+-").isdigit()
            words = too_large if plain else "Input string was not in a correct format."
            raise failure(value, type_name, words, "InvalidCastFromStringToInteger")
        number = round_half_even(parsed)
    elif isinstance(value, bool):
        number = int(value)
    elif isinstance(value, int | float | Decimal):
        try:
            number = value if isinstance(value, int) else round_half_even(value)
        except (ValueError, OverflowError) as error:
            raise failure(value, type_name, too_large, "InvalidCastIConvertible") from error
        if not low <= number <= high:
            raise failure(value, type_name, too_large, "InvalidCastIConvertible")
    else:
        raise no_conversion(value, type_name)
    if not low <= number <= high:
        raise failure(value, type_name, too_large, "InvalidCastIConvertible")
    return sized(number, type_name)


def to_double(value: Any, type_name: str) -> float:
    if isinstance(value, Char):
        return float(ord(value))
    if isinstance(getattr(value, "enum_number", None), int):
        return float(value.enum_number)
    if isinstance(value, str):
        if not value.strip():
            return 0.0
        special = {"nan": "nan", "infinity": "inf", "-infinity": "-inf"}.get(value.strip().lower())
        parsed = float(special) if special else parse_number(value)
        if parsed is None:
            raise failure(
                value,
                type_name,
                "Input string was not in a correct format.",
                "InvalidCastFromStringToDoubleOrSingle",
            )
        return float(parsed)
    if isinstance(value, bool | int | float | Decimal):
        return float(value)
    raise no_conversion(value, type_name)


def to_decimal(value: Any) -> Decimal:
    if isinstance(value, Char):
        return Decimal(ord(value))
    if isinstance(value, str) and not hasattr(value, "enum_number"):
        if not value.strip():
            return Decimal(0)
        try:
            return _shortest(Decimal(value.strip().replace(",", "")))
        except InvalidOperation as error:
            parsed = parse_number(value)
            if parsed is not None:
                return Decimal(str(parsed))
            raise failure(
                value,
                "System.Decimal",
                "Input string was not in a correct format.",
                "InvalidCastFromStringToDecimal",
            ) from error
    if isinstance(value, bool | int | Decimal):
        return Decimal(int(value)) if isinstance(value, int) else value
    if isinstance(getattr(value, "enum_number", None), int):
        return Decimal(value.enum_number)
    if isinstance(value, float):
        if not abs(value) < 7.9228162514264338e28:
            raise failure(
                value,
                "System.Decimal",
                "Value was either too large or too small for a Decimal.",
                "InvalidCastIConvertible",
            )
        return Decimal(f"{value:.15g}")
    if source_kind(value) in ("table", "record"):
        return Decimal(of_structure(value, "System.Decimal", lambda: 0))
    if type_name_of(value) == "System.Int32[]":
        return _decimal_of_bits(value)
    raise no_conversion(value, "System.Decimal")


def _decimal_of_bits(parts: list[int]) -> Decimal:
    """The constructor that takes a Decimal's four words: three of digits, one of scale and sign."""
    scale = parts[3] >> 16 & 0xFF if len(parts) == 4 else 29
    if scale > 28 or parts[3] & 0x7F00FFFF:
        text = "Decimal byte array constructor requires an array of length four containing valid decimal bytes."
        raise failure(
            type_name_of(parts), "System.Decimal", text, "InvalidCastConstructorException"
        )
    digits = sum((part & 0xFFFFFFFF) << 32 * place for place, part in enumerate(parts[:3]))
    return Decimal(-digits if parts[3] < 0 else digits).scaleb(-scale)


def _shortest(value: Decimal) -> Decimal:
    """Without zeros at its end: a cast reads a number, not its notation."""
    if value == value.to_integral_value():
        return value.quantize(Decimal(1)) if abs(value) < 10**27 else value
    return value.normalize()


def to_big_integer(value: Any) -> int:
    kind = source_kind(value)
    if kind in ("char", "enum"):
        value = ord(value) if kind == "char" else value.enum_number
    parsed = value
    if isinstance(value, str):
        parsed = parse_number(value) if value.strip() else 0
    if isinstance(parsed, int | float | Decimal):
        return TypedInt(int(parsed), "System.Numerics.BigInteger")
    raise no_conversion(value, "System.Numerics.BigInteger")
