"""A colleague who works on a machine: a process of its own that holds the machine's lock, as every run of a notebook does.

`python -m k8swin_nb.workshop colleague winworker01 --params FILE` is started by an exercise, and ends by itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from k8swin_nb.api import open_cluster
from k8swin_nb.errors import K8swinError
from k8swin_nb.opened import OpenPhase
from k8swin_nb.shown import shown_line
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.step import State, Step, Verdict
from k8swin_nb.workflow.step_run import StepRun

OPERATOR = "m.weber"
SECONDS = 1500.0
"""How long he works: longer than an exercise."""

READY = "holds"


def work(machine: str, params: Path, seconds: float) -> int:
    """Hold a machine's lock until the time is over, somebody breaks it, or this process is ended; return 0."""
    os.environ["K8SWIN_OPERATOR"] = OPERATOR
    # Whoever ends this process lets go of the machine at once, instead of when nothing was heard for long.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    until = time.monotonic() + seconds
    with (
        open_cluster(params, name="driver_update") as cluster,
        contextlib.suppress(K8swinError, KeyboardInterrupt),
    ):

        def stay(at: StepRun) -> None:
            sys.stdout.write(f"{shown_line(f'{READY} {machine}')}\n")
            sys.stdout.flush()
            # Whoever broke the lock, or the machine that is gone, ends this.
            while time.monotonic() < until and cluster.locks.holds(at.host):
                at.check_stop("was stopped")
                time.sleep(0.5)

        step = Step(
            name="driver-update",
            title="The network driver is up to date",
            on="target",
            check=lambda at: Verdict(
                State.OK if time.monotonic() >= until else State.NEEDED,
                "a network driver is updated",
            ),
            apply=stay,
        )
        phase = Phase(name="driver_update", title="Drivers", steps=(step,), target="windows")
        target = cluster.hosts(machine)[0].address
        OpenPhase(cluster, cluster.phase_run(phase, target=target)).apply()
    return 0


def colleague(machine: str, params: str) -> subprocess.Popen[str]:
    """Have somebody else work on a machine, and return the process once he holds its lock.

    Raises:
        K8swinError: when he does not come to it, such as when somebody works there already.
    """
    words = [sys.executable, "-m", "k8swin_nb.workshop", "colleague", machine, "--params", params]
    process = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    said = process.stdout.readline() if process.stdout else ""
    if not said.startswith(READY):
        process.wait()
        raise K8swinError(
            f"nobody else could begin to work on {machine}",
            hint="it is held already, or does not answer: `k8swin unlock` says who works there",
        )
    return process
