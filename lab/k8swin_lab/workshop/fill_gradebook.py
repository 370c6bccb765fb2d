"""Fills nbgrader's gradebook with what the trainer's own checks confirmed.

A Python that has nbgrader runs it:

    python fill_gradebook.py FOLDER

FOLDER is a course folder as `gradebook.py` writes it. Everything goes through nbgrader's own interface, so that the tables
are as that version of nbgrader wants them. What a person graded by hand there stays. This module is part of no import of
the lab: nbgrader has an environment of its own.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

CELL = "state"


def fill(folder: Path) -> str:
    """Put students, assignments and scores into the gradebook that the course folder names, and say how many."""
    # nbgrader is nothing that the lab installs; its modules are those of the Python that runs this.
    api = importlib.import_module("nbgrader.api")
    coursedir = importlib.import_module("nbgrader.coursedir")
    loader = importlib.import_module("traitlets.config.loader")
    config = loader.PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
    course = coursedir.CourseDirectory(config=config)
    if "root" not in config.CourseDirectory:
        course.root = str(folder)
    document: dict[str, Any] = json.loads((folder / "grades.json").read_text(encoding="utf-8"))
    number = 0
    with api.Gradebook(course.db_url, course.course_id or "default_course") as book:
        for seat in document["seats"]:
            # Only what is new: names and addresses that somebody entered for a seat stay.
            book.update_or_create_student(seat)
        for one in document["exercises"]:
            name = one["id"]
            book.update_or_create_assignment(name)
            book.update_or_create_notebook(name, name)
            book.update_or_create_grade_cell(
                CELL, name, name, max_score=one["max_score"], cell_type="code"
            )
        for grade in document["grades"]:
            name, seat = grade["exercise"], grade["seat"]
            book.update_or_create_submission(name, seat, timestamp=grade["time"])
            row = book.find_grade(CELL, name, name, seat)
            row.auto_score = grade["score"]
            row.needs_manual_grade = False
            book.db.commit()
            number += 1
    seats = len(document["seats"])
    return f"{number} grade{'' if number == 1 else 's'} of {seats} seat{'' if seats == 1 else 's'}"


if __name__ == "__main__":
    sys.stdout.write(fill(Path(sys.argv[1]).resolve()) + "\n")
