"""In which order hosts are worked through, when it is given up, and what is tried again."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from k8swin_nb.errors import (
    AuthenticationFailed,
    CommandFailed,
    CommandTimeout,
    HostUnreachable,
    Interrupted,
    K8swinError,
    MultiHostError,
    Stopped,
)
from k8swin_nb.inventory import Host
from k8swin_nb.result import Result
from k8swin_nb.rollout import Rollout, Share, roll_out
from k8swin_nb.transport_errors import not_begun

HOSTS = tuple(Host(name, f"10.1.0.{n}", "linux", (), "u") for n, name in enumerate("abcdef", 2))

BROKEN = HostUnreachable("a", "the connection broke while a script ran")
BROKEN.begun = True
TOO_LATE = CommandTimeout(Result("x", 143, "", "", "a", 0.0), 5, never=True)


class Fleet:
    """Hosts that answer as they are told, and note in which order they were asked."""

    def __init__(self, codes: dict[str, Any] | None = None) -> None:
        self.codes = codes or {}
        self.asked: list[str] = []
        self.lock = threading.Lock()

    def __call__(self, host: Host) -> Result:
        with self.lock:
            self.asked.append(host.name)
            answer = self.codes.get(host.name, 0)
            if isinstance(answer, list):
                answer = answer.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return Result("x", answer, "out", "err", host.name, 0.0)


def roll(fleet: Fleet, **how: Any) -> Any:
    told: list[str] = []
    how.setdefault("retry_delay", 0.0)
    return roll_out(HOSTS, fleet, Rollout(tell=told.append, **how), cancel=threading.Event()), told


@pytest.mark.parametrize(
    ("text", "hosts", "number"), [("3", 10, 3), ("25%", 10, 2), ("100%", 3, 3), ("0", 5, 0)]
)
def test_a_share_is_a_number_or_a_part(text: str, hosts: int, number: int) -> None:
    assert Share.parse(text).of(hosts) == number and str(Share.parse(text)) == text
    for wrong in ("", "-1", "1.5", "101%", "x%"):
        with pytest.raises(ValueError, match="neither a number"):
            Share.parse(wrong)


def test_batches_follow_each_other_and_a_small_part_is_one_host() -> None:
    fleet = Fleet()
    answers, told = roll(fleet, serial=Share(40, True))
    assert list(answers.answers) == list("abcdef")
    assert [set(fleet.asked[i : i + 2]) for i in (0, 2, 4)] == [set("ab"), set("cd"), set("ef")]
    assert told[0] == "batch 1 of 3: a, b"
    assert [len(b) for b in Rollout(serial=Share(1, True)).batches(HOSTS)] == [1] * 6


@pytest.mark.parametrize(
    ("most", "codes", "asked"),
    [
        (Share(0), {"b": 1}, "ab"),
        (Share(1), {"a": 1}, "abcdef"),
        (Share(1), {"a": 1, "d": 1, "e": 1}, "abcd"),
        (Share(1), {"a": 1, "b": 1}, "ab"),
        (Share(50, True), {"a": 1, "d": 1}, "abcdef"),
        (Share(50, True), {"a": 1, "b": 1}, "ab"),
    ],
)
def test_after_too_many_failures_nothing_further_begins(
    most: Share, codes: dict[str, int], asked: str
) -> None:
    """A number counts from the beginning, a part is of a batch, as Ansible has it."""
    fleet = Fleet(codes)
    answers, _ = roll(fleet, serial=Share(3), parallel=1, max_fail=most)
    assert "".join(sorted(fleet.asked)) == asked
    left = [name for name, error in answers.errors.items() if isinstance(error, Stopped)]
    assert "".join(left) == "".join(host.name for host in HOSTS if host.name not in asked)
    if left:
        assert "others failed: " in str(answers.errors[left[0]])


def test_one_at_a_time_a_failure_ends_it_within_the_batch() -> None:
    fleet = Fleet({"b": HostUnreachable("b", "gone")})
    answers, _ = roll(fleet, parallel=1, max_fail=Share(0))
    assert fleet.asked == ["a", "b"]
    told = str(MultiHostError(answers.errors))
    assert told == "1 host failed: b; stopped or not begun: c, d, e, f"
    # Where the failure itself is not wanted as an error, the others have not failed for that.
    left = {name: error for name, error in answers.errors.items() if name != "b"}
    assert str(MultiHostError(left)) == "stopped or not begun: c, d, e, f"


@pytest.mark.parametrize(
    ("retry_if", "first", "attempts"),
    [
        (None, 75, 3),
        (None, HostUnreachable("a", "gone"), 3),
        (None, BROKEN, 1),
        (re.compile("broke"), BROKEN, 3),
        (None, AuthenticationFailed("a", "refused"), 1),
        (None, CommandTimeout(Result("x", 143, "", "", "a", 1.0), 1.0), 1),
        (None, CommandTimeout(Result("x", 143, "", "", "a", 1.0), 1.0, silent=True), 3),
        (frozenset({75}), 75, 3),
        (frozenset({75}), 1, 1),
        (re.compile("er+"), 1, 3),
        (re.compile("other"), 1, 1),
        (re.compile("refused"), AuthenticationFailed("a", "refused"), 3),
        (re.compile("begin|began"), not_begun("a", 5), 1),
        (re.compile("begin|began"), TOO_LATE, 1),
    ],
)
def test_what_is_tried_again(retry_if: Any, first: Any, attempts: int) -> None:
    fleet = Fleet({"a": [first, first, 0]})
    answers, told = roll(fleet, retries=2, retry_if=retry_if, max_fail=Share(0))
    assert fleet.asked.count("a") == attempts
    if attempts == 3:
        assert answers.answers["a"].ok and "attempt 2 of 3" in told[0]
    elif isinstance(first, int):
        assert answers.answers["a"].returncode == first
    else:
        assert answers.errors["a"] is first


@pytest.mark.parametrize("late", [not_begun("a", 5), TOO_LATE], ids=["login", "turn"])
@pytest.mark.parametrize("first", [75, HostUnreachable("a", "gone")], ids=["code", "gone"])
def test_where_no_time_is_left_the_last_attempt_that_began_is_told(first: Any, late: Any) -> None:
    answers, told = roll(Fleet({"a": [first, late]}), retries=5)
    assert told[-1] == "a: no time was left for another attempt"
    if isinstance(first, int):
        assert answers.answers["a"].returncode == first
    else:
        assert answers.errors["a"] is first


def test_further_exit_codes_may_be_no_failure() -> None:
    fleet = Fleet({"a": 3})
    answers, told = roll(fleet, ok_codes=frozenset({0, 3}), retries=1, max_fail=Share(0))
    assert answers.answers["a"].returncode == 3 and not told and not answers.errors


def test_an_interrupt_tells_of_all_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    from k8swin_nb import rollout

    calls: list[Any] = []
    each: Callable[..., Any] = rollout.on_each

    def on_each(batch: Any, *rest: Any, **more: Any) -> Any:
        calls.append(batch)
        if len(calls) == 2:
            raise Interrupted(stopped=["c"], left=["d"], results={"c": "cut"})
        return each(batch, *rest, **more)

    monkeypatch.setattr(rollout, "on_each", on_each)
    with pytest.raises(Interrupted) as caught:
        roll(Fleet({"a": K8swinError("broken")}), serial=Share(2))
    error = caught.value
    assert (error.stopped, error.ended, error.left) == (("c",), ("a", "b"), ("d", "e", "f"))
    assert set(error.results) == {"b", "c"}


def test_a_failure_that_is_raised_is_the_same_with_batches() -> None:
    answers, _ = roll(Fleet({"c": 9}), serial=Share(2))
    assert answers.answers["c"].returncode == 9 and not answers.errors
    with pytest.raises(CommandFailed):
        answers.answers["c"].check_returncode()
