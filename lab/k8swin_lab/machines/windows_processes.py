"""Processes of a simulated Windows: each a thread that runs a program, and the jobs that end together.

What a remote shell starts belongs to that shell's job and ends with it (the job object of WinRS); services,
scheduled tasks and processes made through WMI belong to no job.
"""

from __future__ import annotations

import io
import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from k8swin_lab.lasting import Lasting
from k8swin_lab.machines.base import RemoteShell
from k8swin_lab.machines.program import NotSimulated, Process, Reader, Writer

if TYPE_CHECKING:
    from k8swin_lab.machines.windows import WindowsMachine

_WINRS_HOST = "C:\\Windows\\System32\\winrshost.exe"

KILLED = 1
"""Exit code of a process that was ended by another one (TerminateProcess as taskkill and PowerShell call it)."""


OEM_CODEPAGE = 437
"""Code page of the console that services and tasks have."""

SERVICES = 616
"""Number of services.exe, the parent of what nobody else has started."""

COM_LAUNCHER = 760
"""Number of the svchost.exe that starts COM servers, such as winrshost.exe."""


class Null:
    """A stream to nowhere."""

    def write(self, data: bytes, /) -> int:
        return len(data)


@dataclass(slots=True)
class WindowsProcess:
    """One entry of the process table."""

    pid: int
    name: str  # "kubelet.exe"
    path: str
    command_line: str
    user: str
    parent: int
    started: float
    process: Process | None = None
    job: int = 0  # 0: in no job
    session: int = 0
    memory: int = 24 * 1024**2
    exit_code: int | None = None
    ended: threading.Event = field(default_factory=threading.Event)


class ProcessTable:
    """All running processes of one machine."""

    def __init__(self, machine: WindowsMachine) -> None:
        self._machine = machine
        self._pids = itertools.count(3216, 4)
        self._jobs = itertools.count(1)
        self._lock = threading.RLock()
        self.running: dict[int, WindowsProcess] = {}
        self.add_system()

    def add_system(self) -> None:
        """The processes that every boot has."""
        system = "C:\\Windows\\System32\\"
        fixed = [
            (0, "Idle", ""), (4, "System", ""), (92, "Registry", ""), (340, "smss.exe", "smss.exe"),
            (444, "csrss.exe", "csrss.exe"), (520, "wininit.exe", "wininit.exe"),
            (616, "services.exe", "services.exe"), (636, "lsass.exe", "lsass.exe"),
            (760, "svchost.exe", "svchost.exe"), (900, "svchost.exe", "svchost.exe"),
            (2104, "svchost.exe", "svchost.exe"), (2460, "MsMpEng.exe", "MsMpEng.exe"),
        ]  # fmt: skip
        with self._lock:
            for pid, name, file in fixed:
                path = system + file if file else ""
                if name == "MsMpEng.exe":
                    path = "C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\MsMpEng.exe"
                self.running[pid] = WindowsProcess(
                    pid,
                    name,
                    path,
                    path,
                    r"NT AUTHORITY\SYSTEM",
                    SERVICES if pid > SERVICES else 4 if pid > 4 else 0,
                    self._machine.now(),
                )

    def new_job(self) -> int:
        """A number for a job."""
        return next(self._jobs)

    def of(self, process: Process) -> WindowsProcess | None:
        """The table's entry of a running program."""
        with self._lock:
            return next(
                (entry for entry in list(self.running.values()) if entry.process is process), None
            )

    def job_with(self, cancelled: threading.Event) -> int:
        """The job of the programs that a client's `cancelled` event belongs to; 0 when they are in none."""
        with self._lock:
            for entry in list(self.running.values()):
                if entry.process is not None and entry.process.cancelled is cancelled and entry.job:
                    return entry.job
        return 0

    def parent_with(self, cancelled: threading.Event) -> int:
        """The youngest process of a client's `cancelled` event, which starts the next one; else that of services."""
        with self._lock:
            mine = [
                entry.pid
                for entry in list(self.running.values())
                if entry.process is not None and entry.process.cancelled is cancelled
            ]
        return mine[-1] if mine else SERVICES

    def enter(
        self, process: Process, *, job: int = 0, parent: int = SERVICES, command_line: str = ""
    ) -> WindowsProcess:
        """Put a program that is about to run into the table."""
        path = process.argv[0]
        name = path.replace("/", "\\").rpartition("\\")[2]
        if "." not in name:
            name += ".exe"
        with self._lock:
            entry = WindowsProcess(
                next(self._pids), name, path, command_line or join_command_line(process.argv), process.user, parent,
                self._machine.now(), process, job,
            )  # fmt: skip
            self.running[entry.pid] = entry
        return entry

    def leave(self, entry: WindowsProcess, code: int) -> None:
        """Take it out again."""
        with self._lock:
            self.running.pop(entry.pid, None)
        if entry.exit_code is None:
            entry.exit_code = code
        entry.ended.set()

    def start(
        self,
        argv: list[str],
        *,
        env: dict[str, str],
        cwd: str,
        user: str,
        stdout: Writer | None = None,
        stderr: Writer | None = None,
        stdin: Reader | None = None,
        job: int = 0,
        parent: int = SERVICES,
        command_line: str = "",
    ) -> WindowsProcess:
        """Start a program in a thread of its own; argv[0] is the full path of its file."""
        process = Process(
            self._machine,
            argv,
            env,
            cwd,
            user,
            stdin or io.BytesIO(),
            stdout or Null(),
            stderr or Null(),
            codepage=OEM_CODEPAGE,
        )
        entry = self.enter(process, job=job, parent=parent, command_line=command_line)
        self._go_on(entry, process)
        return entry

    def _go_on(self, entry: WindowsProcess, process: Process) -> None:
        Lasting(
            self._run,
            args=(entry, process),
            name=f"{self._machine.name}:{entry.name}",
            again=lambda _: self._go_on(entry, process),
            busy=lambda: self._busy(entry, process),
        ).start()

    def _within(self, process: Process) -> list[tuple[WindowsProcess, Process]]:
        """The processes of one thread, the outermost first: a script waits for its programs in its own thread."""
        with self._lock:
            return [
                (entry, entry.process)
                for entry in list(self.running.values())
                if entry.process is not None and entry.process.cancelled is process.cancelled
            ]

    def _busy(self, entry: WindowsProcess, process: Process) -> str:
        within = self._within(process)
        if not within or within[-1][1].waits:
            return ""
        return f"{self._machine.name}: {entry.name} (process {entry.pid})"

    def _run(self, entry: WindowsProcess, process: Process) -> None:
        code = KILLED
        inner = self._within(process)[
            1:
        ]  # only in a copy of the lab there are some at the beginning
        try:
            if inner:
                # The script that waited for the program is gone; it ends with it, and with its exit code.
                code = self._machine.run_program(inner[-1][1])
            else:
                code = self._machine.run_program(process)
        except NotSimulated as gap:
            process.err(f"{self._machine.lacks(gap)}\r\n")
            code = 70
        finally:
            for one, _ in reversed(inner):
                self.leave(one, code)
            self.leave(entry, code)

    def kill(self, entry: WindowsProcess, *, wait: float = 5) -> None:
        """End a process at once; what it still does is no longer seen."""
        if entry.process is not None:
            entry.process.cancelled.set()
            if entry.process is not None and not entry.ended.wait(0 if wait <= 0 else 0.001):
                entry.ended.wait(wait)
        entry.exit_code = KILLED if entry.exit_code is None else entry.exit_code
        with self._lock:
            self.running.pop(entry.pid, None)
        entry.ended.set()
        if entry.path == _WINRS_HOST:
            self.end_job(entry.job)  # the job has lost the handle that kept it

    def end_job(self, job: int) -> None:
        """End what a remote shell has left behind."""
        with self._lock:
            left = [entry for entry in list(self.running.values()) if entry.job == job]
        for entry in left:
            self.kill(entry)

    def lose_sessions(self) -> None:
        """Forget the hosts of remote shells: the server that held these shells is gone, and nothing runs in them."""
        with self._lock:
            for entry in list(self.running.values()):
                if entry.path == _WINRS_HOST:
                    self.leave(entry, KILLED)

    def end_all(self) -> None:
        """The machine goes down."""
        with self._lock:
            entries = [entry for entry in list(self.running.values()) if entry.process is not None]
        for entry in entries:
            if entry.process is not None:
                entry.process.cancelled.set()
        deadline = time.monotonic() + 5
        for entry in entries:
            if (
                entry.process is not None
                and threading.current_thread().name != f"{self._machine.name}:{entry.name}"
            ):
                entry.ended.wait(max(0.0, min(1.0, deadline - time.monotonic())))
        with self._lock:
            self.running.clear()


class WinrsHost(RemoteShell):
    """winrshost.exe, one for each remote shell: what runs in the shell is below it and in its job, and ends with it."""

    def __init__(self, machine: WindowsMachine, user: str) -> None:
        self._windows = machine
        self._job = machine.processes.new_job()
        process = Process(
            machine, [_WINRS_HOST], {}, "", user, io.BytesIO(), Null(), Null()
        )  # nothing reads or writes here: the service carries the streams
        self._entry = machine.processes.enter(
            process, job=self._job, parent=COM_LAUNCHER, command_line=f"{_WINRS_HOST} -Embedding"
        )

    def run(self, command: str, process: Process) -> int:
        return self._windows.command(command, process, job=self._job, parent=self._entry.pid)

    def close(self) -> None:
        self._windows.processes.leave(self._entry, 0)
        self._windows.processes.end_job(self._job)


def join_command_line(argv: list[str]) -> str:
    """One string as CreateProcess gets it."""
    return " ".join(f'"{part}"' if " " in part or not part else part for part in argv)
