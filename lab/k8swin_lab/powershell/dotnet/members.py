"""Reading, writing and calling members of any value; static members; constructors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from k8swin_lab.known import dotnet as framework
from k8swin_lab.known import signatures
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet import (
    enums,
    exceptions,
    extended,
    grids,
    names,
    psobject,
    registry,
    surroundings,
)
from k8swin_lab.powershell.dotnet.comparison import compare, equals
from k8swin_lab.powershell.dotnet.composite import format_value
from k8swin_lab.powershell.dotnet.conversion import convert
from k8swin_lab.powershell.dotnet.registry import NetType, no_method, no_type
from k8swin_lab.powershell.dotnet.text import CUSTOM_OBJECT, is_sequence, to_string
from k8swin_lab.powershell.dotnet.typing_of import type_name_of
from k8swin_lab.powershell.records import TypeValue
from k8swin_lab.powershell.values import Hashtable, PSArray, PSObject

_MISSING = object()
_VIEWS = frozenset(("psobject", "psbase", "psextended", "psadapted", "pstypenames"))


def _types(value: Any) -> list[NetType]:
    if isinstance(value, PSObject):
        found: list[NetType] = []
        for name in value.type_names:
            for declared in registry.chain(name):
                if declared not in found:
                    found.append(declared)
        return found
    declared_types = registry.chain(type_name_of(value))
    if isinstance(value, PSArray) and not declared_types:
        return registry.chain("System.Array")
    return declared_types


def _lookup(value: Any, name: str) -> Any:
    """A property's value, or _MISSING."""
    folded = name.lower()
    if isinstance(value, PSObject):
        if name in value.properties:
            return extended.read(value.properties[name], value)
        if folded == "pstypenames":
            return psobject.TypeNames(value)
    elif isinstance(value, Hashtable):
        if name in value:
            return value[name]
        for key in () if name in value else value:
            if not isinstance(key, str) and to_string(key) == name:
                return value[key]
    added = getattr(value, "added", None)
    if added:
        for key, member in added.items():
            if key.lower() == folded:
                return extended.read(member, value)
    for declared in _types(value):
        found = declared.properties.get(folded)
        if found is not None:
            return found.get(value)
    if folded in _VIEWS:
        return psobject.TypeNames(value) if folded == "pstypenames" else psobject.View(value)
    if folded in ("count", "length") and not isinstance(value, PSObject | Hashtable | str | list):
        return 1 if folded == "length" or not hasattr(value, "__len__") else len(value)
    return _MISSING


def _refuse(value: Any, name: str) -> None:
    """Say of a property that it is not simulated, when the value's type has it in .NET or Windows.

    Raises:
        NotSimulated: it is such a property. Without it, a script would be given $null.
    """
    if isinstance(value, PSObject):
        own = [n for n in value.type_names if not n.startswith(("Selected.", "Deserialized."))]
        if len(own) != len(value.type_names) or CUSTOM_OBJECT in own:
            return
    else:
        own = [type_name_of(value)]
    for type_name in own:
        if framework.has_property(type_name, name) or (
            framework.has_method(type_name, name) and psobject.find_method(value, name) is None
        ):
            raise NotSimulated(f"[{type_name}].{name}")


def get_member(value: Any, name: str) -> Any:
    """A property's value; $null when there is no such property."""
    if value is None:
        return None
    found = _lookup(value, name)
    if found is not _MISSING:
        return found
    if isinstance(value, PSObject) and name.lower() in ("count", "length"):
        return 1
    method = psobject.find_method(value, name)
    if method is None:
        _refuse(value, name)
    return method


def _names(value: Any) -> list[str]:
    return value.type_names if isinstance(value, PSObject) else [type_name_of(value)]


def has_member(value: Any, name: str) -> bool:
    """Whether the value itself has a property of that name (methods and intrinsic members do not count)."""
    if value is None:
        return False
    folded = name.lower()
    if isinstance(value, PSObject):
        if name in value.properties or folded in _VIEWS:
            return True
    elif isinstance(value, Hashtable) and name in value:
        return True
    added = getattr(value, "added", None)
    if added and any(key.lower() == folded for key in added):
        return True
    if folded in _VIEWS or any(folded in declared.properties for declared in _types(value)):
        return True
    if folded not in ("count", "length"):
        _refuse(value, name)
    return False


def set_member(value: Any, name: str, new: Any) -> None:
    """Assign a property.

    Raises:
        Terminating: there is no such property, it is read-only, or the value does not convert.
    """
    folded = name.lower()
    if isinstance(value, PSObject) and name in value.properties:
        current = value.properties[name]
        if isinstance(current, extended.BoundScriptProperty):
            current.write_member(value, new)
        else:
            value.properties[name] = new
        return
    added: dict[str, Any] = getattr(value, "added", None) or {}
    for key in list(added):
        if key.lower() == folded:
            if isinstance(added[key], extended.BoundScriptProperty):
                added[key].write_member(value, new)
            else:
                added[key] = new
            return
    for declared in _types(value):
        found = declared.properties.get(folded)
        if found is not None and (found.set is not None or not isinstance(value, Hashtable)):
            if found.set is None:
                raise registry.read_only(found.name)
            found.set(value, new)
            return
    if isinstance(value, Hashtable):
        value[name] = new
        return
    _refuse(value, name)
    raise Terminating(
        f"The property '{name}' cannot be found on this object. Verify that the property exists and can "
        "be set.",
        exception=registry.RUNTIME_EXCEPTION,
        category="InvalidOperation",
        error_id="PropertyNotFound",
        target=None,
    )


def call_method(interp: Any, value: Any, name: str, args: list[Any]) -> Any:
    """Call a method.

    Raises:
        Terminating: MethodNotFound (a RuntimeException), or what the method itself throws.
    """
    folded = name.lower()
    if isinstance(value, psobject.BoundMethod) and folded == "invoke":
        return value.invoke(interp, args)
    if isinstance(value, PSObject):
        for own, method in value.methods.items():
            if own.lower() == folded:
                return method(*args)
    added = getattr(value, "added_methods", None)
    if added and folded in added:
        return added[folded](*args)
    for declared in _types(value):
        found = declared.methods.get(folded)
        if found is not None:
            return found.call(interp, (value,), args)
    return _universal(interp, value, folded, name, args)


def _universal(interp: Any, value: Any, folded: str, name: str, args: list[Any]) -> Any:
    if folded == "gettype" and not args:
        return TypeValue(type_name_of(value).partition("#")[0])
    if folded == "tostring":
        if not args:
            return _own_text(value)
        pattern = next((a for a in args if isinstance(a, str)), "")
        provider = any(not isinstance(a, str) and a is not None for a in args)
        return format_value(value, pattern, invariant=provider)
    if folded == "equals" and len(args) == 1:
        return (
            equals(value, args[0], False) if type_name_of(value) == type_name_of(args[0]) else False
        )
    if folded == "gethashcode" and not args:
        return hash(value) & 0x7FFFFFFF if value.__hash__ else id(value) & 0x7FFFFFFF
    if folded == "compareto" and len(args) == 1:
        return compare(value, args[0], False)
    if folded == "hasflag" and isinstance(getattr(value, "enum_number", None), int):
        if type_name_of(args[0]) != value.type_name:
            raise Terminating(
                f"The argument type, '{type_name_of(args[0])}', is not the same as the enum type "
                f"'{value.type_name}'.",
                exception="System.ArgumentException",
            )
        other = args[0]
        return value.enum_number & other.enum_number == other.enum_number
    if folded in ("dispose", "close") and isinstance(value, registry.NetObject) and not args:
        return None
    if folded == "getenumerator" and hasattr(value, "__iter__") and not args:
        return iter(value)
    if folded.startswith(("get_", "set_")) and len(name) > 4:
        return _accessor(value, folded, name[4:], args)
    raise _missing(type_name_of(value), ".", name, _names(value))


def _own_text(value: Any) -> str:
    if isinstance(value, list):
        declared = registry.find(type_name_of(value))
        return declared.to_text(value) if declared and declared.to_text else type_name_of(value)
    is_custom = isinstance(value, PSObject) and value.type_names[-1:] == [CUSTOM_OBJECT]
    if is_custom and value.display is None and not value.methods:
        return ""
    if isinstance(value, TypeValue):
        return names.display_name(value.name)
    if is_sequence(value):
        declared = registry.find(type_name_of(value))
        if declared is None or declared.to_text is None:
            return type_name_of(value)
    return format_value(value)


def _accessor(value: Any, folded: str, name: str, args: list[Any]) -> Any:
    """`get_Name()` and `set_Name(x)` are how .NET calls properties."""
    if folded == "get_item" and len(args) == 1 and not isinstance(value, PSObject):
        return get_index(value, args[0])
    if folded == "set_item" and len(args) == 2:
        set_index(value, args[0], args[1])
        return None
    if folded.startswith("get_") and not args:
        # The accessor is the type's own, also where a dictionary's key has the same name.
        for declared in _types(value):
            found = declared.properties.get(name.lower())
            if found is not None:
                return found.get(value)
    if folded.startswith("set_") and len(args) == 1 and has_member(value, name):
        set_member(value, name, args[0])
        return None
    raise _missing(type_name_of(value), ".", folded[:4] + name)


def get_index(value: Any, index: Any) -> Any:
    """`value[index]` for values that are not plain arrays, strings or hashtables."""
    getter = getattr(value, "named", None)
    if getter is not None:
        return getter(index)
    if isinstance(value, Hashtable):
        return value.get(index)
    if isinstance(value, list | str):
        position = int(convert(None, index, "System.Int32"))
        return value[position] if -len(value) <= position < len(value) else None
    for declared in _types(value):
        method = declared.methods.get("get_item")
        if method is not None:
            return method.call(None, (value,), [index])
    raise Terminating(
        f"Unable to index into an object of type {type_name_of(value)}.",
        exception=registry.RUNTIME_EXCEPTION,
        category="InvalidOperation",
        error_id="CannotIndex",
    )


def set_index(value: Any, index: Any, new: Any) -> None:
    """`value[index] = new`."""
    setter = getattr(value, "set_named", None)
    if setter is not None:
        setter(index, new)
        return
    if isinstance(value, Hashtable):
        value[index] = new
        return
    if isinstance(value, list):
        value[int(convert(None, index, "System.Int32"))] = new
        return
    raise Terminating(
        f"Unable to index into an object of type {type_name_of(value)}.",
        exception=registry.RUNTIME_EXCEPTION,
        category="InvalidOperation",
        error_id="CannotIndex",
    )


def _known(type_name: str) -> list[NetType]:
    declared = registry.chain(type_name)
    if not declared and type_name.endswith("[]"):
        declared = registry.chain("System.Array")
    return declared


def static_get(type_name: str, member: str, interp: Any) -> Any:
    """`[type]::Member` in a session, whose machine some of them depend on; $null when there is none."""
    folded = member.lower()
    found = surroundings.value(interp, type_name, folded)
    if found is not None:
        return found
    enum = enums.find(type_name)
    if enum is not None:
        for name, number in enum.members.items():
            if name.lower() == folded:
                return enum.of(number)
        if not framework.exists(type_name):
            return None  # an enumeration of the script's has nothing else
    for declared in _known(type_name):
        if folded in declared.static_values:
            found = declared.static_values[folded]
            return found() if callable(found) else found
    method = psobject.find_static(type_name, member)
    if method is None and (
        framework.has_static(type_name, member)
        or (_known(type_name) and not framework.lineage(type_name))
    ):
        raise NotSimulated(f"[{type_name}]::{member}")
    return method


def static_set(type_name: str, member: str, new: Any, interp: Any) -> None:
    """`[type]::Member = new`, in a session."""
    for declared in _known(type_name):
        setter = declared.static_setters.get(member.lower())
        if setter is not None:
            setter(interp, new)
            return
        fixed = declared.static_names.get(member.lower())
        if fixed is not None:
            raise registry.read_only(fixed)
    if framework.has_static(type_name, member):
        raise NotSimulated(f"[{type_name}]::{member} =")
    raise Terminating(
        f"The property '{member}' cannot be found on this object. Verify that the property exists and can "
        "be set.",
        exception=registry.RUNTIME_EXCEPTION,
        category="InvalidOperation",
        error_id="PropertyAssignmentException",
    )


def static_call(interp: Any, type_name: str, method: str, args: list[Any]) -> Any:
    """`[type]::Method(args)`, `new` included."""
    folded = method.lower()
    if folded == "new":
        return construct(interp, type_name, args)
    for declared in _known(type_name):
        found = declared.static_methods.get(folded)
        if found is not None:
            if declared is enums.ENUM and enums.find(type_name) is not None:
                args = [TypeValue(type_name), *args]
            return found.call(interp, (), args)
    if not _known(type_name) and names.resolve_type(type_name) is None:
        raise no_type(type_name)
    raise _missing(type_name, "::", method)


def _missing(type_name: str, mark: str, method: str, others: Sequence[str] = ()) -> Exception:
    """What is said of a method that is not there: the lab knows a part of .NET's, and all of a script's own."""
    has = framework.has_static if mark == "::" else framework.has_method
    plain = method[4:] if method.lower().startswith(("get_", "set_")) else ""
    for own in others or (type_name,):
        listed = framework.lineage(own)
        if (
            has(own, method)
            or (plain and framework.has_property(own, plain))
            or (not listed and _known(own))
        ):
            return NotSimulated(f"[{type_name}]{mark}{method}()")
    return no_method(type_name, method)


def construct(interp: Any, type_name: str, args: list[Any]) -> Any:
    """Make an instance.

    Raises:
        Terminating: TypeNotFound, no such constructor, or what the constructor throws.
    """
    element = names.element_type(type_name)
    if element is not None:
        return PSArray([_zero(interp, element)] * (int(args[0]) if args else 0), element)
    if type_name.endswith(",]"):
        element = type_name.partition("[")[0]
        grids.declare(type_name)
        return grids.Grid(element, [int(size) for size in args], _zero(interp, element))
    if exceptions.is_exception(type_name):
        return exceptions.construct(type_name, args)
    declared = registry.find(type_name)
    if declared is not None and declared.constructor_method is not None:
        method = declared.constructor_method
        if "`" in type_name:
            return _construct_generic(interp, declared, type_name, args)
        try:
            return method.call(interp, (), args)
        except Terminating as error:
            if error.error_id == "MethodCountCouldNotFindBest":
                raise registry.no_overload("new", len(args)) from error
            raise
    if declared is not None and declared.base == "System.ValueType" and not args:
        return convert(interp, 0, type_name)
    if names.resolve_type(type_name) is None:
        raise no_type(type_name)
    if type_name == "System.Object":
        return PSObject([], type_names=["System.Object"])
    if names.short_name(type_name)[:1] == "I" and names.short_name(type_name)[1:2].isupper():
        return None  # a script's class names an interface as its base
    made = signatures.find(type_name, signatures.CONSTRUCTOR, static=True)
    if declared is None or (made is not None and made.takes(len(args))):
        raise NotSimulated(f"[{type_name}]::new()")
    raise Terminating(
        f"A constructor was not found. Cannot find an appropriate constructor for type {type_name}.",
        exception="System.Management.Automation.PSArgumentException",
        category="ObjectNotFound",
        error_id="CannotFindAppropriateCtor",
    )


def _zero(interp: Any, element: str) -> Any:
    """What the elements of a new array are: zero for value types, else $null."""
    declared = registry.find(element)
    if declared is None or declared.base != "System.ValueType":
        return None
    return convert(interp, _ZEROS.get(element, 0), element)


_ZEROS: dict[str, Any] = {"System.Boolean": False, "System.Char": 0}


def _construct_generic(interp: Any, declared: NetType, type_name: str, args: list[Any]) -> Any:
    method = declared.constructor_method
    assert method is not None  # noqa: S101 - the caller has looked
    if method.wants_session:
        return method.function(interp, type_name, *args)
    return method.function(type_name, *args)


def _is_hidden(value: PSObject, name: str) -> bool:
    """Whether a script's class declares the property `hidden`."""
    ps_class = getattr(value, "ps_class", None)
    declared = None if ps_class is None else ps_class.property(name.lower())
    return declared is not None and bool(declared.hidden)


def property_names(value: Any) -> list[str]:
    """Names of all properties in the order that Select-Object * and Format-List show them."""
    if isinstance(value, PSObject):
        found = [name for name in value.properties if not _is_hidden(value, name)]
    else:
        found = [
            prop.name
            for declared in reversed(_types(value))
            for prop in declared.properties.values()
        ]
        if isinstance(value, registry.NetObject) or len(_types(value)) > 1:
            found = [
                prop.name for declared in _types(value) for prop in declared.properties.values()
            ]
    added = getattr(value, "added", None)
    if added:
        found.extend(added)
    if isinstance(value, PSObject):
        known = {name.lower() for name in found}
        for declared in _types(value):
            found.extend(
                p.name for p in declared.properties.values() if p.name.lower() not in known
            )
    return list(dict.fromkeys(found))
