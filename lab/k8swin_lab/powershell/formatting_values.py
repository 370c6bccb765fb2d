"""A value as the text of a table cell or of a list line."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.dotnet import culture_now
from k8swin_lab.powershell.dotnet.times import DateTime, TimeSpan
from k8swin_lab.powershell.records import ScriptBlock, StreamRecord
from k8swin_lab.powershell.values import Char, Hashtable, PSObject

ENUMERATION_LIMIT = 4
"""$FormatEnumerationLimit: how many elements of a collection are shown."""


_LINE_END = re.compile(r"\r\n|\r|\n")


def text_lines(text: str) -> list[str]:
    """A text's lines: only carriage return and line feed end one, and after the last one is another."""
    return _LINE_END.split(text)


def cell(value: Any, pattern: str = "") -> str:
    """A property's value on the console."""
    if value is None:
        return ""
    if pattern:
        return (
            dotnet.format_operator("{0:" + pattern + "}", [value])
            if "{" not in pattern
            else (dotnet.format_operator(pattern, [value]))
        )
    if isinstance(value, str):
        return str(value)
    if isinstance(value, DateTime | TimeSpan):
        return dotnet.format_value(value)
    if isinstance(value, Hashtable):
        return _listed([_element(key) for key in list(value)], value)
    if isinstance(value, ScriptBlock):
        return value.text
    items = value if isinstance(value, list | tuple) else dotnet.enumerate_value(value)
    if items is not None:
        return _listed([_element(item) for item in items], value)
    return _plain(value)


def _plain(value: Any) -> str:
    """A value as people of the session's culture read it."""
    text = dotnet.to_string(value)
    return culture_now.number(text) if culture_now.is_fraction(value) else text


def _element(value: Any) -> str:
    if isinstance(value, list):
        return dotnet.to_string(value)
    if isinstance(value, DateTime):
        return dotnet.format_value(value)
    return dotnet.to_string(value)


def _listed(items: list[str], value: Any) -> str:
    shown = items[:ENUMERATION_LIMIT]
    return "{" + ", ".join(shown) + ("..." if len(items) > ENUMERATION_LIMIT else "") + "}"


def is_line(value: Any) -> bool:
    """Whether Out-Default writes the value as a line of its own."""
    if isinstance(value, str | bool | int | float | Decimal | Char | ScriptBlock):
        return True
    return isinstance(value, DateTime | dotnet.NetEnumType | StreamRecord) or (
        isinstance(value, PSObject) and value.display is not None and not value.properties
    )


def is_number(value: Any) -> bool:
    """Whether a column of such values is aligned to the right."""
    return isinstance(value, int | float | Decimal | Char | dotnet.NetEnumType)


def line(value: Any) -> str:
    """The text of a value that is a line of its own."""
    if isinstance(value, DateTime) and type(value) is DateTime:
        return dotnet.format_value(value, "F")
    return _plain(value)
