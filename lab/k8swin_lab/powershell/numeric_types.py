"""Numbers of .NET's types: which type the result of an operator has, and when it becomes a double.

As the engine's binder has it (`PSBinaryOperationBinder`, `NumericOps` in the sources of PowerShell):
the wider operand's type computes; an unsigned type with a negative operand computes in the next
signed one; an integer result that does not fit is a double.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal, InvalidOperation, Overflow
from typing import Any

from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.records import ExceptionObject
from k8swin_lab.powershell.values import TypedInt

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1
INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
SBYTE, BYTE, INT16, UINT16, INT32, UINT32, INT64, UINT64, SINGLE, DOUBLE, DECIMAL = range(5, 16)
"""The numbers of System.TypeCode."""
_CODES = {
    "System.SByte": SBYTE, "System.Byte": BYTE, "System.Int16": INT16, "System.UInt16": UINT16,
    "System.Int32": INT32, "System.UInt32": UINT32, "System.Int64": INT64, "System.UInt64": UINT64,
}  # fmt: skip
_NAMES = {code: name for name, code in _CODES.items()}
_BITS = {SBYTE: 8, BYTE: 8, INT16: 16, UINT16: 16, INT32: 32, UINT32: 32, INT64: 64, UINT64: 64}
_SIGNED = frozenset({SBYTE, INT16, INT32, INT64})
_DECIMAL_MAX = Decimal(79228162514264337593543950335)
_SUMS = Context(prec=60)
_QUOTIENTS = Context(prec=28)


def type_code(value: Any) -> int:
    """The TypeCode of a number."""
    if isinstance(value, TypedInt):
        return _CODES[value.type_name]
    if isinstance(value, int):
        return INT32 if INT32_MIN <= value <= INT32_MAX else INT64
    if isinstance(value, float):
        return SINGLE if hasattr(value, "type_name") else DOUBLE
    return DECIMAL


def integer(value: int, code: int) -> int:
    """An integer of a type; it wraps around as the machine's does."""
    bits = _BITS[code]
    value &= (1 << bits) - 1
    if code in _SIGNED and value >> (bits - 1):
        value -= 1 << bits
    if code == INT32 or (code == INT64 and not INT32_MIN <= value <= INT32_MAX):
        return value
    return TypedInt(value, _NAMES[code])


def _fits(value: int, code: int) -> bool:
    bits = _BITS[code]
    low, high = (
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if code in _SIGNED else (0, (1 << bits) - 1)
    )
    return low <= value <= high


def calculate(operator: str, a: Any, b: Any) -> Any:
    """`a operator b` for two numbers and one of `+ - * / %`."""
    left, right = type_code(a), type_code(b)
    widest = max(left, right)
    negative = (left in _SIGNED and a < 0) or (right in _SIGNED and b < 0)
    if widest == DECIMAL:
        return _decimals(operator, to_decimal(a), to_decimal(b))
    if widest >= SINGLE:
        return _floats(operator, float(a), float(b))
    if widest == UINT64 and negative:
        return _decimals(operator, Decimal(int(a)), Decimal(int(b)))
    if widest == UINT32 and negative:
        widest = INT64
    return _integers(operator, int(a), int(b), max(widest, INT32))


def _integers(operator: str, a: int, b: int, code: int) -> Any:
    if operator == "+":
        result = a + b
    elif operator == "-":
        result = a - b
    elif operator == "*":
        result = a * b
    elif b == 0:
        raise divide_by_zero()
    elif operator == "%":
        result = abs(a) % abs(b) * (-1 if a < 0 else 1)
    elif a % b:
        return a / b
    else:
        result = a // b
    return integer(result, code) if _fits(result, code) else float(result)


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
    if operator == "/":
        return a / b
    return math.nan if math.isinf(a) else math.fmod(a, b)


def to_decimal(value: Any) -> Decimal:
    """A number as a decimal; of a double 15 digits count, of a single 7."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int):
        return Decimal(int(value))
    if not math.isfinite(value) or abs(value) > _DECIMAL_MAX:
        raise runtime_error(
            "Value was either too large or too small for a Decimal.",
            "System.OverflowException",
            category="OperationStopped",
            exception="System.OverflowException",
        )
    digits = 7 if hasattr(value, "type_name") else 15
    return Decimal(f"{value:.{digits}g}") + Decimal(0)


def _decimals(operator: str, a: Decimal, b: Decimal) -> Decimal:
    try:
        if operator == "+":
            result = _SUMS.add(a, b)
        elif operator == "-":
            result = _SUMS.subtract(a, b)
        elif operator == "*":
            result = _SUMS.multiply(a, b)
        elif b == 0:
            raise divide_by_zero()
        elif operator == "/":
            result = _quotient(a, b)
        elif abs(a) < abs(b):
            return a
        else:
            result = _SUMS.remainder(a, b)
    except (InvalidOperation, Overflow) as error:
        raise _too_large() from error
    if abs(result) > _DECIMAL_MAX:
        raise _too_large()
    return _limited(result) if result else abs(result)


def _quotient(a: Decimal, b: Decimal) -> Decimal:
    result = _QUOTIENTS.divide(a, b)
    scale = max(int(a.as_tuple().exponent) - int(b.as_tuple().exponent), -28)
    plain = -int(result.as_tuple().exponent)
    if plain < -scale and _QUOTIENTS.multiply(result, b) == a:
        return result.quantize(Decimal(1).scaleb(scale), context=_SUMS)
    return result


def _limited(value: Decimal) -> Decimal:
    """With at most 28 digits behind the point, and 29 in all."""
    exponent = int(value.as_tuple().exponent)
    if exponent > 0:
        return value.quantize(Decimal(1), context=_SUMS)
    keep = min(-exponent, 28, max(0, 28 - max(0, value.adjusted())))
    return value if keep == -exponent else value.quantize(Decimal(1).scaleb(-keep), context=_SUMS)


def _too_large() -> PowerShellError:
    words = "Value was either too large or too small for a Decimal."
    return runtime_error(
        words, "RuntimeException", category="NotSpecified",
        inner=ExceptionObject("System.OverflowException", words),
    )  # fmt: skip


def divide_by_zero() -> PowerShellError:
    """The error of an integer or decimal division by nothing."""
    inner = ExceptionObject("System.DivideByZeroException", "Attempted to divide by zero.")
    return runtime_error(
        "Attempted to divide by zero.", "RuntimeException", category="NotSpecified", inner=inner
    )


def combine(operator: str, a: Any, b: Any) -> int:
    """`-band`, `-bor` and `-bxor` of two numbers."""
    left, right = type_code(a), type_code(b)
    code = max(left, right, INT32)
    if code >= SINGLE:
        code = INT64 if a < 0 or b < 0 else UINT64
    x, y = _whole(a), _whole(b)
    return integer(x & y if operator == "band" else x | y if operator == "bor" else x ^ y, code)


def shift(operator: str, value: Any, places: int) -> int:
    """`-shl` and `-shr`: the left operand keeps its type."""
    code = type_code(value)
    number = _whole(value)
    if code >= SINGLE:
        code = INT32 if INT32_MIN <= number <= INT32_MAX else INT64
    places &= 63 if code >= INT64 else 31
    return integer(number << places if operator == "shl" else number >> places, code)


def complement(value: Any) -> int:
    """`-bnot` of a number."""
    code = type_code(value)
    number = _whole(value)
    if code >= SINGLE:
        code = INT32 if INT32_MIN <= number <= INT32_MAX else INT64
    return integer(~number, max(code, INT32))


def _whole(value: Any) -> int:
    """Rounded as [int] does: halves to the even neighbour."""
    return int(value) if isinstance(value, int) else round(value)
