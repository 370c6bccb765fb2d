"""Fetching over the simulated network, with redirects and trust: shared by curl.exe and Invoke-WebRequest."""

from __future__ import annotations

import ssl
import urllib.parse
from typing import TYPE_CHECKING

from k8swin_lab.network import HttpRequest, HttpResponse, NetworkError, authority_of
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.web_client import refuse_answer, refuse_host

if TYPE_CHECKING:
    from k8swin_lab.machines.windows import WindowsMachine


def trusted(machine: WindowsMachine, url: str, authority: bytes | None) -> bool:
    """Whether the server behind an https URL shows a certificate that `authority` (PEM) or the public ones signed."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return True
    address = machine.network.resolve(machine, parts.hostname)
    private = authority_of(machine.network.open(machine, address, parts.port or 443))
    if private is None:
        return True
    if authority is None:
        return False
    try:
        return ssl.PEM_cert_to_DER_cert(private.decode()) == ssl.PEM_cert_to_DER_cert(
            authority.decode()
        )
    except ValueError:
        return False


def fetch(
    machine: WindowsMachine,
    method: str,
    url: str,
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    redirects: int = 0,
    insecure: bool = False,
    authority: bytes | None = None,
    timeout: float = 30,
) -> tuple[HttpResponse, str]:
    """Send a request and follow up to `redirects` redirects; returns the answer and the last URL.

    Raises:
        NetworkError: As the network; kind "tls" when the server's certificate is not trusted.
    """
    for _ in range(redirects + 1):
        if not insecure and not trusted(machine, url, authority):
            raise NetworkError(
                "tls", "the certificate chain was issued by an authority that is not trusted"
            )
        response = machine.network.http(
            machine,
            HttpRequest(method, url, {k.lower(): v for k, v in (headers or {}).items()}, body),
            timeout=timeout,
        )
        location = {k.lower(): v for k, v in response.headers.items()}.get("location")
        if response.status not in (301, 302, 303, 307, 308) or not location or redirects == 0:
            return response, url
        url = urllib.parse.urljoin(url, location)
        if response.status == 303:
            method, body = "GET", b""
    raise NetworkError("redirect", f"Maximum ({redirects}) redirects followed")


_REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict",
            500: "Internal Server Error", 502: "Bad Gateway", 503: "Server Unavailable"}  # fmt: skip
_FAILURES = {
    "tls": "The underlying connection was closed: Could not establish trust relationship for the SSL/TLS secure channel.",
    "timeout": "The operation has timed out.",
    "protocol": "The underlying connection was closed: An unexpected error occurred on a receive.",
}


def _web_exception(message: str) -> Terminating:
    return Terminating(
        message,
        exception="System.Net.WebException",
        category="InvalidOperation",
        error_id="WebCmdletWebResponseException",
    )


def answer(
    machine: WindowsMachine,
    method: str,
    url: str,
    *,
    headers: dict[str, str],
    body: bytes = b"",
    timeout: float = 100,
    redirects: int = 5,
) -> HttpResponse:
    """Ask as .NET's WebRequest does.

    Raises:
        Terminating: a WebException: nobody answered, or with an error.
        NotSimulated: only the real internet has what was asked for.
    """
    host = url.split("/")[2].partition(":")[0]
    try:
        response, _ = fetch(
            machine, method, url, headers=headers, body=body, timeout=timeout, redirects=redirects
        )
    except NetworkError as error:
        if error.kind == "name":
            refuse_host(machine, host)
            said = f"The remote name could not be resolved: '{host}'"
        else:
            said = _FAILURES.get(error.kind, "Unable to connect to the remote server")
        raise _web_exception(said) from error
    refuse_answer(response)
    if response.status >= 400:
        reason = _REASONS.get(response.status, "Error")
        raise _web_exception(f"The remote server returned an error: ({response.status}) {reason}.")
    return response


def unrevokable(machine: WindowsMachine, url: str) -> bool:
    """Whether Schannel finds no revocation list for the certificate behind a URL, which curl.exe wants by default.

    A site whose private authority signs what is downloaded (a mirror's or an inspecting proxy's) and publishes no
    list has that (curl#3727, smallstep/certificates#2150); .NET does not ask unless it is told to.
    """
    return url.startswith("https:") and not machine.revocation_reached
