"""Members of ArrayList, List, generic dictionaries, HashSet, Queue and Stack."""

from __future__ import annotations

from typing import Any

from k8swin_lab.powershell.dotnet.collections import (
    _ENUMERABLE,
    _GENERIC,
    _INDEX,
    _LIST,
    Dictionary,
    HashSet,
    NetList,
    Sequence,
    _copy_to,
    _elements,
    _identical,
    _ignores_case,
    _position,
    declare_dictionary,
    element_argument,
    element_of,
    matcher,
    sort_key,
)
from k8swin_lab.powershell.dotnet.comparison import compare
from k8swin_lab.powershell.dotnet.registry import (
    NetType,
    argument,
    invalid_operation,
    out_of_range,
)
from k8swin_lab.powershell.dotnet.typing_of import type_name_of
from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.values import Hashtable, PSArray

ARRAY_LIST = NetType("System.Collections.ArrayList", interfaces=(*_LIST, "System.ICloneable"))
LIST = NetType(
    _GENERIC + "List`1", interfaces=(*_LIST, _GENERIC + "IEnumerable`1", _GENERIC + "IList`1")
)
COLLECTION = NetType("System.Collections.ObjectModel.Collection`1", interfaces=_LIST)
_KINDS = (ARRAY_LIST, LIST, COLLECTION)


@ARRAY_LIST.constructor
def _new_array_list(*args: Any) -> NetList:
    return NetList(_elements(args))


def _new_list(interp: Any, type_name: str, *args: Any) -> NetList:
    return NetList((element_of(interp, type_name, item) for item in _elements(args)), type_name)


LIST.constructor(_new_list)
COLLECTION.constructor(_new_list)


def _check(self: list[Any], index: int, limit: int) -> None:
    if not 0 <= index < limit:
        raise out_of_range(_INDEX, "index")


def _list_item(self: Any, index: int) -> Any:
    _check(self, int(index), len(self))
    return self[int(index)]


def _list_add(interp: Any, self: Any, value: Any) -> Any:
    self.append(element_argument(interp, type_name_of(self), value, "Add"))
    _stored(self)
    return len(self) - 1 if type_name_of(self).endswith("ArrayList") else None


def _stored(self: Any) -> None:
    store = getattr(self, "store", None)
    if store is not None:
        store()


def _list_add_range(interp: Any, self: Any, items: Any) -> None:
    name = type_name_of(self)
    if isinstance(items, Hashtable):
        items = list(items.values())
    found = list(items) if isinstance(items, list | tuple | HashSet | Sequence) else [items]
    self.extend(element_of(interp, name, item) for item in found)


def _list_insert(interp: Any, self: Any, index: int, value: Any) -> None:
    _check(self, index, len(self) + 1)
    self.insert(index, element_argument(interp, type_name_of(self), value, "Insert"))
    _stored(self)


def _list_insert_range(interp: Any, self: Any, index: int, items: Any) -> None:
    _check(self, index, len(self) + 1)
    self[index:index] = [element_of(interp, type_name_of(self), item) for item in items]


def _list_remove(self: Any, value: Any) -> Any:
    found = _position(self, value)
    if found < 0 and isinstance(value, str):
        found = next(
            (i for i, item in enumerate(self) if isinstance(item, str) and item == value), -1
        )
    if found >= 0:
        del self[found]
        _stored(self)
    return None if type_name_of(self).endswith("ArrayList") else found >= 0


def _list_remove_at(self: Any, index: int) -> None:
    _check(self, index, len(self))
    del self[index]


def _list_remove_range(self: Any, index: int, count: int) -> None:
    if index + count > len(self):
        raise argument(
            "Offset and length were out of bounds for the array or count is greater than the number of "
            "elements from index to the end of the source collection."
        )
    del self[index : index + count]


def _list_clear(self: Any) -> None:
    self.clear()
    _stored(self)


def _list_sort(interp: Any, self: Any, comparison: Any = None, *rest: Any) -> None:
    if rest:  # a part of the list, by a comparer
        start, count = int(comparison), int(rest[0])
        part = NetList(self[start : start + count], type_name_of(self))
        _list_sort(interp, part, *rest[1:])
        self[start : start + count] = part
        return
    if isinstance(comparison, ScriptBlock):
        import functools

        def order(a: Any, b: Any) -> int:
            found = interp.invoke(comparison, [a, b])
            return int(found[-1]) if found else 0

        self.sort(key=functools.cmp_to_key(order))
    elif getattr(comparison, "ignore_case", False):
        import functools

        self.sort(key=functools.cmp_to_key(lambda a, b: compare(a, b, True)))
    else:
        self.sort(key=sort_key)


def _list_reverse(self: Any, start: int = 0, count: int = -1) -> None:
    end = len(self) if count < 0 else start + count
    self[start:end] = self[start:end][::-1]


def _list_array(self: Any, kind: Any = None) -> PSArray:
    return PSArray(
        self, kind.name if kind is not None else getattr(self, "element_type", "System.Object")
    )


for _type in _KINDS:
    _type.prop("Count", len)
    _type.prop("Capacity", lambda self: max(4, len(self)), lambda self, new: None)
    _type.prop("IsReadOnly", lambda self: False)
    _type.prop("IsFixedSize", lambda self: False)
    for _name, _function in (
        ("Add", _list_add),
        ("AddRange", _list_add_range),
        ("Insert", _list_insert),
        ("InsertRange", _list_insert_range),
        ("Remove", _list_remove),
        ("RemoveAt", _list_remove_at),
        ("RemoveRange", _list_remove_range),
        ("Clear", _list_clear),
        ("Sort", _list_sort),
        ("Reverse", _list_reverse),
        ("ToArray", _list_array),
        ("CopyTo", _copy_to),
    ):
        _type.method(_name)(_function)
    _type.method("Item")(_list_item)
    _type.method("get_Item")(_list_item)
    _type.method("Contains")(lambda self, value: any(_identical(item, value) for item in self))
    _type.method("IndexOf")(lambda self, value, start=0: _position(self, value, int(start)))
    _type.method("LastIndexOf")(
        lambda self, value: max(
            (i for i, item in enumerate(self) if _identical(item, value)), default=-1
        )
    )
    _type.method("Clone")(lambda self: NetList(self, type_name_of(self)))
    _type.method("TrimExcess", "TrimToSize")(lambda self: None)
    _type.method("GetEnumerator")(lambda self: iter(list(self)))


@LIST.method("RemoveAll")
def _remove_all(interp: Any, self: Any, predicate: Any) -> int:
    test = matcher(interp, predicate)
    kept = [item for item in self if not test(item)]
    removed = len(self) - len(kept)
    self[:] = kept
    return removed


@LIST.method("Find")
def _find(interp: Any, self: Any, predicate: Any) -> Any:
    test = matcher(interp, predicate)
    return next((item for item in self if test(item)), None)


@LIST.method("FindAll")
def _find_all(interp: Any, self: Any, predicate: Any) -> NetList:
    test = matcher(interp, predicate)
    return NetList((item for item in self if test(item)), type_name_of(self))


@LIST.method("FindIndex")
def _find_index(interp: Any, self: Any, predicate: Any) -> int:
    test = matcher(interp, predicate)
    return next((i for i, item in enumerate(self) if test(item)), -1)


@LIST.method("FindLast")
def _find_last(interp: Any, self: Any, predicate: Any) -> Any:
    test = matcher(interp, predicate)
    return next((item for item in reversed(self) if test(item)), None)


@LIST.method("TrueForAll")
def _true_for_all(interp: Any, self: Any, predicate: Any) -> bool:
    return all(map(matcher(interp, predicate), self))


def _range(self: Any, index: int, count: int) -> NetList:
    if index + count > len(self):
        raise argument(
            "Offset and length were out of bounds for the array or count is greater than the number of "
            "elements from index to the end of the source collection."
        )
    return NetList(self[index : index + count], type_name_of(self))


for _type in _KINDS:
    _type.method("GetRange")(_range)


@LIST.method("Exists")
def _exists(interp: Any, self: Any, predicate: Any) -> bool:
    return any(map(matcher(interp, predicate), self))


for _name in ("Dictionary`2", "SortedDictionary`2", "SortedList`2"):
    _type = NetType(
        _GENERIC + _name,
        interfaces=("System.Collections.IDictionary", _GENERIC + "IDictionary`2", *_ENUMERABLE),
    )

    def _new_dictionary(interp: Any, type_name: str, *args: Any) -> Dictionary:
        made = Dictionary(type_name, ignore_case=_ignores_case(args))
        for source in args:
            if isinstance(source, Hashtable):
                for key, value in source.items():
                    made[element_of(interp, type_name, key)] = element_of(
                        interp, type_name, value, 1
                    )
        return made

    _type.constructor(_new_dictionary)
    declare_dictionary(_type)
SORTED = NetType(
    "System.Collections.SortedList", interfaces=("System.Collections.IDictionary", *_ENUMERABLE)
)
SORTED.constructor(
    lambda *args: Dictionary("System.Collections.SortedList", ignore_case=_ignores_case(args))
)
declare_dictionary(SORTED)

for _name in ("HashSet`1", "SortedSet`1"):
    _type = NetType(_GENERIC + _name, interfaces=(*_ENUMERABLE, _GENERIC + "ISet`1"))

    def _new_set(interp: Any, type_name: str, *args: Any) -> HashSet:
        made = HashSet(type_name, ignore_case=_ignores_case(args))
        for item in _elements(args):
            made.add(element_of(interp, type_name, item))
        return made

    _type.constructor(_new_set)
    _type.prop("Count", len)

    def _set_add(interp: Any, self: HashSet, value: Any) -> bool:
        return self.add(element_argument(interp, self.type_name, value, "Add"))

    def _set_update(self: HashSet, items: Any) -> None:
        for item in _many(items):
            self.add(item)

    def _set_subtract(self: HashSet, items: Any) -> None:
        for item in _many(items):
            self.items.pop(self.fold(item), None)

    def _set_intersect(self: HashSet, items: Any) -> None:
        keep = {self.fold(item) for item in _many(items)}
        self.items = {key: value for key, value in self.items.items() if key in keep}

    _type.method("Add")(_set_add)
    _type.method("UnionWith")(_set_update)
    _type.method("ExceptWith")(_set_subtract)
    _type.method("IntersectWith")(_set_intersect)
    _type.method("Remove")(lambda self, value: self.items.pop(self.fold(value), None) is not None)
    _type.method("Contains")(lambda self, value: self.fold(value) in self.items)
    _type.method("Clear")(lambda self: self.items.clear())
    _type.method("IsSubsetOf")(
        lambda self, other: self.items.keys() <= {self.fold(i) for i in _many(other)}
    )
    _type.method("IsSupersetOf")(
        lambda self, other: self.items.keys() >= {self.fold(i) for i in _many(other)}
    )
    _type.method("SetEquals")(
        lambda self, other: self.items.keys() == {self.fold(i) for i in _many(other)}
    )
    _type.method("Overlaps")(
        lambda self, other: bool(self.items.keys() & {self.fold(i) for i in _many(other)})
    )
    _type.method("CopyTo")(_copy_to)
    _type.method("GetEnumerator")(lambda self: iter(list(self)))


def _many(items: Any) -> list[Any]:
    return list(items) if isinstance(items, list | tuple | HashSet | Sequence) else [items]


def _take(self: Sequence, index: int, words: str, *, remove: bool) -> Any:
    if not self.items:
        raise invalid_operation(words)
    return self.items.pop(index) if remove else self.items[index]


def _declare_sequence(
    name: str, verbs: tuple[str, str], index: int, words: str, *, generic: bool
) -> None:
    declared = NetType(name, interfaces=_ENUMERABLE)
    if generic:
        declared.constructor(
            lambda type_name, *args: Sequence(
                type_name, (element_of(None, type_name, i) for i in _elements(args))
            )
        )
    else:
        declared.constructor(lambda *args: Sequence(name, _elements(args)))
    declared.prop("Count", len)

    def push(interp: Any, self: Sequence, value: Any) -> None:
        self.items.append(element_of(interp, self.type_name, value))

    declared.method(verbs[0])(push)
    declared.method(verbs[1])(lambda self: _take(self, index, words, remove=True))
    declared.method("Peek")(lambda self: _take(self, index, words, remove=False))
    declared.method("Contains")(lambda self, value: any(_identical(i, value) for i in self.items))
    declared.method("Clear")(lambda self: self.items.clear())
    declared.method("ToArray")(lambda self: PSArray(self))
    declared.method("GetEnumerator")(lambda self: iter(list(self)))
    declared.method("Clone")(lambda self: Sequence(self.type_name, self.items))


for _prefix, _suffix in ((_GENERIC, "`1"), ("System.Collections.", "")):
    _declare_sequence(
        f"{_prefix}Queue{_suffix}", ("Enqueue", "Dequeue"), 0, "Queue empty.", generic=bool(_suffix)
    )
    _declare_sequence(
        f"{_prefix}Stack{_suffix}", ("Push", "Pop"), -1, "Stack empty.", generic=bool(_suffix)
    )
