from __future__ import annotations

import threading
from typing import Any, ClassVar

import pytest

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


def test_closing_closes_every_transport_once(pool: Pool) -> None:
    transport = pool.transport(host("a"))
    pool.close()
    pool.close()
    assert isinstance(transport, Scripted) and transport.closed == 1


def test_hosts_that_are_silent_are_let_go_of_beside_each_other() -> None:
    """The barrier breaks, and the test with it, unless all are closed at the same time."""
    together = threading.Barrier(3)

    class Silent(Scripted):
        def _close(self, *, abandon: bool = False) -> None:
            together.wait(timeout=100)
            self.closed += 1
            if self.host.name == "b":
                raise OSError("b is gone")

    pool = Pool(opener=lambda host, on_pin: Silent(host, []))
    opened = [pool.transport(host(name)) for name in "abc"]
    with pytest.raises(OSError, match="b is gone"):
        pool.close()
    assert [one.closed for one in opened if isinstance(one, Silent)] == [1, 1, 1]
