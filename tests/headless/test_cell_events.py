"""An executed notebook beside the record of its run: what papermill, nbconvert and nbclient keep agrees with what the kernel showed."""

import copy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from k8swin_nb.workflow.cell_compare import compare_notebook
from k8swin_nb.workflow.record import read_events
from tests.test_description import described

CANARY = "Nicht-in-der-Zelle-7"

CELLS = {
    "a bar": "import sys, time\nfor n in (5, 50, 100):\n    sys.stdout.write(f'\\r{n} % of it')\n    sys.stdout.flush(); time.sleep(0.25)\nprint()",
    "over longer": "print('a long line of it\\rshort')\nprint('x\\r\\ny')",
    "both streams": "print('one')\nprint('two', file=sys.stderr)\nprint('three')",
    "empty": "pass",
    "a value": "{'a': [1, 2.0, 1e20]}",
    "a table": "import pandas; pandas.DataFrame({'a': [1, 2], 'b': ['x\\ny', 'ü😀']})",
    "JSON": "from IPython.display import JSON; JSON({'a': [1.0, 10**20, None, True], 'b': ['x', 'y']})",
    "a picture": "from IPython.display import Image\nimport base64\nImage(data=base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='))",
    "cleared": "from IPython.display import clear_output\nprint('gone'); clear_output(); print('stays'); clear_output(wait=True)\nprint('instead')",
    "cleared late": "print('stays too'); clear_output(wait=True)",
    "an object": "handle = display({'text/plain': 'first', 'text/html': '<b>first</b>'}, raw=True, display_id=True)",
    "shown twice": "display({'text/plain': 'second'}, raw=True, display_id=handle.display_id)",
    "updated later": "handle.update({'text/plain': 'third'}, raw=True)\nprint('updated')",
    "a widget": "import ipywidgets; display(ipywidgets.IntSlider(3)); print('beside it')",
    "an output widget": "out = ipywidgets.Output(); display(out)\nwith out:\n    print('within')\nprint('outside')",
    "widgets that are collected": "import gc\nfor n in range(30):\n    one = ipywidgets.Output(); one.me = one; del one; print('gone', n); gc.collect()",
    "help": "len?",
    "many": "for n in range(20000): print('line', n)",
    "a secret": "print('-'.join(['Nicht', 'in', 'der', 'Zelle', '7']))",
    "asked in the source": "'Nicht-in-der-Zelle-7'[:0]",
    "a program": "import subprocess; subprocess.run(['sh', '-c', 'echo from a program; echo err >&2'])",
    "captured": "%%capture\nprint('nobody sees it')",
    "a thread": "import threading\nt = threading.Thread(target=lambda: print('from a thread')); t.start(); t.join()",
    "an error": "raise ValueError('ü\\x1b[31mred\\x1b[0m')",
}

SETUP = """\
%load_ext k8swin_nb
from k8swin_nb import Secret, open_phase
word = Secret("-".join(["Nicht", "in", "der", "Zelle", "7"]))
phase = open_phase("01_network")
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "params").mkdir()
    (folder / "params/own.yaml").write_text(yaml.safe_dump(described(cluster_name="own")))
    return folder


def written(folder: Path, run: str) -> nbformat.NotebookNode:
    parameters = f'params_file: str = "params/own.yaml"\ndry_run: bool = True\nruns: str = "runs"\nrun_id: str = "{run}"'
    first = nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
    sources = [SETUP, *CELLS.values()]
    cells = [nbformat.v4.new_markdown_cell("# title"), first]
    notebook = nbformat.v4.new_notebook(
        cells=cells + [nbformat.v4.new_code_cell(source) for source in sources],
        metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    )
    nbformat.write(notebook, folder / f"{run}.ipynb")
    return notebook


def by_papermill(folder: Path, run: str) -> Path:
    out = folder / f"{run}-out.ipynb"
    command = [sys.executable, "-m", "papermill", f"{run}.ipynb", str(out), "-p", "reason", "why"]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=300)
    return out


def by_nbconvert(folder: Path, run: str, *more: str) -> Path:
    out = folder / f"{run}-out.ipynb"
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--execute", "--allow-errors"]
    command += ["--to", "notebook", f"{run}.ipynb", "--output", out.name, *more]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
    return out


def by_nbconvert_joined(folder: Path, run: str) -> Path:
    return by_nbconvert(folder, run, "--coalesce-streams")


def events(folder: Path, run: str) -> list[dict[str, Any]]:
    return read_events(folder / "runs" / run / "events.jsonl")


@pytest.mark.parametrize("front_end", [by_papermill, by_nbconvert, by_nbconvert_joined])
def test_what_a_front_end_keeps_agrees_with_the_record(
    project: Path, front_end: Callable[[Path, str], Path]
) -> None:
    run = front_end.__name__
    written(project, run)
    notebook = nbformat.read(front_end(project, run), as_version=4)
    told = events(project, run)
    assert [one.told for one in compare_notebook(notebook, told)] == []
    ended = [event for event in told if event["event"] == "cell"]
    executed = [cell for cell in notebook.cells if cell.get("execution_count")]
    assert [event["cell"] for event in ended] == [cell.execution_count for cell in executed]
    assert len(ended) >= len(CELLS) + 2
    assert ended[-1]["ended"] == "error" and ended[-1]["error_kind"] == "ValueError"
    followed = [event["followed"] for event in ended]
    assert followed.index("whole") == followed.count("not") > 0 == followed.count("in part")
    assert ended[0]["before"] and ended[0]["source"].startswith("params_file")
    assert any(event["event"] == "cell-updated" for event in told)
    text = (project / "runs" / run / "events.jsonl").read_text()
    assert CANARY not in text and "*****" in text


@pytest.fixture(scope="module")
def executed(project: Path) -> tuple[nbformat.NotebookNode, list[dict[str, Any]]]:
    written(project, "forged")
    return nbformat.read(by_papermill(project, "forged"), as_version=4), events(project, "forged")


def _digits(text: str) -> str:
    for digit in "0123456789":
        if digit in text:
            return text.replace(digit, str((int(digit) + 1) % 10), 1)
    return text[:-1] + chr(ord(text[-1]) + 1)


def test_a_changed_character_is_found_wherever_it_stands(executed: Any) -> None:
    notebook, told = executed
    changed = 0
    for index, cell in enumerate(notebook.cells):
        for number, output in enumerate(cell.get("outputs", ())):
            texts: list[tuple[str, str]] = []
            if cell.source == CELLS["a bar"]:
                continue  # what is written over, nobody sees
            if output.output_type == "stream":
                texts = [("text", "")]
            elif output.output_type == "error":
                texts = [("ename", ""), ("evalue", ""), ("traceback", "")]
            else:
                texts = [("data", form) for form in output.data if "widget-view" not in form]
            for name, form in texts:
                forged = copy.deepcopy(notebook)
                mine = forged.cells[index].outputs[number]
                if name == "traceback":
                    mine.traceback[-1] += "."
                elif form.endswith("json"):
                    mine.data[form] = {"a": [2.0]}
                elif form:
                    mine.data[form] = _digits(mine.data[form])
                elif mine[name].strip():
                    mine[name] = _digits(mine[name])
                else:
                    continue
                found = compare_notebook(forged, told)
                assert [one.kind for one in found] == ["output"], (cell.source, name, form)
                assert found[0].place == index + 1 and found[0].cell == cell.execution_count
                changed += 1
    assert changed > 25


def forgeries() -> dict[str, tuple[Callable[[Any], None], set[str]]]:
    def cell(notebook: Any, name: str) -> Any:
        return next(one for one in notebook.cells if one.source == CELLS[name])

    def source(notebook: Any) -> None:
        cell(notebook, "both streams").source = "print('another')"

    def masked_source(notebook: Any) -> None:
        cell(notebook, "asked in the source").source = "'x'[:1]"

    def removed(notebook: Any) -> None:
        notebook.cells.remove(cell(notebook, "a value"))

    def added(notebook: Any) -> None:
        one = nbformat.v4.new_code_cell("print('all is well')", execution_count=99)
        one.outputs = [nbformat.v4.new_output("stream", text="all is well\n")]
        notebook.cells.append(one)

    def twice(notebook: Any) -> None:
        notebook.cells.append(copy.deepcopy(cell(notebook, "both streams")))

    def moved(notebook: Any) -> None:
        one = cell(notebook, "a value")
        notebook.cells.remove(one)
        notebook.cells.insert(3, one)

    def cleared(notebook: Any) -> None:
        one = cell(notebook, "both streams")
        one.outputs, one.execution_count = [], None

    def fewer(notebook: Any) -> None:
        cell(notebook, "both streams").outputs.pop(0)

    def streams(notebook: Any) -> None:
        cell(notebook, "both streams").outputs[1].name = "stdout"

    def extra(notebook: Any) -> None:
        cell(notebook, "empty").outputs = [nbformat.v4.new_output("stream", text=" ")]

    def typed(notebook: Any) -> None:
        output = nbformat.v4.new_output("stream", name="stdin", text="yes\n")
        cell(notebook, "empty").outputs = [output]

    def earlier(notebook: Any) -> None:
        cell(notebook, "an error").execution_count = 0

    def parameters(notebook: Any) -> None:
        first = next(one for one in notebook.cells if one.source.startswith("params_file"))
        first.source = first.source.replace("own.yaml", "its.yaml")

    def another(notebook: Any) -> None:
        for one in notebook.cells:
            if one.cell_type == "code":
                one.source += "\n1"

    return {
        "source": (source, {"source"}),
        "a source that is masked in the record": (masked_source, {"source"}),
        "removed": (removed, {"removed"}),
        "added": (added, {"added"}),
        "twice": (twice, {"added"}),
        "moved": (moved, {"moved"}),
        "cleared": (cleared, {"output"}),
        "an output fewer": (fewer, {"output"}),
        "another stream": (streams, {"output"}),
        "a blank more": (extra, {"output"}),
        "an answer that nobody gave": (typed, {"output"}),
        "before the record": (earlier, {"unknown", "removed"}),
        "a parameter before the record": (parameters, {"source"}),
        "another notebook": (another, {"notebook"}),
    }


@pytest.mark.parametrize("name", forgeries())
def test_a_forged_notebook_is_told_by_what_was_done_to_it(executed: Any, name: str) -> None:
    notebook, told = executed
    forge, kinds = forgeries()[name]
    forged = copy.deepcopy(notebook)
    forge(forged)
    found = compare_notebook(forged, told)
    # What was moved leaves its neighbours behind it.
    assert {one.kind for one in found} - {"moved"} == kinds - {"moved"}, found
    assert found and all(one.told for one in found)


def test_a_template_and_a_record_without_cells_are_told(executed: Any, project: Path) -> None:
    notebook, told = executed
    bare = nbformat.read(project / "forged.ipynb", as_version=4)
    assert [one.kind for one in compare_notebook(bare, told)] == ["notebook"]
    assert compare_notebook(bare, []) == []
    assert [one.kind for one in compare_notebook(notebook, [])] == ["unknown"]
    tail = [event for event in told if event.get("cell", 0) < 9]
    assert {one.kind for one in compare_notebook(notebook, tail)} == {"added"}
    started = [event for event in told if event["event"] != "cell" or event["cell"] != 9]
    assert [one.kind for one in compare_notebook(notebook, started)] == ["unknown"]
