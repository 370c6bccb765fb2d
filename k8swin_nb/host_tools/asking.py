"""How the tools ask a host: one script, written down before it begins where it may change something."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from k8swin_nb.errors import Stopped
from k8swin_nb.inventory import Host
from k8swin_nb.result import Result
from k8swin_nb.scripts import Script
from k8swin_nb.shells import new_tag
from k8swin_nb.workflow.script_events import about, identified, of_script, written_down

if TYPE_CHECKING:
    from k8swin_nb.inventory import Inventory
    from k8swin_nb.transports.output import OnOutput
    from k8swin_nb.transports.pool import Pool
    from k8swin_nb.workflow.host_lock import HostLocks
    from k8swin_nb.workflow.record import Record

SECONDS = 60.0
"""What a script that only looks may take."""


class Machines(Protocol):
    """What the tools need of an open cluster."""

    pool: Pool

    @property
    def record(self) -> Record: ...

    run_id: str
    inventory: Inventory
    locks: HostLocks

    def hosts(self, selection: str = "all") -> tuple[Host, ...]: ...


def chosen(cluster: Machines, on: str | tuple[Host, ...]) -> tuple[Host, ...]:
    """Return the hosts that a selection names, or those that are given."""
    return cluster.hosts(on) if isinstance(on, str) else on


def script_of(host: Host, name: str) -> Script:
    """Return the script of a name such as `host_facts.check` for a host's system."""
    return Script.load(f"linux/{name}.sh" if host.os == "linux" else f"windows/{name}.ps1")


def fold(host: Host, values: Mapping[str, str]) -> dict[str, str]:
    """Return values by the names that scripts of a host's system declare: JOB_ID for bash, JobId for PowerShell."""
    if host.os == "linux":
        return {name.upper(): value for name, value in values.items()}
    return {
        "".join(part.capitalize() for part in name.split("_")): value
        for name, value in values.items()
    }


def ask(
    cluster: Machines,
    host: Host,
    name: str,
    values: Mapping[str, str] | None = None,
    *,
    stdin: bytes = b"",
    feed: Iterable[bytes] | None = None,
    timeout: float | None = SECONDS,
    sudo: bool = False,
    cancel: threading.Event | None = None,
    told: Mapping[str, Any] | None = None,
) -> Result:
    """Run one of the package's scripts on a host, whatever its exit code.

    Args:
        cluster: Whose connections and record.
        host: Where.
        name: Script without folder and suffix, such as `host_facts.check`.
        values: By the names of bash's declarations in small letters, such as `file`.
        stdin: Standard input.
        feed: What follows it piece by piece (Linux only).
        timeout: Seconds.
        sudo: As root, on Linux, where the login is not root's.
        cancel: When it is set, it is stopped.
        told: What the record says beside it of a script that changes something; None: the script only looks, and is not
            recorded.

    Raises:
        Stopped: when it was stopped; its `result` has what was printed until then.
        TransportError: when the host cannot be reached or used.
    """
    script = script_of(host, name)
    bound = fold(host, values or {})
    as_root = sudo and host.asks_for_root
    tag = new_tag(cluster.run_id, "magic") if told is not None else ""

    transport = cluster.pool.transport(host)

    def work(show: OnOutput | None = None) -> Result:
        return transport.run(
            script,
            parameters=bound,
            stdin=stdin,
            feed=feed,
            timeout=timeout,
            sudo=as_root,
            cancel=cancel,
            tag=tag,
            on_output=show,
        )

    if told is None:
        result = work()
    else:
        ours = of_script(cluster.record, script) | {"parameters": bound}
        event = about(host, tag, sudo=as_root, **(ours | dict(told)))
        with identified(cluster.record, host, transport, event):
            result = written_down(cluster.record, event, work)
    if not result.ok and cancel is not None and cancel.is_set():
        left_running = f"; {result.left}" if result.left else ""
        stopped = Stopped(host.name, f"`{script.name}` was stopped{left_running}")
        stopped.result = result  # type: ignore[attr-defined]
        raise stopped
    return result
