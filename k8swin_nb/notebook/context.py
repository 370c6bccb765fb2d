"""What the magics of this kernel work on: the open cluster, and what runs in the background.

Without a cluster's description there is a context too: of hosts that are named with their login. What runs is never replaced:
a description that is opened anew takes connections and jobs over.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from k8swin_nb.errors import Interrupted
from k8swin_nb.fan_out import on_each
from k8swin_nb.notebook.jobs import KILL_SECONDS
from k8swin_nb.shown import shown_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from k8swin_nb.api import Cluster
    from k8swin_nb.description import Description
    from k8swin_nb.inventory import Host, Inventory
    from k8swin_nb.notebook.jobs import Job
    from k8swin_nb.workflow.record import Record

LOOK_SECONDS = 60.0
"""How long an answer to who works on a host counts; each takes a script there."""

ANSWER_SECONDS = 10.0
"""How long that script may take, with the login before it."""


@dataclass(slots=True)
class Context:
    """The open cluster with everything that belongs to it."""

    cluster: Cluster

    dry_run: bool = False
    """Whether what is open is a dry run: then magics say what they would send, and send nothing."""

    jobs: list[Job] = field(default_factory=list)
    """What was started with `--bg`."""

    strangers: dict[str, Host] = field(default_factory=dict)
    """Hosts that no description names and that were worked on, by name."""

    others: list[Cluster] = field(default_factory=list)
    """Clusters that were open before, with connections of their own, on which jobs may still run."""

    looked: dict[str, float] = field(default_factory=dict)
    """When a host was last asked whether somebody else works on it, by the clock that only goes on."""

    def tell_of_others(self, hosts: tuple[Host, ...], seconds: float | None) -> None:
        """Say who else changes these hosts at the moment; magics take no lock and wait for nobody.

        A host is asked once a minute, for at most half of the `seconds` that the script has. What goes wrong with that is about the script that
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
        limit = threading.Timer(
            min(seconds / 2 if seconds else ANSWER_SECONDS, ANSWER_SECONDS), enough.set
        )
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
    def described(self) -> bool:
        """Whether a cluster's description is open."""
        return bool(self.cluster.inventory.hosts)

    @property
    def running(self) -> list[Job]:
        """The jobs that have not ended."""
        return [job for job in self.jobs if job.status == "running"]

    def stranger(self, host: Host) -> Host:
        """Take note of a host that no description names, and return it under a name that no other has."""
        named = {one.name: one for one in (*self.inventory.hosts, *self.strangers.values())}
        at = f"{host.name}:{host.ssh_port if host.os == 'linux' else host.winrm_port}"
        for name in (host.name, at, f"{host.user}@{at}"):
            if name == at and host.name in named and named[host.name].user != host.user:
                continue  # another login is told from the first one by its name, not by a port
            mine = replace(host, name=name)
            if (
                name not in named
                or named[name] == mine
                or (name in self.strangers and _same(named[name], mine))
            ):
                break
        self.strangers[mine.name] = mine
        self.cluster.know(mine)
        return mine

    def close(self) -> None:
        """Stop the jobs, say what was stopped, and close the connections."""
        running = self.running
        for job in running:
            print(f"is stopped, because the cluster is closed: {job!r}")  # noqa: T201
        for job in running:
            job.stop()
        deadline = time.monotonic() + KILL_SECONDS
        for job in running:
            print(job.kill(max(0.0, deadline - time.monotonic())))  # noqa: T201
        for cluster in (*self.others, self.cluster):
            cluster.close()


_current: Context | None = None

on_record: Callable[[], None] | None = None
"""Told when the open cluster has a record that was not there before."""


def open_context(cluster: Cluster, *, dry_run: bool = False) -> Context:
    """Make a cluster the one that magics use. Jobs of one that was open before go on, and are listed further on."""
    global _current
    if _current is None:
        _current = Context(cluster)
    elif _current.cluster is not cluster:
        if _current.cluster.pool is not cluster.pool:
            _current.others.append(_current.cluster)
            _current.looked.clear()
        _current.cluster = cluster
    _current.dry_run = dry_run
    _follow(cluster)
    return _current


def _follow(cluster: Cluster) -> None:
    """Let the record of a notebook's cluster begin with who opened it; one of a phase does already."""
    if "record" not in cluster.__dict__:
        cluster.on_record = lambda record: _record_begins(cluster, record)
    elif on_record is not None:
        on_record()


def _record_begins(cluster: Cluster, record: Record) -> None:
    told: dict[str, Any] = {"cluster": ""}
    if cluster.inventory.hosts:
        description = cluster.description
        described = json.dumps(description.model_dump(), sort_keys=True)
        told["cluster"] = description.cluster_name
        told["parameters_sha256"] = hashlib.sha256(described.encode()).hexdigest()
    told["hosts"] = [
        {"name": host.name, "address": host.address, "os": host.os, "user": host.user}
        for host in cluster.inventory.hosts
    ]
    dry_run = _current is not None and _current.cluster is cluster and _current.dry_run
    record.opened(phase="", dry_run=dry_run, **told)
    if on_record is not None:
        on_record()


def cluster_of(description: Description, **how: Any) -> Cluster:
    """Return a cluster that works over the connections that are open in this kernel; `how` as `Cluster` takes it.

    A description that has changed is told in a line; what runs goes on.
    """
    from k8swin_nb.api import Cluster

    cluster = Cluster(description, **how)
    if _current is not None:
        before = _current.cluster
        cluster.take_over(before)
        if _current.described:
            changed = changes(before.description, description)
            going = _current.running
            if changed:
                jobs = "1 job goes on" if len(going) == 1 else f"{len(going)} jobs go on"
                on = f"; {jobs}" if going else ""
                print(f"the description has changed: {changed}{on}")  # noqa: T201
    return cluster


def changes(before: Description, after: Description) -> str:
    """Return what differs between two descriptions, in a line; empty: nothing."""
    told = []
    old, new = ({host.name: host for host in one.hosts} for one in (before, after))
    if more := [name for name in new if name not in old]:
        told.append(f"new {', '.join(more)}")
    if gone := [name for name in old if name not in new]:
        told.append(f"gone {', '.join(gone)}")
    for name in old:
        if name in new and old[name] != new[name]:
            keys = _differing(old[name], new[name])
            told.append(f"{name}: {', '.join(keys)}")
    told += [key for key in _differing(before, after) if key != "hosts"]
    if before.folder != after.folder:
        told.append("its folder")
    return shown_line("; ".join(told))


def _differing(before: BaseModel, after: BaseModel) -> list[str]:
    return [key for key in type(before).model_fields if getattr(before, key) != getattr(after, key)]


def _same(one: Host, other: Host) -> bool:
    """Whether two hosts that no description names are the same machine and login, whatever else is said of them."""
    keys = ("address", "user", "os", "ssh_port", "winrm_port")
    return all(getattr(one, key) == getattr(other, key) for key in keys)


def current() -> Context:
    """Return the open context; without a description that of the hosts that are named with their login."""
    global _current
    if _current is None:
        from k8swin_nb.notebook.undescribed import Undescribed

        _current = Context(Undescribed())
        _follow(_current.cluster)
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
