"""An interrupt as Ctrl-C gives it."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator

SECONDS = 100
"""How long the moment of an interrupt is waited for."""


@contextlib.contextmanager
def interrupt(when: Callable[[], object]) -> Iterator[None]:
    """Interrupt the main thread once, as soon as `when` says so."""

    def send() -> None:
        deadline = time.monotonic() + SECONDS
        while not when() and time.monotonic() < deadline:
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    sender = threading.Thread(target=send)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    sender.start()
    try:
        yield
    finally:
        sender.join()
        signal.signal(signal.SIGINT, before)
