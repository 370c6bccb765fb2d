"""SSH through fabric's `Connection`. No other module imports fabric, and paramiko only `hostkeys` beside this one.

The user's own SSH configuration, agent forwarding and known hosts are left out on purpose: what a
notebook does must not depend on whose account runs it.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import paramiko
from fabric import Config, Connection
from fabric.exceptions import GroupException, InvalidV1Env, NothingToDo
from invoke.exceptions import Exit, Failure, ThreadException, WatcherError
from paramiko.config import SSHConfig
from paramiko.ssh_exception import NoValidConnectionsError

from k8swin_nb.errors import (
    AuthenticationFailed,
    HostKeyMismatch,
    HostKeyUnknown,
    HostUnreachable,
    K8swinError,
    TransportError,
    TransportTimeout,
)
from k8swin_nb.inventory import Host
from k8swin_nb.redact import redact
from k8swin_nb.scripts import Interpreter
from k8swin_nb.secret import resolve
from k8swin_nb.shells import KILL_AFTER, bash_command, bash_input
from k8swin_nb.transports.base import CANCELLED, End, Transport, Work, own_script
from k8swin_nb.transports.hostkeys import entry_name, of_paramiko, pin, unreachable
from k8swin_nb.transports.output import Output

CONNECT_SECONDS = 10
BANNER_SECONDS = 15
AUTH_SECONDS = 20
KEEPALIVE_SECONDS = 15

DEAD_SECONDS = 30
"""How long sent bytes may stay without an answer before the connection counts as dead."""

GRACE = 10.0
"""Seconds that a machine is given beyond a script's deadline to say that it has stopped it."""

DRAIN = 0.5
"""Seconds of silence after a script's end, in which a process that it left behind may hold the output."""

PIECE = 65_536


class _Policy(paramiko.RejectPolicy):  # type: ignore[misc]
    """Refuses a host key that is not pinned, or pins it at first sight if the inventory says so."""

    def __init__(self, host: Host, on_pin: Callable[[str, str], None] | None) -> None:
        self._host = host
        self._on_pin = on_pin

    def missing_host_key(self, client: Any, hostname: str, key: Any) -> None:
        shown = of_paramiko(key)
        where = f"{self._host.address} port {self._host.ssh_port}"
        others = client.get_host_keys().lookup(entry_name(self._host))
        if others:
            # A key of another kind is pinned: the server has changed as well.
            expected = ", ".join(of_paramiko(other).fingerprint for other in others.values())
            raise HostKeyMismatch(
                self._host.name, where=where, expected=expected, found=shown.fingerprint
            )
        if self._host.host_key_policy != "accept-new":
            raise HostKeyUnknown(
                self._host.name,
                where=where,
                algorithm=shown.algorithm,
                fingerprint=shown.fingerprint,
            )
        pin(self._host, shown)
        if self._on_pin:
            self._on_pin(self._host.name, shown.fingerprint)


class SshTransport(Transport):
    """bash on a Linux host, over one SSH connection with a channel per script."""

    interpreter: ClassVar[Interpreter] = "bash"

    def __init__(self, host: Host, *, on_pin: Callable[[str, str], None] | None = None) -> None:
        super().__init__(host)
        self._on_pin = on_pin
        self._lock = threading.RLock()
        self._connection: Any = None

    def _connect(self) -> Any:
        """Return an open connection."""
        with self._lock:
            if self._connection is not None:
                if self._connection.is_connected:
                    return self._connection
                self._close(abandon=True)
            host = self.host
            how: dict[str, Any] = {
                "banner_timeout": BANNER_SECONDS,
                "auth_timeout": AUTH_SECONDS,
                "look_for_keys": False,
                "allow_agent": not (host.identity or host.ssh_password),
            }
            if host.identity:
                how["key_filename"] = [host.identity]
            if host.ssh_password:
                how["password"] = resolve(host.ssh_password, Path(host.folder)).reveal()
            connection = Connection(
                host.address,
                user=host.user,
                port=host.ssh_port,
                config=Config(lazy=True, ssh_config=SSHConfig()),
                connect_timeout=CONNECT_SECONDS,
                connect_kwargs=how,
            )
            try:
                if Path(host.known_hosts).exists():
                    connection.client.load_host_keys(host.known_hosts)
                connection.client.set_missing_host_key_policy(_Policy(host, self._on_pin))
                connection.open()
                connection.transport.set_keepalive(KEEPALIVE_SECONDS)
                _give_up_on_silence(connection.transport.sock)
            except K8swinError:
                connection.client.close()
                raise
            except Exception as error:
                connection.client.close()
                raise translate(error, host) from error
            self._connection = connection
            return connection

    def _channel(self, command: str) -> Any:
        """Start a command; a connection that was lost meanwhile is opened anew, once, before that."""
        for attempt in (1, 2):
            connection = self._connect()
            try:
                channel = connection.create_session()
            except Exception as error:
                self._close(abandon=True)
                if attempt == 2:
                    raise translate(error, self.host) from error
                continue
            try:
                channel.exec_command(command)
            except Exception as error:
                raise translate(error, self.host) from error
            return channel
        raise AssertionError("unreachable")

    def _run(self, work: Work, output: Output) -> End:
        sent = bash_input(work.script, work.parameters, work.secrets, work.stdin)
        command = bash_command(tag=work.tag, timeout=work.timeout, sudo=work.sudo)
        started = time.monotonic()
        channel = self._channel(command)
        writer = threading.Thread(
            target=_write, args=(channel, sent), name=f"stdin of {self.host.name}", daemon=True
        )
        writer.start()
        deadline = started + work.timeout + KILL_AFTER + GRACE if work.timeout else None
        try:
            state = self._follow(channel, output, deadline, work.cancel)
        except BaseException as error:
            # A stopped cell must not leave its script running; a lost connection has nothing to ask.
            if not isinstance(error, TransportError):
                self._stop(work.tag, sudo=work.sudo)
            raise
        finally:
            channel.close()
        if state is None:
            self._stop(work.tag, sudo=work.sudo)
            return End(CANCELLED, timed_out=not work.cancel.is_set())
        overdue = bool(work.timeout) and time.monotonic() - started >= (work.timeout or 0)
        return End(state, timed_out=overdue and state in (124, 137, -1))

    def _follow(
        self, channel: Any, output: Output, deadline: float | None, cancel: threading.Event
    ) -> int | None:
        """Pass output on until the script ends; None: the deadline has passed, or it was cancelled."""
        quiet_since = time.monotonic()
        while True:
            got = False
            while channel.recv_ready():
                output.feed("stdout", channel.recv(PIECE))
                got = True
            while channel.recv_stderr_ready():
                output.feed("stderr", channel.recv_stderr(PIECE))
                got = True
            now = time.monotonic()
            if got:
                quiet_since = now
            read = not (channel.recv_ready() or channel.recv_stderr_ready())
            closed = channel.eof_received or channel.closed
            if read and channel.exit_status_ready() and (closed or now - quiet_since > DRAIN):
                return self._state(channel)
            if cancel.is_set() or (deadline is not None and now > deadline):
                return None
            if closed:
                channel.status_event.wait(0.05)
            else:
                select.select([channel], [], [], 0.1)

    def _state(self, channel: Any) -> int:
        state = int(channel.recv_exit_status())
        transport = channel.get_transport()
        if state == -1 and not (transport and transport.is_active()):
            self._close(abandon=True)
            raise HostUnreachable(
                self.host.name,
                "the SSH connection broke while a script ran; how it ended is not known",
                hint="run the cell again: it looks first at what is there",
            )
        return state

    def _stop(self, tag: str, *, sudo: bool) -> None:
        """End a script with its children, through a channel of its own; it is no error if that fails."""
        script = own_script("stop", "bash")
        try:
            channel = self._channel(bash_command(tag=f"stop-{tag}", timeout=10, sudo=sudo))
            try:
                channel.settimeout(10)
                channel.sendall(bash_input(script, {"TAG": tag}, {}))
                channel.shutdown_write()
                channel.status_event.wait(10)
            finally:
                channel.close()
        except (K8swinError, OSError, EOFError, paramiko.SSHException):
            pass  # the machine is gone; its own `timeout` ends the script if it is not

    def _close(self, *, abandon: bool = False) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.client.close()


def _write(channel: Any, data: bytes) -> None:
    """Send standard input and close it. A script may end without reading all of it."""
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        view = memoryview(data)
        for start in range(0, len(view), PIECE):
            channel.sendall(bytes(view[start : start + PIECE]))
        channel.shutdown_write()


def _give_up_on_silence(sock: Any) -> None:
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux only
    if option is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, option, DEAD_SECONDS * 1000)


SILENCE = ("No existing session", "Error reading SSH protocol banner")
"""What paramiko says when a port accepted the connection and sent nothing."""


def translate(error: BaseException, host: Host) -> K8swinError:
    """Return our error for one of fabric's, invoke's, paramiko's or the socket's."""
    detail = redact(str(error)) or type(error).__name__
    where = f"{host.address} port {host.ssh_port}"
    if isinstance(error, K8swinError):
        return error
    if isinstance(error, paramiko.BadHostKeyException):
        return HostKeyMismatch(
            host.name,
            where=where,
            expected=of_paramiko(error.expected_key).fingerprint,
            found=of_paramiko(error.key).fingerprint,
        )
    if isinstance(error, paramiko.PasswordRequiredException):
        return AuthenticationFailed(
            host.name, f"the private key `{host.identity}` is encrypted", hint="use the SSH agent"
        )
    if isinstance(error, paramiko.AuthenticationException):
        how = f"key `{host.identity}`" if host.identity else (host.ssh_password or "the SSH agent")
        return AuthenticationFailed(
            host.name, f"SSH login as `{host.user}` at {where} was refused ({how}): {detail}"
        )
    if isinstance(error, FileNotFoundError) and host.identity:
        return AuthenticationFailed(
            host.name, f"the private key `{host.identity}` is not there", hint="check `identity`"
        )
    if isinstance(error, TimeoutError):
        return TransportTimeout(host.name, f"SSH to {where}: no answer in time")
    if isinstance(error, (Failure, ThreadException, WatcherError, Exit)):
        return TransportError(host.name, f"SSH to {where}: {detail}")
    if isinstance(error, (GroupException, NothingToDo, InvalidV1Env)):
        return TransportError(host.name, f"SSH to {where}: {detail}")
    if isinstance(error, paramiko.SSHException) and "no authentication methods" in detail.lower():
        return AuthenticationFailed(
            host.name,
            f"there is no way to log in as `{host.user}` at {where}",
            hint="name a private key as `identity`, or start an SSH agent with one",
        )
    if isinstance(error, NoValidConnectionsError):
        reasons = {str(cause.strerror or cause) for cause in error.errors.values()}
        return unreachable(host, ", ".join(sorted(reasons)))
    if isinstance(error, paramiko.SSHException) and detail in SILENCE:
        return TransportTimeout(
            host.name,
            f"{where} accepts connections and never answers as an SSH server",
            hint="check that sshd is what listens there, and that the machine is not overloaded",
        )
    if isinstance(error, (paramiko.SSHException, EOFError, OSError)):
        return unreachable(host, detail)
    return TransportError(host.name, f"SSH to {where}: {type(error).__name__}: {detail}")
