"""The page of a run, and progress on a terminal."""

import io
import json

import nbformat

from k8swin_nb.headless.page import write_page
from k8swin_nb.headless.progress import Progress, elapsed_text


def event(step, outcome, **more):
    return {
        "time": "2026-01-01T00:00:00Z",
        "run": "r",
        "notebook": "02_master",
        "event": "step",
        "operator": "somebody",
        "step": step,
        "host": "h",
        "outcome": outcome,
        "seconds": 1.0,
        "detail": "<detail>",
        **more,
    }


def write_run(folder):
    opened = {**event("", "ok"), "event": "notebook-opened", "controller": "desk"}
    lines = [opened, event("swap", "changed"), event("kernel", "ok")]
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# Title of it", id="title")]
    )
    nbformat.write(notebook, folder / "02_master.ipynb")
    return [folder / "02_master.ipynb"]


def test_the_page_holds_outcomes_and_notebooks_and_fetches_nothing(tmp_path):
    text = write_page(tmp_path, write_run(tmp_path)).read_text()
    assert "Title of it" in text
    assert "1 ok, 1 changed" in text
    assert "somebody on desk" in text
    assert "&lt;detail&gt;" in text
    for attribute in ('src="http', "src='http", 'href="http'):
        assert attribute not in text


def test_a_run_that_ended_before_its_first_event_has_a_page(tmp_path):
    assert "nothing ran" in write_page(tmp_path, []).read_text()


def test_progress_says_notebook_step_and_time(tmp_path):
    stream = io.StringIO()
    with Progress(tmp_path / "events.jsonl", stream=stream):
        write_run(tmp_path)
    lines = stream.getvalue().splitlines()
    assert [line.split()[2] for line in lines] == ["swap", "kernel"]
    assert all("02_master" in line and line.split()[0] == "0:00" for line in lines)


def test_elapsed_time_reads_as_a_clock():
    assert elapsed_text(61.9) == "1:01"
    assert elapsed_text(725) == "12:05"
