from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from k8swin_lab.bash import Shell, open_shell, system_bash_available

from lab.tests.bash.bash_cases import SmallMachine


@pytest.fixture
def machine(tmp_path: Path) -> SmallMachine:
    return SmallMachine(tmp_path / "root")


@pytest.fixture(params=["system", "python"])
def adapter(request: pytest.FixtureRequest) -> Literal["system", "python"]:
    if request.param == "system" and not system_bash_available():
        pytest.skip(system_bash_available().reason)
    return "system" if request.param == "system" else "python"


@pytest.fixture
def shell(machine: SmallMachine, adapter: Literal["system", "python"]) -> Iterator[Shell]:
    opened = open_shell(machine, adapter)
    yield opened
    opened.stop()
