"""What a kernel does once the cell that runs has ended and everything of it is in the record: the run is sealed then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.core.getipython import get_ipython


def after_cell(work: Callable[[], object]) -> None:
    """Do something when the kernel has told the end of the cell that runs; at once where there is no kernel.

    The front end that ends the kernel behind its last cell waits for it: its request stands behind this in the kernel's loop.
    """
    shell = get_ipython()
    loop = getattr(getattr(shell, "kernel", None), "io_loop", None)
    if shell is None or loop is None:
        work()
        return
    events: Any = shell.events

    def once(*_: object) -> None:
        events.unregister("post_run_cell", once)
        loop.add_callback(work)

    events.register("post_run_cell", once)
