"""Numbers: how operands become numbers, and what type a result has."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.numeric_types import (
    INT32_MAX,
    INT32_MIN,
    calculate,
    combine,
    complement,
    shift,
)
from k8swin_lab.powershell.records import EnumValue, ExceptionObject
from k8swin_lab.powershell.scanner import parse_number
from k8swin_lab.powershell.values import Char, Hashtable, PSArray, PSObject

_METHOD_NAMES = {
    "+": "op_Addition",
    "-": "op_Subtraction",
    "*": "op_Multiply",
    "/": "op_Division",
    "%": "op_Modulus",
    "band": "op_BitwiseAnd",
    "bor": "op_BitwiseOr",
    "bxor": "op_ExclusiveOr",
    "shl": "op_LeftShift",
    "shr": "op_RightShift",
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
        try:
            return dotnet.convert(None, text, "System.Int32")  # with its thousands separators
        except Terminating:
            raise cast_error(text, "System.Int32") from None
    return calculate("-", 0, value) if sign < 0 else value


_CAST_IDS = {"System.Double": "DoubleOrSingle", "System.Decimal": "Decimal"}


def _converted(value: Any, other: Any) -> Any:
    """An operand as a number; a string that is none does not convert to the other operand's type."""
    try:
        return to_number(value)
    except PowerShellError:
        wide = isinstance(other, int | float | Decimal) and not isinstance(other, bool)
        name = dotnet.type_name_of(other) if wide else "System.Int32"
        if name == "System.Single":
            name = "System.Double"
        raise cast_error(value, name) from None


def cast_error(value: Any, type_name: str) -> PowerShellError:
    """The error of a value that does not convert."""
    message = (
        f'Cannot convert value "{dotnet.to_string(value)}" to type "{type_name}". '
        'Error: "Input string was not in a correct format."'
    )
    return runtime_error(
        message,
        f"InvalidCastFromStringTo{_CAST_IDS.get(type_name, 'Integer')}",
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
        return left * _times(right)
    if isinstance(left, PSArray):
        count = _count(right, "System.UInt32")
        if count < 0:
            raise runtime_error(
                f'Cannot convert value "{count}" to type "System.UInt32". Error: "Value was either too '
                'large or too small for a UInt32."',
                "InvalidCastIConvertible",
                category="InvalidArgument",
            )
        return PSArray(list(left) * count, left.element_type)
    if left is None:
        return None
    if isinstance(left, bool | Char) and not isinstance(right, Decimal):
        if isinstance(right, str | list):
            raise _no_operator("*", left)
        raise _not_defined("*", left, right)
    return _arithmetic("*", left, right)


def _count(value: Any, type_name: str) -> int:
    """How often a string or an array is repeated."""
    number = to_number(value)
    if number is not None and number <= INT32_MAX:
        return round_half_even(number)
    if number is not None:
        raise runtime_error(
            f'Cannot convert the "{dotnet.to_string(number)}" value of type '
            f'"{dotnet.type_name_of(number)}" to type "System.Int32".',
            "ConvertToFinalInvalidCastException",
            category="InvalidArgument",
        )
    return int(_cast(value, type_name))


def _times(value: Any) -> int:
    count = _count(value, "System.Int32")
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
    if hasattr(left, "enum_number") and type(right) is str:
        right = _cast(right, dotnet.type_name_of(left))  # one of its names, or a number
    a = _converted(left, right)
    b = _converted(right, left) if a is not None else None
    if a is None or b is None:
        if isinstance(a, Decimal):
            raise runtime_error(
                f'Cannot convert argument "1", with value: "{_shown(right)}", for '
                f'"{_METHOD_NAMES[operator]}" to type "System.Decimal": "{_no_decimal(right)}"',
                "MethodArgumentConversionInvalidCastArgument",
                category="NotSpecified",
                exception="System.Management.Automation.MethodException",
            )
        ps_class = getattr(left, "ps_class", None)
        name = _METHOD_NAMES[operator]
        if ps_class is not None and ps_class.finds_static(name.lower()):
            return ps_class.call_static(ps_class.frame.interp, name, [left, right])
        if isinstance(left, list) or (isinstance(right, list) and a is not None):
            raise _no_operator(operator, left if isinstance(left, list) else right)
        primitive = left is None or isinstance(left, bool | int | float | Char)
        if primitive and b is None and not isinstance(right, dotnet.DateTime | dotnet.TimeSpan):
            raise _no_operator(operator, right)  # the operand that is no primitive is asked
        if type(left) is PSObject:
            raise _no_operator(operator, left)
        return dotnet.binary_operator(operator, left, right)
    result = calculate(operator, a, b)
    if hasattr(left, "enum_number") and not isinstance(result, int):
        raise runtime_error(
            f"Unable to cast object of type '{dotnet.type_name_of(result)}' to type 'System.Int32'.",
            "System.InvalidCastException",
            category="OperationStopped",
            exception="System.InvalidCastException",
        )
    if hasattr(left, "enum_number"):
        return dotnet.enum_of(dotnet.type_name_of(left), int(result))
    return result


def _cast(value: Any, type_name: str) -> Any:
    """An operand as the type that an operator wants; what is not convertible is an invalid argument."""
    try:
        return dotnet.convert(None, value, type_name)
    except Terminating as error:
        raise runtime_error(
            str(error),
            error.error_id,
            category="InvalidArgument",
            inner=ExceptionObject(
                "System.Management.Automation.PSInvalidCastException", str(error)
            ),
        ) from error


def _shown(value: Any) -> str:
    return dotnet.type_name_of(value) if isinstance(value, list) else dotnet.to_string(value)


def _no_decimal(value: Any) -> str:
    """Why a value is no Decimal."""
    try:
        dotnet.convert(None, value, "System.Decimal")
    except Terminating as error:
        return str(error)
    return ""


def _no_operator(operator: str, left: Any) -> PowerShellError:
    name = dotnet.type_name_of(left)
    if name.endswith(".PSCustomObject"):
        name = "System.Management.Automation.PSObject"
    return runtime_error(
        f"Method invocation failed because [{name}] does not contain a method named "
        f"'{_METHOD_NAMES[operator]}'.",
        "MethodNotFound",
        target=_METHOD_NAMES[operator],
    )


def _not_defined(operator: str, left: Any, right: Any) -> PowerShellError:
    names = ["$null" if item is None else dotnet.type_name_of(item) for item in (left, right)]
    return runtime_error(
        f"The operation '[{names[0]}] {operator} [{names[1]}]' is not defined.",
        "NotADefinedOperationForType",
    )


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
            f"The '{sign}' operator works only on numbers. The operand is a "
            f"'{dotnet.type_name_of(value)}'.",
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
    enum = hasattr(left, "enum_number") or (
        hasattr(right, "enum_number") and isinstance(left, str) and not isinstance(left, Char)
    )
    if enum and operator not in ("shl", "shr"):
        return dotnet.binary_operator(operator, left, right)
    if operator in ("shl", "shr") and isinstance(left, bool):
        raise _not_defined(f"-{operator}", left, right)
    a = to_number(left)
    b = to_number(right) if a is not None else None
    if a is None or b is None:
        raise _no_operator(operator, left if a is None else right)
    if operator in ("shl", "shr"):
        return shift(operator, a, round_half_even(b))
    return combine(operator, a, b)


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
