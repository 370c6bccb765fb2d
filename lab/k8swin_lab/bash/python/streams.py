"""Open files of a Python shell: shared by reference, closed when the last table lets go."""

from __future__ import annotations

import errno
import os
import select
import threading
import time
from collections.abc import Callable

from k8swin_lab.bash.descriptors import DescriptorReader, DescriptorWriter
from k8swin_lab.machines.program import Reader, Writer


class LinkedEvent(threading.Event):
    """Set when it or the event above it is set: cancelling reaches what was started below."""

    def __init__(self, above: threading.Event) -> None:
        super().__init__()
        self._above = above

    def is_set(self) -> bool:
        return super().is_set() or self._above.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        end = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = 0.05 if end is None else min(0.05, end - time.monotonic())
            if left <= 0:
                return False
            super().wait(left)
        return True


class Stream:
    """One open file; reading and writing fail with EBADF where it is not open for that."""

    def __init__(
        self,
        reader: Reader | None = None,
        writer: Writer | None = None,
        close: Callable[[], None] | None = None,
        path: str = "",
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._close = close
        self._users = 1
        self._lock = threading.Lock()
        self.path = path

    def share(self) -> Stream:
        """Count one user more and return itself."""
        with self._lock:
            self._users += 1
        return self

    def close(self) -> None:
        """Count one user less; the last one closes the file."""
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last and self._close:
            self._close()

    def read(self, size: int = -1, /) -> bytes:
        if self._reader is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if size >= 0:
            return self._reader.read(size)
        parts = []
        while part := self._reader.read(65536):
            parts.append(part)
        return b"".join(parts)

    def write(self, data: bytes, /) -> int:
        if self._writer is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        self._writer.write(data)
        return len(data)

    def seekable(self) -> bool:
        """Tell whether this is a file with a position."""
        descriptor = self.descriptor()
        if descriptor is None:
            return False
        try:
            os.lseek(descriptor, 0, os.SEEK_CUR)
        except OSError:
            return False
        return True

    def step_back(self, count: int) -> None:
        """Give back bytes that were read from a file with a position."""
        descriptor = self.descriptor()
        if descriptor is not None and count:
            os.lseek(descriptor, -count, os.SEEK_CUR)

    def ready(self, seconds: float) -> bool:
        """Wait until something can be read, the end included, and return whether that is so."""
        descriptor = self.descriptor()
        if descriptor is not None:
            return self.seekable() or bool(select.select([descriptor], [], [], seconds)[0])
        beneath = self._reader
        if isinstance(beneath, Stream):
            return beneath.ready(seconds)
        wait = getattr(beneath, "ready", None)
        return bool(wait(seconds)) if wait is not None else True

    def descriptor(self) -> int | None:
        """Return the descriptor beneath, if there is one."""
        for side in (self._reader, self._writer):
            if isinstance(side, DescriptorReader | DescriptorWriter):
                return side.fileno()
        return None


def opened(descriptor: int, flags: int, cancelled: threading.Event, path: str = "") -> Stream:
    """Wrap a descriptor that was opened with these flags."""
    mode = flags & os.O_ACCMODE
    reader = DescriptorReader(descriptor, cancelled) if mode != os.O_WRONLY else None
    writer = DescriptorWriter(descriptor) if mode != os.O_RDONLY else None
    return Stream(reader, writer, lambda: os.close(descriptor), path)


def pipe(cancelled: threading.Event) -> tuple[Stream, Stream]:
    """Return the reading and the writing end of a new pipe."""
    out, into = os.pipe()
    return opened(out, os.O_RDONLY, cancelled), opened(into, os.O_WRONLY, cancelled)


class FileTable(dict[int, Stream]):
    """The open files of a shell by number."""

    def copy(self) -> FileTable:
        return FileTable({number: stream.share() for number, stream in self.items()})

    def put(self, number: int, stream: Stream) -> None:
        """Open a number; what it was is closed."""
        old = self.pop(number, None)
        self[number] = stream
        if old:
            old.close()

    def drop(self, number: int) -> None:
        """Close a number."""
        old = self.pop(number, None)
        if old:
            old.close()

    def close_all(self) -> None:
        """Close every number."""
        for number in list(self):
            self.drop(number)

    def free(self, start: int = 10) -> int:
        """Return the lowest unused number from `start` on."""
        while start in self:
            start += 1
        return start
