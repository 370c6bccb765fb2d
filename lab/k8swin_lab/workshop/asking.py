"""What the command line asks of a workshop in another process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from k8swin_lab import control
from k8swin_lab.workshop.model import Grade, SeatError, SeatStatus, State
from k8swin_lab.workshop.place import Place

_JOB_SECONDS = 1200.0


def ask(place: Place, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return control.ask(place.control, request)
    except control.ControlError as error:
        raise SeatError(str(error)) from error


def job(place: Place, request: dict[str, Any]) -> Any:
    """Ask for something that takes a while, and wait for it."""
    number = ask(place, request)["job"]
    until = time.monotonic() + _JOB_SECONDS
    pause = 0.02
    while time.monotonic() < until:
        answer = ask(place, {"command": "job", "job": number})
        if answer["ended"]:
            if answer["failed"]:
                raise SeatError(answer["failed"])
            return answer["value"]
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
    raise SeatError(
        f"the workshop has not answered for {_JOB_SECONDS:.0f} seconds; see {place.log}"
    )


def statuses(place: Place) -> list[SeatStatus]:
    found = ask(place, {"command": "status"})["seats"]
    known_seats = []
    for one in found:
        best = {name: _grade(grade) for name, grade in one["grades"].items()}
        known = {**one, "state": State(one["state"]), "drills": tuple(one["drills"])}
        known["begun"] = tuple(one["begun"])
        known_seats.append(SeatStatus(**{**known, "grades": best}))
    return known_seats


def _grade(said: dict[str, Any]) -> Grade:
    return Grade(**{**said, "missing": tuple(said["missing"])})


class Asked:
    """The seats of a workshop in another process, as far as tables need them."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def status(self) -> list[SeatStatus]:
        return statuses(self._place)

    def exercises(self) -> Sequence[tuple[str, str]]:
        return [(i, t) for i, t in ask(self._place, {"command": "about"})["exercises"]]

    def grade(self, seat: str, exercise: str) -> Grade:
        asked = {"command": "grade", "seat": seat, "exercise": exercise}
        return _grade(job(self._place, asked))
