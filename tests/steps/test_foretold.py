"""What a dry run foretells is what a run does: on fresh hosts, on a cluster that stands, and when workers come and go."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from k8swin_lab import topology
from k8swin_lab.description import describe
from k8swin_lab.lab import Lab
from k8swin_lab.loopback import free_network

from k8swin_nb.phases.catalogue import PHASES
from k8swin_nb.phases.verify import trying
from k8swin_nb.phases.windows import detached
from k8swin_nb.workflow import runner
from k8swin_nb.workflow.report import Row
from k8swin_nb.workflow.runner import apply_step
from k8swin_nb.workflow.step import Outcome
from tests.conftest import ROOT
from tests.steps.world import World, open_world

pytestmark = [pytest.mark.wire, pytest.mark.timeout(900)]

BUILDS = ("01", "02", "03", "04", "05", "06")
"""How notebooks begin that build a cluster and look at it."""

SITES: dict[str, dict[str, Any]] = {"current": {"topology": "vxlan"}, "classic": {}}
"""By profile, what its description says beside the hosts."""

Rows = dict[str, tuple[Row, bool]]
"""By notebook, target, step and host: how it ended, and whether the step changes anything."""


@pytest.fixture(scope="module", params=list(SITES))
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The profile, its lab, and the project's folder."""
    folder = tmp_path_factory.mktemp(f"foretold-{request.param}")
    shutil.copytree(ROOT / "params", folder / "params")
    with (
        pytest.MonkeyPatch.context() as patch,
        free_network() as network,
        Lab(folder / "lab", topology.default(network, request.param)) as running,
    ):
        patch.chdir(folder)
        patch.setattr(detached, "INTERVAL", 0.2)
        patch.setattr(runner, "VERIFY_INTERVAL", 0.2)
        patch.setattr(trying, "PAUSE", 0.5)
        yield request.param, running, folder


def world_with(lab: Any, *workers: str) -> World:
    profile, running, folder = lab
    hosts = describe(running.status())["hosts"]
    few = [host for host in hosts if host["name"] in ("linuxmaster", *workers)]
    return open_world(running, folder, hosts=few, **SITES[profile])


def built(lab: Any, *workers: str, dry_run: bool) -> Rows:
    """Go through all notebooks, as another operator would."""
    world = world_with(lab, *workers)
    try:
        return {
            name: (row, changes) for name, row, changes in _ended(world, lab[0], dry_run=dry_run)
        }
    finally:
        world.pool.close()


def _ended(world: World, profile: str, *, dry_run: bool) -> Iterator[tuple[str, Row, bool]]:
    for of in PHASES:
        if not of.name.startswith(BUILDS):
            continue
        targets = [
            host.address
            for host in world.description.hosts
            if host.os == of.target and host.role == "worker"
        ]
        for target in targets if of.target else [""]:
            run = world.run(of.variant(profile), target, dry_run=dry_run)
            for step in run.phase.steps:
                for row in apply_step(run, step).rows:
                    yield f"{of.name} {target} {step.name} {row.host}", row, step.apply is not None


def wrong(lab: Any, *workers: str) -> list[str]:
    """Look, then act; return what ended otherwise than it was foretold."""
    foretold = built(lab, *workers, dry_run=True)
    done = built(lab, *workers, dry_run=False)
    assert foretold.keys() == done.keys()
    return [
        f"{name}: foretold {foretold[name][0].outcome} ({foretold[name][0].detail}), was {row.outcome} ({row.detail})"
        for name, (row, changes) in done.items()
        if not _fits(foretold[name][0], row, changes=changes)
    ]


def _fits(foretold: Row, row: Row, *, changes: bool) -> bool:
    if foretold.outcome is not Outcome.WOULD_CHANGE:
        return foretold.outcome is row.outcome
    # What only looks waits for others, and so does what nobody can know before.
    waits = not changes or "is not known before" in foretold.detail
    return row.outcome is Outcome.CHANGED or (waits and row.outcome is Outcome.OK)


def test_a_cluster_that_is_built(lab):
    assert wrong(lab, "winworker01") == []


def test_a_worker_that_comes_into_the_description(lab):
    assert wrong(lab, "winworker01", "winworker02") == []


def test_a_worker_that_is_taken_out_of_it_and_a_cluster_that_stands(lab):
    if lab[0] == "classic":
        pytest.skip(
            "the lab's CoreDNS makes no cni0 and classic has no other pod on the control plane: by it a node's route is told"
        )
    assert wrong(lab, "winworker02") == []
    again = built(lab, "winworker02", dry_run=True)
    assert {row.outcome for row, _ in again.values()} == {Outcome.OK, Outcome.SKIPPED}
