"""Every step of every phase, in order, on a lab of each profile: what all of them promise, without naming one.

For each step: a check alone changes nothing; a dry run sends no apply; an apply that is cut short half-way is
finished by the next run; a second run changes nothing and sends no apply. After the last phase, which removes
the cluster, it is built again, and then removed with all that a removal leaves when it is not asked.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from k8swin_lab import topology
from k8swin_lab.description import describe
from k8swin_lab.lab import Lab
from k8swin_lab.loopback import free_network

from k8swin_nb.errors import K8swinError
from k8swin_nb.phases.catalogue import PHASES, phase
from k8swin_nb.phases.teardown.removal import wanted_confirmation
from k8swin_nb.phases.verify import trying
from k8swin_nb.phases.windows import detached
from k8swin_nb.scripts import Script
from k8swin_nb.workflow import runner
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.report import Row
from k8swin_nb.workflow.runner import apply_step, check_step
from k8swin_nb.workflow.step import Outcome, Step
from tests.conftest import ROOT
from tests.steps.snapshot import differences
from tests.steps.world import Interrupted, World, first_half, open_world

pytestmark = [pytest.mark.wire, pytest.mark.timeout(300)]

REMOVAL = "90_teardown"
REBUILD = ("02_master", "03_flannel", "04_join_windows")

OF_ONE_RUN = {"80_troubleshoot/bundle"}
"""Steps that keep something with a run's own record: another run does so again."""

EVERYTHING = {
    "keep_images": False,
    "remove_packages": True,
    "remove_iptables": True,
    "restore_swap": True,
}
"""What a removal takes away only when it is asked to."""

_PACKAGES = "packages and programs that were installed stay until `remove_packages`"
_FEATURE = "the Containers feature stays: removing it takes a reboot, and others may use it by now"
_KERNEL = "kernel values in force stay until the next boot: others may rely on them by now"
_UNITS = "the lab's apt leaves a unit's links and its state behind when it purges the package"
STAYS = {
    "*: /etc/hosts": "the host name stays, and has to lead somewhere",
    "*: /var/lib/apt/lists/*": "what apt read of the package sources that the host itself has",
    "*: /etc/group": "a package's group stays after the package, with what it owned",
    "*: /etc/systemd/system/chronyd.service": _UNITS,
    "*: /etc/systemd/system/multi-user.target.wants/*": _UNITS,
    "*: unit *": _UNITS,
    "*: modules": _KERNEL,
    "*: settings": _KERNEL,
    "win*: features": _FEATURE,
    r"win*: HKLM\SYSTEM\CurrentControlSet\Services\hns\*": _FEATURE,
    r"win*: HKLM\SYSTEM\CurrentControlSet\Services\vmcompute\*": _FEATURE,
    "win*: hns network nat": "Docker's own, which stays after Docker; others use the one of this name",
    "win*: service hns": _FEATURE,
    "win*: service vmcompute": _FEATURE,
}
"""What is left of a cluster on its machines by design, after everything was removed, and why."""

STAYS_UNASKED = {
    "*: package *": _PACKAGES,
    "*: /var/lib/dpkg/status": _PACKAGES,
    "*: /usr/*": _PACKAGES,
    "*: /opt/cni/bin/*": _PACKAGES,
    "*: /etc/chrony/*": _PACKAGES,
    "*: /etc/containerd/config.toml": _PACKAGES,
    "*: /etc/default/kubelet": _PACKAGES,
    "*: /etc/systemd/system/kubelet.service*": _PACKAGES,
    "*: /etc/k8swin/packages": "what a later removal of packages has to know",
    "*: /etc/k8swin/downloads/*": "what a later removal of programs has to know",
    "*: /etc/k8swin/images": "what a later removal of images has to know",
    "*: /etc/k8swin/chains": "whose chains a later removal of chains has to leave",
    "*: /etc/k8swin/swaps": "what a later `restore_swap` has to know",
    "*: /etc/fstab": "swap stays off until `restore_swap`",
    "*: /var/lib/k8swin/kept/etc/fstab": "what a later `restore_swap` may be compared with",
    "*: /etc/k8swin/written": "which files of swap and of programs a later removal may take back",
    "*: swap": "swap stays off until `restore_swap`",
    r"win*: C:\k8swin": "what a later removal of images has to know",
    r"win*: C:\k8swin\state*": "what a later removal of images has to know",
    "win*: images": "images stay until `keep_images` is false",
}
"""What else is left when a removal is asked for nothing more."""

DONE = {Outcome.OK, Outcome.CHANGED, Outcome.SKIPPED}


def steps_of(profile: str) -> list[tuple[Phase, Step]]:
    return [
        (of_profile, step)
        for of_profile in (each.variant(profile) for each in PHASES)
        for step in of_profile.steps
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each profile's class the steps of that profile."""
    if "step" in metafunc.fixturenames:
        steps = steps_of(metafunc.cls.profile)
        names = [f"{of.name}/{step.name}" for of, step in steps]
        metafunc.parametrize(("phase", "step"), steps, ids=names)


def run_of(world: World, phase: Phase, **more: Any) -> PhaseRun:
    target = next(
        (h.address for h in world.description.hosts if h.os == phase.target and h.role == "worker"),
        "",
    )
    if phase.name == REMOVAL:
        more["confirm"] = wanted_confirmation(world.run())
    return world.run(phase, target, **more)


def prepared(world: World, phase: Phase, **more: Any) -> PhaseRun:
    """Return a run that knows what the steps before found, as in a notebook that ran from its top."""
    run = run_of(world, phase, **more)
    if phase.name in world.facts:
        # A copy, so that what this run finds out is not known to the next. Secrets cannot be copied deeply.
        run.facts._kept = dict(world.facts[phase.name]._kept)
    return run


def applied(run: PhaseRun) -> list[str]:
    return [
        e["script"] for e in run.record.events if e["event"] == "script" and e["verb"] == "apply"
    ]


def done(world: World, phase: Phase, **more: Any) -> None:
    """Apply all steps of a phase in one run."""
    run = run_of(world, phase, **more)
    for step in phase.steps:
        report = apply_step(run, step)
        assert {row.outcome for row in report.rows} <= DONE, step.name


def dry_run(world: World, profile: str) -> tuple[dict[str, list[Row]], list[dict[str, Any]]]:
    """Look at all steps that build a cluster, as notebooks do one after the other; return rows, and events of scripts."""
    rows: dict[str, list[Row]] = {}
    scripts: list[dict[str, Any]] = []
    for each in PHASES:
        if each.name == REMOVAL:
            continue
        run = run_of(world, each.variant(profile), dry_run=True)
        rows[each.name] = [row for step in run.phase.steps for row in apply_step(run, step).rows]
        scripts += [event for event in run.record.events if event["event"] == "script"]
    return rows, scripts


def left(world: World, *by_design: dict[str, str]) -> list[str]:
    """Return how the machines differ from what they were, but for what stays by design."""
    patterns = [pattern for stays in by_design for pattern in stays]
    return [
        name
        for name in differences(world.before, world.machines())
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    ]


def machines_of(profile: str, network: str) -> list[topology.MachineSpec]:
    """Return a profile's machines, with a Linux worker too."""
    master, *windows = topology.default(network, profile)
    address = network.replace("0/24", "11")
    return [master, dataclasses.replace(master, name="linuxworker01", address=address), *windows]


@pytest.fixture(scope="class")
def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A lab of the class's profile; the project's folder is a temporary one."""
    profile = request.cls.profile
    folder = tmp_path_factory.mktemp(f"steps-{profile}")
    shutil.copytree(ROOT / "params", folder / "params")
    with (
        pytest.MonkeyPatch.context() as patch,
        free_network() as network,
        Lab(folder / "lab", machines_of(profile, network)) as lab,
    ):
        patch.chdir(folder)
        patch.setattr(detached, "INTERVAL", 0.2)
        patch.setattr(runner, "VERIFY_INTERVAL", 0.2)
        patch.setattr(trying, "PAUSE", 0.5)
        # Before 1.20 a control plane gives no tokens that expire, and a Dashboard is refused.
        more = {"probe_pods": True, "dashboard": profile == "current"}
        opened = open_world(lab, folder, **more, **site(lab, profile))
        for host in opened.run().hosts("linux"):
            # The first command fills a machine's private root with the programs of this computer.
            opened.pool.transport(host).run("sudo true", sudo=True)
        opened.before = opened.machines()
        yield opened
        opened.pool.close()


def site(lab: Lab, profile: str) -> dict[str, Any]:
    """Return what sites say of nodes, the API server and registries, so that every promise is held of it too."""
    hosts = describe(lab.status())["hosts"]
    for number, host in enumerate(hosts):
        host["labels"] = {"steps.example/number": str(number), "steps.example/empty": ""}
        host["taints"] = ["steps.example/spare=yes:PreferNoSchedule"]
        if host["os"] == "linux":
            host["kubelet_settings"] = {"maxPods": 90 + number}
    told: dict[str, Any] = {
        "hosts": hosts,
        "control_plane_endpoint": "api.steps.example",
        "control_plane_address": hosts[0]["address"],
        "api_port": 7443,
        "api_certificate_names": ["api.example", "192.0.2.7"],
        "control_plane_workloads": True,
        "kubelet_settings": {"maxPods": 80, "evictionHard": {"memory.available": "50Mi"}},
    }
    if profile == "current":
        password = Path(lab.status()["home"]) / "robot"
        password.write_text("pass-of-the-robot-17")
        password.chmod(0o600)
        told["registries"] = [
            {"name": "quay.example", "mirrors": ["https://mirror.example:5000/v2/quay"]},
            {
                "name": "mirror.example:5000",
                "ca": lab.status()["ca"],
                "user": "robot",
                "credential": f"file:{password}",
            },
        ]
    return told


@contextlib.contextmanager
def unbroken(world: World, name: str) -> Iterator[None]:
    """Skip what follows a failure: it cannot be told any more."""
    if world.broken:
        pytest.skip(f"{world.broken} failed before")
    world.broken = name
    yield
    world.broken = ""


class EveryStep:
    """What is held of each profile, in this order, on one lab."""

    profile: ClassVar[str]

    def test_a_whole_dry_run_works_on_fresh_hosts_and_changes_nothing(self, world):
        rows, scripts = dry_run(world, self.profile)
        outcomes = {row.outcome for each in rows.values() for row in each}
        assert outcomes == {Outcome.OK, Outcome.SKIPPED, Outcome.WOULD_CHANGE}
        # Whatever a check asks that is not there yet, it says so: none breaks off.
        assert [
            row.detail for each in rows.values() for row in each if "failed" in row.detail
        ] == []
        assert [event["script"] for event in scripts if event["verb"] != "check"] == []
        assert differences(world.before, world.machines()) == []
        changed = {f"{name}/{row.step}": row.difference for name in rows for row in rows[name]}
        assert "-127.0.1.1\tlinuxmaster" in changed["02_master/host-name"]
        assert "net.ipv4.ip_forward: 0 -> 1" in changed["02_master/kernel"]
        assert "+kind: DaemonSet" in changed["03_flannel/flannel"]
        assert (
            "service kubelet: not there -> C:\\k\\kubelet.exe" in changed["04_join_windows/kubelet"]
        )
        assert "pass-of-the-robot" not in "".join(changed.values())
        told = {f"{name}/{row.step}": row.detail for name in rows for row in rows[name]}
        assert told["03_flannel/api-ready"].startswith("waits for `02_master`: ")
        assert told["04_join_windows/worker-ready"].startswith("waits for `kube-proxy`: ")
        # What follows from a change that is not made yet is foreseen.
        assert changed["05_test_app/test-app"].startswith("--- /dev/null\n+++ the test app")
        assert changed["05_test_app/scale"] == "pods of win-webserver: 2 -> 3 -> 2"
        assert told["04_join_windows/reboot"].startswith("follows from `containers`; now no reboot")
        assert changed["04_join_windows/reboot"] == "reboot: none is pending -> done"
        hns = changed["04_join_windows/system-settings"]
        assert ("EnableCompartmentNamespace" in hns) == (self.profile == "current")

    def test_a_step_keeps_its_promises(self, phase, step, world):
        with unbroken(world, f"{phase.name}/{step.name}"):
            self.keep_promises(phase, step, world)

    def keep_promises(self, phase: Phase, step: Step, world: World) -> None:
        fresh = world.state()

        run = prepared(world, phase)
        check_step(run, step)
        assert differences(fresh, world.state()) == [], "the check alone changed something"

        run = prepared(world, phase, dry_run=True)
        apply_step(run, step)
        assert applied(run) == []
        assert differences(fresh, world.state()) == [], "the dry run changed something"

        if step.apply is not None:
            run = prepared(world, phase, cut=True)
            with contextlib.suppress(Interrupted, K8swinError):
                apply_step(run, step)

        run = prepared(world, phase)
        report = apply_step(run, step)
        assert {row.outcome for row in report.rows} <= DONE

        done = world.state()
        if f"{phase.name}/{step.name}" not in OF_ONE_RUN:
            run = prepared(world, phase)
        report = apply_step(run, step)
        assert {row.outcome for row in report.rows} <= {Outcome.OK, Outcome.SKIPPED}
        assert applied(run) == []
        assert differences(done, world.state()) == [], "the second run changed something"
        world.facts[phase.name] = run.facts

    def test_a_removal_leaves_nothing_but_what_stays_by_design(self, world):
        with unbroken(world, "what stays"):
            assert left(world, STAYS, STAYS_UNASKED) == []

    def test_what_was_removed_can_be_built_again(self, world):
        with unbroken(world, "building again"):
            for name in REBUILD:
                done(world, phase(name).variant(self.profile))

    def test_a_removal_that_is_asked_for_everything_leaves_less(self, world):
        with unbroken(world, "removing everything"):
            done(world, phase(REMOVAL).variant(self.profile), **EVERYTHING)
            assert left(world, STAYS) == []


class TestCurrent(EveryStep):
    """containerd, Debian 12 and Windows Server 2022."""

    profile = "current"


class TestClassic(EveryStep):
    """Docker, Ubuntu 18.04, Windows Server 2019, and Kubernetes 1.13."""

    profile = "classic"


APPLIES = sorted(
    {name for each in ("current", "classic") for _, s in steps_of(each) for name in s.scripts if ".apply." in name}
)  # fmt: skip


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
