"""The process of `k8swin lab up --foreground` after a restore: it stays until the lab that took its place has ended."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from k8swin_lab import control
from k8swin_lab.home import Home


def become(home: Home) -> NoReturn:
    """Let this process, threads and memory and all, become one that only waits."""
    package = str(Path(__file__).resolve().parents[1])
    start = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        "from k8swin_lab.attending import attend; attend(sys.argv[2])"
    )
    os.execv(sys.executable, [sys.executable, "-c", start, package, str(home.path)])  # noqa: S606


def attend(path: str) -> None:
    """Wait until no lab runs in a folder; a signal stops the lab that does."""
    home = Home(Path(path))

    def stop(*_: object) -> None:
        with contextlib.suppress(control.ControlError):
            control.ask(home.control, {"command": "stop"})

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with contextlib.suppress(FileNotFoundError), home.lock.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
