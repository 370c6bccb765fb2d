"""Ordinary scripts give, in both adapters, what the real bash gave when they were recorded."""

from __future__ import annotations

import platform
import shutil
import subprocess
from typing import Literal

import pytest
from k8swin_lab.bash import Shell

from lab.tests.bash.bash_cases import CASES, DATA, SmallMachine, recorded, run, run_real

KNOWN_FAILURES: dict[str, frozenset[str]] = {
    "system": frozenset(),
    "python": frozenset({"exported_function", "killed_by_signal", "select_menu"}),
}


def _real_bash_is_comparable() -> str:
    if platform.system() != "Linux" or not shutil.which("bash"):
        return "there is no Linux bash here"
    version = subprocess.run(
        ["bash", "-c", "echo ${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    return "" if version == "5.2" else f"the records are of bash 5.2, this is {version}"


@pytest.mark.parametrize("case", CASES)
def test_a_script_runs_as_recorded_or_is_a_known_failure(
    case: str, shell: Shell, machine: SmallMachine, adapter: Literal["system", "python"]
) -> None:
    outcome = run(shell, machine, ["/bin/bash", "-s"], given=(DATA / f"{case}.sh").read_bytes())
    if case in KNOWN_FAILURES[adapter]:
        assert outcome != recorded(case), f"{case} passes now: take it off the list"
    else:
        assert outcome == recorded(case)


@pytest.mark.parametrize("case", CASES)
def test_a_record_is_what_the_bash_of_this_host_does(case: str) -> None:
    if reason := _real_bash_is_comparable():
        pytest.skip(reason)
    assert run_real(case) == recorded(case)


def test_known_failures_are_cases_that_exist() -> None:
    for adapter, names in KNOWN_FAILURES.items():
        assert names <= set(CASES), adapter


def test_there_are_enough_cases_and_nearly_all_run_exactly(
    record_property: pytest.FixtureRequest,
) -> None:
    assert len(CASES) >= 50
    for adapter, names in KNOWN_FAILURES.items():
        record_property(f"exact scripts, {adapter}", f"{len(CASES) - len(names)}/{len(CASES)}")  # type: ignore[operator]
        assert len(names) * 10 <= len(CASES)
