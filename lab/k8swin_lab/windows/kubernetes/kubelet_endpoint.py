"""What answers on port 10250 of a Windows node: logs of containers, for those whom the cluster's authority vouches for.

As pkg/kubelet/server: nobody without a client certificate of `clientCAFile` gets in (401), and of the others those of whom the
API server says that they may use nodes/proxy (403).
"""

from __future__ import annotations

import base64
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from k8swin_lab.kubernetes.errors import ApiError
from k8swin_lab.kubernetes.remote import WireError
from k8swin_lab.network import CERTIFICATE_HEADER, HttpRequest, HttpResponse
from k8swin_lab.windows.kubernetes.flags import last

if TYPE_CHECKING:
    from k8swin_lab.kubernetes.kubelet import Kubelet
    from k8swin_lab.machines.windows import WindowsMachine

_NOT_HERE = (
    "attach", "checkpoint", "configz", "cri", "debug", "flagz", "logs", "metrics", "pods", "portForward", "run",
    "runningpods", "stats", "statusz",
)  # fmt: skip
"""What else a kubelet answers; see pkg/kubelet/server/server.go."""
_BY_TIME = ("sinceSeconds", "sinceTime", "timestamps")
_LOOK_SECONDS = 0.5
_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask a kubelet, and how many pods it takes."""

    anonymous: bool
    always_allowed: bool
    client_ca: str  # path of the authority of clients' certificates, empty without one
    max_pods: int = 110


def access_of(configuration: dict[str, Any], flags: dict[str, list[str]]) -> Access:
    """Work out what command line and KubeletConfiguration say; the first wins.

    Without a file the old defaults of the command line hold, which let everybody in.
    """
    from_file = "--config" in flags
    authentication = configuration.get("authentication") or {}
    anonymous = (authentication.get("anonymous") or {}).get("enabled", not from_file)
    mode = (configuration.get("authorization") or {}).get("mode")
    mode = mode or ("Webhook" if from_file else "AlwaysAllow")
    return Access(
        last(flags, "--anonymous-auth", str(anonymous).lower()) == "true",
        last(flags, "--authorization-mode", mode) == "AlwaysAllow",
        last(flags, "--client-ca-file", (authentication.get("x509") or {}).get("clientCAFile", "")),
        int(last(flags, "--max-pods") or configuration.get("maxPods") or 110),
    )


@dataclass(frozen=True, slots=True, eq=False)
class KubeletEndpoint:
    """The kubelet's server on one machine."""

    machine: WindowsMachine
    access: Access

    @property
    def client_authority(self) -> bytes:
        """The authority (PEM) of those who may ask; empty where none is configured."""
        path = self.access.client_ca.replace("/", "\\")
        path = "C:" + path if path.startswith("\\") else path
        if not path or not self.machine.files.exists(path):
            return b""
        return self.machine.files.read(path)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        if refused := self.refused(request):
            return refused
        parts = urllib.parse.urlsplit(request.url)
        words = [word for word in parts.path.split("/") if word]
        query = dict(urllib.parse.parse_qsl(parts.query))
        agent = self.machine.containers.agent
        if words == ["healthz"]:
            return _text(200, "ok")
        if words[:1] == ["containerLogs"] and len(words) == 4 and agent is not None:
            if asked := sorted(
                name for name in _BY_TIME if query.get(name, "false") not in ("false", "0")
            ):
                return _text(501, f"not simulated in the lab: logs with {', '.join(asked)}\n")
            try:
                text = agent.logs(
                    words[1], words[2], words[3], previous=query.get("previous") in ("true", "1")
                )
            except ApiError as error:
                return _text(error.code, str(error))
            if query.get("follow") in ("true", "1"):
                return HttpResponse(
                    200,
                    {"content-type": "text/plain"},
                    stream=_followed(agent, words[1:], text, query),
                )
            return _text(200, _limited(text, query))
        if words[:1] and words[0] in _NOT_HERE:
            return _text(501, f"not simulated in the lab: {words[0]} of the kubelet\n")
        return _text(404, "404 page not found\n")

    def refused(self, request: HttpRequest) -> HttpResponse | None:
        """Whether somebody is not let in, and what is answered then."""
        shown = request.headers.get(CERTIFICATE_HEADER)
        authority = self.client_authority
        if not shown or not authority:
            if not self.access.anonymous:
                return _text(401, "Unauthorized")
            return None if self.access.always_allowed else _forbidden("system:anonymous")
        certificate = x509.load_der_x509_certificate(base64.b64decode(shown))
        try:
            certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
        except Exception:
            return _text(401, "Unauthorized")
        named = certificate.subject.get_attributes_for_oid
        groups = {str(part.value) for part in named(NameOID.ORGANIZATION_NAME)}
        user = "".join(str(part.value) for part in named(NameOID.COMMON_NAME))
        if self.access.always_allowed or self._allowed(request, user, groups):
            return None
        return _forbidden(user)

    def _allowed(self, request: HttpRequest, user: str, groups: set[str]) -> bool:
        """Ask the API server whether somebody may, as `authorization.mode: Webhook` says."""
        agent = self.machine.containers.agent
        if agent is None:
            return False
        verb = {"GET": "get", "POST": "create"}.get(request.method, request.method.lower())
        attributes = {"verb": verb, "resource": "nodes", "subresource": "proxy", "name": agent.name}
        everybody = [*groups, "system:authenticated"]
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": everybody, "resourceAttributes": attributes},
        }
        try:
            code, found = agent.cluster.api.request("POST", _REVIEWS, body=review)
        except WireError:
            return False
        return code == 201 and bool((found.get("status") or {}).get("allowed"))


def _followed(
    agent: Kubelet, names: list[str], text: str, query: dict[str, str]
) -> Iterator[bytes]:
    """Yield a log, and what comes to it until its container has ended; an empty piece when nothing came."""
    yield _limited(text, query).encode()
    namespace, pod, container = names
    while True:
        runtime = agent.find(namespace, pod)
        goes_on = runtime is not None and runtime.running(container) is not None
        try:
            now = agent.logs(namespace, pod, container)
        except ApiError:
            return
        yield now[len(text) :].encode()
        text = now
        if not goes_on:
            return
        time.sleep(_LOOK_SECONDS)


def _forbidden(user: str) -> HttpResponse:
    return _text(403, f"Forbidden (user={user}, verb=get, resource=nodes, subresource=proxy)")


def _limited(text: str, query: dict[str, str]) -> str:
    lines = text.splitlines(keepends=True)
    if "tailLines" in query:
        count = int(query["tailLines"])
        lines = lines[-count:] if count else []
    text = "".join(lines)
    return text[: int(query["limitBytes"])] if "limitBytes" in query else text


def _text(status: int, text: str) -> HttpResponse:
    return HttpResponse(status, {"content-type": "text/plain"}, text.encode())
