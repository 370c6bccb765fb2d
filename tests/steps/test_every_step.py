"""Every step of every phase, in order, on a lab: what all of them promise, without naming one.

For each step: a check alone changes nothing; a dry run sends no apply; an apply that is cut short half-way is
finished by the next run; a second run changes nothing and sends no apply.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator

import pytest

from k8swin_nb.errors import K8swinError
from k8swin_nb.lab import topology
from k8swin_nb.lab.lab import Lab
from k8swin_nb.phases import detached
from k8swin_nb.phases.catalogue import PHASES
from k8swin_nb.scripts import Script
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.run import Run
from k8swin_nb.workflow.runner import apply_step, check_step
from k8swin_nb.workflow.step import Outcome, Step
from tests.conftest import ROOT
from tests.steps.snapshot import differences
from tests.steps.world import Interrupted, World, first_half, open_world

pytestmark = [pytest.mark.wire, pytest.mark.timeout(300)]

NETWORK = "127.173.0.0/24"
BUILD = ("01_network", "02_master", "03_flannel", "04_join_linux", "04_join_windows", "05_test_app")
STEPS = [(phase, step) for phase in PHASES if phase.name in BUILD for step in phase.steps]
IDS = [f"{phase.name}/{step.name}" for phase, step in STEPS]

Key = tuple[str, str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A lab with a Linux worker too; the project's folder is a temporary one."""
    folder = tmp_path_factory.mktemp("steps")
    machines = topology.default(NETWORK)
    worker = NETWORK.replace("0/24", "11")
    machines.insert(1, topology.MachineSpec("linuxworker01", "linux", worker, "ubuntu"))

    def change(described: dict) -> None:
        described["hosts"][1]["role"] = "worker"

    shutil.copytree(ROOT / "params", folder / "params")
    with pytest.MonkeyPatch.context() as patch, Lab(folder / "lab", machines) as lab:
        patch.chdir(folder)
        patch.setattr(detached, "INTERVAL", 0.5)
        opened = open_world(lab, NETWORK, folder / "runs", change)
        for host in opened.run().hosts("linux"):
            # The first command fills a machine's private root with the programs of this computer.
            opened.pool.transport(host).run("sudo true", sudo=True)
        yield opened
        opened.pool.close()


@pytest.fixture(scope="module")
def broken() -> list[str]:
    """Names of the steps that failed: what comes after them cannot be told."""
    return []


def run_of(world: World, phase: Phase, **options: bool) -> Run:
    target = next(
        (h.address for h in world.params.hosts if h.os == phase.target and h.role == "worker"), ""
    )
    return world.run(target, **options)


def prepared(world: World, phase: Phase, step: Step, **options: bool) -> Run:
    """Return a run in which the steps before this one have been looked at, as in a notebook."""
    run = run_of(world, phase, **options)
    for before in phase.steps[: phase.steps.index(step)]:
        if before.keep or callable(before.check):
            check_step(phase, before, run)
    return run


def applied(run: Run) -> list[str]:
    return [
        e["script"] for e in run.record.events if e["event"] == "script" and e["verb"] == "apply"
    ]


@pytest.mark.parametrize(("phase", "step"), STEPS, ids=IDS)
def test_a_step_keeps_its_promises(phase, step, world, broken, monkeypatch):
    if broken:
        pytest.skip(f"{broken[0]} failed before")
    broken.append(f"{phase.name}/{step.name}")
    fresh = world.state()

    run = prepared(world, phase, step)
    check_step(phase, step, run)
    assert differences(fresh, world.state()) == [], "the check alone changed something"

    run = prepared(world, phase, step, dry_run=True)
    with contextlib.suppress(K8swinError):  # what waits for others may not be true yet
        apply_step(phase, step, run)
    assert applied(run) == []
    assert differences(fresh, world.state()) == [], "the dry run changed something"

    run = prepared(world, phase, step, cut=True)
    with contextlib.suppress(Interrupted, K8swinError):
        apply_step(phase, step, run)

    run = prepared(world, phase, step)
    report = apply_step(phase, step, run)
    assert {row.outcome for row in report.rows} <= {Outcome.OK, Outcome.CHANGED, Outcome.SKIPPED}

    done = world.state()
    run = prepared(world, phase, step)
    report = apply_step(phase, step, run)
    assert {row.outcome for row in report.rows} <= {Outcome.OK, Outcome.SKIPPED}
    assert applied(run) == []
    assert differences(done, world.state()) == [], "the second run changed something"
    broken.clear()


APPLIES = sorted(
    {name for phase in PHASES for step in phase.steps for name in step.scripts if ".apply." in name}
)


@pytest.mark.parametrize("name", APPLIES)
def test_what_is_cut_short_is_a_part_of_the_script_that_begins_to_work(name):
    whole = Script.load(name)
    half = first_half(whole).text.removesuffix("kill -KILL $$\n")
    assert whole.text.startswith(half)
    assert len(half.splitlines()) > max(
        number
        for number, line in enumerate(whole.text.splitlines(), 1)
        if line.startswith((': "${', "set -", "$ErrorActionPreference"))
    )
