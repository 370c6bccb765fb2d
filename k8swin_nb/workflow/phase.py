"""A phase: ordered steps under one title. A record; the runner is elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from k8swin_nb.errors import InventoryError
from k8swin_nb.workflow.step import Step

if TYPE_CHECKING:
    from k8swin_nb.workflow.step_run import StepRun

View = Callable[..., Any]
"""Makes something to be shown, with a text and an HTML form, of a `PhaseRun` and options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Ordered steps that lead from one state of the cluster to the next."""

    name: str
    """Equal to the notebook's name: `02_master`."""

    title: str
    """What is true afterwards, for headings."""

    steps: tuple[Step, ...]

    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Steps that a notebook has under one heading and in one cell: their names, in order, by that heading."""

    target: str = ""
    """Operating system of the one host that the phase is about; empty when there is none."""

    narrows: bool = False
    """Whether the notebook's `ip` narrows the phase to one worker; without it all are meant."""

    together: bool = False
    """Whether no host is changed before the locks of all are held: a half-removed cluster serves nobody."""

    confirmed_by: str = ""
    """The notebook's parameter that confirms what the phase takes away. Without it the notebook is a preview: a dry run."""

    before_change: Callable[[StepRun], None] | None = None
    """Called before each change of a step; what it raises, nothing is changed after."""

    variants: Mapping[str, Mapping[str, Step]] = field(default_factory=dict)
    """By variant, the steps that are done in another way: each stands in for the step of its name."""

    views: Mapping[str, View] = field(default_factory=dict)
    """What a notebook may show beside the steps, by name."""

    def variant(self, name: str) -> Phase:
        """Return the phase with the steps of one variant; the same steps in the same order."""
        others = self.variants.get(name, {})
        for other in others:
            self.step(other)
        return replace(
            self, steps=tuple(others.get(step.name, step) for step in self.steps), variants={}
        )

    def step(self, name: str) -> Step:
        """Return a step by name.

        Raises:
            InventoryError: naming the steps that there are.
        """
        for step in self.steps:
            if step.name == name:
                return step
        known = ", ".join(step.name for step in self.steps)
        raise InventoryError(
            f"phase `{self.name}` has no step `{name}`", hint=f"its steps: {known}"
        )

    def sections(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return the headings of the notebook with the names of the steps below them, in order."""
        sections: dict[str, tuple[str, ...]] = {}
        for step in self.steps:
            heading = self.heading(step.name)
            sections[heading] = (*sections.get(heading, ()), step.name)
        return list(sections.items())

    def heading(self, name: str) -> str:
        """Return the heading below which a notebook has a step: that of its part, else its own title.

        Raises:
            InventoryError: naming the steps that there are.
        """
        title = self.step(name).title
        return next((heading for heading, names in self.parts.items() if name in names), title)
