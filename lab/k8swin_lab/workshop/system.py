"""What the kernel offers to keep seats apart, as Python 3.11 does not have it: namespaces, mounts, what ends with whom."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import struct
from pathlib import Path

NEW_MOUNTS = 0x00020000
NEW_NAME = 0x04000000
NEW_IPC = 0x08000000
NEW_USERS = 0x10000000
NEW_PROCESSES = 0x20000000
NEW_NETWORK = 0x40000000

_BIND = 4096
_REC = 16384
_PRIVATE = 1 << 18
_NOSUID, _NODEV = 2, 4
_DETACH = 2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_PR_SET_NO_NEW_PRIVS, _PR_SET_CHILD_SUBREAPER = 38, 36
_SYS_MOUNT_SETATTR = 442
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91, "riscv64": 91, "ppc64le": 184, "s390x": 185}
_AT_RECURSIVE = 0x8000
_RDONLY_ATTRIBUTE, _NOSUID_ATTRIBUTE, _NODEV_ATTRIBUTE = 1, 2, 4
_CAPABILITY_VERSION = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class NotSeparable(Exception):
    """The system does not let seats be kept apart; the text says why and what to do."""


def _checked(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave namespaces for new ones."""
    _checked(_libc.unshare(flags), "unshare")


def enter(path: str) -> None:
    """Enter the namespace that a file such as `/proc/7/ns/net` stands for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(_libc.setns(descriptor, 0), f"setns {path}")
    finally:
        os.close(descriptor)


def be_the_same_user(user: int, group: int, inside: int) -> None:
    """Give the one user and group of a new user namespace their numbers."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inside} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{inside} {group} 1")


def end_with_parent(parent: int) -> None:
    """Let this process be killed when its parent ends; `parent` is its number as seen from here, 0 of another world.

    A change of the user takes that back: it is asked for after.
    """
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        os._exit(1)


def lock_away() -> None:
    """Let no other process of the same user look into this one."""
    _checked(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl")


def let_be_seen() -> None:
    """Take back `lock_away` for a program that is started from here."""
    _checked(_libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl")


def adopt_orphans() -> None:
    """Become the parent of those whose parent ended, among all that come from here."""
    _checked(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def gain_nothing() -> None:
    """Let no program that is started from here have more rights than this one, whatever its file says."""
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def drop_capabilities() -> None:
    """Give up all that a process can do beyond its user."""
    header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
    number = _number(_SYS_CAPSET)
    _checked(_libc.syscall(number, header, struct.pack("6I", *([0] * 6))), "capset")


def raise_loopback() -> None:
    """Switch on the loopback of this network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        asked = struct.pack("16sh14x", b"lo", 0x1 | 0x40)
        fcntl.ioctl(probe, 0x8914, asked)  # SIOCSIFFLAGS: up, running


def private_mounts() -> None:
    """Let no mount from here be seen elsewhere."""
    _checked(_libc.mount(None, b"/", None, _REC | _PRIVATE, None), "mount --make-rprivate")


def bind(source: Path, target: Path, *, writable: bool = False, devices: bool = False) -> None:
    """Show a file or folder at another place, read-only unless said otherwise."""
    _checked(
        _libc.mount(os.fsencode(source), os.fsencode(target), None, _BIND | _REC, None),
        f"mount --bind {source}",
    )
    attributes = _NOSUID_ATTRIBUTE
    if not writable:
        attributes |= _RDONLY_ATTRIBUTE
    if not devices:
        attributes |= _NODEV_ATTRIBUTE
    wanted = struct.pack("QQQQ", attributes, 0, 0, 0)
    _checked(
        _libc.syscall(
            _SYS_MOUNT_SETATTR, -100, os.fsencode(target), _AT_RECURSIVE, wanted, len(wanted)
        ),
        f"mount_setattr {target}",
    )


def mount(kind: str, target: Path, options: str = "") -> None:
    """Mount a file system of the kernel's own: tmpfs, proc or devpts."""
    flags = _NOSUID | (_NODEV if kind != "devpts" else 0)
    _checked(
        _libc.mount(kind.encode(), os.fsencode(target), kind.encode(), flags, options.encode()),
        f"mount -t {kind} {target}",
    )


def make_root(folder: Path) -> None:
    """Let a folder be the root of all paths, and what was there before be gone."""
    os.chdir(folder)
    _checked(_libc.syscall(_number(_SYS_PIVOT_ROOT), b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", _DETACH), "umount")
    os.chdir("/")


def _number(numbers: dict[str, int]) -> int:
    machine = os.uname().machine
    if machine not in numbers:
        raise NotSeparable(f"seats cannot be kept apart on {machine}; known: {', '.join(numbers)}")
    return numbers[machine]
