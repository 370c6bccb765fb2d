"""A phase in a notebook: its views are methods, its scripts are shown, and a failure shows what there is."""

import re
from pathlib import Path

import pytest

from k8swin_nb.description import check_description
from k8swin_nb.errors import ClusterError, ParamsError, ScriptError, StepFailed
from k8swin_nb.notebook import phase_view
from k8swin_nb.notebook.header import Header
from k8swin_nb.notebook.listing import Applied, Listing, Seen
from k8swin_nb.notebook.live_view import LiveView
from k8swin_nb.notebook.notebook_parameters import NotebookParameters
from k8swin_nb.notebook.opening import open_view
from k8swin_nb.notebook.phase_view import NotThereYet, PhaseView
from k8swin_nb.phases.catalogue import PHASES
from k8swin_nb.tables import StaticTable
from k8swin_nb.workflow.report import Report, Row
from k8swin_nb.workflow.step import Outcome
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
    assert "<details" in shown._repr_html_()


def test_every_step_of_every_phase_can_be_shown(tmp_path):
    for phase in PHASES:
        for step in phase.steps:
            assert Listing(step).parts, step.name


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
        ("linuxmaster", "would change"),
        ("winworker01", "failed"),
    ]


def test_a_dry_run_shows_of_a_cluster_that_is_not_made_that_it_is_not_there(tmp_path):
    answers = {"linux/read_kubeconfig.check.sh": (1, "")}
    dry = view("03_flannel", tmp_path, answers, dry_run=True)
    for shown in (dry.nodes(), dry.pods(), dry.cluster_map()):
        assert isinstance(shown, NotThereYet)
        assert "not there yet" in repr(shown) and "no kubeconfig" in repr(shown)
    with pytest.raises(ClusterError, match="no kubeconfig"):
        view("03_flannel", tmp_path, answers).nodes()


def test_a_removal_that_nobody_confirmed_is_a_preview_and_other_words_are_an_error(tmp_path):
    assert view("90_teardown", tmp_path).run.dry_run
    preview = Header(view("90_teardown", tmp_path))
    assert "preview: nothing is removed until `confirm` names what goes" in repr(preview)
    wrong = view("90_teardown", tmp_path, confirm="lab: somebody")
    assert not wrong.run.dry_run
    with pytest.raises(ParamsError, match='not confirmed: `confirm` is "lab: somebody"'):
        wrong.apply("confirm")


def test_a_step_that_passed_is_one_line_with_its_scripts_behind_it(tmp_path):
    step = view("01_network", tmp_path).phase.step("mac-spoofing")
    report = Report(step.title, [Row("mac-spoofing", "h1", Outcome.OK, 0.2, "it is <on>")])
    shown = Applied([step], report, {step.name: "<i>said</i>"})._repr_html_()
    line = shown[: shown.index("</summary>")]
    assert "✓ ok</b> h1, 0.2 s: it is &lt;on&gt; <code>mac_spoofing.check.ps1" in line
    assert (
        "<table" not in shown and shown.startswith("<details") and "Get-VMNetworkAdapter" in shown
    )
    assert shown.index("</summary>") < shown.index("<i>said</i>") < shown.index("Get-VMNetworkA")


def test_steps_of_one_cell_have_a_line_each_and_stand_below_the_heading_of_their_part(tmp_path):
    phase = view("01_network", tmp_path).phase
    heading, names = phase.sections()[2]
    steps = [phase.step(name) for name in names]
    assert names == ("mac-spoofing", "anti-spoofing") == phase.parts[heading]
    rows = [Row("anti-spoofing", host, Outcome.OK, 0.2, "as said") for host in ("h1", "h2")]
    shown = Applied(steps, Report(phase.title, rows))._repr_html_()
    lines = re.findall(r"<summary[^>]*>(<b>[^<]*spoofing.*?)</summary>", shown)
    assert [re.sub("<.*?>", "", line) for line in lines] == [
        "mac-spoofing no host is of this kind",
        "anti-spoofing ✓ 2 ok on h1, h2: as said",
    ]
    board = LiveView(view("01_network", tmp_path).run).board
    assert dict(board.picture().steps)["anti-spoofing"] == heading


def test_what_failed_stands_open_beside_the_folded_scripts_and_rows_that_passed(tmp_path):
    step = view("01_network", tmp_path).phase.step("mac-spoofing")
    rows = [
        Row("mac-spoofing", "h1", Outcome.OK, 0.2, "fine"),
        Row("mac-spoofing", "h2", Outcome.FAILED, 0.2, "it broke"),
    ]
    shown = Applied([step], Report(step.title, rows))._repr_html_()
    opened = re.sub(r"<details.*?</details>(?!</details>)", "", shown)
    assert "it broke" in opened and "fine" not in opened and "fine" in shown


def test_a_report_that_was_displayed_is_not_shown_again_as_the_value_of_its_cell():
    seen = Seen(Report("t", [Row("s", "h", Outcome.OK, 0.1)]))
    assert seen._ipython_display_() is None
    with pytest.raises(NotImplementedError):
        seen._ipython_display_()
