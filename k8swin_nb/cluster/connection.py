"""The wire to the API server: the client of Kubernetes, on connections that are held back and can be cut.

The client makes and sends the requests. What is below it is ours, because it would look for a proxy in the
environment, follow where it is sent, wait as long as it is told, try again, and read the whole of what is refused.
"""

from __future__ import annotations

import http.client
import inspect
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.util.response import assert_header_parsing

from k8swin_nb.cluster.kubeconfig import Access
from k8swin_nb.cluster.messages import MAGIC, content_of, parsed
from k8swin_nb.errors import ClusterError
from k8swin_nb.reading import Unreadable, json_document, shown
from k8swin_nb.shown import shown_line

CONNECT_SECONDS = 10.0
READ_SECONDS = 60.0

REFUSAL_BYTES = 8192
"""What a refusal may have that is read: an API server's own has some hundred."""

REFUSAL_SECONDS = 2.0
"""How long it may keep still: the status is known by then, and says enough."""

WORDS = 400
"""Characters of it that are told."""

Dial = Callable[[str, int, float], socket.socket]
"""Makes a TCP connection to an address and a port within so many seconds."""


class Wire:
    """One client for one server, which another thread can cut at any moment, also during the handshake.

    Args:
        access: Whom to ask, and as whom.
        context: What verifies the server; see `tls_context`.
        dial: Makes the TCP connection, from address, port and seconds; None: from here.
    """

    def __init__(self, access: Access, context: ssl.SSLContext, dial: Dial | None = None) -> None:
        from kubernetes import client

        host = f"[{access.host}]" if ":" in access.host else access.host
        configuration = client.Configuration()
        configuration.host = self._server = f"https://{host}:{access.port}"
        # From version 34 on it takes one of the environment, which must not see the cluster's address.
        configuration.proxy = None
        if access.token is not None:
            # By its old name and its new one: 36.0.0 knows the new one alone, and sends nothing otherwise.
            said = f"Bearer {access.token.reveal()}"
            configuration.api_key = {"authorization": said, "BearerToken": said}
        self._sockets = _Sockets()
        self._auth: Any = configuration.auth_settings()
        self._rest = client.ApiClient(configuration).rest_client
        self._rest.pool_manager = _Manager(context, self._sockets, dial)
        # Up to version 36 it reads the body unless told not to; from 37 on it leaves that to the caller.
        taken = inspect.signature(self._rest.request).parameters
        self._unread = {"_preload_content": False} if "_preload_content" in taken else {}

    def get(self, path: str, query: Mapping[str, object], accept: str) -> urllib3.BaseHTTPResponse:
        """Ask for a path, and return an answer whose status is fine and whose body nobody has read or unpacked.

        The generated methods know no tables, and their common base changed its signature between releases; the
        layer below both did not.

        Raises:
            ClusterError: with status and reason, when the server refuses.
            Exception: of urllib3, the client or the system, when there is no answer.
        """
        target = f"{path}?{urlencode(query)}" if query else path
        if urllib3.util.parse_url(self._server + target).request_uri != target:
            # Such as `/..`, which would be taken out on the way, and something else be asked for.
            raise ClusterError(
                f"GET {shown(path)}: this is no path of the API", hint="look at the name in it"
            )
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        for setting in self._auth.values():
            headers[setting["key"]] = setting["value"]
        given = self._rest.request(
            "GET",
            self._server + target,
            headers=headers,
            _request_timeout=(CONNECT_SECONDS, READ_SECONDS),
            **self._unread,
        )
        # Version 37 puts it into an object of its own.
        answer: urllib3.BaseHTTPResponse = getattr(given, "response", given)
        return answer

    def cut(self) -> None:
        """End whatever a thread waits for; that thread closes."""
        self._sockets.cut()

    def close(self) -> None:
        """Close the connections."""
        self._rest.pool_manager.clear()
        self._sockets.close()


class _Sockets:
    """The socket of a wire's connection, so that another thread can end what is done with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: socket.socket | None = None
        self._is_cut = False

    def hold(self, made: socket.socket) -> None:
        """Take note of a new connection, before the other end has any say.

        It is held by a handle of its own: TLS takes the given one over, and that belongs to the thread that reads.
        """
        with self._lock:
            self._drop()
            if self._is_cut:
                raise OSError("the connection was cut")
            self._held = made.dup()

    def cut(self) -> None:
        with self._lock:
            self._is_cut = True
            if self._held is not None:
                try:
                    self._held.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # the other end was faster

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None


class _Answer(http.client.HTTPResponse):
    """An answer whose header is one; urllib3 would write what it cannot read of it to the log."""

    def begin(self) -> None:
        super().begin()
        assert_header_parsing(self.msg)


class _Connection(HTTPSConnection):
    """A connection whose socket is known outside, and that prints nothing of what it sends."""

    debuglevel = 0
    response_class = _Answer

    def __init__(
        self, *args: Any, sockets: _Sockets, dial: Dial | None = None, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._sockets = sockets
        self._dial = dial

    def _new_conn(self) -> socket.socket:
        made = (
            self._dial(self.host, self.port or 443, CONNECT_SECONDS)
            if self._dial
            else super()._new_conn()
        )
        try:
            self._sockets.hold(made)
        except OSError:
            made.close()
            raise
        return made


class _Manager(urllib3.PoolManager):
    """Connections that do one thing as asked, whatever the answer or the client would have them do beyond."""

    def __init__(
        self, context: ssl.SSLContext, sockets: _Sockets, dial: Dial | None = None
    ) -> None:
        super().__init__(num_pools=1, maxsize=1, block=True, ssl_context=context)
        self._sockets = sockets
        self._dial = dial

    def _new_pool(self, *args: Any, **options: Any) -> urllib3.HTTPConnectionPool:
        pool = super()._new_pool(*args, **options)
        pool.ConnectionCls = partial(_Connection, sockets=self._sockets, dial=self._dial)  # type: ignore[assignment]
        return pool

    def request(
        self, method: str, url: str, *args: Any, **options: Any
    ) -> urllib3.BaseHTTPResponse:
        held = {
            "retries": False,
            "redirect": False,
            "preload_content": False,
            "decode_content": False,
        }
        answer = super().request(method, url, *args, **{**options, **held})
        if 200 <= answer.status < 300:
            return answer
        # Before the client sees it: up to version 36 it reads all that comes with a refusal, however much.
        words = _words(answer)
        answer.close()
        answer.release_conn()  # or whoever asks again over this wire waits for it
        reason = http.client.responses.get(answer.status) or shown(answer.reason)
        said = f"{method} {urlsplit(url).path}: the API server answered {answer.status} {reason}"
        raise ClusterError(
            f"{said}: {words}" if words and words != reason else said,
            status=answer.status,
            reason=reason,
        )


def _words(answer: urllib3.BaseHTTPResponse) -> str:
    """Return what a server says of its refusal, such as who may not list what; empty where that is not short, or no text.

    It is a Status in the form that was asked for (k8s.io/apimachinery, meta/v1).
    """
    length = answer.headers.get("Content-Length", "")
    if not re.fullmatch("[0-9]{1,5}", length) or not 0 < int(length) <= REFUSAL_BYTES:
        return ""
    held = getattr(answer.connection, "sock", None)
    if held is not None:
        held.settimeout(REFUSAL_SECONDS)
    try:
        body = answer.read(decode_content=False)
        if body.startswith(MAGIC):
            place, size = content_of(body, "Status") or (0, 0)
            return shown_line(parsed("Status", body[place : place + size]).message, most=WORDS)
        document = json_document(body)
    except (Unreadable, OSError, urllib3.exceptions.HTTPError):
        return ""
    told = document.get("message") if isinstance(document, dict) else None
    return shown_line(told, most=WORDS) if isinstance(told, str) else ""
