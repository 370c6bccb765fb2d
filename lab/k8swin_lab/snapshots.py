"""Snapshots of a running lab, for whoever wants copies of it: the command line, and a workshop's supervisor.

A snapshot is a process, its keeper: a fork of the lab, made while nothing ran, that waits on a Unix socket in
`snapshots/NAME` of the lab's folder. Asked to `thaw`, it forks a copy of the lab, which opens its ports again. Keepers end
with the lab (`k8swin lab down`, a signal, the end of its folder), and with them all snapshots; a lab that was restored is
the same lab to them. A copy that was thawed into another folder is a lab of its own, and outlives both.

    from k8swin_lab import snapshots
    copy = snapshots.thaw(home, "built", into=Path("seats/seat-07/lab"), namespaces={"network": "new"})
    copy.pid        # enter its network: nsenter --target PID --net (an ordinary user: --user --preserve-credentials, too)
    ...
    control.ask(Home(Path("seats/seat-07/lab")).control, {"command": "stop"})   # or: k8swin lab down --home ...

All copies of a snapshot have the same addresses, keys, passwords and machines, which is why each needs a network namespace
of its own beside the others. Their folders may be anywhere: the paths of the machines' disks move with them, and the files
in a folder (`params.yaml`, `status.json`) name their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from k8swin_lab.home import Home
from k8swin_lab.socket_paths import within_length

_NAME = re.compile(r"[a-z0-9]([a-z0-9_.-]{0,38}[a-z0-9])?")
_TIMEOUT = 30.0
_LARGEST = 65536


class SnapshotError(Exception):
    """A snapshot cannot be taken, found or restored; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot of a lab."""

    name: str
    taken: float
    """When, in seconds since the epoch."""

    folder: Path


@dataclass(frozen=True, slots=True)
class Copy:
    """A lab that was made from a snapshot and answers."""

    home: Path
    pid: int


def named(name: str) -> str:
    """Return a name that a snapshot may have.

    Raises:
        SnapshotError: it may not.
    """
    if not _NAME.fullmatch(name):
        raise SnapshotError(
            f"`{name[:60]}` is no name for a snapshot: expected 1 to 40 of a-z, 0-9, `_`, `.` and `-`, "
            "with a letter or digit at both ends, such as `built`"
        )
    return name


def listed(home: Home) -> list[Snapshot]:
    """Return a lab's snapshots, the oldest first."""
    found = []
    for about in home.snapshots.glob("*/about.json"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            said = json.loads(about.read_text())
            found.append(Snapshot(str(said["name"]), float(said["taken"]), about.parent))
    return sorted(found, key=lambda one: (one.taken, one.name))


def find(home: Home, name: str) -> Snapshot:
    """Return a snapshot of a lab.

    Raises:
        SnapshotError: there is none of that name.
    """
    named(name)
    known = listed(home)
    for snapshot in known:
        if snapshot.name == name:
            return snapshot
    there = f"there are {', '.join(one.name for one in known)}" if known else "there is none"
    raise SnapshotError(
        f"no snapshot `{name}` in {home.path}; {there}; take one: k8swin lab snapshot NAME"
    )


def thaw(
    home: Path | Home,
    name: str,
    *,
    into: Path,
    namespaces: Mapping[str, Any] | None = None,
    timeout: float = _TIMEOUT,
) -> Copy:
    """Make a copy of a lab from a snapshot, in a folder of its own; returns when all its ports answer.

    May be called from any thread and process, also several times at once. A lab that runs in `into` has to be down
    before; what is in the folder of an earlier lab is replaced, other files stay.

    Args:
        home: the lab whose snapshot it is.
        name: of the snapshot.
        into: the copy's folder, made where it is not there.
        namespaces: see `namespaces.enter`.
        timeout: seconds until the copy has to be ready.

    Raises:
        SnapshotError: there is no such snapshot, or the copy did not start; its own words.
    """
    home = home if isinstance(home, Home) else Home(home)
    folder = find(home, name).folder
    request = {
        "command": "thaw",
        "home": str(into.absolute()),
        "namespaces": dict(namespaces or {}),
    }
    with connection(folder, timeout) as keeper:
        answer = keeper.ask(request)
    return Copy(into.absolute(), int(answer["pid"]))


class Keeper:
    """A connection to a snapshot's keeper."""

    def __init__(self, over: socket.socket) -> None:
        self._socket = over
        self._lines = over.makefile("rb")

    def ask(self, request: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Say something, and return what comes back; None says nothing and waits for more.

        Raises:
            SnapshotError: its words, or that nothing came.
        """
        try:
            if request is not None:
                self._socket.sendall(json.dumps(request).encode() + b"\n")
            answer: dict[str, Any] = json.loads(self._lines.readline(_LARGEST) or b"{}")
        except (OSError, ValueError) as error:
            raise SnapshotError(f"the keeper of the snapshot does not answer: {error}") from error
        if not answer:
            raise SnapshotError(
                "the keeper of the snapshot, or the copy that it made, ended without an answer; see lab.log"
            )
        if answer.get("error"):
            raise SnapshotError(str(answer["error"]))
        return answer

    def fileno(self) -> int:
        """Return the descriptor under it."""
        return self._socket.fileno()

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()


@contextlib.contextmanager
def connection(folder: Path, timeout: float = _TIMEOUT) -> Iterator[Keeper]:
    """Talk to the keeper of a snapshot."""
    keeper = connect(folder, timeout)
    try:
        yield keeper
    finally:
        keeper.close()


def connect(folder: Path, timeout: float = _TIMEOUT) -> Keeper:
    """Return a connection to the keeper of a snapshot.

    Raises:
        SnapshotError: it is not there.
    """
    over = socket.socket(socket.AF_UNIX)
    try:
        over.settimeout(timeout)
        with within_length(folder / "keeper") as name:
            over.connect(name)
    except OSError as error:
        over.close()
        raise SnapshotError(
            f"the keeper of the snapshot `{folder.name}` is gone: {error.strerror}; take it again"
        ) from error
    return Keeper(over)


def hold(folder: Path) -> Keeper:
    """Keep a keeper alive as long as the connection is open: it ends when nobody holds it any more."""
    keeper = connect(folder)
    keeper.ask({"command": "hold", "folder": str(folder)})
    return keeper


def end(folder: Path, seconds: float = 5.0) -> None:
    """Let a keeper end, and wait until it has; its folder goes with it."""
    with contextlib.suppress(SnapshotError):
        keeper = connect(folder, seconds)
        try:
            said = keeper.ask({"command": "end"})
        finally:
            keeper.close()
        until = time.monotonic() + seconds
        while time.monotonic() < until and _is_there(int(said["pid"])):
            time.sleep(0.005)


def _is_there(pid: int) -> bool:
    """Whether a process runs; a child of this one is taken notice of when it has ended."""
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True
