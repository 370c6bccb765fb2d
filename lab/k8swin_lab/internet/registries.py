"""Image registries, as much of their protocol as a container runtime's pull needs to be answered.

`/v2/NAME/manifests/TAG` returns the list of platforms in the shape of an image index. Two members are
the lab's own and stand for the image's configuration and layers: the behaviour's name and the size.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from k8swin_lab.internet.answers import file, path_of
from k8swin_lab.internet.catalogue import catalogue, versions
from k8swin_lab.network import HttpHandler, HttpRequest, HttpResponse

HOSTS = {"docker.io": "registry-1.docker.io"}
"""Where the images of a registry name are, when that is not the name itself."""

_FROZEN = {"k8s.gcr.io": "registry.k8s.io"}
"""Registries that take nothing new any more and send everybody to another one."""

_FROZEN_AT = (1, 27)
"""The first Kubernetes of which a frozen registry has no images."""

INDEX = "application/vnd.oci.image.index.v1+json"


def registry_origins() -> dict[str, HttpHandler]:
    """Return the handlers by host name."""
    names = {repository.partition("/")[0] for repository in catalogue()["images"]} | set(_FROZEN)
    return {HOSTS.get(name, name): _registry(name) for name in sorted(names)}


def _registry(name: str) -> HttpHandler:
    def answer(request: HttpRequest) -> HttpResponse:
        path = path_of(request)
        if path in ("/v2", "/v2/"):
            return file(request, b"{}", "application/json")
        found = re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", path)
        index = image_index(f"{name}/{found[1]}", found[2]) if found else None
        if index is None:
            code = "MANIFEST_UNKNOWN" if found and _known(f"{name}/{found[1]}") else "NAME_UNKNOWN"
            body = json.dumps({"errors": [{"code": code, "message": "not found"}]}).encode()
            return HttpResponse(404, {"content-type": "application/json"}, body)
        response = file(request, json.dumps(index).encode(), INDEX)
        response.headers["docker-content-digest"] = index["digest"]
        return response

    return answer


def _known(repository: str) -> bool:
    return _entry(repository) is not None


def _entry(repository: str) -> dict[str, Any] | None:
    """Return what is known of a repository, under the name of the registry that has it."""
    registry, _, rest = repository.partition("/")
    found: dict[str, Any] | None = catalogue()["images"].get(
        f"{_FROZEN.get(registry, registry)}/{rest}"
    )
    if found is None or registry not in _FROZEN:
        return found
    return {**found, "tags": [tag for tag in _tags(found) if _old_enough(found, tag)]}


def _old_enough(entry: dict[str, Any], tag: str) -> bool:
    if entry["tags"] != "kubernetes":
        return True
    major, minor = tag.removeprefix("v").split(".")[:2]
    return (int(major), int(minor)) < _FROZEN_AT


def _tags(entry: dict[str, Any]) -> list[str]:
    tags = entry["tags"]
    if isinstance(tags, str):
        return [f"v{version}" for version in versions(tags)]
    return list(tags)


def _digest(*parts: str) -> str:
    return f"sha256:{hashlib.sha256(' '.join(parts).encode()).hexdigest()}"


def image_index(repository: str, tag: str) -> dict[str, Any] | None:
    """Return the image index of a tag (or of a digest), or None when there is no such image.

    Args:
        repository: with the registry's name: "registry.k8s.io/pause".
        tag: "3.10.2", or "sha256:..." for the index with this digest.
    """
    entry = _entry(repository)
    if entry is None:
        return None
    if tag.startswith("sha256:"):
        wanted = [one for one in _tags(entry) if _digest(repository, one) == tag]
        if not wanted:
            return None
        tag = wanted[0]
    if tag not in _tags(entry):
        return None
    windows = entry.get("windows", [])
    builds = windows.get(tag, []) if isinstance(windows, dict) else windows
    platforms: list[dict[str, str]] = []
    if entry.get("linux", True) and tag != "nanoserver":
        platforms.append({"os": "linux", "architecture": "amd64"})
    platforms += [
        {"os": "windows", "architecture": "amd64", "os.version": build} for build in builds
    ]
    return {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "digest": _digest(repository, tag),
        "behaviour": entry["behaviour"],
        "manifests": [
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": _digest(repository, tag, *platform.values()),
                "config": _digest("config", repository, tag, *platform.values()),
                "size": entry["size"],
                "platform": platform,
            }
            for platform in platforms
        ],
    }
