"""Types of the API's objects, read from `schemas.json`: fields, list keys and merge keys.

One table serves four readers: strict decoding (unknown fields), strategic merge patch, server-side
apply, and the OpenAPI documents that kubectl asks for. The table is the OpenAPI v3 description of
Kubernetes 1.36 without its prose.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

Schema = dict[str, Any]


@cache
def definitions() -> dict[str, Schema]:
    text = (Path(__file__).parent / "schemas.json").read_text("utf-8")
    loaded: dict[str, Schema] = json.loads(text)
    return loaded


@cache
def _by_kind() -> dict[tuple[str, str, str], str]:
    found: dict[tuple[str, str, str], str] = {}
    for name, schema in definitions().items():
        for kind in schema.get("x-kubernetes-group-version-kind", ()):
            found[(kind["group"], kind["version"], kind["kind"])] = name
    return found


def schema_of(api_version: str, kind: str) -> Schema | None:
    """Return the schema of a kind, or None when the table does not have it."""
    group, _, version = api_version.rpartition("/")
    name = _by_kind().get((group, version, kind))
    return definitions()[name] if name else None


def resolve(schema: Schema | None) -> Schema:
    """Follow a reference; the keys next to it (list type, merge key) stay in force."""
    if schema is None:
        return {}
    reference = schema.get("$ref")
    if not reference:
        return schema
    target = definitions()[reference.removeprefix("#/")]
    if len(schema) == 1:
        return target
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


def property_schema(schema: Schema, name: str) -> Schema:
    """Return the schema of a field, or of a map's values."""
    found = schema.get("properties", {}).get(name)
    if found is None:
        extra = schema.get("additionalProperties")
        found = extra if isinstance(extra, dict) else None
    return resolve(found)


def item_schema(schema: Schema) -> Schema:
    return resolve(schema.get("items"))


def list_keys(schema: Schema) -> list[str]:
    """Return the keys that identify an item for server-side apply; empty for other lists."""
    if schema.get("x-kubernetes-list-type") == "map":
        return list(schema["x-kubernetes-list-map-keys"])
    return []


def unknown_fields(value: object, schema: Schema, path: str = "") -> list[str]:
    """Return the paths of fields that the type does not have."""
    found: list[str] = []
    _visit(value, schema, path, found, prune=False)
    return found


def prune(value: object, schema: Schema) -> None:
    """Remove, in place, fields that the type does not have."""
    _visit(value, schema, "", [], prune=True)


def _visit(value: object, schema: Schema, path: str, found: list[str], *, prune: bool) -> None:
    if isinstance(value, dict):
        properties = schema.get("properties")
        if properties is None and "additionalProperties" not in schema:
            return
        for key in list(value):
            inside = f"{path}.{key}" if path else str(key)
            if properties is not None and key not in properties:
                found.append(inside)
                if prune:
                    del value[key]
                continue
            _visit(value[key], property_schema(schema, key), inside, found, prune=prune)
    elif isinstance(value, list):
        items = item_schema(schema)
        for index, item in enumerate(value):
            _visit(item, items, f"{path}[{index}]", found, prune=prune)


def type_errors(value: object, schema: Schema, path: str = "") -> str | None:
    """Return the first value of the wrong JSON type, in the words of the decoder, or None."""
    expected = schema.get("type")
    if value is None or expected is None:
        return None
    if expected == "object":
        if not isinstance(value, dict):
            return _mismatch(value, path, "object")
        for key, inner in value.items():
            if problem := type_errors(
                inner, property_schema(schema, key), f"{path}.{key}" if path else key
            ):
                return problem
        return None
    if expected == "array":
        if not isinstance(value, list):
            return _mismatch(value, path, "array")
        items = item_schema(schema)
        for inner in value:
            if problem := type_errors(inner, items, path):
                return problem
        return None
    if schema.get("format") == "int-or-string":
        return None
    right = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
    }.get(expected, True)
    return None if right else _mismatch(value, path, expected)


_GO_TYPES = {"string": "string", "boolean": "bool", "integer": "int32", "object": "struct"}


def _mismatch(value: object, path: str, expected: str) -> str:
    found = (
        "bool"
        if isinstance(value, bool)
        else "number"
        if isinstance(value, int | float)
        else "string"
        if isinstance(value, str)
        else "array"
        if isinstance(value, list)
        else "object"
    )
    target = _GO_TYPES.get(expected, expected)
    return f"json: cannot unmarshal {found} into Go struct field .{path} of type {target}"
