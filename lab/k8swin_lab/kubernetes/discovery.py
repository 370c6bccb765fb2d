"""Discovery and OpenAPI documents, made from the resource and schema tables."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from k8swin_lab.kubernetes import schema, served
from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.resources import Resource, Subresource


def api_versions(server: str) -> Object:
    """/api."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": server}],
    }


def _group(group: str, versions: list[str]) -> Object:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def group_list(minor: int) -> Object:
    """/apis."""
    found = [_group(group, versions) for group, versions in served.groups(minor).items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def group(name: str, minor: int) -> Object | None:
    """/apis/GROUP."""
    versions = served.groups(minor).get(name)
    if not name or versions is None:
        return None
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)}


def resource_list(group_name: str, version: str, minor: int) -> Object | None:
    """/api/v1 or /apis/GROUP/VERSION."""
    found = [r for r in served.seen(minor) if (r.group, r.version) == (group_name, version)]
    if not found:
        return None
    listed: list[Object] = []
    for resource in found:
        entry: Object = {
            "name": resource.plural,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": list(resource.verbs),
        }
        if resource.short_names:
            entry["shortNames"] = list(resource.short_names)
        if resource.categories:
            entry["categories"] = list(resource.categories)
        listed.append(entry)
        for name, sub in resource.subresources.items():
            listed.append(_sub_entry(resource, name, sub))
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": found[0].api_version,
        "resources": listed,
    }


def _sub_entry(resource: Resource, name: str, sub: Subresource) -> Object:
    entry: Object = {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": sub.kind,
        "verbs": list(sub.verbs),
    }
    if (sub.group, sub.version) != (resource.group, resource.version):
        entry["group"], entry["version"] = sub.group, sub.version
    return entry


def aggregated(core: bool, minor: int) -> Object:
    """Return the aggregated discovery document of /api (`core`) or /apis."""
    items = []
    for name, versions in served.groups(minor).items():
        if bool(name) == core:
            continue
        items.append(
            {
                "metadata": {"name": name} if name else {},
                "versions": [
                    {
                        "version": version,
                        "resources": [
                            _aggregated_entry(resource)
                            for resource in served.seen(minor)
                            if (resource.group, resource.version) == (name, version)
                        ],
                        "freshness": "Current",
                    }
                    for version in versions
                ],
            }
        )
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def _aggregated_entry(resource: Resource) -> Object:
    entry: Object = {
        "resource": resource.plural,
        "responseKind": {"group": "", "version": "", "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.subresources:
        entry["subresources"] = [
            {
                "subresource": name,
                "responseKind": {"group": sub.group, "version": sub.version, "kind": sub.kind},
                "verbs": list(sub.verbs),
            }
            for name, sub in resource.subresources.items()
        ]
    return entry


def version_info(version: str) -> Object:
    """/version."""
    major, minor = version.lstrip("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "gitVersion": version,
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "go1.26",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def openapi_index(minor: int) -> Object:
    """/openapi/v3."""
    paths: Object = {}
    for group_name, versions in served.groups(minor).items():
        for version in versions:
            path = f"apis/{group_name}/{version}" if group_name else f"api/{version}"
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}"}
    return {"paths": paths}


@cache
def openapi_document(group_name: str, version: str, release: str) -> Object | None:
    """Return the OpenAPI v3 document of one group version: its types, and where they are written.

    The types carry no prose, and of each operation only what kubectl looks for is there: the kind
    it is about and that it takes `fieldValidation` and `dryRun`.
    """
    minor = int(release.split(".")[1])
    found_here = [r for r in served.seen(minor) if (r.group, r.version) == (group_name, version)]
    if not found_here:
        return None
    wanted: dict[str, Any] = {}
    paths: Object = {}
    for resource in found_here:
        for kind in (resource.kind, f"{resource.kind}List"):
            found = schema.schema_of(resource.api_version, kind)
            for name, definition in schema.definitions().items():
                if definition is found:
                    _collect(name, wanted)
        _add_paths(resource, paths)
    text = json.dumps(wanted).replace('"#/', '"#/components/schemas/')
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": release},
        "paths": paths,
        "components": {"schemas": json.loads(text)},
    }


def _collect(name: str, wanted: dict[str, Any]) -> None:
    if name in wanted:
        return
    definition = schema.definitions()[name]
    wanted[name] = definition
    for reference in re.findall(r'"#/([^"]+)"', json.dumps(definition)):
        _collect(reference, wanted)


_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation")
]


def _add_paths(resource: Resource, paths: Object) -> None:
    kind = {"group": resource.group, "kind": resource.kind, "version": resource.version}
    where = resource.path("{namespace}")

    def operation(action: str) -> Object:
        return {
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": kind,
            "parameters": _PARAMETERS,
            "responses": {"200": {"description": "OK"}},
        }

    if "create" in resource.verbs:
        paths[where] = {"post": operation("post")}
    if "patch" in resource.verbs:
        paths[f"{where}/{{name}}"] = {"patch": operation("patch"), "put": operation("put")}
