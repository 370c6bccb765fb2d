"""JSON Patch (RFC 6902), JSON Merge Patch (RFC 7386) and Kubernetes' strategic merge patch."""

from __future__ import annotations

import copy
from typing import Any

from k8swin_lab.kubernetes.errors import ApiError, Object, bad_request
from k8swin_lab.kubernetes.schema import Schema, item_schema, property_schema


def json_patch(document: Any, operations: list[Object]) -> Any:
    """Apply JSON Patch operations to a copy.

    Raises:
        ApiError: a path does not exist or a test fails (422).
    """
    document = copy.deepcopy(document)
    for operation in operations:
        try:
            document = _operate(document, operation)
        except (KeyError, IndexError, ValueError, TypeError) as error:
            text = (
                "the server rejected our request due to an error in our request: "
                f"{operation.get('op')} operation does not apply: doc is missing path: "
                f'"{operation.get("path")}": missing value'
            )
            raise ApiError(422, "Invalid", text, {}) from error
    return document


def _operate(document: Any, operation: Object) -> Any:
    kind, path = operation["op"], _pointer(operation["path"])
    if kind in ("move", "copy"):
        source = _pointer(operation["from"])
        value = copy.deepcopy(_read(document, source))
        if kind == "move":
            document = _remove(document, source)
        return _add(document, path, value)
    if kind == "test":
        found = _read(document, path)
        if found != operation.get("value"):
            text = (
                "the server rejected our request due to an error in our request: testing value "
                f"{operation['path']} failed: test failed"
            )
            raise ApiError(422, "Invalid", text, {})
        return document
    if kind == "remove":
        return _remove(document, path)
    if kind == "add":
        return _add(document, path, operation.get("value"))
    if kind == "replace":
        _read(document, path)
        return _replace(document, path, operation.get("value"))
    raise bad_request(f"Unexpected kind: {kind}")


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise ValueError(text)
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _read(document: Any, path: list[str]) -> Any:
    for part in path:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def _remove(document: Any, path: list[str]) -> Any:
    parent, last = _read(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        del parent[int(last)]
    else:
        del parent[last]
    return document


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, last = _read(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        index = len(parent) if last == "-" else int(last)
        if not 0 <= index <= len(parent):
            raise IndexError(last)
        parent.insert(index, value)
    else:
        parent[last] = value
    return document


def _replace(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, last = _read(document, path[:-1]), path[-1]
    parent[int(last) if isinstance(parent, list) else last] = value
    return document


def merge_patch(document: Any, patch: Any) -> Any:
    """Apply a JSON Merge Patch; the document is not changed."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def strategic_merge(document: Any, patch: Any, schema: Schema) -> Any:
    """Apply a strategic merge patch with the merge keys of the type; the document is not changed.

    Directives understood: `$patch` (replace, delete, merge), `$deleteFromPrimitiveList/NAME`,
    `$setElementOrder/NAME`, `$retainKeys`.

    Raises:
        ApiError: an item of a keyed list lacks its merge key, or an unknown directive (400).
    """
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    directive = patch.get("$patch")
    if directive == "replace":
        return {key: copy.deepcopy(value) for key, value in patch.items() if key != "$patch"}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unknown patch type: {directive}")
    result = dict(document) if isinstance(document, dict) else {}
    if (retained := patch.get("$retainKeys")) is not None:
        result = {key: value for key, value in result.items() if key in retained}
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            result[name] = [item for item in result.get(name) or [] if item not in value]
        elif key.startswith("$"):
            continue
        elif value is None:
            result.pop(key, None)
        else:
            inner = property_schema(schema, key)
            result[key] = _strategic_value(result.get(key), value, inner)
    for key, order in patch.items():
        name = key.removeprefix("$setElementOrder/")
        if name != key and isinstance(result.get(name), list):
            _reorder(result[name], order, property_schema(schema, name))
    return result


def _strategic_value(found: Any, value: Any, schema: Schema) -> Any:
    if isinstance(value, dict):
        if "replace" in _strategies(schema):
            return copy.deepcopy(value)
        return strategic_merge(found, value, schema)
    if isinstance(value, list) and "merge" in _strategies(schema):
        key = schema.get("x-kubernetes-patch-merge-key")
        if key:
            return _merge_list(found or [], value, key, item_schema(schema))
        return [*(found or []), *[item for item in value if item not in (found or [])]]
    return copy.deepcopy(value)


def _strategies(schema: Schema) -> list[str]:
    return str(schema.get("x-kubernetes-patch-strategy", "")).split(",")


def _merge_list(found: list[Any], patch: list[Any], key: str, schema: Schema) -> list[Any]:
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [copy.deepcopy(item) for item in patch if item.get("$patch") != "replace"]
    result = list(found)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise bad_request(f"map: {item} does not contain declared merge key: {key}")
        places = [index for index, other in enumerate(result) if other.get(key) == item[key]]
        if item.get("$patch") == "delete":
            result = [other for other in result if other.get(key) != item[key]]
        elif places:
            result[places[0]] = strategic_merge(result[places[0]], item, schema)
        else:
            result.append(strategic_merge({}, item, schema))
    return result


def _reorder(items: list[Any], order: list[Any], schema: Schema) -> None:
    key = schema.get("x-kubernetes-patch-merge-key")
    wanted = [entry.get(key) if isinstance(entry, dict) else entry for entry in order]

    def position(item: Any) -> int:
        value = item.get(key) if isinstance(item, dict) else item
        return wanted.index(value) if value in wanted else len(wanted)

    items.sort(key=position)
