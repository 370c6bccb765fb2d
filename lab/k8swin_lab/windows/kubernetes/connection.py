"""Talking to the API server as a program with a kubeconfig does: over the machine's network."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from k8swin_lab.kubernetes.remote import WireError, query_text
from k8swin_lab.network import (
    CERTIFICATE_HEADER,
    HttpRequest,
    HttpResponse,
    NetworkError,
    Tls,
    authority_of,
)

if TYPE_CHECKING:
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
    certificate: bytes = b""  # with its key


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
    key = base64.b64decode(user.get("client-key-data", ""))
    try:
        if not authority and cluster.get("certificate-authority"):
            authority = machine.files.read(cluster["certificate-authority"])
        if not certificate and user.get("client-certificate"):
            certificate = machine.files.read(user["client-certificate"])
        if not key and user.get("client-key") not in (None, user.get("client-certificate")):
            key = machine.files.read(user["client-key"])
        token = user.get("token") or (
            machine.files.read(user["tokenFile"]).decode().strip() if user.get("tokenFile") else ""
        )
    except OSError as error:
        raise ConnectionFailed(str(error)) from error
    return Kubeconfig(str(cluster.get("server", "")), authority, token, certificate + key)


def exchange(
    machine: WindowsMachine, config: Kubeconfig, method: str, path: str, body: Any = None, *,
    content_type: str = "application/json", verify: bool = True, agent: str = "",
    closed: Callable[[], bool] = lambda: False,
) -> HttpResponse:  # fmt: skip
    """Send one request; whatever the server answers is returned. `path` may have a query.

    Raises:
        ConnectionFailed: Nothing answered, or the server is not the one that is trusted.
    """
    url = config.server.rstrip("/") + path
    parts = urllib.parse.urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    headers = {"accept": "application/json", "content-type": content_type}
    if agent:
        headers["user-agent"] = agent
    if config.token:
        headers["authorization"] = f"Bearer {config.token}"
    if config.certificate:
        headers[CERTIFICATE_HEADER] = base64.b64encode(_der(config.certificate)).decode()
    verb = method.capitalize()
    try:
        address = machine.network.resolve(machine, host)
        server = machine.network.open(machine, address, port)
        if isinstance(server, str):
            raise NetworkError("protocol", "http: server gave HTTP response to HTTPS client")
        authority = authority_of(server)
        trusted = config.authority.replace(b"\r\n", b"\n")
        if verify and authority and authority.strip() not in trusted:
            raise ConnectionFailed(
                f'{verb} "{url}": tls: failed to verify certificate: x509: certificate signed by unknown authority'
            )

        def gone() -> bool:
            return closed() or not _serves(machine, address, port, server)

        data = b"" if body is None else json.dumps(body).encode()
        tls = Tls(trusted if verify else b"", config.certificate)
        return server(HttpRequest(method, url, headers, data, machine.address, tls, gone))
    except NetworkError as error:
        reason = {
            "name": f"dial tcp: lookup {host}: no such host",
            "refused": f"dial tcp {host}:{port}: connectex: No connection could be made because the target machine actively refused it.",
            "timeout": f"dial tcp {host}:{port}: i/o timeout",
            "unreachable": f"dial tcp {host}:{port}: connectex: A socket operation was attempted to an unreachable host.",
            "tls": f"tls: failed to verify certificate: {error}",
        }.get(error.kind, str(error))
        raise ConnectionFailed(f'{verb} "{url}": {reason}') from error


def _serves(machine: WindowsMachine, address: str, port: int, server: object) -> bool:
    """Whether the same server still listens there: a connection ends with it."""
    found = machine.network.machine_at(address)
    if found is None or not found.reachable:
        return found is None
    return found.listening.get(port) == server


def _der(pem: bytes) -> bytes:
    text = pem.decode()
    end = "-----END CERTIFICATE-----"
    start = text.index("-----BEGIN CERT")
    return ssl.PEM_cert_to_DER_cert(text[start : text.index(end, start) + len(end)])


def request(
    machine: WindowsMachine, config: Kubeconfig, method: str, path: str, body: Any = None, *,
    content_type: str = "application/json", verify: bool = True, agent: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Send one request and return the object that is answered.

    Raises:
        ConnectionFailed: With the HTTP code for refusals, 0 when nothing answered.
    """
    response = exchange(
        machine, config, method, path, body, content_type=content_type, verify=verify, agent=agent
    )
    found = _object(response)
    if response.status >= 400:
        raise ConnectionFailed(str(found.get("message", response.status)), response.status)
    return found


def _object(response: HttpResponse) -> dict[str, Any]:
    try:
        found = json.loads(response.body or b"{}")
    except ValueError:
        found = {"message": response.body.decode("utf-8", "replace").strip()}
    return found if isinstance(found, dict) else {}


class ApiWire:
    """The way of one program to its API server; a `Wire` of kubernetes/remote.py.

    Args:
        machine: on which the program runs.
        config: says where and as whom, asked before each request.
        agent: the program's name.
    """

    def __init__(
        self, machine: WindowsMachine, config: Callable[[], Kubeconfig], agent: str
    ) -> None:
        self._machine = machine
        self._config = config
        self._agent = agent

    def send(
        self, method: str, path: str, query: dict[str, str], body: Any, content_type: str
    ) -> tuple[int, Any]:
        """Send a request; HTTP status and object."""
        try:
            answer = exchange(
                self._machine, self._config(), method, path + query_text(query), body,
                content_type=content_type, agent=self._agent,
            )  # fmt: skip
        except ConnectionFailed as error:
            raise WireError(str(error)) from error
        return answer.status, _object(answer)

    def watch(
        self, path: str, query: dict[str, str], stopped: Callable[[], bool]
    ) -> Iterator[dict[str, Any]]:
        """Yield events until the watch ends."""
        try:
            answer = exchange(
                self._machine, self._config(), "GET", path + query_text(query),
                agent=self._agent, closed=stopped,
            )  # fmt: skip
            if answer.stream is None:
                raise WireError(str(_object(answer).get("message", answer.status)))
            for line in answer.stream:
                yield json.loads(line)
        except (ConnectionFailed, NetworkError) as error:
            raise WireError(str(error)) from error
