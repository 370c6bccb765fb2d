"""The signals that stop a run, heard at any moment."""

import os
import signal
import threading
import time

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
