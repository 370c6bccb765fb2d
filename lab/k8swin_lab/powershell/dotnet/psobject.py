"""`$x.psobject`: properties, methods and type names of any value as objects."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet import extended, registry
from k8swin_lab.powershell.dotnet.enums import value as enum_value
from k8swin_lab.powershell.dotnet.names import literal_name
from k8swin_lab.powershell.dotnet.registry import NetObject, NetType
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.typing_of import base_types, type_name_of
from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.values import Hashtable, PSArray, PSObject

_SMA = "System.Management.Automation."
_HASHTABLE_PROPERTIES = (
    "IsReadOnly",
    "IsFixedSize",
    "IsSynchronized",
    "Keys",
    "Values",
    "SyncRoot",
    "Count",
)


class TypeNames(list[str]):
    """`PSObject.TypeNames`; changes go to the object."""

    type_name = "System.Collections.ObjectModel.Collection`1[System.String]"

    def __init__(self, value: Any) -> None:
        super().__init__(type_names(value))
        self._value = value

    def store(self) -> None:
        """Write the list back to the object."""
        if isinstance(self._value, PSObject):
            names = list(self)
            self._value.type_names = names[:-1] if names[-1:] == ["System.Object"] else names


def type_names(value: Any) -> list[str]:
    """The type names, most derived first, "System.Object" last."""
    if isinstance(value, PSObject):
        return [
            *value.type_names,
            *(() if value.type_names[-1:] == ["System.Object"] else ("System.Object",)),
        ]
    return base_types(type_name_of(value))


class MemberEntry(NetObject):
    """One property of an object: Name, Value (settable), MemberType."""

    def __init__(self, owner: Any, name: str) -> None:
        self.owner = owner
        self.name = name

    @property
    def kind(self) -> str:
        store = (
            self.owner.properties
            if isinstance(self.owner, PSObject)
            else getattr(self.owner, "added", {})
        )
        member = store.get(self.name)
        if isinstance(member, extended.BoundScriptProperty):
            return member.kind
        if self.name not in store:
            return "Property"
        if getattr(self.owner, "ps_class", None) is not None:
            return "Property"
        if isinstance(self.owner, PSObject):
            custom = self.owner.type_names[-1:] == [_SMA + "PSCustomObject"]
            return (
                "NoteProperty"
                if custom or not registry.find(self.owner.type_names[0])
                else "Property"
            )
        return "NoteProperty"

    @property
    def type_name(self) -> str:  # type: ignore[override]
        kind = self.kind
        return _SMA + ("PSProperty" if kind == "Property" else "PS" + kind)

    def get(self) -> Any:
        from k8swin_lab.powershell.dotnet.members import get_member

        return get_member(self.owner, self.name)

    def set(self, new: Any) -> None:
        from k8swin_lab.powershell.dotnet.members import set_member

        set_member(self.owner, self.name, new)

    def settable(self) -> bool:
        if isinstance(self.owner, PSObject):
            member = self.owner.properties.get(self.name)
            return (
                member.setter is not None
                if isinstance(member, extended.BoundScriptProperty)
                else True
            )
        return self.kind == "NoteProperty"

    def __str__(self) -> str:
        value = self.get()
        shown = "null" if value is None else to_string(value)
        return f"{literal_name(type_name_of(value)) if value is not None else 'object'} {self.name}={shown}"


class BoundMethod(NetObject):
    """A method as a value: `$x.Trim` without parentheses."""

    type_name = _SMA + "PSMethod"

    def __init__(self, value: Any, method: registry.Method | Any, name: str) -> None:
        self.value = value
        self.method = method
        self.name = name

    def invoke(self, interp: Any, args: list[Any]) -> Any:
        from k8swin_lab.powershell.dotnet.members import call_method

        return call_method(interp, self.value, self.name, args)


class StaticMethod(NetObject):
    """A static method as a value: `[math]::Max` without parentheses."""

    type_name = _SMA + "PSMethod"

    def __init__(self, owner: str, name: str) -> None:
        self.owner = owner
        self.name = name


def find_static(type_name: str, member: str) -> StaticMethod | None:
    """The static method of that name as a value."""
    for declared in registry.chain(type_name):
        found = declared.static_methods.get(member.lower())
        if found is not None:
            return StaticMethod(type_name, found.name)
    return None


def find_method(value: Any, name: str) -> BoundMethod | None:
    """The method of that name as a value."""
    folded = name.lower()
    if isinstance(value, PSObject):
        for own, method in value.methods.items():
            if own.lower() == folded:
                return BoundMethod(value, method, own)
    added = getattr(value, "added_methods", None)
    if added and folded in added:
        return BoundMethod(value, added[folded], name)
    for declared in registry.chain(type_names(value)[0]):
        found = declared.methods.get(folded)
        if found is not None:
            return BoundMethod(value, found, found.name)
    if folded in ("gettype", "tostring", "equals", "gethashcode"):
        return BoundMethod(value, None, name)
    return None


def entries(value: Any) -> list[MemberEntry]:
    """The properties as entries."""
    from k8swin_lab.powershell.dotnet.members import property_names

    if isinstance(value, Hashtable) and not isinstance(value, NetObject):
        names = [*_HASHTABLE_PROPERTIES, *getattr(value, "added", {})]
        return [MemberEntry(value, name) for name in names]
    return [MemberEntry(value, name) for name in property_names(value)]


class MemberCollection(NetObject):
    """`PSObject.Properties`: enumerates, and is indexed by name."""

    type_name = (
        _SMA + "PSMemberInfoIntegratingCollection`1[System.Management.Automation.PSPropertyInfo]"
    )

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    def __iter__(self) -> Iterator[MemberEntry]:
        return iter(entries(self.owner))

    def __len__(self) -> int:
        return len(entries(self.owner))

    def named(self, name: Any) -> MemberEntry | None:
        """The entry of that name (without case), or None."""
        folded = to_string(name).lower()
        return next((entry for entry in self if entry.name.lower() == folded), None)


class MethodCollection(NetObject):
    """`PSObject.Methods`."""

    type_name = (
        _SMA + "PSMemberInfoIntegratingCollection`1[System.Management.Automation.PSMethodInfo]"
    )

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    def __iter__(self) -> Iterator[BoundMethod]:
        return iter(methods(self.owner))

    def __len__(self) -> int:
        return len(methods(self.owner))

    def named(self, name: Any) -> BoundMethod | None:
        """The method of that name, or None."""
        return find_method(self.owner, to_string(name))


def methods(value: Any) -> list[BoundMethod]:
    """The methods that the lab knows of a value."""
    found: dict[str, BoundMethod] = {}
    if isinstance(value, PSObject):
        for name, method in value.methods.items():
            found[name.lower()] = BoundMethod(value, method, name)
    for declared in registry.chain(type_names(value)[0]):
        for name, declared_method in declared.methods.items():
            found.setdefault(name, BoundMethod(value, declared_method, declared_method.name))
    for name in ("Equals", "GetHashCode", "GetType", "ToString"):
        found.setdefault(name.lower(), BoundMethod(value, None, name))
    return sorted(found.values(), key=lambda method: method.name.lower())


class View(NetObject):
    """What `$x.psobject` is."""

    type_name = _SMA + "PSObject"

    def __init__(self, value: Any) -> None:
        self.value = value


VIEW = NetType(_SMA + "PSMemberSet")
View.type_name = VIEW.name
VIEW.prop("BaseObject", lambda view: view.value)
VIEW.prop("ImmediateBaseObject", lambda view: view.value)
VIEW.prop("Properties", lambda view: MemberCollection(view.value))
VIEW.prop("Members", lambda view: MemberCollection(view.value))
VIEW.prop("Methods", lambda view: MethodCollection(view.value))
VIEW.prop("TypeNames", lambda view: TypeNames(view.value))


@VIEW.method("Copy")
def _copy(view: View) -> Any:
    return copy_object(view.value)


def copy_object(value: Any) -> Any:
    """A shallow copy of an object."""
    if not isinstance(value, PSObject):
        return value
    result = PSObject(
        [],
        type_names=value.type_names,
        methods=dict(value.methods),
        display=value.display,
        default_properties=value.default_properties,
    )
    for name, item in value.properties.items():
        result.properties[name] = item
    return result


ENTRY = NetType(_SMA + "PSPropertyInfo")
for _name in (
    "PSNoteProperty",
    "PSProperty",
    "PSScriptProperty",
    "PSAliasProperty",
    "PSCodeProperty",
):
    NetType(_SMA + _name, ENTRY.name)
ENTRY.prop("Name", lambda entry: entry.name)
ENTRY.prop("Value", lambda entry: entry.get(), lambda entry, new: entry.set(new))
ENTRY.prop("MemberType", lambda entry: enum_value(_SMA + "PSMemberTypes", entry.kind))
ENTRY.prop("IsSettable", lambda entry: entry.settable())
ENTRY.prop("IsGettable", lambda entry: True)
ENTRY.prop("IsInstance", lambda entry: True)
ENTRY.prop(
    "TypeNameOfValue",
    lambda entry: "System.Object" if entry.get() is None else type_name_of(entry.get()),
)
ENTRY.to_text = str


class NewNote(NetObject):
    """`[psnoteproperty]::new(name, value)`, to be added to an object."""

    type_name = _SMA + "PSNoteProperty"

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value


registry.TYPES[(_SMA + "PSNoteProperty").lower()].constructor(
    lambda name, value: NewNote(to_string(name), value)
)
registry.ACCELERATORS["psnoteproperty"] = _SMA + "PSNoteProperty"

COLLECTION = NetType(
    "System.Management.Automation.PSMemberInfoIntegratingCollection`1",
    interfaces=("System.Collections.IEnumerable",),
)
COLLECTION.prop("Count", len)
COLLECTION.to_text = lambda value: " ".join(to_string(item) for item in value)
COLLECTION.method("Item", "get_Item")(lambda self, name: self.named(name))


@COLLECTION.method("Match")
def _match(self: MemberCollection, pattern: str) -> PSArray:
    import fnmatch

    folded = pattern.lower()
    return PSArray(entry for entry in self if fnmatch.fnmatchcase(entry.name.lower(), folded))


@COLLECTION.method("Add")
def _add(self: MemberCollection, member: Any, pre_validated: Any = None) -> None:
    if isinstance(self.owner, PSObject):
        if member.name in self.owner.properties:
            raise Terminating(
                f'Cannot add a member with the name "{member.name}" because a member with that name '
                "already exists. If you want to overwrite the member anyway, use the Force parameter to "
                "overwrite it.",
                exception=_SMA + "ExtendedTypeSystemException",
                error_id="AlreadyPresentPSMemberInfoInternalCollectionAdd",
            )
        self.owner.properties[member.name] = (
            member.value if isinstance(member, NewNote) else member.get()
        )
    else:
        extended.attach(self.owner, member.name, member.value)


@COLLECTION.method("Remove")
def _remove(self: MemberCollection, name: str) -> None:
    if isinstance(self.owner, PSObject) and name in self.owner.properties:
        del self.owner.properties[name]


METHOD = NetType(_SMA + "PSMethod")
METHOD.prop("Name", lambda method: method.name)
METHOD.prop("MemberType", lambda method: _method_kind(method))
METHOD.prop("OverloadDefinitions", lambda method: PSArray([definition(method)], "System.String"))
METHOD.to_text = lambda method: definition(method)


def _method_kind(method: BoundMethod) -> Any:
    script = isinstance(method.method, ScriptBlock) or (
        method.method is not None and not isinstance(method.method, registry.Method)
    )
    return enum_value(_SMA + "PSMemberTypes", "ScriptMethod" if script else "Method")


def definition(method: BoundMethod | StaticMethod) -> str:
    """A line like Get-Member shows; the lab knows parameter names, not all types."""
    declared = getattr(method, "method", None)
    if isinstance(declared, registry.Method):
        signature = ", ".join(
            f"{kind if kind in ('int', 'bool', 'float') else 'string' if kind == 'str' else 'System.Object'} {name}"
            for name, kind in zip(declared.names, declared.kinds, strict=True)
        )
        return f"{method.name}({signature})"
    if declared is not None and not inspect.isbuiltin(declared):
        return f"System.Object {method.name}();"
    return f"{method.name}()"


NAMES = NetType(
    "System.Collections.ObjectModel.Collection`1", interfaces=("System.Collections.IList",)
)


@NAMES.method("Insert")
def _insert(self: list[Any], index: int, value: Any) -> None:
    self.insert(index, value)
    _store(self)


@NAMES.method("Add")
def _append(self: list[Any], value: Any) -> None:
    self.append(value)
    _store(self)


@NAMES.method("Remove")
def _discard(self: list[Any], value: Any) -> bool:
    found = value in self
    if found:
        self.remove(value)
        _store(self)
    return found


@NAMES.method("Clear")
def _clear(self: list[Any]) -> None:
    self.clear()
    _store(self)


NAMES.method("Contains")(lambda self, value: value in self)
NAMES.method("IndexOf")(lambda self, value: self.index(value) if value in self else -1)
NAMES.prop("Count", len)


def _store(names: list[Any]) -> None:
    if isinstance(names, TypeNames):
        names.store()
