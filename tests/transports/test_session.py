"""What a session makes of streams that come late or at odd moments."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from k8swin_nb.inventory import Host
from k8swin_nb.transports.clock import Clock
from k8swin_nb.transports.lines import Line
from k8swin_nb.transports.output import Output
from k8swin_nb.transports.session import Session

HOST = Host("box", "127.0.0.1", "linux", ("worker",), "u")


class Channel:
    """A channel whose streams are what a test says."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.out = self.err = b""
        self.eof_received = self.closed = False
        self.status_event = threading.Event()

    def fileno(self) -> int:
        return self.ours.fileno()

    def recv_ready(self) -> bool:
        return bool(self.out)

    def recv(self, size: int) -> bytes:
        data, self.out = self.out, b""
        return data

    def recv_stderr_ready(self) -> bool:
        return bool(self.err)

    def recv_stderr(self, size: int) -> bytes:
        data, self.err = self.err, b""
        return data

    def exit_status_ready(self) -> bool:
        return False


@pytest.fixture
def channel() -> Iterator[Channel]:
    made = Channel()
    yield made
    made.ours.close()
    made.theirs.close()


def test_errors_that_come_long_after_the_end_of_the_output_are_heard(channel: Channel) -> None:
    """As from a host with much to do; they were cut off after a second."""
    output = Output()
    line: Any = Line(SimpleNamespace(is_connected=True))
    session = Session(HOST, line, channel, output)
    mark = session._word.mark
    channel.out = mark + b"begins\n" + mark + b"ends 3\n"
    channel.err = mark + b"begins\n"

    def late() -> None:
        time.sleep(2)  # twice as long as was waited
        channel.err = b"it went wrong\n" + mark + b"ends 3\n"

    sender = threading.Thread(target=late)
    sender.start()
    assert session.follow(Clock(60)) == 3
    sender.join()
    assert output.text("stderr") == "it went wrong\n"
