"""What outlives its connection: reboots, updates, and the jobs that create and remove the HNS network.

All are started with one short command, and then looked for on new connections until a deadline. The
work goes on without us: a kernel that died meanwhile finds it again with the step's check.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from k8swin_nb.errors import AuthenticationFailed, CertificateRejected, TransportError
from k8swin_nb.result import Result
from k8swin_nb.workflow.step_run import StepRun

REBOOT_SECONDS = 1800
"""Windows may install updates while it boots."""

POD_NETWORK_SECONDS = 600
"""The job gives up by itself after three starts of flanneld of 120 s each; the rest is for what goes with them."""

REMOVAL_SECONDS = 300
"""The job that removes the networks gives up by itself after 120 s."""

SILENT_SECONDS = 300
"""How long a worker may be silent at a stretch while its adapter is taken over."""

UPDATE_SECONDS = 7200
UPDATE_ROUNDS = 6
"""Updates bring further updates; most servers need two or three rounds."""

START_SECONDS = 60
"""How long the task scheduler may take to start a task."""

UNDERWAY = ("started", "waiting", "restoring", "relaunching", "searching", "installing")
"""What the status of a job says while it works."""

INTERVAL = 2.0


def reboot(at: StepRun) -> None:
    """Reboot a Windows server and wait until it answers with another boot time.

    Raises:
        StepFailed: when it does not come back in time.
    """
    before = _boot_time(at)
    if not before:
        raise at.failed(
            "the server did not say when it booted",
            hint="run `Get-CimInstance Win32_OperatingSystem` there; nothing was rebooted",
        )
    result = at.script("windows/reboot.apply.ps1")
    if result.returncode != 0:
        raise at.failed("the reboot was refused", result=result)
    deadline = time.monotonic() + REBOOT_SECONDS
    late, misses = False, 0
    while not late:
        at.pause(INTERVAL)
        # Before the look: when this computer was paused, a look at what there is now comes after it, and a second
        # one if the first finds no more than a connection that is dead since.
        late = time.monotonic() >= deadline
        try:
            if _boot_time(at) not in ("", before):
                return
            misses = 0
        except (AuthenticationFailed, CertificateRejected):
            raise
        except TransportError:
            # It is down, or on its way up.
            misses += 1
            late = late and misses > 1
            at.run.connections.transport(at.host).reconnect()
    raise at.failed(
        f"no answer with a new boot time after {REBOOT_SECONDS} s, it booted at {before}"
    )


def await_pod_network(at: StepRun) -> None:
    """Start the job that creates the HNS network and follow it through the loss of the connection.

    Raises:
        StepFailed: when the job rolled back, or the worker does not answer in time.
    """
    _see_through(at, Job("pod-network", "windows/pod_network", POD_NETWORK_SECONDS, SILENT_SECONDS))


def await_hns_removal(at: StepRun) -> None:
    """Start the job that removes the HNS networks and follow it through the loss of the connection.

    Raises:
        StepFailed: when the job failed, or the worker does not answer in time.
    """
    _see_through(at, Job("hns-removed", "windows/hns_removed", REMOVAL_SECONDS, SILENT_SECONDS))


def update_windows(at: StepRun) -> None:
    """Install updates and reboot, again and again until none is left.

    Raises:
        StepFailed: when updates are left after some rounds, or a job fails.
    """
    job = Job(
        "windows-update",
        "windows/windows_update",
        UPDATE_SECONDS,
        REBOOT_SECONDS,
        status="windows/windows_update.status.ps1",
    )
    detail = ""
    for _ in range(UPDATE_ROUNDS):
        left, reboot_wanted, detail = [*_see_through(at, job).split(" ", 2), "", ""][:3]
        if reboot_wanted == "True":
            reboot(at)
        elif left == "0":
            return
    raise at.failed(f"updates are left after {UPDATE_ROUNDS} rounds: {detail}")


@dataclass(frozen=True, slots=True)
class Job:
    """A task of a Windows server's own, that is started and then followed by its status file."""

    name: str
    """Under which the server keeps its status."""

    scripts: str
    """Start of the names of its scripts: `.apply.ps1` starts it."""

    seconds: float
    """How long it may take."""

    silent: float
    """How long the server may be silent at a stretch."""

    status: str = "windows/job.status.ps1"
    """The script that says how far it is."""


def _see_through(at: StepRun, job: Job) -> str:
    """Start a job unless it is under way already, and follow it to its end; return its last words."""
    if not _is_underway(at, job):
        _start(at, job)
    return _follow(at, job)


def _start(at: StepRun, job: Job) -> None:
    try:
        started = at.script(f"{job.scripts}.apply.ps1")
    except (AuthenticationFailed, CertificateRejected):
        raise
    except TransportError:
        # The job may have cut the connection before the answer came; its status will tell.
        at.run.connections.transport(at.host).reconnect()
        return
    if started.returncode != 0:
        raise at.failed("the job was not started", result=started)


def _follow(at: StepRun, job: Job) -> str:
    """Follow a job to its end, through losses of the connection; return what it says at the end."""
    began = answered = time.monotonic()
    said, late, silent, misses = "", False, False, 0
    while not late and not silent:
        at.pause(INTERVAL)
        # Before the look, as in `reboot`.
        now = time.monotonic()
        late, silent = now - began > job.seconds, now - answered > job.silent
        try:
            state, _, detail = _job_status(at, job).stdout.strip().partition(" ")
            answered, silent, misses = time.monotonic(), False, 0
        except (AuthenticationFailed, CertificateRejected):
            raise
        except TransportError:
            misses += 1
            late, silent = late and misses > 1, silent and misses > 1
            state, detail = "disrupted", "the worker does not answer, as expected for some seconds"
            at.run.connections.transport(at.host).reconnect()
        line = f"{state}: {detail}"
        if line != said:
            at.tell(line)
        said = line
        if state == "done":
            return detail
        not_started = state == "pending" and now - began > START_SECONDS
        if state in ("rolled-back", "failed", "interrupted") or not_started:
            raise at.failed(line)
    raise at.failed(
        f"no end of the job after {time.monotonic() - began:.0f} s, last seen: {said}; if the worker "
        r"stays silent, its address configuration is in C:\k8swin\network.json for its console"
    )


def _boot_time(at: StepRun) -> str:
    """Return when a server booted; empty while it cannot say, as early in a boot."""
    result = at.doing("check").script("windows/boot_time.check.ps1", timeout=60)
    told = result.stdout.strip()
    # Noise is no new boot time: it would prove a reboot that never was.
    known = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,16}Z?", told)
    return told if result.returncode == 0 and known else ""


def _job_status(at: StepRun, job: Job) -> Result:
    return at.doing("check").script(job.status, values={"job": job.name}, timeout=60)


def _is_underway(at: StepRun, job: Job) -> bool:
    return _job_status(at, job).stdout.split(" ")[0] in UNDERWAY
