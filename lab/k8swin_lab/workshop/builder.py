"""The lab in which a workshop makes the states from which its exercises begin; seats get copies of it.

It runs in a network of its own and sees the computer as the workshop does: its copies, which are forks of it, have yet to
find their seat. No trainee reaches it. Where root started the workshop it acts as the labs' user, and is root again for
the moment in which a copy enters a seat.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from k8swin_lab import process_lock, topology
from k8swin_lab.socket_paths import within_length
from k8swin_lab.workshop import inside_lab, sandbox, system
from k8swin_lab.workshop.channel import Channel, Gone

_TRIES = 20

_STATE = Path("/state")
"""Where a copy finds the disks of the state that it is a copy of."""


def run(spec: dict[str, Any], channel: Channel) -> int:
    """Be that lab until the channel closes; keep its state whenever asked to."""
    from k8swin_lab.daemon import Daemon
    from k8swin_lab.home import Home
    from k8swin_lab.lab import Lab

    user = int(spec["lab_user"])
    root = os.geteuid() == 0
    python = {Path(text): Path(text) for text in spec["python"]}
    folder = Path(spec["folder"])
    home = Home(inside_lab.home_of(spec))
    # The folder of all seats is seen where it is: copies enter theirs from here.
    seen = {home.path: folder / "lab", folder.parent: folder.parent}
    sandbox.see_alone(sandbox.View(seen, python), Path(spec["place"]), user)
    if root:
        os.setgroups([])
        os.setresgid(user, user, 0)
        os.setresuid(user, user, 0)
    os.environ.clear()
    os.environ.update(sandbox.environment({"HOME": str(home.path)}))
    home.create()
    log = os.open(home.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(log, number)
    logging.basicConfig(
        stream=sys.stderr, level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    lock = process_lock.take(home.lock)
    if lock is None:
        channel.send({"builder": "failed", "why": f"another lab runs in {home.path}"})
        return 1
    daemon = Daemon(Lab(home, topology.default()), lock, stays=False)
    try:
        daemon.lab.start()
    except Exception as error:
        channel.send({"builder": "failed", "why": str(error)})
        return 1
    channel.send({"builder": "ready"})

    def go(thawing: Any) -> int:
        return _copy(daemon, thawing, root)

    held: dict[str, Any] = {}
    while True:
        try:
            message, _ = channel.receive()
        except Gone:
            break
        if message.get("do") == "take":
            answer = _take(daemon, str(message["name"]), go, {lock, channel.fileno()}, held)
            channel.try_send({"id": message["id"], **answer})
    with contextlib.suppress(Exception):
        daemon.lab.stop()
    return 0


def _take(daemon: Any, name: str, go: Any, kept: set[int], held: dict[str, Any]) -> dict[str, str]:
    """Keep the state under a name; the lab may not have come to rest yet."""
    from k8swin_lab import freezing
    from k8swin_lab.snapshots import SnapshotError

    for attempt in range(_TRIES):
        try:
            held[name] = freezing.take(daemon.lab, name, go, kept)
            return {}
        except SnapshotError as error:
            if attempt == _TRIES - 1:
                return {"error": str(error)}
            time.sleep(0.5)
    return {}


def _copy(daemon: Any, thawing: Any, root: bool) -> int:
    """Be the copy of the lab that a seat gets, behind a root of its own and as a user who has nothing else."""
    spec = thawing.request["seat"]
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if root:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
    with within_length(Path(spec["folder"], "arriving")) as name:
        end.connect(name)
    channel = Channel(end)
    channel.send({"process": os.getpid()})
    system.enter(f"/proc/{int(spec['process'])}/ns/net")
    source = Path(thawing.request["snapshot"])
    python = {Path(text): Path(text) for text in spec["python"]}
    home = inside_lab.home_of(spec)
    view = sandbox.View({home: Path(spec["folder"], "lab")}, {**python, _STATE: source})

    def lab(home: Path, ready: int) -> int:
        told = thawing.said
        thawing.request |= {"home": str(home), "namespaces": None, "snapshot": str(_STATE)}

        def said(what: dict[str, Any]) -> None:
            told(what)
            os.write(ready, b"ready\n" if "done" in what else f"{what.get('error')}\n".encode())
            if "done" in what:
                os.close(ready)

        thawing.said = said
        return int(daemon._go(thawing))

    spec = {**spec, "limits": sandbox.Limits(**spec["limits"])}
    return sandbox.run_apart(
        view, Path(spec["place"]), int(spec["lab_user"]), lambda: inside_lab.run(spec, channel, lab)
    )
