"""Collects what a host sends: bytes in, text out, live and whole."""

from __future__ import annotations

import codecs
import threading
import time
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
        self._heard: float | None = None
        self.over = threading.Event()
        """Set when nothing more comes."""
        self.silent = False
        """Whether the script was stopped because it printed nothing for too long."""

    def begun(self) -> None:
        """Take note that the script runs from now on."""
        self._heard = time.monotonic()

    def quiet(self) -> float:
        """Return for how many seconds the script has printed nothing; 0 while it has not begun."""
        return time.monotonic() - self._heard if self._heard is not None else 0.0

    def feed(self, stream: str, data: bytes) -> None:
        """Take bytes of a stream."""
        if not data:
            return
        if self._heard is not None:
            self._heard = time.monotonic()
        with self._lock:
            self._kept[stream].feed(data)
            if self._on_output is None:
                return
            text = self._masks[stream].feed(self._decoders[stream].decode(data))
        self._tell(stream, text)

    def finish(self) -> None:
        """Show what is still held back."""
        self.over.set()
        if self._on_output is None:
            return
        for stream, mask in self._masks.items():
            with self._lock:
                rest = self._decoders[stream].decode(b"", final=True)
                text = mask.feed(rest) + mask.flush()
            self._tell(stream, text)

    def text(self, stream: str) -> str:
        """Return what is kept so far, unmasked, with plain line ends and without a byte-order mark."""
        return self.whole(stream)[0]

    def whole(self, stream: str) -> tuple[str, bytes | None]:
        """Return the same with the bytes that are kept, where the text says something else than they do, else None."""
        with self._lock:
            data = self._kept[stream].all()
        try:
            sent = data.decode()
        except UnicodeDecodeError:
            sent = None
        told = data.decode("utf-8", "replace") if sent is None else sent
        text = told.removeprefix("\ufeff").replace("\r\n", "\n")
        return text, None if text == sent else data

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
