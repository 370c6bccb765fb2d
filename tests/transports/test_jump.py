"""A jump host that is let go of while somebody is on the way through it."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import paramiko
import pytest

from k8swin_nb.errors import NotPassedOn
from k8swin_nb.inventory import Host
from k8swin_nb.transports import jump as jump_module
from k8swin_nb.transports.clock import Clock, Unwanted
from k8swin_nb.transports.jump import Jump, give_jump_back, take_jump

BASTION = Host("bastion", "192.0.2.1", "linux", (), "operator")
BEYOND = Host("beyond", "192.0.2.2", "linux", (), "operator", ssh_jump=BASTION)

HANG = 60
"""Seconds that only a hang reaches."""


class Connection:
    """A login whose channels open when it is closed, which is an error then."""

    def __init__(self) -> None:
        self.closed, self.asked = threading.Event(), threading.Event()
        self.transport = self
        self.client = SimpleNamespace(close=self.closed.set)

    @property
    def is_connected(self) -> bool:
        return not self.closed.is_set()

    def open_channel(self, *_: Any, **__: Any) -> Any:
        self.asked.set()
        assert self.closed.wait(HANG)
        raise paramiko.SSHException("the connection was closed")


class Logins:
    """Logs in: at once, or not before it is asked to stop."""

    def __init__(self, *, hang: bool = False) -> None:
        self.made: list[Connection] = []
        self.begun = threading.Event()
        self.hang = hang

    def __call__(self, host: Host, on_pin: Any, clock: Clock, dial: Any = None) -> Connection:
        clock.check()
        self.begun.set()
        if self.hang:
            clock.wait(threading.Event())
        self.made.append(Connection())
        return self.made[-1]


def refused(dialling: Future[Any]) -> None:
    with pytest.raises(NotPassedOn, match="`bastion` was let go of meanwhile"):
        dialling.result(HANG)


@pytest.fixture
def threads():
    with ThreadPoolExecutor(4) as pool:
        yield pool
    assert not jump_module._shared


def test_a_channel_that_is_being_opened_ends_with_its_connection_and_no_other_login_begins(
    threads, monkeypatch
):
    logins = Logins()
    monkeypatch.setattr(jump_module, "open_connection", logins)
    jump = take_jump(BASTION)
    dialling = threads.submit(jump.dial, "192.0.2.9", 22, HANG)
    assert logins.begun.wait(HANG)
    while not logins.made:  # what comes right behind it
        threading.Event().wait(0.01)
    assert logins.made[0].asked.wait(HANG)
    give_jump_back(jump)
    refused(dialling)
    refused(threads.submit(jump.dial, "192.0.2.9", 22, HANG))
    assert [one.closed.is_set() for one in logins.made] == [True]


def test_a_login_that_is_under_way_ends_and_who_gives_it_back_does_not_wait_for_it(
    threads, monkeypatch
):
    logins = Logins(hang=True)
    monkeypatch.setattr(jump_module, "open_connection", logins)
    jump = take_jump(BASTION)
    dialling = threads.submit(jump.dial, "192.0.2.9", 22, HANG)
    assert logins.begun.wait(HANG)
    give_jump_back(jump)
    refused(dialling)
    assert logins.made == []


def test_the_jump_host_before_it_is_given_back_too(threads, monkeypatch):
    logins = Logins(hang=True)
    monkeypatch.setattr(jump_module, "open_connection", logins)
    jump = take_jump(BEYOND)
    dialling = threads.submit(jump.dial, "192.0.2.9", 22, HANG)
    assert logins.begun.wait(HANG)
    assert len(jump_module._shared) == 2
    give_jump_back(jump)
    with pytest.raises(NotPassedOn):
        dialling.result(HANG)
    assert jump_module._shared == {}


def test_who_takes_it_afterwards_has_another(monkeypatch):
    first = take_jump(BASTION)
    give_jump_back(first)
    again = take_jump(BASTION)
    assert again is not first and isinstance(again, Jump)
    give_jump_back(again)
    with pytest.raises(Unwanted):
        Clock(1, first._over).check()
