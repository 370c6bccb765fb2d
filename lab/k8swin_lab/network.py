"""The network between simulated machines: names, routes to services and pods, and a small internet.

Nothing here opens a socket. A request from one machine to an address is answered by whatever state
listens there: a machine, a Service of a cluster, a pod, or an origin of the internet.
"""

from __future__ import annotations

import ipaddress
import urllib.parse
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from k8swin_lab.known.internet import is_public

CERTIFICATE_HEADER = "x-client-certificate"
"""Header in which a client certificate (base64 DER) travels over the simulated network."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What a client brings to a TLS handshake: all PEM."""

    trusted: bytes = b""  # authorities; empty takes any certificate
    certificate: bytes = b""  # its own with the key, empty when it shows none


@dataclass(slots=True)
class HttpRequest:
    """A request as a simulated server sees it; header names are lower-case."""

    method: str
    url: str  # whole: scheme://host[:port]/path?query
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: str = ""  # the client's address
    tls: Tls = field(default_factory=Tls)  # for a server outside of the lab
    closed: Callable[[], bool] = field(default=lambda: False)  # the client has gone


@dataclass(slots=True)
class HttpResponse:
    """An answer; `status` as on the wire. One that does not end, a watch, is a stream of lines."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: Iterator[bytes] | None = None


_SMALL = 1024
"""Answers below this many bytes are no files worth damaging: hashes, indexes, JSON."""

HttpHandler = Callable[[HttpRequest], HttpResponse]


class NetworkError(Exception):
    """Why a connection failed.

    `kind` is one of: name (cannot be resolved), refused, timeout, unreachable, tls, protocol (what
    listens there does not speak HTTP).
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Router(Protocol):
    """What a cluster adds to the network once it stands: service, node-port and pod addresses."""

    def route(self, source: Source, address: str, port: int) -> HttpHandler | str | None:
        """Return who answers at this address, seen from `source`, or None when it is not ours."""


def authority_of(handler: HttpHandler | str) -> bytes | None:
    """Return the authority (PEM) that signed a server's certificate; None for publicly trusted ones.

    A handler that serves with a private authority carries it as its attribute `authority`.
    """
    return getattr(handler, "authority", None)


class Source(Protocol):
    """Who connects: a machine, or a station outside of all of them."""

    name: str
    address: str
    os: str
    listening: dict[int, HttpHandler | str]

    @property
    def reachable(self) -> bool: ...

    def host_addresses(self) -> dict[str, str]: ...


class Pods(Protocol):
    """What runs pods on a machine: its kubelet."""

    def serving(self, uid: str, port: int) -> HttpHandler | None:
        """Return what answers in a pod at a port."""

    def at(self, address: str, port: int) -> HttpHandler | None:
        """Return what answers in the pod with an address of its own, at a port."""

    def exec(
        self, namespace: str, pod: str, container: str, argv: list[str], stdin: bytes = b""
    ) -> tuple[int, bytes, bytes]:
        """Run a program in a container with this standard input: exit code, standard output, standard error."""


class Outside(Protocol):
    """The network beyond the lab's machines, where the lab was started on one."""

    def open(self, address: str, port: int) -> HttpHandler | str:
        """Connect: return what answers there.

        Raises:
            NetworkError: kind "refused", "timeout" or "unreachable".
        """


class Attached(Source, Protocol):
    """A source that knows the network it is attached to: a machine."""

    network: Network


@dataclass(slots=True)
class Station:
    """A client on the hosts' network that is none of the lab's machines, such as this computer."""

    address: str
    name: str = "station"
    os: str = "station"
    listening: dict[int, HttpHandler | str] = field(default_factory=dict)

    @property
    def reachable(self) -> bool:
        """It is always on."""
        return True

    def host_addresses(self) -> dict[str, str]:
        """Return its hosts file: empty."""
        return {}


class Network:
    """All machines of one lab, the clusters' routers, and the internet's origins by host name."""

    def __init__(self) -> None:
        self.machines: dict[str, Source] = {}  # by address
        self.routers: list[Router] = []
        self.origins: dict[str, HttpHandler] = {}  # by host name: "dl.k8s.io"
        self.pods: dict[str, Pods] = {}  # by address of the machine that runs them
        self.proxied: dict[str, bool] = {}  # whether kube-proxy runs as a service, by address
        self.outside: Outside | None = None
        self.internet: frozenset[str] = frozenset()
        """The origins of the internet as it was connected; a site may cut some of them off."""

    def attach(self, machine: Source) -> None:
        """Put a machine on the network."""
        self.machines[machine.address] = machine

    def machine_at(self, address: str) -> Source | None:
        """Return the machine that owns this address."""
        return self.machines.get(address)

    def resolve(self, source: Source, name: str, *, hosts_file: bool = True) -> str:
        """Return the address of a name as `source` sees it: its hosts file, unless DNS alone is asked, machine names, origins.

        Raises:
            NetworkError: kind "name".
        """
        try:
            return str(ipaddress.ip_address(name.strip("[]")))
        except ValueError:
            pass
        wanted = name.rstrip(".").lower()
        known = source.host_addresses() if hosts_file else {}
        if wanted in known:
            return known[wanted]
        if wanted in ("localhost", "ip6-localhost"):
            return "127.0.0.1"
        for address, machine in list(self.machines.items()):
            if machine.name.lower() == wanted:
                return address
        if wanted in self.origins:
            return _origin_address(wanted)
        raise NetworkError("name", f"could not resolve host: {name}")

    def beyond(self, name: str) -> bool:
        """Whether a name that does not resolve here may be a host of the real internet.

        Where the lab's own origins are cut off there is no internet, and nothing of it answers.
        """
        whole = bool(self.internet) and self.internet <= set(self.origins)
        return whole and name.lower().rstrip(".") not in self.internet and is_public(name)

    def open(self, source: Source, address: str, port: int) -> HttpHandler | str:
        """Connect: return what listens there.

        Raises:
            NetworkError: kind "refused", "timeout" (powered off) or "unreachable".
        """
        own = address in ("127.0.0.1", "::1", "0.0.0.0") or address == source.address  # noqa: S104
        target = source if own else self.machine_at(address)
        if target is not None:
            if not own and not (target.reachable and source.reachable):
                raise NetworkError("timeout", f"connect to {address} port {port}: timed out")
            if port in target.listening:
                return target.listening[port]
        for router in self.routers:
            if handler := router.route(source, address, port):
                return handler
        if target is not None:
            raise NetworkError("refused", f"connect to {address} port {port}: connection refused")
        for name, origin in list(self.origins.items()):
            if _origin_address(name) == address:
                if port in (80, 443):
                    return origin
                raise NetworkError("timeout", f"connect to {address} port {port}: timed out")
        if self.outside is not None and not ipaddress.ip_address(address).is_loopback:
            for kubelet in list(self.pods.values()):
                if handler := kubelet.at(address, port):
                    return handler
            return self.outside.open(address, port)
        kind = "unreachable" if _neighbours(source.address, address) else "timeout"
        raise NetworkError(kind, f"connect to {address} port {port}: no answer")

    def http(self, source: Source, request: HttpRequest, *, timeout: float = 30) -> HttpResponse:
        """Send one HTTP(S) request from `source`; redirects are the caller's business.

        Certificates are the caller's business too: it asks `authority_of` what it connects to.

        Args:
            source: the machine that asks.
            request: with the whole URL; `peer` is filled in.
            timeout: seconds; a handler that takes longer than that is not waited for by anybody, so
                it bounds only how a connection to a dead address is reported.

        Raises:
            NetworkError: as for `resolve` and `open`; kind "timeout" at once when nothing answers.
        """
        parts = urllib.parse.urlsplit(request.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NetworkError("name", f"not an http or https URL: {request.url}")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = self.resolve(source, parts.hostname)
        answer = self.open(source, address, port)
        if isinstance(answer, str):
            raise NetworkError("protocol", f"{answer} at {address} port {port} speaks no HTTP")
        if not request.peer:
            request.peer = source.address
        response = answer(request)
        if getattr(source, "damaged_downloads", 0) and parts.hostname in self.origins:
            _damage(source, request, response)
        return response


def _damage(source: Source, request: HttpRequest, response: HttpResponse) -> None:
    """Change a byte in the middle of a file that a machine with that fault downloads."""
    size = len(response.body)
    if request.method != "GET" or response.status != 200 or size < _SMALL:
        return
    source.damaged_downloads -= 1  # type: ignore[attr-defined]
    middle = size // 2
    response.body = (
        response.body[:middle] + bytes([response.body[middle] ^ 0xFF]) + response.body[middle + 1 :]
    )


def _origin_address(name: str) -> str:
    """Return an address for a name of the internet, always the same, of the range kept for benchmarks.

    198.18.0.0/15 has room enough that no two of some dozen names get the same one, which a test holds.
    """
    number = 1 + zlib.crc32(name.encode()) % 131070
    return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def _neighbours(one: str, other: str) -> bool:
    return one.rpartition(".")[0] == other.rpartition(".")[0]
