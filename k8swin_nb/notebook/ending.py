"""The end of a kernel: what it runs on hosts is stopped first.

A kernel may be told to end (SIGTERM), or be left alone: papermill or the notebook server is gone. In both cases
nobody waits for its scripts any more. IPython's kernel would die at once, and they would run on.

SIGTERM is read from the interpreter's wake-up socket by a thread of its own: what Python calls for a signal runs in the
first thread, which may just go to wait for a front end's next message.
"""

from __future__ import annotations

import contextlib
import os
import queue
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from k8swin_nb.fan_out import end_all
from k8swin_nb.transports.pool import close_all

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

LOOK_SECONDS = 0.2
"""How often the parent process is looked for."""

STOP_SECONDS = 15.0
"""How long the end waits for scripts to be stopped on their hosts."""

CELL_SECONDS = 0.5
"""How long a cell is then given to say what became of it."""

CLOSE_SECONDS = 2.0

ORPHANED = 1
"""Exit code of a kernel whose parent is gone, as IPython's own."""

on_end: list[Callable[[], None]] = []
"""Called when the kernel ends by a signal or with its parent, where nothing else is any more."""

_wanted: queue.SimpleQueue[int] = queue.SimpleQueue()
_watching = False


def watch(shell: InteractiveShell) -> None:
    """Stop scripts on hosts before this kernel ends by a signal or with its parent; doing it twice changes nothing.

    Without effect where there is no kernel (a terminal keeps its own signals), or in another thread than the first.
    """
    global _watching
    app = getattr(getattr(shell, "kernel", None), "parent", None)
    if _watching or app is None or threading.current_thread() is not threading.main_thread():
        return
    _watching = True
    heard, woken = socket.socketpair()
    woken.setblocking(False)
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _noted)
        before = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
        if before >= 0:  # somebody else's, and the note has to do
            signal.set_wakeup_fd(before)
        if hasattr(os, "register_at_fork"):
            _let_children_be(woken)
    parent = _parent(app)
    threading.Thread(
        target=_look, args=(parent, heard, woken), name="end of the kernel", daemon=True
    ).start()


def _noted(number: int, _: object) -> None:
    # Nothing but a note here: whoever holds a lock at this moment could not give it back.
    _wanted.put(128 + number)


def _let_children_be(woken: socket.socket) -> None:
    """Let a process that a cell forks, such as a pool's, end by SIGTERM as any other does, and its kernel not."""
    mine = threading.local()

    def before() -> None:
        # The child has the same socket. It must not tell of a signal that comes before it has let go of that.
        mine.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def after() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mine.mask)

    def after_in_child() -> None:
        if signal.getsignal(signal.SIGTERM) is _noted:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        held = signal.set_wakeup_fd(-1)
        if held not in (-1, woken.fileno()):
            signal.set_wakeup_fd(held)
        after()

    os.register_at_fork(before=before, after_in_parent=after, after_in_child=after_in_child)


def _parent(app: Any) -> int | None:
    """Return the process without which this kernel ends, and let IPython's own watch leave the end to ours.

    None: nobody is watched, because IPython does not either. A parent that is not the one which started the
    kernel counts as gone when init has taken its place.
    """
    poller = getattr(app, "poller", None)
    if sys.platform == "win32" or not getattr(app, "parent_handle", 0) or poller is None:
        return None
    parent = os.getppid() if os.getppid() == app.parent_handle else 0
    poller.parent_pid = _AnyProcess(parent or 1)
    return parent


class _AnyProcess(int):
    """A process number that equals all: IPython's watch would end the kernel in the middle of stopping."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = int.__hash__


def _look(parent: int | None, heard: socket.socket, woken: socket.socket) -> None:
    """Wait for a reason to end; `woken` is the other end of `heard`, and is kept open."""
    while True:
        told = b""
        if select.select([heard], [], [], LOOK_SECONDS)[0]:
            told = heard.recv(4096)
        # Each signal that anybody handles is told of.
        if signal.SIGTERM in told and signal.getsignal(signal.SIGTERM) is _noted:
            end(128 + signal.SIGTERM)
        with contextlib.suppress(queue.Empty):
            end(_wanted.get_nowait())
        if parent is not None and _is_gone(parent):
            end(ORPHANED)


def _is_gone(parent: int) -> bool:
    now = os.getppid()
    return now != parent if parent else now == 1


def end(code: int) -> None:
    """Stop what runs on hosts, close the connections, and end this process."""
    try:
        # The cell that runs ends with an error, so that nobody sends the next one; between cells it is ignored.
        os.kill(os.getpid(), signal.SIGINT)
        end_all(STOP_SECONDS)
        time.sleep(CELL_SECONDS)
        for told in on_end:
            with contextlib.suppress(Exception):
                told()
        closing = threading.Thread(target=close_all, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)
    finally:
        os._exit(code)
