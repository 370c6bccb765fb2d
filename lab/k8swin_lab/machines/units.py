"""systemd as scripts see it: unit files on the machine's disk, and which units run.

What is enabled or masked is what the links under /etc/systemd/system say, as with the real one. What
a service does once it runs is said by `daemons`, by the program that the unit starts.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from k8swin_lab.machines.disk import Disk
from k8swin_lab.machines.kernel import SwapArea
from k8swin_lab.machines.unit_commands import UnitEnvironmentError, run_beside

if TYPE_CHECKING:
    from k8swin_lab.machines.linux import LinuxMachine

_DIRECTORIES = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
)
Settings = dict[str, dict[str, list[str]]]

Daemon = Callable[["LinuxMachine", "Unit"], str | None]
"""Starts what a service does; returns None when it runs, else its last words before it ends."""


@dataclass(slots=True)
class Unit:
    """A unit as its files describe it."""

    name: str
    path: str  # of the unit file; "" when something generated it
    settings: Settings = field(default_factory=dict)
    drop_ins: list[str] = field(default_factory=list)
    masked: bool = False

    def get(self, section: str, key: str, default: str = "") -> str:
        """Return the last value of a setting."""
        return (self.settings.get(section, {}).get(key) or [default])[-1]

    @property
    def description(self) -> str:
        return self.get("Unit", "Description", self.name)

    @property
    def program(self) -> str:
        """The path of the program that the service starts."""
        words = self.get("Service", "ExecStart").lstrip("-@+!:").split()
        return words[0] if words else ""


@dataclass(slots=True)
class RunState:
    """Whether a unit runs."""

    active: str = "inactive"
    sub: str = "dead"
    since: float = 0.0
    pid: int = 0
    result: str = "success"
    restarts: int = 0
    last_pid: int = 0
    status: int = 0


class UnitError(Exception):
    """What systemctl says; `code` is its exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


class Units:
    """The units of one machine."""

    def __init__(self, machine: LinuxMachine, daemons: dict[str, Daemon]) -> None:
        self._machine = machine
        self._daemons = daemons
        self.states: dict[str, RunState] = {}
        self._pids = itertools.count(412, 7)

    # Files

    def load(self, name: str) -> Unit | None:
        """Read a unit's files; None when there is no such unit."""
        if name.endswith(".swap"):
            return self._swap_unit(name)
        for directory in _DIRECTORIES:
            path = self._host(f"{directory}/{name}")
            if path.is_symlink() and str(path.readlink()) == "/dev/null":
                return Unit(name, f"{directory}/{name}", masked=True)
            if path.is_symlink():
                target = self._disk.real(f"{directory}/{name}")
                if target.rpartition("/")[2] != name and self._host(target).is_file():
                    return self.load(target.rpartition("/")[2])
            if self._disk.is_file(f"{directory}/{name}"):
                return self._read(name, f"{directory}/{name}")
        return None

    def _read(self, name: str, path: str) -> Unit:
        unit = Unit(name, path)
        _parse(self._disk.host(path).read_text(errors="replace"), unit.settings)
        found: dict[str, str] = {}
        for directory in reversed(_DIRECTORIES):
            folder = f"{directory}/{name}.d"
            if self._disk.is_dir(folder):
                for entry in self._disk.list(folder):
                    if entry.endswith(".conf"):
                        found[entry] = f"{folder}/{entry}"
        for entry in sorted(found):
            unit.drop_ins.append(found[entry])
            _parse(self._disk.host(found[entry]).read_text(errors="replace"), unit.settings)
        return unit

    def _swap_unit(self, name: str) -> Unit | None:
        mask = self._host(f"/etc/systemd/system/{name}")
        masked = mask.is_symlink() and str(mask.readlink()) == "/dev/null"
        for area in self._swap_lines():
            if swap_unit_name(area) == name:
                path = f"/run/systemd/generator/{name}"
                return Unit(name, path, {"Unit": {"Description": [area]}}, masked=masked)
        for used in self._machine.kernel.swap:
            if swap_unit_name(used.name) == name:
                return Unit(name, "", {"Unit": {"Description": [used.name]}}, masked=masked)
        return Unit(name, f"/etc/systemd/system/{name}", masked=True) if masked else None

    def _swap_lines(self) -> list[str]:
        return [line[0] for line in self._machine.fstab() if line[2] == "swap"]

    def names(self) -> list[str]:
        """Return the names of all unit files and generated units."""
        found: set[str] = set()
        for directory in _DIRECTORIES:
            if self._disk.is_dir(directory):
                found |= {
                    entry
                    for entry in self._disk.list(directory)
                    if entry.endswith((".service", ".socket", ".timer", ".target", ".swap"))
                    and not self._disk.is_dir(f"{directory}/{entry}")
                }
        found |= {swap_unit_name(area) for area in self._swap_lines()}
        found |= {swap_unit_name(area.name) for area in self._machine.kernel.swap}
        return sorted(found)

    def file_state(self, unit: Unit) -> str:
        """Return what `systemctl is-enabled` prints."""
        if unit.masked:
            return "masked"
        if unit.name.endswith(".swap"):
            return "generated"
        if "Install" not in unit.settings:
            return "static"
        return "enabled" if any(self._is_link(link) for link in self._links(unit)) else "disabled"

    def _links(self, unit: Unit) -> list[str]:
        links = []
        for key, ending in (("WantedBy", "wants"), ("RequiredBy", "requires")):
            for value in unit.settings.get("Install", {}).get(key, []):
                links += [
                    f"/etc/systemd/system/{target}.{ending}/{unit.name}" for target in value.split()
                ]
        for value in unit.settings.get("Install", {}).get("Alias", []):
            links += [f"/etc/systemd/system/{alias}" for alias in value.split()]
        return links

    def enable(self, unit: Unit) -> list[str]:
        """Make the links of a unit; returns what systemctl prints."""
        said = []
        for link in self._links(unit):
            if not self._is_link(link):
                path = self._host(link)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                path.symlink_to(unit.path)
                said.append(f"Created symlink {link} → {unit.path}.")
        return said

    def disable(self, unit: Unit) -> list[str]:
        """Remove the links of a unit; returns what systemctl prints."""
        said = []
        for link in self._links(unit):
            if self._is_link(link):
                self._host(link).unlink()
                said.append(f'Removed "{link}".')
        return said

    def mask(self, name: str) -> list[str]:
        """Link a unit to /dev/null."""
        path = self._host(f"/etc/systemd/system/{name}")
        if path.is_symlink() and str(path.readlink()) == "/dev/null":
            return []
        if path.exists() and not path.is_symlink():
            text = f"Failed to mask unit: File /etc/systemd/system/{name} already exists."
            raise UnitError(text)
        path.unlink(missing_ok=True)
        path.symlink_to("/dev/null")
        return [f"Created symlink /etc/systemd/system/{name} → /dev/null."]

    def unmask(self, name: str) -> list[str]:
        """Take the link to /dev/null away."""
        path = self._host(f"/etc/systemd/system/{name}")
        if path.is_symlink() and str(path.readlink()) == "/dev/null":
            path.unlink()
            return [f'Removed "/etc/systemd/system/{name}".']
        return []

    # Running

    def state(self, name: str) -> RunState:
        """Return whether a unit runs, after restarts that were due."""
        if name.endswith(".swap"):
            used = any(swap_unit_name(area.name) == name for area in self._machine.kernel.swap)
            return RunState("active", "active", self._machine.booted_at) if used else RunState()
        state = self.states.get(name, RunState())
        if state.sub == "auto-restart" and (unit := self.load(name)):
            delay = float(unit.get("Service", "RestartSec", "0.1").rstrip("s") or 0)
            if time.time() - state.since >= delay:
                state.restarts += 1
                self._log(unit, f"Scheduled restart job, restart counter is at {state.restarts}.")
                self._launch(unit, state)
        return state

    def start(self, name: str) -> None:
        """Start a unit.

        Raises:
            UnitError: there is no such unit, it is masked, or it failed while it started.
        """
        unit = self._startable(name, "start")
        if name.endswith(".swap"):
            self._machine.swap_on(unit.description)
            return
        state = self.states.setdefault(unit.name, RunState())
        if state.active == "active":
            return
        state.restarts = 0
        self._launch(unit, state)
        notifies = unit.get("Service", "Type", "simple") in ("notify", "forking", "oneshot", "dbus")
        if state.active != "active" and notifies:
            raise UnitError(
                f"Job for {unit.name} failed because the control process exited with error code.\n"
                f'See "systemctl status {unit.name}" and "journalctl -xeu {unit.name}" for details.'
            )

    def _startable(self, name: str, verb: str) -> Unit:
        unit = self.load(name)
        if unit is None:
            raise UnitError(f"Failed to {verb} {name}: Unit {name} not found.", 5)
        if unit.masked:
            raise UnitError(f"Failed to {verb} {name}: Unit {name} is masked.")
        return unit

    def _launch(self, unit: Unit, state: RunState) -> None:
        state.pid, state.since = next(self._pids), time.time()
        kind = unit.get("Service", "Type", "simple")
        path = unit.program
        name = self._machine.program_name(path) if path else "true"
        if name is None and not path.startswith(
            ("/lib/systemd/", "/usr/lib/systemd/", "/usr/bin/dbus")
        ):
            self._fail(
                unit, state, f"Failed to locate executable {path}: No such file or directory", 203
            )
            return
        daemon = self._daemons.get(name or "")
        try:
            last_words = run_beside(self._machine, unit, "ExecStartPre")
            if last_words is None and daemon:
                last_words = daemon(self._machine, unit)
            if last_words is None:
                last_words = run_beside(self._machine, unit, "ExecStartPost")
        except UnitEnvironmentError as error:
            self._fail(unit, state, str(error), 1)
            return
        if last_words is not None:
            self._machine.journal.write(unit.name, name or "", state.pid, last_words)
            self._fail(unit, state, f"Main process exited, code=exited, status={1}/FAILURE", 1)
            return
        state.active, state.result, state.last_pid = "active", "success", state.pid
        state.sub = "exited" if kind == "oneshot" else "running"
        verb = "Finished" if kind == "oneshot" else "Started"
        self._machine.journal.write(
            unit.name, "systemd", 1, f"{verb} {unit.name} - {unit.description}."
        )
        self._machine.changed()

    def _fail(self, unit: Unit, state: RunState, text: str, status: int) -> None:
        self._log(unit, text)
        self._log(unit, "Failed with result 'exit-code'.")
        state.result, state.last_pid, state.pid, state.status = "exit-code", state.pid, 0, status
        again = unit.get("Service", "Restart") in ("always", "on-failure")
        state.active, state.sub = ("activating", "auto-restart") if again else ("failed", "failed")

    def stop(self, name: str) -> None:
        """Stop a unit.

        Raises:
            UnitError: there is no such unit.
        """
        unit = self.load(name)
        if unit is None:
            raise UnitError(f"Failed to stop {name}: Unit {name} not loaded.", 5)
        if name.endswith(".swap"):
            self._machine.swap_off(unit.description)
            return
        state = self.states.get(unit.name)
        if state is None or state.active in ("inactive", "failed"):
            return
        state.active, state.sub, state.pid, state.since = "inactive", "dead", 0, time.time()
        state.result = "success"
        self._machine.journal.write(
            unit.name, "systemd", 1, f"Stopped {unit.name} - {unit.description}."
        )
        self._machine.service_stopped(self._machine.program_name(unit.program) or "")
        self._machine.changed()

    def restart(self, name: str) -> None:
        """Stop a unit if it runs, and start it."""
        unit = self._startable(name, "restart")
        if unit.name in self.states:
            self.stop(unit.name)
        self.start(name)

    def power_off(self) -> None:
        """Forget what ran."""
        self.states.clear()

    def boot(self) -> None:
        """Start what is enabled, in alphabetical order; failures are in the journal."""
        for name in self.names():
            unit = self.load(name)
            if unit is None or unit.masked or not name.endswith(".service") or unit.name != name:
                continue
            state = self.file_state(unit)
            # Static services of a fresh machine are those that others pull in at boot.
            if state == "enabled" or (state == "static" and name.startswith(("systemd-", "dbus"))):
                try:
                    self.start(name)
                except UnitError:
                    continue

    # Small parts

    @property
    def _disk(self) -> Disk:
        return Disk(self._machine, "/")

    def _host(self, path: str) -> Path:
        folder, _, name = path.rpartition("/")
        try:
            return self._disk.host(folder) / name
        except OSError:
            return self._machine.root / path.lstrip("/")

    def _is_link(self, path: str) -> bool:
        return os.path.lexists(self._host(path))

    def _log(self, unit: Unit, text: str) -> None:
        self._machine.journal.write(unit.name, "systemd", 1, f"{unit.name}: {text}")


def swap_unit_name(area: str) -> str:
    """Return the unit of a swap area: /swap.img is swap.img.swap, /dev/sda2 is dev-sda2.swap."""
    return area.strip("/").replace("-", "\\x2d").replace("/", "-") + ".swap"


def unit_name(text: str) -> str:
    """Return the full name of a unit: "kubelet" is kubelet.service."""
    kinds = (
        ".service",
        ".socket",
        ".timer",
        ".target",
        ".swap",
        ".mount",
        ".path",
        ".slice",
        ".scope",
    )
    return text if text.endswith(kinds) else f"{text}.service"


def swap_area(name: str, size: int = 2097148) -> SwapArea:
    """Return a swap area of 2 GiB."""
    return SwapArea(name, "partition" if name.startswith("/dev/") else "file", size)


def _parse(text: str, settings: Settings) -> None:
    section: dict[str, list[str]] = {}
    pending = ""
    for raw in text.splitlines():
        line = pending + raw.strip()
        pending = ""
        if not line or line[0] in "#;":
            continue
        if line.endswith("\\"):
            pending = line[:-1] + " "
        elif line.startswith("["):
            section = settings.setdefault(line.strip("[]"), {})
        else:
            key, _, value = line.partition("=")
            values = section.setdefault(key.strip(), [])
            if value.strip():
                values.append(value.strip())
            else:
                values.clear()
