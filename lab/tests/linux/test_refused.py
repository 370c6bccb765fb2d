"""What every server has from the start and the lab has not is there and refused, not called unknown."""

from __future__ import annotations

import pytest
from k8swin_lab.bash import open_shell
from k8swin_lab.bash.root import HOST_TOOLS
from k8swin_lab.bash.tools import TOOLS
from k8swin_lab.linux import programs, refused

from lab.tests.bash.bash_cases import run as run_script


def test_nothing_is_simulated_and_refused_at_once():
    simulated = {
        *(name for name, program in programs.base().items() if name not in refused.PROGRAMS),
        *programs.packaged(),
        *TOOLS,
        *HOST_TOOLS,
    }
    assert simulated & set(refused.PROGRAMS) == set()
    assert all(programs.base()[name] is refused.PROGRAMS[name] for name in refused.PROGRAMS)


@pytest.mark.parametrize("python_bash", [True, False])
def test_a_program_of_the_base_system_that_is_missing_is_refused(machine, python_bash):
    shell = open_shell(machine, "python" if python_bash else "auto")
    done = run_script(shell, machine, ["bash", "-c", "type -P lsblk; lsblk -f; echo $?; nonsense"])
    shell.stop()
    assert done.output == "/usr/bin/lsblk\n70\n"
    assert "not simulated in the lab: lsblk" in done.errors
    assert "nonsense: command not found" in done.errors
