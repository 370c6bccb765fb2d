"""The runner: check, apply what differs, verify; every host keeps its own answer."""

import json
import time
from pathlib import Path

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.errors import DriftFound, HostUnreachable, MultiHostError, StepFailed, VerifyFailed
from k8swin_nb.inventory import Host, Inventory
from k8swin_nb.plan import check_plan
from k8swin_nb.workflow.phase import Phase
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.record import Record
from k8swin_nb.workflow.runner import apply_step, check_step
from k8swin_nb.workflow.step import Outcome, State, Step, Verdict
from tests.test_description import described


def make_run(folder: Path, *names: str, dry_run: bool = False) -> PhaseRun:
    hosts = tuple(
        Host(name=name, address=f"10.1.0.{i}", os="linux", roles=("worker",), user="u")
        for i, name in enumerate(names, start=2)
    )
    description = check_description(described())
    return PhaseRun(
        description=description,
        plan=check_plan(description),
        inventory=Inventory(hosts),
        connections=None,  # these steps are functions and open none
        record=Record(folder, "run", "notebook"),
        values=lambda run, host: {},
        dry_run=dry_run,
    )


class Machine:
    """A thing that is wanted to be on, and counts what was done to it."""

    def __init__(self, state: State = State.NEEDED, *, applies: bool = True) -> None:
        self.state = state
        self.applies = applies
        self.calls: list[str] = []

    def check(self, run: PhaseRun, host: Host) -> Verdict:
        self.calls.append(f"check {host.name}")
        return Verdict(self.state, f"it is {self.state}")

    def apply(self, run: PhaseRun, host: Host) -> None:
        self.calls.append(f"apply {host.name}")
        if self.applies:
            self.state = State.OK

    def step(self, **changes) -> Step:
        return Step(
            **{
                "name": "switch",
                "title": "It is on",
                "on": "all",
                "check": self.check,
                "apply": self.apply,
                **changes,
            }
        )


def phase_of(step: Step) -> Phase:
    return Phase(name="phase", title="Phase", steps=(step,))


def apply(step: Step, run: PhaseRun):
    return apply_step(run, step)


def test_what_differs_is_applied_and_read_back(tmp_path):
    machine = Machine()
    report = apply(machine.step(), make_run(tmp_path, "a"))
    assert [row.outcome for row in report.rows] == [Outcome.CHANGED]
    assert machine.calls == ["check a", "apply a", "check a"]


def test_a_second_run_changes_nothing_and_says_ok(tmp_path):
    machine = Machine(State.OK)
    report = apply(machine.step(), make_run(tmp_path, "a"))
    assert [row.outcome for row in report.rows] == [Outcome.OK]
    assert machine.calls == ["check a"]


def test_drift_stops_before_anything_is_applied(tmp_path):
    machine = Machine(State.DRIFT)
    with pytest.raises(DriftFound, match="it is drift"):
        apply(machine.step(), make_run(tmp_path, "a"))
    assert machine.calls == ["check a"]


def test_an_apply_that_does_not_take_is_a_failed_verification(tmp_path):
    machine = Machine(applies=False)
    with pytest.raises(VerifyFailed, match="it is needed"):
        apply(machine.step(), make_run(tmp_path, "a"))


def test_a_dry_run_checks_and_sends_no_apply(tmp_path):
    machine = Machine()
    report = apply(machine.step(), make_run(tmp_path, "a", dry_run=True))
    assert [row.outcome for row in report.rows] == [Outcome.SKIPPED]
    assert "would act" in report.rows[0].detail
    assert machine.calls == ["check a"]


def test_checking_alone_changes_nothing(tmp_path):
    machine = Machine()
    step = machine.step()
    report = check_step(phase_of(step), step, make_run(tmp_path, "a"))
    assert [row.outcome for row in report.rows] == [Outcome.SKIPPED]
    assert machine.calls == ["check a"]


def test_what_takes_time_is_waited_for(tmp_path):
    answers = iter([State.NEEDED, State.NEEDED, State.OK])
    step = Machine().step(check=lambda run, host: Verdict(next(answers)), apply=None, wait=30)
    assert [row.outcome for row in apply(step, make_run(tmp_path, "a")).rows] == [Outcome.OK]


def test_a_step_that_is_not_for_a_host_is_skipped_with_the_reason(tmp_path):
    machine = Machine()
    step = machine.step(when=lambda run, host: "not today" if host.name == "b" else None)
    report = apply(step, make_run(tmp_path, "a", "b"))
    assert [(r.host, r.outcome) for r in report.rows] == [
        ("a", Outcome.CHANGED),
        ("b", Outcome.SKIPPED),
    ]
    assert report.rows[1].detail == "not today"


def test_one_failing_host_does_not_lose_the_answers_of_the_others(tmp_path):
    def check(run: PhaseRun, host: Host) -> Verdict:
        if host.name == "b":
            raise HostUnreachable("b", "no answer")
        return Verdict(State.OK)

    run = make_run(tmp_path, "a", "b", "c")
    with pytest.raises(HostUnreachable) as caught:
        apply(Machine().step(check=check), run)
    outcomes = {row.host: row.outcome for row in caught.value.report.rows}
    assert outcomes == {"a": Outcome.OK, "b": Outcome.UNREACHABLE, "c": Outcome.OK}


def test_several_failing_hosts_are_raised_together(tmp_path):
    def check(run: PhaseRun, host: Host) -> Verdict:
        raise StepFailed(phase="phase", step="switch", host=host.name, detail=f"broken {host.name}")

    with pytest.raises(MultiHostError) as caught:
        apply(Machine().step(check=check), make_run(tmp_path, "a", "b"))
    assert set(caught.value.errors) == {"a", "b"}


def test_the_record_holds_every_outcome_in_order(tmp_path):
    run = make_run(tmp_path, "a")
    apply(Machine().step(), run)
    events = [json.loads(line) for line in run.record.path.read_text().splitlines()]
    assert [(e["event"], e["step"], e["host"], e["outcome"]) for e in events] == [
        ("step", "switch", "a", "changed")
    ]
    assert run.record.path.stat().st_mode & 0o777 == 0o600
    assert run.record.folder.stat().st_mode & 0o777 == 0o700


def test_a_step_in_turn_takes_one_host_after_the_other(tmp_path):
    running, most = [0], [0]

    def slow(run, host):
        running[0] += 1
        most[0] = max(most[0], running[0])
        time.sleep(0.05)
        running[0] -= 1
        return Verdict(State.OK)

    step = Machine().step(check=slow, in_turn=True)
    report = apply(step, make_run(tmp_path, "a", "b", "c"))
    assert len(report.rows) == 3
    assert most == [1]


def test_two_notebooks_of_a_run_keep_their_outputs_apart(tmp_path):
    one = Record(tmp_path, "run", "a")
    (one.logs / "0002-check.log").write_text("the other notebook's, which counted the same files")
    assert one.keep_output("check", "mine")[0] == "logs/0003-check.log"
