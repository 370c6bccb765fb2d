"""What a workshop's parts say to each other: seats and how they are. Whoever shows seats knows these words alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class State(StrEnum):
    """How a seat is."""

    STARTING = "starting"
    READY = "ready"
    RESETTING = "resetting"
    STOPPED = "stopped"
    """It was ended, by the trainer or because it harmed others; `error` says why."""

    FAILED = "failed"
    """Its lab or its JupyterLab ended by itself, or did not start; `error` says how."""


@dataclass(frozen=True, slots=True)
class Grade:
    """What a check of the cluster's state found for one exercise, by the trainer's own process."""

    exercise: str
    time: str
    """When it was looked at, as RFC 3339 text."""

    met: int
    """Conditions that are true."""

    of: int
    score: float
    max_score: float
    missing: tuple[str, ...] = ()
    """What is not true yet, in words."""

    @property
    def done(self) -> bool:
        """Whether all conditions are true."""
        return self.met == self.of


@dataclass(frozen=True, slots=True)
class SeatStatus:
    """A seat at one moment."""

    name: str
    """`seat-07`."""

    url: str
    """Where its JupyterLab is, with its token."""

    state: State
    exercise: str
    """The exercise that it is at, such as `ex2`."""

    since: str
    """Since when it is at this exercise, as RFC 3339 text."""

    begun: tuple[str, ...] = ()
    """The exercises that it has been at, in that order."""

    error: str = ""
    """The last error of its notebooks, or what is wrong with the seat itself; one line."""

    drills: tuple[str, ...] = ()
    """What was broken on purpose and stands."""

    used_bytes: int = 0
    """What its folder holds."""

    said: str = ""
    """What the seat's own `check` said last, such as `ex2: 3 of 4`. A trainee can make it say anything."""

    grades: dict[str, Grade] = field(default_factory=dict)
    """The best of each exercise, as looked at from outside the seat."""


def counted(number: int, noun: str) -> str:
    """Return how many of something there are, as people say it: `1 seat`, `20 seats`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class SeatError(Exception):
    """What was asked of a seat cannot be done; the text says why and what to do."""


class Seats(Protocol):
    """What can be asked of a workshop's seats. Every method may be called from any thread.

    Each raises SeatError when there is no such seat, exercise or drill, or it cannot be done.
    """

    def status(self) -> list[SeatStatus]:
        """Return all seats, in the order of their names."""
        ...

    def exercises(self) -> Sequence[tuple[str, str]]:
        """Return id and title of each exercise of the course, in order."""
        ...

    def drills(self) -> Sequence[tuple[str, str]]:
        """Return name and explanation of what can be broken."""
        ...

    def reset(self, seat: str, exercise: str = "") -> None:
        """Bring a seat's machines to where an exercise begins; empty: the one that it is at. Notebooks stay."""
        ...

    def drill(self, seat: str, name: str) -> None:
        """Break something in a seat's lab."""
        ...

    def grade(self, seat: str, exercise: str) -> Grade:
        """Look at the state of a seat's cluster now, from outside the seat."""
        ...
