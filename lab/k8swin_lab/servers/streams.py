"""Standard streams between the event loop and a command's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable


class InputPipe:
    """Standard input: the server feeds it, the command's thread reads it and waits for more."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._ended = False
        self._changed = threading.Condition()

    def feed(self, data: bytes) -> None:
        """Add bytes; what comes after the end is dropped, as in a pipe nobody reads."""
        with self._changed:
            if not self._ended:
                self._buffer += data
            self._changed.notify_all()

    def end(self) -> None:
        """Mark the end: readers get what is left and then b""."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether no more input will come."""
        return self._ended

    @property
    def waiting(self) -> int:
        """How many bytes have not been read yet."""
        return len(self._buffer)

    def ready(self, seconds: float) -> bool:
        """Wait until something can be read, the end included, and return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._buffer) or self._ended, seconds)

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes as soon as there is one; all up to the end for -1."""
        with self._changed:
            while not self._ended and (size < 0 or not self._buffer):
                self._changed.wait()
            count = len(self._buffer) if size < 0 else size
            data = bytes(self._buffer[:count])
            del self._buffer[:count]
            return data


class OutputStream:
    """Standard output or error: hands every write to `put`, which may block to slow the command."""

    def __init__(self, put: Callable[[bytes], None]) -> None:
        self._put = put

    def write(self, data: bytes, /) -> int:
        """Pass bytes on at once.

        Raises:
            BrokenPipeError: nobody is there to read them any more.
        """
        if data:
            self._put(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: nothing is kept back."""
