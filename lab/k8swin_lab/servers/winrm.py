"""WinRM in front of a Windows machine: HTTP and HTTPS listeners, who may speak, and what is asked.

Over HTTP only sealed messages are taken, as with AllowUnencrypted=false. A Windows host and this
server agree on that a connection is authenticated once, and that a wrong password is a 401 and
nothing else: accounts are never locked.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any

from aiohttp import web

from k8swin_lab.servers import winrm_soap as soap
from k8swin_lab.servers.listener import Connection, Faults, Listener, abort_transport
from k8swin_lab.servers.winrm_auth import EncryptionError, Login, Refused, basic
from k8swin_lab.servers.winrm_shells import Quotas, Shells
from k8swin_lab.servers.winrm_winrs import Winrs

log = logging.getLogger(__name__)

_SOAP_TYPE = "application/soap+xml;charset=UTF-8"
_SERVER = "Microsoft-HTTPAPI/2.0"


class WinrmServer:
    """The WinRM service of one machine, with up to two listeners.

    Args:
        machine: who answers; its `users` maps account names to passwords.
        quotas: limits of shells and messages.
        allow_basic: take Basic authentication, over HTTPS only.
        faults: what is wrong with connections, shared with the machine's other ports.
    """

    def __init__(
        self,
        machine: Any,
        *,
        quotas: Quotas | None = None,
        allow_basic: bool = False,
        faults: Faults | None = None,
    ) -> None:
        self.machine = machine
        self.shells = Shells(machine, quotas)
        self._winrs = Winrs(self.shells)
        self._allow_basic = allow_basic
        self._faults = faults or Faults()
        self._listeners: list[Listener] = []
        self._logins: dict[asyncio.BaseTransport, Login] = {}
        self._http: web.Server | None = None

    async def start(
        self, address: str, port: int, *, certificate: ssl.SSLContext | None = None
    ) -> int:
        """Open a listener, HTTPS when a certificate is given, and return its port.

        Raises:
            PortInUse: the address or port cannot be had.
        """
        loop = asyncio.get_running_loop()
        if self._http is None:
            self._http = web.Server(self._respond, access_log=None, keepalive_timeout=300.0)
        http = self._http

        async def serve(connection: socket.socket) -> Connection | None:
            transport, _ = await loop.connect_accepted_socket(http, connection, ssl=certificate)
            return Connection(lambda: abort_transport(transport), transport.is_closing)

        own_port = 5985 if certificate is None else 5986
        listener = Listener(
            self.machine, address, port, serve, self._faults, lambda: self._admitted(own_port)
        )
        listener.open()
        self._listeners.append(listener)
        self.machine.observe(lambda _: _in_loop(loop, listener.update))
        return listener.port

    def _admitted(self, port: int) -> bool:
        admits = getattr(self.machine, "admits", None)
        return admits is None or bool(admits(port))

    def _refused_by_policy(self, scheme: str) -> str:
        """Return why nobody is let in by this scheme now, whatever he knows; empty: he may try."""
        if not getattr(self.machine, "logons", True):
            return "no logon server is reached yet"
        if scheme in ("negotiate", "ntlm") and not getattr(self.machine, "takes_ntlm", True):
            return "NTLM is refused by policy"
        return ""

    def update(self) -> None:
        """Follow the machine and its faults now."""
        for listener in self._listeners:
            listener.update()

    async def stop(self) -> None:
        """Close the listeners, every connection and every shell."""
        for listener in self._listeners:
            await listener.close()
        self.shells.close()
        if self._http is not None:
            await self._http.shutdown(1.0)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.rstrip("/") not in ("/wsman", "/wsman-anon/identify"):
            return web.Response(status=404, headers={"Server": _SERVER})
        if request.method != "POST":
            return web.Response(status=405, headers={"Server": _SERVER, "Allow": "POST"})
        body = await request.content.read()
        if len(body) > 4 * self.shells.quotas.envelope_bytes:
            return web.Response(status=413, headers={"Server": _SERVER})
        if "WSMANIDENTIFY" in request.headers:
            return self._identify(body)
        return await self._authenticated(request, body)

    def _identify(self, body: bytes) -> web.Response:
        try:
            if soap.parse(body).action != "Identify":
                return web.Response(status=400, headers={"Server": _SERVER})
        except soap.SoapFault as error:
            return _answer(500, soap.fault(error, "", self.machine.name))
        return _answer(200, soap.identify(f"10.0.{self.machine.edition.build}"))

    async def _authenticated(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        secure = request.secure
        header = request.headers.get("Authorization", "")
        scheme = header.split(" ", 1)[0].casefold()
        login = self._login(request)
        if scheme and (reason := self._refused_by_policy(scheme)):
            log.info("%s: WinRM login refused: %s", self.machine.name, reason)
            return self._unauthorized(secure)
        if scheme in ("negotiate", "ntlm"):
            try:
                answer = login.step(base64.b64decode(header.split(" ", 1)[1], validate=True))
            except (Refused, IndexError, binascii.Error) as error:
                log.info("%s: WinRM login refused: %s", self.machine.name, error)
                return self._unauthorized(secure)
            token = base64.b64encode(answer).decode() if answer else ""
            name = "NTLM" if scheme == "ntlm" else "Negotiate"
            if not login.complete:
                return self._unauthorized(secure, f"{name} {token}")
            if not body:
                headers = {"WWW-Authenticate": f"{name} {token}"} if token else {}
                return web.Response(status=200, headers={"Server": _SERVER, **headers})
            challenge = f"{name} {token}" if token else ""
            return await self._message(request, login, body, login.user or "", challenge)
        if scheme == "basic" and secure and self._allow_basic:
            user = basic(header, self.machine.users)
            if user is None:
                log.info("%s: WinRM login refused: Basic", self.machine.name)
                return self._unauthorized(secure)
            return await self._message(request, None, body, user)
        if scheme or not login.complete:
            return self._unauthorized(secure)
        return await self._message(request, login, body, login.user or "")

    def _login(self, request: web.BaseRequest) -> Login:
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the client is gone")
        for known in [known for known in self._logins if known.is_closing()]:
            del self._logins[known]
        if transport not in self._logins:
            self._logins[transport] = Login(self.machine.name, self.machine.users)
        return self._logins[transport]

    def _unauthorized(self, secure: bool, challenge: str = "") -> web.Response:
        response = web.Response(status=401, headers={"Server": _SERVER})
        offers = [challenge] if challenge else ["Negotiate", "NTLM"]
        if secure and self._allow_basic and not challenge:
            offers.append('Basic realm="WSMAN"')
        for offer in offers:
            response.headers.add("WWW-Authenticate", offer)
        return response

    async def _message(
        self,
        request: web.BaseRequest,
        login: Login | None,
        body: bytes,
        user: str,
        challenge: str = "",
    ) -> web.StreamResponse:
        """Answer one message of a user who is known by now."""
        kind = request.headers.get("Content-Type", "")
        sealed = kind.casefold().startswith("multipart/encrypted")
        if not sealed and not request.secure:
            log.info("%s: WinRM: an unencrypted message over HTTP", self.machine.name)
            return self._refuse_unencrypted()
        if sealed:
            try:
                if login is None:
                    raise EncryptionError("Basic authentication has no keys")
                body = login.decrypt(kind, body)
            except EncryptionError as error:
                log.info("%s: WinRM: %s", self.machine.name, error)
                return web.Response(status=400, headers={"Server": _SERVER})
        status, answer, give_back = await self._soap(body, user)
        if request.transport is None or request.transport.is_closing():
            give_back()
        response = _answer(status, answer)
        if sealed and login is not None:
            encrypted_kind, data = login.encrypt(answer)
            response = web.Response(status=status, body=data, headers={"Server": _SERVER})
            response.headers["Content-Type"] = encrypted_kind
        if challenge:
            response.headers["WWW-Authenticate"] = challenge
        return response

    def _refuse_unencrypted(self) -> web.Response:
        return web.Response(status=500, headers={"Server": _SERVER})

    async def _soap(self, body: bytes, user: str) -> tuple[int, bytes, Callable[[], None]]:
        relates_to = ""
        try:
            if len(body) > self.shells.quotas.envelope_bytes:
                raise soap.SoapFault(
                    soap.ENVELOPE_TOO_LARGE,
                    "w:EncodingLimit",
                    f"The WS-Management service received a message of {len(body)} bytes; the "
                    f"largest it takes is {self.shells.quotas.envelope_bytes} bytes. ",
                )
            message = soap.parse(body)
            relates_to = message.message_id
            answer, give_back = await self._winrs.answer(message, user)
        except soap.SoapFault as error:
            return 500, soap.fault(error, relates_to, self.machine.address), _nothing
        return 200, answer, give_back


def _nothing() -> None:
    """Take nothing back: the answer held no output."""


def _answer(status: int, body: bytes) -> web.Response:
    headers = {"Server": _SERVER, "Content-Type": _SOAP_TYPE}
    return web.Response(status=status, body=body, headers=headers)


def _in_loop(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        log.debug("the event loop has ended")
