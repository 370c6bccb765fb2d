"""HTTP as programs of a Linux machine use it: redirects, certificates, and failures told apart."""

from __future__ import annotations

import base64
import urllib.parse
from dataclasses import dataclass

from k8swin_lab.internet.answers import NOT_SIMULATED
from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.network import (
    CERTIFICATE_HEADER,
    Attached,
    HttpRequest,
    HttpResponse,
    NetworkError,
    authority_of,
)

_REASONS = {
    301: "Moved Permanently",
    302: "Found",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


def reason_of(status: int) -> str:
    """Return the reason phrase of a status."""
    return _REASONS.get(status, "OK" if status < 300 else "Unknown")


@dataclass(slots=True)
class WebError(Exception):
    """A request that got no answer, or one that says no.

    `kind` is that of `NetworkError`, or "status", or "redirects".
    """

    kind: str
    text: str
    host: str
    address: str = ""
    port: int = 443
    status: int = 0

    def __str__(self) -> str:
        return self.text

    @property
    def reason(self) -> str:
        return reason_of(self.status)

    @property
    def apt_text(self) -> str:
        """What apt says of it."""
        where = f"{self.host}:{self.port} ({self.address})"
        return {
            "name": f"Could not resolve '{self.host}'",
            "refused": f"Could not connect to {where}. - connect (111: Connection refused)",
            "timeout": f"Could not connect to {where}, connection timed out",
            "unreachable": f"Cannot initiate the connection to {where}. - connect (113: No route to host)",
            "tls": "Certificate verification failed: The certificate is NOT trusted. The certificate "
            "issuer is unknown.  Could not handshake: Error in the certificate verification.",
            "status": f"{self.status}  {self.reason} [IP: {self.address} {self.port}]",
        }.get(self.kind, self.text)


def refuse_host(machine: Attached, host: str) -> None:
    """Say of a name that does not resolve that the real internet may have it.

    Raises:
        NotSimulated: it is such a name, and the machine has the internet.
    """
    if machine.network.beyond(host):
        raise NotSimulated(f"the internet's host {host}")


def refuse_answer(response: HttpResponse) -> None:
    """Say of an answer that it stands for a file that the real host may have.

    Raises:
        NotSimulated: it is such an answer.
    """
    if url := response.headers.get(NOT_SIMULATED):
        raise NotSimulated(url)


def send(
    machine: Attached,
    method: str,
    url: str,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    *,
    trusted: bytes = b"",
    verify: bool = True,
) -> HttpResponse:
    """Send one request and check the server's certificate; redirects are returned.

    Args:
        machine: who asks.
        method: of HTTP.
        url: http or https.
        headers: names in lower case.
        body: of the request.
        trusted: authorities (PEM) that are trusted instead of the public ones.
        verify: False takes any certificate.

    Raises:
        WebError: no answer, or a certificate that is not trusted.
    """
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = ""
    try:
        address = machine.network.resolve(machine, host)
        endpoint = machine.network.open(machine, address, port)
        if isinstance(endpoint, str):
            raise NetworkError("protocol", f"{endpoint} speaks no HTTP")
        if parts.scheme == "https" and verify:
            own = authority_of(endpoint)
            if (own is not None and own.strip() not in trusted) or (own is None and trusted):
                raise WebError("tls", "unable to get local issuer certificate", host, address, port)
        # Asked directly: a second `open` would take a service's next turn.
        response = endpoint(HttpRequest(method, url, headers or {}, body, machine.address))
        refuse_answer(response)
        return response
    except NetworkError as error:
        if error.kind == "name":
            refuse_host(machine, host)
        raise WebError(error.kind, str(error), host, address, port) from error


def fetch(
    machine: Attached,
    url: str,
    headers: dict[str, str] | None = None,
    *,
    trusted: bytes = b"",
    verify: bool = True,
) -> HttpResponse:
    """Get a URL, following redirects.

    Raises:
        WebError: also for statuses from 400 on.
    """
    for _ in range(20):
        response = send(machine, "GET", url, headers, trusted=trusted, verify=verify)
        if response.status in (301, 302, 303, 307, 308):
            url = urllib.parse.urljoin(url, response.headers["location"])
            continue
        if response.status >= 400:
            parts = urllib.parse.urlsplit(url)
            host = parts.hostname or ""
            address = machine.network.resolve(machine, host)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            raise WebError("status", url, host, address, port, response.status)
        return response
    raise WebError("redirects", "too many redirects", "")


def certificate_header(der: bytes) -> dict[str, str]:
    """Return the header that shows a client certificate."""
    return {CERTIFICATE_HEADER: base64.b64encode(der).decode()}
