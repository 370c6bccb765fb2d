"""Remote shells of a Windows machine: commands in threads, their streams, quotas and idle time.

Shells outlive connections and die with the boot, which is what lets a client come back after an
interrupted network and pick up where it was.
"""

from __future__ import annotations

import copy
import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from k8swin_lab.machines.base import RemoteShell
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.windows_winrm import quota
from k8swin_lab.servers.streams import InputPipe, OutputStream
from k8swin_lab.servers.winrm_soap import (
    QUOTA_COMMANDS,
    QUOTA_OPERATIONS,
    QUOTA_SHELLS,
    SHELL_NOT_FOUND,
    SoapFault,
    shell_not_found,
)

log = logging.getLogger(__name__)

_BUFFER = 1 << 20
"""Bytes of output a command may be ahead of its client before it has to wait."""

_OPERATIONS = 1500
"""MaxConcurrentOperationsPerUser. Terminate gives the operations of a text shell not back (ansible#83656)."""

_NOT_SIMULATED = 70
_TERMINATED = 0xC000013A - (1 << 32)
"""STATUS_CONTROL_C_EXIT, the exit code of a console program that was stopped."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """Limits as in `winrm get winrm/config/winrs`; time in seconds."""

    shells_per_user: int = 30
    processes_per_shell: int = 25
    idle_timeout: float = 7200.0
    envelope_bytes: int = 500 * 1024


class Command:
    """One running command line: its input, its waiting output and, at the end, its exit code."""

    def __init__(self, machine: Any, line: str, shell: Shell) -> None:
        self.id = str(uuid.uuid4()).upper()
        self.stdin = InputPipe()
        self.exit_code: int | None = None
        self._machine = machine
        self._line = line
        self._shell = shell
        self._waiting: list[tuple[str, bytes]] = []
        self._size = 0
        self._changed = threading.Condition()
        self._observers: list[Callable[[], None]] = []
        self.process = Process(
            machine=machine,
            argv=[],
            env=copy.deepcopy(shell.environment),
            cwd=shell.directory,
            user=shell.user,
            stdin=self.stdin,
            stdout=OutputStream(lambda data: self._put("stdout", data)),
            stderr=OutputStream(lambda data: self._put("stderr", data)),
            codepage=shell.codepage,
        )

    def start(self) -> None:
        """Run in a thread of its own, so that long commands never keep others waiting."""
        name = f"{self._machine.name}: a command of {self._shell.user} over WinRM"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def observe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Be told of output and of the end, in the command's thread; returns how to stop that."""
        with self._changed:
            self._observers.append(callback)

        def stop() -> None:
            with self._changed:
                self._observers.remove(callback)

        return stop

    def take(self, limit: int) -> tuple[list[tuple[str, bytes]], int | None]:
        """Return waiting output up to `limit` bytes, and the exit code once all has been taken."""
        with self._changed:
            taken: list[tuple[str, bytes]] = []
            while self._waiting and limit > 0:
                stream, data = self._waiting.pop(0)
                if len(data) > limit:
                    self._waiting.insert(0, (stream, data[limit:]))
                    data = data[:limit]
                limit -= len(data)
                self._size -= len(data)
                if taken and taken[-1][0] == stream:
                    data = taken.pop()[1] + data
                taken.append((stream, data))
            self._changed.notify_all()
            return taken, None if self._waiting else self.exit_code

    def put_back(self, output: list[tuple[str, bytes]]) -> None:
        """Keep output for the next Receive: the connection it was meant for is gone."""
        with self._changed:
            self._waiting[:0] = output
            self._size += sum(len(data) for _, data in output)

    @property
    def ready(self) -> bool:
        """Whether a Receive has something to say."""
        return bool(self._waiting) or self.exit_code is not None

    def cancel(self) -> None:
        """Stop the command as ctrl+c or a closed console does."""
        self.process.cancelled.set()
        self.stdin.end()
        with self._changed:
            self._changed.notify_all()

    def _put(self, stream: str, data: bytes) -> None:
        with self._changed:
            while self._size >= _BUFFER and not self.process.cancelled.is_set():
                self._changed.wait()
            if self.process.cancelled.is_set():
                raise BrokenPipeError("the command was stopped")
            self._waiting.append((stream, data))
            self._size += len(data)
        self._tell()

    def _tell(self) -> None:
        for callback in list(self._observers):
            callback()

    def _run(self) -> None:
        code = _NOT_SIMULATED
        try:
            code = self._shell.remote.run(self._line, self.process)
        except NotSimulated as gap:
            self._complain(self._machine.lacks(gap))
        except BrokenPipeError:
            code = _TERMINATED
        except Exception:
            log.exception("%s: a command failed inside the lab", self._machine.name)
            self._complain("the lab failed here; `k8swin lab logs` has the details")
        with self._changed:
            self.exit_code = code
        self._tell()

    def _complain(self, text: str) -> None:
        try:
            self.process.err(f"{text}\r\n")
        except BrokenPipeError:
            log.info("%s: %s", self._machine.name, text)


@dataclass(slots=True)
class Shell:
    """One remote shell; `idle_timeout` in seconds."""

    user: str
    environment: dict[str, str]
    directory: str
    codepage: int
    no_profile: bool
    idle_timeout: float
    remote: RemoteShell
    id: str = field(default_factory=lambda: str(uuid.uuid4()).upper())
    commands: dict[str, Command] = field(default_factory=dict)
    operations: int = 0
    """Commands that were ever started in it."""
    used_at: float = field(default_factory=time.monotonic)
    started_at: float = field(default_factory=time.time)


class Shells:
    """All shells of one machine, whatever listener they came through."""

    def __init__(self, machine: Any, quotas: Quotas | None = None) -> None:
        self.machine = machine
        self.quotas = quotas or Quotas()
        self._shells: dict[str, Shell] = {}
        self._lock = threading.Lock()
        self._boot_id = machine.boot_id
        machine.observe(lambda _: self.update())

    def create(self, shell: Shell) -> Shell:
        """Add a shell.

        Raises:
            SoapFault: the user has as many shells as the quota allows.
        """
        self.update()
        with self._lock:
            mine = sum(other.user == shell.user for other in self._shells.values())
            most = self._shells_per_user()
            if mine >= most:
                shell.remote.close()
                raise SoapFault(
                    QUOTA_SHELLS,
                    "w:QuotaLimit",
                    "The WS-Management service cannot process the request. This user is allowed "
                    f"a maximum number of {most} concurrent shells, which "
                    "has been exceeded. Close existing shells or raise the quota for this user. ",
                    sender=False,
                )
            self._shells[shell.id] = shell
        return shell

    def _shells_per_user(self) -> int:
        """The quota in force: a smaller one that somebody set on the machine counts."""
        habits = getattr(self.machine, "winrm", None)
        return (habits and habits.shells_per_user) or self._quota(
            r"Shell\MaxShellsPerUser", self.quotas.shells_per_user
        )

    def _quota(self, path: str, default: int) -> int:
        registry = getattr(self.machine, "registry", None)
        return default if registry is None else quota(registry, path, default)

    def get(self, shell_id: str, user: str) -> Shell:
        """Return a user's shell.

        Raises:
            SoapFault: there is none, or none any more.
        """
        self.update()
        with self._lock:
            shell = self._shells.get(shell_id.upper())
            if shell is None or shell.user != user:
                raise shell_not_found(shell_id)
            shell.used_at = time.monotonic()
            return shell

    def command(self, shell: Shell, command_id: str) -> Command:
        """Return a command of a shell.

        Raises:
            SoapFault: there is none.
        """
        command = shell.commands.get(command_id.upper())
        if command is None:
            raise SoapFault(
                SHELL_NOT_FOUND,
                "w:InvalidSelectors",
                f"The Windows Remote Shell received a request for command {command_id}, which "
                f"does not exist in shell {shell.id}. ",
            )
        return command

    def run(self, shell: Shell, line: str) -> Command:
        """Start a command line.

        Raises:
            SoapFault: as many commands run as the quota allows.
        """
        running = sum(command.exit_code is None for command in shell.commands.values())
        processes = self._quota(r"Shell\MaxProcessesPerShell", self.quotas.processes_per_shell)
        if running >= processes:
            raise SoapFault(
                QUOTA_COMMANDS,
                "w:QuotaLimit",
                "The WS-Management service cannot process the request. The maximum number of "
                f"concurrent commands per shell is {processes}, which has "
                "been exceeded. Close existing commands or raise the quota. ",
                sender=False,
            )
        habits = getattr(self.machine, "winrm", None)
        most = (habits and habits.operations_per_shell) or self._quota(
            r"Service\MaxConcurrentOperationsPerUser", _OPERATIONS
        )
        shell.operations += 1
        if shell.operations > most:
            raise SoapFault(
                QUOTA_OPERATIONS,
                "w:QuotaLimit",
                "The WS-Management service cannot process the request. This user has exceeded the "
                f"maximum number of concurrent operations, which is {most}. Close existing operations "
                "for this user, or raise the quota for this user. ",
                sender=False,
            )
        command = Command(self.machine, line, shell)
        shell.commands[command.id] = command
        command.start()
        return command

    def delete(self, shell: Shell) -> None:
        """End a shell and everything that was started in it."""
        with self._lock:
            self._shells.pop(shell.id, None)
        for command in list(shell.commands.values()):
            command.cancel()
        # In a thread: to end a process may take a moment, and the server answers others meanwhile.
        name = f"{self.machine.name}: the end of a remote shell of {shell.user}"
        threading.Thread(target=shell.remote.close, name=name, daemon=True).start()

    def update(self) -> None:
        """Drop the shells of an earlier boot, and those nobody has used for their idle time."""
        now = time.monotonic()
        with self._lock:
            booted = self.machine.boot_id != self._boot_id or not self.machine.powered_on
            self._boot_id = self.machine.boot_id
            gone = [
                shell
                for shell in self._shells.values()
                if booted or now - shell.used_at > shell.idle_timeout
            ]
        for shell in gone:
            self.delete(shell)

    def close(self) -> None:
        """End every shell."""
        for shell in list(self._shells.values()):
            self.delete(shell)

    def __len__(self) -> int:
        return len(self._shells)
