"""Files as a command of a Linux machine reads and writes them: its paths, its user's rights."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from k8swin_lab.bash.tools.access import may_open
from k8swin_lab.machines.disk import Disk
from k8swin_lab.machines.program import Process

if TYPE_CHECKING:
    from k8swin_lab.machines.linux import LinuxMachine


def machine_of(process: Process) -> LinuxMachine:
    """Return the Linux machine a process runs on."""
    return cast("LinuxMachine", process.machine)


class Files:
    """The machine's files, with paths relative to the process's directory."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._machine = machine_of(process)
        self._disk = Disk(self._machine, process.cwd)

    def read(self, path: str) -> bytes:
        """Return a file's content; "-" and /dev/stdin are standard input.

        Raises:
            OSError: as the kernel would.
        """
        if path in ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
            return read_all(self._process)
        return self._open(path, os.O_RDONLY).read_bytes()

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file; a new one belongs to the process's user.

        Raises:
            OSError: as the kernel would.
        """
        if path in ("-", "/dev/stdout"):
            self._process.stdout.write(content)
            return
        if path == "/dev/null":
            return
        target = self._open(path, os.O_WRONLY)
        is_new = not target.exists()
        target.write_bytes(content)
        if is_new:
            target.chmod(mode)
            if self._process.user != "root":
                user = self._process.user
                self._machine.set_owner(self._disk.real(path), user, user)

    def exists(self, path: str) -> bool:
        """Tell whether there is anything at a path."""
        return self._disk.exists(path)

    def is_dir(self, path: str) -> bool:
        """Tell whether a path leads to a directory."""
        return self._disk.is_dir(path)

    def list(self, path: str) -> list[str]:
        """Return the names in a directory, sorted."""
        return self._disk.list(path)

    def _open(self, path: str, flags: int) -> Path:
        host = self._disk.host(path)
        may_open(self._machine, self._process.user, self._disk.real(path), host, flags)
        return host


def read_all(process: Process) -> bytes:
    """Return standard input to its end."""
    parts = []
    while part := process.stdin.read(65536):
        parts.append(part)
    return b"".join(parts)


def explain(error: OSError) -> str:
    """Return what C programs say of an error: "No such file or directory"."""
    return os.strerror(error.errno) if error.errno else str(error)
