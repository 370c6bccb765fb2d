"""A phase: ordered steps under one title. A record; the runner is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from k8swin_nb.errors import InventoryError
from k8swin_nb.workflow.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Ordered steps that lead from one state of the cluster to the next."""

    name: str
    """Equal to the notebook's name: `02_master`."""

    title: str
    """What is true afterwards, for headings."""

    steps: tuple[Step, ...]

    target: str = ""
    """Operating system of the one host that the phase is about; empty when there is none."""

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
