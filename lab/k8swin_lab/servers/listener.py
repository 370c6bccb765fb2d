"""One TCP port of a machine on a real socket: open while the network reaches the machine.

The port accepts by itself and hands connected sockets to a server, so that SSH and HTTPS behave the
same when a machine is switched off, boots or loses its network, and so that one place can refuse,
drop or slow connections down.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from k8swin_lab.machines.base import Machine

log = logging.getLogger(__name__)


class Connection(NamedTuple):
    """A connection that a server has taken over."""

    abort: Callable[[], None]  # ends it at once
    is_over: Callable[[], bool]


Serve = Callable[[socket.socket], Awaitable[Connection | None]]
"""Takes a connected socket over; returns None when the connection has ended already."""

_RESET = struct.pack("ii", 1, 0)
_BACKLOG = 128


class PortInUse(Exception):
    """Another program listens at this address and port, or the address is not this computer's."""


@dataclass(slots=True)
class Faults:
    """What is wrong with the connections to a machine; `faults.py` sets it by name."""

    refuse: bool = False
    silent: bool = False
    drop: int = 0  # connections still to be reset
    slow: float = 0.0  # seconds before a connection is served


def bind(address: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        PortInUse: names the address, the port and what to do.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setblocking(False)
    try:
        listening.bind((address, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            found = "another program listens there; stop it, or take another network with --network"
        elif error.errno == errno.EADDRNOTAVAIL:
            found = "this computer does not have that address"
        else:
            found = error.strerror or str(error)
        raise PortInUse(f"cannot listen on {address}:{port}: {found}") from error
    return listening


def reset(connection: socket.socket) -> None:
    """Close a connection so that the peer sees a reset and not an orderly end."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()


def abort_transport(transport: asyncio.Transport) -> None:
    """Reset the connection under a transport."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


class Listener:
    """A port of one machine. All methods belong to the event loop's thread."""

    def __init__(
        self,
        machine: Machine,
        address: str,
        port: int,
        serve: Serve,
        faults: Faults | None = None,
        admitted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.machine = machine
        self.address = address
        self.port = port
        self.faults = faults or Faults()
        self._serve = serve
        self._admitted = admitted
        self._socket: socket.socket | None = None
        self._connections: list[Connection] = []
        self._serving: set[asyncio.Task[None]] = set()
        self._boot_id = machine.boot_id
        self._again: asyncio.TimerHandle | None = None
        self._closed = False

    def open(self) -> None:
        """Listen from now on whenever the machine can be reached.

        Raises:
            PortInUse: the address or port cannot be had.
        """
        self._listen()
        self.update()

    def update(self) -> None:
        """Follow the machine's power, boot, network and faults."""
        if self._closed:
            return
        if self.machine.boot_id != self._boot_id:
            self._boot_id = self.machine.boot_id
            self.reset_connections()
        if self.machine.reachable and not self.faults.refuse and self._admitted():
            if self._socket is None:
                self._listen()
            return
        self._stop_listening()
        self.reset_connections()
        wait = self.machine.unreachable_until - time.monotonic()
        if self.machine.powered_on and wait > 0:
            if self._again is not None:
                self._again.cancel()
            self._again = asyncio.get_running_loop().call_later(wait + 0.01, self.update)

    def reset_connections(self) -> None:
        """Reset every connection there is."""
        for task in list(self._serving):
            task.cancel()
        connections, self._connections = self._connections, []
        for connection in connections:
            if not connection.is_over():
                connection.abort()

    async def close(self) -> None:
        """Stop listening and end every connection."""
        self._closed = True
        if self._again is not None:
            self._again.cancel()
        self._stop_listening()
        self.reset_connections()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _listen(self) -> None:
        self._socket = bind(self.address, self.port)
        self.port = self._socket.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._socket, self._accept, self._socket)

    def _stop_listening(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, _ = listening.accept()
        except OSError as error:
            # The client may be gone again; the loop calls back for whoever still waits.
            log.debug("%s:%s: accept: %s", self.address, self.port, error)
            return
        connection.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._take(connection))
        self._serving.add(task)
        task.add_done_callback(partial(self._taken, connection))

    def _taken(self, connection: socket.socket, task: asyncio.Task[None]) -> None:
        self._serving.discard(task)
        if task.cancelled():
            # A task that never began to run could not close its connection itself.
            reset(connection)

    async def _take(self, connection: socket.socket) -> None:
        try:
            if self.faults.drop > 0:
                self.faults.drop -= 1
                reset(connection)
                return
            if not self._admitted():
                reset(connection)
                self.update()
                return
            if self.faults.slow:
                await asyncio.sleep(self.faults.slow)
            while self.faults.silent:
                await asyncio.sleep(0.05)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            served = await self._serve(connection)
            self._connections = [known for known in self._connections if not known.is_over()]
            if served is not None:
                self._connections.append(served)
        except (OSError, ConnectionError) as error:
            log.info("%s:%s: %s", self.address, self.port, error)
            connection.close()
