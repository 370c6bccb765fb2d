"""Enumerations of .NET: names, numbers, flags; values are `NetEnum`, strings that know their number."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from typing import Any

from k8swin_lab.powershell.dotnet import registry
from k8swin_lab.powershell.dotnet.registry import ConversionError, NetType
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.records import EnumValue


class NetEnum(EnumValue):
    """A value of an enumeration; as a string it is its name or, for flags, "A, B"."""

    __slots__ = ("enum_number",)
    enum_number: int
    type_name: str

    def __new__(cls, name: str, type_name: str, number: int) -> NetEnum:
        made = super().__new__(cls, name, type_name)
        assert isinstance(made, NetEnum)  # noqa: S101 - for the type checker
        made.enum_number = number
        return made


class EnumType(NetType):
    """A declared enumeration."""

    def __init__(self, name: str, members: Mapping[str, int], *, flags: bool = False) -> None:
        super().__init__(
            name, "System.Enum", interfaces=("System.IComparable", "System.IFormattable")
        )
        self.members = dict(members)
        self.flags = flags

    def of(self, number: int) -> NetEnum:
        """The value with that number, named where there is a name."""
        for name, value in self.members.items():
            if value == number:
                return NetEnum(name, self.name, number)
        if self.flags and number:
            names: list[str] = []
            rest = number
            for name, value in sorted(self.members.items(), key=lambda item: -item[1]):
                if value and rest & value == value:
                    names.insert(0, name)
                    rest &= ~value
            if not rest:
                return NetEnum(", ".join(names), self.name, number)
        return NetEnum(str(number), self.name, number)

    def number_of(self, text: str, *, partial: bool = False) -> int | None:
        """The number of one number, or of names with commas between; None when a name is unknown."""
        if text.strip().lstrip("+-").isdigit():
            return int(text)
        number = 0
        for part in text.split(","):
            name = part.strip()
            found = [v for n, v in self.members.items() if n.lower() == name.lower()]
            if not found and partial:
                found = [v for n, v in self.members.items() if n.lower().startswith(name.lower())]
                found = found if len(found) == 1 else []
            if not found:
                return None
            number |= found[0]
        return number

    def parse(self, value: Any) -> NetEnum:
        """Convert as PowerShell does: by name without case (a unique beginning will do), or by number."""
        if isinstance(value, NetEnum) and value.type_name == self.name:
            return value
        if isinstance(value, EnumValue):
            value = getattr(value, "enum_number", value)
        if isinstance(value, list) and value and all(type(item) is int for item in value):
            return self.of(
                functools.reduce(operator.or_, (self.parse(i).enum_number for i in value))
            )
        if isinstance(value, list):
            value = ",".join(to_string(item) for item in value)
        if isinstance(value, int) and not isinstance(value, bool):
            number = int(value)
            if not self._defined(number):
                names = ",".join(self.members)
                raise ConversionError(
                    f'Cannot convert value "{number}" to type "{self.name}" due to enumeration values '
                    "that are not valid. Specify one of the following enumeration values and try again. "
                    f'The possible enumeration values are "{names}".',
                    "UndefinedIntegerToEnum",
                )
            return self.of(number)
        text = str(value)
        beginning = [n for n in self.members if n.lower().startswith(text.strip().lower())]
        exact = any(n.lower() == text.strip().lower() for n in beginning)
        if len(beginning) > 1 and not exact:
            names = ", ".join(beginning)
            raise ConversionError(
                f'Cannot convert value "{text}" to type "{self.name}". Error: "The identifier name '
                f"{text} cannot be processed because it is either too similar or identical to the "
                f'following enumerator names: {names}. Use a more specific identifier name."',
                "SubstringDisambiguationEnumParseThrewAnException",
            )
        found = self.number_of(text, partial=True)
        if found is None:
            raise ConversionError(
                f'Cannot convert value "{text}" to type "{self.name}". Error: "Unable to match the '
                f"identifier name {text} to a valid enumerator name. Specify one of the following "
                f'enumerator names and try again:\r\n{", ".join(self.members)}"',
                "SubstringDisambiguationEnumParseThrewAnException",
            )
        if text.strip().lstrip("+-").isdigit() and not self._defined(found):
            raise ConversionError(
                f'Cannot convert value "{text}" to type "{self.name}" due to enumeration values that '
                "are not valid. Specify one of the following enumeration values and try again. The "
                f'possible enumeration values are "{",".join(self.members)}".',
                "EnumParseUndefined",
            )
        return self.of(found)

    def _defined(self, number: int) -> bool:
        if number in self.members.values():
            return True
        if not self.flags:
            return False
        rest = number
        for value in self.members.values():
            rest &= ~value
        return rest == 0


def find(type_name: str) -> EnumType | None:
    """The declared enumeration of that name."""
    found = registry.TYPES.get(type_name.lower())
    return found if isinstance(found, EnumType) else None


def value(type_name: str, item: Any) -> NetEnum:
    """A value of a declared enumeration, by name or number."""
    found = find(type_name)
    if found is None:
        raise KeyError(type_name)
    return found.of(item) if isinstance(item, int) else found.parse(item)


def _numbered(names: str, first: int = 0) -> dict[str, int]:
    return {name: number for number, name in enumerate(names.split(), first)}


def _pairs(text: str) -> dict[str, int]:
    return {name: int(number) for name, _, number in (item.partition("=") for item in text.split())}


ENUM = NetType("System.Enum", "System.ValueType")
for _name, _members, _flags in (
    (
        "System.TypeCode",
        {
            **_numbered(
                "Empty Object DBNull Boolean Char SByte Byte Int16 UInt16 Int32 UInt32 Int64 UInt64 "
                "Single Double Decimal DateTime"
            ),
            "String": 18,
        },
        False,
    ),
    (
        "System.DayOfWeek",
        _numbered("Sunday Monday Tuesday Wednesday Thursday Friday Saturday"),
        False,
    ),
    (
        "System.StringComparison",
        _numbered(
            "CurrentCulture CurrentCultureIgnoreCase InvariantCulture InvariantCultureIgnoreCase "
            "Ordinal OrdinalIgnoreCase"
        ),
        False,
    ),
    ("System.StringSplitOptions", _numbered("None RemoveEmptyEntries"), True),
    ("System.DateTimeKind", _numbered("Unspecified Utc Local"), False),
    ("System.MidpointRounding", _numbered("ToEven AwayFromZero"), False),
    ("System.EnvironmentVariableTarget", _numbered("Process User Machine"), False),
    ("System.UriKind", _numbered("RelativeOrAbsolute Absolute Relative"), False),
    ("System.UriHostNameType", _numbered("Unknown Basic Dns IPv4 IPv6"), False),
    ("System.PlatformID", _numbered("Win32S Win32Windows Win32NT WinCE Unix Xbox MacOSX"), False),
    (
        "System.ConsoleColor",
        _numbered(
            "Black DarkBlue DarkGreen DarkCyan DarkRed DarkMagenta DarkYellow Gray DarkGray Blue Green "
            "Cyan Red Magenta Yellow White"
        ),
        False,
    ),
    (
        "System.Text.RegularExpressions.RegexOptions",
        _pairs(
            "None=0 IgnoreCase=1 Multiline=2 ExplicitCapture=4 Compiled=8 Singleline=16 "
            "IgnorePatternWhitespace=32 RightToLeft=64 ECMAScript=256 CultureInvariant=512"
        ),
        True,
    ),
    (
        "System.Net.SecurityProtocolType",
        _pairs("SystemDefault=0 Ssl3=48 Tls=192 Tls11=768 Tls12=3072 Tls13=12288"),
        True,
    ),
    (
        "System.IO.FileMode",
        _numbered("CreateNew Create Open OpenOrCreate Truncate Append", 1),
        False,
    ),
    ("System.IO.FileAccess", _pairs("Read=1 Write=2 ReadWrite=3"), True),
    (
        "System.IO.FileShare",
        _pairs("None=0 Read=1 Write=2 ReadWrite=3 Delete=4 Inheritable=16"),
        True,
    ),
    ("System.IO.SearchOption", _numbered("TopDirectoryOnly AllDirectories"), False),
    ("System.IO.SeekOrigin", _numbered("Begin Current End"), False),
    (
        "System.IO.FileAttributes",
        _pairs(
            "ReadOnly=1 Hidden=2 System=4 Directory=16 Archive=32 Device=64 Normal=128 Temporary=256 "
            "SparseFile=512 ReparsePoint=1024 Compressed=2048 Offline=4096 Encrypted=16384"
        ),
        True,
    ),
    ("System.IO.Compression.CompressionLevel", _numbered("Optimal Fastest NoCompression"), False),
    ("System.IO.Compression.ZipArchiveMode", _numbered("Read Create Update"), False),
    (
        "System.Security.Principal.WindowsBuiltInRole",
        _pairs(
            "Administrator=544 User=545 Guest=546 PowerUser=547 AccountOperator=548 SystemOperator=549 "
            "PrintOperator=550 BackupOperator=551 Replicator=552"
        ),
        False,
    ),
    (
        "System.Net.Sockets.AddressFamily",
        _pairs("Unknown=-1 Unspecified=0 Unix=1 InterNetwork=2 InterNetworkV6=23"),
        False,
    ),
    ("System.Net.Sockets.SocketType", _numbered("Stream Dgram Raw Rdm Seqpacket", 1), False),
    ("System.Net.Sockets.ProtocolType", _pairs("IP=0 Icmp=1 Tcp=6 Udp=17"), False),
    (
        "System.Net.HttpStatusCode",
        _pairs(
            "OK=200 Created=201 Accepted=202 NoContent=204 MovedPermanently=301 Redirect=302 "
            "NotModified=304 BadRequest=400 Unauthorized=401 Forbidden=403 NotFound=404 "
            "MethodNotAllowed=405 Conflict=409 Gone=410 UnprocessableEntity=422 InternalServerError=500 "
            "NotImplemented=501 BadGateway=502 ServiceUnavailable=503 GatewayTimeout=504"
        ),
        False,
    ),
    (
        "System.Globalization.NumberStyles",
        _pairs(
            "None=0 AllowLeadingWhite=1 AllowTrailingWhite=2 AllowLeadingSign=4 Integer=7 "
            "AllowTrailingSign=8 AllowParentheses=16 AllowDecimalPoint=32 AllowThousands=64 Number=111 "
            "AllowExponent=128 Float=167 Any=511 AllowHexSpecifier=512 HexNumber=515"
        ),
        True,
    ),
    (
        "System.Globalization.DateTimeStyles",
        _pairs(
            "None=0 AllowWhiteSpaces=7 AdjustToUniversal=16 AssumeLocal=32 AssumeUniversal=64 "
            "RoundtripKind=128"
        ),
        True,
    ),
    (
        "System.Diagnostics.ProcessWindowStyle",
        _numbered("Normal Hidden Minimized Maximized"),
        False,
    ),
    (
        "System.Diagnostics.ProcessPriorityClass",
        _pairs("Normal=32 Idle=64 High=128 RealTime=256 BelowNormal=16384 AboveNormal=32768"),
        False,
    ),
    (
        "System.ServiceProcess.ServiceControllerStatus",
        _numbered(
            "Stopped StartPending StopPending Running ContinuePending PausePending Paused", 1
        ),
        False,
    ),
    (
        "System.ServiceProcess.ServiceStartMode",
        _numbered("Boot System Automatic Manual Disabled"),
        False,
    ),
    (
        "System.Management.Automation.ActionPreference",
        _numbered("SilentlyContinue Stop Continue Inquire Ignore Suspend"),
        False,
    ),
    (
        "System.Management.Automation.ErrorCategory",
        _numbered(
            "NotSpecified OpenError CloseError DeviceError DeadlockDetected InvalidArgument InvalidData "
            "InvalidOperation InvalidResult InvalidType MetadataError NotImplemented NotInstalled "
            "ObjectNotFound OperationStopped OperationTimeout SyntaxError ParserError PermissionDenied "
            "ResourceBusy ResourceExists ResourceUnavailable ReadError WriteError FromStdErr SecurityError "
            "ProtocolError ConnectionError AuthenticationError LimitsExceeded QuotaExceeded NotEnabled"
        ),
        False,
    ),
    (
        "System.Management.Automation.PSMemberTypes",
        _pairs(
            "AliasProperty=1 CodeProperty=2 Property=4 NoteProperty=8 ScriptProperty=16 Properties=31 "
            "PropertySet=32 Method=64 CodeMethod=128 ScriptMethod=256 Methods=448 ParameterizedProperty=512 "
            "MemberSet=1024 Event=2048 Dynamic=4096 All=8191"
        ),
        True,
    ),
    (
        "Microsoft.Win32.RegistryValueKind",
        _pairs("Unknown=0 String=1 ExpandString=2 Binary=3 DWord=4 MultiString=7 QWord=11 None=-1"),
        False,
    ),
    (
        "Microsoft.Win32.RegistryHive",
        _pairs(
            "ClassesRoot=-2147483648 CurrentUser=-2147483647 LocalMachine=-2147483646 Users=-2147483645"
        ),
        False,
    ),
    (
        "System.Management.Automation.WildcardOptions",
        _pairs("None=0 Compiled=1 IgnoreCase=2 CultureInvariant=4"),
        True,
    ),
    (
        "Microsoft.PowerShell.ExecutionPolicy",
        _numbered("Unrestricted RemoteSigned AllSigned Restricted Bypass Undefined"),
        False,
    ),
    (
        "System.Net.WebExceptionStatus",
        _numbered(
            "Success NameResolutionFailure ConnectFailure ReceiveFailure SendFailure PipelineFailure "
            "RequestCanceled ProtocolError ConnectionClosed TrustFailure SecureChannelFailure "
            "ServerProtocolViolation KeepAliveFailure Pending Timeout ProxyNameResolutionFailure"
        ),
        False,
    ),
):
    EnumType(_name, _members, flags=_flags)
