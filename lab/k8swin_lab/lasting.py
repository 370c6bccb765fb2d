"""Threads that last: each says whether the lab may be frozen now, and how it goes on in a copy of the lab.

A snapshot of a running lab is a fork of its process (see `freezing`). Of all threads only the one that forks is in the
copy, so each of the others has to be made anew there. A thread that is no `Lasting` is passing: it carries a command or a
request, and the lab is frozen when it has ended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any


def _nothing() -> str:
    return ""


class Lasting(threading.Thread):
    """A daemon thread that may be there when the lab is frozen.

    Args:
        target: what it does.
        name: of the thread.
        args: of the target.
        again: makes it anew in a copy of the lab, which slept for so many seconds; None: somebody else does, or nobody
            needs it there.
        busy: names what must end before the lab can be frozen; empty when nothing must.
    """

    def __init__(
        self,
        target: Callable[..., object],
        *,
        name: str,
        args: tuple[Any, ...] = (),
        again: Callable[[float], object] | None = None,
        busy: Callable[[], str] = _nothing,
    ) -> None:
        super().__init__(target=target, args=args, name=name, daemon=True)
        self.again = again
        self.busy = busy


class Later:
    """Something that is done after a while, in a thread of its own; in a copy of the lab after what was left of it.

    Args:
        seconds: until then.
        action: what is done.
        what: names it while it is being done.
    """

    def __init__(self, seconds: float, action: Callable[[], object], what: str) -> None:
        self._due = time.monotonic() + seconds
        self._action = action
        self._what = what
        self._begun = False
        self._cancelled = threading.Event()
        self._thread()

    def cancel(self) -> None:
        """Do not do it; too late once it has begun."""
        self._cancelled.set()

    def _again(self, slept: float) -> None:
        self._due += slept
        self._thread()

    def _thread(self) -> None:
        Lasting(
            self._wait,
            name=f"later: {self._what}",
            again=self._again,
            busy=lambda: self._what if self._begun else "",
        ).start()

    def _wait(self) -> None:
        if self._cancelled.wait(max(0.0, self._due - time.monotonic())):
            return
        self._begun = True
        self._action()
