"""Members that a script adds to an object: script properties, aliases, script methods, notes on any value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.records import ScriptBlock, ScriptProperty
from k8swin_lab.powershell.values import PSArray

_SMA = "System.Management.Automation."


class BoundScriptProperty(ScriptProperty):
    """A script property (or an alias of a property) that Add-Member made.

    It keeps the session, so that it can be read where no session is at hand. An alias is a script
    property that reads and writes the property it stands for.
    """

    __slots__ = ("kind", "session", "target")

    def __init__(
        self,
        session: Any,
        getter: ScriptBlock,
        setter: ScriptBlock | None = None,
        *,
        kind: str = "ScriptProperty",
        target: str = "",
    ) -> None:
        super().__init__(getter, setter)
        self.session = session
        self.kind = kind
        self.target = target

    def read_member(self, owner: Any) -> Any:
        """The property's value for this object."""
        found = self.session.invoke(self.getter, [], this=owner)
        return (found[0] if len(found) == 1 else PSArray(found)) if found else None

    def write_member(self, owner: Any, value: Any) -> None:
        """Assign through the setter.

        Raises:
            Terminating: there is none.
        """
        if self.setter is None:
            raise Terminating(
                f'Set accessor for property "{self.target}" is unavailable.',
                exception=_SMA + "SetValueException",
                error_id="SetWithoutSetterFromScriptProperty",
            )
        self.session.invoke(self.setter, [value], this=owner)


def read(member: Any, owner: Any) -> Any:
    """A stored property's value, computed if need be."""
    return member.read_member(owner) if isinstance(member, BoundScriptProperty) else member


class ExtendedString(str):
    """A string that carries note properties (Add-Member on a string, lines of Get-Content)."""

    __slots__ = ("added",)
    added: dict[str, Any]


def attach(value: Any, name: str, member: Any) -> Any:
    """Add a property to a value that is no PSObject and return the value that carries it."""
    if isinstance(value, str) and not hasattr(value, "added"):
        if type(value) is not str:
            return value
        value = ExtendedString(value)
    store = getattr(value, "added", None)
    if store is None:
        store = {}
        try:
            value.added = store
        except AttributeError:
            return value
    store[name] = member
    return value


def attach_method(value: Any, name: str, method: Callable[..., Any]) -> Any:
    """Add a method to a value that is no PSObject."""
    store = getattr(value, "added_methods", None)
    if store is None:
        store = {}
        try:
            value.added_methods = store
        except AttributeError:
            return value
    store[name.lower()] = method
    return value
