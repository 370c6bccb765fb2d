"""Starts one command in a private root; a program of its own, run as `python -I -S launch.py`.

It takes a process of its own because namespaces belong to a process and the lab's has many threads.
Standard library only, and everything is imported before the root changes. It is little: a program is
started for each command, and most of its time went into imports. The request is marshalled on a pipe;
the exit code goes back as text on a second one. A third pipe is the life line: when its other end
closes, whether by cancelling or by the end of the lab, everything in the private root ends.
"""

# pathlib takes longer to come than all of this does.
# ruff: noqa: PTH102, PTH110, PTH123, PTH211
from __future__ import annotations

import ctypes
import marshal
import os
import select
import sys
import warnings  # noqa: F401 - os.execvpe wants it, after the root has changed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KILL, _PIPE, _TOO_LARGE, _DEFAULT = 9, 13, 25, None
"""Signals of Linux, and what is done about them unless somebody says otherwise; see signal(7)."""
_NEWNS, _NEWUTS, _NEWIPC = 0x00020000, 0x04000000, 0x08000000
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT = 1, 2, 4, 8, 32
_BIND, _REC, _PRIVATE = 4096, 16384, 1 << 18
_DETACH = 2
_SET_DEATH_SIGNAL = 1
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    result = _libc.mount(
        source.encode(),
        target.encode(),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    _check(result, f"mount {source} on {target}")


def _bind(source: str, target: str, *, read_only: bool = False) -> None:
    _mount(source, target, flags=_BIND | _REC)
    if read_only:
        # Flags of the original mount are locked in a user namespace and have to be named again.
        kept = os.statvfs(target).f_flag & (_NOSUID | _NODEV | _NOEXEC)
        _mount("none", target, flags=_BIND | _REMOUNT | _RDONLY | kept)


def _map_identity(inside: int, outside_user: int, outside_group: int) -> None:
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside} {outside_user} 1"),
        ("gid_map", f"{inside} {outside_group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _make_devices(root: str) -> None:
    dev = f"{root}/dev"
    _mount("tmpfs", dev, "tmpfs", _NOSUID | _NOEXEC, "mode=755,size=64k")
    for name in _DEVICES:
        os.close(os.open(f"{dev}/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
        _mount(f"/dev/{name}", f"{dev}/{name}", flags=_BIND)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"{dev}/{name}")
    os.mkdir(f"{dev}/shm")
    _mount("tmpfs", f"{dev}/shm", "tmpfs", _NOSUID | _NODEV, "mode=1777,size=16m")


def _make_root(request: dict[str, Any]) -> None:
    root = request["root"]
    _mount("none", "/", flags=_REC | _PRIVATE)
    _mount(root, root, flags=_BIND)
    for source, target, read_only in request["binds"]:
        _bind(source, root + target, read_only=read_only)
    _make_devices(root)
    _mount("proc", f"{root}/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    for source, target in request["proc"]:
        if os.path.exists(root + target):
            _mount(root + source, root + target, flags=_BIND)
    os.chdir(root)
    _check(_libc.syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", _DETACH), "umount the host's root")
    os.chdir("/")
    _check(_libc.sethostname(request["name"].encode(), len(request["name"].encode())), "hostname")


def _run_command(request: dict[str, Any]) -> None:
    """Become the command; comes back only by an exception."""
    os.setsid()
    os.umask(request["umask"])
    try:
        os.chdir(request["cwd"])
    except OSError:
        os.chdir("/")
    if request["uid"]:
        _check(_libc.unshare(_NEWUSER), "unshare the user namespace")
        _map_identity(request["uid"], 0, 0)
    for number in (_PIPE, _TOO_LARGE):  # Python ignores them
        _libc.signal(number, _DEFAULT)
    os.execvpe(request["argv"][0], request["argv"], request["env"])  # noqa: S606 - that is the task


def _first_process(request: dict[str, Any], status: int) -> None:
    """Be process 1 of the private root: build it, start the command, reap what it leaves."""
    _check(_libc.prctl(_SET_DEATH_SIGNAL, _KILL), "prctl")
    _make_root(request)
    command = os.fork()
    if not command:
        os.close(status)
        try:
            _run_command(request)
        except FileNotFoundError:
            os.write(2, f"{request['argv'][0]}: command not found\n".encode())
            os._exit(127)
        except OSError as error:
            os.write(2, f"{request['argv'][0]}: {error.strerror}\n".encode())
            os._exit(126)
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    while True:
        try:
            ended, code = os.wait()
        except ChildProcessError:
            return
        if ended == command:
            result = os.waitstatus_to_exitcode(code)
            os.write(status, str(result if result >= 0 else 128 - result).encode())
            os.close(status)


def main() -> int:
    """Read the request, make the namespaces, and stay until everything in them has ended."""
    asked, status, life_line = (int(text) for text in sys.argv[1:4])
    with os.fdopen(asked, "rb") as pipe:
        request = marshal.loads(pipe.read())  # noqa: S302 - the lab itself wrote it
    user, group = os.getuid(), os.getgid()
    _check(
        _libc.unshare(_NEWUSER | _NEWNS | _NEWPID | _NEWUTS | _NEWIPC | _NEWNET),
        "unshare the namespaces",
    )
    _map_identity(0, user, group)
    first = os.fork()
    if not first:
        os.close(life_line)
        try:
            _first_process(request, status)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    os.close(status)
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    ended = os.pidfd_open(first)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(life_line, select.POLLIN | select.POLLHUP)
    if not any(descriptor == ended for descriptor, _ in poll.poll()):
        os.kill(first, _KILL)
    os.waitpid(first, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
