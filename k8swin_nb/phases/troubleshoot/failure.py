"""Evidence when a step fails: what the hosts of the error show is kept, and the error stays what it was."""

from __future__ import annotations

import re
from pathlib import Path

from k8swin_nb.errors import (
    CommandTimeout,
    K8swinError,
    MultiHostError,
    ParamsError,
    RecordError,
    TransportError,
)
from k8swin_nb.fan_out import on_each
from k8swin_nb.inventory import Host
from k8swin_nb.phases.troubleshoot.bundle import write_bundle
from k8swin_nb.phases.troubleshoot.collecting import gather, silent
from k8swin_nb.phases.troubleshoot.diagnosis import diagnose
from k8swin_nb.phases.troubleshoot.evidence import Evidence
from k8swin_nb.workflow.phase_run import PhaseRun

SECONDS = 45
"""What collecting may add to a failure, all hosts together."""

HOSTS = 4
"""Failed hosts whose evidence is collected; with very many, the first show what all have."""


def keep_evidence(run: PhaseRun, step: str, error: K8swinError) -> Path | None:
    """Collect and keep evidence of a failed step, within bounds of time and size.

    Return the folder that holds it, if there is one; the error's hint says so too. Whatever goes wrong here is noted in the record and changes nothing.
    """
    if run.dry_run or isinstance(error, ParamsError | RecordError):
        # What a person typed, or this computer's disk, says nothing about a host.
        return None
    try:
        name = re.sub(r"[^\w.-]", "-", f"{run.record.notebook}-{step}")
        evidence = _collect(run, _hosts(run, error))
        found = diagnose(run.plan, run.description.profile, evidence)
        folder = write_bundle(run, name, evidence, found, "\n".join(error.lines()))
        run.record.write("diagnostics", step=step, folder=str(folder))
    except Exception as trouble:
        # Of a failure while another is told, the first one is what counts.
        told = f"{type(trouble).__name__}: {trouble}"
        run.record.write_beside(error, "diagnostics", step=step, failed=told)
        return None
    where = f"evidence is in {folder}"
    error.hint = f"{error.hint}; {where}" if error.hint else where
    return folder


def _hosts(run: PhaseRun, error: K8swinError) -> list[tuple[Host, TransportError | None]]:
    """Return the hosts that an error is about; with why it is not asked again, if so."""
    errors = (
        error.errors
        if isinstance(error, MultiHostError)
        else {getattr(error, "host", "") or "": error}
    )
    by_name = {host.name: host for host in run.inventory.hosts}
    # What a login refused once is not tried again: accounts are locked after a few attempts.
    chosen = [
        (by_name[name], one if isinstance(one, TransportError) else None)
        for name, one in errors.items()
        if name in by_name and not isinstance(one, CommandTimeout)
    ]
    return chosen[:HOSTS]


def _collect(run: PhaseRun, hosts: list[tuple[Host, TransportError | None]]) -> list[Evidence]:
    kept: dict[str, Evidence] = {
        host.name: silent(host, refused.detail, refused) for host, refused in hosts if refused
    }

    asked = on_each(
        [host for host, refused in hosts if not refused],
        lambda host: gather(run.at(host, "evidence"), timeout=SECONDS),
        name=lambda host: host.name,
        cancel=run.cancel,
        seconds=SECONDS,
    )
    kept |= asked.answers
    for name, trouble in asked.errors.items():
        kept[name] = silent(run.inventory.host(name), str(trouble), trouble)
    return [kept[host.name] for host, _ in hosts]
