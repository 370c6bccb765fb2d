"""All notebooks against the lab: papermill, stock papermill, a second run, and what must not be found."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from k8swin_nb.headless.notebooks import run_notebooks
from k8swin_nb.workflow.cell_compare import compare_notebook
from k8swin_nb.workflow.record import read_events
from tests.conftest import ROOT, RunningLab, running_lab

pytestmark = [
    pytest.mark.notebook,
    pytest.mark.wire,
    pytest.mark.timeout(400),
]
PAPERMILL = [sys.executable, "-m", "papermill", "--no-progress-bar"]


def events(folder: Path, kind: str) -> list[dict]:
    lines = (folder / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == kind]


def papermill(name: str, output: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run stock papermill from the notebooks' folder, as the README says."""
    return subprocess.run(
        [*PAPERMILL, f"{name}.ipynb", str(output), *arguments, "-p", "runs", str(output.parent)],
        cwd=ROOT / "notebooks",
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_every_notebook_ran_and_the_workers_are_ready(built):
    _, folder = built
    names = sorted(path.stem for path in folder.glob("*.ipynb"))
    assert names == [
        "01_network",
        "02_master",
        "03_flannel",
        "04_join_windows-winworker01",
        "04_join_windows-winworker02",
        "05_test_app",
        "06_verify",
    ]
    ready = [e for e in events(folder, "step") if e["step"] == "worker-ready"]
    assert {(e["host"], e["outcome"]) for e in ready} == {
        ("winworker01", "ok"),
        ("winworker02", "ok"),
    }
    (answered,) = [e for e in events(folder, "step") if e["step"] == "requests"]
    assert answered["detail"].startswith(
        "20 of 20 requests answered by 2 of 2 endpoints on 2 nodes"
    )


def test_a_second_run_changes_nothing(built, tmp_path):
    lab, first = built
    folder, executed = run_notebooks(ROOT / "notebooks", lab.params, tmp_path)
    assert [item.error for item in executed] == [None] * 7
    again = events(folder, "step")
    assert len(again) == len(events(first, "step"))
    assert [e for e in again if e["outcome"] not in ("ok", "skipped")] == []
    assert [e for e in events(folder, "script") if e["verb"] == "apply"] == []


def test_the_matrix_tells_limitations_from_failures_and_is_in_the_record(built):
    _, folder = built
    (matrix,) = events(folder, "matrix")
    states = {(cell["from"], cell["to"]): cell["state"] for cell in matrix["cells"]}
    assert "fail" not in states.values()
    assert states["winworker01", "NodePort of winworker01"] == "known limitation"
    assert states["winworker01", "NodePort of winworker02"] == "pass"
    assert states["windows pod on winworker01", "cluster DNS"] == "pass"
    assert states["linux pod on linuxmaster", "cluster DNS"] == "skipped"
    assert states["this computer", "NodePort of winworker02"] == "pass"
    (dns,) = [
        cell
        for cell in matrix["cells"]
        if (cell["from"], cell["to"]) == ("windows pod on winworker01", "cluster DNS")
    ]
    assert "Resolve-DnsName -Name 'kubernetes.default.svc.cluster.local'" in dns["command"]
    assert dns["evidence"] == "10.96.0.1"


def test_probe_pods_and_the_dashboard_come_when_asked_for_and_leave_no_secret(built, tmp_path):
    lab, _ = built
    description = lab.write(tmp_path, probe_pods=True, dashboard=True, cluster_name="asked")
    token = tmp_path / ".k8swin" / "dashboard-asked.token"
    try:
        folder, executed = run_notebooks(
            ROOT / "notebooks", description, tmp_path, names=["06_verify", "07_dashboard"]
        )
        assert [item.error for item in executed] == [None, None]
        assert token.stat().st_mode & 0o777 == 0o600
        secret = token.read_text().strip()
    finally:
        token.unlink(missing_ok=True)
    outcome = {event["step"]: event["outcome"] for event in events(folder, "step")}
    assert outcome["probe-pods"] == outcome["probe-pods-removed"] == "changed"
    assert outcome["dashboard-token"] == "changed"
    (matrix,) = events(folder, "matrix")
    states = {(cell["from"], cell["to"]): cell["state"] for cell in matrix["cells"]}
    assert states["linux pod on linuxmaster", "pods on other nodes"] == "pass"
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert secret not in path.read_text(errors="replace"), path


def test_a_notebook_begins_with_what_runs_where_and_ends_with_the_outcomes(built):
    lab, folder = built
    for path in folder.glob("*.ipynb"):
        outputs = [
            "".join(output.get("data", {}).get("text/plain", ""))
            for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == "code"
            for output in cell.outputs
        ]
        assert folder.name in outputs[0]
        assert f"linuxmaster ({lab.addresses['linuxmaster']})" in outputs[0]
        assert outputs[-1].splitlines()[-1].startswith(("ok=", "changed="))


def test_every_event_says_who_when_where_and_how_it_ended(built):
    _, folder = built
    for event in events(folder, "script"):
        assert {"time", "run", "operator", "host", "address", "sha256", "exit_code"} <= set(event)
        # How a script ended whose connection broke is not known.
        if event["exit_code"] is not None:
            assert (folder / event["output"]).exists()


def test_no_secret_is_found_in_anything_that_the_run_wrote(built):
    lab, folder = built
    secrets = [
        Path(machine["credential"].removeprefix("file:")).read_text().strip()
        for machine in lab.status["machines"]
        if "credential" in machine
    ]
    kubeconfig = Path(lab.status["kubeconfig"]).read_text()
    secrets += [line.split()[1] for line in kubeconfig.splitlines() if "client-key-data" in line]
    key = Path(lab.machine("linuxmaster")["identity"]).read_text().splitlines()[1]
    secrets.append(key)
    assert all(len(secret) > 8 for secret in secrets)
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert len(written) > 50
    for path in written:
        text = path.read_text(errors="replace")
        for secret in secrets:
            assert secret not in text, path
        assert "eyJhbGciOi" not in text, f"a token in {path}"


def test_no_widget_state_is_kept(built):
    _, folder = built
    for path in folder.glob("*.ipynb"):
        assert "widgets" not in nbformat.read(path, as_version=4).metadata


def test_the_page_of_the_run_holds_every_notebook(built):
    _, folder = built
    text = (folder / "index.html").read_text()
    stems = [path.stem for path in folder.glob("*.ipynb")]
    assert len(stems) >= 7
    for stem in stems:
        assert f'href="#nb-{stem}"' in text
        assert f'id="nb-{stem}"' in text


def test_stock_papermill_joins_the_worker_at_an_address(built, tmp_path):
    lab, _ = built
    address = lab.machine("winworker02")["address"]
    done = papermill(
        "04_join_windows", tmp_path / "out.ipynb", "-p", "ip", address, "-f", str(lab.params)
    )
    assert done.returncode == 0, done.stderr
    assert "Passed unknown parameter" not in done.stderr


def test_the_magics_answer_from_every_host(built, tmp_path):
    lab, _ = built
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(f"params_file = {str(lab.params)!r}"),
            nbformat.v4.new_code_cell(
                "%load_ext k8swin_nb\nfrom k8swin_nb import open_phase\n"
                'phase = open_phase("01_network")'
            ),
            nbformat.v4.new_code_cell(
                "%%remote_bash --host control-plane\nkubectl get nodes --no-headers | wc -l"
            ),
            nbformat.v4.new_code_cell('%%remote_ps --host windows\n"$env:COMPUTERNAME ç µ 漢"'),
        ]
    )
    nbformat.write(notebook, tmp_path / "in.ipynb")
    done = subprocess.run(
        [
            *PAPERMILL,
            str(tmp_path / "in.ipynb"),
            str(tmp_path / "out.ipynb"),
            "--cwd",
            str(ROOT / "notebooks"),
            "-k",
            "python3",
        ],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out.ipynb").read_text()
    assert "[linuxmaster] 3" in text
    assert "[winworker01] WINWORKER01 ç µ 漢" in text
    assert "[winworker02] WINWORKER02 ç µ 漢" in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-p", "kubernets_version", "1.36.4"], "did you mean `kubernetes_version`"),
        (["-p", "kubernetes_version", "1.36"], "`kubernetes_version` arrived as the number 1.36"),
        (
            ["-p", "ip", "winworker01", "-y", "pod_subnet: [10.244.0.0/16]"],
            "`pod_subnet` is a list",
        ),
        (["-p", "ip", "winworker01", "-r", "pod_subnet", "10.100.0.0/16"], "overlaps"),
    ],
)
def test_bad_parameters_stop_the_run_with_two_lines(lab, tmp_path, arguments, told):
    given = [lab.addresses.get(each, each) for each in arguments]
    done = papermill("04_join_windows", tmp_path / "out.ipynb", "-f", str(lab.params), *given)
    assert done.returncode != 0
    assert told in done.stderr
    assert "ParamsError" in done.stderr
    assert "hint: " in done.stderr
    assert not list(tmp_path.glob("*/events.jsonl"))


def host_changed(lab: RunningLab, name: str, **changes: object) -> list[dict]:
    return [
        {**host, **changes} if host["name"] == name else host for host in lab.description()["hosts"]
    ]


def refused(
    lab: RunningLab, tmp_path: Path, notebook: str, *, target: bool = False, **changes: object
) -> str:
    path = lab.write(tmp_path, **changes)
    more = ["-p", "ip", lab.machine("winworker01")["address"]] if target else []
    done = papermill(notebook, tmp_path / "out.ipynb", "-f", str(path), *more)
    assert done.returncode != 0
    assert "hint: " in done.stderr
    return done.stderr


def test_a_wrong_password_is_refused_and_not_repeated(lab, tmp_path):
    (tmp_path / "wrong").write_text("cAnArY-wrong-password")
    (tmp_path / "wrong").chmod(0o600)
    hosts = host_changed(lab, "winworker01", credential=f"file:{tmp_path / 'wrong'}")
    told = refused(lab, tmp_path, "01_network", hosts=hosts)
    assert "AuthenticationFailed" in told
    assert "winworker01" in told
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "wrong":
            assert "cAnArY" not in path.read_text(errors="replace"), path


def test_an_unknown_host_key_is_refused_with_the_command_that_pins_it(lab, tmp_path):
    told = refused(lab, tmp_path, "01_network", known_hosts=str(tmp_path / "known_hosts"))
    assert "HostKeyUnknown" in told
    assert "SHA256:" in told
    assert "k8swin hostkey pin" in told


def test_trust_on_first_use_is_a_choice_that_is_recorded(lab, tmp_path):
    path = lab.write(
        tmp_path, known_hosts=str(tmp_path / "known_hosts"), host_key_policy="accept-new"
    )
    done = papermill("01_network", tmp_path / "out.ipynb", "-f", str(path))
    assert done.returncode == 0, done.stderr
    (folder,) = [log.parent for log in tmp_path.glob("*/events.jsonl")]
    (pinned,) = events(folder, "host-key-pinned")
    assert pinned["host"] == "linuxmaster"
    assert pinned["fingerprint"].startswith("SHA256:")


def test_a_host_that_is_down_is_named(lab, tmp_path):
    hosts = host_changed(lab, "linuxmaster", ssh_port=9)
    told = refused(lab, tmp_path, "01_network", hosts=hosts)
    assert "HostUnreachable: linuxmaster" in told


def test_notebooks_out_of_order_name_the_one_that_comes_first(tmp_path):
    with running_lab(tmp_path / "home") as fresh:
        told = refused(fresh, tmp_path, "04_join_windows", target=True)
        assert "run 02_master first" in told


def test_every_executed_notebook_of_a_run_agrees_with_its_record(built):
    _, folder = built
    events = read_events(folder / "events.jsonl")
    paths = sorted(folder.glob("*.ipynb"))
    assert len(paths) > 5
    for path in paths:
        found = compare_notebook(nbformat.read(path, as_version=4), events)
        assert [one.told for one in found] == [], path.name
