"""Registries of a description on nodes of both systems: containerd's hosts files, authorities, and logins.

Mirrors and authorities stand in files below `certs.d`, a folder a registry, which the kubelet's pulls read (containerd's
docs/hosts.md). There is no place for a login in them: that is in containerd's own configuration, under the host that is
talked to, which is deprecated and goes when there is another place for it (docs/cri/registry.md). A header in a hosts
file would do for servers that take Basic alone, and not for those that hand out tokens. The file is then for root and
administrators alone.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from k8swin_nb.description import Description
from k8swin_nb.errors import ParamsError
from k8swin_nb.reading import Unreadable, file_text, shown
from k8swin_nb.registry_description import EVERY, RegistryDescription
from k8swin_nb.secret import Secret, SecretRef
from k8swin_nb.workflow.facts import Fact
from k8swin_nb.workflow.step_run import StepRun

FOLDERS = {"linux": "/etc/containerd/certs.d", "windows": r"C:\etc\containerd\certs.d"}
DOCKER_HUB = "registry-1.docker.io"
"""The host that is talked to for images of `docker.io`."""

LOGINS = Fact[dict[str, tuple[str, Secret]]]("registry_logins")
_ASKING = threading.Lock()
CA_FILE = "k8swin-ca.crt"
OF_CONTAINERD_2 = ("io.containerd.cri.v1.images",)


def registry_host(name: str) -> str:
    """Return the host that is talked to for a registry's images."""
    return DOCKER_HUB if name == "docker.io" else name


def _folder(system: str, name: str) -> str:
    """Return a registry's folder. Windows has no colon in names; containerd looks for the port between underscores."""
    host, colon, port = ("_default" if name == EVERY else name).partition(":")
    if system == "windows":
        return FOLDERS[system] + "\\" + (f"{host}_{port}_" if colon else host)
    return f"{FOLDERS[system]}/{host}{colon}{port}"


def _join(system: str, folder: str, file: str) -> str:
    return folder + ("\\" if system == "windows" else "/") + file


def registry_paths(description: Description, system: str) -> list[str]:
    """Return the files that the registries of a description have on a node."""
    if description.profile == "classic":
        return []
    return [path for path, _ in _files(description, system)]


def registry_files(description: Description, system: str) -> str:
    """Return the files of registries on a node, a line each: the path and the content in base64.

    Raises:
        ParamsError: when an authority's file cannot be read, or is none.
    """
    lines = []
    for path, content in _files(description, system):
        text = content if isinstance(content, str) else _authority(description, content)
        lines.append(f"{path} {base64.b64encode(text.encode()).decode()}")
    return "\n".join(lines)


def _files(description: Description, system: str) -> Iterator[tuple[str, str | Path]]:
    by_name = {registry.name: registry for registry in description.registries}
    for registry in description.registries:
        folder = _folder(system, registry.name)
        if registry.ca:
            yield _join(system, folder, CA_FILE), description.path(registry.ca)
        if registry.mirrors or registry.ca:
            yield _join(system, folder, "hosts.toml"), _hosts(registry, by_name, system)


def _hosts(
    registry: RegistryDescription, by_name: dict[str, RegistryDescription], system: str
) -> str:
    """Return a registry's hosts file: its mirrors in their order, then itself."""
    own = f"https://{registry_host(registry.name)}"
    # Without a server containerd goes to the one of the image's name.
    lines = [] if registry.name == EVERY else [f"server = {json.dumps(own)}"]
    for url in [*registry.mirrors, *([own] if registry.ca else [])]:
        parts = urlsplit(url)
        at = registry if url == own else by_name.get(parts.netloc)
        lines += [
            *([""] if lines else []),
            f"[host.{json.dumps(url)}]",
            '  capabilities = ["pull", "resolve"]',
        ]
        if parts.path not in ("", "/v2"):
            lines.append("  override_path = true")
        if at is not None and at.ca:
            path = _join(system, _folder(system, at.name), CA_FILE)
            lines.append(f"  ca = {json.dumps(path)}")
    return "\n".join([*lines, ""])


def _authority(description: Description, path: Path) -> str:
    try:
        text = file_text(path)
    except (OSError, Unreadable, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ParamsError(
            f"`ca` of a registry: `{path}` cannot be read: {shown(reason)}",
            hint="name the file of the authority's certificate, PEM",
        ) from error
    found = re.findall(
        r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", text
    )
    if not found:
        raise ParamsError(
            f"`ca` of a registry: `{path}` holds no certificate",
            hint="name the file of the authority's certificate, PEM",
        )
    # A key that lies beside it in the file is nobody's on a node.
    return "\n".join([*found, ""])


def has_logins(description: Description) -> bool:
    """Return whether a node's containerd is told passwords."""
    return any(registry.user for registry in description.registries)


def logins(at: StepRun) -> dict[str, tuple[str, Secret]]:
    """Return user and password by the host that is talked to; each is looked up, or asked for, once in a phase."""
    with _ASKING:
        known = at.run.facts.get(at.master, LOGINS)
        if known is None:
            known = {
                registry_host(registry.name): (
                    registry.user,
                    SecretRef.parse(registry.credential).resolve(at.description.folder),
                )
                for registry in at.description.registries
                if registry.user and registry.credential
            }
            at.run.facts.keep(at.master, LOGINS, known)
    return known


def registry_changes(
    table: dict[str, Any],
    images: str,
    folder: str,
    known: dict[str, tuple[str, Secret]],
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Return what containerd's configuration needs for the registries of a description: values by path.

    Args:
        table: The configuration as it is.
        images: Name of the plugin that pulls images.
        folder: Where the hosts files are.
        known: User and password by host.

    Raises:
        ValueError: When what the configuration has excludes hosts files; the text says why.
    """
    registry: Any = table
    for name in ("plugins", images, "registry"):
        registry = registry.get(name) if isinstance(registry, dict) else None
    registry = registry if isinstance(registry, dict) else {}
    others = [name for name in ("mirrors", "auths") if registry.get(name)]
    if others:
        raise ValueError(
            f"its `registry` has `{others[0]}`, beside which containerd reads no hosts files: move them into "
            f"{folder}, or take `registries` out of the description"
        )
    path = registry.get("config_path")
    separator = ";" if folder[1:2] == ":" else ":"
    folders = path.split(separator) if isinstance(path, str) and path else []
    if folder not in folders:
        # What containerd 2 takes where nothing is said goes on being taken.
        more = ["/etc/docker/certs.d"] if not folders and images in OF_CONTAINERD_2 else []
        more = more if separator == ":" else []
        yield (
            ("plugins", images, "registry", "config_path"),
            separator.join([*folders, folder, *more]),
        )
    for host, (user, password) in known.items():
        where = ("plugins", images, "registry", "configs", host, "auth")
        yield (*where, "username"), user
        yield (*where, "password"), password.reveal()


def no_registry_files(at: StepRun) -> str | None:
    """Skip nodes whose registries have no files; those that were described once are taken back."""
    if at.description.profile == "classic":
        return "Docker has its mirrors in its own configuration"
    return None
