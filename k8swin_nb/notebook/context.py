"""What the magics of this kernel work on: the open cluster, and what runs in the background."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from k8swin_nb.errors import InventoryError

if TYPE_CHECKING:
    from k8swin_nb.api import Cluster
    from k8swin_nb.inventory import Inventory
    from k8swin_nb.notebook.jobs import Job


@dataclass(slots=True)
class Context:
    """The open cluster with everything that belongs to it."""

    cluster: Cluster

    jobs: list[Job] = field(default_factory=list)
    """What was started with `--bg`."""

    @property
    def inventory(self) -> Inventory:
        """Which hosts there are."""
        return self.cluster.inventory

    def close(self) -> None:
        """Stop the jobs and close the connections."""
        for job in self.jobs:
            job.kill()
        self.cluster.close()


_current: Context | None = None


def open_context(cluster: Cluster) -> Context:
    """Make a cluster the one that magics use; one that was open before is closed."""
    global _current
    close_context()
    _current = Context(cluster)
    return _current


def current() -> Context:
    """Return the open context.

    Raises:
        InventoryError: with the call that opens one.
    """
    if _current is None:
        raise InventoryError(
            "no inventory is open in this notebook",
            hint='open one first: `phase = open_phase("01_network")`',
        )
    return _current


def known() -> Context | None:
    """Return the open context, or None; for completion, which must not fail."""
    return _current


def close_context() -> None:
    """Close the open context, if there is one."""
    global _current
    if _current is not None:
        _current.close()
        _current = None
