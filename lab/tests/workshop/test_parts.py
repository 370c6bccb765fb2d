"""What a trainee's folder may hold and say, courses that are none, and grades that outlive a workshop."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from k8swin_lab.control import ControlServer
from k8swin_lab.workshop import course, grading, usage
from k8swin_lab.workshop.asking import statuses
from k8swin_lab.workshop.looking import look
from k8swin_lab.workshop.model import Grade, SeatError, SeatStatus, State
from k8swin_lab.workshop.place import Place

from .conftest import COURSE


def test_what_a_hostile_folder_says_is_one_short_visible_line(tmp_path: Path) -> None:
    work, template = tmp_path / "work", tmp_path / "template"
    (work / ".k8swin").mkdir(parents=True)
    run = work / "runs" / "one"
    run.mkdir(parents=True)
    template.mkdir()
    said = {"exercise": "ex1\x1b[2J\u202e", "time": "x", "met": "9" * 10_000, "of": [1]}
    (work / ".k8swin/progress.jsonl").write_text("{" * 5000 + "\n" + json.dumps(said) + "\n")
    step = {"event": "step", "step": "a", "host": "h\nx", "outcome": "failed", "detail": "\x07" * 9}
    (run / "events.jsonl").write_text(json.dumps(step) + "\n[1]\n\xff\n")
    found = look(work, template)
    assert found["progress"]["exercise"] == "ex1 [2J"
    assert len(found["progress"]["said"]) <= 300
    assert found["error"]["text"] == "a on h x:"


def test_links_and_pipes_in_a_trainees_folder_lead_nowhere(tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / ".k8swin").mkdir(parents=True)
    other = tmp_path / "other"
    other.write_text(json.dumps({"exercise": "ex1", "time": "x", "met": 1, "of": 1}) + "\n")
    (work / ".k8swin/progress.jsonl").symlink_to(other)
    (work / "runs/one").mkdir(parents=True)
    os.mkfifo(work / "runs/one/events.jsonl")
    found = look(work, tmp_path)
    assert found["progress"] == {} and found["error"] == {}


def test_the_largest_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/large").write_bytes(b"x" * 100_000)
    (tmp_path / "small").write_bytes(b"x")
    found = usage.of_folder(tmp_path)
    assert found.largest == "deep/large" and found.bytes >= 100_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exercises: 3", "exercises"),
        ("- a", "expected keys"),
        (COURSE.replace("start: empty}", "start: nowhere}", 1), "nowhere"),
        (COURSE.replace("drills: [slow]", "drills: [flood]"), "flood"),
        (COURSE.replace("fault: refuse", "fault: burn"), "burn"),
        (COURSE.replace("title: One, ", ""), "title"),
        ("{", "course.yaml"),
    ],
)
def test_a_course_that_is_none_says_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "course.yaml").write_text(text)
    with pytest.raises(SeatError, match=said):
        course.read(tmp_path)


def test_a_drill_is_of_the_course_or_a_fault_of_the_lab(tmp_path: Path) -> None:
    (tmp_path / "course.yaml").write_text(COURSE)
    read = course.read(tmp_path)
    assert read.faults("cut")[0].name == "refuse"
    assert read.faults("winworker02:slow=3")[0] == course.Fault("winworker02", "slow", "3")
    with pytest.raises(SeatError, match="winworker01:refuse"):
        read.faults("winworker02:burn")


def test_the_best_grade_outlives_a_cut_file(tmp_path: Path) -> None:
    path = tmp_path / "grades.jsonl"
    grades = grading.Grades(path)
    grades.add("seat-01", Grade("ex1", "t", 3, 4, 7.5, 10, ("one is missing",)))
    grades.add("seat-01", Grade("ex1", "t", 1, 4, 2.5, 10))
    with path.open("a") as file:
        file.write('{"seat": "seat-01", "exer')
    again = grading.Grades(path).best("seat-01")
    assert again["ex1"].score == 7.5 and again["ex1"].missing == ("one is missing",)


def test_the_seats_of_a_large_class_are_told_whole(tmp_path: Path) -> None:
    missing = tuple(f"{n}: winworker02 has no HNS network of its own" for n in range(20))
    grades = {f"ex{n}": asdict(Grade(f"ex{n}", "t", 1, 21, 1, 10, missing)) for n in range(1, 11)}
    one = SeatStatus("seat-01", "http://x/", State.READY, "ex1", "t")
    seats = [{**asdict(one), "name": f"seat-{n:02}", "grades": grades} for n in range(1, 41)]
    place = Place(tmp_path)
    server = ControlServer(place.control, lambda _: {"seats": seats})
    try:
        told = statuses(place)
    finally:
        server.close()
    assert [seat.name for seat in told] == [seat["name"] for seat in seats]
    assert told[39].grades["ex10"].missing == missing
