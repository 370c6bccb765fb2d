"""The table that the modules of this package fill."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from k8swin_lab.powershell.api import Call, CommandTable

if TYPE_CHECKING:
    from k8swin_lab.powershell.interpreter import Interpreter

TABLE = CommandTable()


def session(call: Call) -> Interpreter:
    """The interpreter itself, of which other cmdlets see only the `Session` part."""
    return cast("Interpreter", call.session)
