"""The commands that are part of the shell itself; each a function of shell, arguments, assignments.

A builtin raises `CommandFault` for its own errors and returns its status otherwise. Programs that
bash also starts from disk (cat, grep...) do not live here.
"""

from __future__ import annotations

from k8swin_lab.bash.python.builtins import control, declare, inputs, jobs, names, output
from k8swin_lab.bash.python.builtins.table import Builtin

BUILTINS: dict[str, Builtin] = {
    **control.BUILTINS,
    **declare.BUILTINS,
    **inputs.BUILTINS,
    **jobs.BUILTINS,
    **names.BUILTINS,
    **output.BUILTINS,
}

SPECIAL = frozenset({"exec"})
"""Builtins whose assignments before them stay."""

__all__ = ["BUILTINS", "SPECIAL", "Builtin"]
