"""The text form of any value: what a cast to [string] and an expandable string give."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from k8swin_lab.powershell.dotnet import registry
from k8swin_lab.powershell.dotnet.names import literal_name
from k8swin_lab.powershell.dotnet.numeric_format import double_text
from k8swin_lab.powershell.dotnet.typing_of import type_name_of
from k8swin_lab.powershell.records import (
    ErrorRecord,
    ExceptionObject,
    Reference,
    ScriptBlock,
    TypeValue,
)
from k8swin_lab.powershell.values import Hashtable, PSObject

_REFERENCE = "System.Management.Automation.PSReference"
CUSTOM_OBJECT = "System.Management.Automation.PSCustomObject"


def to_string(value: Any, separator: str = " ") -> str:
    """Convert as [string] does; `separator` is $OFS."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    extra = getattr(value, "added_methods", None)
    if extra and "tostring" in extra:
        return str(extra["tostring"]())
    if isinstance(value, PSObject):
        return _object_text(value)
    for declared in registry.chain(type_name_of(value)):
        if declared.to_text is not None:
            return declared.to_text(value)
    if isinstance(value, Hashtable):
        return type_name_of(value)
    if isinstance(value, list | tuple) or is_sequence(value):
        return separator.join(_item_text(item, separator) for item in value)
    if isinstance(value, TypeValue):
        return literal_name(value.name)
    if isinstance(value, ScriptBlock):
        return value.text
    if isinstance(value, Reference):
        return f"{_REFERENCE}`1[{type_name_of(value.get())}]"
    if isinstance(value, bytes | bytearray):
        return separator.join(str(item) for item in value)
    if hasattr(value, "type_name") and "__str__" not in _defined(value):
        return type_name_of(value)
    return str(value)


def _defined(value: Any) -> set[str]:
    """What the classes of a value define themselves."""
    return {name for kind in type(value).__mro__[:-1] for name in vars(kind)}


def is_sequence(value: Any) -> bool:
    """Whether a .NET object of ours enumerates (a queue, a set, a match collection)."""
    return isinstance(value, registry.NetObject) and hasattr(value, "__iter__")


def _item_text(item: Any, separator: str) -> str:
    if isinstance(item, list):
        return type_name_of(item)
    return to_string(item, separator)


def _object_text(value: PSObject) -> str:
    ps_class = getattr(value, "ps_class", None)
    if ps_class is not None and ps_class.finds("tostring"):
        return str(ps_class.call(ps_class.frame.interp, value, "ToString", []))
    for name, method in value.methods.items():
        if name.lower() == "tostring" and not isinstance(method, ScriptBlock):
            return to_string(method())
    if value.display is not None:
        return value.display
    if isinstance(value, ErrorRecord):
        return value.message
    if isinstance(value, ExceptionObject):
        return exception_text(value)
    types = value.type_names
    if types and types[-1] != CUSTOM_OBJECT and not types[0].startswith("Selected."):
        declared = registry.find(types[0])
        if declared is not None and declared.to_text is not None:
            return declared.to_text(value)
        return types[0]
    parts = (f"{name}={_property_text(item, value)}" for name, item in value.properties.items())
    return "@{" + "; ".join(parts) + "}" if value.properties else ""


def _property_text(item: Any, owner: PSObject) -> str:
    reader = getattr(item, "read_member", None)
    if reader is not None:
        item = reader(owner)
    if (
        isinstance(item, PSObject)
        and item.display is None
        and item.type_names[-1:] == [CUSTOM_OBJECT]
    ):
        return ""
    if isinstance(item, list | Hashtable):
        return type_name_of(item)
    return to_string(item)


def exception_text(value: ExceptionObject) -> str:
    """`Exception.ToString()`, without stack traces."""
    text = f"{value.type_name}: {value.message}" if value.message else value.type_name
    if value.inner is not None:
        text += (
            f" ---> {exception_text(value.inner)}\r\n   --- End of inner exception stack trace ---"
        )
    return text
