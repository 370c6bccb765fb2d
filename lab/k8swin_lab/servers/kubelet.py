"""The kubelet's HTTPS port 10250 on a real socket, for an API server outside of the lab.

Each connection has a thread: logs are plain HTTP, and what runs a program in a container takes the connection over.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.server
import json
import logging
import select
import socket
import ssl
import tempfile
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from k8swin_lab.kubernetes.authority import CertificateAuthority
from k8swin_lab.kubernetes.errors import ApiError, Object
from k8swin_lab.machines.base import Machine
from k8swin_lab.network import CERTIFICATE_HEADER, HttpRequest, HttpResponse
from k8swin_lab.servers import spdy
from k8swin_lab.servers.listener import Connection, Faults, Listener, reset
from k8swin_lab.tls_sockets import tls_context

log = logging.getLogger(__name__)

_PORT = 10250
_IDLE_SECONDS = 300.0


class KubeletServer:
    """Terminates TLS, with a certificate that nobody vouches for, and hands requests to the machine's kubelet.

    Args:
        machine: on which the kubelet runs.
        handler: what listens on its port 10250; besides answering requests it tells by `client_authority` (PEM) whose
            certificates it wants to see, and by `refused` (of a request) whether it lets somebody in.
        faults: of the machine's connections.
    """

    def __init__(self, machine: Machine, handler: Any, faults: Faults) -> None:
        self._machine = machine
        self.handler = handler
        self._faults = faults
        self._listener: Listener | None = None

    async def start(self, address: str) -> None:
        """Listen on the machine's real address.

        Raises:
            PortInUse: the port cannot be had.
        """
        context = await asyncio.to_thread(self._tls, address)

        async def serve(connection: socket.socket) -> Connection:
            own = [connection]  # the last is what holds the connection now
            thread = threading.Thread(
                target=self._serve, args=(own, context), name="kubelet", daemon=True
            )
            thread.start()
            return Connection(lambda: _shut(own[-1]), lambda: not thread.is_alive())

        self._listener = Listener(self._machine, address, _PORT, serve, self._faults)
        self._listener.open()

    async def stop(self) -> None:
        """Close the port and its connections."""
        if self._listener is not None:
            await self._listener.close()

    def _tls(self, address: str) -> ssl.SSLContext:
        own = CertificateAuthority.create(f"{self._machine.name}-ca")
        certificate, key = own.issue(self._machine.name, sans=[address], server=True)
        context = tls_context(ssl.PROTOCOL_TLS_SERVER)
        if authority := self.handler.client_authority:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(cadata=authority.decode())
        with tempfile.TemporaryDirectory() as folder:
            # OpenSSL reads a certificate and its key from files only.
            path = Path(folder) / "serving.pem"
            path.touch(mode=0o600)
            path.write_bytes(certificate + key)
            context.load_cert_chain(path)
        return context

    def _serve(self, own: list[socket.socket], context: ssl.SSLContext) -> None:
        connection = own[-1]
        try:
            connection.settimeout(_IDLE_SECONDS)
            address = connection.getsockname()
            with context.wrap_socket(connection, server_side=True) as secured:
                own.append(secured)
                _Requests(secured, address, self)
        except OSError as error:
            log.debug("%s: kubelet: %s", self._machine.name, error)
            reset(connection)

    def asked(self, request: http.server.BaseHTTPRequestHandler) -> HttpRequest:
        """The request as the machine's kubelet sees it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers.pop(CERTIFICATE_HEADER, None)
        shown = request.connection.getpeercert(binary_form=True)
        if shown:
            headers[CERTIFICATE_HEADER] = base64.b64encode(shown).decode()
        body = request.rfile.read(int(headers.get("content-length") or 0))
        url = f"https://{self._machine.address}:{_PORT}{request.path}"
        return HttpRequest(request.command, url, headers, body)

    def exec(self, path: str, argv: list[str], stdin: bytes) -> tuple[int, bytes, bytes]:
        """Run a program in the container that /exec/NAMESPACE/POD/CONTAINER names.

        Raises:
            ApiError: there is none.
        """
        words = [word for word in path.split("/") if word]
        pods = self._machine.network.pods.get(self._machine.address)
        if pods is None or len(words) < 4:
            raise ApiError(404, "NotFound", "404 page not found")
        return pods.exec(words[1], words[2], words[-1], argv, stdin)


class _Requests(http.server.BaseHTTPRequestHandler):
    """The requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"

    def __init__(self, connection: ssl.SSLSocket, address: Any, server: KubeletServer) -> None:
        self._kubelet = server
        super().__init__(connection, address, server)  # type: ignore[arg-type]

    def log_message(self, format: str, *arguments: object) -> None:
        """Write to the lab's log, and not to standard error."""
        log.debug(format, *arguments)

    def do_GET(self) -> None:
        """Answer, or run a program."""
        asked = self._kubelet.asked(self)
        parts = urllib.parse.urlsplit(self.path)
        upgrade = self.headers.get("Upgrade", "").upper() == "SPDY/3.1"
        if upgrade and parts.path.startswith("/exec/"):
            refused = self._kubelet.handler.refused(asked)
            if refused is None:
                self._exec(parts.path, urllib.parse.parse_qs(parts.query))
                return
            self._answer(refused)
            return
        self._answer(self._kubelet.handler(asked))

    do_POST = do_GET

    def _answer(self, answer: HttpResponse) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.stream is not None:
            self._stream(answer.stream)
            return
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _stream(self, pieces: Iterator[bytes]) -> None:
        """Send pieces as they come; a client that has gone ends it."""
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            if piece:
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            elif self._is_gone():
                self.close_connection = True
                return
        self.wfile.write(b"0\r\n\r\n")

    def _is_gone(self) -> bool:
        return bool(select.select([self.connection], [], [], 0)[0])

    def _exec(self, path: str, query: dict[str, list[str]]) -> None:
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "SPDY/3.1")
        self.send_header("X-Stream-Protocol-Version", spdy.PROTOCOL)
        self.end_headers()
        self.close_connection = True
        named = {"input": "stdin", "output": "stdout", "error": "stderr"}
        wanted = {
            kind for name, kind in named.items() if query.get(name, ["0"])[0] in ("1", "true")
        }
        session = spdy.Session(self.rfile, self.wfile.write)
        if not session.accept({"error", *wanted}):
            return
        try:
            # Somebody who types ends his input last: of a terminal nothing is read.
            typed = query.get("tty", ["0"])[0] in ("1", "true")
            given = b"" if typed or "stdin" not in wanted else session.read("stdin")
            code, out, err = self._kubelet.exec(path, query.get("command", []), given)
        except ApiError as error:
            session.send("error", json.dumps(error.status).encode())
        else:
            session.send("stdout", out)
            session.send("stderr", err)
            session.send("error", json.dumps(exit_status(code)).encode())
        session.accept({"nothing more"})  # the API server closes when it has read all


def exit_status(code: int) -> Object:
    """The Status with which a program's exit code is told."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
