"""Kubeconfig files: where they are looked for, and the connection that one describes."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any, Protocol

import yaml

from k8swin_lab.kubectl.errors import KubectlError
from k8swin_lab.machines.program import Process


class Files(Protocol):
    """The machine's files as the process may use them; errors are OSError."""

    def read(self, path: str) -> bytes:
        """Return a file's content; "-" is standard input."""

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file."""

    def exists(self, path: str) -> bool:
        """Tell whether there is anything at a path."""

    def is_dir(self, path: str) -> bool:
        """Tell whether a path is a directory."""

    def list(self, path: str) -> list[str]:
        """Return the names in a directory."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a cluster, and as whom."""

    server: str = "http://localhost:8080"
    authority: bytes = b""  # PEM; empty means the public ones
    insecure: bool = False
    certificate: bytes = b""  # DER
    token: str = ""
    namespace: str = "default"
    cluster_name: str = ""


def path_of(process: Process, given: str) -> str:
    """Return the path of the kubeconfig that counts."""
    if given:
        return given
    if listed := process.env.get("KUBECONFIG", ""):
        separator = ";" if process.machine.os == "windows" else ":"
        return listed.split(separator)[0]
    if process.machine.os == "windows":
        return process.env.get("USERPROFILE", r"C:\Users\Administrator") + r"\.kube\config"
    home = process.env.get("HOME") or (
        "/root" if process.user == "root" else f"/home/{process.user}"
    )
    return f"{home}/.kube/config"


def load(process: Process, files: Files, given: str) -> dict[str, Any]:
    """Return the kubeconfig, an empty one when there is none and none was named.

    Raises:
        KubectlError: it was named and is missing, cannot be read, or is no kubeconfig.
    """
    path = path_of(process, given)
    if not files.exists(path):
        if given:
            raise KubectlError(f"error: stat {path}: no such file or directory")
        return {}
    try:
        text = files.read(path).decode(errors="replace")
    except OSError as error:
        raise KubectlError(
            f'error: error loading config file "{path}": open {path}: permission denied'
        ) from error
    return parse(text, path)


def parse(text: str, path: str) -> dict[str, Any]:
    """Read a kubeconfig.

    Raises:
        KubectlError: it is none.
    """
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise KubectlError(f'error: error loading config file "{path}": yaml: {error}') from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise KubectlError(f'error: error loading config file "{path}": not a kubeconfig')
    return loaded


def _named(config: dict[str, Any], kind: str, name: str) -> dict[str, Any] | None:
    for entry in config.get(f"{kind}s") or []:
        if entry.get("name") == name:
            found: dict[str, Any] = entry.get(kind) or {}
            return found
    return None


def access(
    config: dict[str, Any],
    files: Files,
    *,
    context: str = "",
    server: str = "",
    namespace: str = "",
) -> Access:
    """Return how a kubeconfig says to reach the cluster.

    Raises:
        KubectlError: a name leads nowhere, or a file it names cannot be read.
    """
    wanted = context or config.get("current-context") or ""
    found = _named(config, "context", wanted) if wanted else {}
    if found is None:
        raise KubectlError(f'error: context "{wanted}" does not exist')
    cluster = _named(config, "cluster", found.get("cluster", "")) or {}
    user = _named(config, "user", found.get("user", "")) or {}
    authority = _content(files, cluster, "certificate-authority")
    certificate = _content(files, user, "client-certificate")
    token = str(user.get("token") or "")
    if not token and (path := user.get("tokenFile")):
        token = _file(files, path, "tokenFile").decode().strip()
    return Access(
        server=server or str(cluster.get("server") or "http://localhost:8080"),
        authority=authority,
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        certificate=_der(certificate) if certificate else b"",
        token=token,
        namespace=namespace or str(found.get("namespace") or "default"),
        cluster_name=str(found.get("cluster") or ""),
    )


def _content(files: Files, entry: dict[str, Any], key: str) -> bytes:
    if data := entry.get(f"{key}-data"):
        return base64.b64decode(data)
    if path := entry.get(key):
        return _file(files, str(path), key)
    return b""


def _file(files: Files, path: str, key: str) -> bytes:
    try:
        return files.read(path)
    except OSError as error:
        why = (
            "permission denied"
            if isinstance(error, PermissionError)
            else "no such file or directory"
        )
        raise KubectlError(
            f"error: unable to read {key} {path} due to open {path}: {why}"
        ) from error


def _der(pem: bytes) -> bytes:
    found = re.search(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", pem, re.DOTALL)
    return base64.b64decode(found[1]) if found else b""
