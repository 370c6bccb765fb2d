"""A phase as a notebook shows it: its scripts, its steps one at a time, its summary."""

from __future__ import annotations

import html
import inspect
from typing import Any

from IPython.display import display

from k8swin_nb.errors import ClusterError, K8swinError, StepFailed
from k8swin_nb.inventory import Host
from k8swin_nb.notebook.address_map import AddressMap
from k8swin_nb.notebook.routes import Handover, RouteListing
from k8swin_nb.notebook.stream import LiveOutput
from k8swin_nb.notebook.tables import (
    StaticTable,
    anti_spoofing_table,
    plan_table,
    preflight_table,
)
from k8swin_nb.phases.dashboard import dashboard_rows
from k8swin_nb.phases.failure import keep_evidence
from k8swin_nb.phases.preflight import LINUX, WINDOWS
from k8swin_nb.phases.static_routes import read_routes
from k8swin_nb.phases.troubleshoot import findings
from k8swin_nb.phases.verify import matrix_records
from k8swin_nb.scripts import Script
from k8swin_nb.symptoms import entries
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.report import Report
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.runner import apply_step, check_step
from k8swin_nb.workflow.step import Step


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
        return "\n".join(f"# --- {title}\n{text}" for title, text, _ in self.parts)

    def _repr_html_(self) -> str:
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import get_lexer_by_name

        formatter = HtmlFormatter(noclasses=True, nobackground=True)
        blocks = []
        for title, text, language in self.parts:
            code = highlight(text, get_lexer_by_name(language), formatter)
            blocks.append(
                f"<details><summary><code>{html.escape(title)}</code></summary>{code}</details>"
            )
        return "".join(blocks)


def _source(action: Any) -> str:
    """Return a function's own source; a closure's is that of the function that made it."""
    return inspect.getsource(inspect.unwrap(action))


class PhaseView:
    """A phase that is open in this notebook."""

    def __init__(self, phase: Phase, run: Run) -> None:
        self.phase = phase
        self.run = run
        self.report = Report(phase.title)
        self._cluster: Any = None

    def steps(self) -> Report:
        """Return what is known of every step so far."""
        return self.report

    def show(self, name: str) -> Listing:
        """Return the scripts of a step."""
        return Listing(self.phase.step(name))

    def apply(self, *names: str) -> Report:
        """Bring steps to the wanted state, or say that they are there already.

        Args:
            names: Steps, in order; none means all steps of the phase.
        """
        return self._each(apply_step, names)

    def check(self, *names: str) -> Report:
        """Look at steps and change nothing; `skipped` means that apply would act."""
        return self._each(check_step, names)

    def pending(self) -> Report:
        """Look at every step that has not run yet, and change nothing: what the rest of the phase would do."""
        done = {row.step for row in self.report.rows}
        names = tuple(step.name for step in self.phase.steps if step.name not in done)
        before = list(self.report.rows)
        try:
            return self._each(check_step, names, title="What the rest of this notebook would do")
        finally:
            # Having been looked at is no outcome of a step.
            self.report.rows = before

    def _each(self, work: Any, names: tuple[str, ...], *, title: str = "") -> Report:
        steps = [self.phase.step(name) for name in names] or list(self.phase.steps)
        shown = Report(title or (steps[0].title if len(steps) == 1 else self.phase.title))
        for step in steps:
            with LiveOutput() as live:

                def write(host: Host, stream: str, text: str, live: LiveOutput = live) -> None:
                    live.write(host.name, stream, text)

                self.run.on_output = write
                try:
                    report = work(self.phase, step, self.run)
                except K8swinError as error:
                    keep_evidence(self.run, step.name, error)
                    failed = getattr(error, "report", None)
                    if failed is not None:
                        self._keep(failed, shown)
                    self.run.record.write(
                        "failed", phase=self.phase.name, step=step.name, error=str(error)
                    )
                    display(shown)
                    if any(name in step.scripts for name in (LINUX, WINDOWS)):
                        display(self.preflight())
                    raise
                finally:
                    self.run.on_output = None
            self._keep(report, shown)
        return shown

    def _keep(self, report: Report, shown: Report) -> None:
        shown.rows.extend(report.rows)
        known = {(row.step, row.host) for row in report.rows}
        self.report.rows = [r for r in self.report.rows if (r.step, r.host) not in known]
        self.report.rows.extend(report.rows)

    def preflight(self) -> StaticTable:
        """Return the preflight table: check, host, found, wanted, fix."""
        return preflight_table(self.run.facts)

    def anti_spoofing(self) -> StaticTable:
        """Return what is to be done at the nodes' hypervisors, in commands."""
        return anti_spoofing_table(self.run)

    def routes(self) -> RouteListing:
        """Return the routes to the nodes' pods for the site's router, from the live cluster.

        A cluster that is half built has none yet, which is no reason for a notebook to end.
        """
        try:
            return RouteListing(self.run.plan, read_routes(self.run))
        except StepFailed as error:
            return RouteListing(self.run.plan, [], trouble=str(error).splitlines()[0])

    def handover(self) -> Handover:
        """Return the plan as a document for those who build a pod network by other means."""
        return Handover(self.run)

    def plan_table(self) -> StaticTable:
        """Return what the network plan decides and derives."""
        return plan_table(self.run.plan)

    def address_map(self) -> AddressMap:
        """Return the networks as a picture."""
        return AddressMap(self.run.plan)

    def subnet_form(self) -> Any:
        """Return a form that judges networks while one types; headless a static table."""
        from k8swin_nb.notebook.subnet_form import subnet_form

        return subnet_form(self.run.params)

    def matrix(self) -> Any:
        """Return who reaches whom, as a DataFrame: rows begin, columns are where they lead."""
        from k8swin_nb.notebook.matrix import matrix_table

        return matrix_table(matrix_records(self.run))

    def matrix_picture(self) -> Any:
        """Return the same as a picture."""
        from k8swin_nb.notebook.matrix import MatrixPicture

        return MatrixPicture(matrix_records(self.run))

    def connections(self) -> Any:
        """Return the same as a list: from, to, state, evidence, reason, command; what was skipped comes last."""
        from k8swin_nb.notebook.matrix import connections_table

        return connections_table(matrix_records(self.run))

    def dashboard(self) -> StaticTable:
        """Return where the Dashboard is, how to open it, and in which file its token is."""
        return StaticTable("Kubernetes Dashboard", ("what", "value"), dashboard_rows(self.run))

    def findings(self) -> StaticTable:
        """Return what the collected evidence shows: entry, host, evidence, fix."""
        found = findings(self.run)
        rows = [(f.entry.id, f.host, f.evidence, f.entry.fix) for f in found]
        return StaticTable(f"Findings: {len(rows)}", ("entry", "host", "evidence", "fix"), rows)

    def symptoms(self) -> StaticTable:
        """Return the whole table: entry, symptom, cause, evidence, fix, source."""
        columns = ("entry", "symptom", "cause", "evidence", "fix", "source")
        rows = [[getattr(e, "id" if c == "entry" else c) for c in columns] for e in entries()]
        return StaticTable(f"{len(rows)} entries", columns, rows)

    def nodes(self) -> Any:
        """Return the nodes with kubectl's columns, as a DataFrame."""
        from k8swin_nb.cluster.tables import nodes

        return nodes(self._api())

    def pods(self, namespace: str = "") -> Any:
        """Return the pods of a namespace, or of all, with kubectl's columns, as a DataFrame."""
        from k8swin_nb.cluster.tables import pods

        return pods(self._api(), namespace)

    def _api(self) -> Any:
        """Connect with the login user's kubeconfig, which is read over SSH and kept in memory only."""
        from k8swin_nb.cluster.api import ClusterApi

        if self._cluster is None:
            result = self.run.script(
                "linux/read_kubeconfig.check.sh",
                self.run.master,
                verb="check",
                step="read-kubeconfig",
                sudo=False,
                secret_output=True,
            )
            if result.returncode != 0:
                raise ClusterError("the login user has no kubeconfig", hint="run 02_master first")
            self._cluster = ClusterApi(result.stdout)
        return self._cluster

    def summary(self) -> Report:
        """Return how every step of this notebook ended, and close the record with it."""
        self.run.record.write(
            "notebook-finished",
            phase=self.phase.name,
            outcomes=self.report.counts(),
            dry_run=self.run.dry_run,
        )
        return self.report
