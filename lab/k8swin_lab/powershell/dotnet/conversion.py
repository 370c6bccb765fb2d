"""Casts: `[type]value`, parameter binding and typed variables all come here."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet import enums, registry
from k8swin_lab.powershell.dotnet.castability import (
    admitted,
    failure,
    no_conversion,
    no_property,
    not_convertible,
    of_structure,
    shown,
    source_kind,
)
from k8swin_lab.powershell.dotnet.names import element_type, generic_arguments, resolve_type
from k8swin_lab.powershell.dotnet.number_conversion import (
    to_big_integer,
    to_decimal,
    to_double,
    to_integer,
)
from k8swin_lab.powershell.dotnet.primitives import (
    INTEGERS,
    Single,
    byte_array,
    round_single,
    sized,
)
from k8swin_lab.powershell.dotnet.registry import ConversionError
from k8swin_lab.powershell.dotnet.text import is_sequence, to_string
from k8swin_lab.powershell.dotnet.typing_of import base_types, is_instance
from k8swin_lab.powershell.records import ScriptBlock, TypeValue
from k8swin_lab.powershell.values import Char, Hashtable, PSArray, Switch

_SMA = "System.Management.Automation."


def to_bytes(value: Any) -> bytes:
    """A [byte[]] (or anything that converts to one) as bytes."""
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, list):
        return bytes(int(item) for item in value)
    return bytes([int(convert(None, value, "System.Byte"))])


def to_bool(value: Any) -> bool:
    """A value as a condition."""
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    if isinstance(value, Char):
        return value != "\0"
    number = getattr(value, "enum_number", None)
    if isinstance(number, int):
        return number != 0
    if isinstance(value, str):
        return len(value) > 0
    if isinstance(value, int | float | Decimal):
        return value != 0
    if isinstance(value, Hashtable):
        return True
    if isinstance(value, list | tuple):
        if len(value) == 1:
            return True if isinstance(value[0], list) else to_bool(value[0])
        return len(value) > 1
    return value.present if isinstance(value, Switch) else True


def _to_boolean(value: Any) -> bool:
    # Only a cast takes strings; parameter binding refuses them before it comes here.
    return to_bool(value)


def _to_char(value: Any) -> Char:
    if isinstance(getattr(value, "enum_number", None), int):
        value = value.enum_number
    if isinstance(value, str):
        if len(value) == 1:
            return Char(value)
        raise failure(
            value,
            "System.Char",
            "String must be exactly one character long.",
            "InvalidCastParseTargetInvocation",
        )
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0xFFFF:
        return Char(chr(value))
    if isinstance(value, int) and not isinstance(value, bool):
        raise failure(
            value,
            "System.Char",
            "Value was either too large or too small for a character.",
            "InvalidCastIConvertible",
        )
    raise no_conversion(value, "System.Char")


def _to_type(value: Any) -> TypeValue | None:
    if value is None:
        return None
    if isinstance(value, TypeValue):
        return value
    kind = source_kind(value)
    if kind in ("bool", "char", "date", "enum"):
        raise not_convertible(value, "System.Type")
    if kind not in ("number", "string"):
        raise no_conversion(value, "System.Type")
    name = resolve_type(to_string(value))
    if name is None:
        raise ConversionError(
            f'Cannot convert the "{to_string(value)}" value of type "System.String" to type '
            '"System.Type".',
            "InvalidCastFromStringToType",
        )
    return TypeValue(name)


def _to_hashtable(value: Any) -> Hashtable:
    kind = source_kind(value)
    if kind in ("bool", "date"):
        raise not_convertible(value, "System.Collections.Hashtable")
    if isinstance(value, Hashtable):
        plain = type(value) is Hashtable and not value.ordered
        return value if plain else Hashtable(value.items())
    if kind in ("char", "enum"):
        return Hashtable()  # its constructor takes an Int32, the capacity
    if kind == "record":
        made = of_structure(value, "System.Collections.Hashtable", Hashtable)
        assert isinstance(made, Hashtable)  # noqa: S101 - what was asked for
        return made
    raise no_conversion(value, "System.Collections.Hashtable")


def _to_ordered(value: Any) -> Hashtable:
    if isinstance(value, Hashtable):
        return value if value.ordered else Hashtable(value.items(), ordered=True)
    raise no_conversion(value, "System.Collections.Specialized.OrderedDictionary")


_CASTS: dict[str, Callable[[Any], Any]] = {
    "System.String": to_string,
    "System.Boolean": _to_boolean,
    "System.Char": _to_char,
    "System.Decimal": to_decimal,
    "System.Double": lambda value: to_double(value, "System.Double"),
    "System.Single": lambda value: Single(round_single(to_double(value, "System.Single"))),
    "System.Numerics.BigInteger": to_big_integer,
    "System.Type": _to_type,
    "System.Collections.Hashtable": _to_hashtable,
    "System.Collections.Specialized.OrderedDictionary": _to_ordered,
    _SMA + "PSCustomObject": lambda value: value,
    _SMA + "PSObject": lambda value: value,
    _SMA + "SwitchParameter": to_bool,
    "System.Void": lambda _value: None,
    "System.Object": lambda value: value,
}


_NO_OBJECT = (
    'Cannot process argument because the value of argument "obj" is null. '
    'Change the value of argument "obj" to a non-null value.'
)


def convert(interp: Any, value: Any, type_name: str) -> Any:
    """Convert `value` to the type.

    Raises:
        ConversionError: with PowerShell's own text.
    """
    if type_name in ("System.String", "System.Object"):
        return to_string(value) if type_name == "System.String" else value
    if type_name in INTEGERS:
        if value is None:
            return sized(0, type_name)
        if type(value) is int and type_name == "System.Int32" and -(1 << 31) <= value < 1 << 31:
            return value
        return to_integer(value, type_name)
    element = element_type(type_name)
    if element is not None:
        return _to_array(interp, value, type_name, element)
    if type_name == "System.Array":
        if value is None or (isinstance(value, PSArray) and type(value) is PSArray):
            return value
        return PSArray(_items(value))
    if type_name.startswith("System.Nullable`1"):
        inner = generic_arguments(type_name)[0]
        if source_kind(value) in ("table", "record"):
            raise failure(
                shown(value),
                f"System.Nullable`1[{inner}]",
                _NO_OBJECT,
                "InvalidCastConstructorException",
            )
        try:
            return None if value is None else convert(interp, value, inner)
        except ConversionError as error:
            if error.error_id.startswith("ConvertToFinal"):
                raise no_conversion(value, f"System.Nullable`1[{inner}]") from error
            raise
    cast = _CASTS.get(type_name)
    if cast is not None:
        if value is None and type_name in ("System.Double", "System.Single"):
            return cast(0)
        if value is None and type_name == "System.Decimal":
            return Decimal(0)
        if value is None and type_name in ("System.Collections.Hashtable", _SMA + "PSCustomObject"):
            return None
        if value is None and type_name == "System.Char":
            return Char("\0")
        return cast(value)
    return _to_declared(interp, value, type_name)


def _constructed(interp: Any, type_name: str, arguments: list[Any]) -> Any:
    from k8swin_lab.powershell.dotnet.members import construct

    return construct(interp, type_name, arguments)


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return list(value)
    if is_sequence(value):
        return list(value)
    return [value]


def _holds(own: str, element: str) -> bool:
    """Whether an array of `own` is one of `element`: of a base of it as well, unless `own` is a value type."""
    if own == element:
        return True
    bases = base_types(own)
    return element in bases and "System.ValueType" not in bases


def _to_array(interp: Any, value: Any, type_name: str, element: str) -> Any:
    if value is None:
        return None
    if (
        isinstance(value, PSArray)
        and type(value) is PSArray
        and _holds(value.element_type, element)
    ):
        return value
    if element == "System.Char" and source_kind(value) == "string":
        return PSArray((Char(char) for char in value), element)
    if element == "System.Byte" and isinstance(value, bytes | bytearray):
        return byte_array(bytes(value))
    several = isinstance(value, list | tuple) or is_sequence(value)
    try:
        return PSArray((convert(interp, item, element) for item in _items(value)), element)
    except ConversionError as error:
        if several:
            raise  # the element's own error
        if error.error_id.startswith("ConvertToFinal"):
            raise no_conversion(value, type_name) from error
        if source_kind(value) in ("bool", "date"):
            raise not_convertible(value, type_name) from error
        raise failure(value, type_name, str(error), "InvalidCastExceptionScalarToArray") from error


_DELEGATES = frozenset(
    [
        "System.Predicate",
        "System.Func",
        "System.Action",
        "System.Comparison",
        "System.EventHandler",
        "System.Delegate",
        "System.MulticastDelegate",
        "System.Threading.ThreadStart",
        "System.Text.RegularExpressions.MatchEvaluator",
        "System.Net.Security.RemoteCertificateValidationCallback",
    ]
)


def _to_declared(interp: Any, value: Any, type_name: str) -> Any:
    enum = enums.find(type_name)
    if enum is not None:
        if value is None:
            raise ConversionError(
                f'Cannot convert null to type "{type_name}" due to enumeration values that are not valid. '
                "Specify one of the following enumeration values and try again. The possible enumeration "
                f'values are "{",".join(enum.members)}".',
                "nullToEnumInvalidCast",
            )
        if source_kind(value) in ("table", "record"):
            return of_structure(value, type_name, lambda: enum.of(0), "[value__ <System.Int32>]")
        return enum.parse(_to_enum_source(value, type_name))
    if is_instance(value, type_name):
        return value
    if type_name == "System.Xml.XmlDocument":
        raise NotSimulated("[xml]")
    declared = registry.find(type_name)
    if isinstance(value, ScriptBlock) and type_name.partition("`")[0] in _DELEGATES:
        return value
    if value is None:
        if declared is not None and declared.base == "System.ValueType":
            raise ConversionError(
                f'Cannot convert null to type "{type_name}".', "nullToObjectInvalidCast"
            )
        return None
    value = admitted(
        value,
        type_name,
        no_conversion(value, type_name),
        lambda arguments: _constructed(interp, type_name, arguments),
    )
    if is_instance(value, type_name):
        return value
    if "System.Exception" in base_types(type_name):
        from k8swin_lab.powershell.dotnet.exceptions import construct as make_exception

        return make_exception(type_name, [value])
    if type_name.startswith("System.Collections.Generic."):
        return _to_generic(interp, value, type_name)
    if declared is not None and declared.from_value is not None:
        try:
            result = declared.from_value(value)
        except ConversionError:
            raise
        except Terminating as error:
            by_culture = type_name in ("System.DateTime", "System.TimeSpan", "System.Guid")
            error_id = "InvalidCastParseTargetInvocation"
            if type_name == "System.DateTime" and isinstance(value, int):
                raise failure(
                    value, type_name, str(error), "InvalidCastConstructorException"
                ) from error
            if type_name == "System.Text.RegularExpressions.Regex":
                error_id = "InvalidCastFromStringToRegex"
            if by_culture and type_name == "System.DateTime":
                error_id += "WithFormatProvider"
            raise failure(value, type_name, str(error), error_id) from error
        if result is not NotImplemented:
            return result
    if (
        isinstance(value, Hashtable)
        and declared is not None
        and declared.constructor_method is not None
    ):
        return _from_table(interp, value, type_name)
    if (
        declared is not None
        and declared.constructor_method is not None
        and declared.from_value is None
    ):
        from k8swin_lab.powershell.dotnet.members import construct

        try:
            return construct(interp, type_name, [value])
        except Terminating as error:
            if getattr(error, "error_id", "") != "MethodCountCouldNotFindBest":
                raise failure(
                    value, type_name, str(error), "InvalidCastConstructorException"
                ) from error
    if source_kind(value) in ("bool", "char", "date", "enum"):
        raise not_convertible(value, type_name)
    raise no_conversion(value, type_name)


def _to_enum_source(value: Any, type_name: str) -> Any:
    """What an enumeration reads: names and numbers."""
    if is_instance(value, type_name):
        return value
    kind = source_kind(value)
    if kind in ("bool", "char", "date"):
        raise not_convertible(value, type_name)
    if kind in ("other", "record", "table") and not is_sequence(value):
        raise no_conversion(value, type_name)
    return to_string(value) if isinstance(value, float | Decimal) else value


def _to_generic(interp: Any, value: Any, type_name: str) -> Any:
    from k8swin_lab.powershell.dotnet.members import construct

    definition = type_name.partition("[")[0]
    if definition in (
        "System.Collections.Generic.IEnumerable`1",
        "System.Collections.Generic.IList`1",
        "System.Collections.Generic.ICollection`1",
    ):
        return _to_array(interp, value, type_name, generic_arguments(type_name)[0])
    if isinstance(value, list) or not isinstance(value, Hashtable):
        return construct(interp, type_name, [PSArray(_items(value))])
    return construct(interp, type_name, [value])


def _from_table(interp: Any, table: Hashtable, type_name: str) -> Any:
    from k8swin_lab.powershell.dotnet.members import construct, has_member, set_member

    result = construct(interp, type_name, [])
    for key, item in table.items():
        if not has_member(result, str(key)):
            raise no_property(type_name, str(key))
        set_member(result, str(key), item)
    return result
