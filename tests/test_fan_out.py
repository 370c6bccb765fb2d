"""The same work for many at once: every answer kept, a bounded number at a time, and to be stopped."""

import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from k8swin_nb import fan_out
from k8swin_nb.errors import (
    CommandFailed,
    HostUnreachable,
    Interrupted,
    K8swinError,
    MultiHostError,
    Stopped,
    UnexpectedError,
)
from k8swin_nb.fan_out import CANCELLED, Answers, on_each
from k8swin_nb.result import Result
from tests.interrupts import interrupt


def asked(items, work, **how) -> Answers:
    return on_each(items, work, name=str, **how)


def test_answers_come_in_the_order_in_which_was_asked():
    def work(item: int) -> int:
        time.sleep(0.05 if item == 3 else 0)
        return item * 2

    assert list(asked([3, 1, 2], work).all().items()) == [("3", 6), ("1", 2), ("2", 4)]


def test_errors_come_in_the_order_in_which_was_asked():
    def work(item: int) -> int:
        time.sleep(0.05 if item == 3 else 0)
        raise HostUnreachable(str(item), "gone")

    assert list(asked([3, 1, 2], work).errors) == ["3", "1", "2"]


def test_nothing_to_do_is_done():
    assert asked([], lambda item: item) == Answers()


def test_all_are_worked_on_at_the_same_time():
    together = threading.Barrier(3, timeout=100)
    assert len(asked("abc", lambda item: together.wait()).all()) == 3


def test_no_more_are_worked_on_at_once_than_was_said():
    running, most, lock = [0], [0], threading.Lock()
    together = threading.Barrier(3, timeout=60)

    def work(item: int) -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        if item < 3:
            together.wait()
        time.sleep(0.02)
        with lock:
            running[0] -= 1

    before = threading.active_count()
    seen: list[int] = []
    asked(range(12), lambda item: (work(item), seen.append(threading.active_count())), at_once=3)
    assert most == [3]
    assert max(seen) <= before + 3


def test_an_exception_that_nobody_expected_keeps_the_answers_of_the_others():
    bug = ZeroDivisionError("of one")

    def work(item: str) -> str:
        if item == "b":
            raise bug
        return item

    found = asked("abc", work)
    assert found.answers == {"a": "a", "c": "c"}
    assert list(found.errors) == ["b"]
    error = found.error()
    assert isinstance(error, UnexpectedError)
    assert error.__cause__ is bug
    assert "ZeroDivisionError" in str(error) and "of one" in str(error)


def test_one_error_is_raised_as_itself_and_several_together():
    gone = HostUnreachable("b", "gone")

    def work(item: str) -> Result:
        if item == "b":
            raise gone
        result = Result("x", 3 if item == "c" else 0, "", "", item, 0.1)
        result.check_returncode()
        return result

    with pytest.raises(HostUnreachable) as one:
        asked("ab", work).all()
    assert one.value is gone
    with pytest.raises(MultiHostError) as several:
        asked("abc", work).all()
    assert {n: type(e) for n, e in several.value.errors.items()} == {
        "b": HostUnreachable,
        "c": CommandFailed,
    }


def test_an_error_of_ours_is_kept_as_it_is():
    told = K8swinError("as it was")
    found = asked("a", lambda item: (_ for _ in ()).throw(told))
    assert found.error() is told


def test_what_has_not_begun_when_it_is_stopped_never_does():
    cancel = threading.Event()
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        cancel.set()
        return item

    found = asked(range(5), work, cancel=cancel, at_once=1)
    assert begun == [0] and found.answers == {"0": 0}
    assert list(found.errors) == ["1", "2", "3", "4"]
    assert all(isinstance(error, Stopped) for error in found.errors.values())


def test_after_the_time_the_answers_there_are_come_back_and_the_rest_is_told_to_stop(monkeypatch):
    cancel, release = threading.Event(), threading.Event()
    clock, steps = [0.0], [0.0]

    def monotonic() -> float:
        clock[0] += steps[0]
        return clock[0]

    monkeypatch.setattr(fan_out, "time", SimpleNamespace(monotonic=monotonic))

    def work(item: str) -> str:
        if item == "next":  # the answer of the one before it is there by now
            steps[0] = 20.0
        if item != "quick":
            release.wait(60)
        return item

    found = asked(["slow", "quick", "next"], work, cancel=cancel, seconds=10, at_once=2)
    release.set()
    assert cancel.is_set()
    assert found.answers == {"quick": "quick"}
    assert list(found.errors) == ["slow", "next"]
    assert isinstance(found.errors["slow"], Stopped)
    assert "within 10 s" in str(found.errors["slow"])


def test_who_answers_after_the_time_while_answers_are_told_is_told_of_once(monkeypatch):
    release, over = threading.Event(), threading.Event()

    def work(item: str) -> str:
        release.wait(60)
        return item

    def name(item: str) -> str:
        """The name of the second is asked for when the first is told of already."""
        if item == "b" and over.is_set() and threading.current_thread() is threading.main_thread():
            release.set()
            time.sleep(0.5)  # for the first to answer; without it less is tried
        return item

    wait = fan_out.wait_for_all
    monkeypatch.setattr(fan_out, "wait_for_all", lambda *given: (wait(*given), over.set())[0])
    found = on_each("ab", work, name=name, seconds=0.1)
    release.set()
    assert not set(found.answers) & set(found.errors)
    assert list(found.answers) + list(found.errors) == ["a", "b"]


def test_an_interrupt_stops_what_runs_waits_for_it_and_lets_nothing_begin():
    cancel, running = threading.Event(), threading.Event()
    begun: list[int] = []
    ended: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        if len(begun) == 2:
            running.set()
        assert cancel.wait(100)
        time.sleep(0.2)
        ended.append(item)

    with interrupt(running.is_set), pytest.raises(Interrupted) as caught:
        asked(range(4), work, cancel=cancel, at_once=2)
    assert cancel.is_set()
    assert sorted(begun) == sorted(ended) == [0, 1]
    assert str(caught.value) == "had ended on 0, 1; not begun on 2, 3"


def test_an_interrupt_tells_what_it_stopped_from_what_had_ended():
    cancel = threading.Event()
    running: list[str] = []

    def work(item: str) -> Result:
        running.append(item)
        if item == "cut":
            assert cancel.wait(100)
            return Result("x", CANCELLED, "", "", item, 0.1)
        if item == "cut-error":
            assert cancel.wait(100)
            raise Stopped(item, "was stopped")
        return Result("x", 0, "", "", item, 0.1)

    with interrupt(lambda: len(running) == 3), pytest.raises(Interrupted) as caught:
        asked(["whole", "cut-error", "cut"], work, cancel=cancel)
    assert caught.value.stopped == ("cut-error", "cut")
    assert caught.value.ended == ("whole",)
    assert caught.value.lines()[0] == "Interrupted: stopped on cut-error, cut; had ended on whole"


def test_a_second_interrupt_ends_the_waiting_and_says_what_still_runs(monkeypatch):
    monkeypatch.setattr(fan_out, "STOP_SECONDS", 600.0)
    running, release = threading.Event(), threading.Event()
    waits: list[float | None] = []
    wait = fan_out.wait_for_all

    def noted(working: list[threading.Event], seconds: float | None) -> bool:
        waits.append(seconds)
        return wait(working, seconds)

    monkeypatch.setattr(fan_out, "wait_for_all", noted)

    def work(item: str) -> None:
        running.set()
        release.wait(60)

    with (
        interrupt(running.is_set),
        interrupt(lambda: len(waits) == 2),
        pytest.raises(Interrupted) as caught,
    ):
        asked(["deaf"], work)
    release.set()
    assert waits == [None, 600.0]
    assert caught.value.running == ("deaf",)


def test_the_end_of_a_process_stops_what_it_works_on_before_connections_are_closed(tmp_path):
    told = tmp_path / "told"
    program = rf"""
import pathlib, sys, threading, time
import atexit
said = pathlib.Path({str(told)!r})
def tell(what):
    with said.open("a") as file:
        file.write(what + "\n")
atexit.register(tell, "connections are closed")
from k8swin_nb.fan_out import on_each
begun, cancel = threading.Event(), threading.Event()
def work(item):
    begun.set()
    cancel.wait(60)
    time.sleep(0.2)
    tell("stopped on " + item)
threading.Thread(
    target=on_each, args=(["a"], work), kwargs=dict(name=str, cancel=cancel), daemon=True
).start()
begun.wait(60)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=100)
    assert told.read_text().splitlines() == ["stopped on a", "connections are closed"]


def test_an_interrupt_names_what_does_not_stop_in_time(monkeypatch):
    monkeypatch.setattr(fan_out, "STOP_SECONDS", 0.3)
    release = threading.Event()
    running: set[str] = set()

    def work(item: str) -> None:
        running.add(item)
        if item.startswith("deaf"):
            release.wait(60)

    # What came before `deaf too` is known to have ended.
    with interrupt(lambda: len(running) == 3), pytest.raises(Interrupted) as caught:
        asked(["quick", "deaf", "deaf too"], work, at_once=2)
    release.set()
    assert str(caught.value) == "still running on deaf, deaf too; had ended on quick"


def test_an_interrupt_while_the_first_begin_stops_them_too(monkeypatch):
    cancel = threading.Event()
    start = threading.Thread.start

    def interrupted(self: threading.Thread) -> None:
        start(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        asked("abc", lambda item: cancel.wait(100), cancel=cancel)
    assert cancel.is_set()
