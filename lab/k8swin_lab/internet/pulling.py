"""How a container runtime asks a registry for an image, and what it says when that fails.

Both simulated runtimes, Linux and Windows, use this; the words are containerd's.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from k8swin_lab.internet.registries import HOSTS, INDEX
from k8swin_lab.network import Attached, HttpRequest, HttpResponse, NetworkError


class PullError(Exception):
    """The text is the runtime's, from "failed to resolve" or "failed to do" on."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image as a runtime holds it."""

    reference: str  # "registry.k8s.io/pause:3.10.2"
    digest: str  # of the index
    id: str  # of the configuration
    size: int
    behaviour: str
    os: str
    os_version: str = ""


def normalize(reference: str) -> str:
    """Return the full form of a reference: "nginx" is "docker.io/library/nginx:latest"."""
    first, slash, _ = reference.partition("/")
    if not slash:
        reference = f"docker.io/library/{reference}"
    elif not ("." in first or ":" in first or first == "localhost"):
        reference = f"docker.io/{reference}"
    if ":" not in reference.rpartition("/")[2] and "@" not in reference:
        reference += ":latest"
    return reference


def split(reference: str) -> tuple[str, str]:
    """Return repository and tag (or digest) of a full reference."""
    if "@" in reference:
        repository, _, digest = reference.partition("@")
        if ":" in repository.rpartition("/")[2]:
            repository = repository.rpartition(":")[0]
        return repository, digest
    repository, _, tag = reference.rpartition(":")
    return repository, tag


def resolve(machine: Attached, reference: str, os: str, os_version: str = "") -> Image:
    """Ask the registry for an image.

    Args:
        machine: who asks; the request goes over its network.
        reference: a full reference.
        os: "linux" or "windows".
        os_version: on Windows, the host's version ("10.0.20348.2700"); the first three fields count.

    Raises:
        PullError: no such image, nothing for this platform, or no registry.
    """
    repository, tag = split(reference)
    registry, _, name = repository.partition("/")
    host = HOSTS.get(registry, registry)
    url = f"https://{host}/v2/{name}/manifests/{tag}"
    request = HttpRequest("GET", url, {"accept": INDEX})
    try:
        response = machine.network.http(machine, request)
    except NetworkError as error:
        raise PullError(
            f'failed to resolve reference "{reference}": failed to do request: '
            f'Head "{url}": {dial_error(machine, host, error)}'
        ) from error
    if response.status == 404:
        raise PullError(f'failed to resolve reference "{reference}": {reference}: not found')
    if response.status != 200:
        raise PullError(
            f'failed to resolve reference "{reference}": unexpected status from HEAD request to '
            f"{url}: {response.status} {_reason(response)}"
        )
    try:
        index = json.loads(response.body)
    except ValueError:
        index = None
    made = hashlib.sha256(response.body).hexdigest()
    expected = response.headers.get("etag", "").strip('"')
    if index is None or not made.startswith(expected):
        raise PullError(
            f'failed to copy: failed commit on ref "index-sha256:{expected}": unexpected commit digest '
            f"sha256:{made}, expected sha256:{expected}: failed precondition"
        )
    return _choose(index, reference, os, os_version)


def _choose(index: dict[str, Any], reference: str, os: str, os_version: str) -> Image:
    build = ".".join(os_version.split(".")[:3])
    for manifest in index["manifests"]:
        platform = manifest["platform"]
        version = platform.get("os.version", "")
        if platform["os"] == os and (not build or version.startswith(f"{build}.")):
            return Image(
                reference,
                index["digest"],
                manifest["config"],
                manifest["size"],
                index["behaviour"],
                os,
                version,
            )
    raise PullError(f"no match for platform in manifest {index['digest']}: not found")


def _reason(response: HttpResponse) -> str:
    return {401: "Unauthorized", 403: "Forbidden", 429: "Too Many Requests"}.get(
        response.status, "Internal Server Error" if response.status == 500 else "Error"
    )


def dial_error(machine: Attached, host: str, error: NetworkError) -> str:
    """Return the words of Go's net package for a connection that failed."""
    if error.kind == "name":
        return f"dial tcp: lookup {host}: no such host"
    try:
        address = machine.network.resolve(machine, host)
    except NetworkError:
        address = host
    reason = {
        "refused": "connect: connection refused",
        "timeout": "i/o timeout",
        "unreachable": "connect: no route to host",
    }.get(error.kind, str(error))
    return f"dial tcp {address}:443: {reason}"
