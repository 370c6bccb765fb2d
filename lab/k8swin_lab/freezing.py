"""Snapshots from the lab's side: the lab comes to rest and forks a keeper, and the keeper forks copies of the lab.

Fork, because a lab is objects: closures, threads and real TLS contexts that no pickle takes, all of which a fork shares page
by page until one side writes. What a fork does not have is threads. So it is made at a moment when every other thread waits
(`lasting.Lasting` says which may be there at all), and a copy makes them anew. Nobody holds a lock across such a wait; those
that a thread had just got back in it are made free again.

The keeper is never run as a lab: it replaces the descriptors that it got by /dev/null, keeps a copy of the disks, and
waits. Time in a copy goes on with the clock: certificates and tokens age in a freezer, as those of a virtual machine do. What
counts seconds that pass inside (cut networks, delays, signs of life of nodes) is moved by the time that was slept.
"""

from __future__ import annotations

import concurrent.futures.thread
import contextlib
import ctypes
import gc
import json
import logging
import os
import select
import selectors
import shutil
import signal
import socket
import stat
import struct
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from k8swin_lab import disk_copy, snapshots
from k8swin_lab.lab import Lab
from k8swin_lab.lasting import Lasting
from k8swin_lab.snapshots import SnapshotError
from k8swin_lab.socket_paths import within_length

log = logging.getLogger(__name__)

_REST_SECONDS = 5.0
_KEEPER_SECONDS = 30
_UNHELD_SECONDS = 60.0
_LONG = 1000.0
_LARGEST = 65536
_RESTS = {
    (threading.__file__, "wait"),
    (threading.__file__, "join"),
    (threading.__file__, "_wait_for_tstate_lock"),
    (socket.__file__, "accept"),
}
"""Functions in which a thread that lasts may be found."""

_ABOUT_TO_REST = _RESTS | {(selectors.__file__, "select")}
"""The same, before the servers' loop is held still."""


@dataclass(slots=True)
class Image:
    """A lab as it was frozen."""

    lab: Lab
    lasting: list[Lasting]
    locks: list[Any]
    clock: float
    monotonic: float
    kept: set[int] = field(default_factory=set)
    """Descriptors that copies go on with."""

    def slept(self) -> float:
        """For how long it was frozen, in seconds."""
        return max(0.0, time.monotonic() - self.monotonic)


@dataclass(slots=True)
class Thawing:
    """What a copy of the lab is to be; `said` answers whoever asked for it."""

    image: Image
    request: dict[str, Any]
    said: Callable[[dict[str, Any]], None]
    heard: Callable[[], dict[str, Any]]


Go = Callable[[Thawing], int]
"""Is a copy of the lab, in a process of its own, and returns its exit code."""


def take(lab: Lab, name: str, go: Go, kept: set[int]) -> snapshots.Keeper:
    """Take a snapshot of a running lab; one of the same name is replaced. Belongs into the main thread.

    Args:
        lab: goes on afterwards; its connections stay.
        name: of the snapshot.
        go: is run in each copy.
        kept: descriptors that the keeper and the copies keep.

    Returns:
        The connection that holds the keeper.

    Raises:
        SnapshotError: the name, something that cannot be frozen, or what did not come to rest; the lab is as before.
    """
    home = lab.home
    final = home.snapshots / snapshots.named(name)
    outside = [spec.name for spec in lab.specs if spec.outside]
    if outside:
        raise SnapshotError(
            f"{', '.join(outside)}: a machine with `outside: true` talks to real hosts, whose state no snapshot keeps"
        )
    fresh = home.snapshots / f".{name}.new"
    disk_copy.remove(fresh)
    fresh.mkdir(parents=True, mode=0o700)
    try:
        for path in home.secrets():
            if path.is_dir():
                shutil.copytree(path, fresh / path.name)
            else:
                shutil.copy2(path, fresh / path.name)
        reading, writing = os.pipe()
        try:
            with _at_rest(lab) as image:
                image.kept = set(kept)
                with warnings.catch_warnings():
                    # From 3.12 on Python warns of a fork beside threads; what they may hold is what `_at_rest` looks at.
                    warnings.simplefilter("ignore", DeprecationWarning)
                    pid = os.fork()
                if pid == 0:
                    _keep(image, fresh, name, writing, go)
                os.close(writing)
                writing = -1
                answer = _read_still(reading)
        finally:
            os.close(reading)
            if writing >= 0:
                os.close(writing)
        if answer != "ok":
            os.waitpid(pid, 0)
            raise SnapshotError(
                f"the snapshot `{name}` was not taken: {answer or 'its keeper ended; see lab.log'}"
            )
        snapshots.end(final)
        disk_copy.remove(final)
        fresh.rename(final)
        return snapshots.hold(final)
    except BaseException:
        disk_copy.remove(fresh)
        raise


@contextlib.contextmanager
def _at_rest(lab: Lab) -> Iterator[Image]:
    """Wait until nothing runs in the lab; as long as nobody gives way, nothing begins to.

    Raises:
        SnapshotError: something went on; names it.
    """
    locks = _locks()
    until = time.monotonic() + _REST_SECONDS
    interval = sys.getswitchinterval()
    while True:
        running = _running(_ABOUT_TO_REST)
        if not running:
            release = lab.park()
            sys.setswitchinterval(_LONG)
            try:
                # A thread that wakes up now goes on until it waits again: then this one looks.
                for _ in range(25):
                    running = _running(_RESTS)
                    if not running:
                        lasting = [t for t in threading.enumerate() if isinstance(t, Lasting)]
                        yield Image(lab, lasting, locks, time.time(), time.monotonic())
                        return
                    time.sleep(0.002)
            finally:
                sys.setswitchinterval(interval)
                release()
        if time.monotonic() > until:
            raise SnapshotError(
                f"the lab does not come to rest within {_REST_SECONDS:g} seconds: {'; '.join(running[:5])}. "
                "Wait until it has ended, or stop it, and take the snapshot again"
            )
        time.sleep(0.02)


def _running(rests: set[tuple[str, str]]) -> list[str]:
    """Name what has to end before the lab can be frozen."""
    frames = sys._current_frames()
    found = []
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        if thread is threading.current_thread():
            continue
        code = frame.f_code if frame is not None else None
        place = (code.co_filename, code.co_name) if code is not None else None
        if place == (concurrent.futures.thread.__file__, "_worker"):
            continue
        if not isinstance(thread, Lasting):
            found.append(thread.name)
        elif busy := thread.busy():
            found.append(busy)
        elif place not in rests:
            found.append(thread.name)
    return found


def _locks() -> list[Any]:
    """Find all locks that objects hold, and conditions, whose lists of waiting threads are as stale in a copy."""
    kinds = (type(threading.Lock()), type(threading.RLock()))
    found: dict[int, Any] = {}
    for known in gc.get_objects():
        if isinstance(known, threading.Condition | threading.Event):
            found[id(known)] = known
        for held in gc.get_referents(known):
            if isinstance(held, kinds):
                found[id(held)] = held
    return list(found.values())


def _read_still(descriptor: int, seconds: int = _KEEPER_SECONDS) -> str:
    """Read a line while no other thread of this process runs: the disk stays as it is until it was copied."""
    library = ctypes.PyDLL(None)  # unlike CDLL it keeps the interpreter to itself
    buffer = ctypes.create_string_buffer(4096)
    poll = (ctypes.c_int * 2)(descriptor, select.POLLIN)
    if library.poll(poll, 1, seconds * 1000) < 1:
        return json.dumps({"error": f"no answer within {seconds} seconds"})
    size = int(library.read(descriptor, buffer, len(buffer) - 1))
    return buffer.raw[: max(size, 0)].decode(errors="replace").strip()


def _write_still(descriptor: int, line: str) -> None:
    """Write a line in the same way; that nobody reads it is no error."""
    data = line.encode() + b"\n"
    ctypes.PyDLL(None).write(descriptor, data, len(data))


# --- the keeper


def _keep(image: Image, folder: Path, name: str, writing: int, go: Go) -> NoReturn:
    """Be a keeper, in the forked process; never returns."""
    code = 1
    try:
        gc.freeze()
        gc.disable()
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # copies that end leave nothing behind
        try:
            disk_copy.copy(image.lab.home.machines, folder / "machines")
            about = {"name": name, "taken": image.clock}
            (folder / "about.json").write_text(json.dumps(about) + "\n")
            listening = _listen(folder / "keeper")
        except OSError as error:
            os.write(writing, f"{error.filename or folder}: {error.strerror}".encode())
            os._exit(1)
        _let_go({0, 1, 2, writing, listening.fileno(), *image.kept})
        for lock in image.locks:
            lock._at_fork_reinit()
        os.write(writing, b"ok\n")
        os.close(writing)
        code = _Keeping(image, folder, listening, go).run()
    except BaseException:
        traceback.print_exc()
    os._exit(code)


def _listen(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    with within_length(path) as name:
        listening.bind(name)
    listening.listen(64)
    return listening


def _descriptors() -> list[int]:
    return [int(path.name) for path in Path("/dev/fd").iterdir()]


def _let_go(kept: set[int]) -> None:
    """Give up all descriptors but some. Their numbers stay taken: objects of before may still close them."""
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for number in _descriptors():
        if number not in kept and number != nothing:
            with contextlib.suppress(OSError):
                os.fstat(number)
                os.dup2(nothing, number, inheritable=False)
    os.close(nothing)


class _Keeping:
    def __init__(self, image: Image, folder: Path, listening: socket.socket, go: Go) -> None:
        self._image = image
        self._folder = folder
        self._listening = listening
        self._go = go
        self._holders: list[socket.socket] = []
        self._held = False

    def run(self) -> int:
        """Answer until nobody holds the snapshot any more; returns the exit code."""
        since = time.monotonic()
        while self._holders or (not self._held and time.monotonic() - since < _UNHELD_SECONDS):
            ready, _, _ = select.select([self._listening, *self._holders], [], [], _UNHELD_SECONDS)
            for holder in [one for one in ready if one is not self._listening]:
                self._holders.remove(holder)
                holder.close()
            if self._listening in ready:
                connection, _ = self._listening.accept()
                try:
                    if not self._answer(connection):
                        break
                except (OSError, ValueError) as error:
                    print(f"snapshot {self._folder.name}: {error}", file=sys.stderr, flush=True)  # noqa: T201
        disk_copy.remove(self._folder)
        return 0

    def _answer(self, connection: socket.socket) -> bool:
        """Do what one client asks; False when that is the end."""
        connection.settimeout(5.0)
        said = _Line(connection)
        request = said.read()
        command = request.get("command")
        if command == "hold":
            self._folder = Path(request["folder"])
            self._held = True
            said.write({"done": "yes"})
            self._holders.append(connection)
            return True
        with connection:
            if command == "end":
                said.write({"pid": os.getpid()})
                return False
            if command != "thaw":
                said.write({"error": f"unknown command {command!r}"})
                return True
            pid = os.fork()
            if pid == 0:
                self._listening.close()
                for holder in self._holders:
                    holder.close()
                _be_copy(self._image, request, said, self._go, self._folder)
        return True


class _Line:
    """JSON lines over a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""

    def read(self) -> dict[str, Any]:
        while b"\n" not in self._rest:
            part = self._connection.recv(_LARGEST)
            if not part:
                raise OSError("the connection ended")
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def write(self, what: dict[str, Any]) -> None:
        self._connection.sendall(json.dumps(what).encode() + b"\n")

    def unlimited(self) -> None:
        self._connection.settimeout(60.0)


def _be_copy(image: Image, request: dict[str, Any], said: _Line, go: Go, folder: Path) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        gc.enable()
        said.unlimited()
        code = go(Thawing(image, {**request, "snapshot": str(folder)}, said.write, said.read))
    except BaseException as error:
        traceback.print_exc()
        with contextlib.suppress(OSError):
            said.write({"error": str(error) or type(error).__name__})
    finally:
        with contextlib.suppress(Exception):
            logging.shutdown()
            sys.stderr.flush()
        os._exit(code)


# --- the lab that gives way


def give_way(
    lab: Lab,
    folder: Path,
    held: set[int],
    client: socket.socket | None,
    ended: Callable[[], NoReturn],
) -> NoReturn:
    """Let a copy of a snapshot take the place of this lab, and end this process once it answers.

    Args:
        lab: this lab; its connections are reset as by a power loss.
        folder: of the snapshot.
        held: descriptors of the connections that hold snapshots, until the copy holds them.
        client: gets the copy's answer as a line.
        ended: ends this process.

    Raises:
        SnapshotError: no copy could be made; the lab is as before.
    """
    with snapshots.connection(folder, 60.0) as keeper:
        keeper.ask({"command": "thaw", "home": str(lab.home.path), "place": True})
        lab.park()
        sys.setswitchinterval(_LONG)
        lab.abandon()
        kept = {0, 1, 2, keeper.fileno(), *held} | ({client.fileno()} if client else set())
        _reset_connections(kept)
        _let_go(kept)
        _write_still(keeper.fileno(), '{"command": "go"}')
        answer = _read_still(keeper.fileno(), 60)
        if client is not None:
            _write_still(client.fileno(), answer)
        ended()


def _reset_connections(kept: set[int]) -> None:
    for number in _descriptors():
        if number in kept:
            continue
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as connection:
                    if connection.family == socket.AF_INET:
                        connection.setsockopt(
                            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                        )
