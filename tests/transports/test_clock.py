"""Work on the wire that nobody waits for any more."""

import threading

import pytest

from k8swin_nb.transports.clock import Clock, Unwanted


def test_what_comes_too_late_is_let_go_of_and_its_trouble_is_no_traceback() -> None:
    stop, go_on, undone = threading.Event(), threading.Event(), threading.Event()

    def work() -> str:
        stop.set()
        assert go_on.wait(60)
        return "a session"

    def undo(found: str) -> None:
        undone.set()
        raise EOFError("its connection has broken meanwhile")

    with pytest.raises(Unwanted):
        Clock(60, stop).run(work, undo, "too late")
    go_on.set()
    assert undone.wait(60)
    for thread in threading.enumerate():
        if thread.name == "too late":
            thread.join(60)
