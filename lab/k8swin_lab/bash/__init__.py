"""Bash for the lab's Linux machines: two adapters behind one interface, over one machine state.

Here live the shell adapters (`system`: the host's own bash in a private root; `python`: an
interpreter that runs anywhere) and the text and file tools both need (`tools`). What they ask of a
machine is in `machines.shell`. Nothing here knows a server, a cluster or what a script is for.
"""

from __future__ import annotations

from typing import Literal

from k8swin_lab.bash.probe import Availability, system_bash_available
from k8swin_lab.machines.shell import Shell, ShellMachine

__all__ = ["Availability", "Shell", "ShellMachine", "open_shell", "system_bash_available"]


def open_shell(
    machine: ShellMachine, prefer: Literal["system", "python", "auto"] = "auto"
) -> Shell:
    """Return the shell through which commands of this machine run.

    Args:
        machine: whose disk and programs the shell sees.
        prefer: "auto" takes the host's bash where a private root can be made, Python otherwise.

    Raises:
        RuntimeError: "system" was asked for and the host cannot do it; the text says why.
    """
    if prefer != "python":
        available = system_bash_available()
        if available:
            from k8swin_lab.bash.system import SystemShell

            return SystemShell(machine)
        if prefer == "system":
            raise RuntimeError(f"the host's bash cannot be used for the lab: {available.reason}")
    from k8swin_lab.bash.python import PythonShell

    return PythonShell(machine)
