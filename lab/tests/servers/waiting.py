"""What the tests of servers wait for, with a limit that only a hang reaches."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable


def connects(address: str, port: int) -> bool:
    """Whether somebody takes a connection there."""
    try:
        with socket.create_connection((address, port), 100):
            return True
    except (ConnectionRefusedError, ConnectionResetError):  # at the door, or just behind it
        return False


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a condition comes true; it fails after a minute."""
    waiting = threading.Event()
    for _ in range(1200):
        if condition():
            return
        waiting.wait(0.05)
    assert condition()
