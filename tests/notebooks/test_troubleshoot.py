"""Notebook 80 against the lab: quiet on a cluster that works, and precise on one that does not."""

import json

import nbformat
import pytest

from k8swin_nb.headless.notebooks import run_notebooks
from tests.conftest import ROOT, k8swin

pytestmark = [
    pytest.mark.notebook,
    pytest.mark.wire,
    pytest.mark.timeout(600),
]


def troubleshoot(lab, folder):
    run, executed = run_notebooks(ROOT / "notebooks", lab.params, folder, names=["80_troubleshoot"])
    assert [item.error for item in executed] == [None]
    return run


def events(run, kind):
    lines = (run / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == kind]


def shown(run, cell_id):
    notebook = nbformat.read(run / "80_troubleshoot.ipynb", as_version=4)
    (cell,) = [cell for cell in notebook.cells if cell.id == cell_id]
    return "\n".join(str(output.get("data", {}).get("text/plain", "")) for output in cell.outputs)


def test_a_cluster_that_works_has_no_finding_and_is_not_changed(built, tmp_path):
    lab, _ = built
    run = troubleshoot(lab, tmp_path)
    assert "Findings: 0" in shown(run, "findings")
    asked = [(event["host"], event["verb"]) for event in events(run, "script")]
    assert sorted(asked) == [
        ("linuxmaster", "check"),
        ("winworker01", "check"),
        ("winworker02", "check"),
    ]
    kept = run / "diagnostics" / "80_troubleshoot"
    assert "== routes" in (kept / "winworker01.txt").read_text()
    assert "== events" in (kept / "linuxmaster.txt").read_text()


def test_a_silent_worker_is_a_finding_with_its_fix_and_no_crash(built, tmp_path):
    lab, _ = built
    assert k8swin("lab", "fault", "--home", str(lab.home), "winworker01", "refuse").returncode == 0
    try:
        run = troubleshoot(lab, tmp_path)
    finally:
        k8swin("lab", "fault", "--home", str(lab.home), "winworker01", "none")
    table = shown(run, "findings")
    assert "host-unreachable" in table and "winworker01" in table
    assert "run 01_network" in table
    assert "winworker02.txt" in {p.name for p in (run / "diagnostics/80_troubleshoot").iterdir()}
