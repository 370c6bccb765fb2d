"""A lock file that is wrong is told by the steps that download, and by nothing else."""

import pytest
import yaml

from k8swin_nb.__main__ import main
from k8swin_nb.errors import ParamsError
from k8swin_nb.phases.catalogue import PHASES, phase
from k8swin_nb.scripts import Script
from k8swin_nb.workflow.runner import apply_step, check_step
from k8swin_nb.workflow.step import Outcome
from tests.runs import ALL_SCRIPTS, Hosts, make_run
from tests.test_description import described

WRONG = "kubernetes_version: [this is no lock\n"


@pytest.fixture
def run(tmp_path):
    """A run on a cluster whose lock of Windows downloads cannot be read; every script answers."""
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "lock.yaml").write_text(WRONG)
    connections = Hosts({ALL_SCRIPTS: "== host\nname\tx\n"})
    return make_run(tmp_path, connections, target="winworker01", artifacts="lock.yaml")


@pytest.mark.parametrize("name", ["reach-linux", "reach-windows"])
def test_hosts_are_reached(run, name):
    report = apply_step(run, phase("01_network").step(name))
    assert [row.outcome for row in report.rows] == [Outcome.OK]


def test_evidence_is_collected_from_all_hosts(run):
    report = apply_step(run, phase("80_troubleshoot").step("evidence"))
    assert [row.outcome for row in report.rows] == [Outcome.OK, Outcome.OK]
    assert {host for host, _ in run.connections.asked} == {"linuxmaster", "winworker01"}


def test_the_step_that_downloads_says_it_and_asks_no_host(run):
    with pytest.raises(ParamsError, match=r"lock\.yaml` is not valid"):
        check_step(run, phase("04_join_windows").step("artifacts"))
    assert run.connections.asked == []


def test_every_step_whose_scripts_declare_no_downloads_asks_its_hosts(run):
    with_downloads = {"artifacts", "linuxartifacts", "downloadhosts"}
    asked = 0
    for each in (each for each in PHASES if each.target != "linux"):
        for step in each.steps:
            declared = {
                parameter.name.replace("_", "").lower()
                for name in step.scripts
                for parameter in Script.load(name).parameters
            }
            if not isinstance(step.check, str) or declared & with_downloads or step.when:
                continue
            if step.values or step.reads or step.keep or not run.hosts(step.on):
                continue
            check_step(run, step)
            asked += 1
    assert asked > 20


def test_checking_the_description_says_it(tmp_path, capsys):
    (tmp_path / "lock.yaml").write_text(WRONG)
    mine = tmp_path / "mine.yaml"
    mine.write_text(yaml.safe_dump(described(artifacts="lock.yaml")))
    assert main(["check", str(mine)]) == 2
    told = capsys.readouterr()
    assert "lock.yaml` is not valid" in told.err and "hint: " in told.err
    assert "10.244.0.0/16" in told.out, "the plan is shown all the same"


def test_checking_the_description_says_it_of_linux_downloads_too(tmp_path, capsys):
    mine = tmp_path / "mine.yaml"
    changes = {"profile": "classic", "linux_artifacts": "nothing.yaml"}
    mine.write_text(yaml.safe_dump(described(**changes)))
    assert main(["check", str(mine)]) == 2
    assert "cannot read the lock of Linux downloads" in capsys.readouterr().err


def test_a_description_whose_locks_are_good_is_found_so(tmp_path, capsys):
    mine = tmp_path / "mine.yaml"
    mine.write_text(yaml.safe_dump(described()))
    assert main(["check", str(mine)]) == 0
    assert capsys.readouterr().err == ""
