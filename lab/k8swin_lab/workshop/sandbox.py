"""A world of its own for the processes of a seat: what they see of the computer, and what they may take of it.

A seat has one network, in which its lab and its desk meet. Both have a root, a /tmp and processes of their own: the
trainee sees neither the lab's files nor its process, and nothing of another seat.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from k8swin_lab.workshop import system

HOME = Path("/home/trainee")
"""The trainee's home, in every seat."""

WORK = HOME / "work"
"""The project on which a trainee works, in every seat."""

USER = "trainee"

USER_NUMBER = 1000
"""Who a trainee is, where an ordinary user started the workshop and is behind all of them."""

PROGRAMS = Path("/programs")
"""Where programs are seen that are not among the system's."""

_FOR_TRAINEES = ("kubectl",)
_SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_OF_A_CHECKOUT = ("k8swin_nb", "k8swin_lab", "notebooks", "params")
_FORBIDDEN = """{why}
- in a container: start it with `--privileged`, or with `--cap-add SYS_ADMIN --security-opt seccomp=unconfined
  --security-opt apparmor=unconfined --security-opt systempaths=unconfined`
- Ubuntu 24.04 and later, as an ordinary user: start the workshop as root (the seats are not), or
  `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`
- elsewhere: `sysctl user.max_user_namespaces` and `kernel.unprivileged_userns_clone` are to be above 0
or `k8swin workshop up --shared`: seats have folders, networks and tokens of their own, and are not kept apart further"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one seat may take; 0 is no limit."""

    disk: int = 0
    memory: int = 0
    processes: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """What processes of a seat see beside the system and Python.

    Args:
        writable: Folders of the computer by the path at which they are seen, to be written.
        readable: The same, to be read.
        hidden: Paths that are not to be seen although a folder above is.
    """

    writable: dict[Path, Path] = field(default_factory=dict)
    readable: dict[Path, Path] = field(default_factory=dict)
    hidden: tuple[Path, ...] = ()


def python_folders(hidden: Path) -> list[Path]:
    """Return the folders that Python and what is installed in it need.

    Args:
        hidden: A workshop's folder; a folder of modules that holds it is not shown whole.
    """
    found = [Path(sys.prefix), Path(sys.base_prefix)]
    for name in ("python", "python3"):
        link = Path(sys.prefix, "bin", name)
        while link.is_symlink():
            link = link.parent / link.readlink()
            found.append(link.parent.parent if link.parent.name == "bin" else link.parent)
    for entry in map(Path, filter(None, sys.path)):
        if not entry.is_dir() or any(entry.is_relative_to(known) for known in found):
            continue
        ours = [entry / name for name in _OF_A_CHECKOUT if (entry / name).is_dir()]
        found += ours or ([] if hidden.is_relative_to(entry) else [entry])
    kept: list[Path] = []
    for folder in found:
        if not folder.is_relative_to("/usr") and folder not in kept and folder != Path("/"):
            kept.append(folder)
    return sorted(kept, key=lambda folder: len(folder.parts))


def reason_against() -> str:
    """Return why seats cannot be kept apart on this computer and what to do; nothing when they can.

    All that a seat needs is tried, in a process of its own.
    """
    if sys.platform != "linux":
        return f"seats are kept apart by Linux's namespaces, and this is {sys.platform}"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            user = os.geteuid() and USER_NUMBER
            own_users()
            new_network()
            os._exit(run_apart(View(), Path(tempfile.gettempdir()), user, lambda: 0))
        except BaseException as error:
            os.write(writing, str(error).encode())
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        why = pipe.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    if status == 0 and not why:
        return ""
    return _FORBIDDEN.format(why=f"this system does not let seats be kept apart: {why or status}")


def new_network() -> None:
    """Leave the computer's network for one that has a loopback and nothing else.

    An ordinary user is in a namespace of users before, in which that is his to do: `own_users`.
    """
    system.unshare(system.NEW_NETWORK)
    system.raise_loopback()


def own_users() -> None:
    """Let an ordinary user be allowed, among what he makes himself, what is root's elsewhere; root needs nothing."""
    if user := os.geteuid():
        group = os.getegid()
        system.unshare(system.NEW_USERS)
        system.be_the_same_user(user, group, USER_NUMBER)


def run_apart(view: View, place: Path, user: int, then: Callable[[], int]) -> int:
    """Run a function as the first process of a world of its own, and return its exit code when all of that has ended.

    Args:
        view: What is seen there.
        place: A folder of the computer on which the new root is put together; nothing is written into it.
        user: Who the function runs as.
        then: The function. It ends with this process, and everything that it started ends with it.
    """
    system.unshare(system.NEW_MOUNTS | system.NEW_PROCESSES | system.NEW_IPC | system.NEW_NAME)
    first = os.fork()
    if first:
        # The end of the first process is the end of all others there, and waited for until they are gone.
        signal.signal(signal.SIGTERM, lambda *_: os.kill(first, signal.SIGKILL))
        _, status = os.waitpid(first, 0)
        return os.waitstatus_to_exitcode(status)
    code = 1
    try:
        _see(view, place, user)
        _become(user)
        code = then()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _become(user: int) -> None:
    """Be an ordinary user from here on, and end with who started this."""
    if os.geteuid() == 0 and user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    elif os.geteuid():
        # Processes of one user are counted together; those of a namespace for themselves.
        system.unshare(system.NEW_USERS)
        system.be_the_same_user(USER_NUMBER, USER_NUMBER, USER_NUMBER)
    system.gain_nothing()
    system.drop_capabilities()
    system.lock_away()
    system.end_with_parent(0)


def see_alone(view: View, place: Path, user: int) -> None:
    """Let this process, among the computer's processes as before, see nothing but a view."""
    system.unshare(system.NEW_MOUNTS)
    _see(view, place, user, own_processes=False)


def _see(view: View, place: Path, user: int, *, own_processes: bool = True) -> None:
    system.private_mounts()
    system.mount("tmpfs", place, "mode=0755,size=16m")
    for name in _SYSTEM:
        source, target = Path("/", name), place / name
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_dir():
            target.mkdir()
            system.bind(source, target)
    _users(place, user)
    _small_folders(place, user, own_processes=own_processes)
    for target, source in view.readable.items():
        _show(place, target, source, writable=False)
    for target, source in view.writable.items():
        _show(place, target, source, writable=True)
    for path in view.hidden:
        inside = place / path.relative_to("/")
        if inside.is_dir():
            system.mount("tmpfs", inside, "mode=0555,size=4k")
    system.make_root(place)


def _users(place: Path, user: int) -> None:
    """Let programs that ask for the user's name find one."""
    text = f"root:x:0:0:root:/root:/usr/sbin/nologin\n{USER}:x:{user}:{user}::{HOME}:/bin/bash\n"
    for name, content in (("passwd", text), ("group", f"root:x:0:\n{USER}:x:{user}:\n")):
        if (place / "etc" / name).exists():
            (place / f".{name}").write_text(content)
            system.bind(place / f".{name}", place / "etc" / name)
    hosts = place / ".hosts"
    hosts.write_text("127.0.0.1 localhost\n::1 localhost\n")
    if (place / "etc/hosts").exists():
        system.bind(hosts, place / "etc/hosts")


def _small_folders(place: Path, user: int, *, own_processes: bool) -> None:
    """Make /proc, /dev, and what can be written and is gone when the seat ends."""
    for name in ("proc", "dev", "tmp", "run", "var", "root", "home"):
        (place / name).mkdir(exist_ok=True)
    if own_processes:
        system.mount("proc", place / "proc")
    else:
        system.bind(Path("/proc"), place / "proc", writable=True)
    for name in _DEVICES:
        if Path("/dev", name).exists():
            (place / "dev" / name).touch()
            system.bind(Path("/dev", name), place / "dev" / name, writable=True, devices=True)
    for name in ("pts", "shm"):
        (place / "dev" / name).mkdir()
    system.mount("devpts", place / "dev/pts", "newinstance,ptmxmode=0666,mode=0620")
    (place / "dev/ptmx").symlink_to("pts/ptmx")
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1")):
        (place / "dev" / name).symlink_to(target)
    (place / "dev/stderr").symlink_to("fd/2")
    system.mount("tmpfs", place / "dev/shm", "mode=1777,size=32m")
    system.mount("tmpfs", place / "tmp", "mode=1777,size=128m")
    system.mount("tmpfs", place / "run", "mode=0755,size=4m")
    (place / "var/tmp").symlink_to("../tmp")
    home = place / HOME.relative_to("/")
    home.mkdir(parents=True)
    system.mount("tmpfs", home, f"mode=0700,size=32m,uid={user},gid={user}")


def _show(place: Path, target: Path, source: Path, *, writable: bool) -> None:
    inside = place / target.relative_to("/")
    if not source.exists():
        return
    if source.is_dir():
        inside.mkdir(parents=True, exist_ok=True)
    elif not inside.exists():
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.touch()
    system.bind(source, inside, writable=writable)


def programs() -> dict[Path, Path]:
    """Return programs for trainees that this computer has elsewhere than among the system's, by where they are seen."""
    found = {}
    for name in _FOR_TRAINEES:
        path = Path(shutil.which(name) or "").resolve()
        if path.is_file() and not path.is_relative_to("/usr"):
            found[PROGRAMS / name] = path
    return found


def environment(extra: dict[str, str]) -> dict[str, str]:
    """Return the environment of a seat's processes: nothing of who started the workshop but where Python finds modules."""
    folders = [str(Path(sys.executable).parent), str(Path(sys.prefix, "bin"))]
    path = os.pathsep.join(
        dict.fromkeys([*folders, "/usr/local/bin", "/usr/bin", "/bin", str(PROGRAMS)])
    )
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ") if name in os.environ}
    modules = module_path()
    return {
        "PATH": path,
        "LANG": "C.UTF-8",
        **kept,
        "SHELL": shutil.which("bash") or "/bin/sh",
        "TERM": "xterm-256color",
        "PYTHONDONTWRITEBYTECODE": "1",
        **({"PYTHONPATH": modules} if modules else {}),
        **extra,
    }


def module_path() -> str:
    """Return what PYTHONPATH of a seat is: that of this process, and where the lab's own package is."""
    here = str(Path(__file__).resolve().parents[2])
    given = [text for text in os.environ.get("PYTHONPATH", "").split(os.pathsep) if text]
    installed = Path(here).name in ("site-packages", "dist-packages")
    return os.pathsep.join(dict.fromkeys([*given, *(() if installed else (here,))]))


def limit(limits: Limits) -> None:
    """Bound what each process from here on may take; what all of them take together is watched by the seat."""
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 4096),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_FSIZE, limits.disk),
        (resource.RLIMIT_DATA, limits.memory),
    ):
        if not value and kind != resource.RLIMIT_CORE:
            continue
        _, most = resource.getrlimit(kind)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))


def descendants(process: int) -> Iterable[int]:
    """Return the processes that come from one, as /proc tells."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except OSError:
                continue
            children.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found: list[int] = []
    waiting: Sequence[int] = [process]
    while waiting:
        waiting = [child for one in waiting for child in children.get(one, ())]
        found += waiting
    return found
