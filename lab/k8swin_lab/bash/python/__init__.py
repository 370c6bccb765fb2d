"""Bash in Python, for hosts on which a private root cannot be made (macOS, most containers).

Here live the parser, expansion, the interpreter and its builtins. Programs come from the machine and
from `bash.tools`. What the interpreter does not know it says; it never goes past it in silence.
"""

from __future__ import annotations

from k8swin_lab.bash.python.shell import PythonShell

__all__ = ["PythonShell"]
