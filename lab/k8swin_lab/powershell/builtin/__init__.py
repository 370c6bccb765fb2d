"""Cmdlets that need the interpreter's insides: scopes, streams, script blocks, modules, command lookup.

Cmdlets that only work on values and files belong in `cmdlets`; those of a machine in its own package.
"""

from k8swin_lab.powershell.builtin import commands, modules, output, variables
from k8swin_lab.powershell.builtin.blocks import STAGE_TYPES
from k8swin_lab.powershell.builtin.table import TABLE

__all__ = ["STAGE_TYPES", "TABLE", "commands", "modules", "output", "variables"]
