"""What the magics of this kernel work on: the open inventory, its connections, and who keeps the record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from k8swin_nb.errors import InventoryError

if TYPE_CHECKING:
    from k8swin_nb.inventory import Inventory
    from k8swin_nb.notebook.jobs import Job
    from k8swin_nb.transports.pool import Pool

OnEvent = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Context:
    """The open inventory with everything that belongs to it."""

    inventory: Inventory
    """Which hosts there are."""

    pool: Pool
    """Their connections."""

    on_event: OnEvent | None = None
    """Told of every script that a magic ran, for the record."""

    jobs: list[Job] = field(default_factory=list)
    """What was started with `--bg`."""

    def close(self) -> None:
        """Stop the jobs and close the connections."""
        for job in self.jobs:
            job.kill()
        self.pool.close()


_current: Context | None = None


def open_context(inventory: Inventory, pool: Pool, on_event: OnEvent | None = None) -> Context:
    """Make an inventory the one that magics use; one that was open before is closed."""
    global _current
    close_context()
    _current = Context(inventory, pool, on_event)
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
