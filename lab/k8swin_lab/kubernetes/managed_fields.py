"""Who owns which field: `metadata.managedFields` after updates and server-side apply."""

from __future__ import annotations

import copy

from k8swin_lab.kubernetes import fieldsets
from k8swin_lab.kubernetes.errors import ApiError, Object
from k8swin_lab.kubernetes.schema import Schema


def _entries(obj: Object | None) -> list[Object]:
    return copy.deepcopy((obj or {}).get("metadata", {}).get("managedFields") or [])


def _entry(manager: str, operation: str, obj: Object, subresource: str, now: str) -> Object:
    made: Object = {
        "manager": manager,
        "operation": operation,
        "apiVersion": obj["apiVersion"],
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": {},
    }
    if subresource:
        made["subresource"] = subresource
    return made


def _same(entry: Object, manager: str, operation: str, subresource: str) -> bool:
    return bool(
        entry["manager"] == manager
        and entry["operation"] == operation
        and entry.get("subresource", "") == subresource
    )


def after_update(
    old: Object | None, new: Object, schema: Schema, manager: str, subresource: str, now: str
) -> None:
    """Give the changed fields of `new` to `manager`, in place."""
    entries = _entries(old)
    before = fieldsets.managed(old, schema) if old else {}
    after = fieldsets.managed(new, schema)
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    gone = before.keys() - after.keys()
    if not changed and not gone:
        new["metadata"]["managedFields"] = entries
        return
    mine: Object | None = None
    for entry in entries:
        owned = fieldsets.from_tree(entry["fieldsV1"]) - gone
        if _same(entry, manager, "Update", subresource):
            mine = entry
        else:
            owned -= changed
        entry["fieldsV1"] = fieldsets.to_tree(owned)
    if changed:
        if mine is None:
            mine = _entry(manager, "Update", new, subresource, now)
            entries.append(mine)
        owned = fieldsets.from_tree(mine["fieldsV1"]) | changed
        mine["fieldsV1"] = fieldsets.to_tree(owned)
        mine["time"] = now
    kept = [entry for entry in entries if entry["fieldsV1"]]
    new["metadata"]["managedFields"] = kept


def apply(
    live: Object | None,
    configuration: Object,
    schema: Schema,
    *,
    manager: str,
    subresource: str,
    force: bool,
    now: str,
) -> Object:
    """Return the object after a server-side apply.

    Raises:
        ApiError: another manager owns a field with another value and `force` is off (409).
    """
    entries = _entries(live)
    wanted = fieldsets.managed(configuration, schema)
    current = fieldsets.managed(live, schema) if live else {}
    mine = next((e for e in entries if _same(e, manager, "Apply", subresource)), None)
    conflicts: list[tuple[str, fieldsets.Path]] = []
    for entry in entries:
        if entry is mine:
            continue
        owned = fieldsets.from_tree(entry["fieldsV1"])
        taken = {
            path
            for path in owned & wanted.keys()
            if path[-1] != "." and current.get(path) != wanted[path]
        }
        conflicts += [(_described(entry), path) for path in sorted(taken)]
        entry["fieldsV1"] = fieldsets.to_tree(owned - taken)
    if conflicts and not force:
        raise _conflict(conflicts)
    result: Object = fieldsets.merge(live or {}, configuration, schema)
    result["metadata"].pop("managedFields", None)
    result = copy.deepcopy(result)
    if mine is not None:
        others: set[fieldsets.Path] = set()
        for entry in entries:
            if entry is not mine:
                others |= fieldsets.from_tree(entry["fieldsV1"])
        dropped = fieldsets.from_tree(mine["fieldsV1"]) - wanted.keys() - others
        for path in sorted(dropped, key=len, reverse=True):
            fieldsets.remove(result, path, schema)
    else:
        mine = _entry(manager, "Apply", configuration, subresource, now)
        entries.insert(0, mine)
    tree = fieldsets.to_tree(set(wanted))
    if mine["fieldsV1"] != tree:
        mine["fieldsV1"] = tree
        mine["time"] = now
    result["metadata"]["managedFields"] = [entry for entry in entries if entry["fieldsV1"]]
    return result


def _described(entry: Object) -> str:
    text = f'conflict with "{entry["manager"]}"'
    if entry.get("subresource"):
        text += f' with subresource "{entry["subresource"]}"'
    return text + (f" using {entry['apiVersion']}" if entry["operation"] == "Update" else "")


def _dotted(path: fieldsets.Path) -> str:
    text = ""
    for step in path:
        if step.startswith("f:"):
            text += f".{step[2:]}"
        elif step.startswith("k:"):
            pairs = step[3:-1].replace('"', "", 0)
            text += "[" + ",".join(_pair(pair) for pair in pairs.split(",")) + "]"
        else:
            text += f"[={step[2:]}]"
    return text


def _pair(text: str) -> str:
    key, _, value = text.partition(":")
    return f"{key.strip(chr(34))}={value}"


def _conflict(conflicts: list[tuple[str, fieldsets.Path]]) -> ApiError:
    by_manager: dict[str, list[str]] = {}
    for who, path in conflicts:
        by_manager.setdefault(who, []).append(_dotted(path))
    lines = []
    for who, fields in by_manager.items():
        if len(fields) == 1:
            lines.append(f"{who}: {fields[0]}")
        else:
            lines.append(f"{who}:\n" + "\n".join(f"- {field}" for field in fields))
    noun = "conflict" if len(conflicts) == 1 else "conflicts"
    causes = [
        {"reason": "FieldManagerConflict", "message": who, "field": _dotted(path)}
        for who, path in conflicts
    ]
    text = f"Apply failed with {len(conflicts)} {noun}: " + "\n".join(lines)
    return ApiError(409, "Conflict", text, {"causes": causes})
