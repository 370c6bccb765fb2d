"""The numeric types, System.Math, System.BitConverter and System.Random."""

from __future__ import annotations

import math
import random
import struct
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet import culture_now, enums
from k8swin_lab.powershell.dotnet.comparison import compared
from k8swin_lab.powershell.dotnet.conversion import convert, to_bytes
from k8swin_lab.powershell.dotnet.numeric_format import format_number
from k8swin_lab.powershell.dotnet.primitives import (
    INTEGERS,
    Single,
    byte_array,
    parse_number,
    sized,
)
from k8swin_lab.powershell.dotnet.registry import (
    NetObject,
    NetType,
    argument,
    format_error,
    out_of_range,
)
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.typing_of import type_name_of
from k8swin_lab.powershell.records import Reference
from k8swin_lab.powershell.values import Char, PSArray, TypedInt

_INTERFACES = ("System.IComparable", "System.IFormattable", "System.IConvertible")


def overflow(words: str) -> Terminating:
    """A System.OverflowException."""
    return Terminating(
        f"Value was either too large or too small for {words}.",
        exception="System.OverflowException",
        error_id="OverflowException",
    )


def parse_integer(text: str, type_name: str, style: str = "") -> int:
    """`[int]::Parse`: signs and blanks around, no more (hexadecimal and thousands by style)."""
    low, high, words = INTEGERS[type_name]
    stripped = text.strip()
    try:
        if "Hex" in style:
            value = int(stripped, 16)
            if value > high:
                value -= 1 << (high.bit_length() + 1)
        else:
            if "Thousands" in style or style in ("Number", "Any"):
                stripped = stripped.replace(",", "")
            if not stripped.lstrip("+-").isdecimal() or not stripped.isascii():
                raise ValueError(stripped)
            value = int(stripped)
    except ValueError:
        raise format_error() from None
    if not low <= value <= high:
        raise overflow(words)
    return sized(value, type_name)


def parse_float(text: str) -> float:
    """`[double]::Parse`."""
    stripped = text.strip().replace(",", "")
    lowered = stripped.lower()
    if lowered in ("nan", "infinity", "-infinity"):
        return float(lowered)
    if not stripped or (not stripped[-1].isdigit() and stripped[-1] != ".") or "_" in stripped:
        raise format_error()
    try:
        return float(stripped)
    except ValueError:
        raise format_error() from None


def _parse(text: str, type_name: str, style: str = "") -> Any:
    if type_name in INTEGERS:
        return parse_integer(text, type_name, style)
    if type_name == "System.Decimal":
        parse_float(text)
        return Decimal(text.strip().replace(",", ""))
    value = parse_float(text)
    return convert(None, value, type_name)


def _format(self: Any, *args: Any) -> str:
    pattern = next((to_string(a) for a in args if isinstance(a, str)), "")
    provider = next(
        (str(a) for a in args if getattr(a, "type_name", "").endswith("CultureInfo")), None
    )
    culture = culture_now.current() if provider is None else culture_now.known(provider)
    with culture_now.using(culture):
        if pattern:
            return culture_now.number(format_number(self, pattern), pattern)
        return (
            culture_now.number(to_string(self))
            if culture_now.is_fraction(self)
            else to_string(self)
        )


def _number_order(left: Any, right: Any) -> int:
    """CompareTo: the small integers return how far they are apart."""
    order = compared(left, right)
    small = type_name_of(left) in _SMALL and type_name_of(right) == type_name_of(left)
    return int(left) - int(right) if small else order


_SMALL = ("System.Byte", "System.SByte", "System.Int16", "System.UInt16")


def _declare(name: str) -> NetType:
    declared = NetType(name, value_type=True, interfaces=_INTERFACES)
    declared.method("ToString")(_format)
    declared.method("CompareTo")(lambda self, other: _number_order(self, other))
    declared.method("Equals")(
        lambda self, other: type_name_of(self) == type_name_of(other) and self == other
    )
    declared.method("GetTypeCode")(
        lambda self: enums.value("System.TypeCode", name.removeprefix("System."))
    )

    def parse(text: Any, style: Any = "", provider: Any = None) -> Any:
        if text is None:
            raise Terminating(
                "Value cannot be null.\r\nParameter name: String",
                exception="System.ArgumentNullException",
                error_id="ArgumentNullException",
            )
        given = next(
            (p for p in (style, provider) if getattr(p, "type_name", "").endswith("CultureInfo")),
            None,
        )
        with culture_now.using(
            culture_now.current() if given is None else culture_now.known(str(given))
        ):
            return _parse(
                culture_now.read_number(to_string(text)),
                name,
                style if isinstance(style, str) else "",
            )

    def try_parse(text: Any, *args: Any) -> bool:
        target = next(a for a in args if isinstance(a, Reference))
        style = args[0] if isinstance(args[0], str) else ""
        try:
            value = _parse(culture_now.read_number(to_string(text)), name, style)
        except Terminating:
            target.set(convert(None, 0, name))
            return False
        target.set(value)
        return True

    declared.static("Parse")(parse)
    declared.static("TryParse")(try_parse)
    return declared


for _name, (_low, _high, _words) in INTEGERS.items():
    _type = _declare(_name)
    _type.value("MinValue", sized(_low, _name))
    _type.value("MaxValue", sized(_high, _name))
DOUBLE = _declare("System.Double")
SINGLE = _declare("System.Single")
DECIMAL = _declare("System.Decimal")
BIG_INTEGER = _declare("System.Numerics.BigInteger")
for _type in (DOUBLE, SINGLE):
    _made = float if _type is DOUBLE else Single
    _type.value("NaN", _made(math.nan))
    _type.value("PositiveInfinity", _made(math.inf))
    _type.value("NegativeInfinity", _made(-math.inf))
    _type.static("IsNaN")(lambda value: math.isnan(value))
    _type.static("IsInfinity")(lambda value: math.isinf(value))
DOUBLE.value("MaxValue", 1.7976931348623157e308)
DOUBLE.value("MinValue", -1.7976931348623157e308)
DOUBLE.value("Epsilon", 5e-324)
SINGLE.value("MaxValue", Single(3.4028234663852886e38))
SINGLE.value("MinValue", Single(-3.4028234663852886e38))
DECIMAL.value("MaxValue", Decimal("79228162514264337593543950335"))
DECIMAL.value("MinValue", Decimal("-79228162514264337593543950335"))
DECIMAL.value("Zero", Decimal(0))
DECIMAL.value("One", Decimal(1))


def _big(value: int) -> TypedInt:
    return TypedInt(value, "System.Numerics.BigInteger")


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int) else int(convert(None, value, BIG_INTEGER.name))


BIG_INTEGER.value("Zero", _big(0))
BIG_INTEGER.value("One", _big(1))
BIG_INTEGER.value("MinusOne", _big(-1))
BIG_INTEGER.static("Pow")(lambda base, exponent: _big(_whole(base) ** _whole(exponent)))
BIG_INTEGER.static("Add")(lambda a, b: _big(_whole(a) + _whole(b)))
BIG_INTEGER.static("Subtract")(lambda a, b: _big(_whole(a) - _whole(b)))
BIG_INTEGER.static("Multiply")(lambda a, b: _big(_whole(a) * _whole(b)))
BIG_INTEGER.static("Parse")(lambda text, style="", provider=None: _big(int(to_string(text))))
BIG_INTEGER.method("ToByteArray")(
    lambda self: byte_array(
        int(self).to_bytes(int(self).bit_length() // 8 + 1, "little", signed=True)
    )
)

MATH = NetType("System.Math")
MATH.value("PI", math.pi)
MATH.value("E", math.e)


def _number(value: Any) -> Any:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and not isinstance(value, Char):
        parsed = parse_number(value)
        if parsed is not None:
            return parsed
    return convert(None, value, "System.Double")


def _same_kind(function: Any) -> Any:
    """Math functions that keep decimals and integers what they are (Abs, Max, Min)."""

    def apply(*args: Any) -> Any:
        numbers = [_number(a) for a in args]
        if any(isinstance(n, float) for n in numbers):
            numbers = [float(n) for n in numbers]
        return function(*numbers)

    return apply


MATH.static("Abs")(lambda value: _same_kind(abs)(value))
MATH.static("Max")(lambda a, b: _same_kind(max)(a, b))
MATH.static("Min")(lambda a, b: _same_kind(min)(a, b))


@MATH.static("Sign")
def _sign(value: Any) -> int:
    number = _number(value)
    return int(number > 0) - int(number < 0)


def _rounded(function: Any) -> Any:
    def apply(value: Any) -> Any:
        number = _number(value)
        if isinstance(number, int | Decimal):  # of the two overloads PowerShell takes decimal's
            return Decimal(function(number))
        number = float(number)
        return float(function(number)) if math.isfinite(number) else number

    return apply


MATH.static("Floor")(lambda value: _rounded(math.floor)(value))
MATH.static("Ceiling")(lambda value: _rounded(math.ceil)(value))
MATH.static("Truncate")(lambda value: _rounded(math.trunc)(value))


@MATH.static("Round")
def _round(value: Any, *args: Any) -> Any:
    digits = next((int(a) for a in args if isinstance(a, int) and not hasattr(a, "enum_number")), 0)
    mode = next((to_string(a) for a in args if isinstance(a, str)), "ToEven")
    if not 0 <= digits <= 15:
        raise out_of_range("Rounding digits must be between 0 and 15, inclusive.", "digits")
    rounding = ROUND_HALF_UP if mode.lower() == "awayfromzero" else ROUND_HALF_EVEN
    number = _number(value)
    if isinstance(number, int):  # as for Floor: of the two, an integer fits the decimal better
        number = Decimal(number)
    if isinstance(number, Decimal):
        kept = min(digits, max(0, -int(number.as_tuple().exponent)))
        return number.quantize(Decimal(1).scaleb(-kept), rounding)
    number = float(number)
    if not math.isfinite(number):
        return number
    # .NET scales by a power of ten in binary, so the nearest double decides, not the exact value.
    power = 10.0**digits
    scaled = Decimal(number * power).quantize(Decimal(1), rounding) if abs(number) < 1e16 else None
    return number if scaled is None else float(scaled) / power


@MATH.static("Pow")
def _pow(base: float, exponent: float) -> float:
    try:
        result = math.pow(base, exponent)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan
    return result


@MATH.static("Sqrt")
def _sqrt(value: float) -> float:
    return math.sqrt(value) if value >= 0 else math.nan


def _logarithm(value: float) -> float:
    if value == 0:
        return -math.inf
    return math.log(value) if value > 0 else math.nan


@MATH.static("Log")
def _log(value: float, base: Any = None) -> float:
    if base is None:
        return _logarithm(value)
    # Like .NET: a quotient of two logarithms, with its rounding.
    return _logarithm(value) / _logarithm(float(_number(base)))


MATH.static("Log10")(lambda value: math.log10(_number(value)) if _number(value) > 0 else -math.inf)
MATH.static("Log2")(lambda value: math.log2(_number(value)) if _number(value) > 0 else -math.inf)


def _declare_function(name: str) -> None:
    function = getattr(math, name.lower())

    def apply(value: Any) -> float:
        try:
            return float(function(float(_number(value))))
        except ValueError:  # outside of what the function is defined for
            return math.nan
        except OverflowError:
            return math.inf

    MATH.static(name)(apply)


for _name in ("Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Exp", "Sinh", "Cosh", "Tanh"):
    _declare_function(_name)
MATH.static("Atan2")(lambda y, x: math.atan2(_number(y), _number(x)))


@MATH.static("DivRem")
def _div_rem(left: int, right: int, remainder: Any = None) -> int:
    if right == 0:
        raise Terminating("Attempted to divide by zero.", exception="System.DivideByZeroException")
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    if isinstance(remainder, Reference):
        remainder.set(left - quotient * right)
    return quotient


_PACK = {
    "System.Byte": "<B",
    "System.SByte": "<b",
    "System.Int16": "<h",
    "System.UInt16": "<H",
    "System.Int32": "<i",
    "System.UInt32": "<I",
    "System.Int64": "<q",
    "System.UInt64": "<Q",
    "System.Double": "<d",
    "System.Single": "<f",
    "System.Boolean": "<?",
}
BIT_CONVERTER = NetType("System.BitConverter")
BIT_CONVERTER.value("IsLittleEndian", True)


@BIT_CONVERTER.static("GetBytes")
def _get_bytes(value: Any) -> PSArray:
    if isinstance(value, Char):
        return byte_array(struct.pack("<H", ord(value)))
    return byte_array(struct.pack(_PACK[type_name_of(value)], value))


@BIT_CONVERTER.static("ToString")
def _to_hex(value: Any, start: int = 0, length: int = -1) -> str:
    data = to_bytes(value)[start:]
    return "-".join(f"{b:02X}" for b in (data if length < 0 else data[:length]))


def _unpacker(type_name: str) -> Any:
    size = struct.calcsize(_PACK[type_name])

    def read(data: Any, start: int = 0) -> Any:
        chunk = to_bytes(data)[start : start + size]
        if len(chunk) < size:
            raise argument(
                "Destination array is not long enough to copy all the items in the collection. Check "
                "array index and length."
            )
        value = struct.unpack(_PACK[type_name], chunk)[0]
        return sized(value, type_name) if type_name in INTEGERS else value

    return read


for _name in _PACK:
    if _name not in ("System.Byte", "System.SByte"):
        BIT_CONVERTER.static("To" + _name.removeprefix("System."))(_unpacker(_name))


class Random(NetObject):
    """Knuth's subtractive generator, as .NET has it: a seed gives the same numbers everywhere."""

    type_name = "System.Random"

    def __init__(self, seed: int | None = None) -> None:
        # Not for secrets: it stands in for System.Random, whose numbers are predictable too.
        start = random.SystemRandom().getrandbits(31) if seed is None else min(abs(seed), _BIG)
        last, step = 161803398 - start, 1
        self.values = [0] * 56
        self.values[55] = last
        for index in range(1, 55):
            place = 21 * index % 55
            self.values[place] = step
            step, last = (last - step) % _BIG, self.values[place]
        for _ in range(4):
            for index in range(1, 56):
                difference = self.values[index] - self.values[1 + (index + 30) % 55]
                self.values[index] = difference + _BIG if difference < 0 else difference
        self.place = 0

    def sample(self) -> int:
        """The next number below 2147483647."""
        self.place = self.place % 55 + 1
        found = self.values[self.place] - self.values[(self.place + 20) % 55 + 1]
        if found == _BIG:
            found -= 1
        found += _BIG if found < 0 else 0
        self.values[self.place] = found
        return found

    def share(self) -> float:
        """The next number from 0 to below 1."""
        return self.sample() * (1.0 / _BIG)


_BIG = 2147483647
RANDOM = NetType("System.Random")
RANDOM.constructor(lambda seed=None: Random(None if seed is None else int(seed)))


@RANDOM.method("Next")
def _next(self: Random, first: int | None = None, second: int | None = None) -> int:
    low, high = (
        (0, 2147483647) if first is None else ((0, first) if second is None else (first, second))
    )
    if low > high:
        raise out_of_range("'minValue' cannot be greater than maxValue.", "minValue")
    if first is None:
        return self.sample()
    if high - low > _BIG:
        raise NotSimulated("[System.Random].Next() over more than 2147483647 numbers")
    return int(self.share() * (high - low)) + low


RANDOM.method("NextDouble")(lambda self: self.share())


@RANDOM.method("NextBytes")
def _next_bytes(self: Random, target: list[Any]) -> None:
    target[:] = byte_array(bytes(self.sample() % 256 for _ in target))
