"""The network beyond the lab's machines: TCP, TLS and HTTP to real hosts, from a machine's own address.

Only a lab that was started on such a network has it; all others end at their own machines.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import http.client
import socket
import ssl
import tempfile
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

from k8swin_lab.network import (
    CERTIFICATE_HEADER,
    HttpHandler,
    HttpRequest,
    HttpResponse,
    NetworkError,
    Tls,
)
from k8swin_lab.tls_sockets import tls_context

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 60.0
_LOOK_EVERY = 0.25
_KINDS = {errno.ECONNREFUSED: "refused", errno.EHOSTUNREACH: "unreachable", errno.ENETUNREACH: "unreachable"}  # fmt: skip


class OutsideNetwork:
    """An `Outside` of network.py over this computer's sockets."""

    def open(self, address: str, port: int) -> HttpHandler:
        """Connect once, and return what sends requests there.

        Raises:
            NetworkError: kind "refused", "timeout" or "unreachable".
        """
        try:
            socket.create_connection((address, port), _CONNECT_SECONDS).close()
        except OSError as error:
            raise _failure(address, port, error) from error
        return functools.partial(_send, address, port)


def _failure(address: str, port: int, error: OSError) -> NetworkError:
    if isinstance(error, ssl.SSLError):
        return NetworkError("tls", f"x509: {getattr(error, 'verify_message', '') or error.reason}")
    kind = _KINDS.get(error.errno or 0, "timeout")
    return NetworkError(kind, f"connect to {address} port {port}: {error}")


def _send(address: str, port: int, request: HttpRequest) -> HttpResponse:
    """Send one request on a connection of its own.

    Raises:
        NetworkError: the connection fails; kind "tls" for a certificate that is not trusted.
    """
    parts = urllib.parse.urlsplit(request.url)
    connection = http.client.HTTPConnection(address, port, timeout=_ANSWER_SECONDS)
    try:
        connection.sock = socket.create_connection(
            (address, port), _ANSWER_SECONDS, (request.peer, 0) if request.peer else None
        )
        if parts.scheme == "https":
            connection.sock = _context(request.tls).wrap_socket(
                connection.sock, server_hostname=parts.hostname
            )
        headers = {n: v for n, v in request.headers.items() if n != CERTIFICATE_HEADER}
        headers.setdefault("host", parts.netloc)
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        connection.request(request.method, target, request.body or None, headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        watch = dict(urllib.parse.parse_qsl(parts.query)).get("watch") == "true"
        if watch and answer.status == 200:
            return HttpResponse(200, found, stream=_lines(connection, answer, request.closed))
        response = HttpResponse(answer.status, found, answer.read())
        connection.close()
        return response
    except http.client.HTTPException as error:
        connection.close()
        raise NetworkError("protocol", f"{address} port {port}: {error!r}") from error
    except OSError as error:
        connection.close()
        raise _failure(address, port, error) from error


def _lines(
    connection: http.client.HTTPConnection,
    answer: http.client.HTTPResponse,
    closed: Callable[[], bool],
) -> Iterator[bytes]:
    """Yield lines until the server ends, or the client has gone.

    Raises:
        NetworkError: the connection breaks.
    """
    own = connection.sock
    own.settimeout(None)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_LOOK_EVERY):
            if closed():
                with contextlib.suppress(OSError):
                    own.shutdown(socket.SHUT_RDWR)
                return

    threading.Thread(target=watch, name="outside watch", daemon=True).start()
    try:
        while line := answer.readline():
            yield line
    except (OSError, ValueError, http.client.HTTPException) as error:
        if not closed():
            raise NetworkError("timeout", f"unexpected EOF: {error}") from error
    finally:
        ended.set()
        connection.close()


@functools.lru_cache(64)
def _context(tls: Tls) -> ssl.SSLContext:
    context = tls_context(ssl.PROTOCOL_TLS_CLIENT)
    if tls.trusted:
        context.load_verify_locations(cadata=tls.trusted.decode())
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.certificate:
        with tempfile.TemporaryDirectory() as folder:
            # OpenSSL reads a certificate and its key from files only.
            path = Path(folder) / "client.pem"
            path.touch(mode=0o600)
            path.write_bytes(tls.certificate)
            context.load_cert_chain(path)
    return context
