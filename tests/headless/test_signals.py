"""The signals that stop a run, heard at any moment."""

import contextlib
import os
import signal
import threading
import time
from types import SimpleNamespace

import pytest

from k8swin_nb.headless.engine import NotebookStopped, StoppableClient
from k8swin_nb.headless.stopping import Stop

SECONDS = 60


def heard_meanwhile(send):
    """Send a signal while the first thread waits for a lock, and return what has stopped the run before it wakes."""
    stop, said, found = Stop(), [], []
    waits = threading.Lock()
    waits.acquire()

    def other():
        time.sleep(0.5)  # for the first thread to wait; without it less is tried
        send()
        until = time.monotonic() + SECONDS
        while not (stop.requested and said) and time.monotonic() < until:
            time.sleep(0.01)
        found.append((stop.name, stop.exit_code))
        waits.release()

    thread = threading.Thread(target=other)
    with stop.on_signals(said.append):
        thread.start()
        waits.acquire()
    thread.join()
    return found, said


def test_a_signal_that_another_thread_takes_is_heard_while_the_first_one_waits():
    """As if it came just before that one went to wait: what Python calls for it runs when the wait is over."""
    found, said = heard_meanwhile(
        lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    )
    assert found == [("SIGTERM", 143)]
    assert said == ["SIGTERM: what runs on hosts is being stopped"]


def test_what_was_there_for_signals_is_there_again():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    found, _ = heard_meanwhile(lambda: os.kill(os.getpid(), signal.SIGINT))
    assert found == [("Ctrl-C", 130)]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    socket = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(socket)
    assert socket == -1


def test_a_stop_between_two_cells_begins_none_that_nobody_would_interrupt_again():
    """It found no cell at work and was through; the next one was interrupted once, which a kernel may miss: the run hung."""
    stop, begun = Stop(), []
    nothing = lambda *_, **__: None  # noqa: E731

    class Between(dict):
        """The cells at work, of which the second is noted just after the stop has looked."""

        def add(self, cell):
            self[cell] = None
            if len(begun) == 1:
                stop._number = signal.SIGINT

        def discard(self, cell):
            del self[cell]

    stop._cells = Between()
    client = SimpleNamespace(
        nb=SimpleNamespace(cells=["one", "two"]),
        nb_man=SimpleNamespace(cell_start=nothing, cell_complete=nothing),
        km=None,
        _stop=stop,
        _saving=SimpleNamespace(runs=nothing, left_to_the_next=contextlib.nullcontext),
        execute_cell=lambda cell, index: begun.append(cell),
    )
    client._ended_well = lambda cell, index: StoppableClient._ended_well(client, cell, index)
    with pytest.raises(NotebookStopped):
        StoppableClient.papermill_execute_cells(client)
    assert begun == ["one"] and not stop._cells
