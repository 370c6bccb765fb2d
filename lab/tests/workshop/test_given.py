"""What a trainee is given comes newer, and never over what he wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from k8swin_lab.workshop.given import bring, bring_records


@pytest.fixture
def course(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    (folder / "workshop").mkdir(parents=True)
    (folder / "workshop/01_one.ipynb").write_text("one")
    (folder / "workshop/shop.yaml").write_text("old")
    return folder


def test_what_is_newer_comes_where_the_trainee_changed_nothing(
    course: Path, tmp_path: Path
) -> None:
    work, known = tmp_path / "work", tmp_path / "work/.k8swin/given.json"
    bring(course, work, known)
    (work / "workshop/01_one.ipynb").write_text("one, and my answers")
    (course / "workshop/01_one.ipynb").write_text("one, mended")
    (course / "workshop/shop.yaml").write_text("new")
    (course / "workshop/02_two.ipynb").write_text("two")
    for _ in range(2):
        bring(course, work, known)
    assert (work / "workshop/01_one.ipynb").read_text() == "one, and my answers"
    assert (work / "workshop/shop.yaml").read_text() == "new"
    assert (work / "workshop/02_two.ipynb").read_text() == "two"


@pytest.mark.parametrize("spoilt", ["[]", "{", '{"workshop/shop.yaml": 7}', "\0" * 10])
def test_a_spoilt_list_keeps_all_that_differs(course: Path, tmp_path: Path, spoilt: str) -> None:
    work, known = tmp_path / "work", tmp_path / "work/.k8swin/given.json"
    bring(course, work, known)
    known.write_text(spoilt)
    (course / "workshop/shop.yaml").write_text("new")
    bring(course, work, known)
    assert (work / "workshop/shop.yaml").read_text() == "old"


def test_a_link_in_a_files_place_is_left(course: Path, tmp_path: Path) -> None:
    work, aim = tmp_path / "work", tmp_path / "aim"
    aim.write_text("somebody's")
    (work / "workshop").mkdir(parents=True)
    (work / "workshop/shop.yaml").symlink_to(aim)
    bring(course, work, work / ".k8swin/given.json")
    assert aim.read_text() == "somebody's"


def test_records_come_once_and_over_nothing(tmp_path: Path) -> None:
    source, runs = tmp_path / "records", tmp_path / "work/runs"
    for name in ("a", "b"):
        (source / name).mkdir(parents=True)
        (source / name / "events.jsonl").write_text(name)
    assert bring_records(source, runs, ["a"]) == ["a"]
    (runs / "a/events.jsonl").write_text("changed by the trainee")
    assert bring_records(source, runs, ["a", "b", "gone"]) == ["b"]
    assert (runs / "a/events.jsonl").read_text() == "changed by the trainee"
