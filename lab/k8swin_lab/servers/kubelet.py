"""The kubelet's HTTPS port 10250 on a real socket, for an API server outside of the lab."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import ssl
import tempfile
from pathlib import Path

from aiohttp import web

from k8swin_lab.kubernetes.authority import CertificateAuthority
from k8swin_lab.machines.base import Machine
from k8swin_lab.network import CERTIFICATE_HEADER, HttpHandler, HttpRequest
from k8swin_lab.servers.listener import Connection, Faults, Listener, abort_transport
from k8swin_lab.servers.node_port import in_thread

_PORT = 10250


class KubeletServer:
    """Terminates TLS, with a certificate that nobody vouches for, and hands requests to the machine's kubelet.

    Args:
        machine: on which the kubelet runs.
        handler: what listens on its port 10250.
        faults: of the machine's connections.
    """

    def __init__(self, machine: Machine, handler: HttpHandler, faults: Faults) -> None:
        self._machine = machine
        self.handler = handler
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
        context = await asyncio.to_thread(self._tls, address)

        async def serve(connection: socket.socket) -> Connection | None:
            with contextlib.suppress(ssl.SSLError, OSError):
                transport, _ = await loop.connect_accepted_socket(http, connection, ssl=context)
                return Connection(lambda: abort_transport(transport), transport.is_closing)
            return None

        self._listener = Listener(self._machine, address, _PORT, serve, self._faults)
        self._listener.open()

    async def stop(self) -> None:
        """Close the port and its connections."""
        if self._listener is not None:
            await self._listener.close()
        if self._http is not None:
            await self._http.shutdown(1.0)

    def _tls(self, address: str) -> ssl.SSLContext:
        own = CertificateAuthority.create(f"{self._machine.name}-ca")
        certificate, key = own.issue(self._machine.name, sans=[address], server=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority = getattr(self.handler, "client_authority", b"")
        if authority:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(cadata=authority.decode())
        with tempfile.TemporaryDirectory() as folder:
            # OpenSSL reads a certificate and its key from files only.
            path = Path(folder) / "serving.pem"
            path.touch(mode=0o600)
            path.write_bytes(certificate + key)
            context.load_cert_chain(path)
        return context

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers.pop(CERTIFICATE_HEADER, None)
        connection = request.transport.get_extra_info("ssl_object") if request.transport else None
        shown = connection.getpeercert(binary_form=True) if connection else None
        if shown:
            headers[CERTIFICATE_HEADER] = base64.b64encode(shown).decode()
        url = f"https://{self._machine.address}:{_PORT}{request.raw_path}"
        asked = HttpRequest(
            request.method, url, headers, await request.read(), request.remote or ""
        )
        answer = await in_thread(lambda: self.handler(asked))
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
