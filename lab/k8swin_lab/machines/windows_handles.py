"""Open files of a simulated Windows: who has a file open, for what, and what he lets others do meanwhile.

Windows refuses to open a file when what is asked for does not go with what another one shares, and the
other way round ("sharing violation"); a handle goes with its process at the latest.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

READ, WRITE, DELETE = 1, 2, 4
"""Bits of an access and of what is shared, as System.IO.FileAccess and FileShare count them."""


class SharingViolation(Exception):
    """Somebody else has the file open, and does not share it for this."""


@dataclass(frozen=True, slots=True, eq=False)
class Handle:
    """One open file."""

    path: str
    access: int
    share: int
    until: float = math.inf
    """When it closes by itself, as `time.monotonic()` counts."""


class Handles:
    """All open files of one machine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Handle] = []

    def take(self, path: str, access: int, share: int) -> Handle:
        """Open a file; `path` in any case.

        Raises:
            SharingViolation: when another handle stands against it.
        """
        handle = Handle(path.lower(), access, share)
        with self._lock:
            for other in self.on(handle.path):
                if access & ~other.share or other.access & ~share:
                    raise SharingViolation(path)
            self._open.append(handle)
        return handle

    def hold(self, path: str, seconds: float) -> None:
        """Look at a file for a moment as a scanner does: others may read and write it, not move or delete it.

        Source: Go's `cmd/internal/robustio`, which tries again for 2 s when a rename or removal meets that.
        """
        now = time.monotonic()
        with self._lock:
            self._open = [handle for handle in self._open if handle.until > now]
            self._open.append(Handle(path.lower(), READ, READ | WRITE, now + seconds))

    def refuses(self, path: str, access: int) -> bool:
        """Tell whether somebody has the file open and does not share it for this."""
        with self._lock:
            return any(access & ~other.share for other in self.on(path.lower()))

    def release(self, handle: Handle) -> None:
        """Close it; no error when it is closed already."""
        with self._lock:
            if handle in self._open:
                self._open.remove(handle)

    def undeletable(self, path: str) -> bool:
        """Tell whether somebody has the file open who does not let others delete it."""
        with self._lock:
            return any(not other.share & DELETE for other in self.on(path.lower()))

    def on(self, path: str) -> Iterator[Handle]:
        """Yield the handles of a file, whose path is in lower case."""
        if not self._open:
            return iter(())
        now = time.monotonic()
        return (h for h in self._open if h.path == path and h.until > now)

    def clear(self) -> None:
        """Close everything, as a boot does."""
        with self._lock:
            self._open.clear()
