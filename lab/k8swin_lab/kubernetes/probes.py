"""Probes of a container: HTTP, TCP and exec, answered by the container's own state."""

from __future__ import annotations

from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.kubernetes.node import Container
from k8swin_lab.network import HttpRequest


def port_number(port: int | str, container: Object) -> int:
    """Return a port; a name is looked up among the container's ports, 0 when it is not there."""
    if isinstance(port, int):
        return port
    for entry in container.get("ports") or []:
        if entry.get("name") == port:
            return int(entry["containerPort"])
    return 0


def probe(asked: Object, spec: Object, container: Container, address: str) -> str | None:
    """Return None when the probe succeeds, else the kubelet's words for the failure."""
    if "exec" in asked:
        code, out, err = container.exec(list(asked["exec"].get("command") or []))
        return None if code == 0 else (out + err).decode("utf-8", "replace")
    if "httpGet" in asked:
        return _http(asked["httpGet"], spec, container, address)
    if "tcpSocket" in asked:
        port = port_number(asked["tcpSocket"]["port"], spec)
        if port in (container.http or {}):
            return None
        return f"dial tcp {address}:{port}: connect: connection refused"
    return "not simulated in the lab: gRPC probe"


def _http(asked: Object, spec: Object, container: Container, address: str) -> str | None:
    port = port_number(asked["port"], spec)
    scheme = asked.get("scheme", "HTTP").lower()
    host = asked.get("host") or address
    url = f"{scheme}://{host}:{port}{asked.get('path', '/')}"
    serve = (container.http or {}).get(port)
    if serve is None:
        return f'Get "{url}": dial tcp {host}:{port}: connect: connection refused'
    headers = {h["name"].lower(): h["value"] for h in asked.get("httpHeaders") or []}
    headers.setdefault("user-agent", "kube-probe/1.36")
    answer = serve(HttpRequest("GET", url, headers))
    if 200 <= answer.status < 400:
        return None
    return f"HTTP probe failed with statuscode: {answer.status}"
