"""A phase in a notebook: its views are methods, its scripts are shown, and a failure shows what there is."""

from pathlib import Path

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.errors import ParamsError, ScriptError, StepFailed
from k8swin_nb.notebook import phase_view
from k8swin_nb.notebook.notebook_parameters import NotebookParameters
from k8swin_nb.notebook.opening import open_view
from k8swin_nb.notebook.phase_view import PhaseView
from k8swin_nb.phases.catalogue import PHASES
from k8swin_nb.tables import StaticTable
from k8swin_nb.workflow.report import Report
from tests.runs import ALL_SCRIPTS, Hosts, Machine, Unlocked, phase_of
from tests.test_description import described


def view(name: str, folder: Path, answers=None, *, description=None, **mine) -> PhaseView:
    described_as = description or check_description(described(), folder=folder)
    opened = open_view(name, NotebookParameters(runs=str(folder), **mine), described_as)
    opened.cluster.pool.close()
    opened.cluster.pool = opened.run.connections = Hosts(answers)
    opened.cluster.locks = Unlocked(opened.cluster.pool, opened.cluster.run_id)
    opened.run.locks = opened.cluster.locks
    return opened


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_every_phase_opens_and_each_of_its_views_is_a_method(tmp_path, phase):
    target = {"windows": "10.1.0.3"}
    description = check_description(described(), folder=tmp_path)
    if phase.target == "linux":
        linux = {"name": "lin01", "address": "10.1.0.7", "os": "linux", "user": "u"}
        description = check_description(
            described(hosts=[*described()["hosts"], linux]), folder=tmp_path
        )
        target = {"linux": "10.1.0.7"}
    opened = view(phase.name, tmp_path, description=description, ip=target.get(phase.target))
    assert set(phase.views) <= set(dir(opened))
    for name in phase.views:
        assert callable(getattr(opened, name))
        assert hasattr(PhaseView, name) is False, "a method of all phases is in the way"


def test_a_view_of_another_phase_is_no_attribute(tmp_path):
    opened = view("02_master", tmp_path)
    assert "matrix" not in dir(opened)
    with pytest.raises(AttributeError, match="has no attribute `matrix`"):
        opened.matrix()
    with pytest.raises(ScriptError, match="has no view `matrix`"):
        opened.view("matrix")
    assert not hasattr(opened, "_repr_markdown_")


def test_methods_of_all_phases_stay_beside_the_views(tmp_path):
    opened = view("01_network", tmp_path)
    assert {"apply", "check", "show", "steps", "pending", "summary"} <= set(dir(opened))
    assert isinstance(opened.steps(), Report)
    assert "10.244.0.0/16" in repr(opened.plan_table())


def test_a_step_is_shown_as_the_very_files_and_functions_that_run(tmp_path):
    shown = repr(view("01_network", tmp_path).show("mac-spoofing"))
    assert "check: windows/mac_spoofing.check.ps1" in shown and "Get-VMNetworkAdapter" in shown
    shown = view("01_network", tmp_path).show("plan")
    assert "def check_saved_plan(" in repr(shown) and "def save_plan(" in repr(shown)
    assert "<details>" in shown._repr_html_()


def test_every_step_of_every_phase_can_be_shown(tmp_path):
    for phase in PHASES:
        for step in phase.steps:
            assert phase_view.Listing(step).parts, step.name


def test_a_join_wants_the_address_of_a_worker_of_its_kind(tmp_path):
    with pytest.raises(ParamsError, match="`ip` is missing"):
        view("04_join_windows", tmp_path)
    with pytest.raises(ParamsError, match="linuxmaster"):
        view("04_join_windows", tmp_path, ip="10.1.0.2")
    assert view("04_join_windows", tmp_path, ip="10.1.0.3").run.target == "10.1.0.3"


def test_what_hosts_print_while_something_is_applied_is_shown_and_checks_are_quiet(
    tmp_path, capsys
):
    opened = view(
        "01_network",
        tmp_path,
        {"linux/swap.check.sh": [(10, "looking\n"), "off\n"], ALL_SCRIPTS: "working\n"},
    )
    step = Machine().step(on="linux", check="linux/swap.check.sh", apply="linux/swap.apply.sh")
    opened.phase = opened.run.phase = phase_of(step)
    opened.apply()
    out = capsys.readouterr().out
    assert "[linuxmaster] working" in out
    assert "looking" not in out
    assert opened.run.on_output is None


def test_a_step_that_fails_shows_every_hosts_row_and_its_own_view(tmp_path, monkeypatch):
    shown: list[object] = []
    monkeypatch.setattr(phase_view, "display", shown.append)

    def broken(at):
        if at.host.os == "windows":
            raise at.failed("it broke")
        return Machine().check(at)

    table = StaticTable("why", ("a",), [])
    step = Machine().step(check=broken, apply=None, wait=0, on_failure="why")
    opened = view("01_network", tmp_path, {ALL_SCRIPTS: "x\n"}, dry_run=True)
    opened.phase = opened.run.phase = phase_of(step, views={"why": lambda run: table})
    with pytest.raises(StepFailed):
        opened.apply()
    report, why = shown
    assert isinstance(report, Report) and why is table
    assert [(row.host, row.outcome.value) for row in report.rows] == [
        ("linuxmaster", "skipped"),
        ("winworker01", "failed"),
    ]
