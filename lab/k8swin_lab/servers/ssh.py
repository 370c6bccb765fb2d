"""SSH in front of a Linux machine: its users' keys, commands in threads, files over SFTP and SCP.

The server knows no command. It reads accounts and authorized keys from the machine's disk, as sshd
does, and gives every command line to the machine.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import threading
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

import asyncssh

from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.servers.listener import Connection, Faults, Listener
from k8swin_lab.servers.sftp import MachineFiles
from k8swin_lab.servers.streams import InputPipe, OutputStream

log = logging.getLogger(__name__)

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games:/usr/local/games"
_KEEPALIVE = 15
_ACCEPTED_ENVIRONMENT = ("LANG", "LC_")
_CHUNK = 65536
_SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "TERM": 15}
_NOT_SIMULATED = 70


class _Authentication(asyncssh.SSHServer):
    """Decides who may log in to one machine."""

    def __init__(self, server: SshServer) -> None:
        self._server = server
        self.connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.connection = conn
        self._server.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.connection is not None:
            self._server.connections.discard(self.connection)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        allowed = self._server.authorized_keys(username)
        return allowed is not None and allowed.validate(key, "", "") is not None

    def password_auth_supported(self) -> bool:
        return bool(self._server.passwords)

    def validate_password(self, username: str, password: str) -> bool:
        expected = self._server.passwords.get(username)
        return expected is not None and secrets.compare_digest(expected.encode(), password.encode())


class SshServer:
    """The SSH port of one machine.

    Args:
        machine: who answers.
        host_key: the machine's own private key.
        passwords: users who may log in by password; password authentication is off when empty.
        faults: what is wrong with connections, shared with the machine's other ports.
    """

    def __init__(
        self,
        machine: Any,
        host_key: asyncssh.SSHKey,
        *,
        passwords: Mapping[str, str] | None = None,
        faults: Faults | None = None,
    ) -> None:
        self.machine = machine
        self.passwords = dict(passwords or {})
        self.connections: set[asyncssh.SSHServerConnection] = set()
        self._host_key = host_key
        self._faults = faults or Faults()
        self._listener: Listener | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, address: str, port: int) -> int:
        """Listen, and return the port (the one that was free when 0 was asked for).

        Raises:
            PortInUse: the address or port cannot be had.
        """
        self._listener = Listener(self.machine, address, port, self._serve, self._faults)
        self._listener.open()
        loop = asyncio.get_running_loop()
        listener = self._listener
        self.machine.observe(lambda _: _call(loop, listener.update))
        return listener.port

    def update(self) -> None:
        """Follow the machine and its faults now."""
        if self._listener is not None:
            self._listener.update()

    async def stop(self) -> None:
        """Close the port and every connection; commands are cancelled."""
        if self._listener is not None:
            await self._listener.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def authorized_keys(self, user: str) -> asyncssh.SSHAuthorizedKeys | None:
        """Return the keys with which a user may log in, read from the machine's disk."""
        home = _home(self.machine.root, user)
        if home is None:
            return None
        path = self.machine.root / home.lstrip("/") / ".ssh" / "authorized_keys"
        try:
            return asyncssh.import_authorized_keys(path.read_text())
        except (OSError, ValueError):
            return None

    async def _serve(self, connection: socket.socket) -> Connection | None:
        try:
            served = await asyncssh.run_server(
                connection,
                server_factory=lambda: _Authentication(self),
                server_host_keys=[self._host_key],
                process_factory=self._start_command,
                sftp_factory=lambda channel: MachineFiles(channel, self.machine),
                allow_scp=True,
                encoding=None,
                line_editor=False,
                keepalive_interval=_KEEPALIVE,
                login_timeout=60,
                agent_forwarding=False,
                server_version="OpenSSH_9.2p1",
            )
        except (asyncssh.Error, OSError) as error:
            log.info("%s: ssh: %s", self.machine.name, error)
            return None
        return Connection(served.abort, served.is_closed)

    def _start_command(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self._keep(_Command(self.machine, process).serve())

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Command:
    """One exec or shell request: a thread that runs it, and tasks that move its streams."""

    def __init__(self, machine: Any, remote: asyncssh.SSHServerProcess[bytes]) -> None:
        self._machine = machine
        self._remote = remote
        self._loop = asyncio.get_running_loop()
        self._terminal = remote.term_type is not None
        self._stdin = InputPipe()
        user = str(remote.get_extra_info("username"))
        home = _home(machine.root, user) or "/"
        errors = remote.stdout if self._terminal else remote.stderr
        self.process = Process(
            machine=machine,
            argv=[],
            env=self._environment(user, home),
            cwd=home,
            user=user,
            stdin=self._stdin,
            stdout=OutputStream(lambda data: self._put(remote.stdout, data)),
            stderr=OutputStream(lambda data: self._put(errors, data)),
        )

    async def serve(self) -> None:
        """Run the command to its end, or until the client is gone."""
        ended: asyncio.Future[int] = self._loop.create_future()
        thread = threading.Thread(
            target=self._run,
            args=(ended,),
            name=f"{self._machine.name}: a command of {self.process.user} over SSH",
            daemon=True,
        )
        reading = self._loop.create_task(self._read_input())
        closed = self._loop.create_task(self._remote.wait_closed())
        thread.start()
        try:
            both: list[asyncio.Future[Any]] = [ended, closed]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                self._remote.exit(ended.result())
        finally:
            self.process.cancelled.set()
            self._stdin.end()
            reading.cancel()
            closed.cancel()
            await asyncio.gather(reading, closed, return_exceptions=True)

    def _run(self, ended: asyncio.Future[int]) -> None:
        code = _NOT_SIMULATED
        try:
            if self._remote.command is None:
                self.process.argv = ["bash", "-l"]
                code = self._machine.run(self.process)
            else:
                code = self._machine.shell(self._remote.command, self.process)
        except NotSimulated as gap:
            self._complain(self._machine.lacks(gap))
        except BrokenPipeError:
            code = 141  # what a shell reports of a program that SIGPIPE ended
        except Exception:
            log.exception("%s: a command failed inside the lab", self._machine.name)
            self._complain("the lab failed here; `k8swin lab logs` has the details")
        _call(self._loop, lambda: None if ended.done() else ended.set_result(code & 0xFF))

    def _complain(self, text: str) -> None:
        try:
            self.process.err(f"{text}\n")
        except BrokenPipeError:
            log.info("%s: %s", self._machine.name, text)

    async def _read_input(self) -> None:
        stdin = self._remote.stdin
        while True:
            try:
                data = await stdin.read(_CHUNK)
            except asyncssh.TerminalSizeChanged:
                continue
            except asyncssh.BreakReceived:
                self.process.cancelled.set()
                continue
            except asyncssh.SignalReceived as received:
                if received.signal in _SIGNALS:
                    self.process.cancelled.set()
                continue
            except (asyncssh.Error, OSError):
                self.process.cancelled.set()
                data = b""
            if not data:
                self._stdin.end()
                return
            if self._terminal:
                data = data.replace(b"\r", b"\n")
            self._stdin.feed(data)
            while self._stdin.waiting > 16 * _CHUNK and not self._stdin.ended:
                await asyncio.sleep(0.01)

    def _put(self, writer: asyncssh.SSHWriter[bytes], data: bytes) -> None:
        """Write from the command's thread, no faster than the client reads."""
        if self._terminal:
            data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

        async def write() -> None:
            writer.write(data)
            await writer.drain()

        work = write()
        try:
            asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except (asyncssh.Error, OSError, RuntimeError) as error:
            work.close()
            raise BrokenPipeError("the SSH client is gone") from error

    def _environment(self, user: str, home: str) -> dict[str, str]:
        peer = self._remote.get_extra_info("peername") or ("", 0)
        own = self._remote.get_extra_info("sockname") or ("", 22)
        environment = {
            "USER": user,
            "LOGNAME": user,
            "HOME": home,
            "PATH": _PATH,
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "SSH_CLIENT": f"{peer[0]} {peer[1]} {own[1]}",
            "SSH_CONNECTION": f"{peer[0]} {peer[1]} {own[0]} {own[1]}",
        }
        if self._terminal:
            environment["TERM"] = self._remote.term_type or "dumb"
            environment["SSH_TTY"] = "/dev/pts/0"
        for name, value in self._remote.env.items():
            if name.startswith(_ACCEPTED_ENVIRONMENT):
                environment[name] = value
        return environment


def _home(root: Path, user: str) -> str | None:
    """Return a user's home directory from the machine's passwd file; None for no such user."""
    try:
        lines = (root / "etc/passwd").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        fields = line.split(":")
        if len(fields) == 7 and fields[0] == user:
            return fields[5]
    return None


def _call(loop: asyncio.AbstractEventLoop, callback: Any) -> None:
    """Run a callback in the loop's thread; a loop that has ended needs nothing any more."""
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        log.debug("the event loop has ended")
