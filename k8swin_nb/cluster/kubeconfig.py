"""A kubeconfig that comes from a host, taken apart by field.

A kubeconfig may name programs to run, files to send and servers to talk to. This one was written on a managed
machine, so that it is data: the authority's certificate, and a token or a client's certificate with its key, for the
server of the plan. Whatever else its entry holds is refused and never done.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from k8swin_nb.errors import ClusterError
from k8swin_nb.reading import Unreadable, shown, yaml_document
from k8swin_nb.secret import Secret

CLUSTER_FIELDS = frozenset({"server", "certificate-authority-data"})
USER_FIELDS = frozenset({"token", "client-certificate-data", "client-key-data"})
WITHOUT_EFFECT = frozenset({"extensions", "disable-compression"})
"""Fields that other programs keep beside ours and that change nothing here."""

LONGEST = 256 * 1024
"""Characters of a kubeconfig that is read at all."""

HINT = (
    "on the control plane compare ~/.kube/config with /etc/kubernetes/admin.conf: only a server, "
    "certificate data and a token are taken from it"
)


@dataclass(frozen=True, slots=True)
class Access:
    """What a client needs of a kubeconfig, and nothing that makes it do anything else."""

    host: str
    port: int
    authority: bytes
    """Certificates of the authority, PEM."""

    token: Secret | None = None
    certificate: bytes = b""
    """The client's certificate, PEM; empty where a token says who asks."""

    key: Secret | None = None
    """Its key, PEM."""


FILE_FIELDS = frozenset(
    {"apiVersion", "kind", "preferences", "clusters", "users", "contexts", "current-context"}
)


def read_kubeconfig(text: str, server: str, *, alone: bool = False) -> Access:
    """Return the access that a kubeconfig gives to one server.

    Args:
        text: The kubeconfig.
        server: The planned server, such as `https://192.168.160.150:6443`.
        alone: It holds nothing else, so that any program that is given the text does no more with it.

    Raises:
        ClusterError: when it is no kubeconfig, has no entry for the server, or its entry has a field that
            is not one of those that are taken; values are not repeated, they may be secrets.
    """
    if len(text) > LONGEST:
        raise _refused(f"has more than {LONGEST // 1024} kB")
    try:
        document = yaml_document(text)
    except Unreadable as error:
        # The library's message may hold a piece of a value.
        raise _refused("is no YAML") from error
    if not isinstance(document, dict):
        raise _refused("is no mapping")
    cluster_name, cluster = _cluster(document, server)
    user = _user(document, cluster_name)
    if alone:
        _alone(document)
    _only(cluster, CLUSTER_FIELDS, f"its cluster `{shown(cluster_name)}`")
    _only(user, USER_FIELDS, f"the user of its cluster `{shown(cluster_name)}`")
    authority = _decoded(cluster, "certificate-authority-data")
    token = _text(user, "token")
    certificate = _decoded(user, "client-certificate-data", needed=not token)
    key = _decoded(user, "client-key-data", needed=bool(certificate))
    if token and not re.fullmatch(r"[!-~]{8,8192}", token):
        raise _refused("has a `token` that is none")
    where = urlsplit(server)
    return Access(
        where.hostname or "",
        where.port or 443,
        authority,
        Secret(token) if token else None,
        certificate,
        Secret(key.decode("ascii")) if key else None,
    )


def _refused(what: str) -> ClusterError:
    return ClusterError(f"the kubeconfig of the control plane {what}", hint=HINT)


def _entries(document: dict[str, Any], kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the named entries of a list of a kubeconfig; what has another form is none."""
    listed = document.get(kind + "s")
    found = []
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get(kind), dict):
            found.append((str(entry.get("name")), entry[kind]))
    return found


def _cluster(document: dict[str, Any], server: str) -> tuple[str, dict[str, Any]]:
    clusters = _entries(document, "cluster")
    for name, cluster in clusters:
        if _same(cluster.get("server"), server):
            return name, cluster
    named = ", ".join(shown(cluster.get("server")) for _, cluster in clusters[:3]) or "none"
    raise _refused(f"names no cluster at {server}, found: {named}")


def _same(found: object, wanted: str) -> bool:
    if not isinstance(found, str):
        return False
    try:
        one, other = urlsplit(found), urlsplit(wanted)
        same = (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)
    except ValueError:
        return False
    return same and one.path in ("", "/") and not (one.username or one.query or one.fragment)


def _user(document: dict[str, Any], cluster: str) -> dict[str, Any]:
    """Return the user with whom the cluster is asked; the current context decides where there are several."""
    users = dict(_entries(document, "user"))
    contexts = [
        (name, context)
        for name, context in _entries(document, "context")
        if context.get("cluster") == cluster and str(context.get("user")) in users
    ]
    if not contexts:
        raise _refused(f"has no context with a user for its cluster `{shown(cluster)}`")
    contexts.sort(key=lambda pair: pair[0] != document.get("current-context"))
    return users[str(contexts[0][1].get("user"))]


def _alone(document: dict[str, Any]) -> None:
    """Refuse a kubeconfig with more than one way in it, or with another current one."""
    _only(document, FILE_FIELDS, "it")
    names = []
    for kind in ("cluster", "user", "context"):
        listed = document.get(kind + "s")
        if not isinstance(listed, list) or len(listed) != 1:
            raise _refused(f"holds more than one {kind}, expected that of this cluster alone")
        _only(listed[0], frozenset({"name", kind}), f"its {kind}")
        names.append(listed[0].get("name"))
    ((_, context),) = _entries(document, "context")
    _only(context, frozenset({"cluster", "user", "namespace"}), "its context")
    if document.get("current-context") != names[2] or document.get("preferences"):
        raise _refused("has another current context, or preferences")


def _only(entry: dict[str, Any], allowed: frozenset[str], where: str) -> None:
    others = sorted(str(name) for name in entry if name not in allowed | WITHOUT_EFFECT)
    if others:
        named = ", ".join(f"`{shown(name)}`" for name in others[:5])
        raise _refused(f"has {named} in {where}, which is refused")


def _text(entry: dict[str, Any], field: str) -> str:
    value = entry.get(field, "")
    if not isinstance(value, str):
        raise _refused(f"has a `{field}` that is no text")
    return value


def _decoded(entry: dict[str, Any], field: str, *, needed: bool = True) -> bytes:
    text = "".join(_text(entry, field).split())
    try:
        content = base64.b64decode(text, validate=True)
        content.decode("ascii")
    except (binascii.Error, ValueError):
        raise _refused(f"has a `{field}` that is no base64 of PEM") from None
    if needed and not content:
        raise _refused(f"has no `{field}`")
    return content
