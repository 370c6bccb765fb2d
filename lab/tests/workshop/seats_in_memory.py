"""Seats without machines: they take time, refuse, break and say what a trainee made them say."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from k8swin_lab.workshop.model import Grade, SeatError, SeatStatus, State

EXERCISES = [
    ("ex1", "Plan a network that collides"),
    ("ex2", "Join a worker with the wrong image"),
    ("ex3", "A token that has expired"),
    ("ex4", "The HNS cut"),
    ("ex5", "A DNS that does not answer"),
    ("ex6", "Read an audit"),
    ("ex7", "Take a worker out and in again"),
    ("ex8", "A node that is full"),
    ("ex9", "A clock that is wrong"),
    ("ex10", "Take it down again"),
]
DRILLS = [
    ("hns-cut", "The worker's network is cut while it joins"),
    ("dns-silent", "The cluster's DNS does not answer"),
    ("token-expired", "The token of a join has expired"),
]


def now() -> str:
    """Return this moment as the seats write it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class InMemory:
    """Implements `Seats`. A reset waits until `let_go` is set; a seat in `broken` refuses everything."""

    def __init__(self, number: int = 20) -> None:
        self.let_go = threading.Event()
        self.let_go.set()
        self.broken: dict[str, str] = {}
        self.true: dict[tuple[str, str], tuple[str, ...]] = {}
        """What is not true yet of a seat's exercise; none: all is."""
        self.asked: list[tuple[str, ...]] = []
        self.looks = 0
        self.blind: Exception | None = None
        self._lock = threading.Lock()
        self._seats = {
            name: SeatStatus(
                name,
                f"http://127.0.0.1:9/{name}/lab?token=seat-secret-{name}",
                State.READY,
                "ex1",
                now(),
                ("ex1",),
            )
            for name in (f"seat-{place:02}" for place in range(1, number + 1))
        }

    def change(self, seat: str, **fields: object) -> None:
        """Let something be otherwise in a seat."""
        with self._lock:
            self._seats[seat] = replace(self._seats[seat], **fields)  # type: ignore[arg-type]

    def remove(self, seat: str) -> None:
        """Take a seat away."""
        with self._lock:
            del self._seats[seat]

    def __getitem__(self, seat: str) -> SeatStatus:
        with self._lock:
            return self._seats[seat]

    def status(self) -> list[SeatStatus]:
        self.looks += 1
        if self.blind:
            raise self.blind
        with self._lock:
            return [self._seats[name] for name in sorted(self._seats)]

    def exercises(self) -> Sequence[tuple[str, str]]:
        return EXERCISES

    def drills(self) -> Sequence[tuple[str, str]]:
        return DRILLS

    def _known(self, seat: str) -> SeatStatus:
        if seat in self.broken:
            raise SeatError(self.broken[seat])
        with self._lock:
            if seat not in self._seats:
                raise SeatError(f"there is no seat {seat}; `k8swin workshop status` lists them")
            return self._seats[seat]

    def reset(self, seat: str, exercise: str = "") -> None:
        self.asked.append(("reset", seat, exercise))
        at = exercise or self._known(seat).exercise
        self._known(seat)
        self.change(seat, state=State.RESETTING)
        self.let_go.wait(60)
        self.change(seat, state=State.READY, exercise=at, since=now(), drills=(), error="")

    def drill(self, seat: str, name: str) -> None:
        self.asked.append(("drill", seat, name))
        there = self._known(seat)
        if name not in dict(DRILLS):
            raise SeatError(f"there is no drill {name}")
        self.change(seat, drills=(*there.drills, name))

    def grade(self, seat: str, exercise: str) -> Grade:
        self.asked.append(("grade", seat, exercise))
        there = self._known(seat)
        time.sleep(0.01)
        missing = self.true.get((seat, exercise), ("the node is not Ready", "no pod runs on it"))
        grade = Grade(
            exercise, now(), 4 - len(missing), 4, 10 * (4 - len(missing)) / 4, 10, missing
        )
        best = there.grades.get(exercise)
        if best is None or grade.score >= best.score:
            self.change(seat, grades={**there.grades, exercise: grade})
        return grade
