"""Kubernetes' quantities as numbers: `100m`, `1.5`, `128Mi`, `1G`, `1e3`."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

_QUANTITY = re.compile(r"([+-]?\d{0,40}(?:\.\d{0,40})?)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,3})?")
_SMALL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = "KMGTPE"

MOST = 1 << 62
"""What a whole number in a table may be."""


@lru_cache(maxsize=4096)
def quantity(text: str) -> Decimal | None:
    """Return a quantity as a number; None for what is none."""
    match = _QUANTITY.fullmatch(text)
    if match is None or not any(sign.isdigit() for sign in match[1]):
        return None
    value, unit = Decimal(match[1]), match[2] or ""
    if unit.endswith("i"):
        return value * Decimal(1024) ** (_BINARY.index(unit[0]) + 1)
    if unit in _SMALL:
        return value.scaleb(_SMALL[unit])
    return value.scaleb(int(unit[1:]))


def amount(text: str) -> int | None:
    """Return a quantity of bytes or of things, rounded up as Kubernetes does; None for what is none."""
    value = quantity(text)
    if value is None or abs(value) >= MOST:
        return None
    return int(-(-value // 1))


def share(text: str) -> float | None:
    """Return a quantity of processors; None for what is none."""
    value = quantity(text)
    return None if value is None else float(value)
