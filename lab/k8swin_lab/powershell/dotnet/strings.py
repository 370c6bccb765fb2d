"""System.String and System.Char."""

from __future__ import annotations

import unicodedata
from typing import Any

from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet import culture_now, enums
from k8swin_lab.powershell.dotnet.comparison import compare_strings, compared, equals
from k8swin_lab.powershell.dotnet.composite import format_operator
from k8swin_lab.powershell.dotnet.registry import NetType, argument, format_error, out_of_range
from k8swin_lab.powershell.dotnet.text import is_sequence, to_string
from k8swin_lab.powershell.dotnet.typing_of import type_name_of
from k8swin_lab.powershell.values import Char, LiveView, PSArray

_SPACE = " \t\n\r\v\f\x85\xa0\u2000\u2001\u2002\u2003\u2028\u2029\u3000\ufeff"

STRING = NetType(
    "System.String",
    interfaces=(
        "System.IComparable",
        "System.ICloneable",
        "System.IConvertible",
        "System.Collections.IEnumerable",
    ),
)
STRING.prop("Length", len)
STRING.value("Empty", "")


def _ignore_case(comparison: Any) -> bool:
    if isinstance(comparison, bool):
        return comparison
    return "ignorecase" in to_string(comparison).lower() or to_string(comparison) in ("1", "3", "5")


def _ordinal(comparison: Any) -> bool:
    return to_string(comparison).lower().startswith("ordinal")


@STRING.constructor
def _new(value: Any, second: int | None = None, third: int = -1) -> str:
    if isinstance(value, list):
        text = "".join(to_string(item) for item in value)
        return text if third < 0 or second is None else text[second : second + third]
    if second is None:
        return to_string(value)
    return to_string(value)[:1] * second


def _separators(value: Any) -> tuple[list[str], bool]:
    """The separators, and whether they are whole strings rather than characters."""
    if value is None:
        return [], False
    if isinstance(value, list):
        items = [to_string(item) for item in value]
        return items, getattr(value, "element_type", "") == "System.String" or any(
            len(item) > 1 for item in items
        )
    return list(to_string(value)), False


@STRING.method("Split")
def split(self: str, *args: Any) -> PSArray:
    """All overloads: characters or strings, a count, options."""
    count, options, separator, rest = 0, 0, None, list(args)
    if rest:
        separator = rest.pop(0)
    chars_after = [item for item in rest if isinstance(item, Char)]
    if chars_after:
        separator = PSArray([separator, *chars_after])
        rest = [item for item in rest if not isinstance(item, Char)]
    if len(rest) == 1 and type(rest[0]) is str and len(rest[0]) == 1:
        separator, rest = PSArray([separator, rest[0]]), []
    for item in rest:
        if isinstance(item, int) and not hasattr(item, "enum_number"):
            count = int(item)
        elif "removeemptyentries" in to_string(item).lower():
            options = 1
    seps, _ = _separators(separator)
    pieces = _cut(self, [s for s in seps if s], count, bool(options))
    return PSArray(pieces, "System.String")


def _cut(text: str, separators: list[str], count: int, drop_empty: bool) -> list[str]:
    pieces: list[str] = []
    start = index = 0
    while index < len(text):
        found = next((s for s in separators if text.startswith(s, index)), None)
        if found is None and not separators and text[index] in _SPACE:
            found = text[index]
        if found is None:
            index += 1
            continue
        if count and len(pieces) >= count - 1:
            break
        piece = text[start:index]
        if piece or not drop_empty:
            pieces.append(piece)
        index += len(found)
        start = index
    last = text[start:]
    if drop_empty and count and len(pieces) == count - 1:
        while last and any(last.startswith(s) for s in separators):
            last = next(last[len(s) :] for s in separators if last.startswith(s))
    if last or not drop_empty:
        pieces.append(last)
    return pieces


@STRING.method("Substring")
def _substring(self: str, start: int, length: int | None = None) -> str:
    if start < 0:
        raise out_of_range("StartIndex cannot be less than zero.", "startIndex")
    if start > len(self):
        raise out_of_range("startIndex cannot be larger than length of string.", "startIndex")
    if length is None:
        return self[start:]
    length = int(length)
    if length < 0:
        raise out_of_range("Length cannot be less than zero.", "length")
    if start + length > len(self):
        raise out_of_range("Index and length must refer to a location within the string.", "length")
    return self[start : start + length]


def _characters(args: tuple[Any, ...]) -> str:
    flat: list[str] = []
    for item in args:
        flat.extend(to_string(one) for one in item) if isinstance(item, list) else flat.append(
            to_string(item)
        )
    return "".join(flat) or _SPACE


STRING.method("Trim")(lambda self, *chars: str(self).strip(_characters(chars)))
STRING.method("TrimStart")(lambda self, *chars: str(self).lstrip(_characters(chars)))
STRING.method("TrimEnd")(lambda self, *chars: str(self).rstrip(_characters(chars)))
STRING.method("ToUpper", "ToUpperInvariant")(lambda self, culture=None: str(self).upper())
STRING.method("ToLower", "ToLowerInvariant")(lambda self, culture=None: str(self).lower())
STRING.method("ToString", "Clone", "Normalize")(lambda self, provider=None: str(self))
STRING.method("ToCharArray")(
    lambda self, start=0, length=None: PSArray(
        (Char(c) for c in self[start : None if length is None else start + length]), "System.Char"
    )
)
STRING.method("GetEnumerator")(lambda self: iter([Char(c) for c in self]))
STRING.method("GetTypeCode")(lambda self: enums.value("System.TypeCode", "String"))


@STRING.method("PadLeft")
def _pad_left(self: str, width: int, fill: str = " ") -> str:
    if width < 0:
        raise out_of_range("Non-negative number required.", "totalWidth")
    return str(self).rjust(width, fill)


@STRING.method("PadRight")
def _pad_right(self: str, width: int, fill: str = " ") -> str:
    if width < 0:
        raise out_of_range("Non-negative number required.", "totalWidth")
    return str(self).ljust(width, fill)


@STRING.method("Replace")
def _replace(self: str, old: str, new: str, comparison: Any = None) -> str:
    if not old:
        raise argument("String cannot be of zero length.", "oldValue")
    return str(self).replace(old, new)


@STRING.method("Insert")
def _insert(self: str, index: int, value: str) -> str:
    if not 0 <= index <= len(self):
        raise out_of_range("Specified argument was out of the range of valid values.", "startIndex")
    return self[:index] + value + self[index:]


@STRING.method("Remove")
def _remove(self: str, start: int, count: int = -1) -> str:
    if start < 0:
        raise out_of_range("StartIndex cannot be less than zero.", "startIndex")
    if count < 0:
        if start >= len(self):
            raise out_of_range("startIndex must be less than length of string.", "startIndex")
        return self[:start]
    if start + count > len(self):
        raise out_of_range("Index and count must refer to a location within the string.", "count")
    return self[:start] + self[start + count :]


@STRING.method("StartsWith")
def _starts_with(self: str, value: str, comparison: Any = "", culture: Any = None) -> bool:
    if _ignore_case(comparison):
        return self.lower().startswith(value.lower())
    return self.startswith(value)


@STRING.method("EndsWith")
def _ends_with(self: str, value: str, comparison: Any = "", culture: Any = None) -> bool:
    if _ignore_case(comparison):
        return self.lower().endswith(value.lower())
    return self.endswith(value)


@STRING.method("Contains")
def _contains(self: str, value: str, comparison: Any = "") -> bool:
    return value.lower() in self.lower() if _ignore_case(comparison) else value in self


def _search_arguments(args: tuple[Any, ...]) -> tuple[list[int], bool]:
    numbers = [int(a) for a in args if isinstance(a, int) and not isinstance(a, bool)]
    return numbers, any(_ignore_case(a) for a in args if isinstance(a, str))


@STRING.method("IndexOf")
def _index_of(self: str, value: str, *args: Any) -> int:
    numbers, fold = _search_arguments(args)
    text, wanted = (self.lower(), value.lower()) if fold else (str(self), value)
    start = numbers[0] if numbers else 0
    if not 0 <= start <= len(text):
        raise out_of_range(
            "Index was out of range. Must be non-negative and less than the size of the collection.",
            "startIndex",
        )
    end = start + numbers[1] if len(numbers) > 1 else len(text)
    return text.find(wanted, start, end)


@STRING.method("LastIndexOf")
def _last_index_of(self: str, value: str, *args: Any) -> int:
    numbers, fold = _search_arguments(args)
    text, wanted = (self.lower(), value.lower()) if fold else (str(self), value)
    return text.rfind(wanted, 0, numbers[0] + 1 if numbers else len(text))


@STRING.method("IndexOfAny")
def _index_of_any(self: str, chars: Any, start: int = 0) -> int:
    wanted = {to_string(c) for c in chars} if isinstance(chars, list) else set(to_string(chars))
    return next((i for i in range(start, len(self)) if self[i] in wanted), -1)


@STRING.method("LastIndexOfAny")
def _last_index_of_any(self: str, chars: Any) -> int:
    wanted = {to_string(c) for c in chars} if isinstance(chars, list) else set(to_string(chars))
    return next((i for i in range(len(self) - 1, -1, -1) if self[i] in wanted), -1)


@STRING.method("Equals")
def _equals(self: str, other: Any, comparison: Any = "Ordinal") -> bool:
    if not isinstance(other, str):
        return False
    return self.lower() == other.lower() if _ignore_case(comparison) else str(self) == str(other)


STRING.method("CompareTo")(lambda self, other: compare_strings(self, to_string(other), False))
STRING.method("Get_Chars", "Chars")(lambda self, index: Char(self[int(index)]))


@STRING.static("Format")
def _format(first: Any, *args: Any) -> str:
    values = list(args)
    pattern: Any = first
    if not isinstance(first, str) and values:
        pattern = values.pop(0)
        if getattr(first, "type_name", "").endswith("CultureInfo"):
            with culture_now.using(culture_now.known(str(first))):
                return _format(pattern, *values)
    if len(values) == 1 and isinstance(values[0], list):
        values = list(values[0])
    return format_operator(to_string(pattern), values)


@STRING.static("Join")
def _join(separator: str, *args: Any) -> str:
    values: Any = args
    if len(args) == 1 and isinstance(args[0], LiveView) and hasattr(args[0], "type_name"):
        values = [args[0].type_name]  # no list of strings, so the overload for any objects takes it
    elif len(args) == 1 and (isinstance(args[0], list) or is_sequence(args[0])):
        values = args[0]
    elif len(args) == 3 and isinstance(args[0], list) and isinstance(args[1], int):
        values = args[0][args[1] : args[1] + args[2]]
    return separator.join(
        type_name_of(item) if isinstance(item, list) else to_string(item) for item in values
    )


@STRING.static("Concat")
def _concat(*args: Any) -> str:
    values: Any = args[0] if len(args) == 1 and isinstance(args[0], list) else args
    return "".join(to_string(item) for item in values)


STRING.static("IsNullOrEmpty")(lambda value: to_string(value) == "")
STRING.static("IsNullOrWhiteSpace")(lambda value: not to_string(value).strip(_SPACE))
STRING.static("Copy")(lambda value: str(value))
STRING.static("ReferenceEquals")(lambda a, b: a is b)


@STRING.static("Equals")
def _static_equals(a: Any, b: Any, comparison: Any = "Ordinal") -> bool:
    if a is None or b is None:
        return a is b
    return _equals(to_string(a), to_string(b), comparison)


@STRING.static("Compare")
def _compare(a: Any, b: Any, *args: Any) -> int:
    if len(args) >= 3:  # a, where in a, b, where in b, how many
        (start, other, place, count), args = (b, *args[:3]), args[3:]
        left, right = (
            to_string(text)[int(first) : int(first) + int(count)]
            for text, first in ((a, start), (other, place))
        )
    else:
        left, right = to_string(a), to_string(b)
    mode = args[0] if args else False
    if _ordinal(mode):
        return _compare_ordinal(
            *((left.upper(), right.upper()) if _ignore_case(mode) else (left, right))
        )
    return compare_strings(left, right, _ignore_case(mode))


@STRING.static("CompareOrdinal")
def _compare_ordinal(a: str, b: str) -> int:
    for left, right in zip(a, b, strict=False):
        if left != right:
            return ord(left) - ord(right)
    return len(a) - len(b)


CHAR = NetType("System.Char", value_type=True, interfaces=("System.IComparable",))
CHAR.value("MaxValue", Char("\uffff"))
CHAR.value("MinValue", Char("\0"))
CHAR.method("ToString")(lambda self, provider=None: str(self))
CHAR.method("Equals")(lambda self, other: isinstance(other, Char) and self == other)
CHAR.method("CompareTo")(lambda self, other: compared(self, other, lambda a, b: ord(a) - ord(b)))


def _one(value: Any, index: Any) -> str:
    text = chr(value) if isinstance(value, int) else to_string(value)
    return text[int(index)] if index is not None else text[:1]


for _name, _test in (
    ("IsDigit", lambda c: c.isdecimal()),
    ("IsNumber", lambda c: c.isnumeric()),
    ("IsLetter", lambda c: c.isalpha()),
    ("IsLetterOrDigit", lambda c: c.isalpha() or c.isdecimal()),
    ("IsUpper", lambda c: c.isupper()),
    ("IsLower", lambda c: c.islower()),
    ("IsWhiteSpace", lambda c: c in _SPACE),
    ("IsControl", lambda c: unicodedata.category(c) == "Cc"),
    ("IsPunctuation", lambda c: unicodedata.category(c).startswith("P")),
    ("IsSymbol", lambda c: unicodedata.category(c).startswith("S")),
):
    CHAR.static(_name)(lambda value, index=None, _test=_test: bool(_test(_one(value, index))))
CHAR.static("ToUpper", "ToUpperInvariant")(
    lambda value, culture=None: Char(_one(value, None).upper())
)
CHAR.static("ToLower", "ToLowerInvariant")(
    lambda value, culture=None: Char(_one(value, None).lower())
)
CHAR.static("ConvertFromUtf32")(lambda value: chr(int(value)))
CHAR.static("ConvertToUtf32")(lambda value, index=0: ord(to_string(value)[int(index)]))
CHAR.static("GetNumericValue")(lambda value: float(unicodedata.numeric(_one(value, None), -1.0)))


@CHAR.static("Parse")
def _parse_char(value: str) -> Char:
    if len(value) != 1:
        raise format_error("String must be exactly one character long.")
    return Char(value)


BOOLEAN = NetType("System.Boolean", value_type=True, interfaces=("System.IComparable",))


@BOOLEAN.static("Parse")
def _parse_boolean(value: str) -> bool:
    word = value.strip().lower()
    if word not in ("true", "false"):
        raise Terminating(
            "String was not recognized as a valid Boolean.", exception="System.FormatException"
        )
    return word == "true"


BOOLEAN.value("TrueString", "True")
BOOLEAN.value("FalseString", "False")
BOOLEAN.method("ToString")(lambda self, provider=None: "True" if self else "False")
BOOLEAN.method("Equals")(lambda self, other: isinstance(other, bool) and self == other)
BOOLEAN.method("CompareTo")(lambda self, other: compared(self, other, lambda a, b: int(a) - int(b)))
BOOLEAN.method("GetTypeCode")(lambda self: enums.value("System.TypeCode", "Boolean"))

OBJECT = NetType("System.Object")
OBJECT.static("ReferenceEquals")(lambda a, b: a is b)
OBJECT.static("Equals")(lambda a, b: equals(a, b, False))
