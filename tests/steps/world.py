"""A lab in this process, and runs on it that can look at machines' state and cut an apply short."""

from __future__ import annotations

import functools
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from k8swin_lab.description import describe
from k8swin_lab.lab import Lab
from k8swin_lab.powershell.parser import parse as parse_powershell

from k8swin_nb.description import check_description
from k8swin_nb.hosts import inventory_of
from k8swin_nb.inventory import Host
from k8swin_nb.phases.values import VALUES
from k8swin_nb.plan import check_plan
from k8swin_nb.scripts import Script
from k8swin_nb.transports.pool import Pool
from k8swin_nb.workflow.facts import Facts
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.record import Record, new_run_id
from tests.runs import phase_of
from tests.steps.snapshot import files, snapshot


class Interrupted(BaseException):
    """The notebook's kernel died in the middle of an apply."""


@functools.cache
def first_half(script: Script) -> Script:
    """Return a script that ends, without a word, after half of its whole statements.

    A statement is whole where the text up to its line is valid: bash itself, or the lab's parser of
    PowerShell, says so.
    """
    lines = script.text.splitlines(keepends=True)
    whole = _whole_bash if script.interpreter == "bash" else _whole_powershell
    ends = [n for n in range(1, len(lines)) if lines[n - 1].strip() and whole("".join(lines[:n]))]
    declared = max((n for n in ends if _declares(lines[n - 1])), default=0)
    after = [n for n in ends if n > declared] or [len(lines)]
    kept = "".join(lines[: after[len(after) // 2]])
    return replace(script, text=kept + ("kill -KILL $$\n" if script.interpreter == "bash" else ""))


def _declares(line: str) -> bool:
    return line.startswith(
        (': "${', "param(", "    [", ")", "#", "set -", "$ErrorActionPreference")
    )


def _whole_bash(text: str) -> bool:
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
    return done.returncode == 0 and not done.stderr


def _whole_powershell(text: str) -> bool:
    try:
        parse_powershell(text)
    except Exception:
        return False
    return True


class _CutTransport:
    """Runs the first half of an apply script; everything else goes through."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def run(self, script: Script, **options: Any) -> Any:
        if ".apply." not in script.name:
            return self._transport.run(script, **options)
        self._transport.run(first_half(script), **options)
        raise Interrupted(script.name)


class Cut:
    """Connections on which every apply is cut short."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def transport(self, host: Host) -> Any:
        return _CutTransport(self._pool.transport(host))


@dataclass
class World:
    """One lab, one description of it, and everything that runs need."""

    lab: Lab
    folder: Path
    description: Any
    pool: Pool
    before: dict[str, str] = field(default_factory=dict)
    """The state of all machines before the first step."""

    facts: dict[str, Facts] = field(default_factory=dict)
    """By phase, what its steps found so far."""

    broken: str = ""
    """Name of the step that failed: what comes after it cannot be told."""

    def run(
        self,
        phase: Phase | None = None,
        target: str = "",
        *,
        dry_run: bool = False,
        cut: bool = False,
        **options: Any,
    ) -> PhaseRun:
        """Return a new run, as another notebook would make it: it knows nothing of earlier ones."""
        return PhaseRun(
            phase=phase or phase_of(),
            description=self.description,
            plan=check_plan(self.description),
            inventory=inventory_of(self.description),
            connections=Cut(self.pool) if cut else self.pool,
            record=Record(self.folder / "runs", new_run_id(), "steps"),
            values=VALUES,
            target=target,
            dry_run=dry_run,
            options=options,
        )

    def machines(self) -> dict[str, str]:
        """Return the state of all machines."""
        return {
            f"{name}: {key}": value
            for name, machine in self.lab.machines.items()
            for key, value in snapshot(machine).items()
        }

    def state(self) -> dict[str, str]:
        """Return the state of all machines, and of what is kept for the operator."""
        return self.machines() | {f"operator: {k}": v for k, v in files(self.folder / ".k8swin")}


def open_world(lab: Lab, folder: Path, **changes: Any) -> World:
    """Describe a running lab, with changes, and connect to it."""
    described = {**describe(lab.status()), "cluster_name": "steps", **changes}
    return World(lab, folder, check_description(described, folder=folder / "params"), Pool())
