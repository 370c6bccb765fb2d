"""`$PSDefaultParameterValues`: arguments that commands get when the caller gives none."""

from __future__ import annotations

from typing import Any

from k8swin_lab.powershell import dotnet, operators
from k8swin_lab.powershell.binding import Binder
from k8swin_lab.powershell.errors import PowerShellError
from k8swin_lab.powershell.parameters import Bound, Spec
from k8swin_lab.powershell.pipeline import Stage
from k8swin_lab.powershell.records import ScriptBlock
from k8swin_lab.powershell.scopes import NOTHING
from k8swin_lab.powershell.values import Hashtable
from k8swin_lab.powershell.wildcards import wildcard


def apply_defaults(stage: Stage, binder: Binder, bound: Bound) -> None:
    """Bind what `$PSDefaultParameterValues` says for a cmdlet or an advanced function.

    A key is `Command:Parameter`, both with wildcards; what does not convert is passed over, and so is
    all of it while the key `Disabled` is true.
    """
    table = stage.frame.scope.get("psdefaultparametervalues")
    if not isinstance(table, Hashtable) or not len(table):
        return
    if operators.truth(table.get("Disabled")):
        return
    for key, value in list(table.items()):
        command, colon, name = dotnet.to_string(key).rpartition(":")
        if not colon or not wildcard(command.strip("'\" ")).fullmatch(binder.name):
            continue
        for target in _targets(binder, name.strip("'\" ")):
            given = value
            if isinstance(value, ScriptBlock):
                made = operators.collapse(stage.interp.invoke(value, []))
                given = None if made is NOTHING else made
            _give(binder, bound, target, given)


def _targets(binder: Binder, pattern: str) -> list[Spec | str]:
    if "*" not in pattern and "?" not in pattern:
        try:
            found = binder.find(pattern)
        except PowerShellError:
            return []
        return [] if found is None else [found]
    matches = wildcard(pattern).fullmatch
    own: list[Spec | str] = [s for s in binder.specs if matches(s.name)]
    return own + [name for name in binder.common if matches(name)]


def _give(binder: Binder, bound: Bound, target: Spec | str, value: Any) -> None:
    if isinstance(target, str):
        bound.common.setdefault(target, value)
        return
    if target.name in bound.values or target.name in bound.delayed:
        return
    try:
        bound.values[target.name] = binder.converted(target, value)
    except PowerShellError:
        return
