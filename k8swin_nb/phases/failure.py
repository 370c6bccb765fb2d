"""Evidence when a step fails: what the hosts of the error show is kept, and the error stays what it was."""

from __future__ import annotations

import re
import threading
import time

from k8swin_nb.errors import (
    CommandTimeout,
    K8swinError,
    MultiHostError,
    ParamsError,
    TransportError,
)
from k8swin_nb.inventory import Host
from k8swin_nb.phases.diagnosis import diagnose
from k8swin_nb.phases.evidence import Evidence
from k8swin_nb.phases.troubleshoot import gather, write_bundle
from k8swin_nb.workflow.run import Run

SECONDS = 45
"""What collecting may add to a failure, all hosts together."""

HOSTS = 4
"""Failed hosts whose evidence is collected; with very many, the first show what all have."""


def keep_evidence(run: Run, step: str, error: K8swinError) -> None:
    """Collect and keep evidence of a failed step, within bounds of time and size.

    The error's hint then says where it is. Whatever goes wrong here is noted in the record and changes nothing.
    """
    if run.dry_run or isinstance(error, ParamsError):
        # What a person typed says nothing about a host.
        return
    try:
        name = re.sub(r"[^\w.-]", "-", f"{run.record.notebook}-{step}")
        evidence = _collect(run, _hosts(run, error))
        found = diagnose(run.plan, run.params.profile, evidence)
        folder = write_bundle(run, name, evidence, found, "\n".join(error.lines()))
        run.record.write("diagnostics", step=step, folder=str(folder))
    except Exception as trouble:
        # Of a failure while another is told, the first one is what counts.
        run.record.write("diagnostics", step=step, failed=f"{type(trouble).__name__}: {trouble}")
        return
    where = f"evidence is in {folder}"
    error.hint = f"{error.hint}; {where}" if error.hint else where


def _hosts(run: Run, error: K8swinError) -> list[tuple[Host, str]]:
    """Return the hosts that an error is about; with why it is not asked again, if so."""
    errors = (
        error.errors
        if isinstance(error, MultiHostError)
        else {getattr(error, "host", "") or "": error}
    )
    by_name = {host.name: host for host in run.inventory.hosts}
    # What a login refused once is not tried again: accounts are locked after a few attempts.
    chosen = [
        (by_name[name], one.detail if isinstance(one, TransportError) else "")
        for name, one in errors.items()
        if name in by_name and not isinstance(one, CommandTimeout)
    ]
    return chosen[:HOSTS]


def _collect(run: Run, hosts: list[tuple[Host, str]]) -> list[Evidence]:
    kept: dict[str, Evidence] = {
        host.name: Evidence(host, unreachable=refused) for host, refused in hosts if refused
    }

    def ask(host: Host) -> None:
        try:
            kept[host.name] = gather(run, host, timeout=SECONDS)
        except Exception as trouble:
            kept[host.name] = Evidence(host, unreachable=f"{type(trouble).__name__}: {trouble}")

    threads = [
        threading.Thread(target=ask, args=(host,), daemon=True, name=f"evidence-{host.name}")
        for host, refused in hosts
        if not refused
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = "no evidence within the time that a failure may take"
    return [kept.get(host.name) or Evidence(host, unreachable=late) for host, _ in hosts]
