"""The API server of a control plane as the simulated network sees it: requests in, answers out.

The same cluster is served over real HTTPS by the lab's servers; here no bytes are encrypted and a
client's certificate travels in a header.
"""

from __future__ import annotations

import base64
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from k8swin_lab.kubernetes import rbac
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.kubernetes.errors import ApiError, Object, bad_request
from k8swin_lab.kubernetes.paths import is_true, parse
from k8swin_lab.kubernetes.subresources import container_of
from k8swin_lab.kubernetes.users import User
from k8swin_lab.network import CERTIFICATE_HEADER, HttpRequest, HttpResponse

_UNAUTHORIZED = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": "Unauthorized",
    "reason": "Unauthorized",
    "code": 401,
}


@dataclass(frozen=True, slots=True)
class ApiEndpoint:
    """What listens on the API server's port."""

    cluster: Cluster

    @property
    def authority(self) -> bytes:
        """The authority (PEM) of the serving certificate."""
        return self.cluster.authority.certificate_pem

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        parts = urllib.parse.urlsplit(request.url)
        if parts.scheme != "https":
            text = b"Client sent an HTTP request to an HTTPS server.\n"
            return HttpResponse(400, {"content-type": "text/plain"}, text)
        shown = request.headers.get(CERTIFICATE_HEADER)
        certificate = base64.b64decode(shown) if shown else None
        user = self.cluster.authenticate(request.headers.get("authorization"), certificate)
        if user is None:
            return _json(401, _UNAUTHORIZED)
        pairs = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
        path = urllib.parse.unquote(parts.path)
        if path.endswith("/exec") and "/pods/" in path:
            try:
                return self._exec(path, pairs, user)
            except ApiError as error:
                return _json(error.code, error.status)
        if request.method == "GET" and is_true(dict(pairs).get("watch")):
            return self._watch(path, dict(pairs), user, request.closed)
        warnings: list[str] = []
        agent = request.headers.get("user-agent", "unknown").partition("/")[0]
        status, result = self.cluster.front.request(
            request.method,
            path,
            dict(pairs),
            request.body or None,
            request.headers.get("content-type", "application/json"),
            user,
            accept=request.headers.get("accept", "application/json"),
            manager=agent,
            warnings=warnings,
        )
        if isinstance(result, str):
            return HttpResponse(status, {"content-type": "text/plain"}, result.encode())
        answer = _json(status, result, indent=2 if path == "/version" else None)
        if warnings:
            answer.headers["warning"] = ", ".join(f"299 - {json.dumps(text)}" for text in warnings)
        return answer

    def _watch(
        self, path: str, query: dict[str, str], user: User, closed: Callable[[], bool]
    ) -> HttpResponse:
        """Answer with a stream: one event a line, until the client has gone."""
        try:
            events = self.cluster.front.watch(path, query, user, cancelled=_Closed(closed))
        except ApiError as error:
            return _json(error.code, error.status)
        return HttpResponse(200, {"content-type": "application/json"}, stream=_lines(events))

    def _exec(self, path: str, pairs: list[tuple[str, str]], user: User) -> HttpResponse:
        """Run a program in a container; a POST that is answered at the end, with JSON."""
        target = parse(path)
        asked = rbac.Attributes(
            "create",
            resource="pods",
            subresource="exec",
            namespace=target.namespace,
            name=target.name,
        )
        if not rbac.allowed(self.cluster.store, user, asked):
            raise rbac.refuse(user, asked)
        pod = self.cluster.api.stored(target)
        container = container_of(pod, dict(pairs).get("container", ""))
        kubelet = self.cluster.kubelet_of(pod)
        argv = [value for key, value in pairs if key == "command"]
        if kubelet is None or not argv:
            raise bad_request("you must specify at least one command for the container")
        code, out, err = kubelet.exec(target.namespace, target.name, container, argv)
        found = {
            "code": code,
            "stdout": base64.b64encode(out).decode(),
            "stderr": base64.b64encode(err).decode(),
        }
        return _json(200, found)


class _Closed(threading.Event):
    """Set when the client's connection has gone."""

    def __init__(self, closed: Callable[[], bool]) -> None:
        super().__init__()
        self._gone = closed

    def is_set(self) -> bool:
        """Whether there is anybody left who reads."""
        return super().is_set() or self._gone()


def _lines(events: Iterator[Object]) -> Iterator[bytes]:
    for event in events:
        yield json.dumps(event).encode() + b"\n"


def _json(status: int, value: object, *, indent: int | None = None) -> HttpResponse:
    body = json.dumps(value, indent=indent).encode()
    return HttpResponse(status, {"content-type": "application/json"}, body)
