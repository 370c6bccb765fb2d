"""Looks at seats' clusters from outside of the seats, one after the other, and the best that was found."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from k8swin_lab.workshop.looking import line_of, moment
from k8swin_lab.workshop.model import Grade, SeatError
from k8swin_lab.workshop.seat import Seat

SECONDS = 180
CHECK = "k8swin_nb.workshop"
_MISSING = 20


class Grader:
    """Runs the toolkit's check in a seat's network, with the lab's own files: nothing of the trainee's is asked."""

    def __init__(self) -> None:
        self._one = threading.Lock()

    def look(self, seat: Seat, exercise: str) -> Grade:
        """Return how far a seat's cluster is.

        Raises:
            SeatError: it could not be looked at.
        """
        arguments = [CHECK, "check", exercise, "--params", "{lab}/params.yaml", "--json"]
        with self._one:
            asked = {"do": "grade", "arguments": arguments, "seconds": SECONDS}
            answer = seat.call(asked, SECONDS + 20)
        try:
            found = json.loads(str(answer.get("out", "")))
            if answer.get("code"):
                raise ValueError(f"exit code {answer['code']}")
            return grade_of(exercise, found)
        except (ValueError, KeyError, TypeError) as error:
            said = line_of(" ".join(str(answer.get("err") or answer.get("out")).split()[-60:]))
            raise SeatError(
                f"{seat.name}: {exercise} could not be looked at: {said or error}"
            ) from error


def grade_of(exercise: str, found: dict[str, Any]) -> Grade:
    """Return what a check said as a grade."""
    missing = [
        line_of(f"{one['text']}: {one['found']}" if one.get("found") else one["text"])
        for one in found["conditions"]
        if not one["met"]
    ]
    return Grade(
        exercise=exercise,
        time=moment(time.time()),
        met=int(found["met"]),
        of=int(found["of"]),
        score=float(found["score"]),
        max_score=float(found["max_score"]),
        missing=tuple(missing[:_MISSING]),
    )


class Grades:
    """The file of all grades, a line each; it outlives the workshop's process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._best: dict[str, dict[str, Grade]] = {}
        with contextlib.suppress(FileNotFoundError), path.open() as lines:
            for line in lines:
                # A line that was cut when the computer stopped hinders no other.
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    read = json.loads(line)
                    seat = str(read.pop("seat"))
                    self._take(seat, Grade(**{**read, "missing": tuple(read["missing"])}))

    def best(self, seat: str) -> dict[str, Grade]:
        """Return the best grade of each exercise of a seat."""
        with self._guard:
            return dict(self._best.get(seat, {}))

    def add(self, seat: str, grade: Grade) -> None:
        """Write a grade down."""
        with self._guard:
            with self._path.open("a") as file:
                file.write(json.dumps({"seat": seat, **asdict(grade)}) + "\n")
            self._take(seat, grade)

    def _take(self, seat: str, grade: Grade) -> None:
        best = self._best.setdefault(seat, {})
        before = best.get(grade.exercise)
        if before is None or grade.score >= before.score:
            best[grade.exercise] = grade
