"""Opens one SSH connection through fabric's `Connection`, and says in our words why it could not.

The user's own SSH configuration, agent forwarding and known hosts are left out on purpose: what a notebook does must not
depend on whose account runs it. A configuration that the description names is read in `ssh_config`.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import paramiko
from fabric import Config, Connection
from fabric.exceptions import GroupException, InvalidV1Env, NothingToDo
from invoke.exceptions import Exit, Failure, ThreadException, WatcherError
from paramiko.config import SSHConfig
from paramiko.hostkeys import HostKeys

from k8swin_nb.errors import (
    AuthenticationFailed,
    HostKeyMismatch,
    HostKeyUnknown,
    HostUnreachable,
    K8swinError,
    NotPassedOn,
    TransportError,
    TransportTimeout,
)
from k8swin_nb.inventory import Host
from k8swin_nb.redact import redact
from k8swin_nb.transports.clock import Clock, Late, Unwanted
from k8swin_nb.transports.dialling import Dial
from k8swin_nb.transports.hostkeys import Known, entry_name, known, of_paramiko, pin, unreachable
from k8swin_nb.transports.login import Login, Wire, revoked_error

CONNECT_SECONDS = 10
BANNER_SECONDS = 15
AUTH_SECONDS = 20
OPEN_SECONDS = 40.0
"""For all of it: connection, key exchange, login."""

KEEPALIVE_SECONDS = 15

DEAD_SECONDS = 30
"""How long sent bytes may stay without an answer before the connection counts as dead."""

BUSY_TRIES = 4
"""How often a server that ends a connection before it has said anything is asked: it may have too many at once."""

OnPin = Callable[[str, str], None]


@cache
def _settings() -> Config:
    """Return fabric's settings, of which nothing comes from files; one for all hosts, for nothing in it is a host's."""
    return Config(lazy=True, ssh_config=SSHConfig())


class _Policy(paramiko.RejectPolicy):  # type: ignore[misc]
    """Refuses a host key that is not pinned, or pins it at first sight if the inventory says so."""

    def __init__(self, host: Host, pinned: Known, on_pin: OnPin | None) -> None:
        self._host = host
        self._pinned = pinned
        self._on_pin = on_pin

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        shown = of_paramiko(key)
        where = f"{self._host.ssh_address} port {self._host.ssh_port}"
        if self._pinned.is_revoked(key.asbytes()):
            raise revoked_error(self._host, shown.fingerprint)
        if self._host.host_key_policy != "accept-new" or self._pinned.authority:
            raise HostKeyUnknown(
                self._host.name,
                where=where,
                algorithm=shown.algorithm,
                fingerprint=shown.fingerprint,
                authority=self._pinned.authority,
            )
        pin(self._host, shown)
        if self._on_pin:
            self._on_pin(self._host.name, shown.fingerprint)


def open_connection(
    host: Host, on_pin: OnPin | None, clock: Clock, dial: Dial | None = None
) -> Any:
    """Return an open connection, logged in.

    Args:
        host: Where to.
        on_pin: Told of a host key that was pinned at first sight.
        clock: How long it may take.
        dial: Makes the TCP connection; None: from here, at each address that the host's name has.

    Raises:
        TransportError: when there is none to be had.
        Late: when the clock has run out.
        Unwanted: when it was asked to stop.
    """
    for attempt in range(1, BUSY_TRIES + 1):
        try:
            return _open(host, on_pin, clock, dial)
        except _Busy as busy:
            if attempt == BUSY_TRIES:
                raise TransportTimeout(
                    host.name,
                    f"{host.ssh_address} port {host.ssh_port} ends each connection before it says anything: {busy}",
                    hint="the SSH server has too many logins at once (its `MaxStartups`), or blocks this computer; "
                    "wait a minute, then look at its log",
                ) from None
            with contextlib.suppress(Late):
                clock.within(0.4 * 2**attempt).wait(threading.Event())
            clock.check()
    raise AssertionError("unreachable")


class _Busy(Exception):
    """The server ended the connection before it has said anything."""


def _open(host: Host, on_pin: OnPin | None, clock: Clock, dial: Dial | None) -> Any:
    pinned = known(host)
    connection = Connection(
        host.ssh_address,
        user=host.user,
        port=host.ssh_port,
        config=_settings(),
        connect_timeout=CONNECT_SECONDS,
        connect_kwargs={
            "banner_timeout": BANNER_SECONDS,
            "auth_timeout": AUTH_SECONDS,
            "auth_strategy": Login(host, pinned.is_revoked),
            "transport_factory": Wire,
            # fabric's own defaults, which would be ways to log in beside ours
            "allow_agent": False,
            "look_for_keys": False,
        },
    )
    client = connection.client
    trusted: HostKeys = client.get_host_keys()
    for key in pinned.keys:
        trusted.add(entry_name(host), key.get_name(), key)
    client.set_missing_host_key_policy(_Policy(host, pinned, on_pin))

    def work() -> Any:
        try:
            if dial is not None:
                sock = dial(host.ssh_address, host.ssh_port, CONNECT_SECONDS)
                connection.connect_kwargs["sock"] = sock
            connection.open()
            connection.transport.set_keepalive(KEEPALIVE_SECONDS)
            _tune(connection.transport.sock)
        except BaseException:
            client.close()
            raise
        return connection

    part = clock.within(OPEN_SECONDS)
    try:
        return part.run(work, _closed, f"login to {host.name}")
    except Late:
        close_soon(connection)
        clock.check()
        raise TransportTimeout(
            host.name,
            f"SSH to {host.ssh_address} port {host.ssh_port}: no login within {OPEN_SECONDS:.0f} s",
        ) from None
    except (K8swinError, Unwanted):
        close_soon(connection)
        raise
    except Exception as error:
        if _ended_at_once(error):
            raise _Busy(redact(str(error.__context__ or error))) from error
        raise translate(error, host) from error
    except BaseException:
        close_soon(connection)
        raise


def close_soon(connection: Any) -> threading.Thread | None:
    """Close a connection without waiting for a peer that may be frozen; return the thread that does it, if any."""

    def close() -> None:
        with contextlib.suppress(Exception):
            connection.client.close()

    thread = threading.Thread(target=close, name="close", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is ending and starts none
        close()
        return None
    return thread


def _closed(connection: Any) -> None:
    close_soon(connection)


def _tune(sock: Any) -> None:
    """Send small messages at once, and give up when nothing that is sent is acknowledged."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux only
    if option is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, option, DEAD_SECONDS * 1000)


def _ended_at_once(error: Exception) -> bool:
    """Tell whether the server ended the connection before it has said anything."""
    if not isinstance(error, paramiko.SSHException):
        return False
    text = str(error).lower()
    if "exceeded maxstartups" in text:
        return True
    return "banner" in text and isinstance(error.__context__, (EOFError, ConnectionError))


def translate(error: BaseException, host: Host) -> K8swinError:
    """Return our error for one of fabric's, invoke's, paramiko's or the socket's."""
    detail = redact(str(error)) or type(error).__name__
    where = f"{host.ssh_address} port {host.ssh_port}"
    if isinstance(error, K8swinError):
        return error
    if isinstance(error, NotPassedOn):
        return HostUnreachable(host.name, f"SSH to {where}: {detail}", hint=error.hint)
    if isinstance(error, paramiko.BadHostKeyException):
        return HostKeyMismatch(
            host.name,
            where=where,
            expected=of_paramiko(error.expected_key).fingerprint,
            found=of_paramiko(error.key).fingerprint,
        )
    if isinstance(error, (paramiko.AuthenticationException, paramiko.PasswordRequiredException)):
        return AuthenticationFailed(
            host.name, f"SSH login as `{host.user}` at {where} was refused: {detail}"
        )
    if isinstance(error, TimeoutError):
        return TransportTimeout(host.name, f"SSH to {where}: no answer in time")
    if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
        reasons = {str(cause.strerror or cause) for cause in error.errors.values()}
        return unreachable(host, ", ".join(sorted(reasons)))
    if isinstance(error, paramiko.IncompatiblePeer):
        return TransportError(
            host.name,
            f"SSH to {where}: {detail}",
            hint="the server and this computer have no algorithm in common: look at `sshd -T` on the host",
        )
    if isinstance(error, paramiko.SSHException) and "banner" in detail.lower():
        return TransportTimeout(
            host.name,
            f"{where} accepts connections and never answers as an SSH server",
            hint="check that sshd is what listens there, and that the machine is not overloaded",
        )
    if isinstance(error, paramiko.SSHException) and "protocol version" in detail:
        return TransportError(
            host.name,
            f"what listens at {where} is no SSH server: {detail[:200]}",
            hint="check `ssh_port`",
        )
    if isinstance(error, paramiko.SSHException) and detail == "No existing session":
        return TransportTimeout(host.name, f"SSH to {where}: the key exchange did not end in time")
    if isinstance(error, (paramiko.SSHException, EOFError, OSError)):
        return unreachable(host, detail)
    if isinstance(error, (Failure, ThreadException, WatcherError, Exit)):
        return TransportError(host.name, f"SSH to {where}: {detail}")
    if isinstance(error, (GroupException, NothingToDo, InvalidV1Env)):
        return TransportError(host.name, f"SSH to {where}: {detail}")
    return TransportError(host.name, f"SSH to {where}: {type(error).__name__}: {detail}")
