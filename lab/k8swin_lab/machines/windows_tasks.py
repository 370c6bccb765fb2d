"""The task scheduler of a simulated Windows."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8swin_lab.machines.windows import WindowsMachine
    from k8swin_lab.machines.windows_processes import WindowsProcess

NEVER_RUN = 0x41303
RUNNING_NOW = 0x41301
FILE_NOT_FOUND = 0x80070002
TERMINATED = 0x41306

WELL_KNOWN = {
    "s-1-5-18": "SYSTEM",
    "system": "SYSTEM",
    r"nt authority\system": "SYSTEM",
    "localsystem": "SYSTEM",
    "s-1-5-19": "LOCAL SERVICE",
    "s-1-5-20": "NETWORK SERVICE",
}


@dataclass(slots=True)
class Action:
    execute: str
    arguments: str = ""
    working_directory: str = ""
    id: str = ""


@dataclass(slots=True)
class Trigger:
    kind: str  # Boot, Logon, Once, Daily, Registration
    start: float = 0  # seconds since the epoch; 0: no boundary
    delay: float = 0
    interval: float = 0
    enabled: bool = True


@dataclass(slots=True)
class Task:
    name: str
    path: str  # "\\" or "\\Folder\\"
    actions: list[Action]
    triggers: list[Trigger] = field(default_factory=list)
    user: str = "Administrator"
    logon_type: str = "Interactive"
    run_level: str = "Limited"
    description: str = ""
    enabled: bool = True
    instances: str = "IgnoreNew"
    time_limit: float = 72 * 3600
    last_result: int = NEVER_RUN
    last_run: float = 0
    missed: int = 0
    process: WindowsProcess | None = None
    settings: dict[str, object] = field(default_factory=dict)
    fired: set[int] = field(default_factory=set)

    @property
    def state(self) -> str:
        """Ready, Running or Disabled."""
        if self.process is not None and (
            self.last_result == RUNNING_NOW or not self.process.ended.is_set()
        ):
            return (
                "Running"  # also in the moment between the program's end and the note of its result
            )
        return "Ready" if self.enabled else "Disabled"


class Tasks:
    """All tasks of one machine; triggers of time fire when `tick` is called after their moment."""

    def __init__(self, machine: WindowsMachine) -> None:
        self._machine = machine
        self.all: dict[str, Task] = {}

    def find(self, name: str, path: str = "\\") -> Task | None:
        """A task by name and folder."""
        return self.all.get((path + name).lower())

    def register(self, task: Task) -> None:
        """Add or replace; a trigger of kind Registration fires at once."""
        self.all[(task.path + task.name).lower()] = task
        if any(t.kind == "Registration" for t in task.triggers):
            self.start(task)

    def unregister(self, task: Task) -> None:
        """Remove; a run that is under way goes on."""
        self.all.pop((task.path + task.name).lower(), None)

    def start(self, task: Task) -> None:
        """Run the actions one after the other, as the task's user, detached from the caller."""
        import threading

        if task.state == "Running" or not task.enabled:
            return
        task.last_run = self._machine.now()
        task.last_result = RUNNING_NOW
        started = threading.Event()
        threading.Thread(
            target=self._run,
            args=(task, started),
            name=f"{self._machine.name}: the task {task.name}",
            daemon=True,
        ).start()
        started.wait(5)

    def _run(self, task: Task, started: object) -> None:
        machine = self._machine
        env = machine.environment()
        user = WELL_KNOWN.get(task.user.lower(), task.user)
        account = rf"NT AUTHORITY\{user}" if user in WELL_KNOWN.values() else user
        if user == "SYSTEM":
            env.update(
                USERNAME=f"{machine.computer_name}$",
                USERPROFILE=r"C:\Windows\system32\config\systemprofile",
            )
            env.update(TEMP=r"C:\Windows\TEMP", TMP=r"C:\Windows\TEMP")
        for action in task.actions:
            program = machine.expand(action.execute.strip().strip('"'))
            path = machine.find_program(program, env["PATH"])
            if path is None or not machine.is_program(path):
                task.last_result = FILE_NOT_FOUND
                started.set()  # type: ignore[attr-defined]
                return
            line = machine.expand(action.arguments)
            entry = machine.processes.start(
                [path, *machine.split(line)], env=env, cwd=action.working_directory or r"C:\Windows\system32",
                user=account, command_line=f'"{path}" {line}'.strip(), parent=900,
            )  # fmt: skip
            task.process = entry
            started.set()  # type: ignore[attr-defined]
            limit = time.monotonic() + task.time_limit if task.time_limit else None
            while not entry.ended.wait(0.2):
                if limit is not None and time.monotonic() > limit:
                    machine.processes.kill(entry)
                    task.last_result = TERMINATED
                    return
            task.last_result = entry.exit_code or 0

    def stop(self, task: Task) -> None:
        """End the run that is under way."""
        if task.process is not None and not task.process.ended.is_set():
            self._machine.processes.kill(task.process)
            task.last_result = TERMINATED

    @property
    def served(self) -> bool:
        """Whether the service runs that knows tasks and starts them."""
        return self._machine.services.state("Schedule") == "Running"

    def at_boot(self) -> None:
        """Fire the triggers at startup."""
        for task in list(self.all.values()):
            task.process = None
            if self.served and any(t.kind == "Boot" and t.enabled for t in task.triggers):
                self.start(task)

    def tick(self) -> None:
        """Fire triggers whose moment has come."""
        now = self._machine.now()
        for task in list(self.all.values()) if self.served else ():
            for index, trigger in enumerate(task.triggers):
                due = trigger.kind == "Once" and trigger.start and now >= trigger.start
                if due and trigger.enabled and index not in task.fired:
                    task.fired.add(index)
                    self.start(task)
