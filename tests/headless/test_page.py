"""The page of a run, and progress on a terminal."""

import io
import json
import re

import nbconvert
import nbformat
import pytest

from k8swin_nb.errors import RecordError
from k8swin_nb.headless import progress
from k8swin_nb.headless.page import RunPage, write_page
from k8swin_nb.headless.progress import Progress, elapsed_text
from k8swin_nb.redact import REDACTOR
from k8swin_nb.tables.code import highlighted
from k8swin_nb.tables.exported import PAGE, exported, printed


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
    assert "steps on hosts: 1 ok, 1 changed" in text
    assert "somebody on desk" in text
    assert "&lt;detail&gt;" in text
    for attribute in ('src="http', "src='http", 'href="http'):
        assert attribute not in text


def printing(folder, name, text):
    """Write a notebook that shows a text, and its script's listing, and return its path."""
    cell = nbformat.v4.new_code_cell("", id=name)
    listing = f"<p>{text}</p>{highlighted('echo ' + text, 'bash')}"
    cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": listing})]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"


def test_a_page_made_as_notebooks_end_is_the_page_that_is_made_at_once(tmp_path):
    notebooks = [*write_run(tmp_path), printing(tmp_path, "03_flannel", "text-of-the-third")]
    whole = write_page(tmp_path, notebooks).read_text()
    page = RunPage(tmp_path)
    for path in reversed(notebooks):
        page.take_in(path)
    page.take_in(tmp_path / "gone.ipynb")
    assert page.write(notebooks).read_text() == whole
    assert whole.count("</main>") == 1
    assert whole.index("Title of it") < whole.index("text-of-the-third") < whole.index("</main>")


@pytest.mark.usefixtures("forgotten_secrets")
def test_a_part_made_before_is_made_again_when_its_notebook_or_what_is_secret_has_changed(tmp_path):
    first = printing(tmp_path, "02_master", "canary-of-a-page")
    page = RunPage(tmp_path)
    page.take_in(first)
    assert "canary-of-a-page" in body(page.write([first]).read_text())
    printing(tmp_path, "02_master", "another-canary-of-a-page")
    assert "another-canary-of-a-page" in body(page.write([first]).read_text())
    REDACTOR.add("another-canary-of-a-page")
    assert "canary" not in body(page.write([first]).read_text())


def test_a_run_that_ended_before_its_first_event_has_a_page(tmp_path):
    text = write_page(tmp_path, []).read_text()
    assert "nothing ran" in text and "has no record" in text


def shown_as_html(folder, html):
    cell = nbformat.v4.new_code_cell("", id="show")
    cell.outputs = [nbformat.v4.new_output("execute_result", {"text/html": html})]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "02_master.ipynb")
    return body(write_page(folder, [folder / "02_master.ipynb"]).read_text())


def test_progress_says_notebook_step_and_time(tmp_path):
    stream = io.StringIO()
    with Progress(tmp_path / "events.jsonl", stream=stream):
        write_run(tmp_path)
    lines = stream.getvalue().splitlines()
    assert [line.split()[2] for line in lines] == ["swap", "kernel"]
    assert all(re.match(r" *\d+:\d\d  02_master ", line) for line in lines)


def test_progress_says_what_steps_beside_each_other_still_wait_for_until_they_end(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(progress, "QUIET", 0.0)
    stream = io.StringIO()
    following = Progress(tmp_path / "events.jsonl", stream=stream)
    begun = [
        {**event(step, ""), "event": "step-started", "host": host}
        for step, host in (("swap", "a"), ("kernel", "b"))
    ]
    waits = {**event("kernel", "", detail="pulling servercore"), "event": "waiting", "host": "b"}
    log = tmp_path / "events.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in (*begun, waits)))
    following._read()
    following._say_that_it_runs()
    following._say_that_it_runs()
    lines = re.sub(r"running \d+ s", "running N s", stream.getvalue()).splitlines()
    assert [line.split(maxsplit=3)[2:] for line in lines] == [
        ["swap", "still running N s: on a"],
        ["kernel", "still running N s: b: pulling servercore"],
    ]
    with log.open("a") as file:
        file.write(json.dumps({**event("swap", "ok"), "host": "a"}) + "\n")
    following._read()
    assert list(following._beats) == [("02_master", "kernel")]


def test_elapsed_time_reads_as_a_clock():
    assert elapsed_text(61.9) == "1:01"
    assert elapsed_text(725) == "12:05"


EVIL = "x\n\n[a](javascript:alert(1)) ![](http://evil.example/x.png) <img src=y onerror=alert(1)>\n\n# X"


def body(text):
    return text[text.index("<main") :]


@pytest.mark.parametrize("place", ["detail", "host", "step", "notebook", "outcome", "operator"])
def test_nothing_that_a_host_said_becomes_a_link_or_a_picture_of_the_page(tmp_path, place):
    opened = {**event("", "ok"), "event": "notebook-opened", "controller": EVIL, place: EVIL}
    lines = [opened, {**event("swap", "ok"), place: EVIL}]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    page = body(write_page(tmp_path, []).read_text())
    assert "javascript:alert(1)" in page  # as text
    assert not re.search(r"<img|<script|<h1[^>]*>X|href=\"(?!#|events.jsonl)|<[^>]* on\w+=\"", page)


def test_a_browser_may_run_nothing_of_the_page_and_load_nothing_from_elsewhere(tmp_path):
    text = write_page(tmp_path, write_run(tmp_path)).read_text()
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert text.index(policy[0]) < text.index("<style")
    assert "default-src 'none'" in policy[1] and "script-src" not in policy[1]
    assert "http" not in policy[1]


def test_the_page_comes_though_half_a_line_and_a_notebook_are_broken(tmp_path):
    notebooks = write_run(tmp_path)
    with (tmp_path / "events.jsonl").open("a") as log:
        log.write('{"event": "step", "step": "lo')
    broken = tmp_path / "03_flannel.ipynb"
    broken.write_text('{"cells": [')
    text = write_page(tmp_path, [*notebooks, broken]).read_text()
    assert "1 ok, 1 changed" in text and "Title of it" in text
    assert "03_flannel.ipynb cannot be read" in text


def test_a_page_that_cannot_be_written_is_a_clear_error_and_the_old_one_stays(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    notebooks = write_run(folder)
    page = write_page(folder, notebooks)
    page.unlink()
    page.mkdir()
    with pytest.raises(RecordError, match=r"index\.html"):
        write_page(folder, notebooks)
    assert not list(folder.glob(".page-*"))


def test_progress_passes_over_half_a_line_and_shows_escapes_as_text(tmp_path):
    stream = io.StringIO()
    with Progress(tmp_path / "events.jsonl", stream=stream):
        lines = ['{"event": "st', json.dumps(event("one", "ok", detail="\x1b]0;t\x07\x9b2J\u202e"))]
        (tmp_path / "events.jsonl").write_text("".join(line + "\n" for line in lines))
    assert stream.getvalue().count("\n") == 1
    assert "^[]0;t<U+009B>2J<U+202E>" in stream.getvalue()
    assert not set("\x1b\x07\x9b\u202e") & set(stream.getvalue())


def test_a_notebook_that_is_exported_brings_the_rules_that_make_nbconvert_s_colours_readable(
    tmp_path,
):
    rules = exported(PAGE).removesuffix("}").split("}")
    assert all(one.startswith(PAGE) for rule in rules for one in rule.partition("{")[0].split(","))
    assert any(".highlight .c1" in rule and "color-mix" in rule for rule in rules)
    # What the rules select is there in a page of nbconvert, and in no front end.
    exporter = nbconvert.HTMLExporter(template_name="lab")
    text, _ = exporter.from_filename(write_run(tmp_path)[0])
    body, _, name = PAGE.strip().partition(".")
    assert re.search(rf'<{body} class="{name}"', text)
    paper = re.findall(r"([^{}]+)\{[^{}]*\}", printed(PAGE).partition("10mm}")[2])
    assert len(paper) > 8 and all(
        one.startswith(PAGE) for rule in paper for one in re.split(r",(?![^(]*\))", rule)
    )
