"""Two operators and one host: the second is told who works there, and waits or stops; a dead one's lock is no lock."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from k8swin_lab import topology
from k8swin_lab.description import describe
from k8swin_lab.lab import Lab
from k8swin_lab.loopback import free_network

from k8swin_nb.api import Cluster
from k8swin_nb.description import check_description
from k8swin_nb.errors import HostLocked, Stopped, TransportError
from k8swin_nb.headless.unlocking import unlock
from k8swin_nb.shells import new_tag
from k8swin_nb.transports.processes import end, running
from k8swin_nb.workflow import host_lock
from k8swin_nb.workflow.host_lock import Holder
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.runner import apply_step
from k8swin_nb.workflow.step import Outcome, State, Step, Verdict
from k8swin_nb.workflow.step_run import StepRun
from tests.conftest import ROOT

pytestmark = [pytest.mark.wire, pytest.mark.timeout(120)]


@pytest.fixture(scope="module", params=["system", "python"])
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("locks")
    with free_network() as network:
        machines = topology.default(network, "current")
        own = request.param == "python"
        with Lab(folder / "lab", machines, python_bash=own) as made:
            yield made


@pytest.fixture
def operator_of(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Cluster]]:
    """What opens the cluster for one more operator, with changes of the description."""
    opened: list[Cluster] = []
    monkeypatch.setattr(host_lock, "ASK_SECONDS", 0.2)

    def one(**changes: Any) -> Cluster:
        described = {**describe(lab.status()), "cluster_name": "locks", **changes}
        cluster = Cluster(
            check_description(described, folder=tmp_path), runs=tmp_path / "runs", name="test"
        )
        opened.append(cluster)
        return cluster

    yield one
    for cluster in opened:
        cluster.close()


def linux_and_windows(cluster: Cluster) -> list[Any]:
    return [cluster.hosts("linux")[0], cluster.hosts("windows")[0]]


def phase_run(cluster: Cluster, **how: Any) -> PhaseRun:
    return cluster.phase("02_master", **how).run


def eventually(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 60
    while not true() and time.monotonic() < until:
        time.sleep(0.05)
    return true()


def a_step(host: str, done: list[str], *, hold: threading.Event | None = None) -> Step:
    """A step on one host that is to be applied until somebody has applied it."""

    def check(at: StepRun) -> Verdict:
        return Verdict(State.OK if done else State.NEEDED, "as wanted" if done else "to be done")

    def apply(at: StepRun) -> None:
        done.append(at.run.record.run_id)
        if hold is not None:
            hold.wait(60)

    return Step(name="work", title="Work", on=host, check=check, apply=apply)


@pytest.mark.parametrize("number", [0, 1], ids=["linux", "windows"])
def test_the_second_operator_is_told_who_works_there_and_since_when(operator_of, number):
    first, second = operator_of(), operator_of()
    host = linux_and_windows(first)[number]
    run = phase_run(first)
    assert first.locks.take(run.at(host, "work"))
    assert not first.locks.take(run.at(host, "work")), "taken once"

    with pytest.raises(HostLocked) as told:
        second.locks.take(phase_run(second).at(host, "work"))
    text = str(told.value)
    assert first.run_id in text and "02_master" in text and f"process {os.getpid()}" in text
    assert "since 20" in text and "nothing was changed" in text
    assert f"k8swin unlock --params FILE {host.name}" in (told.value.hint or "")

    held, holder = second.locks.look(host)
    assert held and holder is not None and holder.run == first.run_id
    first.locks.release()
    assert second.locks.take(phase_run(second).at(host, "work"))
    second.locks.release()
    assert eventually(lambda: not second.locks.look(host)[0])


@pytest.mark.parametrize("number", [0, 1], ids=["linux", "windows"])
def test_a_host_whose_lock_is_held_has_said_which_boot_it_is_and_keeps_the_lock(
    operator_of, number
):
    cluster = operator_of()
    host = linux_and_windows(cluster)[number]
    run = phase_run(cluster)
    at = run.at(host, "work")
    system = ("linux/host_facts.check.sh", "windows/host_facts.check.ps1")[number]
    at.script(system)
    assert cluster.locks.take(at)

    def boots() -> list[str]:
        told = [event for event in run.record.events if event["event"] == "host-identified"]
        return [event["boot_id"] for event in told if "boot_id" in event]

    assert eventually(lambda: len(boots()) == 1)
    assert cluster.locks.holds(host) and not cluster.locks.take(at)
    shown = next(e for e in run.record.events if e["event"] == "host-identified")
    assert shown["host"] == host.name
    assert shown.get("host_key", "").startswith("SHA256:") or len(shown["certificate_sha256"]) == 64


@pytest.mark.parametrize("number", [0, 1], ids=["linux", "windows"])
def test_who_waits_goes_on_when_the_other_has_finished_and_looks_again_first(operator_of, number):
    first, second = operator_of(), operator_of(lock_wait=120)
    host = linux_and_windows(first)[number].name
    done: list[str] = []
    hold = threading.Event()
    answers: dict[str, Any] = {}

    def one() -> None:
        answers["first"] = apply_step(phase_run(first), a_step(host, done, hold=hold))
        first.locks.release()

    working = threading.Thread(target=one)
    working.start()
    assert eventually(lambda: bool(done))
    seen: list[str] = []
    said: list[str] = []
    # What the second one found before it knew of the first is no longer true when it gets its turn.
    fresh = [Verdict(State.NEEDED, "to be done"), Verdict(State.OK, "as wanted")]

    def check(at: StepRun) -> Verdict:
        seen.append("looked")
        return fresh[min(len(seen), 2) - 1]

    def hear(host: str, stream: str, text: str) -> None:
        said.append(text)
        if "waits" in "".join(said):
            hold.set()

    step = Step(name="work", title="Work", on=host, check=check, apply=lambda at: done.append("2"))
    report = apply_step(phase_run(second, on_output=hear), step)
    working.join(60)
    assert done == [first.run_id], "the second had nothing left to do"
    assert report.rows[0].outcome is Outcome.OK
    assert answers["first"].rows[0].outcome is Outcome.CHANGED
    assert first.run_id in "".join(said) and "waits" in "".join(said)


def test_waiting_uses_one_shell_and_leaves_none(operator_of):
    first, second = operator_of(), operator_of(lock_wait=8)
    host = linux_and_windows(first)[1]
    first.locks.take(phase_run(first).at(host, "work"))
    opened: list[str] = []
    opener = second.pool._opener
    second.pool._opener = lambda host, on_pin: opened.append(host.name) or opener(host, on_pin)
    with pytest.raises(HostLocked, match="waited 8 s"):
        second.locks.take(phase_run(second).at(host, "work"))
    assert opened == [host.name]
    assert second.pool._aside == []


def test_who_waits_can_be_stopped(operator_of):
    first, second = operator_of(), operator_of(lock_wait=600)
    host = linux_and_windows(first)[0]
    first.locks.take(phase_run(first).at(host, "work"))
    run = phase_run(second)
    threading.Timer(1.0, run.cancel.set).start()
    with pytest.raises(Stopped):
        second.locks.take(run.at(host, "work"))


@pytest.mark.parametrize("number", [0, 1], ids=["linux", "windows"])
def test_a_broken_lock_stops_its_holder_before_the_next_change(operator_of, number):
    first, second = operator_of(), operator_of()
    host = linux_and_windows(first)[number]
    first.locks.take(phase_run(first).at(host, "work"))
    _, holder = second.locks.look(host)
    assert holder is not None
    second.locks.break_(host, holder, "unlock")

    done: list[str] = []
    assert eventually(lambda: not first.locks.holds(host))
    with pytest.raises(HostLocked, match="broken by") as lost:
        apply_step(phase_run(first), a_step(host.name, done))
    assert second.run_id in str(lost.value) and not done
    # He may begin anew, now that he knows.
    apply_step(phase_run(first), a_step(host.name, done))
    assert done


@pytest.mark.parametrize("number", [0, 1], ids=["linux", "windows"])
def test_a_lock_that_changed_hands_is_not_broken(operator_of, number):
    first, second = operator_of(), operator_of()
    host = linux_and_windows(first)[number]
    first.locks.take(phase_run(first).at(host, "work"))
    _, holder = second.locks.look(host)
    assert holder is not None
    with pytest.raises(Exception, match="lock was not dealt with") as refused:
        second.locks.break_(host, dataclasses.replace(holder, run="an-older-one"), "unlock")
    assert "changed hands" in "\n".join(refused.value.details())
    assert first.locks.holds(host)


@pytest.mark.parametrize("number", [0, 1], ids=["linux", "windows"])
def test_a_holder_whose_connection_broke_takes_his_own_lock_again(operator_of, number):
    first = operator_of()
    host = linux_and_windows(first)[number]
    run = phase_run(first)
    first.locks.take(run.at(host, "work"))
    lock = first.locks._held[host]
    # What the wire shows when a worker's network is made: the holder's process goes on for a while.
    lock._over.set()
    assert not first.locks.holds(host)
    assert first.locks.take(run.at(host, "work"))
    assert first.locks.holds(host)


DIES = """
import os, sys, yaml
from pathlib import Path
from k8swin_nb.api import Cluster
from k8swin_nb.description import check_description
described = yaml.safe_load(sys.stdin.read())
cluster = Cluster(check_description(described, folder=Path(sys.argv[1])), runs=sys.argv[1] + "/dies")
run = cluster.phase("02_master").run
for host in (cluster.hosts("linux")[0], cluster.hosts("windows")[0]):
    cluster.locks.take(run.at(host, "work"))
print(cluster.run_id, flush=True)
os.kill(os.getpid(), 9)
"""


def test_the_lock_of_an_operator_whose_process_was_killed_is_none(operator_of, lab, tmp_path):
    described = yaml.safe_dump({**describe(lab.status()), "cluster_name": "locks"})
    dead = subprocess.run(
        [sys.executable, "-c", DIES, str(tmp_path)],
        input=described, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert dead.returncode == -9 and dead.stdout.strip(), dead.stderr
    second = operator_of()
    said: list[str] = []
    run = phase_run(second, on_output=lambda host, stream, text: said.append(text))
    began = time.monotonic()
    for host in linux_and_windows(second):
        assert second.locks.take(run.at(host, "work"))
    assert time.monotonic() - began < host_lock.SILENCE


GO_ON = r"C:\go-on.txt"
ENDS = f"while (-not (Test-Path {GO_ON})) {{ Start-Sleep -Milliseconds 100 }}"
DOES_NOT_END = "Start-Sleep -Seconds 600"


@contextlib.contextmanager
def left_behind(cluster: Cluster, host: Any, script: str, run: str) -> Iterator[None]:
    """A script that changes a host and whose operator is gone.

    On Windows: sessions of a Linux machine of the lab do not see each other's processes; real hosts try that.
    """
    way = cluster.pool.aside(host)

    def work() -> None:
        with contextlib.suppress(TransportError):  # it was ended from outside
            way.run(script, tag=new_tag(run, "apply"), timeout=700)

    working = threading.Thread(target=work, daemon=True)
    working.start()
    transport = cluster.pool.transport(host)
    assert eventually(lambda: any(one.run == run for one in running(transport)))
    yield
    if any(one.run == run for one in running(transport)):
        end(transport, [one for one in running(transport) if one.run == run])
    working.join(100)


def test_what_a_dead_run_left_at_work_is_waited_for_and_said(operator_of):
    first, second = operator_of(), operator_of()
    host = linux_and_windows(first)[1]
    said: list[str] = []

    def hear(host: str, stream: str, text: str) -> None:
        said.append(text)
        if len(said) == 1:  # now it may end
            first.pool.transport(first.hosts("windows")[0]).run(f"New-Item {GO_ON}")

    run = phase_run(second, on_output=hear)
    with left_behind(first, host, ENDS, "20990101-000000-dead"):
        assert second.locks.take(run.at(host, "work"))
        assert not [one for one in running(second.pool.transport(host)) if one.changes]
    assert "waits for what still runs there: apply of run 20990101-000000-dead" in "".join(said)


def described_in(lab: Lab, folder: Path) -> Path:
    params = folder / "params.yaml"
    params.write_text(yaml.safe_dump({**describe(lab.status()), "cluster_name": "locks"}))
    return params


@pytest.mark.parametrize("number", [0, 1], ids=["linux", "windows"])
def test_unlock_says_what_it_breaks_and_breaks_nothing_unasked(
    operator_of, lab, tmp_path, number, capsys
):
    first = operator_of()
    host = linux_and_windows(first)[number]
    params = described_in(lab, tmp_path)
    assert unlock(params, host.name, yes=False, stop=False) == 0
    assert "the lock is free" in capsys.readouterr().out
    first.locks.take(phase_run(first).at(host, "work"))
    assert unlock(params, host.name, yes=False, stop=False) == 1
    told = capsys.readouterr()
    assert first.run_id in told.out and "before its next change" in told.out
    assert "--yes" in told.err and first.locks.holds(host)
    assert unlock(params, host.name, yes=True, stop=False) == 0
    assert eventually(lambda: not first.locks.holds(host))


def test_unlock_ends_what_runs_when_it_is_told_to(operator_of, lab, tmp_path, capsys):
    first = operator_of()
    host = linux_and_windows(first)[1]
    params = described_in(lab, tmp_path)
    with left_behind(first, host, DOES_NOT_END, "20990101-000000-dead"):
        assert unlock(params, host.name, yes=True, stop=False) == 0
        told = capsys.readouterr().out
        assert "apply of run 20990101-000000-dead" in told and "goes on" in told
        assert unlock(params, host.name, yes=True, stop=True) == 0
        told = capsys.readouterr().out
        assert "ended in the middle" in told and "the lock is free" in told
        assert not [one for one in running(first.pool.transport(host)) if one.changes]


def test_an_operator_of_whom_nothing_is_heard_loses_the_lock(operator_of, monkeypatch):
    monkeypatch.setattr(host_lock, "SILENCE", 3)
    monkeypatch.setattr(host_lock, "BEAT", 3600.0)
    first, second = operator_of(), operator_of(lock_wait=20)
    host = linux_and_windows(first)[0]
    first.locks.take(phase_run(first).at(host, "work"))
    assert second.locks.take(phase_run(second).at(host, "work"))
    assert eventually(lambda: not first.locks.holds(host))


def test_the_teardown_changes_no_host_while_one_of_them_is_worked_on(operator_of):
    first, second = operator_of(), operator_of()
    linux, windows = linux_and_windows(first)
    first.locks.take(phase_run(first).at(windows, "work"))
    done: list[str] = []
    run = second.phase("90_teardown").run
    with pytest.raises(HostLocked, match=windows.name):
        apply_step(run, a_step(linux.name, done))
    assert not done


def test_what_looks_like_drift_while_another_works_there_is_told_as_his_work(operator_of):
    first, second = operator_of(), operator_of()
    host = linux_and_windows(first)[0]
    first.locks.take(phase_run(first).at(host, "work"))
    half = Step(
        name="work", title="Work", on=host.name,
        check=lambda at: Verdict(State.DRIFT, "there is half a cluster"),
        apply=lambda at: None,
    )  # fmt: skip
    with pytest.raises(HostLocked, match="worked on by"):
        apply_step(phase_run(second), half)
    first.locks.release()
    with pytest.raises(Exception, match="half a cluster"):
        apply_step(phase_run(second), half)


@pytest.mark.timeout(600)
def test_a_whole_dry_run_of_another_operator_ends_well_and_names_the_first_on_each_host(
    operator_of, lab, tmp_path
):
    first = operator_of()
    for host in first.hosts():
        first.locks.take(phase_run(first).at(host, "work"))
    (tmp_path / "params").mkdir()
    params = described_in(lab, tmp_path / "params")

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "k8swin_nb", "run", "--params", str(params), *more]
        return subprocess.run(
            [*command, "--notebooks", str(ROOT / "notebooks")],
            capture_output=True, text=True, check=False, cwd=tmp_path, timeout=300,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip

    planned = run("--dry-run", "--only", "02_master,03_flannel,04_join_windows")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    named = [line for line in planned.stdout.splitlines() if "works there now" in line]
    assert all(first.run_id in line and "a run would not begin" in line for line in named)
    # Once on each host that a notebook would change, or that lacks what another notebook makes.
    notebooks = [line.split()[1] for line in named]
    assert notebooks.count("02_master") == notebooks.count("03_flannel") == 1
    assert {line.split()[3] for line in named} == {host.name for host in first.hosts()}
    refused = run("--only", "02_master")
    assert refused.returncode == 1 and first.run_id in refused.stderr
    assert "nothing was changed" in refused.stderr and "k8swin unlock" in refused.stderr


def test_what_a_host_says_of_its_holder_is_data():
    assert "unknown operator" in str(Holder.read("not json"))
    assert "unknown operator" in str(Holder.read('{"operator": []}'))
    assert not Holder.read("[]").is_gone
    here = Holder.here("run", "02_master")
    assert Holder.read(here.line()) == here and not here.is_gone
    gone = dataclasses.replace(here, pid=2**22 + 1)
    assert Holder.read(json.dumps(dataclasses.asdict(gone))).is_gone


def test_a_holder_in_another_container_of_this_computer_is_not_taken_for_gone():
    """They share name and boot, and each counts its processes for itself."""
    here = Holder.here("run", "02_master")
    if not here.boot:
        pytest.skip("this system does not tell its boot")
    gone = dataclasses.replace(here, pid=2**22 + 1)
    assert gone.is_gone
    assert not dataclasses.replace(gone, boot=f"{here.boot.split()[0]} pid:[1]").is_gone
