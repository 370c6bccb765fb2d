r"""The service control manager of a simulated Windows.

A service's definition is its key under HKLM\SYSTEM\CurrentControlSet\Services, read at every start, so that
sc.exe, New-Service and a direct change of the registry come to the same. A start runs the program behind
ImagePath; that program must report to the manager (`connected`) within the time-out or the start fails with 1053.
Services of Windows itself have no program in the lab (`built_in`): they simply change state.
"""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from k8swin_lab.lasting import Lasting
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows_command_line import split_command_line

if TYPE_CHECKING:
    from k8swin_lab.machines.windows import WindowsMachine
    from k8swin_lab.machines.windows_processes import WindowsProcess

ROOT = r"HKLM\SYSTEM\CurrentControlSet\Services"
STOPPED, START_PENDING, STOP_PENDING, RUNNING, PAUSED = (
    "Stopped",
    "StartPending",
    "StopPending",
    "Running",
    "Paused",
)
STATE_NUMBERS = {STOPPED: 1, START_PENDING: 2, STOP_PENDING: 3, RUNNING: 4, PAUSED: 7}
START_TYPES = {0: "Boot", 1: "System", 2: "Automatic", 3: "Manual", 4: "Disabled"}
_ACTIONS = ("none", "restart", "reboot", "run")

MESSAGES = {
    2: "The system cannot find the file specified.",
    3: "The system cannot find the path specified.",
    5: "Access is denied.",
    87: "The parameter is incorrect.",
    193: "%1 is not a valid Win32 application.",
    1051: "A stop control has been sent to a service that other running services are dependent on.",
    1053: "The service did not respond to the start or control request in a timely fashion.",
    1056: "An instance of the service is already running.",
    1058: "The service cannot be started, either because it is disabled or because it has no enabled devices "
    "associated with it.",
    1060: "The specified service does not exist as an installed service.",
    1061: "The service cannot accept control messages at this time.",
    1062: "The service has not been started.",
    1066: "The service has returned a service-specific error code.",
    1067: "The process terminated unexpectedly.",
    1068: "The dependency service or group failed to start.",
    1072: "The specified service has been marked for deletion.",
    1073: "The specified service already exists.",
    1075: "The dependency service does not exist or has been marked for deletion.",
    1078: "The name is already in use as either a service name or a service display name.",
}


class ServiceError(Exception):
    """`code` is the Win32 error; the text is Windows' own."""

    def __init__(self, code: int) -> None:
        super().__init__(MESSAGES.get(code, f"Error {code}"))
        self.code = code


@dataclass(slots=True)
class Runtime:
    """What the manager knows of a service besides its definition."""

    state: str = STOPPED
    entry: WindowsProcess | None = None
    exit_code: int = 1077  # ERROR_SERVICE_NEVER_STARTED
    ready: threading.Event = field(default_factory=threading.Event)
    stopping: bool = False
    failures: int = 0


class Services:
    """All services of one machine."""

    def __init__(self, machine: WindowsMachine) -> None:
        self._machine = machine
        self._registry = machine.registry
        self._runtime: dict[str, Runtime] = {}
        self.of_windows: set[str] = set()
        """Names (lower case) of the services that are parts of Windows and have no program in the lab."""
        self.start_timeout = 30.0
        """Seconds that a program has to report itself; Windows' ServicesPipeTimeout."""

    # --- definitions

    def names(self) -> list[str]:
        """Names of all Win32 services (drivers are left out), sorted."""
        return [name for name in self._registry.subkeys(ROOT) if self.value(name, "Type", 0) & 0x30]

    def find(self, name: str) -> str | None:
        """The registered spelling of a name, or None."""
        key = self._registry.key(f"{ROOT}\\{name}") if name else None
        return key.name if key is not None and "type" in key.values else None

    def require(self, name: str) -> str:
        """As `find`, or error 1060."""
        found = self.find(name)
        if found is None:
            raise ServiceError(1060)
        return found

    def value(self, name: str, value: str, default: Any = None) -> Any:
        """A value of the service's key."""
        return self._registry.get(f"{ROOT}\\{name}", value, default)

    def set_value(self, name: str, value: str, content: Any, kind: str = "") -> None:
        """Change the definition."""
        self._registry.set(f"{ROOT}\\{name}", value, content, kind)

    def display_name(self, name: str) -> str:
        return str(self.value(name, "DisplayName") or name)

    def by_display_name(self, text: str) -> str | None:
        """The service with that display name."""
        return next((n for n in self.names() if self.display_name(n).lower() == text.lower()), None)

    def start_type(self, name: str) -> str:
        """Automatic, Manual, Disabled, Boot or System."""
        return START_TYPES.get(int(self.value(name, "Start", 3)), "Manual")

    def depends_on(self, name: str) -> list[str]:
        """Names of the services that must run first."""
        return [str(n) for n in self.value(name, "DependOnService", []) if n]

    def dependents(self, name: str) -> list[str]:
        """Services that need this one."""
        return [n for n in self.names() if name.lower() in (d.lower() for d in self.depends_on(n))]

    def create(
        self,
        name: str,
        image_path: str,
        *,
        display_name: str = "",
        start: int = 3,
        account: str = "LocalSystem",
        depends: list[str] | None = None,
        description: str = "",
        delayed: bool = False,
    ) -> None:
        """Register a service.

        Raises:
            ServiceError: 1073 or 1078 when the name or display name is taken.
        """
        if self.find(name) is not None:
            raise ServiceError(1073)
        if display_name and self.by_display_name(display_name) is not None:
            raise ServiceError(1078)
        for value, content, kind in (
            ("Type", 0x10, "REG_DWORD"),
            ("Start", start, "REG_DWORD"),
            ("ErrorControl", 1, "REG_DWORD"),
            ("ImagePath", image_path, "REG_EXPAND_SZ"),
            ("DisplayName", display_name or name, "REG_SZ"),
            ("ObjectName", account, "REG_SZ"),
        ):
            self.set_value(name, value, content, kind)
        if depends:
            self.set_value(name, "DependOnService", depends, "REG_MULTI_SZ")
        if description:
            self.set_value(name, "Description", description, "REG_SZ")
        if delayed:
            self.set_value(name, "DelayedAutostart", 1, "REG_DWORD")

    def delete(self, name: str) -> None:
        """Remove a service; one that still runs is marked and goes when it stops."""
        name = self.require(name)
        if self.state(name) == STOPPED:
            self._registry.delete(f"{ROOT}\\{name}")
            self._runtime.pop(name.lower(), None)
        elif self.value(name, "DeleteFlag"):
            raise ServiceError(1072)
        else:
            self.set_value(name, "DeleteFlag", 1, "REG_DWORD")

    # --- state

    def runtime(self, name: str) -> Runtime:
        """What is known of it; every name has one."""
        return self._runtime.setdefault(name.lower(), Runtime())

    def state(self, name: str) -> str:
        """Stopped, StartPending, StopPending, Running or Paused."""
        return self.runtime(name).state

    def process_id(self, name: str) -> int:
        """0 when it does not run."""
        entry = self.runtime(name).entry
        if entry is not None:
            return entry.pid
        return 900 if self.state(name) == RUNNING else 0

    def built_in(self, name: str) -> bool:
        """Whether it is a part of Windows that has no program in the lab."""
        return name.lower() in self.of_windows

    def service_of(self, process: Process) -> str | None:
        """The service that a program was started as, or None when it was not started by the manager."""
        with self._machine.lock:  # the entry is set under it
            items = list(self._runtime.items())
        for name, runtime in items:
            if runtime.entry is not None and runtime.entry.process is process:
                return self.find(name) or name
        return None

    def connected(self, process: Process, state: str = RUNNING) -> str | None:
        """A program reports that it is up (StartServiceCtrlDispatcher and SetServiceStatus).

        Returns the service's name, or None when the manager did not start this program.
        """
        name = self.service_of(process)
        if name is not None:
            runtime = self.runtime(name)
            runtime.state = state
            runtime.ready.set()
        return name

    # --- control

    def start(self, name: str, arguments: list[str] | None = None) -> None:
        """Start a service and what it depends on, and wait until it reports.

        Raises:
            ServiceError: With the code that StartService gives.
        """
        name = self.require(name)
        runtime = self.runtime(name)
        if self.value(name, "DeleteFlag"):
            raise ServiceError(1072)
        if self.start_type(name) == "Disabled":
            raise ServiceError(1058)
        if runtime.state != STOPPED:
            raise ServiceError(1056)
        for needed in self.depends_on(name):
            if self.find(needed) is None:
                raise ServiceError(1075)
            if self.state(needed) == STOPPED:
                try:
                    self.start(needed)
                except ServiceError as error:
                    raise ServiceError(1068) from error
        if self.built_in(name):
            runtime.state, runtime.exit_code = RUNNING, 0
            return
        self._launch(name, runtime, arguments or [])

    def _launch(self, name: str, runtime: Runtime, arguments: list[str]) -> None:
        machine = self._machine
        image = machine.expand(str(self.value(name, "ImagePath", "")))
        argv = command_of(image, machine.files.exists)
        path = machine.find_program(argv[0], machine.environment()["PATH"]) if argv else None
        if path is None:
            raise ServiceError(2)
        if not machine.is_program(path):
            raise ServiceError(193)
        account = str(self.value(name, "ObjectName", "LocalSystem"))
        env = machine.environment()
        env.update(
            TEMP=r"C:\Windows\TEMP", TMP=r"C:\Windows\TEMP", USERNAME=f"{machine.computer_name}$"
        )
        env["USERPROFILE"] = r"C:\Windows\system32\config\systemprofile"
        for pair in self.value(name, "Environment", []):
            variable, _, text = str(pair).partition("=")
            env[variable.upper()] = text
        runtime.ready.clear()
        runtime.stopping = False
        runtime.state = START_PENDING
        gate = threading.Event()
        user = r"NT AUTHORITY\SYSTEM" if account.lower() == "localsystem" else account
        with machine.lock:
            runtime.entry = machine.processes.start(
                [path, *argv[1:], *arguments],
                env=env,
                cwd=r"C:\Windows\system32",
                user=user,
                command_line=image,
            )
        entry = runtime.entry
        self._watch_on(name, runtime, entry, gate)
        waited = 0.0
        while (
            not runtime.ready.is_set() and not entry.ended.is_set() and waited < self.start_timeout
        ):
            runtime.ready.wait(0.02)
            waited += 0.02
        if not runtime.ready.is_set():
            runtime.stopping = True
            machine.processes.kill(entry)
            gate.wait(5)
            raise ServiceError(1053)

    def _watch_on(
        self, name: str, runtime: Runtime, entry: WindowsProcess, gate: threading.Event
    ) -> None:
        Lasting(
            self._watch,
            name=f"{self._machine.name}: service {name}",
            args=(name, runtime, entry, gate),
            again=lambda _: self._watch_on(name, runtime, entry, gate),
            busy=lambda: f"the end of the service {name}" if entry.ended.is_set() else "",
        ).start()

    def _watch(
        self, name: str, runtime: Runtime, entry: WindowsProcess, gate: threading.Event
    ) -> None:
        entry.ended.wait()
        if runtime.entry is not entry:
            gate.set()
            return
        reported = runtime.ready.is_set()
        runtime.entry = None
        runtime.state = STOPPED
        runtime.exit_code = 0 if runtime.stopping and reported else (entry.exit_code or 0)
        if not reported:
            runtime.exit_code = 1053
        gate.set()
        self._machine.service_ended(name, runtime.exit_code, stopped=runtime.stopping)
        if self.find(name) is not None and self.value(name, "DeleteFlag"):
            self._registry.delete(f"{ROOT}\\{name}")
        elif reported and not runtime.stopping and self._machine.powered_on:
            self._recover(name, runtime, entry)

    def _recover(self, name: str, runtime: Runtime, entry: WindowsProcess) -> None:
        """Do what `sc failure` asked for; by default only when the program ended without saying goodbye."""
        actions = self.recovery(name)
        if not actions:
            return
        kind, delay = actions[min(runtime.failures, len(actions) - 1)]
        runtime.failures += 1
        boot = self._machine.boot_id
        if kind == "restart":
            self._machine.pause(delay / 1000)
            if self._machine.boot_id == boot and runtime.state == STOPPED and not runtime.stopping:
                try:
                    self.start(name)
                except ServiceError:
                    return

    def recovery(self, name: str) -> list[tuple[str, int]]:
        """Actions of `sc failure`: (restart, reboot, run or none; delay in milliseconds)."""
        packed = self.value(name, "FailureActions", b"")
        words = struct.unpack(f"<{len(packed) // 4}I", packed) if packed else ()
        return [(_ACTIONS[words[i]], words[i + 1]) for i in range(5, len(words) - 1, 2)]

    def set_recovery(self, name: str, reset_seconds: int, actions: list[tuple[str, int]]) -> None:
        """Store the actions as SERVICE_FAILURE_ACTIONS, the binary form that Windows keeps."""
        words = [reset_seconds, 0, 0, len(actions), 0x14]
        for kind, delay in actions:
            words += [_ACTIONS.index(kind), delay]
        self.set_value(name, "FailureActions", struct.pack(f"<{len(words)}I", *words), "REG_BINARY")

    def stop(self, name: str, *, force: bool = False) -> None:
        """Stop a service; with `force` also those that depend on it.

        Raises:
            ServiceError: 1062 when it does not run, 1051 when running services need it.
        """
        name = self.require(name)
        runtime = self.runtime(name)
        if runtime.state == STOPPED:
            raise ServiceError(1062)
        needing = [n for n in self.dependents(name) if self.state(n) != STOPPED]
        if needing and not force:
            raise ServiceError(1051)
        for dependent in needing:
            self.stop(dependent, force=True)
        runtime.stopping = True
        entry = runtime.entry
        if entry is None:
            runtime.state, runtime.exit_code = STOPPED, 0
            self._machine.service_ended(name, 0, stopped=True)
            return
        runtime.state = STOP_PENDING
        self._machine.processes.kill(entry)
        for _ in range(250):
            if runtime.state == STOPPED:
                return
            self._machine.pause(0.02)
        raise ServiceError(1053)

    def start_automatic(self) -> None:
        """What a boot does: everything automatic, those with a delay after the others."""
        automatic = [n for n in self.names() if self.start_type(n) == "Automatic"]
        automatic.sort(key=lambda n: int(self.value(n, "DelayedAutostart", 0)))
        for name in automatic:
            if self.state(name) == STOPPED and not self.built_in(name):
                self.start_at_boot(name)

    def start_at_boot(self, name: str) -> None:
        """Start a service; that it cannot be is an entry of the event log."""
        try:
            self.start(name)
        except ServiceError as error:
            self._machine.log_event(
                "System", "Service Control Manager", 7000, "Error",
                f"The {self.display_name(name)} service failed to start due to the following error: \r\n{error}",
            )  # fmt: skip

    def ask(self, name: str) -> None:
        """Ask something of a service that Windows starts when somebody asks it, as those of COM.

        Raises:
            ServiceError: as `start`, 1058 when it is disabled.
        """
        if self.find(name) is not None and self.state(name) == STOPPED:
            self.start(name)

    def forget(self) -> None:
        """A reboot: nothing runs."""
        self._runtime.clear()


def command_of(image: str, exists: Any) -> list[str]:
    """Cut an ImagePath; without quotes, Windows tries every space as the end of the program's path."""
    if image.startswith('"') or " " not in image:
        return split_command_line(image)
    words = image.split(" ")
    for count in range(1, len(words) + 1):
        candidate = " ".join(words[:count])
        for path in (candidate, candidate + ".exe"):
            if exists(path) and "." in path.rpartition("\\")[2]:
                return [path, *split_command_line(" ".join(words[count:]))]
    return split_command_line(image)
