"""Which notebooks a run executes, and for whom."""

from pathlib import Path

import pytest

from k8swin_nb.errors import ParamsError
from k8swin_nb.headless.runner import DEFAULT, DEMO, ORDER, plan_notebooks, run_notebooks
from k8swin_nb.params import check_params
from k8swin_nb.phases.catalogue import PHASES
from tests.test_params import described

ROOT = Path(__file__).parent.parent.parent


def test_every_phase_has_its_place_in_the_order():
    assert list(ORDER) == [phase.name for phase in PHASES]


def test_a_run_goes_from_the_plan_to_the_proof_and_leaves_out_what_must_be_named():
    assert DEFAULT[0] == "01_network"
    assert DEFAULT[-1] == "06_verify"
    assert "07_dashboard" in set(ORDER) - set(DEFAULT)


def test_the_demo_ends_with_the_test_app():
    assert tuple(name for name in ORDER if name <= "05_test_app") == DEMO


def test_each_worker_is_joined_and_everything_else_runs_once():
    planned = plan_notebooks(check_params(described()), DEFAULT)
    assert ("04_join_windows", "04_join_windows-winworker01", "10.1.0.3") in planned
    assert [name for name, _, _ in planned].count("06_verify") == 1


def test_an_unknown_notebook_is_refused_with_the_order(tmp_path):
    with pytest.raises(ParamsError, match="no notebook `06_verfy`") as caught:
        run_notebooks(
            ROOT / "notebooks", ROOT / "params" / "lab.yaml", tmp_path, names=["06_verfy"]
        )
    assert "06_verify" in caught.value.hint
