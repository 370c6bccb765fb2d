"""The lock on a file that a process in the background holds for as long as it lives: unlike its number it cannot go stale."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from pathlib import Path

_LOOK_SECONDS = 0.02


def take(lock: Path) -> int | None:
    """Take the lock and return its descriptor; None while another process has it."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_held(lock: Path) -> bool:
    """Whether a process holds the lock; a file that is not there is not made."""
    if not lock.is_file():
        return False
    descriptor = take(lock)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def send(pid: Path, number: signal.Signals) -> None:
    """Signal the process whose number is in a file; as long as its lock is held, the number is its own."""
    try:
        os.kill(int(pid.read_text()), number)
    except (OSError, ValueError):
        return  # it ended in between, or has not come as far as writing its number


def is_free_within(lock: Path, seconds: float) -> bool:
    """Wait until nobody holds the lock; return whether that came about in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not is_held(lock):
            return True
        time.sleep(_LOOK_SECONDS)
    return False
