"""The course as it is shipped: what it names is there, hints go step by step, and solutions stay apart."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from k8swin_lab.faults import KNOWN

from k8swin_nb import workshop
from k8swin_nb.errors import K8swinError
from k8swin_nb.project import begin
from k8swin_nb.workshop.course import course, hints_of, read_course
from k8swin_nb.workshop.exercises import EXERCISES
from k8swin_nb.workshop.looked import Checked, Condition, NotDone
from tests.conftest import ROOT

FOLDER = ROOT / "workshop"
ALL = [exercise.id for exercise in course().exercises]
NOTEBOOKS = [exercise.notebook for exercise in course().exercises]


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def by_id(notebook: nbformat.NotebookNode) -> dict[str, nbformat.NotebookNode]:
    return {cell.id: cell for cell in notebook.cells}


def test_the_half_day_is_one() -> None:
    assert 210 <= sum(one.minutes for one in course().exercises if not one.optional) <= 240
    assert list(EXERCISES) == ALL
    assert sorted(path.name for path in FOLDER.glob("*.ipynb")) == sorted(NOTEBOOKS)


def test_what_is_broken_are_faults_of_the_lab() -> None:
    faults = [fault for drill in course().drills.values() for fault in drill.faults]
    assert faults and {fault.name for fault in faults} <= set(KNOWN)
    assert {fault.machine for fault in faults} <= {"linuxmaster", "winworker01", "winworker02"}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_an_exercise_is_a_notebook_without_outputs_that_grades_its_own_exercise(name: str) -> None:
    path = FOLDER / name
    notebook = read(path)
    nbformat.validate(notebook)
    exercise = next(one for one in course().exercises if one.notebook == name)
    cells = by_id(notebook)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
    assert f'start("{exercise.id}")' in cells["start"].source
    assert cells["hint"].source == f'hint("{exercise.id}")'
    assert cells["check"].source == f'check("{exercise.id}")'
    assert cells["grade"].source == f'check("{exercise.id}").required()'
    assert cells["grade"].metadata["nbgrader"] == {
        "grade": True, "grade_id": exercise.id, "locked": True, "points": exercise.points,
        "schema_version": 3, "solution": False, "task": False, "cell_type": "code",
    }  # fmt: skip
    assert f"{exercise.minutes} minutes" in cells["title"].source
    assert "has run on a real Windows Server" in cells["after"].source
    for cell in notebook.cells:
        for target in [part.split(")")[0] for part in cell.source.split("](")[1:]]:
            assert (FOLDER / target).resolve().is_file(), target


@pytest.mark.parametrize("exercise", ALL)
def test_hints_go_from_a_question_to_the_command(
    exercise: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "params").mkdir()
    monkeypatch.chdir(tmp_path)
    question, direction, command = hints_of(exercise)
    assert question.strip().endswith(("?", ".")) and len({question, direction, command}) == 3
    for earlier in (question, direction):
        # Nothing of the first two can be typed as the solution.
        assert not any(sign in earlier for sign in (".apply(", "kubectl ", "Remove-", "%%remote"))
    # Who does as he is told holds no machine afterwards.
    assert command.count("open_phase(") == command.count("phase.summary()")
    told = [repr(workshop.hint(exercise)) for _ in range(4)]
    assert question.strip() in told[0] and command.strip() not in told[1]
    assert command.strip() in told[2] and told[3] == told[2]
    # A kernel that was started anew goes on where the last one was.
    assert json.loads((tmp_path / ".k8swin/hints.json").read_text()) == {exercise: 3}
    # JupyterLab breaks long lines of a <pre> within words unless it is told otherwise.
    assert "word-break:normal" in workshop.hint(exercise)._repr_html_()


def test_a_folder_gets_the_exercises_and_no_solution(tmp_path: Path) -> None:
    written = begin(tmp_path, workshop=True)
    names = {name for name in written if name.startswith("workshop/")}
    assert {f"workshop/{name}" for name in NOTEBOOKS} | {"workshop/course.yaml"} <= names
    assert "workshop/material/audit/events.jsonl" in names
    assert not any("solution" in name for name in written)
    assert begin(tmp_path, workshop=True) == []
    assert not any(name.startswith("workshop/") for name in begin(tmp_path / "other"))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_solution_lies_apart_and_begins_as_its_exercise(name: str) -> None:
    solution, exercise = read(FOLDER / "solutions" / name), read(FOLDER / name)
    nbformat.validate(solution)
    assert by_id(solution)["start"].source == by_id(exercise)["start"].source
    assert by_id(solution)["required"].source.endswith(".required()")
    assert not any(cell.get("outputs") for cell in solution.cells)


def test_the_record_that_is_judged_has_one_line_that_was_changed() -> None:
    from k8swin_nb.workflow import chain

    folder = FOLDER / "material/audit"
    lines = list(chain.read_lines(folder / "events.jsonl"))
    wrong = [
        line.number
        for line, after in itertools.pairwise(lines)
        if after.event and after.event["previous"] != chain.digest(line.content)
    ]
    assert wrong == [1]
    files = [
        line.event["script_file"] for line in lines if line.event and "script_file" in line.event
    ]
    for file in files:
        text = (folder / file).read_bytes()
        assert chain.digest(text) == Path(file).stem
    assert "CHG-2107" in (folder / files[0]).read_text()


def test_a_course_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "course.yaml"
    file.write_text("title: x\nexercises: [{id: ex1}]\nstarts: {}\ndrills: {}\n")
    with pytest.raises(K8swinError, match="is no course"):
        read_course(file)


def test_what_is_not_done_is_an_error_only_for_whoever_asks() -> None:
    exercise = course().exercise("ex1")
    looked = Checked(
        exercise, (Condition("one", True, "yes"), Condition("two <b>", False, "no\x1b[2J"))
    )
    assert (looked.met, looked.of, looked.done, looked.score, looked.max_score) == (
        1,
        2,
        False,
        5.0,
        10.0,
    )
    with pytest.raises(NotDone, match="1 of 2 are true; not yet: two"):
        looked.required()
    assert issubclass(NotDone, AssertionError)
    assert "\x1b" not in repr(looked) and "two &lt;b&gt;" in looked._repr_html_()
    Checked(exercise, (Condition("one", True, "yes"),)).required()


def trainer(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "k8swin_nb.workshop", *words],
        capture_output=True, text=True, cwd=cwd, timeout=120,
    )  # fmt: skip


def test_a_check_says_why_nothing_can_be_looked_at(tmp_path: Path) -> None:
    text = (ROOT / "params/lab.yaml").read_text()
    (tmp_path / "params").mkdir()
    # An address at which nobody is.
    (tmp_path / "params/lab.yaml").write_text(
        text.replace("127.160.0.", "127.160.255.").replace("0/24", "0/24")
    )
    found = trainer("check", "ex1", "--params", "params/lab.yaml", "--json", cwd=tmp_path)
    assert found.returncode == 1 and not found.stdout
    assert "cannot be looked at" in found.stderr and "k8swin lab up" in found.stderr
    unknown = trainer("check", "ex77", "--params", "params/lab.yaml", cwd=tmp_path)
    assert unknown.returncode == 1 and "no exercise `ex77`" in unknown.stderr


def test_no_description_is_said_where_it_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(K8swinError, match="there is no description") as caught:
        workshop.start("ex1")
    assert "K8SWIN_PARAMS" in str(caught.value.hint)


def test_where_an_exercise_begins_is_said_to_one_at_home_and_not_at_a_seat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(tmp_path)
    monkeypatch.chdir(tmp_path)
    told = repr(workshop.start("ex5"))
    assert "k8swin lab restore built" in told
    assert "k8swin lab fault winworker02 hns-lost" in told
    monkeypatch.setenv("K8SWIN_SEAT", "seat-07")
    told = repr(workshop.start("ex5"))
    assert "seat-07" in told and "fault" not in told
    assert workshop.start("ex5").ip("winworker02") == "127.160.0.152"
    with pytest.raises(K8swinError, match="no machine `nobody`"):
        workshop.start("ex5").ip("nobody")
