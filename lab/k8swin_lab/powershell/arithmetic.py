"""Numbers: how operands become numbers, and what type a result has."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.records import EnumValue, ExceptionObject
from k8swin_lab.powershell.scanner import parse_number
from k8swin_lab.powershell.values import Char, Hashtable, PSArray, TypedInt

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1
INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
_INT32_LIKE = {"System.Byte", "System.SByte", "System.Int16", "System.UInt16", "System.Int32"}
_METHOD_NAMES = {
    "+": "op_Addition",
    "-": "op_Subtraction",
    "*": "op_Multiply",
    "/": "op_Division",
    "%": "op_Modulus",
}


def string_to_number(text: str) -> Any:
    """A string as arithmetic reads it; raises the conversion error when it is no number."""
    stripped = text.strip()
    if not stripped:
        return 0
    sign = 1
    body = stripped
    if body[0] in "+-":
        sign = -1 if body[0] == "-" else 1
        body = body[1:]
    value = parse_number(body)
    if value is None:
        raise cast_error(text, "System.Int32")
    return -value if sign < 0 else value


def cast_error(value: Any, type_name: str) -> PowerShellError:
    """The error of a value that does not convert."""
    message = (
        f'Cannot convert value "{dotnet.to_string(value)}" to type "{type_name}". '
        'Error: "Input string was not in a correct format."'
    )
    return runtime_error(
        message,
        "InvalidCastFromStringToInteger",
        category="InvalidArgument",
        inner=ExceptionObject("System.Management.Automation.PSInvalidCastException", message),
    )


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


def _is_long(value: Any) -> bool:
    if isinstance(value, TypedInt):
        return value.type_name not in _INT32_LIKE
    return not INT32_MIN <= value <= INT32_MAX


def sized(result: int, left: Any, right: Any) -> Any:
    """An integer result with the type of the wider operand, or a double when it does not fit."""
    unsigned = any(
        isinstance(v, TypedInt) and v.type_name == "System.UInt64" for v in (left, right)
    )
    if unsigned and 0 <= result < 1 << 64:
        return TypedInt(result, "System.UInt64")
    if _is_long(left) or _is_long(right):
        if INT64_MIN <= result <= INT64_MAX:
            return TypedInt(result, "System.Int64") if INT32_MIN <= result <= INT32_MAX else result
        return float(result)
    if INT32_MIN <= result <= INT32_MAX:
        return result
    return float(result)


def add(left: Any, right: Any) -> Any:
    """`left + right`: the left operand's type decides."""
    if type(left) is int and type(right) is int:
        total = left + right
        return total if INT32_MIN <= total <= INT32_MAX else sized(total, left, right)
    if isinstance(left, str) and not isinstance(left, Char):
        return left + dotnet.to_string(right)
    if isinstance(left, Char):
        if isinstance(right, str):
            return str(left) + right
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
        return total if INT32_MIN <= total <= INT32_MAX else sized(total, left, right)
    return _arithmetic("-", left, right)


def multiply(left: Any, right: Any) -> Any:
    """`left * right`: strings and arrays are repeated."""
    if isinstance(left, str) and not isinstance(left, Char):
        return left * _times(right)
    if isinstance(left, list):
        return PSArray(list(left) * _times(right))
    if left is None:
        return None
    return _arithmetic("*", left, right)


def _times(value: Any) -> int:
    count = round_half_even(to_number(value) or 0)
    if count < 0:
        raise runtime_error(
            f"Specified argument was out of the range of valid values. (Parameter 'times') {count}",
            "System.ArgumentOutOfRangeException",
            category="OperationStopped",
            exception="System.ArgumentOutOfRangeException",
        )
    return count


def divide(left: Any, right: Any) -> Any:
    return _arithmetic("/", left, right)


def modulo(left: Any, right: Any) -> Any:
    return _arithmetic("%", left, right)


def _arithmetic(operator: str, left: Any, right: Any) -> Any:
    a = to_number(left)
    b = to_number(right) if a is not None else None
    if a is None or b is None:
        if isinstance(left, list) or (isinstance(right, list) and a is not None):
            raise _no_operator(operator, left if isinstance(left, list) else right)
        return dotnet.binary_operator(operator, left, right)
    if isinstance(a, float) or isinstance(b, float):
        return _floats(operator, float(a), float(b))
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        return _decimals(operator, Decimal(a), Decimal(b))
    if operator == "+":
        return sized(a + b, a, b)
    if operator == "-":
        return sized(a - b, a, b)
    if operator == "*":
        return sized(a * b, a, b)
    if b == 0:
        raise _divide_by_zero()
    if operator == "%":
        return sized(int(math.fmod(a, b)) if abs(a) < 1 << 52 else a - b * int(a / b), a, b)
    if a % b == 0:
        return sized(a // b, a, b)
    return a / b


def _floats(operator: str, a: float, b: float) -> float:
    if operator == "+":
        return a + b
    if operator == "-":
        return a - b
    if operator == "*":
        return a * b
    if b == 0:
        if operator == "%" or a == 0 or math.isnan(a):
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1, b)
    return a / b if operator == "/" else math.fmod(a, b)


def _decimals(operator: str, a: Decimal, b: Decimal) -> Decimal:
    if operator == "+":
        return a + b
    if operator == "-":
        return a - b
    if operator == "*":
        return a * b
    if b == 0:
        raise _divide_by_zero()
    try:
        return a / b if operator == "/" else a % b
    except InvalidOperation as error:
        raise _divide_by_zero() from error


def _divide_by_zero() -> PowerShellError:
    inner = ExceptionObject("System.DivideByZeroException", "Attempted to divide by zero.")
    return runtime_error(
        "Attempted to divide by zero.", "RuntimeException", category="NotSpecified", inner=inner
    )


def _no_operator(operator: str, left: Any) -> PowerShellError:
    name = dotnet.type_name_of(left)
    return runtime_error(
        f"Method invocation failed because [{name}] does not contain a method named "
        f"'{_METHOD_NAMES[operator]}'.",
        "MethodNotFound",
        target=_METHOD_NAMES[operator],
    )


def round_half_even(value: Any) -> int:
    """To an integer as [int] rounds: halves to the even neighbour."""
    return value if isinstance(value, int) else round(value)


def negate(value: Any) -> Any:
    """Unary minus."""
    if isinstance(value, str | None):
        value = to_number(value)
    return subtract(0, value) if not isinstance(value, float) else -value


def to_integer(value: Any) -> int:
    """An operand of a bitwise operator or a range."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = to_number(value)
    if number is None:
        converted = dotnet.convert(None, value, "System.Int32")
        return int(converted)
    return round_half_even(number)


def bitwise(operator: str, left: Any, right: Any) -> Any:
    """-band, -bor, -bxor, -shl, -shr."""
    if (
        getattr(left, "enum_number", None) is not None
        or getattr(right, "enum_number", None) is not None
    ):
        return dotnet.binary_operator(operator, left, right)
    a, b = to_integer(left), to_integer(right)
    wide = _is_long(a) or (_is_long(b) and operator not in ("shl", "shr"))
    if operator == "band":
        result = a & b
    elif operator == "bor":
        result = a | b
    elif operator == "bxor":
        result = a ^ b
    elif operator == "shl":
        result = a << (b & (63 if wide else 31))
        bits = 64 if wide else 32
        unsigned = isinstance(a, TypedInt) and a.type_name.startswith("System.UInt")
        result &= (1 << bits) - 1
        if result >> (bits - 1) and not unsigned:
            result -= 1 << bits
    else:
        result = a >> (b & (63 if wide else 31))
    for operand in (a, b):
        if (
            isinstance(operand, TypedInt)
            and operand.type_name.startswith("System.UInt")
            and result >= 0
        ):
            return TypedInt(result, operand.type_name)
    if wide and INT32_MIN <= result <= INT32_MAX:
        return TypedInt(result, "System.Int64")
    return int(result)


def number_range(left: Any, right: Any) -> PSArray:
    """`left..right`, both included, downwards too."""
    first, last = to_integer(left), to_integer(right)
    return PSArray(range(first, last + 1) if first <= last else range(first, last - 1, -1))
