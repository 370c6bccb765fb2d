"""The part of .NET that scripts see: types, their members, conversions, comparison and formats.

The interpreter and the cmdlets use what is exported here; nothing here knows the interpreter. A type
is declared in one of the modules with `registry.NetType`; importing this package declares them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from k8swin_lab.powershell.dotnet import (  # noqa: F401 - these modules declare types
    collections,
    convert_class,
    dates,
    environment,
    files,
    lists,
    network,
    numbers,
    reflection,
    script_blocks,
    security,
    streams,
    strings,
    uris,
    values,
)
from k8swin_lab.powershell.dotnet.collections import entries as dictionary_entries
from k8swin_lab.powershell.dotnet.comparison import compare, equals, is_ordered, to_number
from k8swin_lab.powershell.dotnet.composite import format_operator, format_value
from k8swin_lab.powershell.dotnet.conversion import convert, to_bool, to_bytes
from k8swin_lab.powershell.dotnet.enums import NetEnum as NetEnumType
from k8swin_lab.powershell.dotnet.enums import value as enum_of
from k8swin_lab.powershell.dotnet.members import (
    call_method,
    construct,
    get_index,
    get_member,
    has_member,
    property_names,
    set_index,
    set_member,
    static_call,
    static_get,
    static_set,
)
from k8swin_lab.powershell.dotnet.names import resolve_type
from k8swin_lab.powershell.dotnet.overloads import binary_operator, kind_name, no_operator, operand
from k8swin_lab.powershell.dotnet.primitives import byte_array
from k8swin_lab.powershell.dotnet.reflection import default_value, define_enum
from k8swin_lab.powershell.dotnet.regex_syntax import compile_regex
from k8swin_lab.powershell.dotnet.regexes import match_groups
from k8swin_lab.powershell.dotnet.registry import ConversionError, NetObject
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.times import DateTime, TimeSpan
from k8swin_lab.powershell.dotnet.typing_of import base_types, is_instance, type_name_of
from k8swin_lab.powershell.values import Hashtable

__all__ = [
    "ConversionError",
    "DateTime",
    "NetEnumType",
    "TimeSpan",
    "base_types",
    "binary_operator",
    "byte_array",
    "call_method",
    "compare",
    "compile_regex",
    "construct",
    "convert",
    "default_value",
    "define_enum",
    "dictionary_entries",
    "enum_of",
    "enumerate_value",
    "equals",
    "format_operator",
    "format_value",
    "get_index",
    "get_member",
    "has_member",
    "is_instance",
    "is_ordered",
    "kind_name",
    "match_groups",
    "no_operator",
    "operand",
    "property_names",
    "resolve_type",
    "set_index",
    "set_member",
    "static_call",
    "static_get",
    "static_set",
    "to_bool",
    "to_bytes",
    "to_number",
    "to_string",
    "type_name_of",
]


def enumerate_value(value: Any) -> Iterable[Any] | None:
    """The elements of a value that the pipeline takes apart; None when it goes through whole."""
    if isinstance(value, Hashtable):
        return None
    if isinstance(value, NetObject):
        return list(value) if hasattr(value, "__iter__") else None
    return value if hasattr(value, "__next__") else None
