"""Until when something may take, and whether it is still wanted: asked by every wait on a wire."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_SECONDS = 0.1
"""How often a wait looks whether it is still wanted."""


def passed() -> float:
    """Return seconds of a clock that nobody sets, and that goes on while the computer sleeps where it can."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Late(Exception):
    """The time is over."""


class Unwanted(Exception):
    """It was asked to stop."""


class Clock:
    """A deadline and a wish to stop.

    Args:
        seconds: From now on; None: no deadline.
        cancel: Set when it is no longer wanted.
    """

    def __init__(self, seconds: float | None, cancel: threading.Event | None = None) -> None:
        self.started = time.monotonic()
        self._deadline = None if seconds is None else self.started + seconds
        self.cancel = cancel or threading.Event()

    def left(self, limit: float) -> float:
        """Return the seconds until the deadline, `limit` at most and 0 at least."""
        if self._deadline is None:
            return limit
        return max(0.0, min(limit, self._deadline - time.monotonic()))

    def within(self, seconds: float) -> Clock:
        """Return a clock for a part of the work: with a limit of its own and never longer than this one."""
        return Clock(self.left(seconds), self.cancel)

    def check(self) -> None:
        """Go on unless it is over.

        Raises:
            Unwanted: when it was asked to stop.
            Late: when the deadline has passed.
        """
        if self.cancel.is_set():
            raise Unwanted
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise Late

    def wait(self, event: threading.Event) -> None:
        """Wait for an event.

        Raises:
            Unwanted: when it was asked to stop before.
            Late: when the deadline has passed before.
        """
        while not event.wait(min(LOOK_SECONDS, self.left(LOOK_SECONDS) or 0.001)):
            self.check()

    def run(self, work: Callable[[], T], undo: Callable[[T], None], name: str) -> T:
        """Do in a thread of its own what may block without a limit, and return what came of it.

        Args:
            work: What to do.
            undo: Given what came of it when nobody waits any more.
            name: Of the thread.

        Raises:
            Unwanted: when it was asked to stop before.
            Late: when the deadline has passed before.
            Exception: what `work` raised.
        """
        self.check()
        done = threading.Event()
        lock = threading.Lock()
        answer: list[T] = []
        errors: list[BaseException] = []
        given_up = False

        def undone(result: T) -> None:
            # It may have broken meanwhile: there is nobody whom that concerns.
            with contextlib.suppress(Exception):
                undo(result)

        def one() -> None:
            try:
                result = work()
            except BaseException as error:
                errors.append(error)
            else:
                with lock:
                    answer.append(result)
                    unwanted = given_up
                if unwanted:
                    undone(result)
            finally:
                done.set()

        threading.Thread(target=one, name=name, daemon=True).start()
        try:
            self.wait(done)
        except BaseException:
            with lock:
                given_up = True
                late = list(answer)
            for result in late:
                undone(result)
            raise
        if errors:
            raise errors[0]
        return answer[0]
