"""A phase that is worked on: everything that its steps may ask — description, plan, hosts, connections, facts, record."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from k8swin_nb.description import Description
from k8swin_nb.errors import (
    HostLocked,
    InventoryError,
    ScriptError,
    StepFailed,
    TransportError,
)
from k8swin_nb.inventory import Host, Inventory
from k8swin_nb.plan import NetworkPlan
from k8swin_nb.scripts import Script
from k8swin_nb.workflow.facts import Facts
from k8swin_nb.workflow.host_lock import HostLocks
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.record import Record
from k8swin_nb.workflow.step_run import StepRun, Verb
from k8swin_nb.workflow.stopping import HostWork, Stop

if TYPE_CHECKING:
    from k8swin_nb.secret import Secret
    from k8swin_nb.transports.base import Transport

Output = Callable[[Host, str, str], None]
"""Called with host, stream name and text as it arrives."""

Value = Callable[["PhaseRun", Host], str]
"""Works out one value for a host, when a script declares it and at no other time."""

Values = Mapping[str, Mapping[str, Value]]
"""By operating system, what scripts may declare, by name in snake case."""


@dataclass(slots=True)
class Change:
    """What a step began to change on a host, for the record."""

    found: str
    """What the check said before, in one line."""

    difference: str
    """What was to be changed, as text of several lines; empty where `found` says it."""

    now: str = ""
    """What was read back after it; empty: it was not, because the step failed."""


class Connections(Protocol):
    """What a run needs of the pool: one open transport per host."""

    def transport(self, host: Host) -> Transport: ...


GROUPS = frozenset({"linux", "windows", "hypervisor", "worker", "node"})
"""What a step may be for although a cluster has none of it; `node` is every host but a hypervisor."""


class PhaseRun:
    """One phase's work on one cluster, as one notebook or one program does it.

    Args:
        phase: Its steps.
        description: The cluster's description.
        plan: The network plan of the description.
        inventory: The hosts of the description.
        connections: Open ways to them.
        record: Where everything is written down.
        values: What scripts may declare.
        target: Names or addresses of the hosts that the phase is about, with commas; empty: all.
        dry_run: Look, and change nothing.
        options: Parameters of this phase alone, by name, such as `confirm`.
        on_output: Told what hosts print while something is applied.
        locks: Taken on each host before it is changed; None: nobody else can work there.
    """

    def __init__(
        self,
        *,
        phase: Phase,
        description: Description,
        plan: NetworkPlan,
        inventory: Inventory,
        connections: Connections,
        record: Record,
        values: Values,
        target: str = "",
        dry_run: bool = False,
        options: Mapping[str, Any] | None = None,
        on_output: Output | None = None,
        locks: HostLocks | None = None,
    ) -> None:
        self.phase = phase
        self.description = description
        self.plan = plan
        self.inventory = inventory
        self.connections = connections
        self.record = record
        self.target = target
        self.dry_run = dry_run
        self.options = dict(options or {})
        self.on_output = on_output
        self.locks = locks
        self.interactive = False
        """Whether a person looks on, who can click and type."""
        self.facts = Facts()
        self.foreseen: dict[str, dict[str, str]] = {}
        """By host and step, what a dry run found that would be made first: a step, or a notebook. Later steps wait for it."""
        self.kept: dict[tuple[str, str], list[str]] = {}
        """By step and host, what scripts said that they kept of somebody else's before they changed it."""
        self.changes: dict[tuple[str, str], Change] = {}
        """By step and host, what was begun to be changed there."""
        self.tags: dict[tuple[str, str], list[tuple[str, str]]] = {}
        """By step and host, verb and tag of each script that ran for it, in order."""
        self.cancel = Stop()
        """Set: no further script begins, and one that runs is stopped on its host."""
        self.at_work: dict[str, HostWork] = {}
        """By host, the step that is at work there."""
        self._doing_once = threading.Lock()
        self._done: set[str] = set()
        self._looked: set[str] = set()
        self.left_out: dict[str, str] = {}
        """By host, the step at which somebody left it out."""
        self._values = {
            system: {_fold(name): value for name, value in table.items()}
            for system, table in values.items()
        }

    def once(self, what: str, work: Callable[[], object]) -> None:
        """Do something once in this run, whichever host comes first; one that failed is done again by the next."""
        with self._doing_once:
            if what not in self._done:
                work()
                self._done.add(what)

    @property
    def master(self) -> Host:
        """The control plane's host."""
        return self.inventory.select("control-plane")[0]

    def at(self, host: Host, step: str, verb: Verb = "check") -> StepRun:
        """Return what asks a host for a step, or under another word for the record."""
        return StepRun(self, step, host, verb, self.cancel)

    def leave_out(self, host: str = "") -> str:
        """End the wait for a host, or for all that wait; it takes no part in the later steps. Return what came of it.

        May be called from any thread. A host that is being changed is not left out: that would leave it half changed.

        Args:
            host: Its name; empty: all that are at work.
        """
        work = [one for name, one in list(self.at_work.items()) if host in ("", name)]
        left = [one for one in work if one.leave_out()]
        others = [one for one in work if one not in left]
        told = [f"{one.host} is left out at step `{one.step}`" for one in left]
        told += [
            f"{one.host} is being changed by step `{one.step}`; only a stop ends that"
            for one in others
        ]
        return "; ".join(told) or "nothing is waited for at the moment"

    def left_at(self, host: str, step: str) -> str:
        """Return the step at which a host was left out, if this one comes after it; empty otherwise."""
        names = [one.name for one in self.phase.steps]
        at = self.left_out.get(host, "")
        if at not in names or step not in names or names.index(step) <= names.index(at):
            return ""
        return at

    def take_lock(self, at: StepRun) -> bool:
        """Make sure that nobody else changes a step's host meanwhile; return whether that is so only now.

        A phase that is about the whole cluster takes the locks of all its hosts before it changes the first.

        Raises:
            HostLocked: when another operator works there.
        """
        if self.locks is None:
            return False
        if not self.phase.together:
            return self.locks.take(at)
        taken = False
        # In one order, or two operators could wait for each other.
        for host in self.inventory.hosts:
            # What is about a host that is away may be done elsewhere; what is done there says that it is away.
            with contextlib.suppress(TransportError):
                new = self.locks.take(at.on(host))
                taken = taken or (new and host == at.host)
        return taken

    def check_lock(self, at: StepRun) -> None:
        """Say that another operator works on a host, where what was found there may be his half-done work.

        Raises:
            HostLocked: when it is so.
        """
        if self.locks is not None and not self.locks.holds(at.host):
            held, holder = self.locks.look(at.host)
            if held and holder is not None:
                raise HostLocked(
                    at.host.name,
                    f"is worked on by {holder}; nothing was changed",
                    hint="wait for them, then run it again: it looks first at what is there",
                )

    def also_there(self, at: StepRun) -> str:
        """Return, once for each host, who else works there now, to stand behind what would be changed; empty: nobody."""
        if self.locks is None or at.host.name in self._looked or self.locks.holds(at.host):
            return ""
        self._looked.add(at.host.name)
        with contextlib.suppress(TransportError, StepFailed):
            held, holder = self.locks.look(at.host, at.cancel)
            if held and holder is not None:
                return f"; {holder} works there now: what is found may be half done, and a run would not begin"
        return ""

    def hosts(self, selection: str) -> list[Host]:
        """Return the hosts that a step is for; `target` is the one named by the notebook's parameter.

        Groups are joined by `+`: `windows+worker`. With `+target` it is the target alone where there is
        one, and all of them otherwise.
        """
        words = selection.split("+")
        if set(words) - {"target"} and set(words) <= GROUPS | {"target"}:
            return [h for h in self.inventory.hosts if all(self._is(h, word) for word in words)]
        if selection != "target":
            return list(self.inventory.select(selection))
        named = self.target.split(",")
        for address in named:
            if not any(address in (host.name, host.address) for host in self.inventory.hosts):
                break
        else:
            return [h for h in self.inventory.hosts if {h.name, h.address} & set(named)]
        raise InventoryError(
            f"no host has the address `{address}`",
            hint="give one of: "
            + ", ".join(f"{host.address} ({host.name})" for host in self.inventory.hosts),
        )

    def _is(self, host: Host, word: str) -> bool:
        if word == "target":
            named = self.target.split(",")
            return not self.target or host.name in named or host.address in named
        return word in (host.os, *host.roles) or (word == "node" and "hypervisor" not in host.roles)

    def bind(
        self,
        script: Script,
        host: Host,
        secrets: Mapping[str, Secret] | None = None,
        values: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """Return the values that a script declares, in its own spelling, without its secrets.

        A value that the script does not declare is not worked out.

        Args:
            script: Whose declarations are filled.
            host: Where it will run.
            secrets: What is left out, because it travels another way.
            values: Values of this script alone, before those of the run.

        Raises:
            ScriptError: when it declares one that nobody supplies.
        """
        given = {_fold(name): value for name, value in (values or {}).items()}
        known = self._values.get(host.os, {})
        bound = {}
        for parameter in script.parameters:
            key = _fold(parameter.name)
            if secrets and parameter.name in secrets:
                continue
            if key in given:
                bound[parameter.name] = given[key]
            elif key in known:
                bound[parameter.name] = known[key](self, host)
            elif parameter.required:
                raise ScriptError(
                    f"`{script.name}` declares `{parameter.name}`, which nobody supplies",
                    hint="add it to `k8swin_nb/phases/values.py`",
                )
        return bound


def _fold(name: str) -> str:
    """KUBERNETES_VERSION, KubernetesVersion and kubernetes_version are the same parameter."""
    return name.replace("_", "").lower()
