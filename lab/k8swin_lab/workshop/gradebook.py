"""A course folder for nbgrader: exercises, what each seat reached, and the gradebook.

nbgrader reads grades from its database alone, and shows an assignment that has a folder in `source/` and submissions in
`autograded/`. The database is filled by nbgrader's own interface, in an environment that has nbgrader; nothing of it is
installed with the lab.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from k8swin_lab.workshop import fill_gradebook
from k8swin_lab.workshop.model import Grade, SeatError, Seats, counted
from k8swin_lab.workshop.trainer_rows import moment, plain

TRIED = "nbgrader>=0.9.5,<0.10"
"""Which nbgrader this was tried with, as pip takes it."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_SECONDS = 300
_CONFIG = """\
# Written by `k8swin workshop grades --nbgrader`; it is written once, and yours from then on.
c = get_config()
c.CourseDirectory.course_id = "k8swin-workshop"
"""


def write_nbgrader(folder: str | Path, seats: Seats, python: str | Path | None = None) -> str:
    """Write confirmed grades into a course folder that nbgrader reads. It may be done again; then scores are renewed.

    Each seat is a student, each exercise that was looked at in any seat is an assignment, and what was confirmed is its
    score. What a seat's own check said counts for nothing.

    Args:
        folder: The course's; it is made when it is not there.
        seats: Whose grades.
        python: A Python that has nbgrader; None: this one, or that of `nbgrader` on PATH.

    Returns:
        What was written, and which exercises were never looked at and so left out.

    Raises:
        SeatError: when there is no nbgrader, or it refuses; everything but the gradebook is in the folder then.
        OSError: when a file cannot be written.
    """
    place = Path(folder).resolve()
    document, left_out = _document(seats)
    _write_files(place, document)
    done = _fill(place, _python(place, python))
    text = f"{place}: {done}, in {counted(len(document['exercises']), 'exercise')}"
    return text + (f"; never looked at and left out: {', '.join(left_out)}" if left_out else "")


def _document(seats: Seats) -> tuple[dict[str, Any], list[str]]:
    """Return what the gradebook is filled with, and the exercises of which nothing is known."""
    there = seats.status()
    titles = dict(seats.exercises())
    for name in (*titles, *(seat.name for seat in there)):
        if not _NAME.fullmatch(name):
            raise SeatError(
                f"{plain(name, 60)} cannot be the name of a folder in nbgrader's course; "
                "letters, digits, `_`, `.` and `-` can"
            )
    grades = [
        (seat.name, one, seat.grades[one]) for seat in there for one in titles if one in seat.grades
    ]
    most: dict[str, float] = {}
    for _, one, grade in grades:
        most[one] = max(most.get(one, 0.0), grade.max_score)
    document = {
        "seats": [seat.name for seat in there],
        "exercises": [
            {"id": one, "title": title, "max_score": most[one]}
            for one, title in titles.items()
            if one in most
        ],
        "grades": [
            {
                "seat": seat,
                "exercise": one,
                "text": _text(grade),
                "score": grade.score,
                "time": _time(grade),
            }
            for seat, one, grade in grades
        ],
    }
    return document, [one for one in titles if one not in most]


def _time(grade: Grade) -> str | None:
    return grade.time if moment(grade.time) is not None else None


def _text(grade: Grade) -> str:
    missing = "".join(f"not yet: {plain(text)}\n" for text in grade.missing[:40])
    return f"{grade.met} of {grade.of} conditions are true\n{missing}"


def _write_files(place: Path, document: dict[str, Any]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    config = place / "nbgrader_config.py"
    if not config.exists():
        config.write_text(_CONFIG, encoding="utf-8")
    text = json.dumps(document, indent=1, ensure_ascii=False)
    (place / "grades.json").write_text(text + "\n", encoding="utf-8")
    exercises = {one["id"]: one for one in document["exercises"]}
    for ident, one in exercises.items():
        _write_notebook(place / "source" / "." / ident / f"{ident}.ipynb", one, "")
    for grade in document["grades"]:
        ident = grade["exercise"]
        for step in ("submitted", "autograded"):
            beside = place / step / grade["seat"] / ident
            _write_notebook(beside / f"{ident}.ipynb", exercises[ident], grade["text"])
            if grade["time"]:
                (beside / "timestamp.txt").write_text(f"{grade['time']}\n", encoding="utf-8")


def _write_notebook(path: Path, exercise: dict[str, Any], said: str) -> None:
    """Write what nbgrader shows of an exercise. What was found is an output, which is shown as text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    graded = {
        "grade": True, "grade_id": fill_gradebook.CELL, "locked": True, "points": exercise["max_score"],
        "schema_version": 3, "solution": False, "task": False, "cell_type": "code",
    }  # fmt: skip
    outputs = [{"name": "stdout", "output_type": "stream", "text": said}] if said else []
    source = f"# {exercise['id']}, looked at from outside the seat. Nothing here is executed again."
    cells = [
        {"cell_type": "code", "execution_count": None, "id": "state", "outputs": outputs}
        | {"metadata": {"nbgrader": graded}, "source": source}
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _python(place: Path, given: str | Path | None) -> str:
    """Return a Python that has nbgrader."""
    if given is not None:
        # Not resolved: the Python of an environment is a link, and knows by its place what is installed.
        return str(Path(given).absolute()) if os.sep in str(given) else str(given)
    if importlib.util.find_spec("nbgrader") is not None:
        return sys.executable
    program = shutil.which("nbgrader")
    if program is not None:
        for python in ("python3", "python"):
            beside = Path(program).resolve().parent / python
            if beside.exists():
                return str(beside)
    raise SeatError(
        f"nbgrader is not installed here, so {place} has everything but the gradebook. It wants an environment of its own: "
        f"`python3 -m venv nbgrader` and `nbgrader/bin/pip install '{TRIED}'`, then this again with "
        "`--nbgrader-python nbgrader/bin/python`"
    )


def _fill(place: Path, python: str) -> str:
    """Let nbgrader take the grades in; a gradebook that it left half made is gone, one that was there stays."""
    book = place / "gradebook.db"
    before = book.exists()
    try:
        return _filled(place, python)
    except SeatError:
        if not before:
            book.unlink(missing_ok=True)
        raise


def _filled(place: Path, python: str) -> str:
    command = [python, "-I", str(Path(fill_gradebook.__file__)), str(place)]
    # nbgrader starts `alembic`, which stands beside its Python.
    environment = {
        **os.environ,
        "PATH": f"{Path(python).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    try:
        done = subprocess.run(
            command,
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except OSError as error:
        raise SeatError(f"{python} cannot be started: {error.strerror or error}") from None
    except subprocess.TimeoutExpired:
        raise SeatError(
            f"nbgrader did not fill {place / 'gradebook.db'} within {_SECONDS} s; "
            "close what else has the gradebook open, and try again"
        ) from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        hint = f"; install {TRIED} there" if "No module named" in last else ""
        raise SeatError(f"nbgrader of {python} did not take the grades: {plain(last)}{hint}")
    return done.stdout.strip()
