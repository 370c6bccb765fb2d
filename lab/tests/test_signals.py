"""The signals that end a lab and a demo, at the worst moment."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from k8swin_lab import demo

SERVES = """
import os, signal, sys, threading
from pathlib import Path
from types import SimpleNamespace
from k8swin_lab import daemon, process_lock
from k8swin_lab.home import Home

none = lambda *_: None
daemon.Lab = daemon.ControlServer = lambda *_, **__: SimpleNamespace(home=home, start=none, stop=none, close=none)

def at_the_lock(frame, event, _):
    if frame.f_code is threading.Condition.wait.__code__ and event == "line":
        sys.settrace(None)
        os.kill(os.getpid(), signal.SIGTERM)
    return at_the_lock

home = Home(Path(sys.argv[1]))
lock = process_lock.take(home.lock)
later = threading.Timer(1, os.kill, (os.getpid(), signal.SIGTERM))
later.daemon = True
later.start()
sys.settrace(at_the_lock)
sys.exit(daemon.serve(home, [], python_bash=True, ready=None, lock=lock))
"""


def test_a_lab_ends_by_a_signal_that_comes_while_it_holds_a_lock(tmp_path: Path) -> None:
    """It looked for its end on an event, whose lock the handler wants too: nothing but a kill ended it."""
    done = subprocess.run(
        [sys.executable, "-c", SERVES, str(tmp_path)], capture_output=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_passes_on_a_signal_that_came_before_it_went_to_wait(
    tmp_path: Path, number: signal.Signals
) -> None:
    begun = tmp_path / "begun"
    run = (
        "import pathlib, signal, sys, time\n"
        "for one in (signal.SIGINT, signal.SIGTERM): signal.signal(one, lambda number, _: sys.exit(100 + number))\n"
        f"pathlib.Path({str(begun)!r}).touch(); time.sleep(600)"
    )

    def send() -> None:
        while not begun.exists():
            time.sleep(0.05)
        time.sleep(0.5)  # for the first thread to wait; without it less is tried
        # As if it came just before: what Python calls for it runs when that thread wakes.
        signal.pthread_kill(threading.get_ident(), number)

    sender = threading.Thread(target=send)
    sender.start()
    assert demo._run([sys.executable, "-c", run]) == 100 + number
    sender.join()
