"""The runner: check, apply what differs, verify; every host keeps its own answer."""

import json
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from k8swin_nb.errors import (
    AuthenticationFailed,
    CheckFailed,
    DriftFound,
    HostKeyUnknown,
    HostLocked,
    HostUnreachable,
    Interrupted,
    MultiHostError,
    RecordError,
    StepFailed,
    Stopped,
    UnexpectedError,
    VerifyFailed,
)
from k8swin_nb.workflow import runner
from k8swin_nb.workflow.host_lock import Holder
from k8swin_nb.workflow.phase_run import PhaseRun
from k8swin_nb.workflow.record import Record
from k8swin_nb.workflow.report import Report
from k8swin_nb.workflow.runner import StepProgress, apply_step, check_step
from k8swin_nb.workflow.step import Outcome, State, Step, Verdict
from k8swin_nb.workflow.step_run import StepRun
from tests import runs
from tests.interrupts import interrupt
from tests.runs import Machine
from tests.test_description import MASTER, WORKER

LETTERS = ("a", "b", "c")


def make_run(folder: Path, *names: str, dry_run: bool = False) -> PhaseRun:
    """Return a run on hosts of these names; the first is the control plane."""
    hosts = [
        {**(WORKER if number else MASTER), "name": name, "address": f"10.1.0.{number + 2}"}
        for number, name in enumerate(names)
    ]
    return runs.make_run(folder, dry_run=dry_run, hosts=hosts)


def apply(step: Step, run: PhaseRun) -> Report:
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
    assert [row.outcome for row in report.rows] == [Outcome.WOULD_CHANGE]
    assert machine.calls == ["check a"]


def dry(tmp_path, **how):
    """Look at a step in a dry run in which an earlier step would change the host."""
    run = make_run(tmp_path, "a", dry_run=True)
    apply(Machine().step(name="before"), run)
    return apply(Machine().step(**how), run).rows[0]


def test_what_a_check_says_to_differ_is_told_as_a_difference(tmp_path):
    said = """\
would: swap: on -> off
would write: /etc/a.conf
-|one
-|two
+|one
+|three
/etc/a.conf differs
"""
    run = make_run(tmp_path, "a", dry_run=True)
    row = apply(Machine().step(check=lambda at: Verdict.read(State.NEEDED, said)), run).rows[0]
    assert row.detail == "/etc/a.conf differs"
    assert row.difference.splitlines() == [
        "swap: on -> off",
        "--- /etc/a.conf",
        "+++ /etc/a.conf",
        "@@ -1,2 +1,2 @@",
        " one",
        "-two",
        "+three",
    ]
    assert run.record.events[-1]["difference"] == row.difference
    assert "+three" in repr(Report("t", [row]))
    assert "/etc/a.conf differs</summary>" in Report("t", [row])._repr_html_()


def test_a_step_that_has_something_to_do_after_an_earlier_one_has_says_so_in_a_dry_run(tmp_path):
    rows = []
    for follows in ({"a": "reboot: none -> done", "other": "x"}, {"other": "x"}):
        run = make_run(tmp_path, "a", dry_run=True)
        apply(Machine().step(name="a"), run)
        fine = Machine().step(name="b", check=lambda at: Verdict(State.OK, "fine"), follows=follows)
        rows += apply(fine, run).rows
    assert [(row.outcome, row.detail, row.difference) for row in rows] == [
        (Outcome.WOULD_CHANGE, "follows from `a`; now fine", "reboot: none -> done"),
        (Outcome.OK, "fine", ""),
    ]


def test_what_proves_an_earlier_step_waits_for_it_in_a_dry_run_though_all_is_well_now(tmp_path):
    rows = []
    for before in ("a", "other"):
        run = make_run(tmp_path, "a", dry_run=True)
        apply(Machine().step(name=before), run)
        for name, proves in (("b", ("a",)), ("c", ("b",))):
            how = {"check": lambda at: Verdict(State.OK, "fine"), "apply": None, "proves": proves}
            rows += apply(Machine().step(name=name, **how), run).rows
    assert [(row.outcome, row.detail) for row in rows] == [
        (Outcome.WOULD_CHANGE, "waits for `a`; now fine"),
        (Outcome.WOULD_CHANGE, "waits for `a`; now fine"),
        (Outcome.OK, "fine"),
        (Outcome.OK, "fine"),
    ]


class Theirs(runs.Unlocked):
    """The lock of every host is another operator's."""

    looks = 0

    def holds(self, host):
        return False

    def look(self, host, cancel=None):
        self.looks += 1
        return True, Holder("joe", "bastion", "", 7, "run-7", "02_master", "2026-01-01T00:00:00Z")


def test_a_dry_run_says_once_a_host_who_else_works_there_and_takes_no_lock(tmp_path):
    run = make_run(tmp_path, "a", dry_run=True)
    run.locks = Theirs(None, "run")
    machine = Machine()
    details = [apply(machine.step(name=name), run).rows[0].detail for name in ("one", "two")]
    assert "joe on bastion (process 7)" in details[0] and "works there now" in details[0]
    assert "joe" not in details[1] and run.locks.looks == 1
    # What another notebook makes may be what he makes now: it waits for that, and names him.
    run = make_run(tmp_path, "a", dry_run=True)
    run.locks = Theirs(None, "run")
    missing = {"check": lambda at: Verdict(State.STUCK, "not there"), "apply": None}
    row = apply(machine.step(name="api", made_by="02_master", **missing), run).rows[0]
    assert row.outcome is Outcome.WOULD_CHANGE
    assert row.detail.startswith("waits for `02_master`: not there; joe on bastion (process 7)")
    run = make_run(tmp_path, "a", dry_run=True)
    run.locks = Theirs(None, "run")
    with pytest.raises(HostLocked, match="worked on by joe"):
        apply(machine.step(name="api", **missing), run)
    # What looks like somebody else's state may be half-done work.
    drifted = machine.step(name="three", check=lambda at: Verdict(State.DRIFT, "other"))
    with pytest.raises(HostLocked, match="worked on by joe"):
        apply(drifted, run)


def test_a_dry_run_says_which_step_a_check_waits_for_that_cannot_find_out(tmp_path):
    def unknown(at):
        raise at.failed("no such program", kind=CheckFailed)

    row = dry(tmp_path, check=unknown)
    assert row.outcome is Outcome.WOULD_CHANGE
    assert row.detail == "waits for `before`, and is not known before: no such program"
    row = dry(tmp_path, check=lambda at: Verdict(State.STUCK, "not there"), apply=None)
    assert (row.outcome, row.detail) == (Outcome.WOULD_CHANGE, "waits for `before`: not there")
    # It may be as wanted by then: kubeadm writes it so, or an image was brought along.
    maybe = "would: images: not known before x is installed -> pulled\nthere is no x"
    row = dry(tmp_path, check=lambda at: Verdict.read(State.NEEDED, maybe))
    assert row.detail == "waits for `before`, and is not known before: there is no x"
    row = dry(tmp_path, check=lambda at: Verdict.read(State.NEEDED, f"would: a: b -> c\n{maybe}"))
    assert row.detail == "there is no x"


@pytest.mark.parametrize("kind", [StepFailed, DriftFound])
def test_a_dry_run_stops_at_drift_and_at_what_a_check_forbids(tmp_path, kind):
    def stops(at):
        raise at.failed("in the way", kind=kind)

    with pytest.raises(kind, match="in the way"):
        dry(tmp_path, check=stops)


def test_a_check_that_cannot_find_out_fails_a_dry_run_where_nothing_was_to_be_made_before(tmp_path):
    def unknown(at):
        raise at.failed("no such program", kind=CheckFailed)

    with pytest.raises(CheckFailed, match="no such program"):
        apply(Machine().step(check=unknown), make_run(tmp_path, "a", dry_run=True))


def test_checking_alone_changes_nothing(tmp_path):
    machine = Machine()
    step = machine.step()
    report = check_step(make_run(tmp_path, "a"), step)
    assert [row.outcome for row in report.rows] == [Outcome.WOULD_CHANGE]
    assert machine.calls == ["check a"]


def test_what_takes_time_is_waited_for(tmp_path):
    answers = iter([State.NEEDED, State.NEEDED, State.OK])
    step = Machine().step(check=lambda at: Verdict(next(answers)), apply=None, wait=30)
    assert [row.outcome for row in apply(step, make_run(tmp_path, "a")).rows] == [Outcome.OK]


def test_a_step_that_is_not_for_a_host_is_skipped_with_the_reason(tmp_path):
    machine = Machine()
    step = machine.step(when=lambda at: "not today" if at.host.name == "b" else None)
    report = apply(step, make_run(tmp_path, "a", "b"))
    assert [(r.host, r.outcome) for r in report.rows] == [
        ("a", Outcome.CHANGED),
        ("b", Outcome.SKIPPED),
    ]
    assert report.rows[1].detail == "not today"


def test_one_failing_host_does_not_lose_the_answers_of_the_others(tmp_path):
    def check(at: StepRun) -> Verdict:
        if at.host.name == "b":
            raise HostUnreachable("b", "no answer")
        return Verdict(State.OK)

    run = make_run(tmp_path, "a", "b", "c")
    with pytest.raises(HostUnreachable) as caught:
        apply(Machine().step(check=check), run)
    outcomes = {row.host: row.outcome for row in caught.value.report.rows}
    assert outcomes == {"a": Outcome.OK, "b": Outcome.UNREACHABLE, "c": Outcome.OK}


def test_several_failing_hosts_are_raised_together(tmp_path):
    def check(at: StepRun) -> Verdict:
        raise at.failed(f"broken {at.host.name}")

    with pytest.raises(MultiHostError) as caught:
        apply(Machine().step(check=check), make_run(tmp_path, "a", "b"))
    assert set(caught.value.errors) == {"a", "b"}


def test_the_record_holds_every_outcome_in_order(tmp_path):
    run = make_run(tmp_path, "a")
    apply(Machine().step(), run)
    events = [json.loads(line) for line in run.record.path.read_text().splitlines()]
    assert [(e["event"], e["step"], e["host"], e.get("outcome")) for e in events] == [
        ("step-started", "switch", "a", None),
        ("step", "switch", "a", "changed"),
    ]
    assert run.record.path.stat().st_mode & 0o777 == 0o600
    assert run.record.folder.stat().st_mode & 0o777 == 0o700


def test_a_step_in_turn_takes_one_host_after_the_other(tmp_path):
    running, most = [0], [0]

    def slow(at: StepRun) -> Verdict:
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


def test_looking_alone_at_what_somebody_else_made_is_an_error_too(tmp_path):
    machine = Machine(State.DRIFT)
    with pytest.raises(DriftFound, match="it is drift"):
        check_step(make_run(tmp_path, "a"), machine.step())
    assert machine.calls == ["check a"]


def test_what_a_script_says_to_do_becomes_the_hint_and_its_last_line_the_finding(tmp_path):
    printed = "hint: run 02_master first\nlooking\nno cluster\n"
    step = Machine().step(check=lambda at: Verdict.read(State.DRIFT, printed))
    with pytest.raises(DriftFound, match=r": no cluster$") as caught:
        apply(step, make_run(tmp_path, "a"))
    assert caught.value.hint == "run 02_master first"


@pytest.mark.parametrize("state", [State.STUCK, State.DRIFT])
@pytest.mark.parametrize("waits_only", [True, False])
def test_a_wait_ends_at_once_when_waiting_makes_no_sense(tmp_path, state, waits_only):
    looked = []

    def check(at):
        looked.append(at.verb)
        if len(looked) == 1:
            return Verdict(State.NEEDED, "not yet")
        return Verdict(state, "the image is refused", "name another registry")

    step = Machine().step(check=check, wait=300)
    if waits_only:
        step = replace(step, apply=None)
    began = time.monotonic()
    with pytest.raises(VerifyFailed, match=r"the image is refused$") as caught:
        apply(step, make_run(tmp_path, "a"))
    assert caught.value.hint == "name another registry"
    assert looked == ["check", "verify"]
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (HostUnreachable("a", "nobody answers"), "unreachable"),
        (AuthenticationFailed("a", "the server refused the user"), "failed"),
        (HostKeyUnknown("a", where="10.1.0.2:22", algorithm="ssh-rsa", fingerprint="SHA256:x"), "failed"),
    ],
)  # fmt: skip
def test_only_a_host_that_does_not_answer_is_unreachable(tmp_path, error, outcome):
    def check(at):
        raise error

    with pytest.raises(type(error)) as caught:
        apply(Machine().step(check=check), make_run(tmp_path, "a"))
    assert caught.value.report.rows[0].outcome.value == outcome


def test_what_is_stuck_may_be_what_the_step_mends(tmp_path):
    states = iter([State.STUCK, State.OK])
    step = Machine().step(check=lambda at: Verdict(next(states), "the kubelet is stopped"))
    assert apply(step, make_run(tmp_path, "a")).rows[0].outcome is Outcome.CHANGED


def test_no_hint_promises_that_running_again_is_all_that_it_takes(tmp_path):
    with pytest.raises(VerifyFailed) as caught:
        apply(Machine(applies=False).step(), make_run(tmp_path, "a"))
    assert "once it is mended" in str(caught.value.hint)


def test_a_stop_during_the_check_keeps_anything_from_being_changed(tmp_path):
    run = make_run(tmp_path, "a")
    machine = Machine()

    def check(at: StepRun) -> Verdict:
        run.cancel.set()
        return machine.check(at)

    with pytest.raises(Stopped, match="before it changed anything"):
        apply(machine.step(check=check), run)
    assert machine.calls == ["check a"]


def test_a_stop_ends_the_wait_for_what_takes_time(tmp_path):
    run = make_run(tmp_path, "a")

    def check(at: StepRun) -> Verdict:
        if at.verb == "verify":
            run.cancel.set()
        return Verdict(State.NEEDED)

    with pytest.raises(Stopped, match="while it waited"):
        apply(Machine().step(check=check, apply=None, wait=600), run)


def test_after_a_pause_of_this_computer_what_there_is_counts_and_not_the_clock(
    tmp_path, monkeypatch
):
    looks, ahead = [], [0.0]
    real = time.monotonic
    monkeypatch.setattr(runner.time, "monotonic", lambda: real() + ahead[0])

    def check(at: StepRun) -> Verdict:
        looks.append(ahead[0])
        if len(looks) == 2:
            # The computer was suspended while it asked; what it is told is as old as that.
            ahead[0] = 3600.0
        return Verdict(State.OK if len(looks) > 2 else State.NEEDED)

    step = Machine().step(check=check, apply=None, wait=30)
    assert [row.outcome for row in apply(step, make_run(tmp_path, "a")).rows] == [Outcome.OK]
    assert looks == [0.0, 0.0, 3600.0]


def test_an_interrupt_keeps_the_rows_of_the_hosts_that_had_ended(tmp_path):
    run = make_run(tmp_path, *LETTERS)
    waits = threading.Event()

    def check(at: StepRun) -> Verdict:
        if at.host.name == "a":
            return Verdict(State.OK, "as wanted")
        waits.set()
        at.pause(60)
        return Verdict(State.OK)

    with interrupt(waits.is_set), pytest.raises(Interrupted) as caught:
        apply(Machine().step(check=check), run)
    rows = {row.host: row for row in caught.value.report.rows}
    assert rows["a"].outcome is Outcome.OK
    assert "was stopped while it waited" in rows["b"].detail
    assert str(caught.value) == "step `phase/switch`: stopped on b, c; had ended on a"
    told = run.record.events[-1]
    assert (told["event"], told["stopped"], told["ended"]) == ("interrupted", ["b", "c"], ["a"])
    assert {e["host"] for e in run.record.events if e["event"] == "step"} == set(LETTERS)


def test_a_stop_lets_no_further_host_begin(tmp_path):
    run = make_run(tmp_path, *LETTERS)
    begun = []

    def check(at: StepRun) -> Verdict:
        begun.append(at.host.name)
        run.cancel.set()
        return Verdict(State.OK)

    with pytest.raises(MultiHostError) as caught:
        apply(Machine().step(check=check, in_turn=True), run)
    assert begun == ["a"]
    assert {type(error) for error in caught.value.errors.values()} == {Stopped}
    assert [row.host for row in caught.value.report.rows] == ["a"]


def test_a_bug_on_one_host_keeps_the_rows_of_the_others_and_what_was_behind_it(tmp_path):
    bug = ZeroDivisionError("of one host")

    def check(at: StepRun) -> Verdict:
        if at.host.name == "b":
            raise bug
        return Verdict(State.OK)

    run = make_run(tmp_path, *LETTERS)
    with pytest.raises(UnexpectedError) as caught:
        apply(Machine().step(check=check), run)
    assert caught.value.__cause__ is bug
    outcomes = {row.host: row.outcome for row in caught.value.report.rows}
    assert outcomes == {"a": Outcome.OK, "b": Outcome.FAILED, "c": Outcome.OK}
    assert {event["host"] for event in run.record.events} == set(LETTERS)


def test_whoever_watches_is_told_when_a_step_begins_and_how_it_ended(tmp_path):
    told: list[StepProgress] = []
    apply_step(make_run(tmp_path, "a"), Machine().step(), told.append)
    assert told == [
        StepProgress("phase", "switch", "a"),
        StepProgress("phase", "switch", "a", Outcome.CHANGED, "it is ok"),
    ]


def test_whoever_watches_is_told_of_failures_too(tmp_path):
    told: list[StepProgress] = []
    with pytest.raises(DriftFound):
        apply_step(make_run(tmp_path, "a"), Machine(State.DRIFT).step(), told.append)
    assert told[-1].outcome is Outcome.FAILED and "it is drift" in told[-1].detail


def test_an_interrupt_is_an_interrupt_where_the_record_is_gone(tmp_path):
    run = make_run(tmp_path, "a")
    waits = threading.Event()

    def check(at: StepRun) -> Verdict:
        shutil.rmtree(at.run.record.folder)
        waits.set()
        at.pause(60)
        return Verdict(State.OK)

    with interrupt(waits.is_set), pytest.raises(Interrupted, match="stopped on a"):
        apply(Machine().step(check=check), run)


def test_no_step_begins_that_cannot_be_written_down(tmp_path):
    run = make_run(tmp_path, "a")
    shutil.rmtree(run.record.folder)
    machine = Machine()
    with pytest.raises(RecordError):
        apply(machine.step(), run)
    assert machine.calls == []
