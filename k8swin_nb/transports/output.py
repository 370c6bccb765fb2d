"""Collects what a host sends: bytes in, text out, live and whole."""

from __future__ import annotations

import codecs
import threading
from collections.abc import Callable

from k8swin_nb.redact import redacted_stream

OnOutput = Callable[[str, str], None]
"""Called with the stream's name (`stdout`, `stderr`) and masked text."""


class Output:
    """Both streams of one command.

    A character or a secret that is spread over two pieces is put together before it is shown.
    """

    def __init__(self, on_output: OnOutput | None = None) -> None:
        self._on_output = on_output
        self._lock = threading.Lock()
        self._bytes = {"stdout": bytearray(), "stderr": bytearray()}
        self._decoders = {
            name: codecs.getincrementaldecoder("utf-8")("replace") for name in self._bytes
        }
        self._masks = {name: redacted_stream() for name in self._bytes}

    def feed(self, stream: str, data: bytes) -> None:
        """Take bytes of a stream."""
        if not data:
            return
        with self._lock:
            self._bytes[stream] += data
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
        """Return everything so far, unmasked, with plain line ends and without a byte-order mark."""
        with self._lock:
            data = bytes(self._bytes[stream])
        return data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")

    def _tell(self, stream: str, text: str) -> None:
        if text and self._on_output is not None:
            self._on_output(stream, text.replace("\r\n", "\n"))
