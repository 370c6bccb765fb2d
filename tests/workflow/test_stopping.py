"""What a step waits for is told, and the wait for one host can be ended without leaving anything half changed."""

import threading

import pytest

from k8swin_nb.errors import MultiHostError, Stopped
from k8swin_nb.workflow.heartbeat import Heartbeat, duration, next_line
from k8swin_nb.workflow.runner import StepProgress, apply_step
from k8swin_nb.workflow.step import Outcome, State, Verdict
from k8swin_nb.workflow.step_run import StepRun
from k8swin_nb.workflow.stopping import HostWork, Stop
from tests.runs import Machine, make_run, phase_of

HOSTS = {"on": "all", "wait": 3600}


def waiting(at: StepRun) -> Verdict:
    return Verdict(State.NEEDED, "2 of 3 ready; winworker02: pulling servercore")


def leaves_out_when_it_waits(run, host: str, said: list[str]):
    def watch(told: StepProgress) -> None:
        if told.outcome is None and told.detail and told.host == host:
            said.append(run.leave_out(host))

    return watch


def test_a_stop_reaches_all_that_were_made_of_it_and_they_can_be_set_alone():
    whole = Stop()
    one, other = whole.child(), whole.child()
    one.set()
    assert one.is_set() and not whole.is_set() and not other.is_set()
    whole.set()
    assert other.is_set() and whole.child().is_set()
    whole.forget(one)


def test_a_wait_for_one_host_can_be_ended_and_its_later_steps_say_so(tmp_path):
    ready = Machine().step(name="ready", check=waiting, apply=None, **HOSTS)
    later = Machine(State.OK).step(name="later")
    run = make_run(tmp_path, phase=phase_of(ready, later))
    run.leave_out()
    said: list[str] = []

    def only_windows_waits(at: StepRun) -> Verdict:
        return waiting(at) if at.host.os == "windows" else Verdict(State.OK)

    step = Machine().step(name="ready", check=only_windows_waits, apply=None, **HOSTS)
    report = apply_step(run, step, leaves_out_when_it_waits(run, "winworker01", said))
    assert said == ["winworker01 is left out at step `ready`"]
    rows = {row.host: row for row in report.rows}
    assert rows["linuxmaster"].outcome is Outcome.OK
    assert rows["winworker01"].outcome is Outcome.SKIPPED
    assert "this step changed nothing; last seen: 2 of 3 ready" in rows["winworker01"].detail
    rows = {row.host: row for row in apply_step(run, later).rows}
    assert rows["linuxmaster"].outcome is Outcome.OK
    assert rows["winworker01"].outcome is Outcome.SKIPPED
    assert "left out at step `ready`" in rows["winworker01"].detail
    assert apply_step(run, Machine(State.OK).step(name="ready")).counts() == {"ok": 2}
    assert apply_step(run, later).counts() == {"ok": 2}
    assert "waiting" in {event["event"] for event in run.record.events}
    assert run.leave_out() == "nothing is waited for at the moment"


def test_what_was_applied_and_is_not_proven_says_so_when_it_is_left_out(tmp_path):
    step = Machine().step(name="ready", on="windows", verify=waiting, wait=3600)
    run = make_run(tmp_path, phase=phase_of(step))
    said: list[str] = []
    (row,) = apply_step(run, step, leaves_out_when_it_waits(run, "winworker01", said)).rows
    assert row.outcome is Outcome.SKIPPED
    assert row.detail.startswith(
        "left out after it was applied; that it is as wanted is not proven"
    )


def test_a_host_that_is_being_changed_is_not_left_out(tmp_path):
    said: list[str] = []
    machine = Machine()

    def change(at: StepRun) -> None:
        said.append(at.run.leave_out())
        machine.apply(at)

    step = machine.step(name="switch", on="windows", apply=change)
    run = make_run(tmp_path, phase=phase_of(step))
    (row,) = apply_step(run, step).rows
    assert row.outcome is Outcome.CHANGED
    assert said == ["winworker01 is being changed by step `switch`; only a stop ends that"]


def test_a_host_that_was_left_out_just_before_is_not_changed():
    work = HostWork("step", "host", Stop(), lambda what: None, lambda what: None)
    assert work.leave_out() and not work.begin_change() and not work.applied


def test_a_stop_of_all_is_no_leaving_out(tmp_path):
    step = Machine().step(name="ready", check=waiting, apply=None, **HOSTS)
    run = make_run(tmp_path, phase=phase_of(step))

    def watch(told: StepProgress) -> None:
        if told.detail and told.outcome is None:
            run.cancel.set()

    with pytest.raises(MultiHostError) as caught:
        apply_step(run, step, watch)
    assert {type(error) for error in caught.value.errors.values()} == {Stopped}
    assert run.left_out == {} and run.at_work == {}


def test_what_is_waited_for_is_told_when_it_changes_and_kept_less_and_less_often(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("k8swin_nb.workflow.stopping.time.monotonic", lambda: now[0])
    told: list[str] = []
    kept: list[str] = []
    work = HostWork("step", "host", Stop(), told.append, kept.append)
    for second in range(3600):
        now[0] = float(second)
        work.waits_for(f"{second} of 3600")
        work.waits_for(f"{second} of 3600")
    assert len(told) == 3600 and 20 < len(kept) < 60


def test_a_script_that_is_at_work_is_told_and_hides_nothing_that_is_waited_for():
    told: list[str] = []
    work = HostWork("step", "host", Stop(), told.append, lambda what: None)
    work.runs("a.check.sh", "check", changes=False)
    work.waits_for("the lock of this host")
    work.runs("a.check.sh", "check", changes=False)  # a look at what is waited for anyway
    work.runs("a.apply.sh", "apply", changes=True)
    work.waits_for("2 of 3 ready")
    work.runs("a.status.sh", "apply", changes=False)
    work.runs("a.check.sh", "verify", changes=False)
    assert told == [
        "the end of `a.check.sh` (check)",
        "the lock of this host",
        "the end of `a.apply.sh` (apply)",
        "2 of 3 ready",
        "the end of `a.check.sh` (verify)",
    ]


def test_the_heartbeat_says_how_long_how_silent_and_what_is_waited_for():
    now = [100.0]
    beat = Heartbeat(["a", "b", "winworker02"], clock=lambda: now[0])
    assert beat.text() == "still running 0 s: 0 of 3 ready"
    for name in ("a", "b", "winworker02"):
        beat.begin(name)
    beat.end("a")
    beat.end("b")
    now[0] += 90
    beat.waits("winworker02", "pulling servercore")
    now[0] += 40
    beat.waits("winworker02", "pulling servercore")
    assert beat.text() == (
        "still running 2 min 10 s, silent for 40 s: 2 of 3 ready; winworker02: pulling servercore"
    )
    beat.said("winworker02")
    assert "silent" not in beat.text()
    beat.end("winworker02", fine=False)
    assert beat.text() == "still running 2 min 10 s: 2 of 3 ready, 1 failed"
    beat.end("b", skipped=True)  # left out: that it is ready nobody knows
    assert beat.text() == "still running 2 min 10 s: 1 of 3 ready, 1 failed, 1 skipped"


def test_hosts_that_wait_for_the_same_are_told_together_and_very_many_are_counted():
    beat = Heartbeat(clock=lambda: 0.0)
    for number in range(5000):
        beat.begin(f"h{number}")
        beat.waits(f"h{number}", "the API server" if number < 4000 else f"\x1b[2J{number}" * 999)
    text = beat.text()
    assert "h0, h1, h2 and 3997 more: the API server" in text
    assert len(text) < 1500 and "\x1b" not in text and text.endswith("998 more wait")


def test_durations_are_said_as_a_person_says_them_and_an_hour_of_lines_stays_short():
    assert [duration(s) for s in (0, 59.9, 130, 3900)] == ["0 s", "59 s", "2 min 10 s", "1 h 5 min"]
    at, lines = 2.0, 0
    while at < 3600:
        at, lines = next_line(at), lines + 1
    assert 20 < lines < 60


def test_a_heartbeat_is_told_and_asked_from_many_threads():
    beat = Heartbeat()

    def work(name: str) -> None:
        for number in range(200):
            beat.begin(name)
            beat.waits(name, str(number))
            beat.text()
            beat.end(name)

    threads = [threading.Thread(target=work, args=(f"h{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "4 of 4 ready" in beat.text()
