"""Grades as files: a spreadsheet reads the CSV, and a real nbgrader the course folder."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from k8swin_lab.workshop import gradebook
from k8swin_lab.workshop.gradebook import TRIED, write_nbgrader
from k8swin_lab.workshop.grades import add_grades_command, grades_command, write_csv
from k8swin_lab.workshop.model import SeatError, State

from .seats_in_memory import InMemory


@pytest.fixture
def seats():
    """Three seats: one that did ex1, one that did half of two, one that did nothing."""
    made = InMemory(3)
    made.true["seat-01", "ex1"] = ()
    made.grade("seat-01", "ex1")
    made.grade("seat-02", "ex1")
    made.grade("seat-02", "ex2")
    made.asked.clear()
    return made


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def written(seats) -> bytes:
    stream = io.BytesIO()
    write_csv(stream, seats)
    return stream.getvalue()


def test_a_row_for_each_seat_with_its_scores(seats):
    first, second, third = rows_of(written(seats))
    assert (first["seat"], first["score"], first["max_score"], first["confirmed"]) == (
        "seat-01",
        "10",
        "10",
        "1",
    )
    assert (second["score"], second["max_score"], second["confirmed"]) == ("10", "20", "0")
    assert (second["ex2_met"], second["ex2_of"], second["ex2_score"]) == ("2", "4", "5")
    assert (third["score"], third["ex1_score"], third["ex10_time"]) == ("0", "", "")


def test_it_is_as_the_standard_says_and_spreadsheets_know_its_letters(seats):
    seats.change("seat-01", error='says "no", \u00e4', state=State.FAILED)
    data = written(seats)
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") == 4
    assert data.replace(b"\r\n", b"").count(b"\n") == 0
    assert rows_of(data)[0]["error"] == 'says "no", \u00e4'


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r\n=1", "\uff1d1", '"=1', "'=1"]
)
def test_no_spreadsheet_takes_what_a_seat_said_for_a_formula(seats, text):
    seats.change("seat-01", error=text, said=text, drills=(text,))
    first = rows_of(written(seats))[0]
    for name in ("error", "said", "drills"):
        assert first[name].startswith("'"), first[name]
        assert "\n" not in first[name]


def test_hostile_text_makes_no_row_of_its_own(seats):
    seats.change(
        "seat-01", error='x"\r\nseat-99,ready\r\n\x1b[31m' + "y" * 1_000_000, said="\ud800\x00"
    )
    data = written(seats)
    assert [row["seat"] for row in rows_of(data)] == ["seat-01", "seat-02", "seat-03"]
    assert len(data) < 10_000


def test_a_file_is_written_whole_or_not_at_all(seats, tmp_path):
    place = tmp_path / "grades.csv"
    write_csv(place, seats)
    before = place.read_bytes()
    seats.blind = SeatError("no answer")
    with pytest.raises(SeatError):
        write_csv(place, seats)
    assert place.read_bytes() == before
    seats.blind = None
    with pytest.raises(OSError, match="nowhere"):
        write_csv(tmp_path / "nowhere" / "grades.csv", seats)
    assert [path.name for path in tmp_path.iterdir()] == ["grades.csv"]


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_grades_command(parser.add_subparsers())
    return parser.parse_args(["grades", *words])


def test_the_command_looks_first_when_it_is_asked_to(seats, tmp_path):
    seats.change("seat-03", state=State.STOPPED)
    said: list[str] = []
    place = tmp_path / "grades.csv"
    assert grades_command(options("--look", "--csv", str(place)), seats, said.append) == 1
    assert {one[1] for one in seats.asked} == {"seat-01", "seat-02"}
    assert said[0] == "seat-03: not looked at: it is stopped"
    assert rows_of(place.read_bytes())[1]["ex1_met"] == "2"


def test_the_command_shows_a_table_or_prints_the_csv(seats, capfdbinary):
    said: list[str] = []
    assert grades_command(options(), seats, said.append) == 0
    assert said[:2] == ["seat-01   ex1 10/10", "seat-02   ex1 5/10, ex2 5/10"]
    assert grades_command(options("--csv"), seats, said.append) == 0
    assert rows_of(capfdbinary.readouterr().out)[0]["seat"] == "seat-01"


def test_without_nbgrader_it_says_what_to_install_and_keeps_what_it_wrote(
    seats, tmp_path, monkeypatch
):
    monkeypatch.setattr(gradebook.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(gradebook.shutil, "which", lambda name: None)
    with pytest.raises(SeatError, match="has everything but the gradebook") as error:
        write_nbgrader(tmp_path / "course", seats)
    assert TRIED in str(error.value)
    assert "--nbgrader-python" in str(error.value)
    assert (tmp_path / "course" / "autograded" / "seat-01" / "ex1" / "ex1.ipynb").exists()
    assert not (tmp_path / "course" / "gradebook.db").exists()


def test_a_python_without_nbgrader_is_named(seats, tmp_path):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    with pytest.raises(SeatError, match="No module named 'nbgrader'; install"):
        write_nbgrader(tmp_path / "course", seats, bare / "bin" / "python")
    with pytest.raises(SeatError, match="cannot be started"):
        write_nbgrader(tmp_path / "course", seats, tmp_path / "none")
    assert not (tmp_path / "course" / "gradebook.db").exists()


def test_a_seat_whose_name_is_a_path_writes_nothing(seats, tmp_path):
    seats._seats["../up"] = seats["seat-01"].__class__("../up", "", State.READY, "ex1", "")
    with pytest.raises(SeatError, match="cannot be the name of a folder"):
        write_nbgrader(tmp_path / "course", seats)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def nbgrader(tmp_path_factory) -> Path:
    """The folder of programs of an environment with the real nbgrader; K8SWIN_NBGRADER names one that is there."""
    if given := os.environ.get("K8SWIN_NBGRADER"):
        return Path(given)
    if find_spec("venv") is None:
        pytest.skip(
            "this Python makes no environments; K8SWIN_NBGRADER names the bin/ of one with nbgrader"
        )
    folder = tmp_path_factory.mktemp("nbgrader") / "venv"
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", TRIED],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=900)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"nbgrader cannot be installed here: {done.stderr.strip()[-300:]}")
    return folder / "bin"


SHOWN = """
import json, os, sys
os.chdir(sys.argv[1])
from nbgrader.apps import NbGrader
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
app = NbGrader()
app.load_config_file()
api = NbGraderAPI(CourseDirectory(parent=app))
print(json.dumps({
    one["name"]: [one["max_score"], one["num_submissions"], [
        [each["student"], each["score"], each["needs_manual_grade"]] for each in api.get_submissions(one["name"])
    ]] for one in api.get_assignments()
}))
"""
"""What formgrader shows, from the interface that it asks."""

BY_HAND = """
import sys
from nbgrader.api import Gradebook
with Gradebook("sqlite:///" + sys.argv[1] + "/gradebook.db", "k8swin-workshop") as book:
    book.update_or_create_student("seat-02", first_name="Ada")
    book.find_grade("state", "ex1", "ex1", "seat-02").manual_score = 9.0
    book.db.commit()
"""


@pytest.mark.timeout(1200)
def test_nbgrader_reads_exports_and_shows_them(seats, nbgrader, tmp_path, monkeypatch):
    course = tmp_path / "course"

    def run(*words: str) -> str:
        done = subprocess.run(words, cwd=course, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def exported() -> dict[tuple[str, str], tuple[str, str, str]]:
        run(str(nbgrader / "nbgrader"), "export", f"--to={tmp_path / 'out.csv'}")
        with (tmp_path / "out.csv").open() as lines:
            return {
                (one["assignment"], one["student_id"]): (
                    one["score"],
                    one["max_score"],
                    one["first_name"],
                )
                for one in csv.DictReader(lines)
            }

    monkeypatch.setenv("PATH", f"{nbgrader}{os.pathsep}{os.environ['PATH']}")
    said = write_nbgrader(course, seats)  # found by PATH
    assert "3 grades of 3 seats, in 2 exercises; never looked at and left out: ex3," in said
    assert exported() == {
        ("ex1", "seat-01"): ("10.0", "10.0", ""),
        ("ex1", "seat-02"): ("5.0", "10.0", ""),
        ("ex1", "seat-03"): ("0.0", "10.0", ""),
        ("ex2", "seat-01"): ("0.0", "10.0", ""),
        ("ex2", "seat-02"): ("5.0", "10.0", ""),
        ("ex2", "seat-03"): ("0.0", "10.0", ""),
    }
    python = str(nbgrader / "python")
    shown = json.loads(run(python, "-c", SHOWN, str(course)))
    assert shown == {
        "ex1": [10.0, 2, [["seat-01", 10.0, False], ["seat-02", 5.0, False]]],
        "ex2": [10.0, 1, [["seat-02", 5.0, False]]],
    }
    # Again, later: scores are renewed; what a person entered stays.
    run(python, "-c", BY_HAND, str(course))
    seats.true["seat-02", "ex2"] = ()
    seats.grade("seat-02", "ex2")
    write_nbgrader(course, seats, python)
    later = exported()
    assert later["ex2", "seat-02"] == ("10.0", "10.0", "Ada")
    assert later["ex1", "seat-02"] == ("9.0", "10.0", "Ada")
    checked = run(str(nbgrader / "nbgrader"), "db", "student", "list")
    assert "seat-03" in checked
