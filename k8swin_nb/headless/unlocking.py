"""`k8swin unlock`: say who works on a host and what runs there, and break the lock if a person wants that."""

from __future__ import annotations

import sys
from pathlib import Path

from k8swin_nb.api import open_cluster
from k8swin_nb.inventory import Host
from k8swin_nb.transports.processes import Running, end, running
from k8swin_nb.workflow.host_lock import Holder

PURPOSE = "k8swin unlock"


def unlock(params: Path, name: str, *, yes: bool, stop: bool) -> int:
    """Break the lock of a host, after saying what that means.

    Args:
        params: The cluster's description.
        name: The host's name.
        yes: Do not ask.
        stop: End the scripts that still change the host.

    Returns:
        0 when the lock is free and, with `stop`, nothing runs any more; 1 when it was left as it is.
    """
    with open_cluster(params, name="unlock") as cluster:
        host = cluster.hosts(name)[0]
        held, holder = cluster.locks.look(host)
        transport, sudo = cluster.pool.transport(host), host.asks_for_root
        scripts = [one for one in running(transport, sudo=sudo) if one.changes]
        _describe(host, holder if held else None, scripts, stop=stop)
        if not held and not (scripts and stop):
            return 0
        if not yes and not _agreed():
            return 1
        if stop and scripts:
            left = end(transport, scripts, sudo=sudo)
            for one in left:
                sys.stdout.write(f"  still runs: {one}\n")
            if left:
                return 1
        if held and holder is not None:
            cluster.locks.break_(host, holder, PURPOSE)
            cluster.record.write("host-lock-broken", host=host.name, holder=holder.line())
        sys.stdout.write(f"{host.name}: the lock is free\n")
    return 0


def _describe(host: Host, holder: Holder | None, scripts: list[Running], *, stop: bool) -> None:
    sys.stdout.write(
        f"{host.name}: " + (f"worked on by {holder}\n" if holder else "the lock is free\n")
    )
    for one in scripts:
        sys.stdout.write(f"  runs there: {one}\n")
    if holder:
        sys.stdout.write("breaking the lock stops that run before its next change on this host\n")
    if scripts and stop:
        sys.stdout.write("these scripts are ended in the middle of a change\n")
    elif scripts:
        sys.stdout.write(
            "what runs there goes on; the next run waits for it (end it with `--stop`)\n"
        )


def _agreed() -> bool:
    if not sys.stdin.isatty():
        sys.stderr.write("k8swin: nobody can answer here, the lock is left as it is\nhint: --yes\n")
        return False
    sys.stdout.write("Type yes to go on: ")
    sys.stdout.flush()
    return sys.stdin.readline().strip() == "yes"
