"""A run: what the steps of a phase may ask — parameters, plan, hosts, transports, facts, record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from k8swin_nb.errors import InventoryError, ScriptError
from k8swin_nb.inventory import Host, Inventory
from k8swin_nb.params import ClusterParams
from k8swin_nb.plan import NetworkPlan
from k8swin_nb.result import Result
from k8swin_nb.scripts import Script
from k8swin_nb.workflow.record import Record

if TYPE_CHECKING:
    from k8swin_nb.secret import Secret
    from k8swin_nb.transports.base import Transport

Output = Callable[[Host, str, str], None]
"""Called with host, stream name and text as it arrives."""


class Connections(Protocol):
    """What a run needs of the pool: one open transport per host."""

    def transport(self, host: Host) -> Transport: ...


GROUPS = frozenset({"linux", "windows", "hypervisor", "worker"})
"""What a step may be for although a cluster has none of it."""

Values = Callable[["Run", Host], Mapping[str, str]]


class Run:
    """One notebook's work on one cluster."""

    def __init__(
        self,
        *,
        params: ClusterParams,
        plan: NetworkPlan,
        inventory: Inventory,
        connections: Connections,
        record: Record,
        values: Values,
        target: str = "",
        dry_run: bool = False,
        options: Mapping[str, Any] | None = None,
        on_output: Output | None = None,
    ) -> None:
        self.params = params
        self.plan = plan
        self.inventory = inventory
        self.connections = connections
        self.record = record
        self.target = target
        self.dry_run = dry_run
        self.options = dict(options or {})
        """Parameters of this notebook alone, by name."""
        self.on_output = on_output
        self.facts: dict[str, dict[str, Any]] = {}
        """What checks found, by host and by the step's `keep`."""
        self._values = values
        self._facts_lock = threading.Lock()

    @property
    def master(self) -> Host:
        """The control plane's host."""
        return self.inventory.select("control-plane")[0]

    def hosts(self, selection: str) -> list[Host]:
        """Return the hosts that a step is for; `target` is the one named by the notebook's parameter."""
        if selection in GROUPS:
            return [h for h in self.inventory.hosts if selection == h.os or selection in h.roles]
        if selection != "target":
            return list(self.inventory.select(selection))
        for host in self.inventory.hosts:
            if self.target in (host.name, host.address):
                return [host]
        raise InventoryError(
            f"no host has the address `{self.target}`",
            hint="give one of: "
            + ", ".join(f"{host.address} ({host.name})" for host in self.inventory.hosts),
        )

    def keep_facts(self, host: Host, name: str, facts: Any) -> None:
        """Remember what a check found on a host."""
        with self._facts_lock:
            self.facts.setdefault(host.name, {})[name] = facts

    def values(self, host: Host) -> dict[str, str]:
        """Return every value that a script may declare, by its name in snake case."""
        return dict(self._values(self, host))

    def script(
        self,
        name: str,
        host: Host,
        *,
        verb: str,
        step: str = "",
        values: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        secrets: Mapping[str, Secret] | None = None,
        timeout: float = 300,
        sudo: bool = True,
        quiet: bool = False,
        secret_output: bool = False,
    ) -> Result:
        """Run one of the package's scripts on a host and record it, whatever its exit code.

        Args:
            name: Path below `k8swin_nb/scripts`.
            host: Where.
            verb: `check`, `apply`, `verify` or another word for the record.
            step: The step's name, for the record.
            values: Values of this step alone, before those of the run.
            stdin: A document for the script.
            secrets: Values that only travel by standard input; never recorded.
            timeout: Seconds.
            sudo: Run as root on Linux.
            quiet: Do not show the output as it arrives.
            secret_output: What the script prints is a secret: neither shown nor kept.
        """
        script = Script.load(name)
        given = dict(secrets or {})
        bound = self.bind(script, host, given, values)
        show = self.on_output if self.on_output and not (quiet or secret_output) else None
        result = self.connections.transport(host).run(
            script,
            parameters=bound,
            stdin=stdin,
            secrets=given,
            timeout=timeout,
            sudo=sudo and host.os == "linux" and host.user != "root",
            on_output=(lambda stream, text: show(host, stream, text)) if show else None,
        )
        output = "(not kept: secret)" if secret_output else result.stdout + result.stderr
        path, digest = self.record.keep_output(f"{step or script.stem}-{host.name}-{verb}", output)
        self.record.write(
            "script",
            step=step,
            host=host.name,
            address=host.address,
            user=host.user,
            verb=verb,
            script=name,
            sha256=script.sha256,
            parameters=bound,
            secrets=sorted(given),
            exit_code=result.returncode,
            seconds=round(result.seconds, 3),
            output=path,
            output_sha256=digest,
        )
        return result

    def bind(
        self,
        script: Script,
        host: Host,
        secrets: Mapping[str, Secret] | None = None,
        values: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """Return the values that a script declares, in its own spelling, without its secrets.

        Raises:
            ScriptError: when it declares one that nobody supplies.
        """
        merged = {**self.values(host), **(values or {})}
        known = {_fold(name): value for name, value in merged.items()}
        bound = {}
        for parameter in script.parameters:
            if secrets and parameter.name in secrets:
                continue
            value = known.get(_fold(parameter.name))
            if value is not None:
                bound[parameter.name] = value
            elif parameter.required:
                raise ScriptError(
                    f"`{script.name}` declares `{parameter.name}`, which nobody supplies",
                    hint="add it to `k8swin_nb/phases/values.py`",
                )
        return bound


def _fold(name: str) -> str:
    """KUBERNETES_VERSION, KubernetesVersion and kubernetes_version are the same parameter."""
    return name.replace("_", "").lower()
