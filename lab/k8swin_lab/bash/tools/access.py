"""Who may do what: the kernel's answer, from the machine's own owners and modes."""

from __future__ import annotations

import errno
import os
from pathlib import Path, PurePosixPath

from k8swin_lab.machines.shell import ShellMachine, groups


def allowed(machine: ShellMachine, user: str, real: str, host: Path, wanted: int) -> bool:
    """Tell whether a user may read (4), write (2) or execute (1) a file or directory.

    Args:
        machine: whose file it is.
        user: who asks.
        real: the machine's path.
        host: the same file on the host, which holds the mode.
        wanted: permission bits.
    """
    try:
        mode = host.stat().st_mode
    except OSError:
        return False
    if user == "root":
        return not wanted & 1 or bool(mode & 0o111) or host.is_dir()
    if str(host).startswith("/dev/"):
        return True
    owner, group = machine.owner_of(real)
    if owner == user:
        granted = mode >> 6
    elif group == user or user in groups(machine).get(group, (0, []))[1]:
        granted = mode >> 3
    else:
        granted = mode
    return granted & wanted == wanted


def may_open(machine: ShellMachine, user: str, real: str, host: Path, flags: int) -> None:
    """Check that a user may open a file with these flags.

    Raises:
        PermissionError: as the kernel would.
    """
    if user == "root":
        return
    fault = PermissionError(errno.EACCES, os.strerror(errno.EACCES), real)
    for number, above in enumerate(PurePosixPath(real).parents):
        if not allowed(machine, user, str(above), host.parents[number], 1):
            raise fault
    mode = flags & os.O_ACCMODE
    wanted = {os.O_RDONLY: 4, os.O_WRONLY: 2}.get(mode, 6)
    if host.exists():
        if not allowed(machine, user, real, host, wanted):
            raise fault
    elif not allowed(machine, user, str(PurePosixPath(real).parent), host.parent, 2):
        raise fault


def may_change(machine: ShellMachine, user: str, real: str, host: Path) -> None:
    """Check that a user may add, rename or remove a name in the directory above.

    Raises:
        PermissionError: as the kernel would.
    """
    if user == "root":
        return
    above = str(PurePosixPath(real).parent)
    if not allowed(machine, user, above, host.parent, 3):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), real)
    if host.parent.stat().st_mode & 0o1000 and host.exists():
        owner, _ = machine.owner_of(real)
        if user not in (owner, machine.owner_of(above)[0]):
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), real)
