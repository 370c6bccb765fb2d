"""PowerShell's values as Python objects.

| PowerShell                  | Python                                                      |
|-----------------------------|-------------------------------------------------------------|
| $null                       | None                                                        |
| bool, string, double        | bool, str, float                                            |
| int, long                   | int (Int32 when it fits, else Int64)                        |
| byte, uint32, decimal, char | Typed numbers and `Char`, see below                         |
| object[] and typed arrays   | `PSArray` (a list; `element_type` names the type)           |
| hashtable, [ordered]        | `Hashtable` (keys compare without case; keeps its order)    |
| [pscustomobject], cmdlet    | `PSObject`                                                  |
| output objects              |                                                             |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any


class Char(str):
    """[char]: a string of length one that PowerShell tells from [string]."""

    __slots__ = ()


class TypedInt(int):
    """An integer of a declared type other than Int32/Int64: `type_name` is e.g. "System.Byte"."""

    type_name: str

    def __new__(cls, value: int, type_name: str) -> TypedInt:
        self = super().__new__(cls, value)
        self.type_name = type_name
        return self


class Switch:
    """[switch]: not a Boolean, and a condition all the same."""

    __slots__ = ("present",)
    type_name = "System.Management.Automation.SwitchParameter"

    def __init__(self, present: bool = False) -> None:
        self.present = present

    def __bool__(self) -> bool:
        return self.present

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Switch | bool) and self.present == bool(other)

    def __hash__(self) -> int:
        return hash(self.present)

    def __str__(self) -> str:
        return str(self.present)


class PSArray(list[Any]):
    """An array of fixed size; `element_type` is a .NET type name."""

    def __init__(self, items: Iterable[Any] = (), element_type: str = "System.Object") -> None:
        super().__init__(items)
        self.element_type = element_type


class Hashtable(MutableMapping[Any, Any]):
    """[hashtable] and, with `ordered=True`, [ordered]: string keys compare without case."""

    def __init__(
        self,
        items: Iterable[tuple[Any, Any]] = (),
        *,
        ordered: bool = False,
        ignore_case: bool = True,
    ) -> None:
        self.ordered = ordered
        self.ignore_case = ignore_case
        self.renames_keys = ordered
        """Whether an assignment to a known key takes over its new spelling, as [ordered] does."""
        self.changes = 0
        """Counts the changes, so that a loop over the keys notices one."""
        self._items: dict[Any, tuple[Any, Any]] = {}
        for key, value in items:
            self[key] = value

    def _fold(self, key: Any) -> Any:
        if isinstance(key, str):
            number = getattr(key, "enum_number", None)
            if number is not None:
                return (key.type_name, number)  # type: ignore[attr-defined]
            return key.lower() if self.ignore_case else key
        if type(key) is int or key is None:
            return key
        if isinstance(key, bool | float):
            return (type(key).__name__, key)
        if isinstance(key, TypedInt):
            return (key.type_name, int(key))
        return id(key) if isinstance(key, list) else key

    def __getitem__(self, key: Any) -> Any:
        return self._items[self._fold(key)][1]

    def __setitem__(self, key: Any, value: Any) -> None:
        folded = self._fold(key)
        self.changes += 1
        known = folded in self._items and not self.renames_keys
        self._items[folded] = (self._items[folded][0] if known else key, value)

    def __delitem__(self, key: Any) -> None:
        del self._items[self._fold(key)]
        self.changes += 1

    def __iter__(self) -> Iterator[Any]:
        return (key for key, _ in list(self._items.values()))

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: object) -> bool:
        return self._fold(key) in self._items


class BoundParameters(Hashtable):
    """$PSBoundParameters."""

    type_name = "System.Management.Automation.PSBoundParametersDictionary"

    def __init__(self, items: Iterable[tuple[Any, Any]] = ()) -> None:
        super().__init__(items, ordered=True)


class LiveView(PSArray):
    """The keys, values or entries of a dictionary; walking them fails once the dictionary changes."""

    def __init__(self, items: Iterable[Any], owner: Hashtable, kind: str = "") -> None:
        super().__init__(items)
        self.owner = owner
        if kind:
            self.type_name = kind


class Input(PSArray):
    """$input: what came through the pipeline; walking it once uses it up."""

    type_name = "System.Collections.ArrayList+ArrayListEnumeratorSimple"

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__(items)
        self.place = 0

    def drain(self) -> list[Any]:
        """What is left, which is nothing afterwards."""
        left = self[self.place :]
        self.place = len(self)
        return left

    def move_next(self) -> bool:
        """`$input.MoveNext()`."""
        self.place += 1
        return self.place <= len(self)

    @property
    def current(self) -> Any:
        return self[self.place - 1] if 0 < self.place <= len(self) else None


class PSObject:
    """An object with named properties, and methods that Python callables stand for.

    `type_names` is the list that `$_.PSObject.TypeNames` shows, most derived first, without "System.Object".
    `display` is what the object converts to as a string (None: @{a=1; b=2} as PowerShell does).
    `default_properties` are the columns that the console shows when nobody asks for any; None means all.
    """

    __slots__ = ("default_properties", "display", "methods", "properties", "type_names")

    def __init__(
        self,
        properties: Iterable[tuple[str, Any]] | dict[str, Any] = (),
        *,
        type_names: Iterable[str] = ("System.Management.Automation.PSCustomObject",),
        methods: dict[str, Callable[..., Any]] | None = None,
        display: str | None = None,
        default_properties: list[str] | None = None,
    ) -> None:
        pairs = properties.items() if isinstance(properties, dict) else properties
        self.properties = Hashtable(pairs, ordered=True)
        self.properties.renames_keys = False
        self.type_names = list(type_names)
        self.methods = methods or {}
        self.display = display
        self.default_properties = default_properties

    def __repr__(self) -> str:
        return f"PSObject({dict(self.properties)!r})"
