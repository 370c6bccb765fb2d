"""What Ctrl-C and a signal do to a run of notebooks: kernels are interrupted, and nothing further begins.

A kernel is in a session of its own, so that a terminal's Ctrl-C reaches this process alone. Between two cells a
kernel ignores interrupts; a cell that has not begun is therefore kept from beginning here, and one that was sent and
has not begun yet is interrupted as soon as the kernel says that it has.

A signal is read from the interpreter's wake-up socket by a thread of its own. What Python calls for a signal runs in
the first thread, and that one may have looked for signals just before it waits for a lock: it would hear of this one
when the run is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

NAMES = {
    number: name
    for number, name in (
        (signal.SIGINT, "Ctrl-C"),
        (signal.SIGTERM, "SIGTERM"),
        (getattr(signal, "SIGHUP", None), "SIGHUP"),
    )
    if number is not None
}
"""The signals that stop a run, as a reader knows them."""

AGAIN_SECONDS = (20.0, 10.0, 10.0)
"""Seconds until a kernel that does not end its cell is interrupted again, then asked to end, then killed.

The first is longer than a cell gives its hosts to end what they do.
"""


class Told:
    """Which signal has interrupted a command."""

    number: int = signal.SIGINT


@contextlib.contextmanager
def interrupts() -> Iterator[Told]:
    """Let SIGTERM and SIGHUP interrupt a command as Ctrl-C does, where no run of notebooks takes them.

    They would end the process at once: without a word, and with connections open and locks held. What is ignored
    already, as under nohup, stays ignored.
    """
    told = Told()

    def interrupt(number: int, _: object) -> None:
        told.number = number
        raise KeyboardInterrupt

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in NAMES:
            if number != signal.SIGINT and signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, interrupt)
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Stop:
    """The word to stop that all notebooks of a run share."""

    def __init__(self) -> None:
        self.told = ""
        """One line that says what was stopped and what is left, once the run is over."""
        self._lock = threading.Lock()
        self._cells: set[Cell] = set()
        self._over = threading.Event()
        self._number: int | None = None

    @property
    def requested(self) -> bool:
        """Whether nothing further may begin."""
        return self._number is not None

    @property
    def name(self) -> str:
        """What stopped the run: `Ctrl-C`, `SIGTERM`, `SIGHUP`."""
        return NAMES.get(signal.Signals(self._number), "") if self._number else ""

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as shells have it; 0 when nothing was stopped."""
        return 128 + self._number if self._number else 0

    @contextlib.contextmanager
    def on_signals(self, say: Callable[[str], None]) -> Iterator[None]:
        """Let the signals stop the run; what is ignored already, as under nohup, stays ignored."""
        if threading.current_thread() is not threading.main_thread():
            yield  # no thread but the first takes signals
            return
        heard, woken = socket.socketpair()
        woken.setblocking(False)
        watcher = threading.Thread(
            target=self._watch, args=(heard, say), name="stopping", daemon=True
        )
        watcher.start()
        # A handler has to be there, or a signal ends the process; the socket is told of it in any thread.
        before_that = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        before: dict[signal.Signals, Any] = {}
        for number in NAMES:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, lambda *_: None)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before_that)
            self._over.set()
            woken.close()
            watcher.join()
            heard.close()

    def _watch(self, heard: socket.socket, say: Callable[[str], None]) -> None:
        """Stop at the first signal, whose number comes as a byte; the end of the socket is that of the run."""
        while numbers := heard.recv(1):
            number = numbers[0]
            if number not in NAMES:
                continue  # of another handler in this process
            if self._number is not None:
                say("is being stopped already; the record and the page are written")
                continue
            self._number = number
            say(f"{NAMES[signal.Signals(number)]}: what runs on hosts is being stopped")
            threading.Thread(target=self._interrupt, name="interrupting", daemon=True).start()

    def _interrupt(self) -> None:
        """Interrupt the cells that run, harder each time until they have ended."""
        harder = (signal.SIGINT, signal.SIGINT, signal.SIGTERM, _SIGKILL)
        for attempt, (number, seconds) in enumerate(
            zip(harder, (*AGAIN_SECONDS, 0.0), strict=True)
        ):
            with self._lock:
                cells = list(self._cells)
            for cell in cells:
                cell.send(number, attempt)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                with self._lock:
                    if not self._cells:
                        return
                    silent = [cell for cell in self._cells if cell.owes_its_reply]
                for cell in silent:
                    cell.send(signal.SIGTERM, _SILENT)
                if self._over.wait(0.2):
                    return

    @contextlib.contextmanager
    def running(self, cell: Cell) -> Iterator[None]:
        """Take note of a cell while it runs."""
        with self._lock:
            self._cells.add(cell)
        try:
            yield
        finally:
            with self._lock:
                self._cells.discard(cell)


_SILENT = -1
"""The attempt that ends a kernel which never tells the end of a cell."""

REPLY_SECONDS = 2.0
"""How long after it is idle again a kernel may take to answer for a cell."""

_SIGKILL = getattr(signal, "SIGKILL", signal.SIGTERM)


class Cell:
    """One cell that was sent to a kernel."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._lock = threading.Lock()
        self._begun = False
        self._wanted = False
        self._idle_since: float | None = None
        self._sent: set[int] = set()

    def begun(self) -> None:
        """The kernel says that it executes the cell: from now on an interrupt reaches it."""
        with self._lock:
            self._begun = True
            wanted = self._wanted
        if wanted:
            self._signal(signal.SIGINT)

    def idle(self) -> None:
        """The kernel says that it has nothing to do: the cell has ended, and its reply comes."""
        self._idle_since = time.monotonic()

    @property
    def owes_its_reply(self) -> bool:
        """Whether the kernel has ended the cell and does not say so: an interrupt in its last moment takes the reply along."""
        since = self._idle_since
        return since is not None and time.monotonic() - since > REPLY_SECONDS

    def send(self, number: int, attempt: int) -> None:
        """Send a signal to the kernel, once for each attempt; an interrupt not before it executes the cell."""
        with self._lock:
            if attempt in self._sent:
                return
            self._sent.add(attempt)
            if not self._begun and number == signal.SIGINT:
                self._wanted = True
                return
        self._signal(number)

    def _signal(self, number: int) -> None:
        def interrupt() -> None:
            # Within the thread: what it raises would be a traceback on the run's terminal.
            with contextlib.suppress(Exception):  # it has just ended
                asyncio.run(self._manager.interrupt_kernel())

        if number == signal.SIGINT:
            # In the way of the kernel's own specification; from a thread that has no event loop.
            thread = threading.Thread(target=interrupt, daemon=True)
            thread.start()
            thread.join()
            return
        kernel = self._manager.provisioner
        if kernel is not None and kernel.has_process:
            with contextlib.suppress(OSError):  # it has just ended
                os.kill(kernel.pid, number)
