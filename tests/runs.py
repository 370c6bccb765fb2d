"""Real runs of phases over hosts that answer what a test says, instead of machines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from k8swin_nb.description import Description, check_description
from k8swin_nb.hosts import inventory_of
from k8swin_nb.inventory import Host
from k8swin_nb.phases.values import VALUES
from k8swin_nb.plan import network_plan
from k8swin_nb.transports.base import CANCELLED, End, Transport, Work
from k8swin_nb.transports.output import Output
from k8swin_nb.workflow.host_lock import HostLocks
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.record import Record
from k8swin_nb.workflow.step import State, Step, Verdict
from k8swin_nb.workflow.step_run import StepRun
from tests.test_description import described

Answer = str | tuple[int, str] | Exception | Callable[[Host, Work], Any] | list[Any]
"""Text with exit code 0, exit code and text, what is raised, what works one out, or several in turn."""

ALL_SCRIPTS = "*"
"""Answers every script that has no answer of its own."""


class _Told(Transport):
    """A transport whose every script ends as the test says."""

    def __init__(self, host: Host, hosts: Hosts) -> None:
        super().__init__(host)
        self.hosts = hosts

    def _run(self, work: Work, output: Output) -> End:
        return self.hosts.end(self.host, work, output)

    def _close(self, *, abandon: bool = False) -> None:
        self.hosts.note(self.host, "reconnect" if abandon else "close")


class _Bash(_Told):
    interpreter: ClassVar[Any] = "bash"


class _PowerShell(_Told):
    interpreter: ClassVar[Any] = "powershell"


class Unlocked(HostLocks):
    """Locks that nobody else wants: hosts of a test are its own."""

    def take(self, at: StepRun) -> bool:
        return False

    def holds(self, host: Host) -> bool:
        return True

    def release(self) -> None:
        """There is nothing to let go."""


class Hosts:
    """Connections to hosts whose scripts answer by name; a name of `silent` raises what it is given.

    Args:
        answers: By the script's name; a host's name and a colon before it make it that host's alone.
        silent: By host, what every script there raises.
    """

    def __init__(
        self,
        answers: Mapping[str, Answer] | None = None,
        *,
        silent: Mapping[str, Exception] | None = None,
    ) -> None:
        self.answers = dict(answers or {})
        self.silent = dict(silent or {})
        self.asked: list[tuple[str, str]] = []
        """Host and script, or what else was done to the connection, in order."""
        self.works: list[Work] = []
        self._lock = threading.Lock()

    def transport(self, host: Host) -> Transport:
        return (_PowerShell if host.os == "windows" else _Bash)(host, self)

    def close(self) -> None:
        """There is nothing open."""

    @property
    def scripts(self) -> list[str]:
        """What was asked, without the hosts."""
        return [name for _, name in self.asked]

    def note(self, host: Host, what: str) -> None:
        with self._lock:
            self.asked.append((host.name, what))

    def end(self, host: Host, work: Work, output: Output) -> End:
        self.note(host, work.script.name)
        self.works.append(work)
        if host.name in self.silent:
            raise self.silent[host.name]
        answer: Any = self._answer(host, work.script.name)
        if callable(answer):
            answer = answer(host, work)
        if isinstance(answer, Exception):
            raise answer
        if work.cancel.is_set():
            return End(CANCELLED)
        code, text = (0, answer) if isinstance(answer, str) else answer
        output.feed("stdout", text.encode())
        return End(code)

    def _answer(self, host: Host, name: str) -> Any:
        for key in (f"{host.name}:{name}", name, f"{host.name}:{ALL_SCRIPTS}", ALL_SCRIPTS):
            if key in self.answers:
                found = self.answers[key]
                return found.pop(0) if isinstance(found, list) else found
        raise AssertionError(f"nobody expected that {host.name} is asked `{name}`")


def phase_of(*steps: Step, **more: Any) -> Phase:
    """Return a phase of nothing but these steps."""
    return Phase(**{"name": "phase", "title": "Phase", "steps": steps, **more})


def make_run(
    folder: Path | None = None,
    connections: Hosts | None = None,
    *,
    phase: Phase | None = None,
    description: Description | None = None,
    dry_run: bool = False,
    target: str = "",
    options: Mapping[str, Any] | None = None,
    **changes: Any,
) -> PhaseRun:
    """Return a run of a phase on hosts that answer what `connections` says.

    Args:
        folder: Where the record is kept, and, in `params`, where the description lies; without it the run
            can be asked, but nothing can be done on a host.
        connections: The hosts; without them no script may run.
        phase: Its steps; by default none.
        description: The description; by default `described()` with `changes`.
        dry_run: As `PhaseRun`, and so are `target` and `options`.
        changes: Parameters of the description.
    """
    if description is None:
        place = folder and folder / "params"
        if place:
            place.mkdir(exist_ok=True)
        description = check_description(described(**changes), folder=place)
    return PhaseRun(
        phase=phase or phase_of(),
        description=description,
        plan=network_plan(description),
        inventory=inventory_of(description),
        connections=connections or Hosts(),
        record=Record(folder, "run", "notebook") if folder else None,
        values=VALUES,
        target=target,
        dry_run=dry_run,
        options=options,
    )


def at(run: PhaseRun, name: str = "", step: str = "step", **how: Any) -> StepRun:
    """Return what a step's functions are given on a host; by default the control plane's."""
    return run.at(run.inventory.host(name) if name else run.master, step, **how)


class Machine:
    """A thing that is wanted to be on, and counts what was done to it."""

    def __init__(self, state: State = State.NEEDED, *, applies: bool = True) -> None:
        self.state = state
        self.applies = applies
        self.calls: list[str] = []

    def check(self, at: StepRun) -> Verdict:
        self.calls.append(f"check {at.host.name}")
        return Verdict(self.state, f"it is {self.state}")

    def apply(self, at: StepRun) -> None:
        self.calls.append(f"apply {at.host.name}")
        if self.applies:
            self.state = State.OK

    def step(self, **changes: Any) -> Step:
        return Step(
            **{
                "name": "switch",
                "title": "It is on",
                "on": "all",
                "check": self.check,
                "apply": self.apply,
                **changes,
            }
        )
