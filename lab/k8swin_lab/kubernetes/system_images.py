"""Containers of the control plane's own images: they run, answer their probes, and say little."""

from __future__ import annotations

from k8swin_lab.kubernetes.errors import Object
from k8swin_lab.network import HttpHandler, HttpRequest, HttpResponse

_PROBES: dict[str, tuple[int, ...]] = {
    "kube-apiserver": (6443,),
    "kube-controller-manager": (10257,),
    "kube-scheduler": (10259,),
    "etcd": (2381,),
    "kube-proxy": (10249, 10256),
    "coredns": (8080, 8181, 9153),
    "pause": (),
}


def _healthy(request: HttpRequest) -> HttpResponse:
    return HttpResponse(200, {"content-type": "text/plain"}, b"ok")


class SystemContainer:
    """One of them, running."""

    def __init__(self, name: str, probed: tuple[int, ...] = ()) -> None:
        self.name = name
        self.http: dict[int, HttpHandler] = dict.fromkeys((*_PROBES[name], *probed), _healthy)
        self._stopped = False

    def logs(self) -> str:
        return ".:53\nCoreDNS-1.14.2\n" if self.name == "coredns" else ""

    def exec(self, argv: list[str], stdin: bytes = b"") -> tuple[int, bytes, bytes]:
        """These images hold no programs but their own, as the real ones."""
        text = (
            f'exec failed: unable to start container process: exec: "{argv[0]}": executable file '
            "not found in $PATH"
        )
        return 127, b"", text.encode()

    def exit_code(self) -> int | None:
        return 0 if self._stopped else None

    def stop(self) -> None:
        self._stopped = True


def system_container(container: Object) -> SystemContainer | None:
    """Return a running container when the image is one of the control plane's, else None."""
    name = str(container["image"]).partition("@")[0].rpartition("/")[2].partition(":")[0]
    if name not in _PROBES:
        return None
    ports = [
        port
        for probe in ("readinessProbe", "livenessProbe", "startupProbe")
        if isinstance(port := ((container.get(probe) or {}).get("httpGet") or {}).get("port"), int)
    ]
    return SystemContainer(name, tuple(ports))
