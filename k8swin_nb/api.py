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
import importlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8swin_nb.cluster.asked import AsksTables
from k8swin_nb.compatibility import check_versions
from k8swin_nb.description import Description, open_description, project_root
from k8swin_nb.errors import ClusterError, K8swinError
from k8swin_nb.hosts import inventory_of
from k8swin_nb.inventory import Host
from k8swin_nb.machines import Machines
from k8swin_nb.opened import OpenPhase
from k8swin_nb.phases.catalogue import phase as find_phase
from k8swin_nb.phases.values import VALUES
from k8swin_nb.plan import check_plan
from k8swin_nb.result import hold_back
from k8swin_nb.scripts import Script
from k8swin_nb.secret import SecretRef, know_names
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.phase_run import Output, PhaseRun

if TYPE_CHECKING:
    from k8swin_nb.cluster.api import ClusterApi
    from k8swin_nb.cluster.cluster_map import ClusterMap
    from k8swin_nb.cluster.connection import Dial
    from k8swin_nb.cluster.kubectl_tables import ClusterTables
    from k8swin_nb.result import Result
    from k8swin_nb.transports.jump import Jump


def open_cluster(
    description: str | Path | Description,
    *,
    runs: str | Path | None = None,
    run_id: str | None = None,
    name: str = "program",
    reason: str | None = None,
    sign: str | None = None,
) -> Cluster:
    """Open a cluster by its description; nothing is connected before it is used.

    Args:
        description: Path of a YAML file such as `params/mine.yaml`, or a description. Relative paths in it
            start at the file's folder.
        runs: Folder of the records; default: `runs` in the project that the description belongs to.
        run_id: Puts several openings into one record; default: a new one.
        name: What the record calls this program.
        reason: Why this is done, such as a ticket's number; it stands in the record.
        sign: What the record is signed with: `ssh:PATH`, `certificate:PATH` or `sigstore`; default: the environment's
            `K8SWIN_SIGN`, else nothing.

    Raises:
        ParamsError: naming every parameter that is unknown, mistyped, missing or contradictory, and
            combinations of versions or networks that cannot work.
    """
    if not isinstance(description, Description):
        description = open_description(description)
    return Cluster(description, runs=runs, run_id=run_id, name=name, reason=reason, sign=sign)


class Cluster(Machines, AsksTables):
    """A cluster as its description names it; a context manager that closes its connections."""

    _tables: ClusterApi | None = None
    _asked_tables: ClusterTables | None = None
    _api_jump: Jump | None = None

    def __init__(
        self,
        description: Description,
        *,
        runs: str | Path | None = None,
        run_id: str | None = None,
        name: str = "program",
        reason: str | None = None,
        sign: str | None = None,
    ) -> None:
        check_versions(description)
        self.description = description
        self.plan = check_plan(description)
        """The networks, checked against each other, and what follows from them."""
        root = project_root(description.folder)
        super().__init__(
            inventory_of(description),
            runs=Path(runs) if runs else root / "runs",
            run_id=run_id,
            name=name,
            lock_wait=description.lock_wait,
            reason=reason,
            sign=sign,
        )
        know_names([description.cluster_name])
        for registry in filter(lambda one: one.credential, description.registries):
            SecretRef.parse(registry.credential or "").know(description.folder)

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        super().close()
        self._tables = None
        jump, self._api_jump = self._api_jump, None
        if jump is not None:
            from k8swin_nb.transports.jump import give_jump_back

            give_jump_back(jump)

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

    def _cluster_tables(self, cancel: threading.Event | None = None) -> ClusterTables:
        from k8swin_nb.cluster.kubectl_tables import ClusterTables

        api = self._api(cancel)
        if self._asked_tables is None or self._asked_tables.api is not api:
            self._asked_tables = ClusterTables(api, self.description.cluster_name)
        return self._asked_tables

    def known_names(self, kind: str) -> list[str]:
        """Return the names of `namespaces` or `nodes` as far as they are known, for completion; nobody is waited for.

        Until the API server was asked for the first time, hosts are what may be nodes.
        """
        if self._asked_tables is not None:
            return self._asked_tables.names(kind)
        hosts = [host.name for host in self.inventory.hosts]
        return hosts if kind == "nodes" else ["default", "kube-system"]

    def cluster_map(self, namespace: str = "", cancel: threading.Event | None = None) -> ClusterMap:
        """Return a picture of the cluster as it is now: pods by node, and who answers each Service.

        Args:
            namespace: Pods and Services of this one; empty: of all.
            cancel: When it is set, asking is stopped.

        Raises:
            ClusterError: as `nodes`.
            Stopped: when `cancel` was set.
        """
        from k8swin_nb.cluster.map_reading import read_map

        return read_map(self._api(cancel), namespace, cancel)

    def documents(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        seconds: float | None = None,
        cancel: threading.Event | None = None,
    ) -> list[dict[str, Any]]:
        """Return the objects of a list of the API as they are, such as of `/api/v1/pods`.

        Args:
            path: Path of the list.
            query: Selectors, as the API has them: `labelSelector`, `fieldSelector`.
            seconds: What it may take; None: a minute.
            cancel: When it is set, asking is stopped.

        Raises:
            ClusterError: as `nodes`.
            Stopped: when `cancel` was set.
        """
        found: list[dict[str, Any]] = []
        self._api(cancel).objects(
            path, "", found.extend, again=found.clear, query=query, seconds=seconds, cancel=cancel
        )
        return found

    def kubectl(
        self,
        *words: str,
        stdin: bytes = b"",
        timeout: float | None = None,
        check: bool = True,
        on_output: Callable[[str, str], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Result:
        """Run kubectl of this computer on the cluster, with its kubeconfig, and return what it said.

        Args:
            words: As kubectl takes them: `"get", "pods", "-A"`.
            stdin: Standard input, for `apply -f -`.
            timeout: Seconds; None: no limit.
            check: An exit code other than 0 is a `CommandFailed`; of `diff` not 1, by which it says that something differs.
            on_output: Told stream and masked text as it comes.
            cancel: When it is set, kubectl is ended.

        Raises:
            ClusterError: when there is no kubectl here, or no cluster yet.
            CommandFailed: when it failed.
            CommandTimeout: when it took longer than it was given.
            ParamsError: when a word would lead it to another cluster, or to an editor in a terminal.
            Stopped: when it was stopped.
        """
        from k8swin_nb.host_tools import kubectl

        result = kubectl.run(
            self._api(cancel),
            words,
            record=self.record,
            stdin=stdin,
            timeout=timeout,
            on_output=on_output,
            cancel=cancel,
        )
        if check:
            kubectl.check(words, result)
        return result

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
            # What takes half a second of imports, while the host is asked.
            threading.Thread(target=_load, name="kube-load", daemon=True).start()
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
            if self.records:
                # What only looks at a cluster makes no record of its own.
                self.record.write(
                    "api-identified",
                    server=self._tables.server,
                    authority_sha256=self._tables.authority,
                    pinned="the login user's kubeconfig, read over SSH",
                )
        return self._tables


def _load() -> None:
    """Import what tables need."""
    with contextlib.suppress(ImportError):
        importlib.import_module("kubernetes.client")
        importlib.import_module("k8swin_nb.cluster.kubectl_tables")
