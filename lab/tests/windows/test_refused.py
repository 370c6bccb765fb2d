"""What every Windows Server has and the lab has not is refused by name, not called unknown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from k8swin_lab.powershell import builtin, cmdlets
from k8swin_lab.windows import refused
from k8swin_lab.windows.catalogue import PROGRAMS, command_table

from .conftest import Result

Run = Callable[[str], Result]


def test_nothing_is_simulated_and_refused_at_once() -> None:
    tables = [builtin.TABLE, cmdlets.TABLE, command_table(hns=True, hyper_v=True)]
    there = {name for table in tables for name in table.cmdlets}
    assert {name for table in tables for name in table.refused} & there == set()
    assert set(refused.PROGRAMS.split()) & set(PROGRAMS) == set()


@pytest.mark.parametrize("name", ["Get-Help", "add-type", "Get-NetNat", "Get-LocalUser"])
def test_a_command_of_windows_that_is_missing_is_refused(run: Run, name: str) -> None:
    for line in (name, f"try {{ {name} }} catch {{ 'unknown' }}", f"Get-Command {name}"):
        result = run(f'powershell -NoProfile -Command "{line}"')
        assert (result.code, result.out) == (70, "")
        assert f"not simulated in the lab: {name}" in result.err


@pytest.mark.parametrize("name", ["netstat", "robocopy.exe", "net"])
def test_a_program_of_windows_that_is_missing_is_refused(run: Run, name: str) -> None:
    for line in (name, f"powershell -NoProfile -Command {name}"):
        result = run(line)
        assert result.code != 0
        assert f"not simulated in the lab: {name.removesuffix('.exe')}" in result.out + result.err
