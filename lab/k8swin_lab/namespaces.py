"""Linux namespaces for a copy of a lab: a network of its own, or those of another process.

Python has `os.setns` and `os.unshare` from 3.12 on only; the C library has them everywhere.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KINDS = {"mnt": 0x00020000, "net": 0x40000000, "user": 0x10000000}
"""What can be entered, with the C library's flags."""

_SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8913, 0x8914
_UP = 0x1


class NamespaceError(Exception):
    """A namespace cannot be made or entered; the text says which and why."""


def enter(wanted: Mapping[str, Any] | None) -> None:
    """Bring this process, which has one thread, where its sockets shall be opened.

    Args:
        wanted: None or empty: stay. `{"network": "new"}`: a network without any way out, whose loopback is up; by an
            ordinary user in a user namespace of its own, in which the user is root. `{"of": PID, "kinds": ["net"]}`:
            the namespaces of another process, "user" first where it is among them.

    Raises:
        NamespaceError: this system has none, or it is not allowed.
    """
    if not wanted:
        return
    if sys.platform != "linux":
        raise NamespaceError(f"namespaces are a matter of Linux, this is {sys.platform}")
    if wanted.get("network") == "new":
        _new_network()
    elif "of" in wanted:
        _of(int(wanted["of"]), list(wanted.get("kinds") or ["net"]))
    else:
        raise NamespaceError(
            f'found {dict(wanted)}; expected {{"network": "new"}} or {{"of": PID, "kinds": [...]}}'
        )


def _new_network() -> None:
    user, group = os.geteuid(), os.getegid()
    try:
        _call("unshare", KINDS["net"], what="a network of its own")
    except NamespaceError:
        # Not root, or a root that was taken his capabilities, as in a container.
        _call("unshare", KINDS["net"] | KINDS["user"], what="a network of its own")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    loopback_up()


def _of(process: int, kinds: list[str]) -> None:
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise NamespaceError(
            f"unknown kind of namespace `{unknown[0]}`; known are {', '.join(KINDS)}"
        )
    opened: list[tuple[str, int]] = []
    try:
        # All are opened first: after the user namespace /proc may not be allowed any more.
        for kind in sorted(kinds, key=["user", "net", "mnt"].index):
            opened.append((kind, os.open(f"/proc/{process}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)))
        for kind, descriptor in opened:
            same = os.fstat(descriptor).st_ino == Path(f"/proc/self/ns/{kind}").stat().st_ino
            if not same:  # the kernel refuses one's own user namespace
                _call(
                    "setns",
                    descriptor,
                    KINDS[kind],
                    what=f"the {kind} namespace of process {process}",
                )
    except OSError as error:
        raise NamespaceError(f"the namespaces of process {process}: {error.strerror}") from error
    finally:
        for _, descriptor in opened:
            os.close(descriptor)


def _call(function: str, *arguments: int, what: str) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, function)(*arguments) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise NamespaceError(f"cannot have {what}: {reason}")


def loopback_up() -> None:
    """Switch the loopback interface of this network on: a new one begins without."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _UP))
