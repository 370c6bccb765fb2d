"""A notebook that JupyterLab runs and saves, in a real browser: what it keeps agrees with the record, and a forgery does not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from k8swin_nb.workflow.cell_compare import compare_notebook
from k8swin_nb.workflow.record import read_events
from tests.browser.test_jupyterlab import (
    ARGUMENTS,
    CHROMIUM,
    RUN,
    SETTINGS,
    START,
    Desk,
    address_of,
    free_port,
    open_notebook,
    run_all_cells,
    wait_for,
)
from tests.headless.test_cell_events import CELLS, SETUP
from tests.test_description import described

pytestmark = [
    pytest.mark.browser,
    pytest.mark.notebook,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on PATH, and K8SWIN_CHROMIUM names none"),
]

PARAMETERS = 'params_file: str = "params/own.yaml"\ndry_run: bool = True\nruns: str = "runs"'

WIDGET = """\
import ipywidgets
out = ipywidgets.Output()
display(out)
with out:
    print("into the widget")
print("beside it")"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "params").mkdir()
    (tmp_path / "params/own.yaml").write_text(yaml.safe_dump(described(cluster_name="own")))
    sources = [PARAMETERS, SETUP]
    sources += [source for name, source in CELLS.items() if name != "an error"]
    sources += [WIDGET, CELLS["an error"]]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    metadata = {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
    run = tmp_path / "runs" / "session"
    run.mkdir(parents=True)
    (run / "desk.json").write_text('{"params": "params/own.yaml"}')
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), run / "mine.ipynb")
    return tmp_path


@pytest.fixture
def desk(project: Path):
    settings = project / ".jupyter" / "lab" / "user-settings"
    for plugin, values in SETTINGS.items():
        path = settings / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
    command += [f"--port={free_port()}", "--IdentityProvider.token=", "--LabApp.news_url=None"]
    command += ["--LabApp.expose_app_in_browser=True"]
    process = subprocess.Popen(
        command,
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={
            **os.environ,
            "JUPYTER_CONFIG_DIR": str(project / ".jupyter"),
            "JUPYTER_RUNTIME_DIR": str(project / ".runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(settings),
            "JUPYTERLAB_WORKSPACES_DIR": str(project / ".ws"),
        },
    )
    try:
        yield Desk(address_of(process, project / ".runtime"), project / "runs" / "session", {})
    finally:
        process.terminate()
        process.wait(120)


def test_what_jupyterlab_saves_agrees_with_the_record(desk: Desk) -> None:
    from playwright.sync_api import sync_playwright

    path = desk.run / "mine.ipynb"
    before = path.stat().st_mtime_ns
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1400, "height": 2000})
        page.set_default_timeout(START)
        open_notebook(page, desk, "mine")
        run_all_cells(page)
        # The second of them is executed again, and so has another number than its neighbours.
        page.evaluate(
            """async () => {
                const panel = window.jupyterapp.shell.currentWidget;
                panel.content.activeCellIndex = 4;
                await window.jupyterapp.commands.execute('notebook:run-cell');
                await panel.context.save(); }"""
        )
        wait_for(page, "it is saved", lambda: path.stat().st_mtime_ns > before, RUN)
        browser.close()
    notebook = nbformat.read(path, as_version=4)
    events = read_events(desk.run / "events.jsonl")
    counts = [cell.execution_count for cell in notebook.cells]
    assert counts[4] == max(counts) > counts[-1]
    assert [one.told for one in compare_notebook(notebook, events)] == []
    assert all(event["cell_id"] for event in events if event["event"] == "cell-started")
    stream = next(
        output
        for cell in notebook.cells
        if cell.source == CELLS["both streams"]
        for output in cell.outputs
    )
    stream.text = stream.text.replace("one", "ono")
    del notebook.cells[7]
    assert sorted(one.kind for one in compare_notebook(notebook, events)) == ["output", "removed"]
