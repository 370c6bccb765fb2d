"""The table of resources that this API serves, read from `resources.json`.

The table states facts of the Kubernetes API (names, scopes, verbs) in the shape of its discovery
documents; everything that has to know a resource reads it, and a resource is added by a row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Subresource:
    kind: str
    group: str
    version: str
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """One served resource; `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    subresources: dict[str, Subresource] = field(default_factory=dict, hash=False)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def base(self) -> str:
        """Path prefix of the group: /api/v1 or /apis/apps/v1."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str | None, name: str = "", subresource: str = "") -> str:
        """Return the path of the collection, of an object, or of its subresource."""
        parts = [self.base]
        if self.namespaced and namespace:
            parts.append(f"namespaces/{namespace}")
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part]
        return "/".join(parts)


@cache
def table() -> tuple[Resource, ...]:
    """Return every served resource in the order of the discovery documents."""
    rows = json.loads((Path(__file__).parent / "resources.json").read_text("utf-8"))
    return tuple(
        Resource(
            group=row["group"],
            version=row["version"],
            plural=row["plural"],
            singular=row["singular"],
            kind=row["kind"],
            namespaced=row["namespaced"],
            short_names=tuple(row["shortNames"]),
            categories=tuple(row["categories"]),
            verbs=tuple(row["verbs"]),
            subresources={
                name: Subresource(sub["kind"], sub["group"], sub["version"], tuple(sub["verbs"]))
                for name, sub in row["subresources"].items()
            },
        )
        for row in rows
    )


@cache
def find(group: str, version: str, plural: str) -> Resource | None:
    for resource in table():
        if (resource.group, resource.version, resource.plural) == (group, version, plural):
            return resource
    return None


@cache
def named(plural: str) -> Resource:
    """Return a resource by its plural name alone.

    Raises:
        KeyError: no such resource is served.
    """
    for resource in table():
        if resource.plural == plural:
            return resource
    raise KeyError(plural)


@cache
def of_kind(api_version: str, kind: str) -> Resource | None:
    for resource in table():
        if resource.api_version == api_version and resource.kind == kind:
            return resource
    return None


@cache
def groups() -> dict[str, list[str]]:
    """Return the versions served of each group, the core group under the empty name."""
    found: dict[str, list[str]] = {}
    for resource in table():
        versions = found.setdefault(resource.group, [])
        if resource.version not in versions:
            versions.append(resource.version)
    return found
