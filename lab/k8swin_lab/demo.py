"""The command `k8swin demo`: a lab of its own, the notebooks up to the test app in it, and the lab is gone.

The lab knows the program that executes notebooks by its command line alone.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from k8swin_lab.cli import main as lab
from k8swin_lab.home import Home
from k8swin_lab.loopback import free_network

NOTEBOOKS = "01_network,02_master,03_flannel,04_join_linux,04_join_windows,05_test_app"
"""The demo ends with the test app: it is to be seen in a minute and a half."""

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end a program; the lab is taken down all the same."""

_LOOK_SECONDS = 0.2

RUN = (sys.executable, "-m", "k8swin_nb", "run")


def main(argv: list[str]) -> int:
    """Start a lab, run the notebooks against it, stop it; return the exit code of the run, or 1.

    A signal that ends it (Ctrl-C, SIGTERM, SIGHUP) is passed on to the run, which stops what it does; the code is
    then 128 and the signal's number.
    """
    parser = argparse.ArgumentParser(
        prog="k8swin demo",
        allow_abbrev=False,
        description="Start a lab of its own, execute the notebooks, stop it.",
    )
    parser.add_argument("--notebooks", type=Path, help="folder of the notebooks")
    parser.add_argument("--runs", type=Path, help="folder of the records")
    parser.add_argument("--network", help="loopback network of the lab; without it a free one")
    options = parser.parse_args(argv)
    try:
        with _on_signals(_end):
            return _demo(options)
    except _Ended as ended:
        return ended.code


def _demo(options: argparse.Namespace) -> int:
    with contextlib.ExitStack() as until_the_end:
        network = options.network or until_the_end.enter_context(free_network())
        folder = until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="k8swin-demo-"))
        place = ["--home", folder]
        try:
            if lab(["up", *place, "--network", network]) != 0:
                return 1
            given = [
                text
                for name in ("notebooks", "runs")
                if (path := getattr(options, name))
                for text in (f"--{name}", str(path))
            ]
            description = Home(Path(folder)).description
            return _run([*RUN, "--params", str(description), "--only", NOTEBOOKS, *given])
        finally:
            with _on_signals(signal.SIG_IGN):
                lab(["down", *place])


def _run(command: list[str]) -> int:
    """Run a command to its end, and pass on what stops this one; return its exit code.

    It has a session of its own, or a terminal's Ctrl-C would reach it twice. It is waited for: it stops what it
    runs, and writes down what it did.
    """
    asked: list[int] = []
    with _on_signals(lambda number, _: asked.append(number)):
        process = subprocess.Popen(command, start_new_session=True)
        while True:
            for number in asked[:]:
                asked.remove(number)
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(number)
            # A signal that comes just before a thread goes to wait is heard only when it wakes.
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(_LOOK_SECONDS)
                return code if code >= 0 else 128 - code


class _Ended(BaseException):
    """A signal ended the demo; what was begun is taken down on the way out."""

    def __init__(self, code: int) -> None:
        self.code = code


def _end(number: int, _: FrameType | None) -> None:
    raise _Ended(128 + number)


@contextlib.contextmanager
def _on_signals(
    handler: Callable[[int, FrameType | None], None] | signal.Handlers,
) -> Iterator[None]:
    """Let something happen on the signals that end a program; what is ignored, as under nohup, stays so."""
    before = {
        number: signal.signal(number, handler)
        for number in STOPPING
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)
