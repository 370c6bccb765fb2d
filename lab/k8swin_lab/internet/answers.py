"""Answers that origins share: a file, a redirect, nothing there."""

from __future__ import annotations

import hashlib
import urllib.parse

from k8swin_lab.network import HttpRequest, HttpResponse

_NOT_FOUND = (
    b"<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n"
)

_FRONT = b"<html><head><title>Welcome</title></head><body></body></html>\n"


def path_of(request: HttpRequest) -> str:
    """Return the path of a request, without percent escapes."""
    return urllib.parse.unquote(urllib.parse.urlsplit(request.url).path)


def file(
    request: HttpRequest, content: bytes | None, kind: str = "application/octet-stream"
) -> HttpResponse:
    """Return a file (whole, or its length alone for HEAD), or 404 when there is none."""
    if content is None:
        return missing()
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(405, {"allow": "GET, HEAD"}, b"")
    headers = {
        "content-type": kind,
        "content-length": str(len(content)),
        "etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT",
    }
    return HttpResponse(200, headers, b"" if request.method == "HEAD" else content)


def missing() -> HttpResponse:
    """Return 404 with a page, as web servers do."""
    headers = {"content-type": "text/html", "content-length": str(len(_NOT_FOUND))}
    return HttpResponse(404, headers, _NOT_FOUND)


NOT_SIMULATED = "x-not-simulated"
"""Header of an answer about a file that the real host may have and this one never has."""


def unknown(request: HttpRequest) -> HttpResponse:
    """Say of a file of a kind that this origin does not serve that it is not simulated.

    The front page is there, as each of these hosts has one: who only looks whether a host answers asks for it.
    """
    if path_of(request) in ("", "/"):
        return file(request, _FRONT, "text/html")
    told = f"not simulated in the lab: {request.url}\n".encode()
    headers = {
        "content-type": "text/plain", "content-length": str(len(told)), NOT_SIMULATED: request.url,
    }  # fmt: skip
    return HttpResponse(501, headers, told)


def redirect(location: str) -> HttpResponse:
    """Return a temporary redirect."""
    return HttpResponse(302, {"location": location, "content-length": "0"}, b"")


def sha256(content: bytes) -> str:
    """Return a hash in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
