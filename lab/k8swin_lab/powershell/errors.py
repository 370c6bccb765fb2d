"""Errors and the ways out of a block: terminating errors, break, continue, return, exit."""

from __future__ import annotations

from typing import Any

from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.records import ErrorRecord, ExceptionObject

RUNTIME_EXCEPTION = "System.Management.Automation.RuntimeException"
_SMA = "System.Management.Automation."
_INVALID_CAST = _SMA + "PSInvalidCastException"


class PowerShellError(Exception):
    """A terminating error on its way up. `thrown`: by `throw`; `stop`: by an error action of Stop."""

    def __init__(self, record: ErrorRecord, *, thrown: bool = False, stop: bool = False) -> None:
        super().__init__(record.message)
        self.record = record
        self.thrown = thrown
        self.stop = stop
        self.validates = False
        """Whether a validation attribute raised it, or what a ValidateScript runs."""
        self.checked: Any = None
        """The value that such an attribute refused, as the type before it made it."""


class FlowSignal(Exception):
    """Leaves blocks without being an error."""


class LoopSignal(FlowSignal):
    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label


class BreakSignal(LoopSignal):
    """`break`."""


class ContinueSignal(LoopSignal):
    """`continue`."""


class ReturnSignal(FlowSignal):
    """`return`; what it returns is written before."""


class ExitSignal(FlowSignal):
    """`exit`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class StopPipeline(FlowSignal):
    """A stage wants no more input."""

    def __init__(self, stage: Any) -> None:
        super().__init__()
        self.stage = stage


class Cancelled(FlowSignal):
    """The client gave up."""


def runtime_error(
    message: str,
    error_id: str = "RuntimeException",
    *,
    category: str = "InvalidOperation",
    target: Any = None,
    exception: str = RUNTIME_EXCEPTION,
    inner: ExceptionObject | None = None,
    activity: str = "",
) -> PowerShellError:
    """A terminating error of the language itself; `activity`: of the command that it names."""
    made = ExceptionObject(exception, message, inner=inner)
    return PowerShellError(ErrorRecord(made, error_id, category, target, activity=activity))


def from_terminating(error: Terminating, activity: str = "") -> PowerShellError:
    """A cmdlet's terminating error as the language raises it."""
    made = ExceptionObject(error.exception, str(error))
    if error.exception == _INVALID_CAST:
        made = ExceptionObject(RUNTIME_EXCEPTION, str(error), inner=made)
    error_id = error.error_id or error.exception.rpartition(".")[2].removesuffix("Exception")
    record = ErrorRecord(made, error_id, error.category, error.target, activity=activity)
    return PowerShellError(record)


CATCHABLE = (PowerShellError, Terminating)
"""What a statement's failure arrives as; `caught` makes one kind of it."""


def caught(error: PowerShellError | Terminating) -> PowerShellError:
    """An error of the language or of what it calls, as the language handles it."""
    return error if isinstance(error, PowerShellError) else from_terminating(error)


def method_error(name: str, count: int, error: Exception) -> PowerShellError:
    """An exception inside a .NET method, wrapped as PowerShell wraps it."""
    if isinstance(error, Terminating):
        inner = ExceptionObject(error.exception, str(error))
    else:
        inner = ExceptionObject("System.Exception", str(error))
    short = inner.type_name.rpartition(".")[2]
    return runtime_error(
        f'Exception calling "{name}" with "{count}" argument(s): "{inner.message}"',
        short,
        category="NotSpecified",
        exception=_SMA + "MethodInvocationException",
        inner=inner,
    )


def thrown(value: Any, text: str) -> PowerShellError:
    """`throw value`: error records and exceptions go as they are, anything else becomes the message."""
    if isinstance(value, ErrorRecord):
        return PowerShellError(value, thrown=True)
    if isinstance(value, ExceptionObject):
        record = ErrorRecord(value, value.message, "OperationStopped")
        return PowerShellError(record, thrown=True)
    made = ExceptionObject(RUNTIME_EXCEPTION, text)
    return PowerShellError(ErrorRecord(made, text, "OperationStopped", value), thrown=True)
