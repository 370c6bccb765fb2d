"""Equality and order with PowerShell's rules: the left operand's type decides."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet.conversion import convert, to_bool
from k8swin_lab.powershell.dotnet.primitives import parse_number
from k8swin_lab.powershell.dotnet.registry import ConversionError, NetObject, argument, find
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.typing_of import type_name_of
from k8swin_lab.powershell.records import TypeValue
from k8swin_lab.powershell.values import Char, Hashtable, PSObject


def to_number(value: Any) -> Any:
    """A value as a number; None when it is none."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Char):
        return ord(value)
    if isinstance(getattr(value, "enum_number", None), int):
        return value.enum_number
    if isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, str):
        return parse_number(value) if value.strip() else 0
    return None


@lru_cache(maxsize=8192)
def collation_key(text: str, ignore_case: bool = True) -> tuple[Any, ...]:
    """A key that orders as a Windows culture does: punctuation, digits, letters; lower before upper.

    A hyphen and an apostrophe weigh nothing until all else is equal.
    """
    primary: list[tuple[int, str]] = []
    accents: list[str] = []
    case: list[int] = []
    ignored: list[tuple[int, str]] = []
    for index, char in enumerate(text):
        if char in "-'":
            ignored.append((index, char))
            continue
        decomposed = unicodedata.normalize("NFD", char)
        base = decomposed[0].lower()
        if base.isalpha():
            rank = 3
        elif base.isdigit():
            rank = 2
        elif base.isspace():
            rank = 0
        else:
            rank = 1
        order = str(_PUNCTUATION.get(base, 500 + ord(base))).zfill(6) if rank == 1 else base
        primary.append((rank, order))
        accents.append(decomposed[1:])
        case.append(1 if char.isupper() else 0)
    key: tuple[Any, ...] = (tuple(primary), tuple(accents))
    if not ignore_case:
        key += (tuple(case),)
    return (*key, tuple(ignored))


_PUNCTUATION = {char: number for number, char in enumerate("_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$")}


def compare_strings(left: str, right: str, ignore_case: bool = True) -> int:
    """Compare two strings linguistically."""
    if left == right:
        return 0
    a, b = collation_key(left, ignore_case), collation_key(right, ignore_case)
    return (a > b) - (a < b)


def compare(left: Any, right: Any, ignore_case: bool = True) -> int:
    """-1, 0 or 1.

    Raises:
        Terminating: the right operand does not convert, or the left one has no order.
    """
    if isinstance(left, str) and not isinstance(left, Char) and not hasattr(left, "enum_number"):
        return compare_strings(left, to_string(right), ignore_case)
    if isinstance(left, Char) and isinstance(right, str) and len(right) == 1:
        a, b = (left.lower(), right.lower()) if ignore_case else (str(left), str(right))
        return (a > b) - (a < b)
    if left is None:
        if right is None:
            return 0
        number = to_number(right)
        return -1 if number is None or number >= 0 else 1
    if right is None:
        number = None if isinstance(left, str) else to_number(left)
        return -1 if number is not None and number < 0 else 1
    if isinstance(left, bool):
        return int(left) - int(to_bool(right))
    if isinstance(left, Char | int | float | Decimal) or hasattr(left, "enum_number"):
        return _compare_numbers(left, right)
    ps_class = getattr(left, "ps_class", None)
    if ps_class is not None and ps_class.finds("compareto"):
        found = ps_class.call(ps_class.frame.interp, left, "CompareTo", [right])
        return int(found > 0) - int(found < 0)
    if isinstance(left, Hashtable):
        raise _not_ordered(left)
    type_name = type_name_of(left)
    declared = find(type_name)
    if is_ordered(left):
        other = right if type_name_of(right) == type_name else convert(None, right, type_name)
        if declared is not None and declared.compare is not None:
            return declared.compare(left, other)
        return int(left > other) - int(left < other)
    if left is right or equals(left, right, ignore_case):
        return 0
    raise _not_ordered(left)


def _not_ordered(left: Any) -> Terminating:
    return Terminating(
        f'Cannot compare "{to_string(left)}" because it is not IComparable.',
        exception="System.Management.Automation.PSInvalidOperationException",
        category="InvalidOperation",
        error_id="NotIcomparable",
    )


def is_ordered(value: Any) -> bool:
    """Whether the type of a value has an order (IComparable)."""
    if isinstance(value, str | int | float | Decimal):
        return True
    declared = find(type_name_of(value))
    ordered = declared is not None and declared.compare is not None
    return ordered or (isinstance(value, NetObject) and _defines_order(type(value)))


def _defines_order(kind: type) -> bool:
    return any("__lt__" in vars(base) for base in kind.__mro__[:-1])


def _compare_numbers(left: Any, right: Any) -> int:
    if hasattr(left, "enum_number") and isinstance(right, str):
        right = convert(None, right, type_name_of(left))
    a, b = to_number(left), to_number(right)
    if b is None:
        type_name = type_name_of(left)
        b = to_number(convert(None, right, type_name))
    if isinstance(a, Decimal) and isinstance(b, float):
        b = Decimal(str(b))
    elif isinstance(b, Decimal) and isinstance(a, float):
        a = Decimal(str(a))
    return int(a > b) - int(a < b)


def equals(left: Any, right: Any, ignore_case: bool = True) -> bool:
    """`left -eq right` for scalars; values that do not convert are not equal."""
    if left is None or right is None:
        return left is right
    if left is right:
        return True
    ps_class = getattr(left, "ps_class", None)
    if ps_class is not None and ps_class.finds("equals"):
        return to_bool(ps_class.call(ps_class.frame.interp, left, "Equals", [right]))
    if isinstance(left, str) and not isinstance(left, Char):
        other = to_string(right)
        if hasattr(left, "enum_number"):
            try:
                return bool(
                    convert(None, right, type_name_of(left)).enum_number == left.enum_number
                )
            except (ConversionError, AttributeError):
                return False
        return left == other or (ignore_case and left.casefold() == other.casefold())
    if isinstance(left, bool):
        return left == to_bool(right)
    if isinstance(left, TypeValue):
        return isinstance(right, TypeValue) and left == right
    if isinstance(left, int | float | Decimal | Char):
        try:
            return compare(left, right, ignore_case) == 0
        except Terminating:
            return False
    if isinstance(left, PSObject) or type_name_of(left) == type_name_of(right):
        return _same(left, right)
    try:
        converted = convert(None, right, type_name_of(left))
    except Terminating:
        return False
    return _same(left, converted)


def _same(left: Any, right: Any) -> bool:
    declared = find(type_name_of(left))
    if declared is not None and declared.compare is not None and type(left) is type(right):
        return declared.compare(left, right) == 0
    if isinstance(left, list | dict | Hashtable):
        return left is right
    return bool(left == right)


def compared(left: Any, right: Any, order: Callable[[Any, Any], int] | None = None) -> int:
    """`left.CompareTo(right)`: $null is before anything, a value of another type is an error."""
    name = type_name_of(left)
    if right is None:
        return 1
    if type_name_of(right) != name and (order is not None or isinstance(right, str)):
        raise argument(f"Object must be of type {name.rpartition('.')[2]}.")
    return compare(left, right, False) if order is None else order(left, right)
