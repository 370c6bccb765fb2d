"""Properties as cmdlets read them: by name, wildcard, script block or calculated-property table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet.members import get_member, has_member, property_names
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.records import ScriptBlock, ScriptProperty
from k8swin_lab.powershell.values import Hashtable, PSArray, PSObject
from k8swin_lab.powershell.wildcards import wildcard


def property_value(session: Any, value: Any, name: str) -> Any:
    """A property's value, script properties computed; $null when there is none."""
    if isinstance(value, PSObject) and name in value.properties:
        stored = value.properties[name]
        if isinstance(stored, ScriptProperty):
            return collapse(session.invoke(stored.getter, [], this=value))
        return stored
    return get_member(value, name) if has_property(value, name) else None


def has_property(value: Any, name: str) -> bool:
    """Whether a value has a property of that name."""
    if value is None:
        return False
    return has_member(value, name) or (
        name.lower() in ("length", "count") and isinstance(value, str | list)
    )


def collapse(found: list[Any]) -> Any:
    """What a script block wrote, as one value."""
    if len(found) == 1:
        return found[0]
    return PSArray(found) if found else None


def names_of(value: Any) -> list[str]:
    """The property names that `*` stands for."""
    if isinstance(value, Hashtable) and not isinstance(value, PSObject):
        return [to_string(key) for key in value]
    return property_names(value)


@dataclass
class Selector:
    """One item of a -Property argument: where a value comes from, and what it is called."""

    label: str
    read: Callable[[Any], Any]
    pattern: str = ""
    options: dict[str, Any] = field(default_factory=dict)


_KEYS = {
    "name": ("name", "label", "n", "l"),
    "expression": ("expression", "e"),
    "format": ("formatstring", "f", "format"),
    "width": ("width", "w"),
    "align": ("alignment", "align", "a"),
    "descending": ("descending", "desc"),
    "ascending": ("ascending", "asc"),
}


def selectors(session: Any, items: Any) -> list[Selector]:
    """The -Property argument of Select-Object, Sort-Object, Group-Object, Format-*.

    Raises:
        Terminating: an item is neither a name, a script block nor a valid table.
    """
    given = items if isinstance(items, list) else [items]
    return [selector(session, item) for item in given if item is not None]


def selector(session: Any, item: Any) -> Selector:
    """One item of a -Property argument."""
    if isinstance(item, Hashtable):
        return _from_table(session, item)
    if isinstance(item, ScriptBlock):
        return Selector(item.text, _block_reader(session, item))
    name = to_string(item)
    return Selector(name, lambda value: property_value(session, value, name), pattern=name)


def _block_reader(session: Any, block: ScriptBlock) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        return collapse(session.invoke(block, [], dollar_underbar=value))

    return read


def _from_table(session: Any, table: Hashtable) -> Selector:
    options: dict[str, Any] = {}
    expression: Any = None
    label = ""
    for key, value in table.items():
        folded = to_string(key).lower()
        kind = next((k for k, names in _KEYS.items() if folded in names), None)
        if kind is None:
            matches = [k for k, names in _KEYS.items() if names[0].startswith(folded)]
            if len(matches) != 1:
                raise Terminating(
                    f"The {to_string(key)} key is not valid.",
                    exception="System.NotSupportedException",
                    category="InvalidArgument",
                    error_id="DictionaryKeyUnknown",
                )
            kind = matches[0]
        if kind == "name":
            label = to_string(value)
        elif kind == "expression":
            expression = value
        else:
            options[kind] = value
    if expression is None:
        expression = label
    inner = selector(session, expression)
    return Selector(label or inner.label, inner.read, options=options)


def expand(selector_: Selector, value: Any) -> list[str] | None:
    """The property names that a wildcard stands for; None when the item is no wildcard."""
    if not selector_.pattern or not any(char in selector_.pattern for char in "*?["):
        return None
    regex = wildcard(selector_.pattern)
    return [name for name in names_of(value) if regex.fullmatch(name)]
