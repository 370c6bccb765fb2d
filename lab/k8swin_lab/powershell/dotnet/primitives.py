"""Numbers and bytes as PowerShell keeps them, and how a text reads as a number."""

from __future__ import annotations

import re
import struct
from decimal import Decimal

from k8swin_lab.powershell.values import PSArray, TypedInt

INTEGERS: dict[str, tuple[int, int, str]] = {
    "System.SByte": (-(1 << 7), (1 << 7) - 1, "a signed byte"),
    "System.Byte": (0, (1 << 8) - 1, "an unsigned byte"),
    "System.Int16": (-(1 << 15), (1 << 15) - 1, "an Int16"),
    "System.UInt16": (0, (1 << 16) - 1, "a UInt16"),
    "System.Int32": (-(1 << 31), (1 << 31) - 1, "an Int32"),
    "System.UInt32": (0, (1 << 32) - 1, "a UInt32"),
    "System.Int64": (-(1 << 63), (1 << 63) - 1, "an Int64"),
    "System.UInt64": (0, (1 << 64) - 1, "a UInt64"),
}
_MULTIPLIERS = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "pb": 1 << 50}
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?:0x(?P<hex>[0-9a-f]+)|(?P<body>(?:\d[\d,]*)?\.?\d*(?:e[+-]?\d+)?))"
    r"(?P<type>[dl])?(?P<unit>kb|mb|gb|tb|pb)?",
    re.IGNORECASE | re.ASCII,
)
BYTES = tuple(TypedInt(number, "System.Byte") for number in range(256))


class Single(float):
    """[single]: a double that was rounded to 32 bits; it shows 7 digits."""

    type_name = "System.Single"
    digits = 7


def byte_array(data: bytes) -> PSArray:
    """Bytes as a [byte[]]."""
    return PSArray(map(BYTES.__getitem__, data), "System.Byte")


def sized(value: int, type_name: str) -> int:
    """An integer as a value of that type: Int32 is plain, and so is an Int64 that is too large for it."""
    if type_name == "System.Int32":
        return int(value)
    if type_name == "System.Int64" and not -(1 << 31) <= value < 1 << 31:
        return int(value)
    return TypedInt(int(value), type_name)


def parse_number(text: str) -> int | float | Decimal | None:
    """A text as PowerShell reads a number in a conversion: hex, exponents, 1kb; None when it is none."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    sign = -1 if match["sign"] == "-" else 1
    value: int | float | Decimal
    if match["hex"]:
        value = int(match["hex"], 16)
        if len(match["hex"]) == 8 and value >= 1 << 31:
            value -= 1 << 32
    else:
        body = match["body"].replace(",", "")
        if not re.search(r"\d", body):
            return None
        try:
            value = int(body) if body.isdigit() else float(body)
        except ValueError:
            return None
        if (match["type"] or "").lower() == "d":
            value = Decimal(body)
    return sign * value * _MULTIPLIERS.get((match["unit"] or "").lower(), 1)


def round_single(value: float) -> float:
    """The nearest double that fits 32 bits."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
