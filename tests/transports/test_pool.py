from __future__ import annotations

import threading
from typing import Any, ClassVar

import pytest

from k8swin_nb.errors import (
    CommandFailed,
    HostUnreachable,
    K8swinError,
    MultiHostError,
)
from k8swin_nb.inventory import Host
from k8swin_nb.transports.base import End, Transport, Work
from k8swin_nb.transports.output import Output
from k8swin_nb.transports.pool import Pool


class Scripted(Transport):
    """A transport whose scripts end as the test says."""

    interpreter: ClassVar[Any] = "bash"

    def __init__(self, host: Host, ends: list[int | Exception]) -> None:
        super().__init__(host)
        self.ends = ends
        self.closed = 0
        self.said = "boot"

    def keepalive(self) -> None: ...

    def _run(self, work: Work, output: Output) -> End:
        end = self.ends.pop(0) if self.ends else 0
        if isinstance(end, Exception):
            raise end
        output.feed("stdout", f"{self.said} {self.host.name}\n".encode())
        return End(end)

    def _close(self, *, abandon: bool = False) -> None:
        self.closed += 1


def host(name: str) -> Host:
    return Host(name, "192.0.2.1", "linux", (), "u")


@pytest.fixture
def ends() -> dict[str, list[int | Exception]]:
    return {"a": [], "b": [], "c": []}


@pytest.fixture
def pool(ends: dict[str, list[int | Exception]]) -> Pool:
    return Pool(opener=lambda host, on_pin: Scripted(host, ends[host.name]))


def test_a_host_has_one_transport(pool: Pool) -> None:
    assert pool.transport(host("a")) is pool.transport(host("a"))
    assert pool.transport(host("a")) is not pool.transport(host("b"))


def test_all_hosts_answer_in_their_order(pool: Pool) -> None:
    answers = pool.each([host("c"), host("a")], lambda host: pool.transport(host).run("x").stdout)
    assert list(answers.items()) == [("c", "boot c\n"), ("a", "boot a\n")]


def test_hosts_are_asked_at_the_same_time(pool: Pool) -> None:
    together = threading.Barrier(3, timeout=100)
    pool.each([host("a"), host("b"), host("c")], lambda host: together.wait())


def test_every_host_is_asked_before_the_failures_are_raised(
    pool: Pool, ends: dict[str, list[int | Exception]]
) -> None:
    ends["a"].append(3)
    ends["c"].append(HostUnreachable("c", "gone"))
    asked: list[str] = []

    def work(host: Host) -> None:
        asked.append(host.name)
        pool.transport(host).run("x").check_returncode()

    with pytest.raises(MultiHostError) as caught:
        pool.each([host("a"), host("b"), host("c")], work)
    assert {n: type(e) for n, e in caught.value.errors.items()} == {
        "a": CommandFailed,
        "c": HostUnreachable,
    }
    assert sorted(asked) == ["a", "b", "c"]


def test_one_failure_is_raised_as_itself(
    pool: Pool, ends: dict[str, list[int | Exception]]
) -> None:
    ends["b"].append(3)
    with pytest.raises(CommandFailed):
        pool.each(
            [host("a"), host("b")], lambda host: pool.transport(host).run("x").check_returncode()
        )


def test_closing_closes_every_transport_once(pool: Pool) -> None:
    transport = pool.transport(host("a"))
    pool.close()
    pool.close()
    assert isinstance(transport, Scripted) and transport.closed == 1


def test_a_bug_is_not_kept_back_as_an_expected_error(pool: Pool) -> None:
    def work(host: Host) -> None:
        raise ZeroDivisionError if host.name == "b" else K8swinError("x")

    with pytest.raises(ZeroDivisionError):
        pool.each([host("a"), host("b")], work)
