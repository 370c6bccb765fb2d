"""Saves of a notebook that runs: what is in its file is what the notebook is, and little of it is written out anew."""

import nbformat
from papermill.engines import NotebookExecutionManager

from k8swin_nb.headless.saving import Saving


def test_each_save_holds_what_the_notebook_is_and_writes_out_the_cell_that_runs(
    tmp_path, monkeypatch
):
    path = tmp_path / "out.ipynb"
    texts = ["1", 'x = """\n ],\n[\n"""', "# ç 漢", "2"]
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# T"),
            *(nbformat.v4.new_code_cell(text) for text in texts),
        ],
        metadata={"papermill": {}},
    )
    manager = NotebookExecutionManager(notebook, str(path), progress_bar=False)
    manager.notebook_start()
    writes, written = nbformat.writes, []
    monkeypatch.setattr(nbformat, "writes", lambda nb: written.append(nb) or writes(nb))
    saving = Saving(manager)
    with saving.instead():
        for index, cell in enumerate(notebook.cells):
            saving.runs(index)
            manager.cell_start(cell, index)
            assert path.read_text() == writes(notebook)
            if cell.cell_type == "code":
                cell.outputs.append(nbformat.v4.new_output("stream", text="said\n ],\n"))
                manager.autosave_cell_every = 1e-9
                manager.autosave_cell()
                assert path.read_text() == writes(notebook)
            manager.cell_complete(cell, index)
            assert path.read_text() == writes(notebook)
    cells = len(notebook.cells)
    assert all(len(nb.cells) == 1 for nb in written)
    assert len(written) <= cells + 4 * cells
    notebook.cells[1].outputs.clear()  # as a display that is updated later
    manager.notebook_complete()
    assert path.read_text() == writes(notebook)


def test_a_notebook_without_cells_is_saved(tmp_path):
    notebook = nbformat.v4.new_notebook(metadata={"papermill": {}})
    manager = NotebookExecutionManager(notebook, str(tmp_path / "out.ipynb"), progress_bar=False)
    assert Saving(manager).text() == nbformat.writes(notebook)
