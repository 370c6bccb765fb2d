"""A notebook that papermill executes seals its run, and what papermill wrote is judged by the record."""

import subprocess

import nbformat
import papermill
import pytest
import yaml

from k8swin_nb.audit.verifying import verify
from k8swin_nb.workflow.record import read_events
from tests.audit.records import RUN, keygen
from tests.test_description import described

pytestmark = pytest.mark.notebook

PARAMETERS = """params_file: str = "params/own.yaml"
dry_run: bool = True
run_id: str = None
runs: str = "runs"
sign: str = None
reason: str = None
"""
CELLS = (
    "from k8swin_nb import open_phase\nphase = open_phase('01_network')",
    "print('worked on', phase.cluster.description.cluster_name)",
    "phase.summary()",
)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "own.yaml").write_text(yaml.safe_dump(described(cluster_name="own")))
    made = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}})  # fmt: skip
    made.cells = [nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})]
    made.cells += [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(made, tmp_path / "mine.ipynb")
    return tmp_path


def execute(project, **parameters):
    given = {"run_id": RUN, "reason": "CHG-7", **parameters}
    papermill.execute_notebook(
        str(project / "mine.ipynb"), str(project / "out.ipynb"), given, cwd=str(project), progress_bar=False
    )  # fmt: skip
    return project / "runs" / RUN


def test_a_notebook_alone_is_sealed_with_all_of_its_cells(project, keys, trusted):
    folder = execute(project, sign=f"ssh:{keys / 'alice'}")
    out = project / "out.ipynb"
    verdict = verify(folder, trusted, [out])
    assert (verdict.code, verdict.findings) == (0, [])
    assert [seal.why for seal in verdict.seals] == ["01_network finished"]
    out.write_text(out.read_text().replace("worked on own", "worked on another"))
    found = verify(folder, trusted, [out]).findings
    assert [finding.what for finding in found] == ["notebook-output"]


def test_a_wrong_way_to_sign_stops_a_notebook_before_it_is_opened(project):
    with pytest.raises(papermill.PapermillExecutionError, match="cannot be read"):
        execute(project, sign="ssh:nowhere/key")
    events = read_events(project / "runs" / RUN / "events.jsonl")
    assert not [event for event in events if event["event"] == "notebook-opened"]


def test_a_key_that_would_ask_is_told_where_the_notebook_is_opened_and_it_goes_on(
    project, tmp_path
):
    key = keygen(tmp_path, "key")
    words = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "geheim42", "-f", str(key)]
    subprocess.run(words, check=True, capture_output=True)
    folder = execute(project, sign=f"ssh:{key}")
    out = nbformat.read(project / "out.ipynb", 4)
    said = "".join(o.get("text", "") for cell in out.cells for o in cell.get("outputs", ()))
    assert "seals will be unsigned" in said and "ssh-add" in said
    verdict = verify(folder, notebooks=[project / "out.ipynb"])
    assert verdict.code == 3
    assert {finding.what for finding in verdict.findings} == {"unsigned"}
