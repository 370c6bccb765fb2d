"""A phase as a notebook shows it: its scripts, its steps with what hosts print, its views and tables."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.display import display

from k8swin_nb.api import Cluster
from k8swin_nb.inventory import Host
from k8swin_nb.notebook.stream import LiveOutput, is_interactive
from k8swin_nb.opened import OpenPhase
from k8swin_nb.scripts import Script
from k8swin_nb.shown import shown
from k8swin_nb.tables import escaped
from k8swin_nb.tables.code import CODE, highlighted
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.report import Report
from k8swin_nb.workflow.runner import Watch
from k8swin_nb.workflow.step import Step

if TYPE_CHECKING:
    from k8swin_nb.cluster.kubectl_tables import KubeTable


class Listing:
    """The scripts of a step as a reader sees them: the very files that run, highlighted."""

    def __init__(self, step: Step) -> None:
        self.parts: list[tuple[str, str, str]] = []
        for verb in ("check", "apply", "verify"):
            action = getattr(step, verb)
            if isinstance(action, str):
                script = Script.load(action)
                self.parts.append((f"{verb}: {script.name}", script.text, script.interpreter))
            elif action is not None:
                self.parts.append((f"{verb}: {action.__name__}()", _source(action), "python"))
        for name in step.runs:
            script = Script.load(name)
            self.parts.append((f"runs: {script.name}", script.text, script.interpreter))

    def __repr__(self) -> str:
        return "\n".join(
            shown(f"# --- {title}\n{text}", most=CODE) for title, text, _ in self.parts
        )

    def _repr_html_(self) -> str:
        blocks = []
        for title, text, language in self.parts:
            code = highlighted(text, language)
            blocks.append(
                f"<details><summary><code>{escaped(title)}</code></summary>{code}</details>"
            )
        return "".join(blocks)


def _source(action: Any) -> str:
    """Return a function's own source; a closure's is that of the function that made it."""
    return inspect.getsource(inspect.unwrap(action))


class PhaseView(OpenPhase):
    """A phase that is open in this notebook. Its views are methods: `phase.preflight()`."""

    def __init__(self, cluster: Cluster, run: PhaseRun) -> None:
        run.interactive = is_interactive()
        super().__init__(cluster, run)

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

    def nodes(self) -> KubeTable:
        """Return the nodes with kubectl's columns, as a DataFrame."""
        return self.cluster.nodes()

    def pods(self, namespace: str = "") -> KubeTable:
        """Return the pods of a namespace, or of all, with kubectl's columns, as a DataFrame."""
        return self.cluster.pods(namespace)

    def _one(
        self,
        work: Callable[[PhaseRun, Step, Watch | None], Report],
        step: Step,
        progress: Watch | None,
    ) -> Report:
        with LiveOutput(keep=self.run.record.open_log) as live:

            def write(host: Host, stream: str, text: str) -> None:
                live.write(host.name, stream, text)

            self.run.on_output = write
            try:
                return super()._one(work, step, progress)
            finally:
                self.run.on_output = None

    def _interrupted(self, shown: Report) -> None:
        display(shown)

    def _failed(self, step: Step, shown: Report) -> None:
        display(shown)
        if step.on_failure in self.phase.views:
            display(self.view(step.on_failure))
