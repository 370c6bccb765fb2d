"""Every step of both profiles on servers of a site: pairs of moods meet, and what cannot be lived with is named.

The lab's moods (`k8swin lab sites`, docs/lab.md) are states of its Windows machines. Each worker has a row of a
covering array, so that one lab tries two rows: each pair of moods that can meet is on one worker at least, and
each mood is also where another one is not. Moods that a site's administrator has to act on stop at the first contact
or in preflight, with the words that say what to do.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import ipaddress
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from k8swin_lab import sites, topology
from k8swin_lab.lab import Lab
from k8swin_lab.loopback import free_network

from k8swin_nb.errors import K8swinError
from k8swin_nb.phases.catalogue import PHASES, phase
from k8swin_nb.phases.teardown.removal import wanted_confirmation
from k8swin_nb.phases.verify import trying
from k8swin_nb.phases.windows import detached
from k8swin_nb.workflow import runner
from k8swin_nb.workflow.runner import apply_step
from tests.conftest import ROOT
from tests.steps.covering import covering, pairs
from tests.steps.test_every_step import DONE, REMOVAL
from tests.steps.world import World, open_world

pytestmark = [pytest.mark.wire, pytest.mark.timeout(900)]

ENGLISH_ALONE = ("german", "japanese")
"""Moods that stop `classic` alone: its flanneld reads the English words of netsh."""

LIVED_WITH = {
    "current": [name for name, mood in sites.MOODS.items() if not mood.stops],
    "classic": [n for n, m in sites.MOODS.items() if not m.stops and n not in ENGLISH_ALONE],
}
ROWS = {"current": 4, "classic": 2}
"""Rows of each profile; two of them share a lab, which takes some 45 s of one processor. `current` tries moods without
others, too; what `classic` has of its own is Docker's part."""


def excluded(one: str, other: str) -> bool:
    return other in sites.MOODS[one].excludes


def labs_of(profile: str) -> list[tuple[frozenset[str], frozenset[str]]]:
    """Return the two workers' moods of each lab."""
    rows = covering(LIVED_WITH[profile], excluded, ROWS[profile])
    return list(zip(rows[::2], rows[1::2], strict=True))


SITES = [
    pytest.param(profile, both, id=f"{profile}-{number}")
    for profile in ROWS
    for number, both in enumerate(labs_of(profile), 1)
]


@contextlib.contextmanager
def site(
    folder: Path, profile: str, moods: tuple[frozenset[str], ...], **changes: Any
) -> Iterator[World]:
    """A lab whose Windows workers are in moods, one of them for each set."""
    shutil.copytree(ROOT / "params", folder / "params")
    with free_network() as network, pytest.MonkeyPatch.context() as patch:
        master, first, *_ = topology.default(network, profile)
        address = ipaddress.IPv4Address(first.address)
        workers = [
            dataclasses.replace(
                first,
                name=f"winworker{number + 1:02}",
                address=str(address + number),
                site=tuple(sorted(names)),
            )
            for number, names in enumerate(moods)
        ]
        with Lab(folder / "lab", [master, *workers]) as lab:
            patch.chdir(folder)
            patch.setattr(detached, "INTERVAL", 0.2)
            patch.setattr(runner, "VERIFY_INTERVAL", 0.2)
            patch.setattr(trying, "PAUSE", 0.5)
            opened = open_world(lab, folder, **changes)
            yield opened
            opened.pool.close()


@pytest.mark.parametrize("profile", ROWS)
def test_each_pair_of_moods_that_can_meet_does(profile: str) -> None:
    met = {
        (one, other)
        for both in labs_of(profile)
        for row in both
        for one in row
        for other in row
        if one < other
    }
    assert met == pairs(LIVED_WITH[profile], excluded)


def test_too_few_rows_for_the_pairs_are_an_error() -> None:
    with pytest.raises(ValueError, match="pairs that never meet"):
        covering(LIVED_WITH["current"], excluded, 1)


@pytest.mark.parametrize(("profile", "moods"), SITES)
def test_every_step_of_a_profile_is_done_under_moods(
    tmp_path: Path, profile: str, moods: tuple[frozenset[str], frozenset[str]]
) -> None:
    more = {"probe_pods": True, "dashboard": profile == "current"}
    with site(tmp_path, profile, moods, **more) as world:
        for each in PHASES:
            of_profile = each.variant(profile)
            for target in targets(world, of_profile.target):
                extra = {}
                if each.name == REMOVAL:
                    extra["confirm"] = wanted_confirmation(world.run())
                run = world.run(of_profile, target, **extra)
                for step in of_profile.steps:
                    report = apply_step(run, step)
                    outcomes = {row.host: row.outcome for row in report.rows}
                    assert set(outcomes.values()) <= DONE, (each.name, step.name, report.rows)


def targets(world: World, system: str | None) -> list[str]:
    """Return the addresses for which a phase runs, one after another."""
    if not system:
        return [""]
    return [h.address for h in world.description.hosts if h.os == system and h.role == "worker"]


STOPS = {
    "firewall-policy": ("firewall-policy", "10250", "group policy"),
    "scripts-off": (
        "execution-policy",
        "EnableScripts 0",
        "no group policy that refuses local scripts",
    ),
    "constrained-language": ("language mode",),
    "ntlm-refused": ("refused the login",),
    "filtered-token": ("rights", "LocalAccountTokenFilterPolicy|FilterAdministratorToken"),
    "dns-certificate": ("winrm_host", "corp.example"),
    # A warning: it stops where a hash is not locked, since nothing else says then that the file is the right one.
    "no-revocation-list": ("revocation-lists",),
}
"""By mood: what the toolkit's words hold, each one of some."""


def test_all_moods_that_stop_are_tried() -> None:
    assert set(STOPS) == {name for name, mood in sites.MOODS.items() if mood.stops}


NAMED = [
    *(("current", (mood,), ("", "german", "japanese")) for mood in STOPS),
    ("classic", ENGLISH_ALONE, ("",)),
]


@pytest.mark.parametrize(("profile", "names", "languages"), NAMED)
def test_a_mood_that_cannot_be_lived_with_is_named_before_anything_is_changed(
    tmp_path: Path, profile: str, names: tuple[str, ...], languages: tuple[str, ...]
) -> None:
    """Each mood has a worker in each language; what is said of each of them is looked at."""
    rows = [(mood, language) for mood in names for language in languages]
    moods = tuple(frozenset(filter(None, row)) for row in rows)
    with site(tmp_path, profile, moods) as world:
        run = world.run(phase("01_network").variant(profile))
        before = world.machines()
        stopped: dict[str, str] = {}
        told: dict[str, str] = collections.defaultdict(str)
        for step in run.phase.steps:
            if step.on == "linux" or "linux" in step.name:
                continue
            try:
                report = apply_step(run, step)
            except K8swinError as error:
                each = getattr(error, "errors", None) or {getattr(error, "host", ""): error}
                stopped = {host: f"{one} {getattr(one, 'hint', '')}" for host, one in each.items()}
            else:
                for row in report.rows:
                    told[row.host] += f"{row.detail} "
                stopped = {r.host: r.detail for r in report.rows if r.outcome not in DONE}
            if stopped:
                break
        workers = [host.name for host in world.description.hosts if host.os == "windows"]
        for worker, (mood, _) in zip(workers, rows, strict=True):
            said = (stopped or told)[worker]
            for words in STOPS.get(mood, ("netsh", "English")):
                assert any(word.lower() in said.lower() for word in words.split("|")), (words, said)
        changed = [n for n, value in world.machines().items() if before.get(n) != value]
        assert [n for n in changed if n.startswith("win") and "k8swin" not in n.lower()] == []
