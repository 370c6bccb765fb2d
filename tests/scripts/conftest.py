"""A Windows server of the lab on which the package's scripts run, one by one."""

from collections.abc import Iterator
from functools import partial

import pytest
from k8swin_lab.machines.windows import WindowsMachine

from tests.scripts.test_windows_scripts import PowerShell, run_on, windows_machine


@pytest.fixture
def machine() -> Iterator[WindowsMachine]:
    made = windows_machine()
    yield made
    made.power_off()


@pytest.fixture
def run(machine: WindowsMachine) -> PowerShell:
    """Run a script of the package as the WinRM transport does."""
    return partial(run_on, machine)
