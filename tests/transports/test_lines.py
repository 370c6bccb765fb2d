"""The connections to a host, opened and closed by several threads."""

from __future__ import annotations

import threading
from typing import Any

from k8swin_nb.errors import HostUnreachable
from k8swin_nb.inventory import Host
from k8swin_nb.transports.clock import Clock
from k8swin_nb.transports.lines import Lines

HOST = Host("box", "127.0.0.1", "linux", ("worker",), "u")
SECONDS = 60


class Connection:
    """One that only knows whether it was closed."""

    def __init__(self) -> None:
        self.is_connected = True
        self.ended = threading.Event()
        self.client = self

    def close(self) -> None:
        self.is_connected = False
        self.ended.set()


def test_a_connection_that_is_opened_while_all_are_closed_is_closed_too() -> None:
    """Nobody has it any more: the transport was let go, and its login stayed open until the process ended."""
    opening, go_on = threading.Event(), threading.Event()
    made = Connection()

    def opener(clock: Clock) -> Any:
        opening.set()
        assert go_on.wait(SECONDS)
        return made

    lines = Lines(HOST, opener)
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            lines.session("true", Clock(SECONDS))
        except BaseException as error:
            errors.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    assert opening.wait(SECONDS)
    lines.close()
    go_on.set()
    asking.join(SECONDS)
    assert made.ended.wait(SECONDS)
    assert [type(error) for error in errors] == [HostUnreachable]
    assert "nothing was run" in str(errors[0])
