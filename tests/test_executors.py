"""Work in other processes: any executor may do it."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import pickle
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from k8swin_nb.errors import HostUnreachable, K8swinError, Stopped
from k8swin_nb.fan_out import on_each
from k8swin_nb.secret import Secret


def place(item: str) -> tuple[str, int]:
    return item.upper(), os.getpid()


def unreachable(item: str) -> str:
    raise HostUnreachable(item, "gone", hint="look")


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def test_other_processes_do_the_work_and_answers_keep_their_order(processes: Executor):
    answers = on_each(["b", "a", "c"], place, name=str, executor=processes).all()
    assert [word for word, _ in answers.values()] == ["B", "A", "C"]
    assert os.getpid() not in {pid for _, pid in answers.values()}


def test_an_error_comes_back_as_it_was_raised(processes: Executor):
    errors = on_each(["a", "b"], unreachable, name=str, executor=processes).errors
    assert [type(error) for error in errors.values()] == [HostUnreachable] * 2
    assert errors["a"].hint == "look"
    assert "gone" in str(errors["a"])


def test_what_cannot_be_sent_is_told_with_what_can(processes: Executor):
    event = threading.Event()
    errors = on_each(["a"], lambda item: event, name=str, executor=processes).errors
    assert "cannot be handed to the executor" in str(errors["a"])
    assert "lambdas" in (errors["a"].hint or "")


def test_a_secret_leaves_no_process(processes: Executor):
    with pytest.raises(TypeError, match="pickle its reference"):
        pickle.dumps(Secret("long-enough-value"))


def test_a_notebook_that_was_reset_can_still_hand_work_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(sys.modules["__main__"], "__spec__")  # as `%reset` leaves it
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        answers = on_each(["a"], place, name=str, executor=pool).all()
    assert answers["a"][0] == "A"


class Idle(Executor):
    """An executor that never begins."""

    def submit(self, *work, **how) -> Future:  # type: ignore[override]
        return Future()


def test_what_has_not_begun_never_does_once_it_is_stopped():
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    errors = on_each(["a", "b"], place, name=str, executor=Idle(), cancel=stop).errors
    assert all(isinstance(error, Stopped) for error in errors.values())
    assert len(errors) == 2


def test_what_has_begun_is_ended_by_whoever_asked():
    from k8swin_nb.executors import answer_of

    stop, ended = threading.Event(), threading.Event()

    def work() -> str:
        stop.set()
        ended.wait(100)
        return "came to its end"

    with ThreadPoolExecutor(1) as pool:
        answer = answer_of(pool, stop, "a", work, end=ended.set)
    assert answer == "came to its end"


def test_an_executor_that_is_shut_down_is_told_of():
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    errors = on_each(["a"], place, name=str, executor=pool).errors
    assert "shutdown" in str(errors["a"])
    assert isinstance(errors["a"], K8swinError)


@pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="needs Dask's `distributed`"
)
def test_a_scheduler_of_dask_with_two_workers_does_the_work():
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
        ) as machines,
        Client(machines) as client,
    ):
        answers = on_each(
            list("abcdefgh"), slowly, name=str, executor=client.get_executor(pure=False)
        ).all()
        errors = on_each(["a"], unreachable, name=str, executor=client.get_executor()).errors
    assert [word for word, _ in answers.values()] == list("ABCDEFGH")
    assert len({pid for _, pid in answers.values()} - {os.getpid()}) == 2
    assert isinstance(errors["a"], HostUnreachable)


def slowly(item: str) -> tuple[str, int]:
    time.sleep(0.2)  # so long that one worker does not do all of it
    return place(item)
