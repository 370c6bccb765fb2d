"""Which notebooks a run executes, and for whom."""

import os
import threading
from pathlib import Path

import nbformat
import pytest
import yaml

from k8swin_nb.description import check_description
from k8swin_nb.errors import K8swinError, ParamsError
from k8swin_nb.headless import notebooks as runner
from k8swin_nb.headless.notebooks import (
    DEFAULT,
    ORDER,
    Executed,
    plan_notebooks,
    print_failure,
    run_notebooks,
)
from k8swin_nb.phases.catalogue import PHASES
from tests.test_description import described

ROOT = Path(__file__).parent.parent.parent


def test_every_phase_has_its_place_in_the_order():
    assert list(ORDER) == [phase.name for phase in PHASES]


def test_a_run_goes_from_the_plan_to_the_proof_and_leaves_out_what_must_be_named():
    assert DEFAULT[0] == "01_network"
    assert DEFAULT[-1] == "06_verify"
    assert "07_dashboard" in set(ORDER) - set(DEFAULT)


def test_each_worker_is_joined_and_everything_else_runs_once():
    planned = plan_notebooks(check_description(described()), DEFAULT)
    assert ("04_join_windows", "04_join_windows-winworker01", "10.1.0.3") in planned
    assert [name for name, _, _ in planned].count("06_verify") == 1


def test_workers_that_join_side_by_side_leave_the_working_directory_alone(tmp_path, monkeypatch):
    """papermill enters a folder and goes back to where it came from, for each of them."""
    both = threading.Barrier(2)
    told = []

    def execute(notebook, output, root, parameters, stop, kernels):
        come_from = Path.cwd()
        os.chdir(notebook.parent)
        both.wait(100)
        os.chdir(come_from if output.stem.endswith("winworker01") else root)
        both.wait(100)
        os.chdir(notebook.parent)
        told.append(parameters["runs"])
        return Executed(output.stem, output, None)

    hosts = [
        *described()["hosts"],
        {**described()["hosts"][-1], "name": "winworker02", "address": "10.1.0.4"},
    ]
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(described(hosts=hosts)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runner, "_execute", execute)
    monkeypatch.setattr(runner.RunPage, "write", lambda self, notebooks: None)
    folder, executed = run_notebooks(
        ROOT / "notebooks", Path("mine.yaml"), Path("runs"), names=["04_join_windows"]
    )
    assert len(executed) == 2
    assert Path.cwd() == tmp_path
    assert folder.parent == tmp_path / "runs"
    assert told == [str(tmp_path / "runs")] * 2


@pytest.mark.notebook
def test_an_error_of_several_hosts_is_told_in_full(tmp_path, capsys):
    source = (
        "from k8swin_nb.errors import MultiHostError, StepFailed\n"
        "raise MultiHostError({h: StepFailed(phase='04', step='cni', host=h, detail=f'why of {h}') "
        "for h in ('winworker01', 'winworker02')})"
    )
    cell = nbformat.v4.new_code_cell(source)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
    nbformat.write(notebook, tmp_path / "01_network.ipynb")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(described()))
    _, executed = run_notebooks(
        tmp_path, tmp_path / "mine.yaml", tmp_path / "runs", names=["01_network"]
    )
    progress = capsys.readouterr().out
    assert (
        "01_network failed: MultiHostError: 2 hosts failed: winworker01, winworker02\n" in progress
    )
    assert print_failure(executed) == 1
    told = capsys.readouterr().err
    assert "why of winworker01" in told
    assert "why of winworker02" in told


def test_an_unknown_notebook_is_refused_with_the_order(tmp_path):
    with pytest.raises(ParamsError, match="no notebook `06_verfy`") as caught:
        run_notebooks(
            ROOT / "notebooks", ROOT / "params" / "lab.yaml", tmp_path, names=["06_verfy"]
        )
    assert "06_verify" in caught.value.hint


def test_notebooks_that_are_not_there_are_missed_before_anything_runs(tmp_path):
    with pytest.raises(ParamsError, match=r"no `02_master\.ipynb` in"):
        run_notebooks(
            tmp_path, ROOT / "params" / "lab.yaml", tmp_path / "runs", names=["02_master"]
        )
    assert not (tmp_path / "runs").exists()


@pytest.mark.notebook
def test_a_runs_folder_that_vanishes_is_told_beside_the_cells_own_error_and_not_made_again(
    tmp_path,
):
    source = (
        "import pathlib, shutil\nshutil.rmtree(next(pathlib.Path(runs).iterdir()))\n"
        "raise RuntimeError('the host is on fire')"
    )
    given = nbformat.v4.new_code_cell("runs = None", metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[given, nbformat.v4.new_code_cell(source)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
    nbformat.write(notebook, tmp_path / "01_network.ipynb")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(described()))
    # papermill takes what is in braces for the name of a parameter.
    runs = tmp_path / "r{u}n s"
    folder, executed = run_notebooks(tmp_path, tmp_path / "mine.yaml", runs, names=["01_network"])
    notebook_error, page_error = (item.error or "" for item in executed)
    assert f"cannot write `{folder}/01_network.ipynb`: No such file" in notebook_error
    assert "before that: RuntimeError: the host is on fire" in notebook_error
    assert "hint: " in notebook_error and "index.html" in page_error
    assert not folder.exists()


def test_an_executed_notebook_is_written_whole_or_stays_as_it_was(tmp_path, monkeypatch):
    from papermill.iorw import papermill_io

    from k8swin_nb.headless import engine

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "01_network.ipynb"
    assert isinstance(papermill_io.get_handler(str(path)), engine.WholeFiles)
    papermill_io.write("{}", str(path))
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(K8swinError, match="No space left"):
        papermill_io.write("x" * 100_000, str(path))
    assert path.read_text() == "{}" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["runs", "params"])
def test_a_path_that_no_notebook_can_be_told_is_refused_before_anything_is_made(tmp_path, place):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(described()))
    odd.mkdir()
    (odd / "mine.yaml").write_text(yaml.safe_dump(described()))
    params = (odd if place == "params" else tmp_path) / "mine.yaml"
    runs = (odd if place == "runs" else tmp_path) / "runs"
    with pytest.raises(ParamsError, match="not in UTF-8") as caught:
        run_notebooks(ROOT / "notebooks", params, runs, names=["01_network"])
    assert "rename" in caught.value.hint
    assert not runs.exists()


@pytest.mark.notebook
def test_a_notebook_works_in_the_project_and_not_where_it_lies(tmp_path, monkeypatch):
    source = "from pathlib import Path\nPath('here').touch()"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
    notebooks, project = tmp_path / "elsewhere", tmp_path / "project"
    notebooks.mkdir()
    (project / "params").mkdir(parents=True)
    nbformat.write(notebook, notebooks / "01_network.ipynb")
    (project / "params" / "mine.yaml").write_text(yaml.safe_dump(described()))
    monkeypatch.chdir(project / "params")
    _, executed = run_notebooks(
        notebooks, Path("mine.yaml"), project / "runs", names=["01_network"]
    )
    assert [item.error for item in executed] == [None]
    assert (project / "here").exists()
