"""JSON as PowerShell writes and reads it, in the layouts of 5.1 and of 7."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.dotnet.date_parse import parse_date
from k8swin_lab.powershell.dotnet.properties import names_of, property_value
from k8swin_lab.powershell.dotnet.times import EPOCH_TICKS, DateTime
from k8swin_lab.powershell.dotnet.uris import Uri
from k8swin_lab.powershell.dotnet.values import Guid
from k8swin_lab.powershell.records import ScriptBlock, TypeValue
from k8swin_lab.powershell.values import Hashtable, PSArray, PSObject, TypedInt

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\b": "\\b",
    "\f": "\\f",
}
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_EPOCH_DATE = re.compile(r"/Date\((-?\d+)([+-]\d{4})?\)/")


class JsonWriter:
    """Writes values; `desktop` chooses the layout and the escapes of 5.1."""

    def __init__(
        self,
        session: Any,
        *,
        desktop: bool,
        depth: int = 2,
        compress: bool = False,
        enum_names: bool = False,
    ) -> None:
        self.session = session
        self.desktop = desktop
        self.depth = depth
        self.compress = compress
        self.enum_names = enum_names
        self.newline = str(getattr(session, "newline", "\r\n"))
        self.truncated = False

    def write(self, value: Any) -> str:
        """The JSON text of a value."""
        return self._value(value, 0, 0)

    def _text(self, text: str) -> str:
        special = "<>&'" if self.desktop else ""
        parts = []
        for char in text:
            if char in _ESCAPES:
                parts.append(_ESCAPES[char])
            elif char < " " or char in special or char in "\u0085\u2028\u2029":
                parts.append(f"\\u{ord(char):04x}")
            else:
                parts.append(char)
        return '"' + "".join(parts) + '"'

    def _scalar(self, value: Any) -> str | None:
        if value is None:
            return "null"
        if value is True or value is False:
            return "true" if value else "false"
        number = getattr(value, "enum_number", None)
        if isinstance(number, int):
            return self._text(str(value)) if self.enum_names else str(number)
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int):
            return str(int(value))
        if isinstance(value, float):
            return self._float(value)
        if isinstance(value, Decimal):
            text = format(value, "f")
            return text if "." in text or self.desktop else f"{text}.0"
        if isinstance(value, DateTime):
            return self._date(value)
        if isinstance(value, Guid | Uri | TypeValue | ScriptBlock):
            return self._text(dotnet.to_string(value))
        return None

    def _float(self, value: float) -> str:
        if not math.isfinite(value):
            return self._text(dotnet.to_string(value))
        if value == int(value) and abs(value) < 1e15:
            return str(int(value)) if self.desktop else f"{int(value)}.0"
        text = repr(float(value))
        mantissa, e, exponent = text.partition("e")
        return text if not e else f"{mantissa}E{int(exponent):+03d}"

    def _date(self, value: DateTime) -> str:
        if self.desktop:
            return f'"\\/Date({(value.ticks - EPOCH_TICKS) // 10_000})\\/"'
        fraction = value.ticks % 10_000_000
        tail = f".{fraction:07d}".rstrip("0") if fraction else ""
        return f'"{dotnet.format_value(value, "s")}{tail}{value.kind_text()}"'

    def _value(self, value: Any, level: int, column: int) -> str:
        scalar = self._scalar(value)
        if scalar is not None:
            return scalar
        if level > self.depth:
            self.truncated = True
            return self._text(dotnet.to_string(value))
        items = value if isinstance(value, list | tuple) else dotnet.enumerate_value(value)
        if items is not None:
            return self._array(list(items), level, column)
        return self._object(self._pairs(value), level, column)

    def _pairs(self, value: Any) -> list[tuple[str, Any]]:
        if isinstance(value, Hashtable):
            return [(dotnet.to_string(key), item) for key, item in value.items()]
        return [(name, property_value(self.session, value, name)) for name in names_of(value)]

    def _indent(self, level: int, column: int) -> str:
        return self.newline + " " * (column if self.desktop else 2 * level)

    def _array(self, items: list[Any], level: int, column: int) -> str:
        if self.compress:
            return "[" + ",".join(self._value(item, level + 1, 0) for item in items) + "]"
        if not items:
            return f"[{self.newline}{self._indent(level, column)}]" if self.desktop else "[]"
        inner = self._indent(level + 1, column + 4)
        body = ("," + inner).join(self._value(item, level + 1, column + 4) for item in items)
        return f"[{inner}{body}{self._indent(level, column)}]"

    def _object(self, pairs: list[tuple[str, Any]], level: int, column: int) -> str:
        if self.compress:
            return (
                "{"
                + ",".join(f"{self._text(k)}:{self._value(v, level + 1, 0)}" for k, v in pairs)
                + "}"
            )
        if not pairs:
            return f"{{{self.newline}{self._indent(level, column)}}}" if self.desktop else "{}"
        inner = self._indent(level + 1, column + 4)
        gap = ":  " if self.desktop else ": "
        parts = []
        for name, item in pairs:
            key = self._text(name) + gap
            # In 5.1 what is nested stands under its own opening bracket.
            parts.append(key + self._value(item, level + 1, column + 4 + len(key)))
        return f"{{{inner}{(',' + inner).join(parts)}{self._indent(level, column)}}}"


class JsonError(ValueError):
    """The text is no JSON."""


def read_json(text: str, *, desktop: bool, as_hashtable: bool = False) -> Any:
    """Values out of a JSON text: objects become PSObject (or Hashtable), arrays PSArray.

    Raises:
        JsonError: the text is no JSON.
    """

    def make(pairs: list[tuple[str, Any]]) -> Any:
        if as_hashtable:
            return Hashtable(pairs, ordered=True, ignore_case=False)
        return PSObject(pairs)

    decoder = json.JSONDecoder(
        object_pairs_hook=make,
        parse_float=(lambda t: _desktop_float(t)) if desktop else float,
        parse_constant=_refuse,
        strict=False,
    )
    stripped = text.strip().removeprefix("\ufeff")
    try:
        value, end = decoder.raw_decode(_lenient(stripped))
    except (ValueError, RecursionError) as error:
        raise JsonError(_problem(stripped, error, desktop)) from error
    if stripped[end:].strip() and len(_lenient(stripped)) == len(stripped):
        raise JsonError(_problem(stripped[end:].strip(), None, desktop))
    return _converted(value, desktop)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _desktop_float(text: str) -> Any:
    if "e" in text.lower():
        return float(text)
    return Decimal(text)


def _lenient(text: str) -> str:
    """Both readers take trailing commas; 7 takes comments too."""
    if not re.search(r",\s*[\]}]|//|/\*", text):
        return text
    result: list[str] = []
    index = 0
    while index < len(text):
        char = text[index]
        if char == '"':
            match = re.compile(r'"(?:\\.|[^"\\])*"?', re.DOTALL).match(text, index)
            assert match is not None  # noqa: S101 - it begins with a quote
            result.append(match.group())
            index = match.end()
            continue
        comment = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL).match(text, index)
        if comment:
            result.append(" " * len(comment.group()))
            index = comment.end()
            continue
        trailing = re.compile(r",(?=\s*[\]}])").match(text, index)
        result.append(" " if trailing else char)
        index += 1
    return "".join(result)


def _problem(text: str, error: BaseException | None, desktop: bool) -> str:
    if desktop:
        position = getattr(error, "pos", 0) or 0
        rest = text[position:].lstrip() if position else text.lstrip()
        word = re.match(r"[^\s,:{}\[\]\"]*", rest)
        shown = (word.group() if word and word.group() else rest)[:50]
        return f"Invalid JSON primitive: {shown}."
    return f"Conversion from JSON failed with error: {error if error is not None else f'Additional text encountered: {text[:20]}'}"


def _converted(value: Any, desktop: bool) -> Any:
    """Arrays and dates inside what Python's reader gave."""
    if isinstance(value, list):
        return PSArray(_converted(item, desktop) for item in value)
    if isinstance(value, PSObject):
        for name in list(value.properties):
            value.properties[name] = _converted(value.properties[name], desktop)
        return value
    if isinstance(value, Hashtable):
        for name in list(value):
            value[name] = _converted(value[name], desktop)
        return value
    if isinstance(value, str):
        return _maybe_date(value, desktop)
    if isinstance(value, int) and not isinstance(value, bool) and not desktop:
        # 7 reads every integer as Int64.
        return TypedInt(value, "System.Int64") if -(1 << 63) <= value < 1 << 63 else value
    return value


def _maybe_date(text: str, desktop: bool) -> Any:
    match = _EPOCH_DATE.fullmatch(text)
    if match is not None:
        return DateTime(EPOCH_TICKS + int(match[1]) * 10_000, "Utc")
    if desktop or not _ISO_DATE.fullmatch(text):
        return text
    found = parse_date(text)
    kind = (
        "Utc"
        if text.endswith("Z")
        else "Local"
        if re.search(r"[+-]\d\d:\d\d$", text)
        else "Unspecified"
    )
    return DateTime(found.ticks, kind)
