"""A copy of a directory with machines' disks: whole, independent of the original, and quick."""

# Paths are text here: a thousand files are copied while a lab stands still.
# ruff: noqa: PTH101, PTH102, PTH115, PTH116, PTH118, PTH211

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

_FICLONE = 0x40049409
"""Linux' request to share a file's blocks until one side writes (btrfs, xfs)."""


def copy(source: Path, target: Path) -> None:
    """Copy a directory to a path where nothing is yet: links, modes and times as they are; sockets are left out.

    Files that are one file by hard links stay one, and none of them is shared with the original.

    Raises:
        OSError: of the first file that cannot be copied; what was copied stays.
    """
    _Copy().directory(os.fspath(source), os.fspath(target))


def remove(path: Path) -> None:
    """Remove a directory if it is there, also what its owner may not write."""

    def unlock(function: object, name: str, _: object) -> None:
        with contextlib.suppress(OSError):
            Path(name).parent.chmod(0o700)
            Path(name).chmod(0o700) if Path(name).is_dir() else None
            shutil.rmtree(name) if Path(name).is_dir() else Path(name).unlink()

    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path, onerror=unlock)


class _Copy:
    def __init__(self) -> None:
        self._linked: dict[tuple[int, int], str] = {}

    def directory(self, source: str, target: str) -> None:
        status = os.stat(source)
        os.mkdir(target, 0o700)
        with _opened_up(source, status, 0o700), os.scandir(source) as entries:
            for entry in entries:
                self._entry(entry, os.path.join(target, entry.name))
        self._finish(target, status)

    def _entry(self, entry: os.DirEntry[str], target: str) -> None:
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            self.directory(entry.path, target)
        elif stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(entry.path), target)
            os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)
        elif stat.S_ISFIFO(status.st_mode):
            os.mkfifo(target)
            self._finish(target, status)
        elif stat.S_ISREG(status.st_mode):
            known = self._linked.get((status.st_dev, status.st_ino))
            if known is not None:
                os.link(known, target)
                return
            if status.st_nlink > 1:
                self._linked[status.st_dev, status.st_ino] = target
            with _opened_up(entry.path, status, 0o600):
                _content(entry.path, target, status.st_size)
            self._finish(target, status)

    @staticmethod
    def _finish(target: str, status: os.stat_result) -> None:
        if os.geteuid() == 0:
            os.chown(target, status.st_uid, status.st_gid)
        os.chmod(target, stat.S_IMODE(status.st_mode))
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


@contextlib.contextmanager
def _opened_up(path: str, status: os.stat_result, needed: int) -> Iterator[None]:
    """Let the owner read what a machine's user has closed to himself (root is not asked)."""
    closed = os.geteuid() != 0 and status.st_mode & needed & 0o500 != needed & 0o500
    if closed:
        os.chmod(path, stat.S_IMODE(status.st_mode) | needed)
    try:
        yield
    finally:
        if closed:
            os.chmod(path, stat.S_IMODE(status.st_mode))


def _content(source: str, target: str, size: int) -> None:
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if size and not _shared(reading, writing):
                at = 0
                while sent := os.sendfile(writing, reading, at, 1 << 24):
                    at += sent
        finally:
            os.close(writing)
    finally:
        os.close(reading)


_shares = [True]
"""Whether sharing blocks may still work here; the first refusal of a file system is remembered."""


def _shared(reading: int, writing: int) -> bool:
    if not _shares[0]:
        return False
    try:
        fcntl.ioctl(writing, _FICLONE, reading)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL):
            _shares[0] = False
        return False
    return True
