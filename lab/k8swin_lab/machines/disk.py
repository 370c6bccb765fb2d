"""Paths of a machine and the files behind them.

A machine's absolute links point into the machine, so every path is walked part by part and never
handed to the host as it is. /dev is the host's harmless devices; /proc and /sys are plain files that
the shell keeps in step with the machine.
"""

from __future__ import annotations

import errno
import functools
import os
from pathlib import Path

from k8swin_lab.machines.shell import LAB, ShellMachine

_DEVICES = frozenset(
    f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")
)


@functools.cache
def _real(root: Path) -> Path:
    """Return where a machine's root lies on the host: asked for each path, and the same as long as the lab runs."""
    return Path(os.path.realpath(root))


def _target(path: str) -> str | None:
    """Return where a link leads, None when it is no link; text, for it is asked for each part of each path."""
    try:
        return os.readlink(path)  # noqa: PTH115
    except OSError:
        return None


class Disk:
    """One machine's file system as a process with a working directory sees it."""

    def __init__(self, machine: ShellMachine, cwd: str) -> None:
        self.machine = machine
        self.cwd = cwd
        self._root = _real(machine.root)

    def absolute(self, path: str) -> str:
        """Return a path from the root on, with `.` and `..` left in."""
        return path if path.startswith("/") else f"{self.cwd.rstrip('/')}/{path}"

    def real(self, path: str, *, follow: bool = True) -> str:
        """Return the machine's path with all links followed; the last part need not exist.

        Raises:
            OSError: a part is no directory (ENOTDIR), missing (ENOENT) or a loop (ELOOP).
        """
        waiting = [part for part in self.absolute(path).split("/") if part][::-1]
        must_be_directory = path.endswith("/")
        done: list[str] = []
        root = os.fspath(self._root)
        hops = 0
        while waiting:
            part = waiting.pop()
            if part == ".":
                continue
            if part == "..":
                if done:
                    done.pop()
                continue
            here = "/".join((root, *done, part))
            target = _target(here) if waiting or follow or must_be_directory else None
            if target is not None:
                if target.startswith(LAB):
                    done.append(part)
                    continue
                hops += 1
                if hops > 40:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
                if target.startswith("/"):
                    done.clear()
                waiting.extend([piece for piece in target.split("/") if piece][::-1])
                continue
            if waiting and not os.path.isdir(here):  # noqa: PTH112
                number = errno.ENOTDIR if os.path.exists(here) else errno.ENOENT  # noqa: PTH110
                if any(piece not in (".", "..") for piece in waiting) or number == errno.ENOTDIR:
                    raise OSError(number, os.strerror(number), path)
            done.append(part)
        return "/" + "/".join(done)

    def host(self, path: str, *, follow: bool = True) -> Path:
        """Return the host's path of a file of the machine.

        Raises:
            OSError: as for `real`; ENOENT for an empty path.
        """
        if not path:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        real = self.real(path, follow=follow)
        if real in _DEVICES:
            return Path(real)
        return self._root.joinpath(real[1:])

    def exists(self, path: str, *, follow: bool = True) -> bool:
        """Tell whether there is anything at a path."""
        try:
            self.host(path, follow=follow).lstat()
        except OSError:
            return False
        return True

    def is_dir(self, path: str) -> bool:
        """Tell whether a path leads to a directory."""
        try:
            return self.host(path).is_dir()
        except OSError:
            return False

    def is_file(self, path: str) -> bool:
        """Tell whether a path leads to a regular file."""
        try:
            return self.host(path).is_file()
        except OSError:
            return False

    def list(self, path: str) -> list[str]:
        """Return the names in a directory, sorted as the C locale does, the lab's own left out."""
        names = sorted((one.name for one in self.host(path).iterdir()), key=os.fsencode)
        if self.real(path) == "/":
            names = [name for name in names if f"/{name}" != LAB]
        return names
