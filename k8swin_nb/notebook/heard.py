"""What a script of `--bg` has printed so far: its end, for whoever looks, and all that comes, for whoever listens."""

from __future__ import annotations

import threading
from collections.abc import Callable

MOST = 200_000
"""Characters of each host's stream that are kept; what is older is in the log of the run."""

Listener = Callable[[str, str, str], None]
"""Told host, stream and masked text."""


class Heard:
    """Texts by host and stream. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: dict[tuple[str, str], str] = {}
        self._listeners: list[Listener] = []

    def hear(self, host: str, stream: str, text: str) -> None:
        """Take text of a host, which is masked."""
        with self._lock:
            key = (host, stream)
            self._texts[key] = (self._texts.get(key, "") + text)[-MOST:]
            for listener in self._listeners:
                listener(host, stream, text)

    def text(self, host: str, stream: str) -> str:
        """Return what a host has printed, or the end of it."""
        with self._lock:
            return self._texts.get((host, stream), "")

    def listen(self, listener: Listener) -> None:
        """Tell what there is, and then all that comes."""
        with self._lock:
            for (host, stream), text in self._texts.items():
                listener(host, stream, text)
            self._listeners.append(listener)

    def leave(self, listener: Listener) -> None:
        """Tell no more."""
        with self._lock:
            self._listeners.remove(listener)
