"""What the magics of this kernel work on: the open cluster, and what runs in the background."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from k8swin_nb.errors import Interrupted, InventoryError
from k8swin_nb.fan_out import on_each
from k8swin_nb.notebook.jobs import KILL_SECONDS
from k8swin_nb.shown import shown_line

if TYPE_CHECKING:
    from k8swin_nb.api import Cluster
    from k8swin_nb.inventory import Host, Inventory
    from k8swin_nb.notebook.jobs import Job

LOOK_SECONDS = 60.0
"""How long an answer to who works on a host counts; each takes a script there."""

ANSWER_SECONDS = 10.0
"""How long that script may take, with the login before it."""


@dataclass(slots=True)
class Context:
    """The open cluster with everything that belongs to it."""

    cluster: Cluster

    jobs: list[Job] = field(default_factory=list)
    """What was started with `--bg`."""

    looked: dict[str, float] = field(default_factory=dict)
    """When a host was last asked whether somebody else works on it, by the clock that only goes on."""

    def tell_of_others(self, hosts: tuple[Host, ...], seconds: float | None) -> None:
        """Say who else changes these hosts at the moment; magics take no lock and wait for nobody.

        A host is asked once a minute, for at most `seconds` and a few. What goes wrong with that is about the script that
        follows, which says it.
        """
        now = time.monotonic()
        asked = [
            host
            for host in hosts
            if now - self.looked.get(host.name, -LOOK_SECONDS) >= LOOK_SECONDS
            and not self.cluster.locks.holds(host)
        ]
        if not asked:
            return
        self.looked |= {host.name: now for host in asked}
        enough = threading.Event()
        limit = threading.Timer(min(seconds or ANSWER_SECONDS, ANSWER_SECONDS), enough.set)
        limit.daemon = True
        limit.start()
        try:
            found = on_each(
                asked,
                lambda host: self.cluster.locks.look(host, enough),
                name=lambda host: host.name,
                cancel=enough,
            )
        except Interrupted as interrupt:
            interrupt.results = {}
            raise
        finally:
            limit.cancel()
        for name, (held, holder) in found.answers.items():
            if held:
                who = shown_line(str(holder or "somebody"))
                told = f"{name} is worked on by {who}; what runs now may be in its way"
                print(told, file=sys.stderr)  # noqa: T201

    @property
    def inventory(self) -> Inventory:
        """Which hosts there are."""
        return self.cluster.inventory

    @property
    def running(self) -> list[Job]:
        """The jobs that have not ended."""
        return [job for job in self.jobs if job.status == "running"]

    def close(self) -> None:
        """Stop the jobs, say what was stopped, and close the connections."""
        running = self.running
        for job in running:
            print(f"is stopped, because the cluster is opened anew or closed: {job!r}")  # noqa: T201
        for job in running:
            job.stop()
        deadline = time.monotonic() + KILL_SECONDS
        for job in running:
            print(job.kill(max(0.0, deadline - time.monotonic())))  # noqa: T201
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
