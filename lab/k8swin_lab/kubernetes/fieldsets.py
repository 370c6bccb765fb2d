"""Sets of fields in the form of `managedFields`, and the merge behind server-side apply.

A field is a tuple of path elements as FieldsV1 spells them: `f:name`, `k:{"name":"web"}`, `v:1`;
the element `.` at the end is the item itself.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.schema import Schema, item_schema, list_keys, property_schema

Path = tuple[str, ...]


def fields_of(value: Any, schema: Schema, path: Path = ()) -> dict[Path, Any]:
    """Return each owned field of an object with its value; atomic parts count as one field."""
    found: dict[Path, Any] = {}
    if isinstance(value, dict) and value and schema.get("x-kubernetes-map-type") != "atomic":
        if path and "properties" not in schema:
            found[(*path, ".")] = None
        for key, inner in value.items():
            found.update(fields_of(inner, property_schema(schema, key), (*path, f"f:{key}")))
        return found
    if isinstance(value, list) and value and schema.get("x-kubernetes-list-type") in ("map", "set"):
        found[(*path, ".")] = None
        items = item_schema(schema)
        for item in value:
            step = (*path, element(item, schema))
            found[(*step, ".")] = None
            if isinstance(item, dict):
                found.update(fields_of(item, items, step))
        return found
    if path:
        found[path] = value
    return found


def element(item: Any, schema: Schema) -> str:
    """Return the path element of a list item."""
    keys = list_keys(schema)
    if not keys:
        return "v:" + json.dumps(item, separators=(",", ":"))
    items = item_schema(schema)
    identity = {}
    for key in sorted(keys):
        value = item.get(key, property_schema(items, key).get("default"))
        if value is not None:
            identity[key] = value
    return "k:" + json.dumps(identity, separators=(",", ":"))


def to_tree(paths: set[Path]) -> Object:
    """Return FieldsV1."""
    tree: Object = {}
    for path in sorted(paths):
        place = tree
        for step in path:
            place = place.setdefault(step, {})
    return tree


def from_tree(tree: Object, path: Path = ()) -> set[Path]:
    """Read FieldsV1."""
    found: set[Path] = set()
    for step, inner in tree.items():
        if inner:
            found |= from_tree(inner, (*path, step))
        else:
            found.add((*path, step))
    return found


_UNMANAGED = {
    "f:apiVersion",
    "f:kind",
}
_UNMANAGED_METADATA = {
    f"f:{name}"
    for name in [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "managedFields",
        "selfLink",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ]
}


def managed(value: Object, schema: Schema) -> dict[Path, Any]:
    """Return the fields of an object that somebody can own."""
    return {
        path: inner
        for path, inner in fields_of(value, schema).items()
        if path[0] not in _UNMANAGED
        and not (path[0] == "f:metadata" and len(path) > 1 and path[1] in _UNMANAGED_METADATA)
    }


def merge(live: Any, applied: Any, schema: Schema) -> Any:
    """Lay an applied configuration over the live object; neither is changed."""
    if isinstance(applied, dict) and schema.get("x-kubernetes-map-type") != "atomic":
        result = dict(live) if isinstance(live, dict) else {}
        for key, value in applied.items():
            result[key] = merge(result.get(key), value, property_schema(schema, key))
        return result
    kind = schema.get("x-kubernetes-list-type")
    if isinstance(applied, list) and kind in ("map", "set"):
        result_list = list(live or [])
        places = {element(item, schema): index for index, item in enumerate(result_list)}
        for item in applied:
            step = element(item, schema)
            if step not in places:
                places[step] = len(result_list)
                result_list.append(copy.deepcopy(item))
            elif kind == "map":
                index = places[step]
                result_list[index] = merge(result_list[index], item, item_schema(schema))
        return result_list
    return copy.deepcopy(applied)


def remove(value: Any, path: Path, schema: Schema) -> None:
    """Remove one field, in place; a list item goes when its own element (`.`) is removed."""
    step, rest = path[0], path[1:]
    if step.startswith("f:") and isinstance(value, dict):
        key = step[2:]
        inner_schema = property_schema(schema, key)
        if not rest:
            value.pop(key, None)
        elif rest == (".",):
            if not value.get(key):
                value.pop(key, None)
        elif key in value:
            remove(value[key], rest, inner_schema)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if element(item, schema) != step:
                continue
            if rest in ((), (".",)):
                del value[index]
            else:
                remove(item, rest, item_schema(schema))
            return
