"""Exception types of System.*: construction and the members of their instances."""

from __future__ import annotations

from typing import Any

from k8swin_lab.powershell.dotnet.conversion import convert
from k8swin_lab.powershell.dotnet.registry import NetType, no_overload
from k8swin_lab.powershell.dotnet.text import exception_text, to_string
from k8swin_lab.powershell.records import (
    EXCEPTION_PARENTS,
    ErrorRecord,
    ExceptionObject,
    TypeValue,
)
from k8swin_lab.powershell.values import Hashtable, PSObject, Switch

_SMA = "System.Management.Automation."
EXCEPTION = NetType("System.Exception")
for _name, _parent in EXCEPTION_PARENTS.items():
    NetType(_name, _parent)

_MESSAGES = {
    "System.ArgumentException": "Value does not fall within the expected range.",
    "System.ArgumentNullException": "Value cannot be null.",
    "System.ArgumentOutOfRangeException": "Specified argument was out of the range of valid values.",
    "System.DivideByZeroException": "Attempted to divide by zero.",
    "System.FormatException": "One of the identified items was in an invalid format.",
    "System.InvalidOperationException": "Operation is not valid due to the current state of the object.",
    "System.InvalidCastException": "Specified cast is not valid.",
    "System.IndexOutOfRangeException": "Index was outside the bounds of the array.",
    "System.IO.FileNotFoundException": "Unable to find the specified file.",
    "System.IO.DirectoryNotFoundException": "Attempted to access a path that is not on the disk.",
    "System.IO.IOException": "I/O error occurred.",
    "System.NotImplementedException": "The method or operation is not implemented.",
    "System.NotSupportedException": "Specified method is not supported.",
    "System.NullReferenceException": "Object reference not set to an instance of an object.",
    "System.ObjectDisposedException": "Cannot access a disposed object.",
    "System.OperationCanceledException": "The operation was canceled.",
    "System.OverflowException": "Arithmetic operation resulted in an overflow.",
    "System.TimeoutException": "The operation has timed out.",
    "System.UnauthorizedAccessException": "Attempted to perform an unauthorized operation.",
    "System.SystemException": "System error.",
    "System.ApplicationException": "Error in the application.",
    "System.Collections.Generic.KeyNotFoundException": "The given key was not present in the dictionary.",
    "System.AggregateException": "One or more errors occurred.",
}
_NAME_FIRST = ("System.ArgumentNullException", "System.ArgumentOutOfRangeException")


def is_exception(type_name: str) -> bool:
    """Whether this names an exception type."""
    return type_name == "System.Exception" or type_name in EXCEPTION_PARENTS


def construct(type_name: str, args: list[Any]) -> ExceptionObject:
    """`[System.SomeException]::new(...)`."""
    default = _MESSAGES.get(type_name, f"Exception of type '{type_name}' was thrown.")
    inner = next((a for a in args if isinstance(a, ExceptionObject)), None)
    texts = [to_string(a) for a in args if not isinstance(a, ExceptionObject)]
    if len(texts) > 3:
        raise no_overload("new", len(args))
    properties: list[tuple[str, Any]] = []
    if type_name.startswith("System.Argument"):
        if type_name in _NAME_FIRST and texts and inner is None:
            name, message = texts[0], texts[-1] if len(texts) > 1 else default
        else:
            message = texts[0] if texts else default
            name = texts[1] if len(texts) > 1 else ""
        if name:
            message += f"\r\nParameter name: {name}"
        properties.append(("ParamName", name or None))
        return ExceptionObject(type_name, message, inner=inner, properties=properties)
    message = texts[0] if texts else default
    if type_name == "System.IO.FileNotFoundException":
        properties.append(("FileName", texts[1] if len(texts) > 1 else None))
    if type_name == "System.ObjectDisposedException" and texts:
        message = f"{_MESSAGES[type_name]}\r\nObject name: '{texts[0]}'."
    if type_name in ("System.ComponentModel.Win32Exception", "System.Net.Sockets.SocketException"):
        code = int(args[0]) if args and isinstance(args[0], int) else 0
        properties.append(("NativeErrorCode", code))
        message = (
            texts[1] if len(texts) > 1 else (f"Unknown error (0x{code:x})" if code else message)
        )
    return ExceptionObject(type_name, message, inner=inner, properties=properties)


@EXCEPTION.method("GetBaseException")
def _base(self: ExceptionObject) -> ExceptionObject:
    while self.inner is not None:
        self = self.inner
    return self


EXCEPTION.method("ToString")(lambda self: exception_text(self))
EXCEPTION.method("GetType")(lambda self: TypeValue(self.type_name))
EXCEPTION.from_value = lambda value: construct("System.Exception", [value])
EXCEPTION.prop("Data", lambda self: _data(self))


def _data(self: ExceptionObject) -> Hashtable:
    table = self.methods.setdefault("__data__", Hashtable())  # type: ignore[arg-type]
    assert isinstance(table, Hashtable)  # noqa: S101 - only made here
    return table


RECORD = NetType(_SMA + "ErrorRecord")


@RECORD.constructor
def _record(
    exception: Any, error_id: str = "", category: Any = "NotSpecified", target: Any = None
) -> ErrorRecord:
    if not isinstance(exception, ExceptionObject):
        exception = construct("System.Exception", [exception])
    name = convert(None, category, _SMA + "ErrorCategory")
    return ErrorRecord(exception, error_id, str(name), target)


RECORD.to_text = lambda value: value.message
RECORD.method("ToString")(lambda self: self.message)

DETAILS = NetType(_SMA + "ErrorDetails")


@DETAILS.constructor
def _details(message: str) -> PSObject:
    return PSObject(
        [("Message", message), ("RecommendedAction", "")],
        type_names=[DETAILS.name],
        display=message,
    )


CATEGORY = NetType(_SMA + "ErrorCategoryInfo")


def _category_text(value: PSObject) -> str:
    get = value.properties.get
    return (
        f"{get('Category')}: ({get('TargetName')}:{get('TargetType')}) "
        f"[{get('Activity')}], {get('Reason')}"
    )


CATEGORY.to_text = _category_text
CATEGORY.method("GetMessage")(_category_text)
SWITCH = NetType(_SMA + "SwitchParameter", value_type=True)
SWITCH.from_value = lambda value: Switch(bool(value))
SWITCH.prop("IsPresent", lambda self: self.present)
SWITCH.method("ToBool")(lambda self: self.present)
SWITCH.value("Present", Switch(True))
SWITCH.constructor(lambda present: Switch(bool(present)))
NetType("System.Management.Automation.PSReference").prop(
    "Value", lambda ref: ref.get(), lambda ref, new: ref.set(new)
)
