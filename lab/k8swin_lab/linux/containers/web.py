"""Behaviours that answer web requests: agnhost's netexec, nginx, CoreDNS's own endpoints."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable

from k8swin_lab.linux.containers.container import LinuxContainer
from k8swin_lab.network import HttpHandler, HttpRequest, HttpResponse

_WELCOME = b"""<!DOCTYPE html>
<html>
<head><title>Welcome to nginx!</title></head>
<body><h1>Welcome to nginx!</h1></body>
</html>
"""


def _text(
    body: str | bytes, status: int = 200, kind: str = "text/plain; charset=utf-8"
) -> HttpResponse:
    content = body.encode() if isinstance(body, str) else body
    headers = {"content-type": kind, "content-length": str(len(content))}
    return HttpResponse(status, headers, content)


def _option(container: LinuxContainer, name: str, default: int) -> int:
    for word in container.command:
        if word.startswith(f"--{name}="):
            return int(word.partition("=")[2])
    return default


def agnhost(container: LinuxContainer) -> None:
    """Run an agnhost: `netexec` serves, `pause` waits, `connect` tries an address."""
    verb = next((word for word in container.command[1:] if not word.startswith("-")), "pause")
    if verb == "pause":
        container.say("Paused")
        return
    if verb != "netexec":
        raise RuntimeError(f"not simulated in the lab: agnhost {verb}")
    port = _option(container, "http-port", 8080)

    def answer(request: HttpRequest) -> HttpResponse:
        parts = urllib.parse.urlsplit(request.url)
        container.say(f"GET {parts.path}")
        query = urllib.parse.parse_qs(parts.query)
        if parts.path in ("/hostname", "/hostName"):
            return _text(container.hostname)
        if parts.path in ("/healthz", "/"):
            return _text("")
        if parts.path == "/echo":
            return _text(query.get("msg", [""])[0], int(query.get("code", ["200"])[0]))
        if parts.path == "/clientip":
            return _text(f"{request.peer}:40000")
        if parts.path == "/header":
            return _text(request.headers.get(query.get("key", [""])[0].lower(), ""))
        if parts.path == "/shell":
            command = query.get("shellCommand", query.get("cmd", [""]))[0]
            _, out, err = container.exec(command.split())
            return _text(json.dumps({"output": out.decode(), "error": err.decode()}))
        return _text("404 page not found\n", 404)

    container.http[port] = answer
    container.say(f"Started HTTP server on port {port}")


def nginx(container: LinuxContainer) -> None:
    """Serve nginx's welcome page on port 80, or what is mounted over its web root."""

    def answer(request: HttpRequest) -> HttpResponse:
        path = urllib.parse.urlsplit(request.url).path
        container.say(f'{request.peer} - - "{request.method} {path} HTTP/1.1" 200')
        name = "/usr/share/nginx/html" + (f"{path}index.html" if path.endswith("/") else path)
        try:
            return _text(container.read(name), kind="text/html")
        except OSError:
            if path in ("/", "/index.html"):
                return _text(_WELCOME, kind="text/html")
            return _text(
                "<html><head><title>404 Not Found</title></head></html>\n", 404, "text/html"
            )

    container.http[80] = answer
    container.say("/docker-entrypoint.sh: Configuration complete; ready for start up")


def dashboard(container: LinuxContainer) -> None:
    """Serve the Dashboard's page over HTTPS on port 8443, once its account may read its own key."""
    namespace = next(
        (word.partition("=")[2] for word in container.command if word.startswith("--namespace=")),
        "kube-system",
    )
    container.say(f"Using namespace: {namespace}")
    cluster = container.machine.cluster
    if cluster is None or cluster.object("secrets", "kubernetes-dashboard-csrf", namespace) is None:
        container.say('panic: secrets "kubernetes-dashboard-csrf" not found')
        container.finish(2)
        return

    def answer(request: HttpRequest) -> HttpResponse:
        if urllib.parse.urlsplit(request.url).path != "/":
            return _text("404 page not found\n", 404)
        return _text("<!DOCTYPE html><title>Kubernetes Dashboard</title>", kind="text/html")

    container.http[8443] = answer
    container.say("Serving securely on HTTPS port: 8443")


def coredns(container: LinuxContainer) -> None:
    """Answer the probes of CoreDNS; names are resolved by the containers themselves."""

    def always(body: str) -> HttpHandler:
        return lambda request: _text(body)

    container.http = {
        8080: always("OK"),
        8181: always("OK"),
        9153: always("# HELP coredns_build_info\n"),
    }
    container.say(".:53\n[INFO] plugin/reload: Running configuration SHA512 = lab\nCoreDNS-1.14.2")


Behaviour = Callable[[LinuxContainer], None]
