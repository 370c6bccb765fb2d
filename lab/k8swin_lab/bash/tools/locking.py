"""flock: the kernel's own locks, on the files of the machine's disk."""

from __future__ import annotations

import fcntl
import os
import time
from typing import Any

from k8swin_lab.bash.tools.common import ToolFault, disk, machine, options, tool
from k8swin_lab.bash.tools.running import found_on_path, start
from k8swin_lab.machines.disk import Disk
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.shell import DEFAULT_PATH, ShellProcess

_LONG = {
    "exclusive": "x", "shared": "s", "nonblock": "n", "nb": "n", "unlock": "u", "timeout=": "w",
    "wait=": "w", "conflict-exit-code=": "E", "command=": "c", "close": "o", "verbose": "v",
}  # fmt: skip


def _flock(process: Process) -> int:
    found, rest = options(process, "xesnuov", "wEc", _LONG, permute=False, code=64)
    if not rest:
        raise ToolFault("requires file descriptor, file or directory", 64)
    conflict = int(found.last("E", "1"))
    command = rest[1:]
    if command[:1] == ["-c"] or "c" in found:
        command = ["sh", "-c", found.last("c") or " ".join(command[1:])]
    opened: int | None = None
    if command:
        opened = _open(process, rest[0])
        descriptor = opened
    else:
        descriptor = _descriptor(process, rest[0])
    try:
        if "u" in found:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        elif not _taken(process, descriptor, found):
            return conflict
        if not command:
            return 0
        if not found_on_path(process, command[0], process.env.get("PATH", DEFAULT_PATH)):
            raise ToolFault(f"failed to execute {command[0]}: No such file or directory", 69)
        return start(process, command)
    finally:
        if opened is not None:
            os.close(opened)


def _descriptor(process: Process, text: str) -> int:
    if not text.isdigit():
        raise ToolFault(f"bad file descriptor: '{text}'", 64)
    stream: Any = process.files.get(int(text)) if isinstance(process, ShellProcess) else None
    descriptor = stream.descriptor() if stream is not None else None
    if descriptor is None:
        raise ToolFault(f"{text}: Bad file descriptor", 65)
    return int(descriptor)


def _open(process: Process, path: str) -> int:
    where: Disk = disk(process)
    host = where.host(path)
    new = not host.exists()
    try:
        descriptor = os.open(host, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ToolFault(
            f"cannot open lock file {path}: {os.strerror(error.errno or 5)}", 66
        ) from error
    if new and process.user != "root":
        machine(process).set_owner(where.real(path), process.user, process.user)
    return descriptor


def _taken(process: Process, descriptor: int, found: Any) -> bool:
    kind = fcntl.LOCK_SH if "s" in found else fcntl.LOCK_EX
    wait = 0.0 if "n" in found else float(found.last("w", "inf"))
    end = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end or process.cancelled.wait(0.05):
                return False
        else:
            return True


TOOLS = {"flock": tool(_flock)}
