"""Requests to the API over the machine's network, with failures in kubectl's words."""

from __future__ import annotations

import base64
import json
import urllib.parse
from typing import Any

from k8swin_lab.kubectl.errors import KubectlError, RequestError
from k8swin_lab.kubectl.kubeconfig import Access, Files, access, parse
from k8swin_lab.machines.program import Process
from k8swin_lab.web_client import WebError, certificate_header, send

__all__ = ["Connection", "RequestError", "connect"]

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


class Connection:
    """Requests to one API server as one user."""

    def __init__(self, process: Process, way: Access, agent: str = "kubectl/v1.36.4") -> None:
        self._process = process
        self._access = way
        self._agent = agent
        self._warned: set[str] = set()

    @property
    def server(self) -> str:
        """The server's URL."""
        return self._access.server

    @property
    def authority(self) -> bytes:
        """The authority (PEM) that the kubeconfig trusts."""
        return self._access.authority

    def raw(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        query: list[tuple[str, str]] | None = None,
    ) -> tuple[int, bytes]:
        """Send a request and return status and body.

        Raises:
            KubectlError: the server cannot be reached.
        """
        url = self._access.server.rstrip("/") + path
        if query:
            url += ("&" if "?" in url else "?") + urllib.parse.urlencode(query)
        headers = {"accept": accept, "user-agent": self._agent}
        if body:
            headers["content-type"] = content_type
        if self._access.token:
            headers["authorization"] = f"Bearer {self._access.token}"
        if self._access.certificate:
            headers |= certificate_header(self._access.certificate)
        try:
            answer = send(
                self._process.machine, method, url, headers, body,
                trusted=self._access.authority, verify=not self._access.insecure,
            )  # fmt: skip
        except WebError as error:
            raise KubectlError(self._unreachable(error)) from error
        for text in _warnings(answer.headers.get("warning", "")):
            if text not in self._warned:
                self._warned.add(text)
                self._process.err(f"Warning: {text}\n")
        return answer.status, answer.body

    def _unreachable(self, error: WebError) -> str:
        place = urllib.parse.urlsplit(self._access.server).netloc
        if error.kind == "refused":
            return f"The connection to the server {place} was refused - did you specify the right host or port?"
        if error.kind == "tls":
            return (
                "Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed "
                "by unknown authority"
            )
        where = f"{error.address}:{error.port}"
        why = {
            "name": f"dial tcp: lookup {error.host}: no such host",
            "timeout": f"dial tcp {where}: i/o timeout",
            "unreachable": f"dial tcp {where}: connect: no route to host",
        }.get(error.kind, str(error))
        return f"Unable to connect to the server: {why}"

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        query: list[tuple[str, str]] | None = None,
    ) -> Any:
        """Send a request with an object and return an object.

        Raises:
            RequestError: the API refuses.
            KubectlError: the server cannot be reached.
        """
        data = json.dumps(body).encode() if body is not None else b""
        status, answer = self.raw(
            method, path, data, content_type=content_type, accept=accept, query=query
        )
        try:
            value = json.loads(answer)
        except ValueError:
            value = {"message": answer.decode(errors="replace").strip()}
        if status >= 400:
            raise RequestError({"code": status, **(value if isinstance(value, dict) else {})})
        return value

    def get(self, path: str, query: list[tuple[str, str]] | None = None) -> Any:
        """Get an object or a list."""
        return self.request("GET", path, query=query)

    def post(self, path: str, body: object, query: list[tuple[str, str]] | None = None) -> Any:
        """Create an object."""
        return self.request("POST", path, body, query=query)

    def delete(self, path: str, body: object = None) -> Any:
        """Delete an object."""
        return self.request("DELETE", path, body)

    def patch(
        self,
        path: str,
        body: object,
        kind: str = STRATEGIC,
        query: list[tuple[str, str]] | None = None,
    ) -> Any:
        """Patch an object."""
        return self.request("PATCH", path, body, content_type=kind, query=query)

    def find(self, path: str) -> Any | None:
        """Get an object, or None when it does not exist."""
        try:
            return self.get(path)
        except RequestError as error:
            if error.http == 404:
                return None
            raise

    def execute(self, path: str, command: list[str], container: str) -> tuple[int, bytes, bytes]:
        """Run a program in a container: exit code, standard output, standard error."""
        query = [("command", word) for word in command]
        if container:
            query.append(("container", container))
        answer = self.request("POST", path, query=query)
        out, err = (base64.b64decode(answer[key]) for key in ("stdout", "stderr"))
        return int(answer["code"]), out, err


def _warnings(header: str) -> list[str]:
    found, rest = [], header
    decoder = json.JSONDecoder()
    while '"' in rest:
        try:
            text, end = decoder.raw_decode(rest, rest.index('"'))
        except ValueError:
            break
        found.append(str(text))
        rest = rest[end:]
    return found


def connect(process: Process, text: str, path: str, files: Files | None = None) -> Connection:
    """Return a connection by the text of a kubeconfig.

    Args:
        process: who asks.
        text: of the kubeconfig.
        path: where it is, for messages.
        files: read when the kubeconfig names files; None for one that holds everything.

    Raises:
        KubectlError: it is no kubeconfig, or it names a file and there are no `files`.
    """
    return Connection(process, access(parse(text, path), files or _NoFiles()), "kubeadm/v1.36.4")


class _NoFiles:
    def read(self, path: str) -> bytes:
        raise FileNotFoundError(path)

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        raise FileNotFoundError(path)

    def exists(self, path: str) -> bool:
        return False

    def is_dir(self, path: str) -> bool:
        return False

    def list(self, path: str) -> list[str]:
        raise FileNotFoundError(path)
