"""Hosts that are rebooted and waited for: a step of its own, so that locks, the record and a stop are those of every step."""

from __future__ import annotations

import time
from typing import Any

from k8swin_nb.errors import (
    AuthenticationFailed,
    CertificateRejected,
    HostKeyMismatch,
    InventoryError,
    TransportError,
)
from k8swin_nb.host_tools.asking import Machines, chosen
from k8swin_nb.inventory import Host, Inventory
from k8swin_nb.phases.windows import detached as windows
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.report import Report
from k8swin_nb.workflow.runner import Watch, apply_step
from k8swin_nb.workflow.step import State, Step, Verdict
from k8swin_nb.workflow.step_run import StepRun
from k8swin_nb.workflow.stopping import Stop

SECONDS = 1800.0
"""What a host is given to come back: it may install updates while it boots."""

INTERVAL = 2.0

SETTLING = 60
"""Looks after which a host that is up and still starts services is taken as it is."""

REFUSED = 30
"""Looks at a stretch at which a login may be refused: a host that boots lets nobody in but root."""


def reboot(
    cluster: Machines,
    on: str | tuple[Host, ...],
    *,
    control_plane: bool = False,
    together: bool = False,
    seconds: float = SECONDS,
    dry_run: bool = False,
    cancel: Stop | None = None,
    progress: Watch | None = None,
) -> Report:
    """Reboot hosts and wait until each has booted and lets this login in; see `JobTools.reboot`."""
    hosts = chosen(cluster, on)
    _refuse_the_only_control_plane(cluster, hosts, control_plane)
    before: dict[str, str] = {}

    def check(at: StepRun) -> Verdict:
        return Verdict(State.NEEDED, "is to be rebooted")

    def apply(at: StepRun) -> None:
        began = time.monotonic()
        if at.host.os == "windows":
            windows.reboot(at, seconds)
        else:
            _reboot_linux(at, seconds)
        before[at.host.name] = f"has booted, {time.monotonic() - began:.0f} s after it was asked to"

    def verify(at: StepRun) -> Verdict:
        return Verdict(State.OK, before[at.host.name])

    step = Step(
        name="reboot",
        title="The hosts have booted anew",
        on="all",
        check=check,
        apply=apply,
        verify=verify,
        in_turn=not together,
        runs=("linux/reboot.apply.sh", "linux/boot.check.sh"),
    )
    # Nothing of a reboot asks for a description: hosts that none names are rebooted as well.
    undescribed: Any = None
    run = PhaseRun(
        phase=Phase(name="reboot", title=step.title, steps=(step,)),
        description=undescribed,
        plan=undescribed,
        inventory=Inventory(hosts),
        connections=cluster.pool,
        record=cluster.record,
        values={},
        dry_run=dry_run,
        locks=cluster.locks,
    )
    if cancel is not None:
        run.cancel = cancel
    try:
        return apply_step(run, step, progress)
    finally:
        cluster.locks.release()


def _refuse_the_only_control_plane(
    cluster: Machines, hosts: tuple[Host, ...], control_plane: bool
) -> None:
    """Stop before a cluster loses its API server, unless that was said.

    Raises:
        InventoryError: naming the host.
    """
    planes = [host for host in cluster.inventory.hosts if "control-plane" in host.roles]
    if planes and not control_plane and all(host in hosts for host in planes):
        names = ", ".join(host.name for host in planes)
        raise InventoryError(
            f"{names} is the cluster's only control plane: nothing can ask or change the cluster while it is down",
            hint="say so with `--control-plane` (`control_plane=True`), or take it away with "
            f"`!{planes[0].name}`",
        )


def _reboot_linux(at: StepRun, seconds: float) -> None:
    """Reboot a Linux host and wait until it has booted and started its services.

    Raises:
        StepFailed: when it refuses, or does not come back in time.
    """
    first = _boot(at)
    if first is None:
        raise at.failed("the host did not say which boot this is", hint="nothing was rebooted")
    asked = at.doing("apply").script("linux/reboot.apply.sh")
    if asked.returncode != 0:
        raise at.failed("the reboot was refused", result=asked)
    deadline = time.monotonic() + seconds
    refused = settling = 0
    at.waiting("the host goes down and boots anew")
    while time.monotonic() < deadline:
        at.pause(INTERVAL)
        try:
            boot = _boot(at)
            refused = 0
        except (HostKeyMismatch, CertificateRejected):
            raise
        except AuthenticationFailed:
            refused += 1
            if refused > REFUSED:
                raise
            at.run.connections.transport(at.host).reconnect()
            continue
        except TransportError:
            # It is down, or on its way up.
            at.run.connections.transport(at.host).reconnect()
            continue
        if boot is None or boot[0] == first[0]:
            continue
        settling += 1
        if settling == 1:
            at.waiting("the host has booted, and starts its services")
        if boot[1] not in ("starting", "initializing", "stopping") or settling > SETTLING:
            return
    if settling:
        raise at.failed(
            f"the host has booted, and still starts services after {seconds:.0f} s",
            hint="look with `systemctl list-jobs`",
        )
    raise at.failed(
        f"no answer from a new boot after {seconds:.0f} s",
        hint="look at its console: it may check its disks, or the reboot was called off",
    )


def _boot(at: StepRun) -> tuple[str, str] | None:
    """Return which boot of a host it is, and the state of its system; None while it cannot say."""
    result = at.doing("check").script("linux/boot.check.sh", timeout=60, sudo=False)
    words = result.stdout.split()
    return (words[0], words[2]) if result.returncode == 0 and len(words) == 3 else None
