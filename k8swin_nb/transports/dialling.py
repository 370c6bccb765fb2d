"""How a TCP connection comes about: from here, or through another machine. Whoever needs one is given what makes it."""

from __future__ import annotations

import socket
from collections.abc import Callable

Dial = Callable[[str, int, float], socket.socket]
"""Opens a connection to an address and port within so many seconds; raises OSError or a `TransportError`."""


def dial(address: str, port: int, seconds: float) -> socket.socket:
    """Open a connection from here."""
    return socket.create_connection((address, port), timeout=seconds)
