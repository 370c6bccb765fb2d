"""A phase as a notebook shows it: its scripts, its steps with what hosts print, its views and tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.display import display

from k8swin_nb.api import Cluster
from k8swin_nb.errors import (
    ClusterError,
    CommandFailed,
    DriftFound,
    Interrupted,
    K8swinError,
    NotKnownYet,
    StepFailed,
)
from k8swin_nb.inventory import Host
from k8swin_nb.notebook.after_cell import after_cell
from k8swin_nb.notebook.listing import Applied, Listing, Scripts, Seen
from k8swin_nb.notebook.live_view import LiveView
from k8swin_nb.notebook.stream import LiveOutput, is_interactive
from k8swin_nb.opened import OpenPhase
from k8swin_nb.reading import first_line
from k8swin_nb.tables import Column, StaticTable
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.report import Report
from k8swin_nb.workflow.runner import StepProgress, Watch
from k8swin_nb.workflow.step import Step

if TYPE_CHECKING:
    from k8swin_nb.cluster.cluster_map import ClusterMap


Made = TypeVar("Made")


class NotThereYet(StaticTable):
    """What stands in a dry run for a table or a picture of what is not there yet."""

    def __init__(self, what: str, error: K8swinError) -> None:
        rows = [("found", first_line(error)), ("in a dry run", "nothing is made, and so not shown")]
        super().__init__(f"{what}: not there yet", (Column("", "name"), Column("")), rows)


class PhaseView(OpenPhase):
    """A phase that is open in this notebook. Its views are methods: `phase.preflight()`."""

    def __init__(self, cluster: Cluster, run: PhaseRun) -> None:
        run.interactive = is_interactive()
        super().__init__(cluster, run)
        self._said: dict[str, str] = {}
        self.live = LiveView(run)
        """How far the phase is, displayed where it was opened."""

    def __getattr__(self, name: str) -> Any:
        # Only asked for what is no attribute: `phase` is one as soon as the object is whole.
        phase = self.__dict__.get("phase")
        if phase is None or name not in phase.views:
            raise AttributeError(f"`{type(self).__name__}` has no attribute `{name}`")
        return lambda **options: self.view(name, **options)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.phase.views]

    def steps(self) -> Report:
        """Return what is known of every step so far."""
        return self.report

    def show(self, name: str) -> Listing:
        """Return the scripts of a step."""
        return Listing(self.phase.step(name))

    def apply(self, *names: str, progress: Watch | None = None) -> Report:
        """Show the scripts of steps, folded, and bring the steps to the wanted state; see `OpenPhase.apply`.

        How they ended stands where the scripts were shown; the report that is returned is not shown a second time.
        """
        steps = [self.phase.step(name) for name in names]
        handle = display(Scripts(steps), display_id=True) if names else None
        report = super().apply(*names, progress=progress)
        if handle is None:
            return report
        handle.update(Applied(steps, report, self._said))
        return Seen(report)

    def cluster_map(self, namespace: str = "") -> ClusterMap | NotThereYet:
        """Return a picture of the cluster as it is now: pods by node, and who answers each Service."""
        return self._there("cluster_map", lambda: self.cluster.cluster_map(namespace))

    def view(self, name: str, **options: Any) -> Any:
        """Return what the phase shows beside its steps; in a dry run that it is not there yet, where that is so."""
        return self._there(name, lambda: super(PhaseView, self).view(name, **options))

    def _asked(self, *words: Any, **options: Any) -> Any:
        return self._there(words[0], lambda: super(PhaseView, self)._asked(*words, **options))

    def _there(self, what: str, ask: Callable[[], Made]) -> Made | NotThereYet:
        """Return what is asked for; in a dry run, what an earlier notebook would make may be missing."""
        try:
            return ask()
        except (ClusterError, CommandFailed, NotKnownYet, StepFailed) as error:
            if not self.run.dry_run or isinstance(error, DriftFound):
                raise
            return NotThereYet(what, error)

    def _one(
        self,
        work: Callable[[PhaseRun, Step, Watch | None], Report],
        step: Step,
        progress: Watch | None,
    ) -> Report:
        names = [host.name for host in self.run.hosts(step.on)]
        self.live.begin(step.name, names)
        beat = self.live.board.beat
        with LiveOutput(keep=self.run.record.open_log, beat=beat, folds=True) as output:

            def write(host: Host, stream: str, text: str) -> None:
                output.write(host.name, stream, text)

            def watch(told: StepProgress) -> None:
                self.live.told(told)
                if progress:
                    progress(told)

            self.run.on_output = write
            self.live.output = output
            try:
                report = super()._one(work, step, watch)
            finally:
                self.run.on_output = None
                self.live.output = None
        self._said[step.name] = output.folded()
        return report

    def _seal(self, why: str) -> None:
        # What the cell shows, and that it has ended, is in the record by then.
        after_cell(lambda: super(PhaseView, self)._seal(why))

    def _each(
        self,
        work: Callable[[PhaseRun, Step, Watch | None], Report],
        names: tuple[str, ...],
        progress: Watch | None,
        *,
        title: str = "",
    ) -> Report:
        with self.live.working():
            return super()._each(work, names, progress, title=title)

    def pending(self, progress: Watch | None = None) -> Report:
        """Look at every step that has not run yet, and change nothing: what the rest of the phase would do."""
        with self.live.looking():
            return super().pending(progress)

    def summary(self) -> Report:
        """Return how every step ended, and let the live view stand where it was displayed."""
        try:
            return super().summary()
        finally:
            self.live.summed_up()

    def _interrupted(self, step: Step, shown: Report, interrupt: Interrupted) -> None:
        self.live.interrupted(step.name, interrupt)
        display(shown)

    def _looks_into(self, step: Step, error: K8swinError) -> None:
        self.live.looks_into(step.name, error)

    def _failed(self, step: Step, shown: Report, error: K8swinError, evidence: Path | None) -> None:
        self.live.failed(step.name, error, evidence)
        display(shown)
        if step.on_failure in self.phase.views:
            display(self.view(step.on_failure))
