"""Connections over TLS that are closed where the other end resets them before the first message."""

from __future__ import annotations

import errno
import ssl


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


def tls_context(protocol: int) -> ssl.SSLContext:
    """Return a new context of a protocol such as `ssl.PROTOCOL_TLS_SERVER`, whose connections are closed."""
    context = ssl.SSLContext(protocol)
    context.sslsocket_class = _Closing
    return context
