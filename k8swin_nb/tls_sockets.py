"""Connections over TLS that are closed where the other end resets them before the first message."""

from __future__ import annotations

import errno
import ssl
from typing import Any


class _Closing(ssl.SSLSocket):
    """Python's own gives up there with the socket open, and nobody else has it (`SSLSocket._create`, up to 3.12)."""

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        try:
            return super().recv(buflen, flags)
        except OSError as error:
            # With these two it goes on, and whoever asked for the connection is given it.
            if self.version() is None and error.errno not in (errno.ENOTCONN, errno.EINVAL):
                self.close()
            raise


def closing(context: ssl.SSLContext) -> ssl.SSLContext:
    """Have all connections of a context closed that come to nothing, and return it."""
    # truststore makes them in a context of its own, with sockets of its own.
    inner: Any = getattr(context, "_ctx", context)
    kind = inner.sslsocket_class
    if not issubclass(kind, _Closing):
        inner.sslsocket_class = type(kind.__name__, (_Closing, kind), {})
    return context
