"""What a Linux machine of the lab runs: its programs, its shell, and what starts its containers."""

from __future__ import annotations

from functools import partial

from k8swin_lab.bash import open_shell
from k8swin_lab.linux.containers import start
from k8swin_lab.linux.programs import base, packaged
from k8swin_lab.machines.software import LinuxSoftware


def linux_software(*, python_bash: bool = False) -> LinuxSoftware:
    """Return what a Linux machine is given.

    Args:
        python_bash: whether scripts run in the Python interpreter and never in the host's bash.
    """
    shell = partial(open_shell, prefer="python" if python_bash else "auto")
    return LinuxSoftware(base(), packaged(), shell, start)
