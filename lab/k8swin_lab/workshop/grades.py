"""Grades of a workshop as files: CSV for a spreadsheet, and what nbgrader reads."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import BinaryIO

from k8swin_lab.workshop.model import Seats, SeatStatus
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
