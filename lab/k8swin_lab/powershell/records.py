"""What the language itself makes: error records, exceptions, script blocks, type literals, stream records.

They are PowerShell values like those of `values`, kept apart because only the language makes them;
cmdlets and the .NET layer read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from k8swin_lab.powershell.values import Char, Hashtable, PSArray, PSObject, TypedInt

if TYPE_CHECKING:
    from k8swin_lab.powershell.ast import ScriptBlockAst

_SMA = "System.Management.Automation."

EXCEPTION_PARENTS: dict[str, str] = {
    "System.SystemException": "System.Exception",
    "System.ApplicationException": "System.Exception",
    "System.AggregateException": "System.Exception",
    "System.ArgumentException": "System.SystemException",
    "System.ArgumentNullException": "System.ArgumentException",
    "System.ArgumentOutOfRangeException": "System.ArgumentException",
    "System.ArithmeticException": "System.SystemException",
    "System.DivideByZeroException": "System.ArithmeticException",
    "System.OverflowException": "System.ArithmeticException",
    "System.FormatException": "System.SystemException",
    "System.InvalidCastException": "System.SystemException",
    "System.InvalidOperationException": "System.SystemException",
    "System.ObjectDisposedException": "System.InvalidOperationException",
    "System.IndexOutOfRangeException": "System.SystemException",
    "System.NotImplementedException": "System.SystemException",
    "System.NotSupportedException": "System.SystemException",
    "System.NullReferenceException": "System.SystemException",
    "System.OperationCanceledException": "System.SystemException",
    "System.TimeoutException": "System.SystemException",
    "System.UnauthorizedAccessException": "System.SystemException",
    "System.RankException": "System.SystemException",
    "System.UriFormatException": "System.FormatException",
    "System.Collections.Generic.KeyNotFoundException": "System.SystemException",
    "System.IO.IOException": "System.SystemException",
    "System.IO.FileNotFoundException": "System.IO.IOException",
    "System.IO.DirectoryNotFoundException": "System.IO.IOException",
    "System.IO.DriveNotFoundException": "System.IO.IOException",
    "System.IO.PathTooLongException": "System.IO.IOException",
    "System.IO.EndOfStreamException": "System.IO.IOException",
    "System.IO.InvalidDataException": "System.SystemException",
    "System.ComponentModel.Win32Exception": "System.SystemException",
    "System.Net.Sockets.SocketException": "System.ComponentModel.Win32Exception",
    "System.Net.WebException": "System.InvalidOperationException",
    "System.Net.Http.HttpRequestException": "System.Exception",
    "System.Security.SecurityException": "System.SystemException",
    "System.Security.Cryptography.CryptographicException": "System.SystemException",
    "System.Text.RegularExpressions.RegexMatchTimeoutException": "System.TimeoutException",
    "System.Xml.XmlException": "System.SystemException",
    "Microsoft.PowerShell.Commands.WriteErrorException": "System.SystemException",
    "Microsoft.PowerShell.Commands.ServiceCommandException": "System.SystemException",
    "Microsoft.PowerShell.Commands.ProcessCommandException": "System.SystemException",
    _SMA + "RuntimeException": "System.SystemException",
    _SMA + "ParseException": _SMA + "RuntimeException",
    _SMA + "IncompleteParseException": _SMA + "ParseException",
    _SMA + "CommandNotFoundException": _SMA + "RuntimeException",
    _SMA + "ApplicationFailedException": _SMA + "RuntimeException",
    _SMA + "ActionPreferenceStopException": _SMA + "RuntimeException",
    _SMA + "CmdletInvocationException": _SMA + "RuntimeException",
    _SMA + "MethodException": _SMA + "ExtendedTypeSystemException",
    _SMA + "MethodInvocationException": _SMA + "MethodException",
    _SMA + "SetValueException": _SMA + "ExtendedTypeSystemException",
    _SMA + "SetValueInvocationException": _SMA + "SetValueException",
    _SMA + "GetValueException": _SMA + "ExtendedTypeSystemException",
    _SMA + "GetValueInvocationException": _SMA + "GetValueException",
    _SMA + "ExtendedTypeSystemException": _SMA + "RuntimeException",
    _SMA + "PSInvalidCastException": "System.InvalidCastException",
    _SMA + "PSInvalidOperationException": "System.InvalidOperationException",
    _SMA + "PSArgumentException": "System.ArgumentException",
    _SMA + "PSArgumentNullException": "System.ArgumentNullException",
    _SMA + "PSArgumentOutOfRangeException": "System.ArgumentOutOfRangeException",
    _SMA + "PSNotSupportedException": "System.NotSupportedException",
    _SMA + "PSNotImplementedException": "System.NotImplementedException",
    _SMA + "RemoteException": _SMA + "RuntimeException",
    _SMA + "ParameterBindingException": _SMA + "RuntimeException",
    _SMA + "ParameterBindingValidationException": _SMA + "ParameterBindingException",
    _SMA + "ParameterBindingArgumentTransformationException": _SMA + "ParameterBindingException",
    _SMA + "ValidationMetadataException": _SMA + "MetadataException",
    _SMA + "ArgumentTransformationMetadataException": _SMA + "MetadataException",
    _SMA + "MetadataException": _SMA + "RuntimeException",
    _SMA + "SessionStateException": _SMA + "RuntimeException",
    _SMA + "SessionStateUnauthorizedAccessException": _SMA + "SessionStateException",
    _SMA + "ItemNotFoundException": _SMA + "SessionStateException",
    _SMA + "DriveNotFoundException": _SMA + "SessionStateException",
    _SMA + "ProviderNotFoundException": _SMA + "SessionStateException",
    _SMA + "ScriptRequiresException": _SMA + "RuntimeException",
    _SMA + "ScriptCallDepthException": "System.SystemException",
    _SMA + "PipelineStoppedException": _SMA + "RuntimeException",
}
"""Base class of each .NET exception type; one that is not listed derives from System.Exception."""


_HRESULTS = {
    "System.Exception": -2146233088, "System.ArgumentException": -2147024809, "System.IO.IOException": -2146232800,
    "System.ArgumentNullException": -2147467261, "System.ArgumentOutOfRangeException": -2146233086,
    "System.FormatException": -2146233033, "System.InvalidCastException": -2147467262, "System.OverflowException": -2146233066,
    "System.InvalidOperationException": -2146233079, "System.NotSupportedException": -2146233067,
    "System.DivideByZeroException": -2147352558, "System.IndexOutOfRangeException": -2146233080,
    "System.NullReferenceException": -2147467261, "System.NotImplementedException": -2147467263,
    "System.TimeoutException": -2146233083, "System.UnauthorizedAccessException": -2147024891,
    "System.IO.FileNotFoundException": -2147024894, "System.IO.DirectoryNotFoundException": -2147024893,
    "System.Collections.Generic.KeyNotFoundException": -2146232969, "System.Net.WebException": -2146233079,
}  # fmt: skip
"""HResult by type; types that set none have their base's."""


def exception_chain(type_name: str) -> list[str]:
    """`type_name` and its base classes, most derived first."""
    chain = [type_name]
    while chain[-1] != "System.Exception":
        chain.append(EXCEPTION_PARENTS.get(chain[-1], "System.Exception"))
    return chain


class ExceptionObject(PSObject):
    """A .NET exception: Message, InnerException and whatever more its type has."""

    __slots__ = ()

    def __init__(
        self,
        type_name: str,
        message: str,
        *,
        inner: ExceptionObject | None = None,
        properties: Iterable[tuple[str, Any]] = (),
    ) -> None:
        super().__init__(
            [
                ("Message", message),
                *properties,
                ("InnerException", inner),
                ("HResult", _HRESULTS.get(type_name, _HRESULTS["System.Exception"])),
                ("StackTrace", None),
                ("Source", None),
                ("HelpLink", None),
            ],
            type_names=exception_chain(type_name),
        )

    @property
    def message(self) -> str:
        return str(self.properties["Message"])

    @property
    def inner(self) -> ExceptionObject | None:
        inner = self.properties["InnerException"]
        return inner if isinstance(inner, ExceptionObject) else None

    @property
    def type_name(self) -> str:
        return self.type_names[0]


class ErrorRecord(PSObject):
    """`$_` of a catch block, an element of `$Error`."""

    __slots__ = ("origin", "raised")

    def __init__(
        self,
        exception: ExceptionObject,
        error_id: str,
        category: str = "NotSpecified",
        target: Any = None,
        *,
        activity: str = "",
    ) -> None:
        reason = exception.type_name.rpartition(".")[2]
        super().__init__(
            [
                ("Exception", exception),
                ("TargetObject", target),
                ("CategoryInfo", category_info(category, activity, reason, target)),
                ("FullyQualifiedErrorId", error_id),
                ("ErrorDetails", None),
                ("InvocationInfo", None),
                ("ScriptStackTrace", None),
                ("PipelineIterationInfo", PSArray()),
            ],
            type_names=[_SMA + "ErrorRecord"],
        )
        self.origin: ErrorRecord = self
        """The record of the exception around this one's: what a bare `throw` throws again."""
        self.raised = False
        """Whether position and stack are already filled in and the record is in $Error."""

    @property
    def exception(self) -> ExceptionObject:
        exception = self.properties["Exception"]
        assert isinstance(exception, ExceptionObject)  # noqa: S101 - only made so
        return exception

    def of_inner(self) -> ErrorRecord:
        """The record as a clause sees it that takes the exception inside; itself when there is none."""
        inner = self.exception.inner
        if inner is None:
            return self
        category = self.properties["CategoryInfo"].properties
        made = ErrorRecord(
            inner,
            self.error_id,
            str(category["Category"]),
            self.properties["TargetObject"],
            activity=str(category["Activity"]),
        )
        for name in ("ErrorDetails", "InvocationInfo", "ScriptStackTrace"):
            made.properties[name] = self.properties[name]
        made.origin, made.raised = self.origin, True
        return made

    @property
    def error_id(self) -> str:
        return str(self.properties["FullyQualifiedErrorId"])

    def claim(self, command: str) -> None:
        """Name the function that the error left."""
        self.properties["FullyQualifiedErrorId"] = f"{self.error_id},{command}"
        category = self.properties["CategoryInfo"]
        info = self.properties.get("InvocationInfo")
        if isinstance(category, PSObject):
            category.properties["Activity"] = command
        if isinstance(info, PSObject):
            info.properties["MyCommand"] = PSObject([("Name", command)], display=command)

    @property
    def message(self) -> str:
        """What the console shows: ErrorDetails when there are any, else the exception's message."""
        details = self.properties["ErrorDetails"]
        if isinstance(details, PSObject) and details.properties.get("Message"):
            return str(details.properties["Message"])
        return self.exception.message


def category_info(category: str, activity: str, reason: str, target: Any) -> PSObject:
    """The `CategoryInfo` of an error record, which prints as `Category: (Target:Type) [Activity], Reason`."""
    return PSObject(
        [
            ("Category", EnumValue(category, _SMA + "ErrorCategory")),
            ("Activity", activity),
            ("Reason", reason),
            ("TargetName", _target_name(target)),
            ("TargetType", "" if target is None else type_name_of(target).rpartition(".")[2]),
        ],
        type_names=[_SMA + "ErrorCategoryInfo"],
    )


def _target_name(target: Any) -> str:
    if target is None:
        return ""
    if isinstance(target, TypeName):
        return str(target.display)
    return type_name_of(target) if isinstance(target, Hashtable | list) else str(target)


class EnumValue(str):
    """A value of a .NET enumeration that the lab keeps only by name (ErrorCategory and the like)."""

    __slots__ = ("type_name",)
    type_name: str

    def __new__(cls, name: str, type_name: str) -> EnumValue:
        self = super().__new__(cls, name)
        self.type_name = type_name
        return self


class TypeValue:
    """`[int]` as a value; `name` is the full .NET type name ("System.Int32", "System.String[]")."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypeValue) and other.name.lower() == self.name.lower()

    def __hash__(self) -> int:
        return hash(self.name.lower())

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"TypeValue({self.name!r})"


class ScriptBlock:
    """`{ ... }`: code together with the session state (module or global) that it belongs to."""

    __slots__ = ("ast", "code", "module", "name", "source_name", "text")

    def __init__(
        self,
        ast: ScriptBlockAst,
        text: str,
        *,
        code: Any,
        module: Any = None,
        source_name: str = "",
    ) -> None:
        self.ast = ast
        self.text = text
        self.code = code
        self.module = module
        self.source_name = source_name

    def __str__(self) -> str:
        return self.text


class TypeName(PSObject):
    """The name of a type as the parser has it: what an unknown type's error is about."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        language = _SMA + "Language."
        extent = PSObject(
            [("Text", name)], type_names=[language + "InternalScriptExtent"], display=name
        )
        super().__init__(
            [
                ("FullName", name),
                ("Name", name),
                ("AssemblyName", None),
                ("IsArray", False),
                ("IsGeneric", False),
                ("Extent", extent),
            ],
            type_names=[language + "TypeName"],
            display=name,
        )


class Reference:
    """`[ref]$x`: a place that a method may write to."""

    __slots__ = ("get", "set")

    def __init__(self, get: Callable[[], Any], set_: Callable[[Any], None]) -> None:
        self.get = get
        self.set = set_


class StreamRecord(PSObject):
    """A record of the warning, verbose, debug or information stream, as `3>&1` shows it."""

    __slots__ = ()

    def __init__(self, kind: str, text: Any, tags: Iterable[str] = ()) -> None:
        if kind == "Information":
            properties: list[tuple[str, Any]] = [
                ("MessageData", text),
                ("Source", ""),
                ("Tags", PSArray(tags, "System.String")),
            ]
        else:
            properties = [("Message", text), ("InvocationInfo", None)]
        super().__init__(
            properties,
            type_names=[f"{_SMA}{kind}Record"],
            display=None if text is None else str(text),
        )


class ScriptProperty:
    """A property that a script block computes, with `$this` as its object."""

    __slots__ = ("getter", "setter")

    def __init__(self, getter: ScriptBlock, setter: ScriptBlock | None = None) -> None:
        self.getter = getter
        self.setter = setter


def type_name_of(value: Any) -> str:
    """The full .NET type name; "System.Object" for $null, which has none."""
    if value is None:
        return "System.Object"
    if isinstance(value, str):
        if isinstance(value, Char):
            return "System.Char"
        return str(getattr(value, "type_name", "System.String"))
    if isinstance(value, bool):
        return "System.Boolean"
    if isinstance(value, int):
        if isinstance(value, TypedInt):
            return value.type_name
        if -(1 << 31) <= value < 1 << 31:
            return "System.Int32"
        if -(1 << 63) <= value < 1 << 63:
            return "System.Int64"
        return "System.Numerics.BigInteger"
    if isinstance(value, float):
        return getattr(value, "type_name", "System.Double")
    if isinstance(value, Decimal):
        return "System.Decimal"
    if isinstance(value, PSObject):
        if isinstance(value, ExceptionObject):
            return value.type_name
        if not value.type_names or value.type_names[0].startswith("Selected."):
            return _SMA + "PSCustomObject"
        if value.type_names[-1] == _SMA + "PSCustomObject":
            return _SMA + "PSCustomObject"
        return value.type_names[0]
    declared = getattr(value, "type_name", None)
    if isinstance(declared, str):
        return declared
    if isinstance(value, Hashtable):
        if value.ordered:
            return "System.Collections.Specialized.OrderedDictionary"
        return "System.Collections.Hashtable"
    if isinstance(value, PSArray):
        return value.element_type + "[]"
    if isinstance(value, list | tuple):
        return "System.Object[]"
    if isinstance(value, bytes | bytearray):
        return "System.Byte[]"
    if isinstance(value, TypeValue):
        return "System.RuntimeType"
    if isinstance(value, ScriptBlock):
        return _SMA + "ScriptBlock"
    if isinstance(value, Reference):
        return _SMA + "PSReference"
    return "System.Object"
