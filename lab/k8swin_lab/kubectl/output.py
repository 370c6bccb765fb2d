"""How kubectl prints objects: JSON, YAML, names, JSONPath, custom columns, tables."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from k8swin_lab.kubectl import jsonpath
from k8swin_lab.kubectl.errors import KubectlError
from k8swin_lab.kubectl.names import full_name
from k8swin_lab.kubernetes.resources import of_kind
from k8swin_lab.machines.program import NotSimulated

Object = dict[str, Any]


class _Yaml(yaml.SafeDumper):
    """YAML as the Kubernetes programs write it."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = (
        "|"
        if "\n" in value and not re.search(r"[ \t]\n|[^\n\t\x20-\x7e\x80-\uffff]", value)
        else None
    )
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Yaml.add_representer(str, _text)


def to_yaml(value: object) -> str:
    """Return YAML with sorted keys."""
    return yaml.dump(value, Dumper=_Yaml, sort_keys=True, width=80, allow_unicode=True)


def to_json(value: object) -> str:
    """Return JSON with sorted keys, four spaces deep."""
    return json.dumps(value, indent=4, sort_keys=True, ensure_ascii=False) + "\n"


def without_managed_fields(obj: Object) -> Object:
    """Return an object as it is shown: without who owns which field."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return obj
    return {
        **obj,
        "metadata": {key: value for key, value in metadata.items() if key != "managedFields"},
    }


def print_objects(objects: list[Object], form: str, *, single: bool) -> str:
    """Return objects in a form other than a table.

    Args:
        objects: with apiVersion and kind.
        form: the value of -o.
        single: whether one object was asked for by name; else a List is printed.

    Raises:
        KubectlError: no such form, or a malformed template.
    """
    shown = [without_managed_fields(one) for one in objects]
    whole: Object = (
        shown[0]
        if single and shown
        else {
            "apiVersion": "v1",
            "items": shown,
            "kind": "List",
            "metadata": {"resourceVersion": ""},
        }
    )
    kind, equals, template = form.partition("=")
    if form == "json":
        return to_json(whole)
    if form == "yaml":
        return to_yaml(whole)
    if form == "name":
        return "".join(f"{object_name(one)}\n" for one in objects)
    if kind in ("jsonpath", "jsonpath-as-json"):
        if not equals:
            raise KubectlError("error: template format specified but no template given")
        if kind == "jsonpath-as-json":
            raise NotSimulated("kubectl -o jsonpath-as-json")
        return jsonpath.render(jsonpath.relaxed(template), whole)
    if kind == "custom-columns":
        return _custom_columns(shown, template)
    if kind in ("go-template", "go-template-file", "jsonpath-file", "custom-columns-file", "kyaml"):
        raise NotSimulated(f"kubectl -o {kind}")
    raise KubectlError(
        f'error: unable to match a printer suitable for the output format "{form}", allowed formats are:'
        " custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,"
        "jsonpath-file,kyaml,name,template,templatefile,wide,yaml"
    )


def object_name(obj: Object) -> str:
    """Return an object as kubectl names it: "deployment.apps/web"."""
    resource = of_kind(str(obj.get("apiVersion")), str(obj.get("kind")))
    prefix = full_name(resource) if resource else str(obj.get("kind", "")).lower()
    return f"{prefix}/{obj.get('metadata', {}).get('name', '')}"


def _custom_columns(objects: list[Object], template: str) -> str:
    columns = []
    for part in template.split(","):
        title, colon, path = part.partition(":")
        if not colon:
            raise KubectlError(
                f"error: unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
            )
        columns.append((title, path))
    rows = [[title for title, _ in columns]]
    for obj in objects:
        row = []
        for _, path in columns:
            found = jsonpath.evaluate(path.strip("{}"), obj, obj)
            row.append(",".join(jsonpath.show(one) for one in found) if found else "<none>")
        rows.append(row)
    return tabulate(rows)


def tabulate(rows: list[list[str]]) -> str:
    """Return rows in columns: three spaces apart, none narrower than six."""
    if not rows:
        return ""
    widths = [max(6, *(len(row[at]) + 3 for row in rows)) for at in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
        lines.append("".join(cells) + row[-1])
    return "".join(f"{line}\n" for line in lines)


def table_rows(
    table: Object, *, wide: bool, namespaces: bool, labels: bool, prefix: str = ""
) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of a Table that the API computed.

    Args:
        table: with the objects' metadata in its rows.
        wide: whether columns of lower priority count.
        namespaces: whether a first column names the namespace.
        labels: whether a last column shows the labels.
        prefix: put before each name ("pod/").
    """
    definitions = table["columnDefinitions"]
    chosen = [at for at, one in enumerate(definitions) if wide or not one.get("priority")]
    head = [str(definitions[at]["name"]).upper() for at in chosen]
    if namespaces:
        head.insert(0, "NAMESPACE")
    if labels:
        head.append("LABELS")
    rows = []
    for entry in table.get("rows") or []:
        cells = [_cell(entry["cells"][at]) for at in chosen]
        if prefix and cells:
            cells[0] = prefix + cells[0]
        metadata = (entry.get("object") or {}).get("metadata") or {}
        if namespaces:
            cells.insert(0, str(metadata.get("namespace", "")))
        if labels:
            pairs = metadata.get("labels") or {}
            cells.append(",".join(f"{key}={pairs[key]}" for key in sorted(pairs)) or "<none>")
        rows.append(cells)
    return head, rows


def _cell(value: Any) -> str:
    if value is None:
        return "<none>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
