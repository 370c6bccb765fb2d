"""A session at a desk: the copy of the notebooks, its run, and the page that is written as one goes."""

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml

from k8swin_nb.__main__ import main
from k8swin_nb.errors import ParamsError
from k8swin_nb.headless import desk, run_page
from k8swin_nb.headless.desk import copy_of, prepare
from k8swin_nb.headless.run_page import find_run, renew, run_notebooks_in, write_run_page
from k8swin_nb.notebook.session import SESSION_FILE, session_folder
from k8swin_nb.project import begin
from k8swin_nb.workflow.record import Record
from tests.conftest import ROOT
from tests.test_description import described


@pytest.fixture
def project(tmp_path, monkeypatch):
    begin(tmp_path)
    (tmp_path / "params" / "mine.yaml").write_text(yaml.safe_dump(described()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def notebook(path: Path, *outputs: str) -> None:
    cells = [
        nbformat.v4.new_code_cell(
            "x", execution_count=1, outputs=[nbformat.v4.new_output("stream", text=text)]
        )
        for text in outputs
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def parameters(path: Path, tag: str = "parameters") -> str:
    cells = nbformat.read(path, as_version=4).cells
    return next(cell.source for cell in cells if tag in cell.metadata.get("tags", []))


def test_a_copy_names_the_description_and_the_projects_notebooks_stay_as_they_are(project):
    before = {path: path.read_bytes() for path in (project / "notebooks").iterdir()}
    folder = prepare(project, project / "params" / "mine.yaml", None)
    assert folder.parent == project / "runs"
    assert {path.name for path in folder.glob("*.ipynb")} == {path.name for path in before}
    for path in folder.glob("0[1-9]*.ipynb"):
        assert 'params_file: str = "params/mine.yaml"  #' in parameters(path)
        told = parameters(path, "this-notebook")
        assert '"params/mine.yaml" without a value' in told and "lab.yaml" not in told
    assert {path: path.read_bytes() for path in (project / "notebooks").iterdir()} == before
    assert json.loads((folder / SESSION_FILE).read_text()) == {"params": "params/mine.yaml"}


def test_a_copy_has_no_outputs_and_its_links_lead_to_the_same_files(tmp_path):
    path = tmp_path / "01_x.ipynb"
    notebook(path, "old output")
    read = nbformat.read(path, as_version=4)
    text = "[a](../docs/a.md) [b](02_master.ipynb) [c](../../up.md) ../params/mine.yaml"
    read.cells.append(nbformat.v4.new_markdown_cell(text))
    nbformat.write(read, path)
    copied = nbformat.reads(copy_of(path, "params/lab.yaml"), as_version=4)
    nbformat.validate(copied)
    assert copied.cells[0].outputs == [] and copied.cells[0].execution_count is None
    assert copied.cells[1].source.startswith(
        "[a](../../docs/a.md) [b](02_master.ipynb) [c](../../../up.md) ../params/"
    )


def test_every_relative_link_of_the_notebooks_leads_somewhere_from_the_copy(project):
    folder = prepare(project, None, None)
    for path in folder.glob("*.ipynb"):
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text()):
            found = (folder / target).resolve()
            assert found.exists() or (ROOT / found.relative_to(project)).exists(), target


def test_a_copy_for_a_site_of_ones_own_starts_no_lab(project):
    for params, has in ((project / "params" / "mine.yaml", False), (None, True)):
        text = (prepare(project, params, None) / "00_start_here.ipynb").read_text()
        assert ("k8swin lab up" in text) is has


def test_a_session_goes_on_with_its_notebooks_and_completes_what_is_missing(project):
    folder = prepare(project, None, None)
    notebook(folder / "02_master.ipynb", "done")
    (folder / "03_flannel.ipynb").unlink()
    assert prepare(project, None, folder.name) == folder
    assert prepare(project, project / "params" / "lab.yaml", folder.name) == folder
    assert "done" in (folder / "02_master.ipynb").read_text()
    assert (folder / "03_flannel.ipynb").is_file()
    assert prepare(project, None, None) != folder
    with pytest.raises(ParamsError, match=r"is about `params/lab.yaml`, not about `params/mine"):
        prepare(project, project / "params" / "mine.yaml", folder.name)
    with pytest.raises(ParamsError, match="no run `gone`"):
        prepare(project, None, "gone")
    runs = sorted((project / "runs").iterdir())
    (project / "notebooks" / "90_teardown.ipynb").write_text("[]")
    with pytest.raises(ParamsError, match="is no notebook that can be copied"):
        prepare(project, None, None)
    assert sorted((project / "runs").iterdir()) == runs, "a session that cannot begin leaves no run"


def test_what_is_wrong_with_a_description_is_said_and_only_one_that_is_no_file_hinders(
    project, capsys
):
    broken = project / "params" / "broken.yaml"
    broken.write_text("hosts: []\ntopologi: l3\n")
    prepare(project, broken, None)
    assert "topologi" in capsys.readouterr().err
    with pytest.raises(ParamsError, match="cannot read"):
        prepare(project, project / "params" / "gone.yaml", None)


def test_kernels_in_the_folder_of_a_session_and_of_its_server_belong_to_the_run(
    project, monkeypatch
):
    runs, folder = project / "runs", prepare(project, None, None)
    assert session_folder(runs) is None
    monkeypatch.chdir(folder)
    assert session_folder(runs) == folder
    (folder / "mine").mkdir()
    monkeypatch.chdir(folder / "mine")
    assert session_folder(runs) == folder
    assert session_folder(project / "other") is None
    monkeypatch.chdir(project)
    monkeypatch.setenv("K8SWIN_RUN", str(folder))
    assert session_folder(runs) is None, "papermill in a terminal of JupyterLab"
    monkeypatch.setenv("JPY_SESSION_NAME", str(project / "own.ipynb"))
    assert session_folder(runs) == folder
    (folder / SESSION_FILE).unlink()
    assert session_folder(runs) is None


def test_without_jupyterlab_a_desk_says_what_to_install(project, monkeypatch, capsys):
    monkeypatch.setattr(desk, "find_spec", lambda name: None)
    assert main(["desk"]) == 2
    assert 'pip install "k8swin_nb[desk]"' in capsys.readouterr().err
    assert not (project / "runs").exists()


def test_what_follows_two_dashes_is_jupyterlabs_and_the_page_is_written_at_its_end(
    project, monkeypatch, capsys
):
    seen = {}

    class JupyterLab:
        def __init__(self, command, cwd, env):
            seen.update(command=command, cwd=cwd, run=Path(env["K8SWIN_RUN"]))

        def wait(self, timeout):
            notebook(seen["run"] / "01_network.ipynb", "seen at the desk")
            return 0

    how = {"Popen": JupyterLab, "TimeoutExpired": subprocess.TimeoutExpired}
    monkeypatch.setattr(desk, "subprocess", SimpleNamespace(**how))
    assert main(["desk", "--no-browser", "--", "--port", "9999", "--run"]) == 0
    assert seen["command"][-4:] == ["--no-browser", "--port", "9999", "--run"]
    assert f"--ServerApp.root_dir={project}" in seen["command"] and seen["cwd"] == project
    assert "seen at the desk" in (seen["run"] / "index.html").read_text()
    assert f"k8swin desk --run {seen['run'].name}" in capsys.readouterr().out


def test_the_page_of_a_run_is_of_what_was_executed_and_names_what_is_half(project, capsys):
    folder = prepare(project, None, None)
    with pytest.raises(ParamsError, match="there is nothing to show"):
        write_run_page(folder)
    notebook(folder / "02_master.ipynb", "the second")
    notebook(folder / "01_network.ipynb", "the first")
    assert main(["page", folder.name]) == 0
    page = (folder / "index.html").read_text()
    assert page.index("the first") < page.index("the second") and "03_flannel" not in page
    (folder / "03_flannel.ipynb").write_text('{"cells": [{"cell_ty')
    assert main(["page", str(folder)]) == 1
    assert "03_flannel.ipynb cannot be read" in capsys.readouterr().err
    assert "03_flannel.ipynb cannot be read" in (folder / "index.html").read_text()


def test_a_run_of_a_record_alone_has_a_page_of_it(project, capsys):
    Record(project / "runs", "r1", "papermill").opened(phase="01_network")
    assert main(["page", "r1"]) == 0
    assert "no executed notebook is in its folder" in capsys.readouterr().err
    assert (project / "runs" / "r1" / "index.html").is_file()


def test_an_unknown_run_is_told_with_the_nearest_name(project, capsys):
    (project / "runs" / "20261130-054950-1b57").mkdir(parents=True)
    assert main(["page", "20261130-054950-1b58"]) == 2
    told = capsys.readouterr().err
    assert "no run `20261130-054950-1b58`" in told and "mean `20261130-054950-1b57`?" in told
    for odd in ("", ".", "..", "x\0y", "../elsewhere"):
        with pytest.raises(ParamsError, match="no run"):
            find_run(project / "runs", odd)


def test_who_asks_for_a_page_that_is_being_written_is_served_by_that_writer(tmp_path, monkeypatch):
    began, go_on, written = threading.Event(), threading.Event(), []

    def write(folder):
        written.append(folder)
        began.set()
        assert go_on.wait(100)

    monkeypatch.setattr(run_page, "write_run_page", write)
    first = threading.Thread(target=renew, args=(tmp_path,))
    first.start()
    assert began.wait(100)
    renew(tmp_path)  # comes back at once
    assert len(written) == 1
    go_on.set()
    first.join(100)
    assert len(written) == 2


def test_the_background_writer_writes_a_whole_page_and_fails_without_a_word(project):
    folder = prepare(project, None, None)
    notebook(folder / "01_network.ipynb", "from beside")
    command = [sys.executable, "-m", "k8swin_nb.headless.run_page"]
    how = {"capture_output": True, "text": True, "env": {**os.environ}}
    done = subprocess.run([*command, str(folder)], **how)
    assert (done.returncode, done.stderr) == (0, "")
    assert "from beside" in (folder / "index.html").read_text()
    done = subprocess.run([*command, str(folder / "gone")], **how)
    assert (done.returncode, done.stderr) == (1, "")
    assert [path.name for path in run_notebooks_in(folder)[0]] == ["01_network.ipynb"]
