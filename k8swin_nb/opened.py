"""A phase that is open on a cluster: its steps are applied or looked at, and what it shows is asked for.

What notebooks and programs share; a front end shows more of it by overriding `_one` and `_failed`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8swin_nb.audit.sealing import seal_beside
from k8swin_nb.audit.signers import check_signer
from k8swin_nb.cluster.asked import AsksTables
from k8swin_nb.errors import Interrupted, K8swinError, MultiHostError, ScriptError, Stopped
from k8swin_nb.phases.troubleshoot.failure import keep_evidence
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.report import Report
from k8swin_nb.workflow.runner import Watch, apply_step, check_step
from k8swin_nb.workflow.step import Step
from k8swin_nb.workflow.stopping import Stop
from k8swin_nb.workflow.unfinished import Unfinished, unfinished

if TYPE_CHECKING:
    import threading

    from k8swin_nb.api import Cluster
    from k8swin_nb.cluster.kubectl_tables import ClusterTables


class OpenPhase(AsksTables):
    """A phase that is open on a cluster: its steps are applied or looked at, in order or by name."""

    def __init__(self, cluster: Cluster, run: PhaseRun) -> None:
        self.cluster = cluster
        self.run = run
        self.phase = run.phase
        self.report = Report(run.phase.title)
        """How every step ended so far."""
        self.on_end: Callable[[], None] | None = None
        """Told when the phase has come to an end that a reader of the run wants to know: done, failed or stopped."""
        self.unsigned = check_signer(run.record.sign)
        """Why seals of this run will be unsigned although somebody is to sign; empty: they will be as is wanted."""
        self.unfinished = self._unfinished()
        """Scripts on these hosts that began earlier and whose end no record tells; see `docs/architecture.md`."""
        self.opened = self._write_opened()

    def _unfinished(self) -> list[Unfinished]:
        addresses = {host.address for host in self.run.inventory.hosts}
        known = unfinished(self.run.record.folder.parent)
        return [one for one in known if one.address in addresses and not one.at_work]

    def _write_opened(self) -> dict[str, Any]:
        description = self.cluster.description
        whole = description.model_dump()
        described = json.dumps(whole, sort_keys=True)
        return self.run.record.opened(
            phase=self.phase.name,
            cluster=description.cluster_name,
            # Secrets are references in both. What was left out stands with its value in the file, once for all notebooks.
            parameters={"description": description.as_given(), "notebook": self.run.options},
            parameters_file=self.run.record.keep_parameters(whole),
            parameters_sha256=hashlib.sha256(described.encode()).hexdigest(),
            dry_run=self.run.dry_run,
            target=self.run.target,
            unfinished=[str(one) for one in self.unfinished],
            hosts=[
                {"name": h.name, "address": h.address, "os": h.os, "user": h.user}
                for h in self.run.inventory.hosts
            ],
        )

    def apply(self, *names: str, progress: Watch | None = None) -> Report:
        """Bring steps to the wanted state, or say that they are there already.

        Args:
            names: Steps, in order; none means all steps of the phase.
            progress: Told when a step begins on a host and how it ended, as `StepProgress`.

        Returns:
            A row for each step and host.

        Raises:
            InventoryError: when there is no step of a name.
            K8swinError: of the first step that failed; its `report` holds every host's row.
            Interrupted: a KeyboardInterrupt, after the scripts that ran were stopped; likewise.
        """
        return self._each(apply_step, names, progress)

    def check(self, *names: str, progress: Watch | None = None) -> Report:
        """Look at steps and change nothing; `would change` means that apply would act.

        Args and errors are those of `apply`.
        """
        return self._each(check_step, names, progress)

    def pending(self, progress: Watch | None = None) -> Report:
        """Look at every step that has not run yet, and change nothing: what the rest of the phase would do."""
        done = {row.step for row in self.report.rows}
        names = tuple(step.name for step in self.phase.steps if step.name not in done)
        before = list(self.report.rows)
        try:
            title = "What the rest of this notebook would do"
            return self._each(check_step, names, progress, title=title)
        finally:
            # Having been looked at is no outcome of a step.
            self.report.rows = before

    def view(self, name: str, **options: Any) -> Any:
        """Return what the phase shows beside its steps, such as `preflight` or `matrix`.

        Raises:
            ScriptError: when the phase has no such view, with those that it has.
        """
        if name not in self.phase.views:
            known = ", ".join(self.phase.views) or "none"
            raise ScriptError(
                f"phase `{self.phase.name}` has no view `{name}`", hint=f"its views: {known}"
            )
        self._renew()
        return self.phase.views[name](self.run, **options)

    def leave_out(self, host: str = "") -> str:
        """End the wait for a host at which a step is at work, or for all; return what came of it.

        The host's outcome is `skipped`, which says how far the step was, and so are its later steps, until the step
        at which it was left is applied again. A host that is being changed is not left out. To be called from another
        thread than the one that applies.
        """
        return self.run.leave_out(host)

    def _cluster_tables(self, cancel: threading.Event | None = None) -> ClusterTables:
        return self.cluster._cluster_tables(cancel)

    def summary(self) -> Report:
        """Return how every step ended, close the record of the phase with it, and let go of the hosts' locks."""
        self.cluster.locks.release()
        self.run.record.write(
            "notebook-finished",
            phase=self.phase.name,
            outcomes=self.report.counts(),
            dry_run=self.run.dry_run,
        )
        self._ended("finished")
        return self.report

    def _each(
        self,
        work: Callable[[PhaseRun, Step, Watch | None], Report],
        names: tuple[str, ...],
        progress: Watch | None,
        *,
        title: str = "",
    ) -> Report:
        steps = [self.phase.step(name) for name in names] or list(self.phase.steps)
        shown = Report(title or (steps[0].title if len(steps) == 1 else self.phase.title))
        self._renew()
        try:
            self._steps(work, steps, progress, shown)
        except BaseException as error:
            # What was stopped or has failed holds nobody up while a person looks into it.
            self.cluster.locks.release()
            self._ended("stopped" if isinstance(error, KeyboardInterrupt) else "failed")
            raise
        finally:
            if shown.rows:
                self.cluster.last = shown.by_host()
        return shown

    def _ended(self, how: str) -> None:
        self._seal(f"{self.run.record.notebook} {how}")
        if self.on_end:
            self.on_end()

    def _seal(self, why: str) -> None:
        """Seal the run as it is now; what hinders that is in the record, and hinders nothing else."""
        record = self.run.record
        seal_beside(record.folder, why, record.sign, by=record.notebook)

    def _steps(
        self,
        work: Callable[[PhaseRun, Step, Watch | None], Report],
        steps: list[Step],
        progress: Watch | None,
        shown: Report,
    ) -> None:
        for step in steps:
            try:
                report = self._one(work, step, progress)
            except Interrupted as interrupt:
                # How the hosts ended that had ended, and what was stopped, is known all the same.
                self._keep(getattr(interrupt, "report", None), shown)
                self._interrupted(step, shown, interrupt)
                raise
            except K8swinError as error:
                folder = None
                if not _only_stopped(error):
                    self._looks_into(step, error)
                    folder = keep_evidence(self.run, step.name, error)
                self._keep(getattr(error, "report", None), shown)
                self.run.record.write_beside(
                    error, "failed", phase=self.phase.name, step=step.name, error=str(error)
                )
                self._failed(step, shown, error, folder)
                raise
            self._keep(report, shown)

    def _one(
        self,
        work: Callable[[PhaseRun, Step, Watch | None], Report],
        step: Step,
        progress: Watch | None,
    ) -> Report:
        return work(self.run, step, progress)

    def _looks_into(self, step: Step, error: K8swinError) -> None:
        """Show that a step has failed, before its hosts are asked for evidence; a front end may."""

    def _failed(self, step: Step, shown: Report, error: K8swinError, evidence: Path | None) -> None:
        """Show what there is when a step has failed; a front end may. `evidence` is the folder of what was kept."""

    def _interrupted(self, step: Step, shown: Report, interrupt: Interrupted) -> None:
        """Show what there is when a step was interrupted; a front end may."""

    def _renew(self) -> None:
        """Let what was stopped before be tried again."""
        if self.run.cancel.is_set():
            self.run.cancel = Stop()

    def _keep(self, report: Report | None, shown: Report) -> None:
        if report is None:
            return
        shown.rows.extend(report.rows)
        known = {(row.step, row.host) for row in report.rows}
        self.report.rows = [r for r in self.report.rows if (r.step, r.host) not in known]
        self.report.rows.extend(report.rows)


def _only_stopped(error: K8swinError) -> bool:
    """Whether nothing went wrong but that somebody stopped it; hosts are then left in peace."""
    errors = error.errors.values() if isinstance(error, MultiHostError) else (error,)
    return all(isinstance(one, Stopped) for one in errors)
