"""The scripts of a step as a notebook shows them: the very files that run."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from k8swin_nb.scripts import Script
from k8swin_nb.shown import shown
from k8swin_nb.tables import escaped, folding
from k8swin_nb.tables.code import CODE, highlighted
from k8swin_nb.workflow.report import EMPTY, Report
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
        return "\n".join(
            shown(f"# --- {title}\n{text}", most=CODE) for title, text, _ in self.parts
        )

    def _repr_html_(self) -> str:
        return "".join(
            folding("", highlighted(text, language), heading=f"<code>{escaped(title)}</code>")
            for title, text, language in self.parts
        )


class Scripts:
    """The scripts of steps behind one line that names them."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = [step.name for step in steps]
        self._listings = [Listing(step) for step in steps]

    @property
    def told(self) -> str:
        """The names of the files and functions, without their folders."""
        titles = [title for listing in self._listings for title, _, _ in listing.parts]
        return ", ".join(title.rpartition(": ")[2].rpartition("/")[2] for title in titles)

    def __repr__(self) -> str:
        how = ", ".join(f"phase.show({name!r})" for name in self._steps)
        return shown(f"{self.told}; to read: {how}")

    @property
    def listings(self) -> str:
        """The scripts as HTML, each folded."""
        return "".join(listing._repr_html_() for listing in self._listings)

    def _repr_html_(self) -> str:
        return folding("", self.listings, heading=f"<code>{escaped(self.told)}</code>")


class Applied:
    """How steps ended, one line each: what hosts printed, what was changed and the scripts are folded behind it.

    Args:
        steps: The steps, in order.
        report: Their rows.
        said: What hosts printed, by step, as HTML of this package.
    """

    def __init__(
        self, steps: Sequence[Step], report: Report, said: Mapping[str, str] | None = None
    ) -> None:
        self._steps = steps
        self._report = report
        self._said = said or {}

    def __repr__(self) -> str:
        return repr(self._report)

    def _repr_html_(self) -> str:
        return "".join(self._one(step, escaped(Scripts([step]).told)) for step in self._steps)

    def _one(self, step: Step, names: str) -> str:
        scripts = Scripts([step])
        rows = [row for row in self._report.rows if row.step == step.name]
        report = Report(step.title, rows)
        behind = report.behind() + self._said.get(step.name, "") + scripts.listings
        line = report.line()
        if not line:
            return report._repr_html_() + folding("", behind, heading=f"<code>{names}</code>")
        # Among others a step is told by its name; alone it stands below its title, and its scripts are named.
        if len(self._steps) > 1:
            line = f"<b>{escaped(step.name)}</b> {line if rows else EMPTY}"
        else:
            line += f" <code>{names}</code>"
        return folding("", behind, heading=line)


class Seen(Report):
    """A report that was displayed already: as the value of its cell it is not shown again, later it is."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.title, report.rows)
        self._fresh = True

    def _ipython_display_(self) -> None:
        if not self._fresh:
            raise NotImplementedError  # IPython's word for: show it as you always do
        self._fresh = False


def _source(action: Any) -> str:
    """Return a function's own source; a closure's is that of the function that made it."""
    return inspect.getsource(inspect.unwrap(action))
