"""Grades of a workshop as files: CSV for a spreadsheet, a course folder for nbgrader, and the command for both."""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from k8swin_lab.workshop.gradebook import write_nbgrader
from k8swin_lab.workshop.model import SeatError, Seats, SeatStatus, State
from k8swin_lab.workshop.trainer_rows import plain

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell(text: object) -> str:
    """Return a text that a spreadsheet takes for text: one line, with `'` before what it would take for a formula."""
    shown = plain(text)
    return f"'{shown}" if shown.lstrip(" '\"").startswith(_FORMULA) else shown


def write_csv(place: str | Path | BinaryIO, seats: Seats) -> None:
    """Write one row a seat, as RFC 4180 says, in UTF-8 with a byte order mark, by which spreadsheets know it.

    Columns: `seat`, `state`, `exercise`, `since`, `score`, `max_score`, `confirmed` (number of exercises), for each
    exercise `ID_score`, `ID_max`, `ID_met`, `ID_of`, `ID_time` (empty: never looked at from outside), and `said`, `drills`,
    `disk_bytes`, `error`.

    Args:
        place: A file, which is written whole or not at all, or a stream of bytes.
        seats: Whose.

    Raises:
        OSError: when it cannot be written.
    """
    exercises = [ident for ident, _ in seats.exercises()]
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\r\n")
    out.writerow(
        ["seat", "state", "exercise", "since", "score", "max_score", "confirmed"]
        + [
            f"{cell(one)}_{what}"
            for one in exercises
            for what in ("score", "max", "met", "of", "time")
        ]
        + ["said", "drills", "disk_bytes", "error"]
    )
    for seat in seats.status():
        out.writerow(_row(seat, exercises))
    data = b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")
    if isinstance(place, str | Path):
        _write_whole(Path(place), data)
    else:
        place.write(data)


def _row(seat: SeatStatus, exercises: list[str]) -> list[object]:
    grades = [seat.grades.get(one) for one in exercises]
    there = [grade for grade in grades if grade]
    row: list[object] = [
        cell(seat.name),
        str(seat.state),
        cell(seat.exercise),
        cell(seat.since),
        f"{sum(grade.score for grade in there):g}",
        f"{sum(grade.max_score for grade in there):g}",
        sum(grade.done for grade in there),
    ]
    for grade in grades:
        row += (
            [f"{grade.score:g}", f"{grade.max_score:g}", grade.met, grade.of, cell(grade.time)]
            if grade
            else [""] * 5
        )
    drills = cell(", ".join(seat.drills))
    return [*row, cell(seat.said), drills, max(0, seat.used_bytes), cell(seat.error)]


def _write_whole(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def add_grades_command(commands: Any, name: str = "grades") -> argparse.ArgumentParser:
    """Add the command to a command line; `grades_command` carries it out.

    Args:
        commands: What `ArgumentParser.add_subparsers` returned.
        name: Of the command.
    """
    text = (
        "Give out what was confirmed of each seat's exercises: as a table, as CSV, or for nbgrader."
    )
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text, allow_abbrev=False
    )
    parser.add_argument(
        "--csv", metavar="FILE", nargs="?", const="-", help="as CSV, there or on standard output"
    )
    parser.add_argument(
        "--nbgrader", metavar="FOLDER", help="write a course folder that nbgrader reads"
    )
    parser.add_argument(
        "--nbgrader-python",
        metavar="PYTHON",
        help="a Python that has nbgrader, when `nbgrader` is not on PATH",
    )
    parser.add_argument(
        "--look", action="store_true", help="look at the exercise that each seat is at first"
    )
    return parser


def grades_command(options: argparse.Namespace, seats: Seats, say: Callable[[str], None]) -> int:
    """Carry the command out.

    Args:
        options: As the parser of `add_grades_command` read them.
        seats: Whose grades.
        say: Shows a line to whoever typed the command.

    Returns:
        0; 1 when a seat could not be looked at, whose grades are those of before then.

    Raises:
        SeatError: when nbgrader is not there or refuses.
        OSError: when a file cannot be written.
    """
    failed = _look(seats, say) if options.look else 0
    if options.csv == "-":
        write_csv(sys.stdout.buffer, seats)
        sys.stdout.buffer.flush()
    elif options.csv:
        write_csv(options.csv, seats)
        say(f"{options.csv}: written")
    if options.nbgrader:
        say(write_nbgrader(options.nbgrader, seats, options.nbgrader_python))
    if not options.csv and not options.nbgrader:
        for seat in seats.status():
            best = ", ".join(
                f"{g.exercise} {g.score:g}/{g.max_score:g}" for g in seat.grades.values()
            )
            say(f"{plain(seat.name, 40):<9} {best or '-'}")
    return 1 if failed else 0


def _look(seats: Seats, say: Callable[[str], None]) -> int:
    """Look at every seat that is ready, four at once; return how many could not be looked at."""

    def look(seat: SeatStatus) -> str:
        try:
            if seat.state is not State.READY:
                raise SeatError(f"it is {seat.state}")
            seats.grade(seat.name, seat.exercise)
        except SeatError as error:
            return f"{seat.name}: not looked at: {plain(error)}"
        return ""

    with ThreadPoolExecutor(4) as pool:
        problems = [text for text in pool.map(look, seats.status()) if text]
    for text in problems:
        say(text)
    return len(problems)
