"""TCP connections through an SSH server that is only passed through: what `ssh -W HOST:PORT` does.

There is one SSH connection to a jump host for all that goes through it. A connection through it is a channel of SSH;
whoever uses it is given one end of a pair of sockets, because TLS and time-outs want a real one.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

import paramiko

from k8swin_nb.errors import NotPassedOn, TransportError
from k8swin_nb.inventory import Host
from k8swin_nb.transports.clock import Clock, Unwanted
from k8swin_nb.transports.connection import OnPin, close_soon, open_connection
from k8swin_nb.transports.dialling import Dial
from k8swin_nb.transports.hostkeys import HostKey, scan
from k8swin_nb.transports.ssh_config import configured

_PIECE = 64 * 1024

OPEN_SECONDS = 45.0
"""For the login to the jump host."""

_HINTS = {
    1: "let its SSH server pass connections on: `AllowTcpForwarding yes` and no `PermitOpen` that leaves this one out, in "
    "/etc/ssh/sshd_config there; and no `no-port-forwarding` or `restrict` in the key's line of authorized_keys",
    2: "see that it reaches the machine: `nc -vz ADDRESS PORT` there; the name is looked up there, too",
}


class Jump:
    """The way through one jump host. Safe to use from several threads."""

    def __init__(self, host: Host, on_pin: OnPin | None = None) -> None:
        self._host = configured(host)
        self._on_pin = on_pin
        self._lock = threading.Lock()
        self._over = threading.Event()
        """Set when nobody uses it any more: a login that is under way ends, and no other begins."""
        self._connection: Any = None
        self._before: Jump | None = None
        self.users = 0

    def dial(self, address: str, port: int, seconds: float) -> socket.socket:
        """Open a connection from the jump host.

        Raises:
            NotPassedOn: when the jump host does not open it, or was let go of meanwhile.
            TransportError: when there is no way to the jump host itself.
        """
        until = time.monotonic() + seconds
        for again in (True, False):
            connection = self._open()
            left = max(1.0, until - time.monotonic())
            try:
                channel = connection.transport.open_channel(
                    "direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=left
                )
                break
            except paramiko.ChannelException as error:
                raise self._refused(error, address, port) from error
            except (paramiko.SSHException, EOFError, OSError, AttributeError) as error:
                # Lost meanwhile, or frozen: one more connection is tried, once.
                lost = not connection.is_connected
                self._forget(connection)
                if not (again and lost):
                    raise NotPassedOn(
                        f"the jump host `{self._host.name}` opened no connection to {address} port {port} in time"
                        if not lost
                        else f"the connection to the jump host `{self._host.name}` was lost"
                    ) from error
        return _carried(channel)

    def close(self) -> None:
        """Let go of the jump host for good, also while somebody is still logging in there."""
        self._over.set()
        with self._lock:
            connection, self._connection = self._connection, None
            before, self._before = self._before, None
        if connection is not None:
            close_soon(connection)
        if before is not None:
            give_jump_back(before)

    def _open(self) -> Any:
        with self._lock:
            clock = Clock(OPEN_SECONDS, self._over)
            try:
                # Whoever comes late, or finds the connection lost because it was let go of, opens no other: nobody closed it.
                clock.check()
                if self._connection is None or not self._connection.is_connected:
                    self._connection = open_connection(
                        self._host, self._on_pin, clock, self._dial_of_jump()
                    )
            except Unwanted:
                told = f"the jump host `{self._host.name}` was let go of meanwhile"
                raise NotPassedOn(told) from None
            return self._connection

    def _dial_of_jump(self) -> Dial | None:
        """Return how the jump host itself is reached, when another one stands before it."""
        if self._host.ssh_jump is None:
            return None
        if self._before is None:
            self._before = take_jump(self._host.ssh_jump, self._on_pin)
        return self._before.dial

    def _forget(self, connection: Any) -> None:
        with self._lock:
            if self._connection is connection:
                self._connection = None
        close_soon(connection)

    def _refused(self, error: Any, address: str, port: int) -> NotPassedOn:
        refused = NotPassedOn(
            f"the jump host `{self._host.name}` does not open a connection to {address} port {port}: "
            f"{error.text or 'no reason given'}"
        )
        refused.hint = _HINTS.get(error.code, "look at the log of its SSH server")
        return refused


def _carried(channel: Any) -> socket.socket:
    """Return a socket whose bytes a channel carries."""
    ours, theirs = socket.socketpair()

    def up() -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            while data := theirs.recv(_PIECE):
                channel.sendall(data)
        # Whoever had the other end is gone: HTTP closes no connection by halves.
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            channel.close()

    def down() -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            while data := channel.recv(_PIECE):
                theirs.sendall(data)
        for close in (lambda: theirs.shutdown(socket.SHUT_RDWR), theirs.close, channel.close):
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                close()

    for carry in (up, down):
        threading.Thread(target=carry, name="through a jump host", daemon=True).start()
    return ours


_shared: dict[Host, Jump] = {}
_shared_lock = threading.Lock()


def take_jump(host: Host, on_pin: OnPin | None = None) -> Jump:
    """Return the way through a jump host, which all share; give it back with `give_jump_back`."""
    with _shared_lock:
        jump = _shared.setdefault(host, Jump(host, on_pin))
        jump.users += 1
        return jump


def give_jump_back(jump: Jump) -> None:
    """Close the way when nobody else uses it."""
    with _shared_lock:
        jump.users -= 1
        over = jump.users <= 0
        if over:
            for host in [host for host, held in _shared.items() if held is jump]:
                del _shared[host]
    if over:
        jump.close()


def hint_of(causes: list[BaseException]) -> tuple[str, str | None] | None:
    """Return what a jump host said and what to do, if that is among an error's causes."""
    for cause in causes:
        if isinstance(cause, NotPassedOn):
            return str(cause), cause.hint
        if isinstance(cause, TransportError):
            return str(cause), cause.hint
    return None


def scan_through(host: Host) -> HostKey:
    """Fetch a host's key without logging in there, through its jump host if it has one.

    Raises:
        TransportError: when no SSH server answers, or there is no way to the jump host.
    """
    if host.ssh_jump is None:
        return scan(host)
    jump = take_jump(host.ssh_jump)
    try:
        return scan(host, jump.dial)
    finally:
        give_jump_back(jump)
