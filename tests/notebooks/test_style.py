"""The notebooks' style, cell by cell: what a reader and papermill can count on."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from k8swin_nb.description import Description
from k8swin_nb.notebook.parameter_cell import ALL, parameters_cell, this_notebook_cell
from k8swin_nb.phases.catalogue import PHASES

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
PHASE_PATHS = [path for path in PATHS if not path.stem.startswith("00")]
FORBIDDEN = re.compile(
    r"\b(simply|just|easy|easily|obviously|of course)\b|!(?=\s|$)", re.IGNORECASE
)


def read(path: Path):
    return nbformat.read(path, as_version=4)


def tagged(path: Path, tag: str) -> list:
    return [cell for cell in read(path).cells if tag in cell.metadata.get("tags", [])]


def test_there_is_a_notebook_for_every_phase():
    assert [path.stem for path in PHASE_PATHS] == [phase.name for phase in PHASES]


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_it_is_valid_and_has_no_outputs(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_cell_ids_are_words_and_unique(path):
    ids = [cell.id for cell in read(path).cells]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in ids)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_there_is_one_first_heading_and_it_comes_first(path):
    headings = [
        line
        for cell in read(path).cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("# ")
    ]
    assert len(headings) == 1
    assert read(path).cells[0].source.startswith(headings[0])


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_prose_does_not_talk_down(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            text = re.sub(r"`[^`]*`", "", cell.source)
            assert not FORBIDDEN.search(text), FORBIDDEN.search(text)


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_every_link_to_another_notebook_resolves(path):
    for cell in read(path).cells:
        for target in re.findall(r"\]\(([^)#:]+\.ipynb)\)", cell.source):
            assert (FOLDER / target).exists(), target


@pytest.mark.parametrize("path", PHASE_PATHS, ids=lambda p: p.stem)
def test_every_parameter_is_typed_explained_and_known(path):
    (cell,) = tagged(path, "parameters")
    first, *lines = cell.source.splitlines()
    # What papermill knows is folded away; the first line stands in its place.
    assert first == ALL and cell.metadata.jupyter.source_hidden
    names = set()
    for line in lines:
        match = re.fullmatch(r"(\w+): (str|bool|int|list|dict) = (\S+)  # \S.*", line)
        assert match, line
        assert line.count("=") == 1, line
        names.add(match.group(1))
    # papermill only warns of a parameter that a notebook does not declare.
    assert names >= set(Description.model_fields)
    assert cell.source == parameters_cell(path.stem), "run `make notebooks`"
    for description in (ROOT / "params").glob("*.yaml"):
        keys = set(yaml.safe_load(description.read_text()))
        assert keys <= names or ("artifacts" in keys and "hosts" not in keys)


@pytest.mark.parametrize("path", PHASE_PATHS, ids=lambda p: p.stem)
def test_what_the_notebook_is_about_is_shown_behind_papermill_s_cells_and_assigns_nothing(path):
    cells = read(path).cells
    (cell,) = tagged(path, "this-notebook")
    assert cell.source == this_notebook_cell(path.stem), "run `make notebooks`"
    assert cells.index(cell) == cells.index(tagged(path, "parameters")[0]) + 1
    assert len(cell.source.splitlines()) <= 10
    known = set(re.findall(r"^(\w+):", tagged(path, "parameters")[0].source, re.MULTILINE))
    for node in ast.parse(cell.source).body:
        assert isinstance(node, ast.AnnAssign) and node.value is None
        assert node.target.id in known


def test_only_what_is_about_one_worker_takes_its_address():
    for path in PHASE_PATHS:
        (cell,) = tagged(path, "parameters")
        takes = re.search(r"^ip: str", cell.source, re.MULTILINE) is not None
        assert takes == path.stem.startswith(("04_join", "90_")), path.stem


@pytest.mark.parametrize("path", PHASE_PATHS, ids=lambda p: p.stem)
def test_the_setup_differs_by_the_phase_alone(path):
    (cell,) = tagged(path, "setup")
    assert cell.source.replace(path.stem, "PHASE") == (
        '%load_ext k8swin_nb\nfrom k8swin_nb import open_phase\n\nphase = open_phase("PHASE")'
    )


WIDEST = 96
"""Characters of a line that JupyterLab shows whole in a window of 1,400 pixels."""


@pytest.mark.parametrize("path", PHASE_PATHS, ids=lambda p: p.stem)
def test_every_step_is_titled_explained_and_applied_in_order(path):
    (phase,) = [phase for phase in PHASES if phase.name == path.stem]
    cells = read(path).cells
    sources = [cell.source for cell in cells]
    applied = [
        tuple(re.findall(r'"([\w-]+)"', names))
        for names in re.findall(r"^phase\.apply\(([^)]*)\)$", "\n".join(sources), re.MULTILINE)
    ]
    assert applied == [names for _, names in phase.sections()]
    assert [name for names in applied for name in names] == [step.name for step in phase.steps]
    begins = [re.match(r"phase\.apply\([^)]*\)", source) for source in sources]
    cells = {" ".join(begin[0].split()): n for n, begin in enumerate(begins) if begin}
    for heading, names in phase.sections():
        quoted = ", ".join(f'"{name}"' for name in names)
        position = cells[f"phase.apply({quoted})"]
        assert max(map(len, sources[position].splitlines())) <= WIDEST
        first, _, prose = sources[position - 1].partition("\n\n")
        assert first == f"## {heading}"
        explained = re.findall(r"^- \*\*(.+?)\.\*\* \S", prose, re.MULTILINE)
        assert explained == [phase.step(name).title for name in names if len(names) > 1]
        assert prose.strip()


@pytest.mark.parametrize("path", PHASE_PATHS, ids=lambda p: p.stem)
def test_code_cells_are_short_and_follow_prose(path):
    before = None
    for cell in read(path).cells:
        if cell.cell_type == "code":
            tags = cell.metadata.get("tags", [])
            if "parameters" not in tags:
                assert len(cell.source.splitlines()) <= 12
            if not tags and not cell.source.startswith("%"):
                for node in ast.walk(ast.parse(cell.source)):
                    assert not isinstance(
                        node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.Try
                    )
            assert before is not None
        before = cell


@pytest.mark.parametrize("path", PHASE_PATHS, ids=lambda p: p.stem)
def test_it_ends_with_the_summary_and_what_to_do_if_it_fails(path):
    cells = read(path).cells
    assert [cell.id for cell in cells[-4:]] == [
        "summary-text",
        "summary",
        "if-it-fails",
        "navigation",
    ]


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_bash_cells_pass_shellcheck(path):
    for cell in read(path).cells:
        if cell.source.startswith(("%%remote_bash", "%%bash")):
            body = cell.source.partition("\n")[2]
            done = subprocess.run(
                [Path(sys.executable).parent / "shellcheck", "--shell=bash", "-"],
                input=body,
                text=True,
                capture_output=True,
            )
            assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", PHASE_PATHS[:7], ids=lambda p: p.stem)
def test_what_builds_a_cluster_is_short(path):
    # With some 40 pixels a cell, and its prose, 01 to 06 are below 24,000 pixels in JupyterLab after a run.
    assert len(read(path).cells) <= 26
