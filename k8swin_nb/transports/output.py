"""Collects what a host sends: bytes in, text out, live and whole."""

from __future__ import annotations

import codecs
import threading
from collections.abc import Callable

from k8swin_nb.redact import redacted_stream

OnOutput = Callable[[str, str], None]
"""Called with the stream's name (`stdout`, `stderr`) and masked text."""

KEPT_BYTES = 64 * 2**20
"""Bytes of each stream that are kept: half of them from its beginning, half from its end."""


class Output:
    """Both streams of one command.

    A character or a secret that is spread over two pieces is put together before it is shown. A stream without an
    end does not fill the memory: what is between its first and its last 32 MiB is left out, and that is said.
    """

    def __init__(self, on_output: OnOutput | None = None, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._on_output = on_output
        self._lock = threading.Lock()
        self._kept = {name: _Kept(kept_bytes // 2) for name in ("stdout", "stderr")}
        self._decoders = {
            name: codecs.getincrementaldecoder("utf-8")("replace") for name in self._kept
        }
        self._masks = {name: redacted_stream() for name in self._kept}

    def feed(self, stream: str, data: bytes) -> None:
        """Take bytes of a stream."""
        if not data:
            return
        with self._lock:
            self._kept[stream].feed(data)
            if self._on_output is None:
                return
            text = self._masks[stream].feed(self._decoders[stream].decode(data))
        self._tell(stream, text)

    def finish(self) -> None:
        """Show what is still held back."""
        if self._on_output is None:
            return
        for stream, mask in self._masks.items():
            with self._lock:
                rest = self._decoders[stream].decode(b"", final=True)
                text = mask.feed(rest) + mask.flush()
            self._tell(stream, text)

    def text(self, stream: str) -> str:
        """Return what is kept so far, unmasked, with plain line ends and without a byte-order mark."""
        with self._lock:
            data = self._kept[stream].all()
        return data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")

    def left_out(self, stream: str) -> int:
        """Return how many bytes of a stream were not kept."""
        return self._kept[stream].left_out

    def _tell(self, stream: str, text: str) -> None:
        if text and self._on_output is not None:
            self._on_output(stream, text.replace("\r\n", "\n"))


class _Kept:
    """The first and the last bytes of a stream."""

    def __init__(self, half: int) -> None:
        self._half = half
        self._head = bytearray()
        self._tail = bytearray()
        self.left_out = 0

    def feed(self, data: bytes) -> None:
        room = self._half - len(self._head)
        self._head += data[:room] if room > 0 else b""
        self._tail += data[max(room, 0) :]
        # Cut rarely: to take bytes away from the front moves all others.
        if len(self._tail) > self._half + self._half // 4:
            self._cut()

    def all(self) -> bytes:
        if len(self._tail) > self._half:
            self._cut()
        if not self.left_out:
            return bytes(self._head + self._tail)
        said = f"\n... {self.left_out} bytes are left out here ...\n"
        return bytes(self._head) + said.encode() + bytes(self._tail)

    def _cut(self) -> None:
        more = len(self._tail) - self._half
        del self._tail[:more]
        self.left_out += more
