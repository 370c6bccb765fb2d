"""What cuts its own connection: reboots, and the jobs that create and remove the HNS network.

They are started with one short command, and then looked for on new connections until a deadline. The
work goes on without us: a kernel that died meanwhile finds it again with the step's check.
"""

from __future__ import annotations

import time

from k8swin_nb.errors import (
    AuthenticationFailed,
    CertificateRejected,
    StepFailed,
    TransportError,
)
from k8swin_nb.inventory import Host
from k8swin_nb.result import Result
from k8swin_nb.workflow.run import Run

REBOOT_SECONDS = 1800
"""Windows may install updates while it boots."""

JOB_SECONDS = 300
"""The job gives up by itself after 120 s; the rest is for the network to come back."""

INTERVAL = 2.0


def reboot(run: Run, host: Host) -> None:
    """Reboot a Windows server and wait until it answers with another boot time.

    Raises:
        StepFailed: when it does not come back in time.
    """
    before = _boot_time(run, host)
    result = run.script("windows/reboot.apply.ps1", host, verb="apply", step="reboot")
    if result.returncode != 0:
        raise StepFailed(
            phase="", step="reboot", host=host.name, detail="the reboot was refused", result=result
        )
    deadline = time.monotonic() + REBOOT_SECONDS
    while time.monotonic() < deadline:
        time.sleep(INTERVAL)
        try:
            if _boot_time(run, host) != before:
                return
        except (AuthenticationFailed, CertificateRejected):
            raise
        except TransportError:
            # It is down, or on its way up.
            run.connections.transport(host).reconnect()
    raise StepFailed(
        phase="",
        step="reboot",
        host=host.name,
        detail=f"no answer with a new boot time after {REBOOT_SECONDS} s, it booted at {before}",
    )


def await_pod_network(run: Run, host: Host) -> None:
    """Start the job that creates the HNS network and follow it through the loss of the connection.

    Raises:
        StepFailed: when the job rolled back, or the worker does not answer in time.
    """
    _await_job(run, host, "pod-network", "windows/pod_network.apply.ps1")


def await_hns_removal(run: Run, host: Host) -> None:
    """Start the job that removes the HNS networks and follow it through the loss of the connection.

    Raises:
        StepFailed: when the job failed, or the worker does not answer in time.
    """
    _await_job(run, host, "hns-removed", "windows/hns_removed.apply.ps1")


def _await_job(run: Run, host: Host, job: str, script: str) -> None:
    if not _job_is_underway(run, host, job):
        started = run.script(script, host, verb="apply", step=job)
        if started.returncode != 0:
            raise StepFailed(
                phase="", step=job, host=host.name, detail="the job was not started", result=started
            )
    deadline = time.monotonic() + JOB_SECONDS
    said = ""
    while time.monotonic() < deadline:
        time.sleep(INTERVAL)
        try:
            state, _, detail = _job_status(run, host, job).stdout.strip().partition(" ")
        except (AuthenticationFailed, CertificateRejected):
            raise
        except TransportError:
            state, detail = "disrupted", "the worker does not answer, as expected for some seconds"
            run.connections.transport(host).reconnect()
        line = f"{state}: {detail}"
        if line != said and run.on_output:
            run.on_output(host, "stdout", line + "\n")
        said = line
        if state == "done":
            return
        if state in ("rolled-back", "failed", "lost"):
            raise StepFailed(phase="", step=job, host=host.name, detail=line)
    raise StepFailed(
        phase="",
        step=job,
        host=host.name,
        detail=(
            f"no end of the job after {JOB_SECONDS} s, last seen: {said}; if the worker stays "
            r"silent, its address configuration is in C:\k8swin\network.json for its console"
        ),
    )


def _boot_time(run: Run, host: Host) -> str:
    result = run.script(
        "windows/boot_time.check.ps1", host, verb="check", step="reboot", quiet=True, timeout=60
    )
    return result.stdout.strip()


def _job_status(run: Run, host: Host, job: str) -> Result:
    return run.script(
        "windows/job.status.ps1",
        host,
        verb="check",
        step=job,
        values={"job": job},
        quiet=True,
        timeout=60,
    )


def _job_is_underway(run: Run, host: Host, job: str) -> bool:
    return _job_status(run, host, job).stdout.split(" ")[0] in ("started", "waiting", "restoring")
