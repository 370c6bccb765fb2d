"""What the binder makes of a value that a parameter does not take."""

from __future__ import annotations

from typing import Any

from k8swin_lab.powershell.errors import PowerShellError, runtime_error
from k8swin_lab.powershell.records import ExceptionObject, type_name_of

_SMA = "System.Management.Automation."
_SWITCH = _SMA + "SwitchParameter"


def no_switch(value: Any) -> PowerShellError:
    """The error of a cmdlet's switch that gets neither a Boolean nor a number."""
    return runtime_error(
        f"Cannot convert '{type_name_of(value)}' to the type '{_SWITCH}'", "NoSwitch"
    )


def not_taken(
    error: PowerShellError, parameter: str, command: str, suffix: str, *, compiled: bool
) -> PowerShellError:
    """The binding error around the error of a conversion or of a check.

    Args:
        error: what the conversion or the check raised.
        parameter: its name.
        command: the command's name.
        suffix: what its error identifiers end with.
        compiled: whether it is a cmdlet, whose conversions are the binder's own and no attribute's.
    """
    exception, raised = error.record.exception, error.record.error_id
    inner: ExceptionObject | None = None
    kind, category = "ParameterBindingException", "InvalidArgument"
    if raised.endswith("NotAllowed"):
        message, short = error.record.message, raised
        kind, category = "ParameterBindingValidationException", "InvalidData"
    elif error.validates or exception.type_name.endswith("ValidationMetadataException"):
        message = f"Cannot validate argument on parameter '{parameter}'. {error.record.message}"
        short, inner = "ParameterArgumentValidationError", exception
        kind, category = "ParameterBindingValidationException", "InvalidData"
    elif raised == "NoSwitch":
        message = f"{error.record.message} required by parameter '{parameter}'."
        short = "CannotConvertArgument"
    elif compiled:
        message = f"Cannot bind parameter '{parameter}'. {error.record.message}"
        short, inner = "CannotConvertArgumentNoMessage", exception.inner or exception
    else:
        message = f"Cannot process argument transformation on parameter '{parameter}'. {error.record.message}"
        short, inner = "ParameterArgumentTransformationError", _transformation(exception)
        kind, category = "ParameterBindingArgumentTransformationException", "InvalidData"
    made = runtime_error(
        message,
        f"{short}{suffix}",
        category=category,
        exception=_SMA + kind,
        inner=inner,
        activity=command,
    )
    made.record.exception.properties["ParameterName"] = parameter
    return made


def _transformation(exception: ExceptionObject) -> ExceptionObject:
    """What stands between a failed conversion and the binder's error."""
    return ExceptionObject(
        _SMA + "ArgumentTransformationMetadataException",
        exception.message,
        inner=exception.inner or exception,
    )
