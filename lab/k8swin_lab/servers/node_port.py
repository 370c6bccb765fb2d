"""Node ports: HTTP from this computer to a Service of a cluster, through a machine's address; or to a pod at its own."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable

from aiohttp import web

from k8swin_lab.machines.base import Machine
from k8swin_lab.network import HttpRequest, HttpResponse, NetworkError, Station
from k8swin_lab.servers.listener import Connection, Faults, Listener, abort_transport

log = logging.getLogger(__name__)

_OWN_HEADERS = {"content-length", "transfer-encoding", "connection"}


class NodePortServer:
    """One node port on one machine, or one port of a pod of it. Requests are answered by the lab's network, each in a thread."""

    def __init__(self, machine: Machine, host: str, port: int, faults: Faults) -> None:
        self._machine = machine
        self._host = host
        self._port = port
        self._faults = faults
        self._listener: Listener | None = None
        self._http: web.Server | None = None

    async def start(self, address: str) -> None:
        """Listen on the machine's real address.

        Raises:
            PortInUse: the port cannot be had.
        """
        loop = asyncio.get_running_loop()
        http = self._http = web.Server(self._respond, access_log=None)

        async def serve(connection: socket.socket) -> Connection:
            transport, _ = await loop.connect_accepted_socket(http, connection)
            return Connection(lambda: abort_transport(transport), transport.is_closing)

        self._listener = Listener(self._machine, address, self._port, serve, self._faults)
        self._listener.open()

    def update(self) -> None:
        """Follow the machine and its faults now."""
        if self._listener is not None:
            self._listener.update()

    async def stop(self) -> None:
        """Close the port and its connections."""
        if self._listener is not None:
            await self._listener.close()
        if self._http is not None:
            await self._http.shutdown(1.0)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = HttpRequest(
            method=request.method,
            url=f"http://{self._host}:{self._port}{request.raw_path}",
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
            peer=request.remote or "",
        )
        try:
            station = Station(request.remote or "127.0.0.1")
            answer = await in_thread(lambda: self._machine.network.http(station, asked))
        except NetworkError as error:
            log.info("%s: node port %s: %s", self._machine.name, self._port, error)
            transport = request.transport
            if isinstance(transport, asyncio.Transport):
                abort_transport(transport)
            raise ConnectionResetError(str(error)) from error
        response = web.Response(status=answer.status, body=answer.body)
        for name, value in answer.headers.items():
            if name.lower() not in _OWN_HEADERS:
                response.headers[name] = value
        return response


async def in_thread(work: Callable[[], HttpResponse]) -> HttpResponse:
    """Run blocking work in a thread of its own: a pool could be used up by requests that wait."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[HttpResponse] = loop.create_future()

    def settle(answer: HttpResponse | None, error: Exception | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        elif answer is not None:
            result.set_result(answer)

    def run() -> None:
        answer, failure = None, None
        try:
            answer = work()
        except Exception as error:
            failure = error  # raised again where the answer is awaited
        try:
            loop.call_soon_threadsafe(settle, answer, failure)
        except RuntimeError:
            log.debug("the event loop has ended")

    threading.Thread(target=run, name="node port", daemon=True).start()
    return await result
