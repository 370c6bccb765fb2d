"""The HTTPS API server in front of a cluster's state.

It terminates TLS (client certificates asked for, not required), finds out who asks, and hands the
request to `cluster.api` in a thread. Watches are streamed; exec runs over WebSocket. It keeps
nothing itself: two servers in front of one cluster would show the same.
"""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import json
import ssl
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from k8swin_lab.kubernetes import discovery, rbac
from k8swin_lab.kubernetes.cluster import Cluster
from k8swin_lab.kubernetes.errors import ApiError, Object, not_simulated, unauthorized
from k8swin_lab.kubernetes.paths import is_true, parse
from k8swin_lab.kubernetes.users import User
from k8swin_lab.lasting import Lasting
from k8swin_lab.servers.kube_exec import serve_exec

_GZIP_FROM = 128 * 1024
_MAX_BODY = 3 * 1024 * 1024
_AGGREGATED = "apidiscovery.k8s.io"


class KubeApiServer:
    """One listening API server.

    Args:
        cluster: The cluster behind it.
        names: Names and addresses of the serving certificate besides those of every cluster.
    """

    def __init__(self, cluster: Cluster, names: tuple[str, ...] = ()) -> None:
        self.cluster = cluster
        self.names = names
        self.port = 0
        self._runner: web.AppRunner | None = None
        self._threads = ThreadPoolExecutor(16, thread_name_prefix="kube-api")
        self._watches: set[threading.Event] = set()
        self._listener: asyncio.Server | None = None

    async def start(self, address: str = "127.0.0.1", port: int = 0) -> None:
        """Listen on an address; port 0 takes a free one. `port` tells which."""
        context = await asyncio.to_thread(self._tls, address)
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        serve = self._runner.server
        if serve is None:
            raise RuntimeError("the runner has no server after its setup")
        # Not web.TCPSite: it leaves TLS thirty seconds to close when a client stays connected.
        self._listener = await asyncio.get_running_loop().create_server(
            serve, address, port, ssl=context, ssl_shutdown_timeout=0.5
        )
        self.port = self._listener.sockets[0].getsockname()[1]
        self.cluster.start()

    async def stop(self) -> None:
        """End watches and connections, and stop listening."""
        for cancelled in list(self._watches):
            cancelled.set()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        await asyncio.to_thread(self.cluster.stop)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _tls(self, address: str) -> ssl.SSLContext:
        cluster = self.cluster
        first = str(ipaddress.ip_network(cluster.service_subnet)[1])
        domain = cluster.dns_domain
        names = [
            "kubernetes", "kubernetes.default", "kubernetes.default.svc",
            f"kubernetes.default.svc.{domain}", "localhost", first, "127.0.0.1",
            cluster.advertise_address, address, *self.names,
        ]  # fmt: skip
        certificate, key = cluster.authority.issue(
            "kube-apiserver", sans=list(dict.fromkeys(names)), server=True
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=cluster.authority.certificate_pem.decode())
        with tempfile.TemporaryDirectory() as folder:
            # OpenSSL reads a certificate and its key from files only.
            path = Path(folder) / "serving.pem"
            path.touch(mode=0o600)
            path.write_bytes(certificate + key)
            context.load_cert_chain(path)
        context.set_alpn_protocols(["http/1.1"])
        return context

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *arguments)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        user = await self._in_thread(self._user, request)
        if user is None:
            return _json(request, 401, unauthorized().status)
        query = dict(parse_qsl(request.query_string, keep_blank_values=True))
        try:
            user = self._impersonated(request, user)
            if request.path.endswith("/exec") and "/pods/" in request.path:
                return await serve_exec(self.cluster, request, user, self._in_thread)
            if request.method == "GET" and _is_watch(request.path, query):
                return await self._watch(request, query, user)
            return await self._plain(request, query, user)
        except ApiError as error:
            return _json(request, error.code, error.status)

    def _user(self, request: web.Request) -> User | None:
        transport = request.transport
        connection = transport.get_extra_info("ssl_object") if transport else None
        certificate = connection.getpeercert(binary_form=True) if connection else None
        return self.cluster.authenticate(request.headers.get("Authorization"), certificate)

    def _impersonated(self, request: web.Request, user: User) -> User:
        """Return the user that the request asks to be (`kubectl --as`), if `user` may."""
        name = request.headers.get("Impersonate-User")
        if name is None:
            return user
        groups = request.headers.getall("Impersonate-Group", [])
        for plural, wanted in [("users", name), *(("groups", group) for group in groups)]:
            asked = rbac.Attributes("impersonate", resource=plural, name=wanted)
            if not rbac.allowed(self.cluster.store, user, asked):
                raise rbac.refuse(user, asked)
        return User.authenticated(name, tuple(groups))

    async def _plain(
        self, request: web.Request, query: dict[str, str], user: User
    ) -> web.StreamResponse:
        accept = request.headers.get("Accept", "application/json")
        root = request.path.rstrip("/")
        if (
            root in ("/api", "/apis")
            and _AGGREGATED in accept
            and "v=v2" in accept
            and self.cluster.minor >= 30
        ):
            found = discovery.aggregated(root == "/api", self.cluster.minor)
            kind = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            return _json(request, 200, found, content_type=kind)
        if request.path == "/openapi/v2":
            return _openapi_v2(accept)
        follows = request.path.endswith("/log") and is_true(query.get("follow", "false"))
        if follows:
            return await self._follow(request, query, user)
        warnings: list[str] = []
        body = await request.read()

        def serve() -> tuple[int, Any]:
            return self.cluster.front.request(
                request.method,
                request.path,
                query,
                body or None,
                request.headers.get("Content-Type", "application/json"),
                user,
                accept=accept,
                manager=request.headers.get("User-Agent", "unknown").partition("/")[0],
                warnings=warnings,
            )

        status, result = await self._in_thread(serve)
        if isinstance(result, str):
            return web.Response(status=status, text=result)
        return _json(request, status, result, warnings=warnings)

    async def _watch(
        self, request: web.Request, query: dict[str, str], user: User
    ) -> web.StreamResponse:
        cancelled = threading.Event()
        accept = request.headers.get("Accept", "application/json")
        path, query = _watched(request.path, query)
        events = await self._in_thread(
            lambda: self.cluster.front.watch(path, query, user, accept=accept, cancelled=cancelled)
        )
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Object | None] = asyncio.Queue()

        def pump() -> None:
            try:
                for event in events:
                    loop.call_soon_threadsafe(queue.put_nowait, event)
                loop.call_soon_threadsafe(queue.put_nowait, None)
            except RuntimeError:
                cancelled.set()  # the loop is closed: nobody listens any more

        self._watches.add(cancelled)
        Lasting(pump, name="kube-api-watch").start()
        try:
            while (event := await queue.get()) is not None:
                await response.write(json.dumps(event).encode() + b"\n")
            await response.write_eof()
        except (ConnectionResetError, asyncio.CancelledError):
            pass
        finally:
            cancelled.set()
            self._watches.discard(cancelled)
        return response

    async def _follow(
        self, request: web.Request, query: dict[str, str], user: User
    ) -> web.StreamResponse:
        """Stream a log: what is there, then what is added, until the container ends."""

        def read(whole: bool) -> tuple[int, Any]:
            asked = query if whole else {k: v for k, v in query.items() if k != "tailLines"}
            return self.cluster.front.request("GET", request.path, asked, user=user)

        status, text = await self._in_thread(read, False)
        if status != 200:
            return _json(request, status, text)
        _, shown = await self._in_thread(read, True)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        target = parse(request.path)
        seen = len(text)
        cancelled = threading.Event()
        self._watches.add(cancelled)
        try:
            await response.write(shown.encode())
            while not cancelled.is_set() and self._runs(target.namespace, target.name):
                await asyncio.sleep(0.2)
                status, text = await self._in_thread(read, False)
                if status != 200:
                    break
                if len(text) > seen:
                    await response.write(text[seen:].encode())
                seen = len(text)
            await response.write_eof()
        except (ConnectionResetError, asyncio.CancelledError):
            pass
        finally:
            self._watches.discard(cancelled)
        return response

    def _runs(self, namespace: str, name: str) -> bool:
        pod = self.cluster.object("pods", name, namespace)
        return pod is not None and (pod.get("status") or {}).get("phase") == "Running"


def _is_watch(path: str, query: dict[str, str]) -> bool:
    if not path.startswith(("/api/", "/apis/")):
        return False
    return is_true(query.get("watch", "false")) or "/watch/" in path


def _watched(path: str, query: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return the path without the old form `/api/v1/watch/...`."""
    return path.replace("/watch/", "/", 1), {**query, "watch": "true"}


def _openapi_v2(accept: str) -> web.Response:
    """Answer /openapi/v2 with a document without operations; /openapi/v3 has them.

    kubectl falls back to it for kinds that v3 lacks, and then reports that there is no such kind;
    an empty message is an empty document in protobuf.
    """
    if "proto-openapi" not in accept:
        raise not_simulated("OpenAPI v2 as JSON (use /openapi/v3)")
    kind = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    return web.Response(body=b"", content_type=kind)


def _json(
    request: web.Request,
    status: int,
    result: Any,
    *,
    content_type: str = "application/json",
    warnings: list[str] | None = None,
) -> web.Response:
    # /version alone is laid out in lines, whoever asks.
    indent = 2 if request.path == "/version" else None
    body = json.dumps(result, indent=indent).encode() + b"\n"
    headers = {"Content-Type": content_type, "Cache-Control": "no-cache, private"}
    if len(body) > _GZIP_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, 1)
        headers["Content-Encoding"] = "gzip"
    response = web.Response(status=status, body=body, headers=headers)
    for text in warnings or []:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response
