"""Numbers as text: the shortest form, and .NET's standard and custom numeric format strings."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from k8swin_lab.powershell.dotnet.registry import format_error
from k8swin_lab.powershell.values import TypedInt

_BITS = {
    "System.Byte": 8,
    "System.SByte": 8,
    "System.Int16": 16,
    "System.UInt16": 16,
    "System.UInt32": 32,
    "System.Int64": 64,
    "System.UInt64": 64,
}


def double_text(value: float, digits: int = 15) -> str:
    """A double as .NET Framework writes it: up to 15 significant digits, exponent from 1E+15 on."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    return _general(Decimal(repr(float(value))), getattr(value, "digits", digits), "E")


def _general(value: Decimal, digits: int, letter: str, *, two_digit_exponent: bool = True) -> str:
    rounded = _significant(value, digits)
    if rounded == 0:
        return "0"
    exponent = rounded.adjusted()
    if -5 < exponent < digits:
        text = format(rounded, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa = format(rounded.scaleb(-exponent), "f")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    sign = "-" if exponent < 0 else "+"
    return f"{mantissa}{letter}{sign}{abs(exponent):0{2 if two_digit_exponent else 1}d}"


def _significant(value: Decimal, digits: int) -> Decimal:
    if value == 0:
        return value
    quantum = Decimal(1).scaleb(value.adjusted() - digits + 1)
    return _quantize(value, quantum)


def _quantize(value: Decimal, quantum: Decimal) -> Decimal:
    scaled = (value / quantum).to_integral_value(rounding=ROUND_HALF_UP)
    return scaled * quantum


def _fixed(value: Decimal, places: int) -> str:
    """Rounded half away from zero; .NET Framework writes no minus before a zero."""
    scaled = int(value.scaleb(places).to_integral_value(rounding=ROUND_HALF_UP))
    text = format(Decimal(scaled).scaleb(-places), "f")
    return text.lstrip("-") if scaled == 0 else text


def group(digits: str) -> str:
    """Thousands separators into a string of digits."""
    return re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", digits)


def _grouped(text: str) -> str:
    sign = "-" if text.startswith("-") else ""
    whole, dot, fraction = text.removeprefix("-").partition(".")
    return sign + group(whole) + dot + fraction


def _exact(value: Any) -> Decimal:
    if isinstance(value, float):
        # .NET Framework rounds a double to 15 digits before any fixed format.
        return _significant(Decimal(repr(float(value))), 15) if math.isfinite(value) else Decimal(0)
    return Decimal(int(value)) if isinstance(value, int) else Decimal(value)


def format_number(value: Any, pattern: str) -> str:
    """`value.ToString(pattern)` in the invariant culture with US currency.

    Raises:
        Terminating: System.FormatException when the format does not fit the type.
    """
    if not pattern:
        pattern = "G"
    if isinstance(value, float) and not math.isfinite(value):
        return double_text(value)
    match = re.fullmatch(r"([A-Za-z])(\d{0,3})", pattern)
    if match is None:
        return _custom(value, pattern)
    letter, precision = match[1], int(match[2]) if match[2] else None
    return _standard(value, letter, precision)


def _standard(value: Any, letter: str, precision: int | None) -> str:
    kind = letter.upper()
    integral = isinstance(value, int)
    if kind in "DXB" and not integral:
        raise format_error("Format specifier was invalid.")
    if kind == "D":
        return ("-" if value < 0 else "") + str(abs(int(value))).zfill(precision or 0)
    if kind in "XB":
        number = int(value)
        if number < 0:
            name = value.type_name if isinstance(value, TypedInt) else ""
            bits = _BITS.get(name, 32 if number >= -(1 << 31) else 64)
            number += 1 << bits
        text = format(number, "b" if kind == "B" else letter)
        return text.zfill(precision or 0)
    exact = _exact(value)
    if kind == "F":
        return _fixed(exact, 2 if precision is None else precision)
    if kind == "N":
        return _grouped(_fixed(exact, 2 if precision is None else precision))
    if kind == "P":
        return _grouped(_fixed(exact * 100, 2 if precision is None else precision)) + " %"
    if kind == "C":
        text = _grouped(_fixed(abs(exact), 2 if precision is None else precision))
        return f"(${text})" if exact < 0 else f"${text}"
    if kind == "E":
        places = 6 if precision is None else precision
        return _exponent(exact, places, letter, 3)
    if kind in "GR":
        if integral and precision is None:
            return str(int(value))
        if isinstance(value, Decimal) and precision is None:
            return format(value, "f")
        if kind == "R" or precision in (None, 0):
            text = double_text(float(value))
            return text if letter.isupper() else text.replace("E", "e")
        return _general(
            Decimal(repr(float(value))) if isinstance(value, float) else exact,
            precision or 15,
            "E" if letter.isupper() else "e",
        )
    raise format_error("Format specifier was invalid.")


def _exponent(value: Decimal, places: int, letter: str, width: int) -> str:
    if value == 0:
        mantissa, exponent = Decimal(0), 0
    else:
        rounded = _significant(value, places + 1)
        exponent = rounded.adjusted()
        mantissa = rounded.scaleb(-exponent)
    sign = "-" if exponent < 0 else "+"
    return f"{_fixed(mantissa, places)}{letter}{sign}{abs(exponent):0{width}d}"


_TOKEN = re.compile(r"'[^']*'?|\"[^\"]*\"?|\\.|[eE][+-]?0+|.", re.DOTALL)


def _sections(pattern: str) -> list[str]:
    sections, current = [], ""
    for piece in _TOKEN.findall(pattern):
        if piece == ";":
            sections.append(current)
            current = ""
        else:
            current += piece
    return [*sections, current]


def _custom(value: Any, pattern: str) -> str:
    exact = _exact(value)
    sections = _sections(pattern)
    negative = exact < 0
    if len(sections) > 1 and negative and sections[1]:
        return _custom_section(-exact, sections[1])
    text = _custom_section(abs(exact), sections[0])
    shows_digits = any(piece in "0#" for piece in _TOKEN.findall(sections[0]))
    zero = not re.search(r"[1-9]", text) if shows_digits else not round(exact)
    if len(sections) > 2 and (exact == 0 or zero):
        return _custom_section(Decimal(0), sections[2])
    return f"-{text}" if negative and not zero else text


def _custom_section(value: Decimal, section: str) -> str:
    tokens = _TOKEN.findall(section)
    places = [index for index, piece in enumerate(tokens) if piece in "0#"]
    point = next((i for i, piece in enumerate(tokens) if piece == "."), len(tokens))
    whole = [i for i in places if i < point]
    fraction = [i for i in places if i > point]
    last_whole = max(whole, default=-1)
    commas = [i for i, piece in enumerate(tokens) if piece == "," and i < point]
    grouping = any(whole and whole[0] < i < last_whole for i in commas)
    value = value.scaleb(-3 * sum(1 for i in commas if whole and i > last_whole))
    value = value.scaleb(2 * tokens.count("%") + 3 * tokens.count("\u2030"))
    exponent_token = next((t for t in tokens if len(t) > 1 and t[0] in "eE"), None)
    exponent = 0
    if exponent_token and value:
        exponent = value.adjusted() - max(len(whole), 1) + 1
        value = value.scaleb(-exponent)
    text = _fixed(value, len(fraction))
    digits, _, decimals = text.partition(".")
    digits = digits.lstrip("0") if places else ""
    minimum = 0
    for position, index in enumerate(reversed(whole)):
        if tokens[index] == "0":
            minimum = position + 1
    digits = digits.zfill(minimum) if minimum else digits
    needed = max((n + 1 for n, i in enumerate(fraction) if tokens[i] == "0"), default=0)
    kept = decimals.rstrip("0").ljust(needed, "0")
    return _lay_out(tokens, digits, kept, point, whole, fraction, grouping, exponent)


def _lay_out(
    tokens: list[str],
    digits: str,
    decimals: str,
    point: int,
    whole: list[int],
    fraction: list[int],
    grouping: bool,
    exponent: int,
) -> str:
    result: list[str] = []
    remaining = len(whole)
    position = len(digits)
    used = 0
    for index, piece in enumerate(tokens):
        if index in whole:
            remaining -= 1
            take = digits[used : len(digits) - remaining] if len(digits) > remaining else ""
            for char in take:
                result.append(char)
                used += 1
                position -= 1
                if grouping and position and position % 3 == 0:
                    result.append(",")
        elif index in fraction:
            order = fraction.index(index)
            result.append(decimals[order : order + 1])
        elif piece == "." and index == point:
            result.append("." if decimals else "")
        elif piece == ",":
            continue
        elif len(piece) > 1 and piece[0] in "eE" and piece[-1] == "0":
            sign = "-" if exponent < 0 else ("+" if "+" in piece else "")
            result.append(f"{piece[0]}{sign}{abs(exponent):0{piece.count('0')}d}")
        elif piece[0] in "'\"":
            result.append(piece.strip(piece[0]))
        elif piece[0] == "\\":
            result.append(piece[1:])
        elif piece not in "#0":
            result.append(piece)
    if not whole and digits:
        result.insert(0, digits)
    return "".join(result)
