"""The first process of a seat's lab: it starts the lab, hands on what clients need, and passes requests to it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from k8swin_lab.workshop import sandbox, system, usage
from k8swin_lab.workshop.channel import Channel, Gone

_LOOK_SECONDS = 0.3
_USAGE_SECONDS = 2.0
_LARGEST_FILE = 32_768
_NOT_FOR_CLIENTS = {"lock", "pid", "control", "lab.log"}


def run(spec: dict[str, Any], channel: Channel, lab: Callable[[Path, int], int]) -> int:
    """Be that process until the lab ends or the channel closes; return the lab's exit code.

    Args:
        spec: as the seat's.
        channel: to the seat's process.
        lab: is the lab, in a process of its own: given its folder, and a descriptor for `ready` or the reason why not.
    """
    home = home_of(spec)
    sandbox.limit(sandbox.Limits(disk=spec["limits"].disk))
    reading, writing = os.pipe()
    child = _start(home, channel, (reading, writing), lab)
    os.close(writing)
    said = b""
    known: dict[str, str] = {}
    ready = False
    used_at = 0.0
    while True:
        watched: list[Channel | int] = [channel, *([reading] if reading >= 0 else [])]
        readable, _, _ = select.select(watched, [], [], _LOOK_SECONDS)
        if reading in readable:
            part = os.read(reading, 4096)
            said += part
            if not part or b"\n" in said:
                os.close(reading)
                reading = -1
                ready = said.strip() == b"ready"
                known = _hand_on(home, channel, known) if ready else known
                why = {} if ready else {"why": said.decode(errors="replace").strip()[:2000]}
                channel.try_send({"lab": "ready" if ready else "failed", **why})
        if channel in readable:
            try:
                message, _ = channel.receive()
            except Gone:
                return 0
            if message.get("do") == "ask":
                _ask(home, message, channel)
            elif message.get("do") == "clients":
                known = _hand_on(home, channel, {})
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if ended == child:
                return abs(os.waitstatus_to_exitcode(status)) & 0xFF
            if not ended:
                break
        if ready:
            known = _hand_on(home, channel, known)
        if time.monotonic() - used_at > _USAGE_SECONDS:
            used_at = time.monotonic()
            channel.try_send({"used": usage.of_folder(home).bytes})


def home_of(spec: dict[str, Any]) -> Path:
    """Return the lab's folder as its own processes see it."""
    return Path(spec["folder"], "lab") if spec["shared"] else sandbox.WORK / ".k8swin" / "lab"


def ordinary(network: str) -> Callable[[Path, int], int]:
    """Return what is a lab with fresh machines, on a network of the computer's loopback."""

    def serve(home: Path, ready: int) -> int:
        from k8swin_lab.cli import main

        arguments = ["up", "--foreground", "--home", str(home), "--ready-fd", str(ready)]
        return main([*arguments, "--network", network])

    return serve


def _start(
    home: Path, channel: Channel, pipe: tuple[int, int], lab: Callable[[Path, int], int]
) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        channel.leave()
        os.close(pipe[0])
        system.let_be_seen()
        os.environ.clear()
        os.environ.update(sandbox.environment({"HOME": str(home), "K8SWIN_LAB_HOME": str(home)}))
        os.chdir(home)
        log = os.open(home / "lab.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for number in (1, 2):
            os.dup2(log, number)
        code = lab(home, pipe[1])
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - the lab's log
        with contextlib.suppress(OSError):
            os.write(pipe[1], f"{error}\n".encode())
    finally:
        sys.stderr.flush()
        os._exit(code)


def _hand_on(home: Path, channel: Channel, known: dict[str, str]) -> dict[str, str]:
    """Send the files that clients need, when one has changed; return them."""
    files = {}
    with contextlib.suppress(OSError):
        for path in home.iterdir():
            name = path.name
            if name in _NOT_FOR_CLIENTS or name.startswith(".") or path.is_dir():
                continue
            with contextlib.suppress(OSError, UnicodeDecodeError):
                if path.stat().st_size <= _LARGEST_FILE:
                    files[name] = path.read_text()
    if files != known:
        channel.try_send({"clients": files})
    return files


def _ask(home: Path, message: dict[str, Any], channel: Channel) -> None:
    """Ask the lab in a process of its own: one that hangs keeps nobody waiting."""
    if os.fork():
        return
    try:
        signal.alarm(int(message.get("seconds", 30)) + 5)
        from k8swin_lab import control
        from k8swin_lab.home import Home

        try:
            answer = control.ask(Home(home).control, message["request"])
        except control.ControlError as error:
            answer = {"error": str(error)}
        channel.send({"id": message["id"], **answer})
    finally:
        os._exit(0)
