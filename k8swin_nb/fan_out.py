"""The same work for many hosts at once: bounded, to be stopped, and every answer kept.

Steps, magics, verification and evidence all go this way, so that one place decides how many hosts are
asked at a time, what an interrupt does, and what becomes of an error that nobody expected.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from k8swin_nb.errors import K8swinError, MultiHostError, Stopped, UnexpectedError

Item = TypeVar("Item")
Answer = TypeVar("Answer")

AT_ONCE = 32
"""How many are worked on at the same time when nothing else is said; each is a thread."""

STOP_SECONDS = 15.0
"""How long an interrupt waits for the others to end what they do."""

LOOK_SECONDS = 0.1
"""How often the waiting thread looks up, which is when it can be interrupted."""


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


def on_each(
    items: Iterable[Item],
    work: Callable[[Item], Answer],
    *,
    name: Callable[[Item], str],
    cancel: threading.Event | None = None,
    at_once: int = AT_ONCE,
    seconds: float | None = None,
) -> Answers[Answer]:
    """Do something for all items, and return what came of each.

    An exception of one never takes the others' answers along: ours are kept as they are, others become an
    `UnexpectedError` with the original behind it.

    Args:
        items: Hosts, or what else is to be worked on.
        work: What to do for one; it is given `cancel` by whoever made it.
        name: An item's name, unique among them.
        cancel: Set by whoever wants it to stop, and by an interrupt; what has not begun then never does.
        at_once: How many at the same time.
        seconds: After that `cancel` is set, and what has not answered is an error; None: no limit.

    Raises:
        KeyboardInterrupt: after `cancel` was set and the others were given time to end. Its notes name
            those that did not.
    """
    stop = cancel or threading.Event()
    todo = list(items)
    waiting = iter(todo)
    lock = threading.Lock()
    answers: dict[str, Answer] = {}
    errors: dict[str, K8swinError] = {}
    fatal: list[BaseException] = []
    begun: set[str] = set()

    def one(item: Item) -> None:
        key = name(item)
        try:
            if stop.is_set():
                raise Stopped(key, "was stopped before it began")
            begun.add(key)
            answers[key] = work(item)
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
    try:
        for number in range(min(at_once, len(todo))):
            working.append(threading.Event())
            threading.Thread(
                target=worker, args=(working[-1],), name=f"host {number}", daemon=True
            ).start()
        if not _wait(working, seconds):
            stop.set()
    except KeyboardInterrupt as interrupt:
        stop.set()
        _wait(working, STOP_SECONDS)
        late = [key for key in map(name, todo) if key in begun - answers.keys() - errors.keys()]
        if late:
            interrupt.add_note(f"still running: {', '.join(late)}")
        raise
    if fatal:
        raise fatal[0]
    for item in todo:
        key = name(item)
        if key not in answers and key not in errors:
            errors[key] = Stopped(key, f"gave no answer within {seconds or 0:.0f} s")
    order = [name(item) for item in todo]
    return Answers(
        {key: answers[key] for key in order if key in answers},
        {key: errors[key] for key in order if key in errors},
    )


def _wait(working: list[threading.Event], seconds: float | None) -> bool:
    """Wait for all workers to be over; False when the time has passed before.

    Threads are not joined: until Python 3.12 one whose `join` was interrupted counts as ended though it runs.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    for over in working:
        while not over.wait(LOOK_SECONDS):
            if deadline is not None and time.monotonic() >= deadline:
                return False
    return True
