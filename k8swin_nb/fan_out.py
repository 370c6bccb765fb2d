"""The same work for many hosts at once: bounded, to be stopped, and every answer kept.

Steps, magics, verification and evidence all go this way, so that one place decides how many hosts are
asked at a time, what an interrupt does, and what becomes of an error that nobody expected.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from k8swin_nb.errors import (
    Interrupted,
    K8swinError,
    MultiHostError,
    Stopped,
    UnexpectedError,
)
from k8swin_nb.executors import answer_of

Item = TypeVar("Item")
Answer = TypeVar("Answer")

AT_ONCE = 32
"""How many are worked on at the same time when nothing else is said; each is a thread."""

STOP_SECONDS = 15.0
"""How long an interrupt waits for the others to end what they do."""

AT_ONCE_ELSEWHERE = 256
"""The same where an executor does the work, and a thread only waits for it."""

LOOK_SECONDS = 0.1
"""How often the waiting thread looks up, which is when it can be interrupted."""

CANCELLED = 143
"""Exit code of a script that was stopped on request: 128 and the number of SIGTERM."""

EXIT_SECONDS = 10.0
"""How long the end of the process waits for what still runs on hosts to be stopped there."""


@dataclass(slots=True)
class Answers(Generic[Answer]):
    """What came back, by name, in the order in which it was asked; each name is in one of both."""

    answers: dict[str, Answer] = field(default_factory=dict)
    errors: dict[str, K8swinError] = field(default_factory=dict)

    def error(self) -> K8swinError | None:
        """Return the one error, one about all that failed, or None."""
        if len(self.errors) > 1:
            return MultiHostError(self.errors)
        return next(iter(self.errors.values()), None)

    def all(self) -> dict[str, Answer]:
        """Return the answers.

        Raises:
            K8swinError: of the only one that failed.
            MultiHostError: when several failed.
        """
        if error := self.error():
            raise error
        return self.answers


class _Underway:
    """All that this process is working on, so that its end can stop it on the hosts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stops: dict[int, tuple[threading.Event, list[threading.Event]]] = {}
        self._ending = False
        self._registered = False

    def begin(self, stop: threading.Event, working: list[threading.Event]) -> int:
        """Take note of work that begins; when the process is ending, it is stopped at once."""
        with self._lock:
            if not self._registered:
                # Late, so that it comes before the connections are closed: handlers run last in, first out.
                atexit.register(end_all)
                self._registered = True
            key = id(working)
            self._stops[key] = (stop, working)
            if self._ending:
                stop.set()
            return key

    def over(self, key: int, working: list[threading.Event]) -> None:
        """Forget work whose workers have all ended; one that was given up is kept."""
        if all(over.is_set() for over in working):
            with self._lock:
                self._stops.pop(key, None)

    def end(self, seconds: float) -> bool:
        with self._lock:
            self._ending = True
            underway = list(self._stops.values())
        for stop, _ in underway:
            stop.set()
        deadline = time.monotonic() + seconds
        return all(
            over.wait(max(0.0, deadline - time.monotonic()))
            for _, working in underway
            for over in working
        )


_underway = _Underway()


def end_all(seconds: float = EXIT_SECONDS) -> bool:
    """Stop all that this process is working on, and let nothing begin any more.

    The end of the process calls it, so that no script runs on without anyone who waits for it.

    Args:
        seconds: How long to wait for the end of what runs.

    Returns:
        Whether everything has ended.
    """
    return _underway.end(seconds)


def on_each(
    items: Iterable[Item],
    work: Callable[[Item], Answer],
    *,
    name: Callable[[Item], str],
    cancel: threading.Event | None = None,
    at_once: int | None = None,
    seconds: float | None = None,
    executor: Executor | None = None,
) -> Answers[Answer]:
    """Do something for all items, and return what came of each.

    An exception of one never takes the others' answers along: ours are kept as they are, others become an
    `UnexpectedError` with the original behind it.

    Args:
        items: Hosts, or what else is to be worked on.
        work: What to do for one; it is given `cancel` by whoever made it.
        name: An item's name, unique among them.
        cancel: Set by whoever wants it to stop, and by an interrupt; what has not begun then never does.
        at_once: How many at the same time; None: 32, and as many as an executor takes.
        seconds: After that `cancel` is set, and what has not answered is an error; None: no limit.
        executor: Who does the work, in other processes or on other machines: `work` and the items are pickled. It
            is neither started nor shut down here. What it has begun goes on there; what it has not, never begins
            once `cancel` is set.

    Raises:
        Interrupted: a KeyboardInterrupt, after `cancel` was set and the others were given time to end. A second
            one ends the waiting.
    """
    stop = cancel or threading.Event()
    todo = list(items)
    waiting = iter(todo)
    lock = threading.Lock()
    answers: dict[str, Answer] = {}
    errors: dict[str, K8swinError] = {}
    fatal: list[BaseException] = []
    begun: set[str] = set()
    threads = at_once or (AT_ONCE if executor is None else AT_ONCE_ELSEWHERE)

    def one(item: Item) -> None:
        key = name(item)
        try:
            if stop.is_set():
                raise Stopped(key, "was stopped before it began")
            begun.add(key)
            answers[key] = (
                work(item) if executor is None else answer_of(executor, stop, key, work, item)
            )
        except K8swinError as error:
            errors[key] = error
        except Exception as error:
            errors[key] = UnexpectedError(key, error)
        except BaseException as error:
            fatal.append(error)

    def worker(over: threading.Event) -> None:
        try:
            while True:
                with lock:
                    item = next(waiting, None)
                if item is None:
                    return
                one(item)
        finally:
            over.set()

    working: list[threading.Event] = []
    ticket = _underway.begin(stop, working)
    try:
        for number in range(min(threads, len(todo))):
            working.append(threading.Event())
            thread = threading.Thread(
                target=worker, args=(working[-1],), name=f"host {number}", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:  # the system gives no more threads: those there are do the work
                working.pop()
                if not working:
                    raise
                break
        if not wait_for_all(working, seconds):
            stop.set()
    except KeyboardInterrupt:
        stop.set()
        with contextlib.suppress(KeyboardInterrupt):  # who asks twice does not want to wait
            wait_for_all(working, STOP_SECONDS)
        order, told, failed = [name(item) for item in todo], dict(answers), dict(errors)
        raise _interrupted(order, set(begun), told, failed) from None
    finally:
        _underway.over(ticket, working)
    if fatal:
        raise fatal[0]
    # Who still works may answer at any moment: each is told of once, as it is now.
    told, failed = dict(answers), dict(errors)
    order = [name(item) for item in todo]
    for key in order:
        if key not in told and key not in failed:
            failed[key] = Stopped(key, f"gave no answer within {seconds or 0:.0f} s")
    return Answers(
        {key: told[key] for key in order if key in told},
        {key: failed[key] for key in order if key in failed},
    )


def _interrupted(
    order: list[str], begun: set[str], answers: dict[str, Answer], errors: dict[str, K8swinError]
) -> Interrupted:
    """Say what an interrupt stopped: an answer that came back counts, unless it says that it was stopped."""

    def cut(key: str) -> bool:
        if key in answers:
            return getattr(answers[key], "returncode", 0) == CANCELLED
        error = errors[key]
        result = getattr(error, "result", None)
        return isinstance(error, Stopped) or getattr(result, "returncode", 0) == CANCELLED

    over = [key for key in order if key in answers or key in errors]
    printed = {key: getattr(errors.get(key), "result", answers.get(key)) for key in over}
    return Interrupted(
        stopped=[key for key in over if key in begun and cut(key)],
        ended=[key for key in over if key in begun and not cut(key)],
        left=[key for key in order if key not in begun],
        running=[key for key in order if key in begun and key not in over],
        results={key: result for key, result in printed.items() if result is not None},
    )


def wait_for_all(events: Iterable[threading.Event], seconds: float | None) -> bool:
    """Wait until all of them are set; False when the time has passed before.

    It looks up again and again: a signal that comes just before a thread waits for a lock is heard only when it wakes.

    Threads are not joined: until Python 3.12 one whose `join` was interrupted counts as ended though it runs.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    for over in events:
        while not over.wait(_look(deadline)):
            if deadline is not None and time.monotonic() >= deadline:
                return False
    return True


def _look(deadline: float | None) -> float:
    left = LOOK_SECONDS if deadline is None else deadline - time.monotonic()
    return max(0.0, min(LOOK_SECONDS, left))
