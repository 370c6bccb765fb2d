"""JupyterLab in a real browser: open a notebook, run all cells, look at what a person sees."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import ROOT

CHROMIUM = (
    os.environ.get("K8SWIN_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.notebook,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on PATH, and K8SWIN_CHROMIUM names none"),
]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]


SETTINGS = {
    # All cells are in the page, also those that are out of view: every prompt can be read.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
START = 180_000
"""Milliseconds for JupyterLab, a notebook and its kernel to be there on a busy computer."""

RUN = 300_000
"""Milliseconds for all cells of a notebook."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(built, tmp_path_factory):
    """JupyterLab over a copy of the project whose lab is the tests' own."""
    lab, _ = built
    project = tmp_path_factory.mktemp("project")
    shutil.copytree(
        ROOT / "notebooks",
        project / "notebooks",
        ignore=shutil.ignore_patterns(".ipynb_checkpoints"),
    )
    (project / "params").mkdir()
    shutil.copy(lab.params, project / "params" / "lab.yaml")
    settings = project / ".jupyter" / "lab" / "user-settings"
    for plugin, values in SETTINGS.items():
        path = settings / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    port = free_port()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            f"--port={port}",
            "--IdentityProvider.token=",
            f"--ServerApp.root_dir={project}",
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ],
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "JUPYTER_CONFIG_DIR": str(project / ".jupyter"),
            "JUPYTERLAB_SETTINGS_DIR": str(settings),
            "JUPYTERLAB_WORKSPACES_DIR": str(project / ".ws"),
        },
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(360):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{url}/api", timeout=2).read()
                break
            time.sleep(0.5)
        else:
            raise AssertionError("JupyterLab did not start")
        yield url
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def page(server):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1400, "height": 2000})
        yield page
        browser.close()


def wait_for(page, what: str, holds, milliseconds: int) -> None:
    """Wait until something holds, and accept what JupyterLab asks meanwhile, such as for a kernel."""
    from playwright.sync_api import TimeoutError as Late

    accept = page.locator(".jp-Dialog .jp-mod-accept")
    deadline = time.monotonic() + milliseconds / 1000
    while not holds():
        assert time.monotonic() < deadline, f"after {milliseconds / 1000:g} s not so: {what}"
        with contextlib.suppress(Late):  # it may close by itself
            if accept.count():
                accept.first.click(timeout=5_000)
        page.wait_for_timeout(250)


def kernel_is_idle(server: str, name: str) -> bool:
    """Ask the server: the page calls a notebook idle before it has a kernel at all."""
    with urllib.request.urlopen(f"{server}/api/sessions", timeout=30) as answer:
        sessions = json.load(answer)
    return any(
        session["path"].endswith(f"{name}.ipynb") and session["kernel"]["execution_state"] == "idle"
        for session in sessions
    )


def open_notebook(page, server: str, name: str) -> None:
    """Open a notebook and wait until its kernel has started and waits for work."""
    page.goto(f"{server}/lab/tree/notebooks/{name}.ipynb?reset", timeout=START)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=START)
    idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']")
    wait_for(page, "the kernel is idle", lambda: kernel_is_idle(server, name), START)
    wait_for(page, "the page knows that the kernel is idle", idle.count, START)


def run_all_cells(page) -> None:
    """Choose Run, Run All Cells, and wait until every code cell has its number."""
    page.locator(".lm-MenuBar-itemLabel").get_by_text("Run", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("Run All Cells", exact=True).click()
    numbered = (
        "() => { const done = document.querySelectorAll('.jp-CodeCell .jp-InputPrompt');"
        " return done.length > 3 && [...done].every(p => /\\[\\d+\\]/.test(p.textContent)); }"
    )
    wait_for(page, "every code cell has a number", lambda: page.evaluate(numbered), RUN)


def run_all(page, server: str, name: str, folder: Path) -> str:
    """Open a notebook, run all its cells from the menu, and return the text of its outputs."""
    from playwright.sync_api import Error

    try:
        open_notebook(page, server, name)
        run_all_cells(page)
    except (Error, AssertionError) as problem:
        picture = folder / f"{name}.png"
        page.screenshot(path=picture)
        text = page.locator("body").inner_text()
        pytest.fail(f"{name}: {problem}\nscreenshot: {picture}\nthe page says:\n{text}", False)
    return "\n".join(page.locator(".jp-OutputArea-output").all_inner_texts())


def test_the_plan_is_shown_with_its_form_and_map(server, page, tmp_path):
    text = run_all(page, server, "01_network", tmp_path)
    assert "10.96.0.10" in text
    form = page.locator(".jp-OutputArea-output input[type=text]")
    assert form.first.input_value() == "10.244.0.0/16"
    assert page.locator("img[src^='data:image/svg+xml']").first.bounding_box()["width"] > 300
    form.first.fill("10.96.0.0/16")
    page.get_by_text("overlaps").first.wait_for(timeout=20_000)
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def test_the_pod_network_is_ok_and_the_tables_show_the_nodes(server, page, tmp_path):
    text = run_all(page, server, "03_flannel", tmp_path)
    assert "✓ ok" in text
    assert "winworker01" in text
    assert "✓ Ready" in text
