"""How two operands of an operator become what it computes with, and who is asked when they are no numbers.

As the engine's binder has it (`PSBinaryOperationBinder`): a number or another primitive on the left takes
a right operand that is one too; a string is read as a number, and the operator begins anew with that;
anything else is left to the method of that operator of the left operand's type, or of the right one's
when the left one is a primitive.
"""

from __future__ import annotations

import operator as operators
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.numeric_types import (
    DECIMAL,
    SINGLE,
    UINT32,
    UINT64,
    calculate,
    type_code,
)
from k8swin_lab.powershell.records import ExceptionObject
from k8swin_lab.powershell.scanner import parse_number
from k8swin_lab.powershell.values import Char, TypedInt

_METHODS = {
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


def string_to_number(text: str, type_name: str = "System.Int32") -> Any:
    """A string as arithmetic reads it; what is no number must convert to the other operand's type."""
    body = text.strip()
    if not body:
        return 0
    negative = body[0] == "-"
    value = parse_number(body[1:] if body[0] in "+-" else body)
    if value is None:
        return cast(text, type_name)
    return calculate("-", 0, value) if negative else value


def number_of(text: str, other: Any) -> Any:
    """A string operand as a number, beside the other operand."""
    return string_to_number(text, _own_type(other) if is_number(other) else "System.Int32")


def _own_type(value: Any) -> str:
    return dotnet.type_name_of(value)


def is_enum(value: Any) -> bool:
    """Whether a value is of an enumeration that has numbers."""
    return isinstance(getattr(value, "enum_number", None), int)


def is_primitive(value: Any) -> bool:
    """Whether .NET calls the value's type primitive: a Decimal and an enumeration are not."""
    if isinstance(value, TypedInt):
        return value.type_name != "System.Numerics.BigInteger"
    return isinstance(value, int | float | Char)


def is_number(value: Any) -> bool:
    """Whether a value is a number, or of an enumeration, which counts as its number."""
    if isinstance(value, bool | Char):
        return False
    return is_primitive(value) or isinstance(value, Decimal) or is_enum(value)


def is_numeric(value: Any) -> bool:
    """Whether a value is a number, or a primitive that converts to one."""
    return is_primitive(value) or isinstance(value, Decimal) or is_enum(value)


def plain(value: Any) -> Any:
    """The number of a numeric operand."""
    if is_enum(value):
        return value.enum_number
    return (
        ord(value)
        if isinstance(value, Char)
        else int(value)
        if value is True or value is False
        else value
    )


def beside(value: Any, type_name: str) -> Any:
    """The right operand beside a numeric one of that type; None when it is nothing numeric."""
    if value is None:
        return 0
    if is_enum(value):
        return value if dotnet.type_name_of(value) == type_name else cast(value, type_name)
    if is_numeric(value):
        return value
    return None


def computed(operator: str, left: Any, right: Any) -> Any:
    """What `calculate` makes of two numeric operands; an enumeration wants its result to be one of its own."""
    number = met(left, right)
    if not is_enum(left):
        return calculate(operator, plain(left), number)
    own = dotnet.type_name_of(left)
    if isinstance(number, float):
        raise _no_cast(own, "System.Double")
    result = calculate(operator, left.enum_number, number)
    if dotnet.type_name_of(result) != "System.Int32":
        raise _no_cast(dotnet.type_name_of(result), own)
    return dotnet.enum_of(own, int(result))


def met(left: Any, right: Any) -> Any:
    """The number of the right operand; not every number goes together with an enumeration or a Boolean."""
    number = plain(right)
    if isinstance(number, Decimal) and (type(left) is bool or is_enum(left)):
        raise _no_coercion(left, right)
    if not is_enum(left):
        return number
    if type_code(number) in (UINT32, UINT64):
        raise _fault(
            "System.InvalidOperationException",
            "The binary operator GreaterThanOrEqual is not defined for the types "
            f"'{dotnet.type_name_of(left)}' and 'System.Int32'.",
        )
    return number


def _no_cast(source: str, target: str) -> PowerShellError:
    return _fault(
        "System.InvalidCastException",
        f"Unable to cast object of type '{source}' to type '{target}'.",
    )


def _no_coercion(left: Any, right: Any) -> PowerShellError:
    names = dotnet.type_name_of(left), dotnet.type_name_of(right)
    return _fault(
        "System.InvalidOperationException",
        f"No coercion operator is defined between types '{names[0]}' and '{names[1]}'.",
    )


def not_shifted(operator: str, left: Any) -> PowerShellError:
    """The error of an enumeration that is shifted."""
    word = "LeftShift" if operator == "shl" else "RightShift"
    return _fault(
        "System.InvalidOperationException",
        f"The binary operator {word} is not defined for the types '{dotnet.type_name_of(left)}' "
        "and 'System.Int32'.",
    )


def nothing_there() -> PowerShellError:
    """The error of -band, -bor and -bxor of a fraction with what is no number: the engine's own mistake."""
    return _fault(
        "System.NullReferenceException", "Object reference not set to an instance of an object."
    )


def _fault(exception: str, message: str) -> PowerShellError:
    return runtime_error(message, exception, category="OperationStopped", exception=exception)


def by_method(operator: str, left: Any, right: Any) -> Any:
    """The operator as the method of a type: the left operand's, or the right one's beside a primitive."""
    owner = left
    if left is None or is_primitive(left):
        if right is None or is_primitive(right):
            raise not_defined(operator, left, right)
        owner = right
    name = _METHODS[operator]
    ps_class = getattr(owner, "ps_class", None)
    if ps_class is not None and ps_class.finds_static(name.lower()):
        return ps_class.call_static(ps_class.frame.interp, name, [left, right])
    if isinstance(owner, Decimal):
        return _of_decimals(operator, left, right)
    if isinstance(owner, TypedInt):
        return _of_big_integers(operator, left, right)
    return dotnet.binary_operator(name, owner, left, right)


def _of_decimals(operator: str, left: Any, right: Any) -> Any:
    """Decimal's own methods; it has none for bits."""
    name = _METHODS[operator]
    if operator not in "+-*/%":
        raise dotnet.no_operator("System.Decimal", name)
    a, b = (
        dotnet.operand(name, index, item, "System.Decimal")
        for index, item in enumerate((left, right))
    )
    try:
        return calculate(operator, a, b)
    except PowerShellError as error:
        raise runtime_error(
            f'Exception calling "{name}" with "2" argument(s): "{error.record.message}"',
            "DotNetMethodException",
            category="NotSpecified",
            exception="System.Management.Automation.MethodInvocationException",
            inner=error.record.exception.inner,
        ) from error


def _of_big_integers(operator: str, left: Any, right: Any) -> Any:
    """BigInteger's own methods; the other operand becomes one, places to shift by an Int32."""
    name = _METHODS[operator]
    a = dotnet.operand(name, 0, left, _BIG)
    b = dotnet.operand(name, 1, right, "System.Int32" if operator in ("shl", "shr") else _BIG)
    if operator in "/%" and not b:
        raise runtime_error(
            f'Exception calling "{name}" with "2" argument(s): "Attempted to divide by zero."',
            "DotNetMethodException",
            category="NotSpecified",
            exception="System.Management.Automation.MethodInvocationException",
        )
    return TypedInt(_BIG_OPERATORS[operator](int(a), int(b)), _BIG)


def _truncated(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


_BIG = "System.Numerics.BigInteger"
_BIG_OPERATORS: dict[str, Callable[[int, int], int]] = {
    "+": operators.add,
    "-": operators.sub,
    "*": operators.mul,
    "/": _truncated,
    "%": lambda a, b: a - b * _truncated(a, b),
    "band": operators.and_,
    "bor": operators.or_,
    "bxor": operators.xor,
    "shl": lambda a, b: a << b if b >= 0 else a >> -b,
    "shr": lambda a, b: a >> b if b >= 0 else a << -b,
}


def not_defined(operator: str, left: Any, right: Any) -> PowerShellError:
    """The error of an operator for two operands that have no methods."""
    names = ["$null" if item is None else dotnet.kind_name(item) for item in (left, right)]
    word = operator if operator in "+-*/%" else f"-{operator}"
    return runtime_error(
        f"The operation '[{names[0]}] {word} [{names[1]}]' is not defined.",
        "NotADefinedOperationForType",
        target=left,
    )


def kind_of(value: Any) -> int:
    """The System.TypeCode of an operand's type, as it ranks operands of -band, -bor and -bxor."""
    if is_enum(value):
        return type_code(value.enum_number)
    if isinstance(value, bool):
        return 3
    if isinstance(value, Char):
        return 4
    if is_numeric(value):
        return type_code(value)
    if type(value) is str:
        return 18
    return 16 if isinstance(value, dotnet.DateTime) else 1


def is_fraction(code: int) -> bool:
    """Whether a System.TypeCode is of Single, Double or Decimal."""
    return SINGLE <= code <= DECIMAL


def cast(value: Any, type_name: str) -> Any:
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
