"""What the trainer asks of seats: one thing at a time for each, many seats at once, and how it went."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

from k8swin_lab.workshop.model import SeatError
from k8swin_lab.workshop.trainer_rows import plain

AT_ONCE = 4
"""Seats that are looked at for a grade at the same time; the others wait. Each takes a process of its own."""


class Busy(SeatError):
    """A seat is still at what it was asked before."""


class Actions:
    """Runs what is asked in threads of its own, so that a reset that takes long holds up nothing else.

    Args:
        changed: Called after each change of what `doing` returns, from any thread.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._doing: dict[str, dict[str, Any]] = {}
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def doing(self) -> dict[str, dict[str, Any]]:
        """Return by seat: `what`, `is` (`waiting`, `running`, `done`, `failed`), `since`, `text`."""
        with self._lock:
            return {seat: dict(one) for seat, one in self._doing.items()}

    def begin(self, seat: str, what: str, work: Callable[[], str], *, queued: bool = False) -> None:
        """Begin with something.

        Args:
            seat: The name of a seat that is there.
            what: In words, such as `reset to ex3`.
            work: Does it and returns what to say of it.
            queued: Begin when fewer than `AT_ONCE` of this kind run.

        Raises:
            Busy: while the seat is at something else.
        """
        with self._lock:
            before = self._doing.get(seat)
            if before and before["is"] in ("waiting", "running"):
                past = int(time.time() - before["since"])
                raise Busy(
                    f"{seat} is still at `{before['what']}`, since {past} s; wait until that has ended"
                )
            one = {"what": what, "is": "waiting", "since": time.time(), "text": ""}
            self._doing[seat] = one
        self._changed()
        # A thread that ends with the program: a machine that hangs must not keep the server from stopping.
        threading.Thread(
            target=self._run, args=(one, work, queued), daemon=True, name=f"trainer-{seat}"
        ).start()

    def _run(self, one: dict[str, Any], work: Callable[[], str], queued: bool) -> None:
        with self._places if queued else contextlib.nullcontext():
            self._say(one, "running", "")
            try:
                text = work()
            except SeatError as error:
                self._say(one, "failed", str(error) or "it cannot be done")
            except Exception as error:  # the trainer is told whatever it is
                self._say(one, "failed", f"unexpected: {type(error).__name__}: {error}")
            else:
                self._say(one, "done", text)

    def _say(self, one: dict[str, Any], state: str, text: str) -> None:
        with self._lock:
            one.update({"is": state, "text": plain(text), "since": time.time()})
        self._changed()

    def seen(self, seat: str) -> None:
        """Forget how something went; what still runs is not forgotten."""
        with self._lock:
            if seat in self._doing and self._doing[seat]["is"] in ("done", "failed"):
                del self._doing[seat]
        self._changed()
