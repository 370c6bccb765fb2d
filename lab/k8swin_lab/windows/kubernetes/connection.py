"""Talking to the API server as a program with a kubeconfig does: over the machine's network."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from k8swin_lab.network import HttpRequest, NetworkError, authority_of

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.cluster import Cluster
    from k8swin_lab.machines.windows import WindowsMachine


class ConnectionFailed(Exception):
    """No answer from the API server, or a refusal; the text is Go's or the server's."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


@dataclass(slots=True)
class Kubeconfig:
    """The current context of a kubeconfig."""

    server: str
    authority: bytes = b""
    token: str = ""
    certificate: bytes = b""


def read_kubeconfig(machine: WindowsMachine, path: str) -> Kubeconfig:
    """Load a kubeconfig from the machine's disk.

    Raises:
        ConnectionFailed: It is missing or not one.
    """
    try:
        content = yaml.safe_load(machine.files.read(path).decode("utf-8-sig"))
    except OSError as error:
        raise ConnectionFailed(
            f"open {path}: The system cannot find the file specified."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConnectionFailed(f'error loading config file "{path}": yaml: {error}') from error
    if not isinstance(content, dict) or not content.get("clusters"):
        raise ConnectionFailed(
            "invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable"
        )
    context = {c["name"]: c["context"] for c in content.get("contexts") or []}.get(
        content.get("current-context"), {}
    )
    clusters = {c["name"]: c["cluster"] for c in content["clusters"]}
    users = {u["name"]: u.get("user") or {} for u in content.get("users") or []}
    cluster = clusters.get(context.get("cluster"), next(iter(clusters.values())))
    user = users.get(context.get("user"), {})
    authority = base64.b64decode(cluster.get("certificate-authority-data", ""))
    certificate = base64.b64decode(user.get("client-certificate-data", ""))
    try:
        if not authority and cluster.get("certificate-authority"):
            authority = machine.files.read(cluster["certificate-authority"])
        if not certificate and user.get("client-certificate"):
            certificate = machine.files.read(user["client-certificate"])
        token = user.get("token") or (
            machine.files.read(user["tokenFile"]).decode().strip() if user.get("tokenFile") else ""
        )
    except OSError as error:
        raise ConnectionFailed(str(error)) from error
    return Kubeconfig(str(cluster.get("server", "")), authority, token, certificate)


def request(
    machine: WindowsMachine, config: Kubeconfig, method: str, path: str, body: Any = None, *,
    content_type: str = "application/json", check_authority: bool = True,
) -> dict[str, Any]:  # fmt: skip
    """Send one request.

    Raises:
        ConnectionFailed: With the HTTP code for refusals, 0 when nothing answered.
    """
    url = config.server.rstrip("/") + path
    parts = urllib.parse.urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    headers = {"accept": "application/json", "content-type": content_type}
    if config.token:
        headers["authorization"] = f"Bearer {config.token}"
    if config.certificate:
        pem = config.certificate.decode()
        der = ssl.PEM_cert_to_DER_cert(
            pem[pem.index("-----BEGIN CERT") : pem.index("-----END CERTIFICATE-----") + 25]
        )
        headers["x-client-certificate"] = base64.b64encode(der).decode()
    verb = method.capitalize()
    try:
        address = machine.network.resolve(machine, host)
        server = machine.network.open(machine, address, port)
        authority = authority_of(server)
        if (
            check_authority
            and authority
            and authority.strip() not in config.authority.replace(b"\r\n", b"\n")
        ):
            raise ConnectionFailed(
                f'{verb} "{url}": tls: failed to verify certificate: x509: certificate signed by unknown authority'
            )
        data = b"" if body is None else json.dumps(body).encode()
        response = machine.network.http(machine, HttpRequest(method, url, headers, data))
    except NetworkError as error:
        reason = {
            "name": f"dial tcp: lookup {host}: no such host",
            "refused": f"dial tcp {host}:{port}: connectex: No connection could be made because the target machine actively refused it.",
            "timeout": f"dial tcp {host}:{port}: i/o timeout",
            "unreachable": f"dial tcp {host}:{port}: connectex: A socket operation was attempted to an unreachable host.",
        }.get(error.kind, str(error))
        raise ConnectionFailed(f'{verb} "{url}": {reason}') from error
    found: dict[str, Any] = json.loads(response.body or b"{}")
    if response.status >= 400:
        raise ConnectionFailed(str(found.get("message", response.status)), response.status)
    return found


def cluster_behind(machine: WindowsMachine, server: str) -> Cluster:
    """The cluster whose API server answers at an URL.

    Raises:
        ConnectionFailed: Nothing answers there.
    """
    parts = urllib.parse.urlsplit(server)
    try:
        address = machine.network.resolve(machine, parts.hostname or "")
        handler = machine.network.open(machine, address, parts.port or 443)
    except NetworkError as error:
        raise ConnectionFailed(str(error)) from error
    cluster: Cluster | None = getattr(handler, "cluster", None)
    if cluster is None:
        raise ConnectionFailed(f"{server} is no Kubernetes API server")
    return cluster
