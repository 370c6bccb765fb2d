"""ArrayList, List, Dictionary, HashSet, Queue, Stack, sorted ones, and the members of arrays and hashtables."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet.comparison import compare, equals
from k8swin_lab.powershell.dotnet.conversion import convert, to_bool
from k8swin_lab.powershell.dotnet.names import generic_arguments, resolve_type
from k8swin_lab.powershell.dotnet.reflection import default_value
from k8swin_lab.powershell.dotnet.registry import (
    METHOD_EXCEPTION,
    ConversionError,
    NetObject,
    NetType,
    argument,
    out_of_range,
)
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.typing_of import type_name_of
from k8swin_lab.powershell.records import Reference, ScriptBlock
from k8swin_lab.powershell.values import Hashtable, LiveView, PSArray

_GENERIC = "System.Collections.Generic."
_INDEX = "Index was out of range. Must be non-negative and less than the size of the collection."
_ENUMERABLE = ("System.Collections.IEnumerable", "System.Collections.ICollection")
_LIST = ("System.Collections.IList", *_ENUMERABLE)


class NetList(PSArray):
    """ArrayList and List: an array that grows."""

    def __init__(
        self, items: Iterable[Any] = (), type_name: str = "System.Collections.ArrayList"
    ) -> None:
        arguments = generic_arguments(type_name)
        super().__init__(items, arguments[0] if arguments else "System.Object")
        self.type_name = type_name


class Dictionary(Hashtable, NetObject):
    """Dictionary, SortedDictionary, SortedList: keys and values of declared types."""

    def __init__(self, type_name: str, *, ignore_case: bool = False) -> None:
        super().__init__(ordered=False, ignore_case=ignore_case)
        self.type_name = type_name
        self.is_sorted = "Sorted" in type_name

    def __iter__(self) -> Iterator[Any]:
        if self.is_sorted:
            return iter(sorted(super().__iter__(), key=sort_key))
        return super().__iter__()


class HashSet(NetObject):
    """HashSet and SortedSet."""

    def __init__(self, type_name: str, *, ignore_case: bool = False) -> None:
        self.type_name = type_name
        self.ignore_case = ignore_case
        self.items: dict[Any, Any] = {}

    def fold(self, value: Any) -> Any:
        return value.lower() if self.ignore_case and isinstance(value, str) else value

    def add(self, value: Any) -> bool:
        key = self.fold(value)
        if key in self.items:
            return False
        self.items[key] = value
        return True

    def __iter__(self) -> Iterator[Any]:
        values = list(self.items.values())
        return iter(sorted(values, key=sort_key) if "Sorted" in self.type_name else values)

    def __len__(self) -> int:
        return len(self.items)


class Sequence(NetObject):
    """Queue and Stack; a stack enumerates from its top."""

    def __init__(self, type_name: str, items: Iterable[Any] = ()) -> None:
        self.type_name = type_name
        self.items = list(items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items[::-1] if ".Stack" in self.type_name else list(self.items))

    def __len__(self) -> int:
        return len(self.items)


class DictionaryEntry(NetObject):
    """What a dictionary's enumerator gives."""

    def __init__(
        self, key: Any, value: Any, type_name: str = "System.Collections.DictionaryEntry"
    ) -> None:
        self.key = key
        self.value = value
        self.type_name = type_name


class Comparer(NetObject):
    """System.StringComparer: only whether it looks at case matters here."""

    type_name = "System.StringComparer"

    def __init__(self, name: str) -> None:
        self.name = name
        self.ignore_case = "IgnoreCase" in name


COMPARER = NetType("System.StringComparer")
for _name in [
    "Ordinal",
    "OrdinalIgnoreCase",
    "CurrentCulture",
    "CurrentCultureIgnoreCase",
    "InvariantCulture",
    "InvariantCultureIgnoreCase",
]:
    COMPARER.value(_name, Comparer(_name))
COMPARER.method("Compare")(lambda self, a, b: compare(to_string(a), to_string(b), self.ignore_case))
COMPARER.method("Equals")(lambda self, a, b: equals(to_string(a), to_string(b), self.ignore_case))

sort_key = functools.cmp_to_key(lambda a, b: compare(a, b, False))


def element_of(interp: Any, type_name: str, value: Any, position: int = 0) -> Any:
    """A value as the element type of a generic collection."""
    arguments = generic_arguments(type_name)
    if len(arguments) <= position:
        return value
    wanted = arguments[position]
    if interp is not None and resolve_type(wanted) is None:
        return interp.cast(value, wanted)
    return convert(interp, value, wanted)


def element_argument(
    interp: Any, type_name: str, value: Any, method: str, position: int = 0, name: str = "item"
) -> Any:
    """An argument of a generic collection's method, or the error of an argument that does not convert."""
    try:
        return element_of(interp, type_name, value, position)
    except ConversionError as error:
        wanted = resolve_type(generic_arguments(type_name)[position])
        raise Terminating(
            f'Cannot convert argument "{name}", with value: "{to_string(value)}", for "{method}" to '
            f'type "{wanted}": "{error}"',
            exception=METHOD_EXCEPTION,
            error_id="MethodArgumentConversionInvalidCastArgument",
        ) from error


def _elements(args: tuple[Any, ...]) -> list[Any]:
    for item in args:
        if isinstance(item, list | tuple | HashSet | Sequence):
            return list(item)
    return []


def _ignores_case(args: tuple[Any, ...]) -> bool:
    return any(isinstance(item, Comparer) and item.ignore_case for item in args)


def matcher(interp: Any, predicate: Any) -> Callable[[Any], bool]:
    """A predicate as a Python function."""
    if not isinstance(predicate, ScriptBlock):
        raise argument("A script block is needed as the predicate.", "match")

    def test(item: Any) -> bool:
        found = interp.invoke(predicate, [item], dollar_underbar=item)
        return to_bool(found[0] if len(found) == 1 else PSArray(found))

    return test


# --- arrays

ARRAY = NetType("System.Array", interfaces=(*_LIST, "System.ICloneable"))
ARRAY.prop("Count", len)
ARRAY.prop("Length", len)
ARRAY.prop("LongLength", len)
ARRAY.prop("Rank", lambda self: 1)
ARRAY.prop("IsFixedSize", lambda self: True)
ARRAY.prop("IsReadOnly", lambda self: False)
ARRAY.prop("SyncRoot", lambda self: self)


def _fixed_size(self: Any, *args: Any) -> None:
    raise Terminating("Collection was of a fixed size.", exception="System.NotSupportedException")


for _name in ("Add", "Remove", "RemoveAt", "Insert"):
    ARRAY.method(_name)(_fixed_size)
ARRAY.method("Clone")(lambda self: PSArray(self, getattr(self, "element_type", "System.Object")))
ARRAY.method("Contains")(lambda self, value: _position(self, value) >= 0)
ARRAY.method("IndexOf")(lambda self, value: _position(self, value))


def _bound(self: list[Any], dimension: int) -> int:
    if dimension != 0:
        raise Terminating(
            "Index was outside the bounds of the array.",
            exception="System.IndexOutOfRangeException",
        )
    return len(self)


ARRAY.method("GetLength", "GetLongLength")(lambda self, dimension=0: _bound(self, dimension))
ARRAY.method("GetUpperBound")(lambda self, dimension=0: _bound(self, dimension) - 1)
ARRAY.method("GetLowerBound")(lambda self, dimension=0: _bound(self, dimension) * 0)
ARRAY.method("GetValue")(lambda self, index: self[int(index)])
ARRAY.method("GetEnumerator")(lambda self: iter(list(self)))


@ARRAY.method("CopyTo")
def _copy_to(self: Any, target: list[Any], index: int = 0) -> None:
    items = list(self)
    target[index : index + len(items)] = items


def _position(items: Iterable[Any], value: Any, start: int = 0) -> int:
    for index, item in enumerate(items):
        if index >= start and _identical(item, value):
            return index
    return -1


def _identical(a: Any, b: Any) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return type(a) is type(b) and a == b
    return a is b or (type_name_of(a) == type_name_of(b) and equals(a, b, False))


ARRAY.static("IndexOf")(lambda items, value, start=0: _position(items, value, int(start)))
ARRAY.static("LastIndexOf")(
    lambda items, value: max(
        (i for i, item in enumerate(items) if _identical(item, value)), default=-1
    )
)


@ARRAY.static("Sort")
def _sort(items: list[Any], second: Any = None, *rest: Any) -> None:
    if rest or (second is not None and not isinstance(second, list)):
        raise NotSimulated("[System.Array]::Sort() of a part or by a comparer")
    if isinstance(second, list):
        pairs = sorted(zip(items, second, strict=False), key=lambda pair: sort_key(pair[0]))
        items[:] = [key for key, _ in pairs]
        second[: len(pairs)] = [value for _, value in pairs]
    else:
        items.sort(key=sort_key)


@ARRAY.static("Clear")
def _clear_part(items: list[Any], start: int, count: int) -> None:
    if start + count > len(items):
        raise Terminating(
            "Index was outside the bounds of the array.",
            exception="System.IndexOutOfRangeException",
        )
    kind = getattr(items, "element_type", "System.Object")
    if kind not in ("System.Object", "System.String", "System.Int32"):
        raise NotSimulated(f"[System.Array]::Clear() of [{kind}[]]")
    items[start : start + count] = [0 if kind == "System.Int32" else None] * count


@ARRAY.static("Reverse")
def _reverse(items: list[Any], start: int = 0, count: int = -1) -> None:
    end = len(items) if count < 0 else start + count
    items[start:end] = items[start:end][::-1]


@ARRAY.static("Copy")
def _copy(source: Any, *args: Any) -> None:
    if len(args) == 2:
        args = (0, args[0], 0, args[1])
    start, target, place, count = int(args[0]), args[1], int(args[2]), int(args[3])
    if start + count > len(source) or place + count > len(target):
        raise argument(
            "Source array was not long enough. Check srcIndex and length, and the array's lower bounds."
        )
    target[place : place + count] = source[start : start + count]


# --- hashtables

TABLE = NetType(
    "System.Collections.Hashtable",
    interfaces=("System.Collections.IDictionary", *_ENUMERABLE, "System.ICloneable"),
)
ORDERED = NetType(
    "System.Collections.Specialized.OrderedDictionary",
    interfaces=(
        "System.Collections.IDictionary",
        *_ENUMERABLE,
        "System.Collections.Specialized.IOrderedDictionary",
    ),
)


@TABLE.constructor
def _new_table(*args: Any) -> Hashtable:
    source = next((a for a in args if isinstance(a, Hashtable)), None)
    # A constructed Hashtable compares keys with case; only the literal @{} does not.
    return Hashtable(source.items() if source is not None else (), ignore_case=_ignores_case(args))


@ORDERED.constructor
def _new_ordered(*args: Any) -> Hashtable:
    return Hashtable(ordered=True, ignore_case=_ignores_case(args))


def _null_key() -> Terminating:
    return Terminating(
        "Key cannot be null.\r\nParameter name: key", exception="System.ArgumentNullException"
    )


def _check_new_key(self: Hashtable, key: Any) -> None:
    if key is None:
        raise _null_key()
    if key in self:
        if isinstance(self, Dictionary):
            raise argument("An item with the same key has already been added.")
        if self.ordered:
            raise argument(
                f"Item has already been added. Key in dictionary: '{to_string(key)}'  Key being added: "
                f"'{to_string(key)}'"
            )
        old = next(k for k in self if k == key or to_string(k).lower() == to_string(key).lower())
        raise argument(
            f"Item has already been added. Key in dictionary: '{to_string(old)}'  Key being added: "
            f"'{to_string(key)}'"
        )


def entry_of(interp: Any, table: Hashtable, key: Any, value: Any) -> tuple[Any, Any]:
    """A key and a value as a generic dictionary's types.

    Raises:
        PowerShellError: one of them does not convert.
    """
    types = generic_arguments(type_name_of(table))
    if len(types) != 2:
        return key, value
    return interp.cast(key, types[0]), interp.cast(value, types[1])


def _table_add(interp: Any, self: Hashtable, key: Any, value: Any) -> None:
    name = type_name_of(self)
    key = element_argument(interp, name, key, "Add", 0, "key")
    value = element_argument(interp, name, value, "Add", 1, "value")
    _check_new_key(self, key)
    self[key] = value


def _has_key(self: Hashtable, key: Any) -> bool:
    if key is None and not isinstance(self, Dictionary):  # a generic one's key is made a text
        raise _null_key()
    return key is not None and key in self


def _table_remove(self: Hashtable, key: Any) -> Any:
    present = _has_key(self, key)
    if present:
        del self[key]
    return present if isinstance(self, Dictionary) else None


def entries(self: Hashtable) -> list[DictionaryEntry]:
    """The entries as the enumerator of the dictionary gives them."""
    kind = "System.Collections.DictionaryEntry"
    if isinstance(self, Dictionary):
        kind = _GENERIC + "KeyValuePair`2[" + ",".join(generic_arguments(self.type_name)) + "]"
    return [DictionaryEntry(key, value, kind) for key, value in self.items()]


def _table_clone(self: Hashtable) -> Hashtable:
    return Hashtable(self.items(), ordered=self.ordered, ignore_case=self.ignore_case)


def _clear(self: Any) -> None:
    for key in list(self):
        del self[key]


def _view(table: Hashtable, what: str) -> str:
    """The type of a dictionary's keys or values."""
    name = type_name_of(table)
    if name.endswith("PSBoundParametersDictionary"):
        name = "System.Collections.Generic.Dictionary`2[[System.String],[System.Object]]"
    if isinstance(table, Dictionary) or name.startswith("System.Collections.Generic.Dictionary"):
        outer, _, arguments = name.partition("[")
        return f"{outer}+{what}Collection[{arguments}"
    if isinstance(table, Hashtable) and table.ordered:
        return f"{name}+OrderedDictionaryKeyValueCollection"
    return f"{name}+{what}Collection"


def declare_dictionary(table: NetType) -> None:
    """The members that all dictionaries share."""
    table.prop("Count", len)
    table.prop("Keys", lambda self: LiveView(self, self, _view(self, "Key")))
    table.prop("Values", lambda self: LiveView(self.values(), self, _view(self, "Value")))
    table.prop("IsReadOnly", lambda self: False)
    table.prop("IsFixedSize", lambda self: False)
    table.prop("IsSynchronized", lambda self: False)
    table.prop("SyncRoot", lambda self: self)
    table.method("Add")(_table_add)
    table.method("Remove")(_table_remove)
    table.method("Clear")(_clear)
    table.method("Clone")(_table_clone)
    table.method("Contains", "ContainsKey")(_has_key)
    table.method("ContainsValue")(
        lambda self, value: any(_identical(v, value) for v in self.values())
    )
    table.method("GetEnumerator")(lambda self: LiveView(entries(self), self))
    table.method("get_Item", "Item")(_table_get)
    table.method("set_Item")(lambda self, key, value: self.__setitem__(key, value))
    table.method("TryGetValue")(_try_get)
    table.method("CopyTo")(lambda self, target, index: _copy_to(entries(self), target, index))


def _table_get(self: Hashtable, key: Any) -> Any:
    if key in self:
        return self[key]
    if self.ordered and isinstance(key, int):
        return list(self.values())[key]
    if isinstance(self, Dictionary):
        raise Terminating(
            "The given key was not present in the dictionary.",
            exception=_GENERIC + "KeyNotFoundException",
        )
    return None


def _try_get(self: Hashtable, key: Any, target: Reference) -> bool:
    found = key in self
    if found:
        target.set(self[key])
        return True
    arguments = generic_arguments(type_name_of(self))
    target.set(default_value(arguments[1]) if len(arguments) > 1 else None)
    return False


declare_dictionary(TABLE)
declare_dictionary(
    NetType(
        "System.Management.Automation.PSBoundParametersDictionary",
        interfaces=("System.Collections.IDictionary", "System.Collections.IEnumerable"),
    )
)
declare_dictionary(ORDERED)


@ORDERED.method("Insert")
def _insert_entry(self: Hashtable, index: int, key: Any, value: Any) -> None:
    _check_new_key(self, key)
    pairs = list(self.items())
    if not 0 <= index <= len(pairs):
        raise out_of_range(_INDEX, "index")
    pairs.insert(index, (key, value))
    _clear(self)
    for name, item in pairs:
        self[name] = item


@ORDERED.method("RemoveAt")
def _remove_entry(self: Hashtable, index: int) -> None:
    keys = list(self)
    if not 0 <= index < len(keys):
        raise out_of_range(_INDEX, "index")
    del self[keys[index]]


ENTRY = NetType("System.Collections.DictionaryEntry", value_type=True)
PAIR = NetType(_GENERIC + "KeyValuePair`2", value_type=True)
ENTRY.constructor(lambda key, value: DictionaryEntry(key, value))
ENTRY.prop("Name", lambda entry: entry.key)
PAIR.constructor(lambda type_name, key, value: DictionaryEntry(key, value, type_name))
for _type in (ENTRY, PAIR):
    _type.prop("Key", lambda entry: entry.key)
    _type.prop("Value", lambda entry: entry.value, lambda entry, new: setattr(entry, "value", new))
PAIR.to_text = lambda entry: f"[{to_string(entry.key)}, {to_string(entry.value)}]"
