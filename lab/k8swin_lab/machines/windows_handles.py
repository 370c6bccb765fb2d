"""Open files of a simulated Windows: who has a file open, for what, and what he lets others do meanwhile.

Windows refuses to open a file when what is asked for does not go with what another one shares, and the
other way round ("sharing violation"); a handle goes with its process at the latest.
"""

from __future__ import annotations

import threading
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
        return (handle for handle in self._open if handle.path == path)

    def clear(self) -> None:
        """Close everything, as a boot does."""
        with self._lock:
            self._open.clear()
