"""What outlives its connection: reboots, updates, and the jobs that create and remove the HNS network.

All are started with one short command, and then looked for on new connections until a deadline. The
work goes on without us: a kernel that died meanwhile finds it again with the step's check.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from k8swin_nb.errors import AuthenticationFailed, CertificateRejected, TransportError
from k8swin_nb.result import Result
from k8swin_nb.transports.clock import passed
from k8swin_nb.workflow.pauses import growing
from k8swin_nb.workflow.step_run import StepRun

REBOOT_SECONDS = 1800
"""Windows may install updates while it boots."""

POD_NETWORK_SECONDS = 1500
"""The job gives up by itself after three starts of flanneld of 120 s each. Before each of them HNS may have to be asked for a
minute, and the address waited for as long, three times; a job that is left alone before it has rolled back tells nothing."""

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
"""Seconds at most between two looks; the first ones follow sooner."""

REFUSED = (30, 450)
"""Intervals to wait after each refused login that is put up with: a minute, then a quarter of an hour.

A domain's server refuses everybody while it has not found its domain yet, which is so early in a boot and while the
adapter changes hands. Policies lock an account after three to ten refusals, counted over a quarter of an hour or more.
"""

RESENT = 30
"""Intervals after which a reboot is asked for again, where the answer to the first request was cut off."""

UNSETTLED = 300
"""Intervals that a server which has booted may need until it shows its logon screen: it configures itself before that."""

UPTIME_MARGIN = 0.5
"""Seconds by which times of one machine may be apart that should be the same."""

CLOCK_DRIFT = 0.005
"""By how much the clocks of two machines may run apart, as a share of the time that passes."""

BOOT_TIMES_APART = 60.0
"""Seconds between two boots, where nothing but the time of the boot is told: a clock that is set moves that time too."""


@dataclass(frozen=True, slots=True)
class Boot:
    """What a server says of its last boot."""

    at: float
    """When, in seconds since 1970 by the server's own clock."""

    up: float
    """Seconds since then; not a number when it does not say."""

    text: str
    """The time, as it said it."""

    settled: bool
    """Whether it is through with what it does before anybody may log on at its console."""

    asked: float
    """By this computer's clock, when the question was sent."""

    told: float
    """By this computer's clock, when the answer was there."""

    def is_after(self, before: Boot) -> bool:
        """Tell whether the server booted between the two answers.

        A clock that is set moves the time of the boot, and a machine that was paused moves it too: how long the server
        is up has to be less than the time that has passed since.
        """
        moved = abs(self.at - before.at)
        if math.isnan(self.up) or math.isnan(before.up):
            return moved > BOOT_TIMES_APART
        least, most = self.asked - before.told, self.told - before.asked
        margin = UPTIME_MARGIN + CLOCK_DRIFT * max(most, 0.0)
        return (
            moved > UPTIME_MARGIN
            and self.up < most + margin
            and self.up < before.up + least - margin
        )


class _Refusals:
    """Refused logins of one wait: a few are put up with, so far apart that no account is locked."""

    def __init__(self, at: StepRun) -> None:
        self.at = at
        self._left = list(REFUSED)

    def __call__(self, error: AuthenticationFailed) -> None:
        """Wait after a refusal.

        Raises:
            AuthenticationFailed: when there were too many.
        """
        if not self._left:
            raise error
        seconds = self._left.pop(0) * INTERVAL
        self.at.tell(
            f"the login was refused, as before a domain is reached; tried again in {seconds:.0f} s"
        )
        self.at.waiting(f"the login, which was refused; tried again in {seconds:.0f} s")
        self.at.run.connections.transport(self.at.host).reconnect()
        self.at.pause(seconds)


def reboot(at: StepRun, seconds: float | None = None) -> None:
    """Reboot a Windows server and wait until it has booted and is through with configuring itself.

    Args:
        at: The step on the server.
        seconds: What it is given to come back; None: `REBOOT_SECONDS`.

    Raises:
        StepFailed: when it does not come back in time.
    """
    seconds = REBOOT_SECONDS if seconds is None else seconds
    before = _first_boot(at)
    cut = not _ask_to_reboot(at)
    deadline = time.monotonic() + seconds
    refused = _Refusals(at)
    late, misses, looks, settling = False, 0, 0, 0
    at.waiting(f"the server boots; it booted last at {before.text}")
    pauses = growing(INTERVAL)
    while not late:
        at.pause(next(pauses))
        # Before the look: when this computer was paused, a look at what there is now comes after it, and a second
        # one if the first finds no more than a connection that is dead since.
        late = time.monotonic() >= deadline
        looks += 1
        try:
            boot = _boot(at)
            misses = 0
            if boot and boot.is_after(before):
                settling += 1
                at.waiting(
                    "the server has booted, and configures itself before it shows a logon screen"
                )
                if boot.settled:
                    return
                if settling > UNSETTLED:
                    at.tell("the server has booted and shows no logon screen; the run goes on")
                    return
            elif boot and cut and looks >= RESENT:
                # It never heard of it.
                cut, looks = not _ask_to_reboot(at), 0
        except AuthenticationFailed as error:
            refused(error)
        except CertificateRejected:
            raise
        except TransportError:
            # It is down, or on its way up.
            misses += 1
            late = late and misses > 1
            at.waiting("the server does not answer: it is down, or on its way up")
            at.run.connections.transport(at.host).reconnect()
    if settling:
        raise at.failed(
            f"the server has booted, and is not done with it after {seconds:.0f} s",
            hint="look at its console: it may configure updates, or wait for somebody",
        )
    raise at.failed(
        f"no answer with a new boot time after {seconds:.0f} s, it booted at {before.text}",
        hint="look at its console: it may install updates, or somebody called the shutdown off",
    )


def _first_boot(at: StepRun) -> Boot:
    """Return when a server booted, asked up to three times: what wants a reboot may disturb WinRM as well.

    Raises:
        StepFailed: when it does not say.
    """
    for _ in range(2):
        try:
            if boot := _boot(at):
                return boot
        except (AuthenticationFailed, CertificateRejected):
            raise
        except TransportError:
            at.run.connections.transport(at.host).reconnect()
        at.pause(INTERVAL)
    if boot := _boot(at):
        return boot
    raise at.failed(
        "the server did not say when it booted",
        hint="run `Get-CimInstance Win32_OperatingSystem` there; nothing was rebooted",
    )


def _ask_to_reboot(at: StepRun) -> bool:
    """Ask for a reboot; False when the answer was cut off, as by a server that is already on its way down.

    Raises:
        StepFailed: when it is refused.
    """
    try:
        result = at.doing("apply").script("windows/reboot.apply.ps1")
    except (AuthenticationFailed, CertificateRejected):
        raise
    except TransportError:
        at.run.connections.transport(at.host).reconnect()
        return False
    if result.returncode != 0:
        raise at.failed("the reboot was refused", result=result)
    return True


def await_pod_network(at: StepRun, values: Mapping[str, str] | None = None) -> None:
    """Start the job that creates the HNS network and follow it through the loss of the connection.

    Args:
        at: The step on the worker.
        values: What the script that starts it is given beside the values of the run.

    Raises:
        StepFailed: when the job rolled back, or the worker does not answer in time.
    """
    job = Job("pod-network", "windows/pod_network", POD_NETWORK_SECONDS, SILENT_SECONDS)
    _see_through(at, job, values)


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


def _see_through(at: StepRun, job: Job, values: Mapping[str, str] | None = None) -> str:
    """Start a job unless it is under way already, and follow it to its end; return its last words."""
    if not _is_underway(at, job):
        _start(at, job, values)
    return _follow(at, job)


def _start(at: StepRun, job: Job, values: Mapping[str, str] | None) -> None:
    try:
        started = at.script(f"{job.scripts}.apply.ps1", values=values)
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
    refused = _Refusals(at)
    said, late, silent, misses = "", False, False, 0
    pauses = growing(INTERVAL)
    while not late and not silent:
        at.pause(next(pauses))
        # Before the look, as in `reboot`.
        now = time.monotonic()
        late, silent = now - began > job.seconds, now - answered > job.silent
        try:
            state, _, detail = _job_status(at, job).stdout.strip().partition(" ")
            answered, silent, misses = time.monotonic(), False, 0
        except AuthenticationFailed as error:
            # An adapter that changes hands reaches no domain either.
            refused(error)
            answered = time.monotonic()
            continue
        except CertificateRejected:
            raise
        except TransportError:
            misses += 1
            late, silent = late and misses > 1, silent and misses > 1
            state, detail = "disrupted", "the worker does not answer, as expected for some seconds"
            at.run.connections.transport(at.host).reconnect()
        line = f"{state}: {detail}"
        if line != said:
            at.tell(line)
        at.waiting(line)
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


_TOLD = re.compile(
    r"(?P<at>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)Z?"
    r"(?: (?P<up>[0-9]{1,12}(?:\.[0-9]{1,6})?))?(?: (?P<state>settled|booting))?"
)


def _boot(at: StepRun) -> Boot | None:
    """Return what a server says of its last boot; None while it cannot say, as early in a boot."""
    asked = passed()
    result = at.doing("check").script("windows/boot_time.check.ps1", timeout=60)
    # Noise is no new boot time: it would prove a reboot that never was.
    told = _TOLD.fullmatch(result.stdout.strip())
    if result.returncode != 0 or told is None:
        return None
    try:
        when = datetime.fromisoformat(told["at"]).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    up = float(told["up"]) if told["up"] else math.nan
    return Boot(when, up, told[0].split()[0], told["state"] != "booting", asked, passed())


def _job_status(at: StepRun, job: Job) -> Result:
    return at.doing("check").script(job.status, values={"job": job.name}, timeout=60)


def _is_underway(at: StepRun, job: Job) -> bool:
    return _job_status(at, job).stdout.split(" ")[0] in UNDERWAY
