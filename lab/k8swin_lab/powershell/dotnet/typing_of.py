"""The .NET type of a Python value, and what is an instance of what."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from k8swin_lab.powershell.dotnet import registry
from k8swin_lab.powershell.dotnet.names import element_type
from k8swin_lab.powershell.records import (
    EXCEPTION_PARENTS,
    EnumValue,
    ErrorRecord,
    ExceptionObject,
    TypeName,
    TypeValue,
    exception_chain,
    type_name_of,
)
from k8swin_lab.powershell.values import Hashtable, PSObject

_SMA = "System.Management.Automation."
_NUMERIC_ORDER = ("System.IComparable", "System.IConvertible", "System.IFormattable")
_DICTIONARY = (
    "System.Collections.IDictionary",
    "System.Collections.ICollection",
    "System.Collections.IEnumerable",
)
_LIST = (
    "System.Collections.IList",
    "System.Collections.ICollection",
    "System.Collections.IEnumerable",
)


__all__ = ["base_types", "interfaces", "is_assignable", "is_instance", "type_name_of"]


def base_types(type_name: str) -> list[str]:
    """The type and its base types, most derived first, "System.Object" last; interfaces are not in it."""
    if type_name in EXCEPTION_PARENTS or type_name == "System.Exception":
        return [*exception_chain(type_name), "System.Object"]
    if element_type(type_name) is not None:
        return [type_name, "System.Array", "System.Object"]
    declared = registry.chain(type_name)
    if (
        declared
        and declared[-1].name == "System.Exception"
        and declared[0].name not in EXCEPTION_PARENTS
    ):
        return [*(item.name for item in declared), "System.Object"]
    if not declared:
        if type_name.endswith("Exception"):
            return [*exception_chain(type_name), "System.Object"]
        return ["System.Object"] if type_name == "System.Object" else [type_name, "System.Object"]
    names = [type_name, *(item.name for item in declared[1:])]
    base = declared[-1].base
    if base not in names:
        names.append(base)
    if names[-1] != "System.Object":
        names.append("System.Object")
    return names


def interfaces(type_name: str) -> list[str]:
    """The interfaces that a type is known to implement."""
    result: list[str] = []
    if element_type(type_name) is not None:
        result.extend(_LIST)
    for declared in registry.chain(type_name):
        result.extend(declared.interfaces)
    return result


def is_instance(value: Any, type_name: str) -> bool:
    """`value -is [type]`."""
    if value is None:
        return False
    wanted = type_name.lower()
    if wanted == "system.object":
        return True
    if wanted in (
        "system.management.automation.psobject",
        "system.management.automation.pscustomobject",
    ):
        # Only what came out of a cmdlet or a cast is wrapped; the lab keeps no wrapper for others.
        # An instance of a script's class is not wrapped either.
        return (
            isinstance(value, PSObject)
            and not hasattr(value, "ps_class")
            and not isinstance(value, ExceptionObject | ErrorRecord | TypeName)
        )
    own = type_name_of(value)
    if own.lower() == wanted:
        return True
    if isinstance(value, EnumValue) and wanted in ("system.enum", "system.valuetype"):
        return True
    if isinstance(value, TypeValue) and wanted == "system.type":
        return True
    if isinstance(value, PSObject):
        if any(
            name.lower() == wanted for name in value.type_names if not name.startswith("Selected.")
        ):
            return True
        return False if not value.type_names else _derives(value.type_names[0], wanted)
    if isinstance(value, Hashtable) and wanted in (name.lower() for name in _DICTIONARY):
        return True
    if isinstance(value, list) and wanted in (name.lower() for name in _LIST):
        return True
    if isinstance(value, int | float | Decimal) and wanted == "system.valuetype":
        return True
    if isinstance(value, int | float | Decimal | str) and wanted in (
        n.lower() for n in _NUMERIC_ORDER
    ):
        return True
    return _derives(own, wanted)


def _derives(own: str, wanted: str) -> bool:
    if wanted in (name.lower() for name in base_types(own)):
        return True
    return wanted in (name.lower() for name in interfaces(own)) or wanted in (
        name.partition("[")[0].lower() for name in interfaces(own)
    )


def is_assignable(target: str, source: str) -> bool:
    """`[target].IsAssignableFrom([source])`."""
    return target.lower() == source.lower() or _derives(source, target.lower())
