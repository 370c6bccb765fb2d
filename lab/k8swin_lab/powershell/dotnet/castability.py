"""Which values PowerShell converts to a .NET type at all, before the type itself is asked.

`LanguagePrimitives` of PowerShell looks for a conversion in this order: the type's Parse for a string, a
constructor with one parameter, the values of a table for the properties. A number that no constructor
takes is written out and read as a string. What implements IConvertible and finds none of them gets
the words of `Convert.ChangeType`; anything else those of a conversion that is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from k8swin_lab.powershell.dotnet import registry
from k8swin_lab.powershell.dotnet.registry import ConversionError
from k8swin_lab.powershell.dotnet.text import CUSTOM_OBJECT, is_sequence, to_string
from k8swin_lab.powershell.dotnet.typing_of import base_types, type_name_of
from k8swin_lab.powershell.records import TypeValue
from k8swin_lab.powershell.values import Char, Hashtable, PSArray, PSObject

CONVERTIBLE = frozenset(
    "System." + name
    for name in [
        "Boolean",
        "Char",
        "Byte",
        "SByte",
        "Int16",
        "UInt16",
        "Int32",
        "UInt32",
        "Int64",
        "UInt64",
        "Single",
        "Double",
        "Decimal",
        "DateTime",
    ]
)
"""Types that `Convert.ChangeType` has in its table."""
_TICKS = ("System.DateTime", "System.TimeSpan")
_FROM_STRING = (
    "System.Version",
    "System.Guid",
    "System.Uri",
    "System.Text.RegularExpressions.Regex",
)
"""Types that read a number as the string that it is written as."""
_ZERO = frozenset(["System.DateTime", "System.TimeSpan", "System.Guid", "System.Version"])
"""Types with a constructor of no parameters and no property that can be set."""
_OF_EXCEPTIONS = "[HelpLink <System.String>], [Source <System.String>], [HResult <System.Int32>]"
_BY_ITEMS = (
    "System.Collections.ArrayList",
    "System.Collections.Queue",
    "System.Collections.Stack",
)
_SCALAR = frozenset([*_TICKS, *_FROM_STRING, "System.Net.IPAddress", "System.Net.Mail.MailAddress",
                     "System.Globalization.CultureInfo", "System.IO.FileInfo",
                     "System.IO.DirectoryInfo", "System.Text.StringBuilder"])  # fmt: skip
"""Types that hold one thing; a list or a foreign object is none."""


def source_kind(value: Any) -> str:
    """What sort of source a value is: a number, a string, a table ..."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, Char):
        return "char"
    if isinstance(getattr(value, "enum_number", None), int):
        return "enum"
    if isinstance(value, str):
        return "string"
    name = type_name_of(value)
    if isinstance(value, int | float | Decimal):
        return "other" if name == "System.Numerics.BigInteger" else "number"
    if name == "System.DateTime":
        return "date"
    if isinstance(value, Hashtable):
        return "table"
    if isinstance(value, PSObject) and name == CUSTOM_OBJECT:
        return "record"
    return "list" if isinstance(value, list | tuple | bytes | bytearray) else "other"


def shown(value: Any) -> str:
    """A value as an error about its conversion shows it."""
    if isinstance(value, TypeValue):
        return value.name
    return type_name_of(value) if isinstance(value, list) else to_string(value)


def not_convertible(value: Any, type_name: str) -> ConversionError:
    """The words of `Convert.ChangeType`: short names when both are in its table."""
    own = type_name_of(value)
    names = [own, type_name]
    if type_name in CONVERTIBLE and own in CONVERTIBLE:
        names = [name.removeprefix("System.") for name in names]
    return ConversionError(
        f'Cannot convert value "{to_string(value)}" to type "{type_name}". '
        f"Error: \"Invalid cast from '{names[0]}' to '{names[1]}'.\"",
        "InvalidCastIConvertible",
    )


def failure(value: Any, type_name: str, reason: str, error_id: str) -> ConversionError:
    """`Cannot convert value "x" to type "T". Error: "reason"`."""
    return ConversionError(
        f'Cannot convert value "{to_string(value)}" to type "{type_name}". Error: "{reason}"',
        error_id,
    )


def no_conversion(value: Any, type_name: str) -> ConversionError:
    """The error of types that have nothing to do with each other."""
    if value is None:
        return ConversionError(f'Cannot convert null to type "{type_name}".', "nullToValueType")
    own = type_name_of(value)
    if own in CONVERTIBLE and type_name in CONVERTIBLE:
        return not_convertible(value, type_name)
    return ConversionError(
        f'Cannot convert the "{shown(value)}" value of type "{own}" to type "{type_name}".'
    )


def no_property(type_name: str, key: str, settable: str = "") -> ConversionError:
    """The error of a table with a key that is no property of the type."""
    tail = (
        f"The settable properties are: {settable}."
        if settable
        else "There is no settable property available."
    )
    return ConversionError(
        f"Cannot create object of type \"{type_name}\". The property '{key}' was not found for the "
        f"'{type_name}' object. {tail}",
        "ObjectCreationError",
    )


def of_record(value: Any, type_name: str) -> ConversionError:
    """The error of an object whose properties the type has not."""
    text = to_string(value)
    return ConversionError(
        f'Cannot convert value "{text}" to type "{type_name}". Error: "Cannot convert the "{text}" '
        f'value of type "{CUSTOM_OBJECT}" to type "{type_name}"."',
        "InvalidCastConstructorException",
    )


def of_structure(value: Any, type_name: str, default: Callable[[], Any], settable: str = "") -> Any:
    """What a table or an object makes of a type whose values are plain: the default one, from no keys alone."""
    record = source_kind(value) == "record"
    keys = list(value.properties if record else value)
    if not keys:
        return default()
    if record:
        raise of_record(value, type_name)
    raise no_property(type_name, to_string(keys[0]), settable)


def admitted(
    value: Any, type_name: str, refused: ConversionError, construct: Callable[[list[Any]], Any]
) -> Any:
    """The value to give to the type, or what a table makes of a plain structure.

    `refused` is the error of a conversion that is not there, `construct` calls the type's constructor.

    Raises:
        ConversionError: PowerShell finds no way from the value to the type.
    """
    if type_name.startswith("System.Collections."):
        return _collection(value, type_name, refused)
    exception = "System.Exception" in base_types(type_name)
    if not exception and type_name not in _SCALAR:
        return value
    kind = source_kind(value)
    octets = kind == "list" and type_name_of(value) == "System.Byte[]"
    if type_name == "System.Net.IPAddress" and (kind == "number" or octets):
        return value
    if kind in ("char", "enum") and type_name in _TICKS:
        return ord(value) if kind == "char" else value.enum_number
    if kind in ("bool", "date", "char", "enum"):
        raise not_convertible(value, type_name)
    if kind == "number":
        ticks = type_name in _TICKS and isinstance(value, int)
        ticks = ticks and type_name_of(value) != "System.UInt64"  # an Int64 does not take all of it
        capacity = (
            type_name == "System.Text.StringBuilder" and type_name_of(value) == "System.Int32"
        )
        return value if ticks or capacity else to_string(value)
    if kind in ("table", "record") and (type_name in _ZERO or exception):
        return _from_properties(value, type_name, construct)
    bytes_of_guid = type_name == "System.Guid" and type_name_of(value) == "System.Byte[]"
    if kind in ("string", "table") or bytes_of_guid:
        if kind == "table" and type_name != "System.Text.StringBuilder":
            raise refused
        return value
    raise refused


def _collection(value: Any, type_name: str, refused: ConversionError) -> Any:
    """What a collection is made of: a collection; a generic one also of one element."""
    kind = source_kind(value)
    generic = type_name.startswith("System.Collections.Generic.")
    if kind in ("bool", "date"):
        raise not_convertible(value, type_name)
    if type_name in _BY_ITEMS or generic:
        if kind == "table" and generic and value and "List`1" in type_name:
            raise no_property(type_name, to_string(next(iter(value))), "[Capacity <System.Int32>]")
        if kind == "record" and value.properties and not generic:
            raise of_record(value, type_name)
        if kind == "table" and not generic and value:
            made = registry.find("System.Collections.DictionaryEntry")
            assert made is not None  # noqa: S101 - declared with the collections
            assert made.constructor_method is not None  # noqa: S101 - and so is this
            new = made.constructor_method.call
            return PSArray(new(None, (), [key, item]) for key, item in value.items())
        if not generic and kind in ("number", "string", "other") and not is_sequence(value):
            raise refused
        if kind == "number" and type_name.endswith("List`1[System.Object]"):
            return to_string(value)
    return value


def _from_properties(value: Any, type_name: str, construct: Callable[[list[Any]], Any]) -> Any:
    """What a type without settable properties makes of a table or an object."""

    def default() -> Any:
        if type_name == "System.Version":
            return construct([0, 0])
        declared = registry.find(type_name)
        if declared is not None and declared.default is not None:
            return declared.default()
        return construct([])

    settable = _OF_EXCEPTIONS if "System.Exception" in base_types(type_name) else ""
    return of_structure(value, type_name, default, settable)
