"""Somebody between a client and the lab's WinRM server, who changes what the server answers."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable

from k8swin_nb.tls_sockets import closing

Change = Callable[[int, bytes], "bytes | Iterable[bytes] | None"]
"""Given the number of an answer, from 1, and the whole of it; None withholds it for ever."""


class Middle:
    """Takes connections on a port of its own until it is closed.

    Args:
        port: where the server is.
        change: what becomes of each answer.
        tls: the certificate to show; the server then is asked over TLS too.
    """

    def __init__(self, port: int, change: Change, tls: ssl.SSLContext | None = None) -> None:
        self._port, self._change = port, change
        self._tls = tls and closing(tls)
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def pause(self, seconds: float) -> None:
        self._over.wait(seconds)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as opened:
            opened.enter_context(client)
            server = opened.enter_context(socket.create_connection(("127.0.0.1", self._port)))
            if self._tls is not None:
                client = opened.enter_context(self._tls.wrap_socket(client, server_side=True))
                context = closing(ssl.create_default_context())
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                server = opened.enter_context(context.wrap_socket(server))
            while request := _message(client):
                server.sendall(request)
                answer = _message(server)
                with self._lock:
                    self.requests.append(request)
                    number = len(self.requests)
                changed = self._change(number, answer)
                if changed is None:
                    self._over.wait(120)
                    return
                for piece in [changed] if isinstance(changed, bytes) else changed:
                    if self._over.is_set():
                        return
                    client.sendall(piece)


def _message(peer: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = peer.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        piece = peer.recv(65536)
        if not piece:
            return b""
        body += piece
    return head + b"\r\n\r\n" + body


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    """Return an answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
