"""Numbers: how operands become numbers, and what type a result has."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.numeric_types import (
    INT32,
    INT32_MAX,
    INT32_MIN,
    calculate,
    combine,
    complement,
    integer,
    shift,
)
from k8swin_lab.powershell.operands import (
    beside,
    by_method,
    cast,
    computed,
    is_enum,
    is_fraction,
    is_number,
    is_numeric,
    kind_of,
    not_shifted,
    nothing_there,
    number_of,
    plain,
    string_to_number,
)
from k8swin_lab.powershell.records import EnumValue
from k8swin_lab.powershell.values import Char, Hashtable, PSArray


def to_number(value: Any) -> Any:
    """An operand as an int, float or Decimal; None when the value is not numeric at all."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float | Decimal):
        return value
    if isinstance(value, Char):
        return ord(value)
    if type(value) is str:
        return string_to_number(value)
    number = getattr(value, "enum_number", None)
    if isinstance(number, int):
        return number
    return (
        string_to_number(value)
        if isinstance(value, str) and not isinstance(value, EnumValue)
        else None
    )


def add(left: Any, right: Any) -> Any:
    """`left + right`: the left operand's type decides."""
    if type(left) is int and type(right) is int:
        total = left + right
        return total if INT32_MIN <= total <= INT32_MAX else calculate("+", left, right)
    if isinstance(left, str) and not hasattr(left, "enum_number"):
        return str(left) + dotnet.to_string(right)
    if isinstance(left, list | tuple):
        return PSArray([*left, *right] if isinstance(right, list | tuple) else [*left, right])
    if isinstance(left, Hashtable):
        return _merge(left, right)
    if left is None:
        return right
    return _arithmetic("+", left, right)


def _merge(left: Hashtable, right: Any) -> Hashtable:
    if not isinstance(right, Hashtable):
        raise runtime_error(
            "A hash table can only be added to another hash table.",
            "AddHashTableToNonHashTable",
        )
    result = Hashtable(left.items(), ordered=left.ordered)
    for key, value in right.items():
        if key in result:
            present = next(k for k in result if k == key or str(k).lower() == str(key).lower())
            raise runtime_error(
                f"Item has already been added. Key in dictionary: '{dotnet.to_string(present)}'  "
                f"Key being added: '{dotnet.to_string(key)}'",
                "System.ArgumentException",
                category="OperationStopped",
                exception="System.ArgumentException",
            )
        result[key] = value
    return result


def subtract(left: Any, right: Any) -> Any:
    if type(left) is int and type(right) is int:
        total = left - right
        return total if INT32_MIN <= total <= INT32_MAX else calculate("-", left, right)
    return _arithmetic("-", left, right)


def multiply(left: Any, right: Any) -> Any:
    """`left * right`: strings and arrays are repeated."""
    if isinstance(left, str) and not isinstance(left, Char) and not hasattr(left, "enum_number"):
        count = _times(right)
        if count * len(left) > _MOST:
            raise _too_much("Exception of type 'System.OutOfMemoryException' was thrown.")
        return left * count
    if isinstance(left, PSArray):
        return PSArray(list(left) * _repeated(right, len(left)), _element(left))
    if left is None:
        return None
    return _arithmetic("*", left, right, is_number)


def _element(items: PSArray) -> str:
    """The type of the elements of what an array or a list becomes; a list is an array of objects then."""
    return items.element_type if type(items) is PSArray else "System.Object"


def _repeated(value: Any, length: int) -> int:
    """How often a collection of that length is repeated."""
    count = _count(value, "System.UInt32")
    if count * length > INT32_MAX:
        raise runtime_error(
            f'Cannot convert the "{count * length}" value of type "System.Int64" to type "System.Int32".',
            "ConvertToFinalInvalidCastException",
            category="InvalidArgument",
        )
    if count * length > _MOST:
        raise _too_much("Array dimensions exceeded supported range.")
    return count


_MOST = 1 << 28
"""Elements that a collection or a string is repeated to; more would take the computer's memory."""


def _too_much(message: str) -> PowerShellError:
    return runtime_error(
        message,
        "System.OutOfMemoryException",
        category="OperationStopped",
        exception="System.OutOfMemoryException",
    )


def _count(value: Any, type_name: str) -> int:
    """How often a string or a collection is repeated, as the type that PowerShell asks for."""
    return int(cast(number_of(value, None) if type(value) is str else value, type_name))


def _times(value: Any) -> int:
    count = _count(value, "System.Int32")
    if count < 0:
        raise runtime_error(
            "Specified argument was out of the range of valid values.\r\nParameter name: times",
            "System.ArgumentOutOfRangeException",
            category="OperationStopped",
            exception="System.ArgumentOutOfRangeException",
        )
    return count


def divide(left: Any, right: Any) -> Any:
    return _arithmetic("/", left, right)


def modulo(left: Any, right: Any) -> Any:
    return _arithmetic("%", left, right)


def _arithmetic(
    operator: str, left: Any, right: Any, takes: Callable[[Any], bool] = is_numeric
) -> Any:
    """`left operator right`, where `takes` says which left operands compute."""
    if left is None:
        left = 0
    if takes(left):
        number = beside(right, dotnet.type_name_of(left))
        if number is not None:
            return computed(operator, left, number)
        if type(right) is str:
            return _arithmetic(operator, left, number_of(right, left), takes)
    if type(left) is str:
        number = number_of(left, right)
        other = number_of(right, left) if type(right) is str else right
        return _arithmetic(operator, number, other, takes)
    return by_method(operator, left, right)


def round_half_even(value: Any) -> int:
    """To an integer as [int] rounds: halves to the even neighbour."""
    return value if isinstance(value, int) else round(value)


def negate(value: Any) -> Any:
    """Unary minus."""
    if isinstance(value, str | None):
        value = to_number(value)
    return subtract(0, value) if not isinstance(value, float) else -value


def plus(value: Any) -> Any:
    """Unary plus."""
    number = to_number(value)
    return add(0, value if number is None else number)


def step(value: Any, by: int) -> Any:
    """What `++` and `--` make of a value: they take numbers and $null only."""
    if value is None:
        return by
    enum = hasattr(value, "enum_number")
    if isinstance(value, bool) or not (enum or isinstance(value, int | float | Decimal)):
        sign = "++" if by > 0 else "--"
        raise runtime_error(
            f"The '{sign}' operator works only on numbers. The operand is a '{dotnet.kind_name(value)}'.",
            "OperatorRequiresNumber",
        )
    return add(value, by)


def to_integer(value: Any) -> int:
    """An operand of a range, or an index."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = to_number(value)
    if number is None:
        converted = dotnet.convert(None, value, "System.Int32")
        return int(converted)
    return round_half_even(number)


def bitwise(operator: str, left: Any, right: Any) -> Any:
    """-band, -bor, -bxor, -shl, -shr."""
    if operator in ("shl", "shr"):
        return _shifted(operator, left, right)
    if left is None and right is None:
        return 0
    if is_numeric(left) or is_numeric(right):
        found = _combined(operator, left, right)
        if found is not None:
            return found
    if type(left) is str or type(right) is str:
        return bitwise(operator, *_read(left, right))
    return by_method(operator, left, right)


def _combined(operator: str, left: Any, right: Any) -> Any:
    """-band, -bor and -bxor where one operand is numeric; None when the other one does not become it."""
    codes = kind_of(left), kind_of(right)
    a, b = (0 if item is None else item for item in (left, right))
    if not (is_numeric(a) and is_numeric(b)):
        if is_fraction(max(codes)):
            raise nothing_there()
        return None
    result = combine(operator, plain(a), plain(b))
    if is_enum(left) and not is_fraction(max(codes)):
        return dotnet.enum_of(dotnet.type_name_of(left), integer(int(result), INT32))
    return result


def _read(left: Any, right: Any) -> tuple[Any, Any]:
    """The operands, strings among them as numbers."""
    return (
        number_of(left, right) if type(left) is str else left,
        number_of(right, left) if type(right) is str else right,
    )


def _shifted(operator: str, left: Any, right: Any) -> Any:
    if left is None:
        return 0
    if type(left) is str or type(right) is str:
        return _shifted(operator, *_read(left, right))
    if not is_number(left):
        return by_method(operator, left, right)
    try:
        places = cast(right, "System.Int32")
    except PowerShellError as error:
        if is_enum(left) and not error.record.error_id.startswith("ConvertToFinal"):
            raise not_shifted(operator, left) from error
        raise
    if is_enum(left):
        raise not_shifted(operator, left)
    return shift(operator, left, places)


def bitwise_not(value: Any) -> Any:
    """-bnot."""
    number = to_number(value)
    if number is None:
        number = dotnet.convert(None, value, "System.Int32")
    result = complement(number)
    if hasattr(value, "enum_number"):
        return dotnet.enum_of(dotnet.type_name_of(value), int(result))
    return result


def number_range(left: Any, right: Any) -> PSArray:
    """`left..right`, both included, downwards too."""
    first, last = to_integer(left), to_integer(right)
    return PSArray(range(first, last + 1) if first <= last else range(first, last - 1, -1))
