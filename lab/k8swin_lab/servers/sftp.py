"""SFTP and SCP over a Linux machine's disk: paths stay inside its root, owners are the machine's.

Files of the root all belong to the account that runs the lab; who owns them on the machine is asked
of the machine, and so is what a user may read or write.
"""

from __future__ import annotations

import os
import posixpath
import stat
from pathlib import Path
from typing import Any, Protocol

import asyncssh

_MAX_LINKS = 40
_WRITE = 2
_READ = 4


class SftpMachine(Protocol):
    """A machine with a disk."""

    name: str
    root: Path

    def owner_of(self, path: str) -> tuple[str, str]: ...

    def set_owner(self, path: str, user: str, group: str) -> None: ...


def inside(root: Path, path: str, *, follow: bool) -> str:
    """Return the machine's path with symbolic links resolved as the machine sees them.

    Args:
        root: the machine's root directory on this computer.
        path: absolute path inside the machine.
        follow: whether a link in the last place is followed too.

    Raises:
        OSError: too many links.
    """
    todo = [part for part in path.split("/") if part not in ("", ".")][::-1]
    done: list[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part == "..":
            done = done[:-1]
            continue
        real = root.joinpath(*done, part)
        if real.is_symlink() and (todo or follow):
            links += 1
            if links > _MAX_LINKS:
                raise OSError(40, "Too many levels of symbolic links", path)
            target = str(real.readlink())
            if target.startswith("/"):
                done = []
            todo.extend([part for part in target.split("/") if part not in ("", ".")][::-1])
            continue
        done.append(part)
    return "/" + "/".join(done)


class MachineFiles(asyncssh.SFTPServer):
    """The files of one machine for one logged-in user."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], machine: SftpMachine) -> None:
        super().__init__(channel)
        self._machine = machine
        self._user = str(channel.get_extra_info("username"))
        accounts = _table(machine.root / "etc/passwd", 7)
        groups = _table(machine.root / "etc/group", 4)
        self._uids = {fields[0]: int(fields[2]) for fields in accounts}
        self._gids = {fields[0]: int(fields[2]) for fields in groups}
        mine = next((fields for fields in accounts if fields[0] == self._user), None)
        self._home = mine[5] if mine else "/"
        self._groups = {
            fields[0]
            for fields in groups
            if self._user in fields[3].split(",") or (mine and fields[2] == mine[3])
        }

    def _inner(self, path: bytes, *, follow: bool) -> str:
        text = os.fsdecode(path)
        return inside(self._machine.root, posixpath.join(self._home, text), follow=follow)

    def _outer(self, inner: str) -> Path:
        return self._machine.root / inner.lstrip("/")

    def map_path(self, path: bytes) -> bytes:
        return os.fsencode(self._outer(self._inner(path, follow=False)))

    def _followed(self, path: bytes) -> bytes:
        """Return the path for the base class, which maps it again to the same file."""
        return os.fsencode(self._inner(path, follow=True))

    def _require(self, inner: str, bit: int) -> None:
        if self._user == "root":
            return
        mode = os.lstat(self._outer(inner)).st_mode
        owner, group = self._machine.owner_of(inner)
        shift = 6 if owner == self._user else 3 if group in self._groups else 0
        if not (mode >> shift) & bit:
            raise PermissionError(13, "Permission denied", inner)

    def _require_directory(self, path: bytes) -> str:
        """Require write permission on the directory that holds a path; return the path."""
        inner = self._inner(path, follow=False)
        self._require(posixpath.dirname(inner), _WRITE)
        return inner

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
        inner = self._inner(path, follow=True)
        writes = bool(pflags & (asyncssh.FXF_WRITE | asyncssh.FXF_APPEND))
        new = not self._outer(inner).exists()
        if not new:
            self._require(inner, _WRITE if writes else _READ)
        elif pflags & asyncssh.FXF_CREAT:
            self._require(posixpath.dirname(inner), _WRITE)
        if attrs.permissions is None:
            attrs.permissions = 0o644
        opened = super().open(os.fsencode(inner), pflags, attrs)
        if new:
            self._own(inner)
        return opened

    def _own(self, inner: str) -> None:
        mine = _table(self._machine.root / "etc/passwd", 7)
        gid = next((fields[3] for fields in mine if fields[0] == self._user), "0")
        group = next((name for name, number in self._gids.items() if str(number) == gid), gid)
        self._machine.set_owner(inner, self._user, group)

    def _attributes(self, inner: str) -> asyncssh.SFTPAttrs:
        attributes = asyncssh.SFTPAttrs.from_local(os.lstat(self._outer(inner)))
        owner, group = self._machine.owner_of(inner)
        attributes.uid = self._uids.get(owner, 0)
        attributes.gid = self._gids.get(group, 0)
        return attributes

    def stat(self, path: bytes) -> Any:
        return self._attributes(self._inner(path, follow=True))

    def lstat(self, path: bytes) -> Any:
        return self._attributes(self._inner(path, follow=False))

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        inner = self._inner(path, follow=True)
        owner, _ = self._machine.owner_of(inner)
        if self._user not in ("root", owner):
            raise PermissionError(1, "Operation not permitted", inner)
        if attrs.uid is not None and attrs.gid is not None:
            self._chown(inner, attrs.uid, attrs.gid)
        if attrs.permissions is not None:
            self._outer(inner).chmod(stat.S_IMODE(attrs.permissions))
        if attrs.size is not None:
            os.truncate(self._outer(inner), attrs.size)
        if attrs.atime is not None and attrs.mtime is not None:
            os.utime(self._outer(inner), (attrs.atime, attrs.mtime))

    def _chown(self, inner: str, uid: int, gid: int) -> None:
        user = next((name for name, number in self._uids.items() if number == uid), None)
        group = next((name for name, number in self._gids.items() if number == gid), None)
        if user is None or group is None:
            raise asyncssh.SFTPOpUnsupported("not simulated in the lab: an owner without a name")
        if self._user != "root" and (user != self._user or group not in self._groups):
            raise PermissionError(1, "Operation not permitted", inner)
        self._machine.set_owner(inner, user, group)

    def format_user(self, uid: int | None) -> str:
        return next((name for name, number in self._uids.items() if number == uid), str(uid))

    def format_group(self, gid: int | None) -> str:
        return next((name for name, number in self._gids.items() if number == gid), str(gid))

    def scandir(self, path: bytes) -> Any:
        inner = self._inner(path, follow=True)
        self._require(inner, _READ)
        return super().scandir(os.fsencode(inner))

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        inner = self._require_directory(path)
        mode = 0o755 if attrs.permissions is None else stat.S_IMODE(attrs.permissions)
        self._outer(inner).mkdir(mode)
        self._own(inner)

    def rmdir(self, path: bytes) -> None:
        self._outer(self._require_directory(path)).rmdir()

    def remove(self, path: bytes) -> None:
        self._outer(self._require_directory(path)).unlink()

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        if os.path.lexists(self._outer(self._inner(newpath, follow=False))):
            raise asyncssh.SFTPFailure("File exists")
        self.posix_rename(oldpath, newpath)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        old, new = self._require_directory(oldpath), self._require_directory(newpath)
        user, group = self._machine.owner_of(old)
        self._outer(old).replace(self._outer(new))
        self._machine.set_owner(new, user, group)

    def readlink(self, path: bytes) -> bytes:
        return os.fsencode(self._outer(self._inner(path, follow=False)).readlink())

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        inner = self._require_directory(newpath)
        self._outer(inner).symlink_to(os.fsdecode(oldpath))
        self._own(inner)

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        old, new = self._inner(oldpath, follow=True), self._require_directory(newpath)
        os.link(self._outer(old), self._outer(new))
        self._machine.set_owner(new, *self._machine.owner_of(old))

    def exit(self) -> None:
        # scp takes a subsystem that ends without an exit status for a failed copy.
        self.channel.exit(0)

    def realpath(self, path: bytes) -> bytes:
        return self._followed(path)

    def statvfs(self, path: bytes) -> Any:
        raise asyncssh.SFTPOpUnsupported("not simulated in the lab: the size of a file system")

    def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        raise asyncssh.SFTPOpUnsupported("not simulated in the lab: attributes of a symbolic link")

    def fstat(self, file_obj: object) -> Any:
        return self.stat(self._path_of(file_obj))

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        self.setstat(self._path_of(file_obj), attrs)

    def _path_of(self, file_obj: object) -> bytes:
        """Return an open file's path in the machine, by which its owner is recorded."""
        name = os.fsdecode(getattr(file_obj, "name", b""))
        return os.fsencode(name[len(os.fspath(self._machine.root)) :] or "/")


def _table(path: Path, width: int) -> list[list[str]]:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return []
    rows = [line.split(":") for line in lines]
    return [row for row in rows if len(row) == width and row[2].isdigit()]
