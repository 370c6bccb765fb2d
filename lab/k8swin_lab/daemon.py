"""The process in which a lab runs: from ready to a signal, a stop request or the end of its folder."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import sys
from collections.abc import Sequence
from typing import Any

from k8swin_lab.control import ControlServer
from k8swin_lab.home import Home
from k8swin_lab.lab import Lab
from k8swin_lab.topology import MachineSpec

log = logging.getLogger(__name__)

_LOOK_INTERVAL = 0.5


def serve(
    home: Home, machines: Sequence[MachineSpec], *, python_bash: bool, ready: int | None
) -> int:
    """Run a lab until it shall end, and return the exit code.

    Args:
        home: its folder; the lab ends when the folder is gone.
        machines: who there is.
        python_bash: never use the host's bash.
        ready: descriptor that gets `ready` or the reason why not as one line; None: standard output.
    """
    logging.basicConfig(
        stream=sys.stderr, level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    # No event: a signal may come while this thread holds the event's own lock, and would wait for itself.
    ended: queue.SimpleQueue[None] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.put(None))
    home.pid.write_text(f"{os.getpid()}\n")
    lab = Lab(home, machines, python_bash=python_bash)
    try:
        lab.start()
    except Exception as error:
        log.exception("the lab did not start")
        _tell(ready, str(error))
        home.clear()
        return 1
    control = ControlServer(home.control, lambda request: _answer(lab, ended, request))
    _tell(ready, "ready")
    identity = home.path.stat().st_ino
    while not _has_ended(ended):
        try:
            if home.path.stat().st_ino != identity:
                break
        except FileNotFoundError:
            break
    control.close()
    lab.stop()
    return 0


def _has_ended(ended: queue.SimpleQueue[None]) -> bool:
    with contextlib.suppress(queue.Empty):
        ended.get(timeout=_LOOK_INTERVAL)
        return True
    return False


def _answer(
    lab: Lab, ended: queue.SimpleQueue[None], request: dict[str, Any]
) -> dict[str, Any] | None:
    if request.get("command") == "stop":
        ended.put(None)
    elif request.get("command") == "fault":
        lab.fault(request["machine"], request["name"], request.get("value"))
    elif request.get("command") == "site":
        lab.site(request["machine"], request["names"])
    elif request.get("command") == "lacking":
        return {name: machine.lacking for name, machine in lab.machines.items()}
    else:
        raise ValueError(f"unknown command {request.get('command')!r}")
    return None


def _tell(ready: int | None, text: str) -> None:
    line = " ".join(text.splitlines()) + "\n"
    if ready is None:
        sys.stdout.write(line)
        sys.stdout.flush()
        return
    # The starter may have given up already.
    with contextlib.suppress(OSError):
        os.write(ready, line.encode())
        os.close(ready)
