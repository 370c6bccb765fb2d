"""Standard streams over file descriptors, unbuffered: what one program leaves, the next one reads."""

from __future__ import annotations

import os
import select
import threading


class DescriptorReader:
    """Reads a descriptor; never takes more from it than was asked for."""

    def __init__(self, descriptor: int, cancelled: threading.Event | None = None) -> None:
        self._descriptor = descriptor
        self._cancelled = cancelled

    def fileno(self) -> int:
        return self._descriptor

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes as soon as one is there; all up to the end when negative."""
        if size < 0:
            parts = []
            while part := self.read(65536):
                parts.append(part)
            return b"".join(parts)
        if self._cancelled is not None:
            while not select.select([self._descriptor], [], [], 0.2)[0]:
                if self._cancelled.is_set():
                    return b""
        return os.read(self._descriptor, size)


class DescriptorWriter:
    """Writes a descriptor, all of what is given."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: bytes, /) -> int:
        """Write everything; raises BrokenPipeError when nobody reads any more."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
        return len(data)


def descriptor_of(stream: object) -> int | None:
    """Return the descriptor under a stream of this module, or None for any other stream."""
    if isinstance(stream, DescriptorReader | DescriptorWriter):
        return stream.fileno()
    return None
