"""The Python interface: a cluster's hosts, scripts on them, phases, and tables of nodes and pods.

Notebooks, the command line, programs and tests all go this way. There is no state outside of a `Cluster`:
two of them in one process do not know each other. Nothing here needs IPython.

    with open_cluster("params/mine.yaml") as cluster:
        cluster.run_script("uname -r", on="linux").all()
        cluster.phase("02_master").apply(progress=print)
        cluster.nodes()
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from k8swin_nb.compatibility import check_versions
from k8swin_nb.description import Description, check_run_id, open_description, project_root
from k8swin_nb.errors import ClusterError, CommandTimeout, K8swinError
from k8swin_nb.fan_out import Answers, on_each
from k8swin_nb.hosts import inventory_of
from k8swin_nb.inventory import Host
from k8swin_nb.opened import OpenPhase
from k8swin_nb.phases.catalogue import phase as find_phase
from k8swin_nb.phases.values import VALUES
from k8swin_nb.plan import check_plan
from k8swin_nb.result import Result, hold_back
from k8swin_nb.scripts import Interpreter, Script
from k8swin_nb.secret import SecretRef, know_names
from k8swin_nb.shells import new_tag
from k8swin_nb.transports.base import CANCELLED
from k8swin_nb.transports.pool import Pool
from k8swin_nb.workflow.host_lock import HostLocks
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.phase_run import Output, PhaseRun
from k8swin_nb.workflow.record import Record, new_run_id
from k8swin_nb.workflow.step_run import this_process

if TYPE_CHECKING:
    from k8swin_nb.cluster.api import ClusterApi
    from k8swin_nb.cluster.connection import Dial
    from k8swin_nb.cluster.kubectl_tables import KubeTable
    from k8swin_nb.secret import Secret
    from k8swin_nb.transports.jump import Jump

LANGUAGES: dict[str, Interpreter] = {"linux": "bash", "windows": "powershell"}
"""By operating system, what interprets a script that is given as text."""

TURN_SECONDS = 1.0
"""A host that began sooner did not wait for its turn; its transport counts from there."""


def open_cluster(
    description: str | Path | Description,
    *,
    runs: str | Path | None = None,
    run_id: str | None = None,
    name: str = "program",
) -> Cluster:
    """Open a cluster by its description; nothing is connected before it is used.

    Args:
        description: Path of a YAML file such as `params/mine.yaml`, or a description. Relative paths in it
            start at the file's folder.
        runs: Folder of the records; default: `runs` in the project that the description belongs to.
        run_id: Puts several openings into one record; default: a new one.
        name: What the record calls this program.

    Raises:
        ParamsError: naming every parameter that is unknown, mistyped, missing or contradictory, and
            combinations of versions or networks that cannot work.
    """
    if not isinstance(description, Description):
        description = open_description(description)
    return Cluster(description, runs=runs, run_id=run_id, name=name)


class Cluster:
    """A cluster as its description names it; a context manager that closes its connections."""

    def __init__(
        self,
        description: Description,
        *,
        runs: str | Path | None = None,
        run_id: str | None = None,
        name: str = "program",
    ) -> None:
        check_versions(description)
        self.description = description
        self.plan = check_plan(description)
        """The networks, checked against each other, and what follows from them."""
        self.inventory = inventory_of(description)
        know_names([description.cluster_name])
        for host in self.inventory.hosts:
            know_names([host.name, host.user, host.address])
            for reference in host.references:
                SecretRef.parse(reference).know(Path(host.folder))
        for registry in filter(lambda one: one.credential, description.registries):
            SecretRef.parse(registry.credential or "").know(description.folder)
        self.name = name
        self.run_id = check_run_id(run_id) if run_id else new_run_id()
        self.pool = Pool(on_pin=self._pinned)
        self._runs = Path(runs) if runs else project_root(description.folder) / "runs"
        self.locks = HostLocks(self.pool, self.run_id, wait=description.lock_wait)
        """The hosts that this cluster's work has locked against others."""
        self._tables: ClusterApi | None = None
        self._api_jump: Jump | None = None

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self.locks.release()
        self.pool.close()
        self._tables = None
        jump, self._api_jump = self._api_jump, None
        if jump is not None:
            from k8swin_nb.transports.jump import give_jump_back

            give_jump_back(jump)

    @cached_property
    def record(self) -> Record:
        """The record of the run, `runs/<id>/events.jsonl`; its folder is made when it is first asked for."""
        return Record(self._runs, self.run_id, self.name)

    def _pinned(self, host: str, fingerprint: str) -> None:
        self.record.write("host-key-pinned", host=host, fingerprint=fingerprint)

    def hosts(self, selection: str = "all") -> tuple[Host, ...]:
        """Return hosts: by name, operating system, role or `all`; comma-separated, `!x` takes away.

        Raises:
            InventoryError: when a word is unknown, with the nearest, or no host is left.
        """
        return self.inventory.select(selection)

    def run_script(
        self,
        script: str | Script,
        on: str | tuple[Host, ...] = "all",
        *,
        parameters: Mapping[str, str] | None = None,
        secrets: Mapping[str, Secret] | None = None,
        stdin: bytes = b"",
        timeout: float | None = None,
        sudo: bool = False,
        check: bool = True,
        on_output: Output | None = None,
        cancel: threading.Event | None = None,
        recorded: bool = True,
    ) -> Answers[Result]:
        """Run a script on hosts at once, and return every host's answer or error.

        Args:
            script: Text, which is bash on Linux and PowerShell on Windows hosts, or a `Script`.
            on: A selection as `hosts` takes it, or hosts.
            parameters: Values that the script declares, by name.
            secrets: Likewise; they travel on standard input alone and are never recorded.
            stdin: Standard input.
            timeout: Seconds until the script and its children are stopped, from now on: a slow login and the turn of a
                host count as well; None: no limit.
            sudo: As root; Linux only.
            check: An exit code other than 0 is a `CommandFailed`.
            on_output: Told host, stream (`stdout`, `stderr`) and masked text as it arrives.
            cancel: When it is set, scripts are stopped, and no further one begins.
            recorded: Write an event for each host into the record.

        Raises:
            InventoryError: when the selection names no host.
            Interrupted: a KeyboardInterrupt, after all scripts were stopped; it says what came of each host.
        """
        stop = cancel or threading.Event()
        began = time.monotonic()

        def one(host: Host) -> Result:
            text = (
                script
                if isinstance(script, Script)
                else Script.from_text(script, LANGUAGES[host.os])
            )
            as_root = sudo and host.user != "root"
            tag = new_tag(self.run_id, "magic")
            told = _told(host, text, tag, parameters, secrets, as_root) if recorded else {}
            if told:
                # Before it begins: what this process does not survive is known all the same.
                self.record.write("script-started", **told, **this_process())
            try:
                result = self.pool.transport(host).run(
                    text,
                    parameters=parameters,
                    stdin=stdin,
                    secrets=secrets,
                    timeout=_left(host, text, timeout, began),
                    sudo=as_root,
                    on_output=(lambda stream, piece: on_output(host, stream, piece))
                    if on_output
                    else None,
                    cancel=stop,
                    tag=tag,
                )
            except BaseException as error:
                if told:
                    self._broke_off(told, error)
                if isinstance(error, CommandTimeout):
                    # About the time that was given, not about what was left of it.
                    raise CommandTimeout(error.result, timeout or error.timeout) from error
                raise
            if told:
                left = {"left": result.left} if result.left else {}
                seconds = round(result.seconds, 3)
                self.record.write(
                    "magic", **told, exit_code=result.returncode, seconds=seconds, **left
                )
            if check:
                result.check_returncode()
            return result

        hosts = self.hosts(on) if isinstance(on, str) else on
        return on_each(hosts, one, name=lambda host: host.name, cancel=stop)

    def _broke_off(self, told: Mapping[str, Any], error: BaseException) -> None:
        """Write down how a script ended that gave no answer; that stands behind the error itself."""
        result = getattr(error, "result", None)
        with contextlib.suppress(OSError, K8swinError):
            self.record.write(
                "magic",
                **told,
                error=str(error),
                error_kind=type(error).__name__,
                exit_code=result.returncode if isinstance(result, Result) else None,
                left=result.left if isinstance(result, Result) else "",
            )

    def phase(
        self,
        name: str,
        *,
        target: str = "",
        dry_run: bool = False,
        options: Mapping[str, Any] | None = None,
        on_output: Output | None = None,
    ) -> OpenPhase:
        """Open a phase of the catalogue, such as `02_master`, and write down that it was opened.

        Args:
            name: The phase's name, which is its notebook's.
            target: Address or name of the host that a joining phase is about; of several, with commas between them.
            dry_run: Look, and change nothing.
            options: Parameters of this phase alone, such as `{"confirm": ...}` of 90_teardown.
            on_output: Told what hosts print while something is applied.

        Raises:
            InventoryError: when there is no phase of that name, with the nearest.
        """
        run = self.phase_run(
            find_phase(name).variant(self.description.profile),
            target=target,
            dry_run=dry_run,
            options=options,
            on_output=on_output,
        )
        return OpenPhase(self, run)

    def phase_run(self, phase: Phase, **how: Any) -> PhaseRun:
        """Return what the steps of a phase work with, for this cluster; `how` as `PhaseRun` takes it."""
        return PhaseRun(
            phase=phase,
            description=self.description,
            plan=self.plan,
            inventory=self.inventory,
            connections=self.pool,
            record=self.record,
            values=VALUES,
            locks=self.locks,
            **how,
        )

    def nodes(self, cancel: threading.Event | None = None) -> KubeTable:
        """Return the nodes: a DataFrame with the columns of `kubectl get nodes -o wide`, a row each.

        Args:
            cancel: When it is set, asking is stopped.

        Raises:
            ClusterError: when there is no cluster yet, its API server does not answer within a minute, or what it
                answers is no table.
            Stopped: when `cancel` was set.
        """
        from k8swin_nb.cluster.kubectl_tables import nodes

        return nodes(self._api(cancel), cancel)

    def pods(self, namespace: str = "", cancel: threading.Event | None = None) -> KubeTable:
        """Return pods: a DataFrame with the columns of `kubectl get pods -o wide`, a row each.

        Args:
            namespace: One namespace; empty for all, with NAMESPACE as the first column.
            cancel: When it is set, asking is stopped.

        Raises:
            ClusterError: as `nodes`.
            Stopped: when `cancel` was set.
        """
        from k8swin_nb.cluster.kubectl_tables import pods

        return pods(self._api(cancel), namespace, cancel)

    def _api_dial(self, master: Host) -> Dial | None:
        """Return how the API server is reached where the control plane's host is behind a jump host."""
        from k8swin_nb.transports.jump import take_jump
        from k8swin_nb.transports.ssh_config import configured

        through = configured(master).ssh_jump
        if through is None:
            return None
        if self._api_jump is None:
            self._api_jump = take_jump(through, self._pinned)
        return self._api_jump.dial

    def _api(self, cancel: threading.Event | None = None) -> ClusterApi:
        """Return what asks the API server with the login user's kubeconfig, which is read over SSH."""
        from k8swin_nb.cluster.api import ClusterApi

        if self._tables is None:
            (master,) = self.hosts("control-plane")
            answers = self.run_script(
                Script.load("linux/read_kubeconfig.check.sh"),
                (master,),
                timeout=60,
                check=False,
                cancel=cancel,
                recorded=False,
            )
            try:
                result = next(iter(answers.all().values()))
            except K8swinError as error:
                hold_back(error)
                raise
            if result.returncode != 0:
                raise ClusterError("the login user has no kubeconfig", hint="run 02_master first")
            self._tables = ClusterApi(
                result.stdout,
                server=f"https://{self.description.api_endpoint}",
                at=(master.address, self.description.api_port),
                dial=self._api_dial(master),
            )
        return self._tables


def _told(
    host: Host,
    script: Script,
    tag: str,
    parameters: Mapping[str, str] | None,
    secrets: Mapping[str, Secret] | None,
    sudo: bool,
) -> dict[str, Any]:
    """Return what the record says of a script, when it begins and when it has ended."""
    return {
        "host": host.name,
        "address": host.address,
        "user": host.user,
        "sudo": sudo,
        "tag": tag,
        "interpreter": script.interpreter,
        "name": script.name,
        "script": script.text,
        "sha256": script.sha256,
        "parameters": dict(parameters or {}),
        "secrets": sorted(secrets or {}),
    }


def _left(host: Host, script: Script, timeout: float | None, began: float) -> float | None:
    """Return what is left of a deadline for a host whose turn has come.

    Raises:
        CommandTimeout: when nothing is left; the script never began.
    """
    if timeout is None or timeout <= 0:
        return timeout
    waited = time.monotonic() - began
    if waited < TURN_SECONDS:
        return timeout
    if waited < timeout:
        return timeout - waited
    never = "its turn did not come in time, it never began\n"
    raise CommandTimeout(Result(script.name, CANCELLED, "", never, host.name, 0.0), timeout)
