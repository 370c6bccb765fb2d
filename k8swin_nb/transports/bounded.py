"""Waiting for a library that cannot be interrupted: with a deadline, and with somebody who may cancel.

A timeout of a socket begins anew with every byte, and a name is looked up without one. So the work is done in a
thread of its own and the caller waits for that: what comes too late is cut off and nobody looks at it any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

LOOK_SECONDS = 0.1
"""How often a waiting caller looks whether it was cancelled."""

T = TypeVar("T")


class Overdue(Exception):
    """The deadline came before the answer."""


class Cancelled(Exception):
    """The work was called off before the answer came."""


def bounded(
    work: Callable[[], T],
    *,
    until: float,
    cancel: threading.Event | None = None,
    cut: Callable[[], None] = lambda: None,
) -> T:
    """Return what `work` returns, or raise what it raises.

    Args:
        work: What may hang. After it was cut off it must not begin anything new.
        until: The latest moment, in seconds of `time.monotonic`.
        cancel: When it is set, the wait is over.
        cut: Told when the answer is no longer wanted, to end what the work waits for.

    Raises:
        Overdue: when the deadline came first.
        Cancelled: when `cancel` was set first, also before the work was begun.
    """
    check(until, cancel)
    answers: list[T] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    try:
        threading.Thread(target=run, name="k8swin wire", daemon=True).start()
    except RuntimeError:
        # The interpreter ends and starts no thread any more: the work's own limits have to do.
        run()
    try:
        while not done.wait(max(0.0, min(LOOK_SECONDS, until - time.monotonic()))):
            check(until, cancel)
    except BaseException:
        # Whatever ends the wait, such as Ctrl-C, nobody wants this answer any more.
        if not done.is_set():
            cut()
        raise
    if errors:
        raise errors[0]
    return answers[0]


def check(until: float, cancel: threading.Event | None = None) -> None:
    """Raise when the deadline has passed or the work was called off.

    Raises:
        Overdue: the deadline has passed.
        Cancelled: `cancel` is set.
    """
    if cancel is not None and cancel.is_set():
        raise Cancelled
    if time.monotonic() >= until:
        raise Overdue


def take(lock: threading.Lock, *, until: float, cancel: threading.Event | None = None) -> None:
    """Acquire a lock that somebody else may hold for long.

    Raises:
        Overdue: when the deadline came first.
        Cancelled: when `cancel` was set first; asked again once it is one's turn.
    """
    while not lock.acquire(timeout=max(0.0, min(LOOK_SECONDS, until - time.monotonic()))):
        check(until, cancel)
    try:
        check(until, cancel)
    except BaseException:
        lock.release()
        raise
