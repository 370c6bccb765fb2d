"""A WS-Management server that checks who logs in: tickets, CredSSP, client certificates. It runs no script.

What a login or a message does wrong is refused as Windows' HTTP.sys and WinRM do: 401, or 400 for a message that cannot
be read. The loader's part is played: a script begins, prints who logged in and how, and ends with 0.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.etree import ElementTree

import spnego
from spnego.channel_bindings import GssChannelBindings

from k8swin_nb.tls_sockets import closing

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
BOUNDARY = b"--Encrypted Boundary"


@dataclass
class Peer:
    """What the server does, and what it saw."""

    accept: Callable[[GssChannelBindings | None], Any] | None = None
    """Makes the acceptor of a login; None: the login is the client certificate."""

    offers: tuple[str, ...] = ("Negotiate",)
    tls: ssl.SSLContext | None = None
    bindings: GssChannelBindings | None = None
    sealed: bool = True
    forget: bool = False
    """Answer without the server's own proof at the end of a login."""

    last: tuple[str, str] | None = None
    """A header in the place of that proof."""

    forged: tuple[int, bytes] | None = None
    """Status and body that answer every message in clear, as somebody in between would."""

    change: Callable[[bytes], bytes] = bytes
    """What becomes of a sealed answer."""

    output: bytes = b""
    port: int = 0
    connections: list[Any] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    """`Content-Type` and body of each."""

    def drop(self) -> None:
        """End all connections, as a server does that goes down or has waited for long."""
        for taken in self.connections:
            with contextlib.suppress(OSError):
                taken.shutdown(socket.SHUT_RDWR)
        self.connections.clear()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    peer: Peer
    context: Any = None
    scheme = ""
    user = ""
    commands: dict[str, bytes]

    def log_message(self, *_: Any) -> None:
        return

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.peer.requests.append((self.headers.get("Content-Type", ""), body))
        authorization = self.headers.get("Authorization", "")
        if self.peer.accept is None:
            self._by_certificate(authorization, body)
            return
        scheme, _, token = authorization.partition(" ")
        if token and scheme.lower() in [offer.lower() for offer in self.peer.offers]:
            self._login(scheme, base64.b64decode(token), body)
        elif not self.user:
            self._refuse()
        else:
            self._message(body)

    def _by_certificate(self, authorization: str, body: bytes) -> None:
        shown = self.connection.getpeercert()  # type: ignore[attr-defined]
        if authorization != MUTUAL or not shown:
            self._answer(401, b"")
            return
        names = dict(pair[0] for pair in shown["subject"])
        self.user = names["commonName"]
        self._message(body)

    def _refuse(self) -> None:
        self._answer(401, b"", *(("WWW-Authenticate", offer) for offer in self.peer.offers))

    def _login(self, scheme: str, token: bytes, body: bytes) -> None:
        if self.context is None or self.context.complete:
            self.context, self.scheme = self.peer.accept(self.peer.bindings), scheme  # type: ignore[misc]
        try:
            answer = self.context.step(token)
        except Exception:
            self.context = None
            self._refuse()
            return
        headers = []
        if answer and not self.peer.forget:
            headers.append(("WWW-Authenticate", f"{scheme} {base64.b64encode(answer).decode()}"))
        if self.peer.last and self.context.complete:
            headers.append(self.peer.last)
        if not self.context.complete:
            self._answer(401, b"", *headers)
            return
        self.user = str(self.context.client_principal)
        self.peer.logins.append(self.user)
        if body:
            self._message(body, *headers)
        else:
            self._answer(200, b"", *headers)

    def _message(self, body: bytes, *headers: tuple[str, str]) -> None:
        if self.peer.forged is not None:
            self._answer(*self.peer.forged, ("Content-Type", "application/soap+xml;charset=UTF-8"))
            return
        if not self.peer.sealed:
            self._answer(
                200,
                self._soap(body),
                *headers,
                ("Content-Type", "application/soap+xml;charset=UTF-8"),
            )
            return
        kind = self.headers.get("Content-Type", "")
        try:
            text = self._unsealed(body)
        except Exception:
            self._answer(400, b"")
            return
        answer = self._soap(text)
        size = 16384 if self.scheme.lower() == "credssp" else len(answer)
        parts = b"".join(
            self._sealed(answer[start : start + size], kind)
            for start in range(0, len(answer), size)
        )
        multi = "multipart/x-multi-encrypted" if len(answer) > size else "multipart/encrypted"
        sent = self.peer.change(parts + BOUNDARY + b"--\r\n")
        protocol = re.search(r'protocol="([^"]+)"', kind)
        assert protocol
        self._answer(
            200,
            sent,
            *headers,
            ("Content-Type", f'{multi};protocol="{protocol[1]}";boundary="Encrypted Boundary"'),
        )

    def _unsealed(self, body: bytes) -> bytes:
        text = b""
        parts = body.removesuffix(BOUNDARY + b"--\r\n").split(BOUNDARY + b"\r\n")[1:]
        assert parts and len(parts) % 2 == 0
        for head, part in zip(parts[::2], parts[1::2], strict=True):
            sealed = part.removeprefix(b"\tContent-Type: application/octet-stream\r\n")
            (length,) = struct.unpack_from("<I", sealed)
            piece = self.context.unwrap_winrm(sealed[4 : 4 + length], sealed[4 + length :])
            assert len(piece) == int(head.split(b"Length=")[1])
            text += piece
        return text

    def _sealed(self, text: bytes, kind: str) -> bytes:
        made = self.context.wrap_winrm(text)
        protocol = re.search(r'protocol="([^"]+)"', kind)
        assert protocol
        head = f"\tContent-Type: {protocol[1]}\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length="
        return (
            BOUNDARY + b"\r\n" + head.encode() + str(len(text) + made.padding_length).encode() + b"\r\n"
            + BOUNDARY + b"\r\n\tContent-Type: application/octet-stream\r\n"
            + struct.pack("<I", len(made.header)) + made.header + made.data
        )  # fmt: skip

    def _soap(self, text: bytes) -> bytes:
        envelope = ElementTree.fromstring(text)
        action = next(
            e.text or "" for e in envelope.iter() if e.tag.endswith("}Action")
        ).rpartition("/")[2]
        said = ""
        if action == "Create":
            said = '<w:Selector xmlns:w="w" Name="ShellId">SHELL-1</w:Selector><s:ShellId>SHELL-1</s:ShellId>'
        elif action == "Command":
            name = f"COMMAND-{len(self.commands) + 1}"
            self.commands[name] = b""
            said = f"<s:CommandId>{name}</s:CommandId>"
        elif action == "Send":
            stream = next(envelope.iter(f"{{{SHELL}}}Stream"))
            self.commands[stream.get("CommandId", "")] += base64.b64decode(stream.text or "")
        elif action == "Receive":
            name = next(envelope.iter(f"{{{SHELL}}}DesiredStream")).get("CommandId", "")
            word = json.loads(self.commands[name].splitlines()[-1])["word"].encode()
            told = f"{self.user} by {self.scheme or 'certificate'}\r\n".encode() + self.peer.output
            out = word + b" begin\r\n" + told + word + b" end 0!\r\n"
            said = (
                f'<s:Stream Name="stdout" CommandId="{name}">{base64.b64encode(out).decode()}</s:Stream>'
                f'<s:CommandState CommandId="{name}" State="{SHELL}/CommandState/Done"><s:ExitCode>0</s:ExitCode>'
                "</s:CommandState>"
            )
        return (
            f'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:s="{SHELL}" '
            f'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><e:Header>{_related(envelope)}</e:Header>'
            f"<e:Body>{said}</e:Body></e:Envelope>"
        ).encode()

    def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _related(envelope: Any) -> str:
    """Return the answer's reference to its request."""
    for element in envelope.iter():
        if element.tag.endswith("}MessageID"):
            return f"<a:RelatesTo>{element.text}</a:RelatesTo>"
    return ""


@contextmanager
def serving(peer: Peer) -> Iterator[Peer]:
    """Serve on a port of its own."""
    commands: dict[str, bytes] = {}
    handler = type("Handler", (_Handler,), {"peer": peer, "commands": commands})

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def get_request(self) -> Any:
            taken, address = self.socket.accept()
            taken.settimeout(30)
            if peer.tls is not None:
                # In the handler's thread, so that a client that goes away disturbs nobody.
                taken = peer.tls.wrap_socket(taken, server_side=True, do_handshake_on_connect=False)
            peer.connections.append(taken)
            return taken, address

        def handle_error(self, request: Any, client_address: Any) -> None:
            return

    if peer.tls is not None:
        closing(peer.tls)
    server = Server(("127.0.0.1", 0), handler)
    peer.port = server.server_address[1]
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
        thread.join(100)


def kerberos_acceptor(service: str = "HTTP", host: str | None = None) -> Callable[[Any], Any]:
    """Return what checks tickets against the machine's keytab."""
    return lambda bindings: spnego.server(
        hostname=host, service=service, protocol="kerberos", channel_bindings=bindings
    )


def credssp_acceptor() -> Callable[[Any], Any]:
    """Return what takes a password through CredSSP, as MS-CSSP has it."""
    return lambda _bindings: spnego.server(
        protocol="credssp", options=spnego.NegotiateOptions.use_ntlm
    )


def bindings_of(der: bytes) -> GssChannelBindings:
    """Return what a login on a TLS connection with this certificate, signed with SHA-256, is tied to."""
    return GssChannelBindings(
        application_data=b"tls-server-end-point:" + hashlib.sha256(der).digest()
    )
