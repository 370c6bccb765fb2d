"""JupyterLab in a real browser: open a notebook, run all cells, look at what a person sees."""

import contextlib
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
    pytest.mark.timeout(400),
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
    shutil.copy(ROOT / "params" / "lab-artifacts.yaml", project / "params")
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
            "JUPYTERLAB_WORKSPACES_DIR": str(project / ".ws"),
        },
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
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


def run_all(page, server: str, name: str) -> str:
    """Open a notebook, run all its cells from the menu, and return the text of its outputs."""
    page.goto(f"{server}/lab/tree/notebooks/{name}.ipynb?reset")
    page.get_by_text("Run", exact=True).first.wait_for(timeout=60_000)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.get_by_text("Run", exact=True).first.click()
    page.get_by_text("Run All Cells", exact=True).first.click()
    page.wait_for_function(
        "() => { const done = document.querySelectorAll('.jp-CodeCell .jp-InputPrompt');"
        " return done.length > 3 && [...done].every(p => /\\[\\d+\\]/.test(p.textContent)); }",
        timeout=180_000,
    )
    return "\n".join(page.locator(".jp-OutputArea-output").all_inner_texts())


def test_the_plan_is_shown_with_its_form_and_map(server, page):
    text = run_all(page, server, "01_network")
    assert "10.96.0.10" in text
    form = page.locator(".jp-OutputArea-output input[type=text]")
    assert form.first.input_value() == "10.244.0.0/16"
    assert page.locator("img[src^='data:image/svg+xml']").first.bounding_box()["width"] > 300
    form.first.fill("10.96.0.0/16")
    page.get_by_text("overlaps").first.wait_for(timeout=20_000)
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def test_the_pod_network_is_ok_and_the_tables_show_the_nodes(server, page):
    text = run_all(page, server, "03_flannel")
    assert "✓ ok" in text
    assert "winworker01" in text
    assert "✓ Ready" in text
