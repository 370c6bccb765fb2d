"""Connections that the other end resets at once."""

from __future__ import annotations

import socket
import struct


def reset(address: str = "", port: int = 0, seconds: float | None = None) -> socket.socket:
    """Return a connection whose other end is gone with a reset, not politely; it stands where one is opened."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        made = socket.create_connection(door.getsockname(), seconds)
        there, _ = door.accept()
    there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    there.close()
    return made
