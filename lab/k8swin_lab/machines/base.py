"""What every simulated machine has: a name, an address, a network, a boot, and what listens on it."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8swin_lab.machines.program import NotSimulated, Process
    from k8swin_lab.network import HttpHandler, Network

log = logging.getLogger(__name__)


class RemoteShell:
    """What the commands of one remote session run in; on Windows a process with a job of its own."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def run(self, command: str, process: Process) -> int:
        """Run a command line and return its exit code."""
        return self._machine.shell(command, process)

    def close(self) -> None:
        """End everything that still runs in it."""


class Machine(ABC):
    """State of one machine. No sockets: servers ask it, and it never asks a server."""

    os: str  # "linux" or "windows"

    def __init__(self, name: str, address: str, network: Network) -> None:
        self.name = name
        self.address = address
        self.network = network
        self.lock = threading.RLock()
        self.boot_id = str(uuid.uuid4())
        self.booted_at = time.time()
        self.powered_on = True
        self.unreachable_until = 0.0
        """Until when (`time.monotonic()`) the network does not reach this machine."""
        self.damaged_downloads = 0
        """How many of the next files from the internet arrive with another byte in their middle (a fault)."""
        self.listening: dict[int, HttpHandler | str] = {}
        """TCP ports on which something of this machine listens: an HTTP handler, or a plain name."""
        self.lacking: dict[str, int] = {}
        """What was asked of it that the lab does not simulate, and how often, also where a script hid it."""
        self._observers: list[Callable[[Machine], None]] = []
        network.attach(self)

    @abstractmethod
    def run(self, process: Process) -> int:
        """Run `process.argv` as the machine's init would start it (no shell), and return the exit code."""

    @abstractmethod
    def shell(self, command: str, process: Process) -> int:
        """Run a command line as the remote login shell gets it: bash -c on Linux, cmd.exe /c on Windows."""

    def remote_shell(self, user: str) -> RemoteShell:
        """Open what the commands of a user's remote session run in."""
        return RemoteShell(self)

    @abstractmethod
    def reboot(self) -> None:
        """Stop everything that runs, apply what waited for a boot, start what starts at boot."""

    def lacks(self, gap: NotSimulated) -> str:
        """Write down what was refused; returns the words for standard error."""
        with self.lock:
            self.lacking[gap.what] = self.lacking.get(gap.what, 0) + 1
        log.info("%s: %s", self.name, gap)
        return str(gap)

    def host_addresses(self) -> dict[str, str]:
        """Return the addresses of the machine's own hosts file by lower-case name."""
        return {}

    @property
    def reachable(self) -> bool:
        """Whether the machine is on and its network works."""
        return self.powered_on and time.monotonic() >= self.unreachable_until

    def interrupt(self, seconds: float) -> None:
        """Take the machine off the network for a while; what runs on it goes on."""
        self.unreachable_until = time.monotonic() + seconds
        self.changed()

    def wake(self, slept: float) -> None:
        """Go on in a copy of the lab after `slept` seconds without time; the servers of before are gone."""
        self._observers.clear()
        if self.unreachable_until:
            self.unreachable_until += slept

    def observe(self, callback: Callable[[Machine], None]) -> None:
        """Be told when power, boot or listening ports change (the servers listen here)."""
        self._observers.append(callback)

    def changed(self) -> None:
        """Tell the observers."""
        for callback in list(self._observers):
            callback(self)


def serving(machine: Machine) -> tuple[int, Any]:
    """Return the port of the API server on a machine, which may be any, and its cluster; 0 and None without one."""
    for port, what in sorted(machine.listening.items()):
        cluster = getattr(what, "cluster", None)
        if cluster is not None:
            return port, cluster
    return 0, None
