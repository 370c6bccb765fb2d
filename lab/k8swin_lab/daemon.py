"""The process in which a lab runs: from ready to a signal, a stop request or the end of its folder."""

from __future__ import annotations

import concurrent.futures
import contextlib
import logging
import os
import queue
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from k8swin_lab import attending, disk_copy, freezing, namespaces, process_lock, snapshots
from k8swin_lab.control import ControlServer
from k8swin_lab.home import Home
from k8swin_lab.lab import Lab
from k8swin_lab.topology import MachineSpec

log = logging.getLogger(__name__)

_LOOK_INTERVAL = 0.5


def serve(
    home: Home,
    machines: Sequence[MachineSpec],
    *,
    python_bash: bool,
    ready: int | None,
    lock: int,
) -> int:
    """Run a lab until it shall end, and return the exit code.

    Args:
        home: its folder; the lab ends when the folder is gone.
        machines: who there is.
        python_bash: never use the host's bash.
        ready: descriptor that gets `ready` or the reason why not as one line; None: standard output.
        lock: descriptor of the folder's lock; snapshots and what is made of them keep it, too.
    """
    logging.basicConfig(
        stream=sys.stderr, level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    daemon = Daemon(Lab(home, machines, python_bash=python_bash), lock, stays=ready is None)
    try:
        daemon.lab.start()
    except Exception as error:
        log.exception("the lab did not start")
        _tell(ready, str(error))
        home.clear()
        return 1
    daemon.open()
    _tell(ready, "ready")
    return daemon.run()


class Daemon:
    """A lab's process: what it is asked, and its end.

    Args:
        lab: that is run.
        lock: descriptor of the lock of its folder.
        stays: whether this process stays until the lab ends, also when a copy has taken its place.
    """

    def __init__(self, lab: Lab, lock: int, *, stays: bool) -> None:
        self.lab = lab
        self._lock = lock
        self._stays = stays
        # No event: a signal may come while this thread holds the event's own lock, and would wait for itself.
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._held: dict[str, snapshots.Keeper] = {}
        self._control: ControlServer | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._tasks.put(None))
        lab.home.pid.write_text(f"{os.getpid()}\n")

    def open(self) -> None:
        """Take requests from now on."""
        self._control = ControlServer(self.lab.home.control, self._answer)

    def hold(self, folders: Iterable[Path]) -> None:
        """Keep snapshots alive that another process of this lab has taken."""
        for folder in folders:
            with contextlib.suppress(snapshots.SnapshotError):
                self._held[folder.name] = snapshots.hold(folder)

    def run(self) -> int:
        """Do what is asked until the end; returns the exit code."""
        home = self.lab.home
        identity = home.path.stat().st_ino
        while True:
            with contextlib.suppress(queue.Empty):
                task = self._tasks.get(timeout=_LOOK_INTERVAL)
                if task is None:
                    break
                task()
            try:
                if home.path.stat().st_ino != identity:
                    break
            except FileNotFoundError:
                break
        if self._control is not None:
            self._control.close()
        for name in list(self._held):
            snapshots.end(home.snapshots / name)
            self._held.pop(name).close()
        self.lab.stop()
        home.clear()
        return 0

    def _answer(self, request: dict[str, Any]) -> dict[str, Any] | None:
        lab, command = self.lab, request.get("command")
        if command == "stop":
            self._tasks.put(None)
        elif command == "fault":
            lab.fault(request["machine"], request["name"], request.get("value"))
        elif command == "site":
            lab.site(request["machine"], request["names"])
        elif command == "lacking":
            return {name: machine.lacking for name, machine in lab.machines.items()}
        elif command == "snapshot":
            self._in_main(lambda: self._snapshot(request["name"]))
        elif command == "restore":
            self._in_main(lambda: self._restore(request["name"]))
        elif command == "snapshots":
            found = snapshots.listed(lab.home)
            return {"snapshots": [{"name": one.name, "taken": one.taken} for one in found]}
        else:
            raise ValueError(f"unknown command {command!r}")
        return None

    def _in_main(self, work: Callable[[], None]) -> None:
        """Do something in the thread that forks; raises what it raises."""
        done: concurrent.futures.Future[None] = concurrent.futures.Future()

        def task() -> None:
            try:
                work()
                done.set_result(None)
            except Exception as error:
                done.set_exception(error)

        self._tasks.put(task)
        done.result()

    def _snapshot(self, name: str) -> None:
        held = freezing.take(self.lab, name, self._go, {self._lock})
        if name in self._held:
            self._held.pop(name).close()
        self._held[name] = held

    def _restore(self, name: str) -> None:
        folder = snapshots.find(self.lab.home, name).folder
        held = {keeper.fileno() for keeper in self._held.values()}
        client = self._control.asking if self._control is not None else None
        freezing.give_way(self.lab, folder, held, client, self._after)

    def _after(self) -> NoReturn:
        """End this process, or stay beside the lab that has taken its place until that has ended."""
        if self._stays:
            attending.become(self.lab.home)
        os._exit(0)

    def _go(self, thawing: freezing.Thawing) -> int:
        """Be a copy of the lab: in its place, or in another folder."""
        request, image = thawing.request, thawing.image
        namespaces.enter(request.get("namespaces"))
        former, home = self.lab.home, Home(Path(request["home"]))
        source = Path(request["snapshot"])
        if not request.get("place"):
            self._lock = _settle(home, source, self._lock)
        fresh = home.path / ".machines.new"
        try:
            disk_copy.remove(fresh)
            disk_copy.copy(source / "machines", fresh)
            if request.get("place"):
                thawing.said({"copied": "yes"})
                thawing.heard()
        except OSError:
            disk_copy.remove(fresh)
            raise
        old = home.path / ".machines.old"
        disk_copy.remove(old)
        if home.machines.exists():
            home.machines.rename(old)
        fresh.rename(home.machines)
        home.kubeconfig.unlink(missing_ok=True)
        self.lab.home = home
        copy = Daemon(self.lab, self._lock, stays=False)
        copy.lab.go_on(home, image.lasting, image.slept())
        if request.get("place"):
            copy.hold(one.folder for one in snapshots.listed(former))
        copy.open()
        thawing.said({"done": "yes", "pid": os.getpid()})
        disk_copy.remove(old)
        return copy.run()


def _settle(home: Home, source: Path, lock: int) -> int:
    """Make another folder a lab's: its secrets, its log, its lock; returns the descriptor of the lock."""
    home.create()
    os.close(lock)
    taken = process_lock.take(home.lock)
    if taken is None:
        raise snapshots.SnapshotError(
            f"a lab runs in {home.path}; stop it first: k8swin lab down --home {home.path}"
        )
    home.clear()
    for path in source.iterdir():
        if path.name in ("machines", "about.json", "keeper"):
            continue
        target = home.path / path.name
        disk_copy.remove(target)
        if path.is_dir():
            shutil.copytree(path, target)
        else:
            shutil.copy2(path, target)
    with home.log.open("ab") as log_file:
        os.dup2(log_file.fileno(), 1)
        os.dup2(log_file.fileno(), 2)
    return taken


def _tell(ready: int | None, text: str) -> None:
    line = " ".join(text.splitlines()) + "\n"
    if ready is None:
        sys.stdout.write(line)
        sys.stdout.flush()
        return
    # The starter may have given up already.
    with contextlib.suppress(OSError):
        os.write(ready, line.encode())
        os.close(ready)
