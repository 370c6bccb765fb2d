"""Guid, Version, IPAddress, Uri, StringBuilder: small values with a text form."""

from __future__ import annotations

import functools
import ipaddress
import re
import uuid
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet import enums
from k8swin_lab.powershell.dotnet.comparison import compared
from k8swin_lab.powershell.dotnet.composite import format_operator
from k8swin_lab.powershell.dotnet.conversion import to_bytes
from k8swin_lab.powershell.dotnet.primitives import byte_array
from k8swin_lab.powershell.dotnet.registry import (
    NetObject,
    NetType,
    argument,
    format_error,
    out_of_range,
)
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.dotnet.typing_of import type_name_of
from k8swin_lab.powershell.records import Reference
from k8swin_lab.powershell.values import Char


def try_with(parse: Any, failed: Any = None) -> Any:
    """`TryParse(text, [ref]$x)` out of a parser; `failed` is what the place gets on failure."""

    def attempt(text: Any, *args: Any) -> bool:
        target = next(a for a in args if isinstance(a, Reference))
        try:
            target.set(parse(to_string(text)))
        except Terminating:
            target.set(failed)
            return False
        return True

    return attempt


# --- Guid


@functools.total_ordering
class Guid(NetObject):
    type_name = "System.Guid"

    def __init__(self, value: uuid.UUID) -> None:
        self.value = value

    def format(self, pattern: str) -> str:
        text = str(self.value)
        styles = {"d": text, "n": text.replace("-", ""), "b": f"{{{text}}}", "p": f"({text})"}
        if pattern.lower() not in styles:
            raise format_error(
                'Format String can be only "D", "d", "N", "n", "P", "p", "B", "b", "X" or "x".'
            )
        return styles[pattern.lower()]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Guid) and other.value == self.value

    def __lt__(self, other: Guid) -> bool:
        return self.value < other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __str__(self) -> str:
        return str(self.value)


def parse_guid(text: str) -> Guid:
    """Read any of the forms of a GUID."""
    body = text.strip().strip("{}()")
    if not re.fullmatch(
        r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", body
    ):
        raise format_error(
            "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."
        )
    return Guid(uuid.UUID(body))


GUID = NetType("System.Guid", value_type=True, interfaces=("System.IComparable",))
GUID.constructor(
    lambda value=None: (
        Guid(uuid.UUID(int=0))
        if value is None
        else Guid(uuid.UUID(bytes_le=to_bytes(value)))
        if isinstance(value, list)
        else parse_guid(to_string(value))
    )
)
GUID.from_value = lambda value: parse_guid(to_string(value))
GUID.to_text = str
GUID.value("Empty", Guid(uuid.UUID(int=0)))
GUID.prop("Guid", str)
GUID.static("NewGuid")(lambda: Guid(uuid.uuid4()))
GUID.static("Parse")(lambda text: parse_guid(to_string(text)))
GUID.static("TryParse")(try_with(parse_guid, Guid(uuid.UUID(int=0))))
GUID.method("ToString")(lambda self, pattern="D", *rest: self.format(pattern or "D"))
GUID.method("CompareTo")(lambda self, other: compared(self, other, lambda a, b: (a > b) - (a < b)))
GUID.method("ToByteArray")(lambda self: byte_array(self.value.bytes_le))


# --- Version


@functools.total_ordering
class Version(NetObject):
    """Parts that were not given are -1."""

    type_name = "System.Version"

    def __init__(self, parts: tuple[int, ...]) -> None:
        self.parts = parts + (-1,) * (4 - len(parts))

    def format(self, fields: int | None = None) -> str:
        present = [part for part in self.parts if part >= 0]
        return ".".join(str(part) for part in (present if fields is None else present[:fields]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and other.parts == self.parts

    def __lt__(self, other: Version) -> bool:
        return self.parts < other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __str__(self) -> str:
        return self.format()


def parse_version(text: str) -> Version:
    """Read two to four numbers with dots between."""
    parts = text.split(".")
    if not 2 <= len(parts) <= 4:
        raise argument("Version string portion was too short or too long.", "input")
    if not all(re.fullmatch(r"\s*\+?\d+\s*", part) for part in parts):
        if any(re.fullmatch(r"\s*-\d+\s*", part) for part in parts):
            raise out_of_range("Version's parameters must be greater than or equal to zero.")
        raise format_error()
    return Version(tuple(int(part) for part in parts))


VERSION = NetType("System.Version", interfaces=("System.IComparable", "System.ICloneable"))


@VERSION.constructor
def _new_version(*args: Any) -> Version:
    if not args:
        return Version((0, 0))
    if len(args) == 1:
        return parse_version(to_string(args[0]))
    if any(int(a) < 0 for a in args):
        raise out_of_range("Version's parameters must be greater than or equal to zero.")
    return Version(tuple(int(a) for a in args))


def _to_version(value: Any) -> Any:
    if isinstance(value, float):
        return parse_version(to_string(value))
    return parse_version(value) if isinstance(value, str) else NotImplemented


VERSION.from_value = _to_version
VERSION.to_text = str
VERSION.prop("Major", lambda v: v.parts[0])
VERSION.prop("Minor", lambda v: v.parts[1])
VERSION.prop("Build", lambda v: v.parts[2])
VERSION.prop("Revision", lambda v: v.parts[3])
VERSION.static("Parse")(lambda text: parse_version(to_string(text)))
VERSION.static("TryParse")(try_with(parse_version))
VERSION.method("ToString")(lambda self, fields=None: self.format(fields))
VERSION.method("CompareTo")(
    lambda self, other: compared(self, other, lambda a, b: (a > b) - (a < b))
)

# --- IPAddress


class IPAddress(NetObject):
    type_name = "System.Net.IPAddress"

    def __init__(self, value: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IPAddress) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __str__(self) -> str:
        return str(self.value)


def parse_address(text: str) -> IPAddress:
    """Read an address; as in .NET, parts of an IPv4 address may be missing, octal or hexadecimal."""
    stripped = text.strip()
    try:
        if ":" in stripped:
            return IPAddress(ipaddress.IPv6Address(stripped.strip("[]")))
        return IPAddress(ipaddress.IPv4Address(_ipv4(stripped)))
    except ValueError:
        raise format_error("An invalid IP address was specified.") from None


def _ipv4(text: str) -> int:
    parts = text.split(".")
    if not 1 <= len(parts) <= 4:
        raise ValueError(text)
    numbers = []
    for part in parts:
        if re.fullmatch(r"0[xX][0-9a-fA-F]+", part):
            numbers.append(int(part, 16))
        elif re.fullmatch(r"0[0-7]+", part):
            numbers.append(int(part, 8))
        elif re.fullmatch(r"[0-9]+", part):
            numbers.append(int(part))
        else:
            raise ValueError(text)
    last = numbers.pop()
    if any(n > 255 for n in numbers) or last >= 256 ** (4 - len(numbers)):
        raise ValueError(text)
    value = 0
    for number in numbers:
        value = value << 8 | number
    return value << 8 * (4 - len(numbers)) | last


ADDRESS = NetType("System.Net.IPAddress")


@ADDRESS.constructor
def _new_address(value: Any, scope: int = 0) -> IPAddress:
    if isinstance(value, int):
        if not 0 <= int(value) < 1 << 32:
            raise out_of_range(
                "Specified argument was out of the range of valid values.", "newAddress"
            )
        return IPAddress(ipaddress.IPv4Address(int(value).to_bytes(4, "little")))
    data = to_bytes(value)
    if len(data) not in (4, 16):
        raise argument("An invalid IP address was specified.", "address")
    return IPAddress(ipaddress.ip_address(data))


ADDRESS.from_value = lambda value: (
    parse_address(value)
    if isinstance(value, str)
    else _new_address(value)
    if isinstance(value, int | list) and not isinstance(value, bool)
    else NotImplemented
)
ADDRESS.to_text = str
ADDRESS.prop(
    "Address", lambda a: int.from_bytes(a.value.packed, "little") if a.value.version == 4 else None
)
ADDRESS.prop(
    "AddressFamily",
    lambda a: enums.value("System.Net.Sockets.AddressFamily", 2 if a.value.version == 4 else 23),
)
ADDRESS.prop("IPAddressToString", str)
ADDRESS.prop("IsIPv6LinkLocal", lambda a: a.value.version == 6 and a.value.is_link_local)
ADDRESS.prop("IsIPv6Multicast", lambda a: a.value.version == 6 and a.value.is_multicast)
for _name, _text in (
    ("Any", "0.0.0.0"),  # noqa: S104 - the constant of that name
    ("Loopback", "127.0.0.1"),
    ("Broadcast", "255.255.255.255"),
    ("None", "255.255.255.255"),
    ("IPv6Any", "::"),
    ("IPv6Loopback", "::1"),
):
    ADDRESS.value(_name, IPAddress(ipaddress.ip_address(_text)))
ADDRESS.method("GetAddressBytes")(lambda self: byte_array(self.value.packed))
ADDRESS.static("Parse")(lambda text: parse_address(to_string(text)))
ADDRESS.static("TryParse")(try_with(parse_address))
ADDRESS.static("IsLoopback")(
    lambda address: (
        (
            address if isinstance(address, IPAddress) else parse_address(to_string(address))
        ).value.is_loopback
    )
)


@ADDRESS.static("HostToNetworkOrder", "NetworkToHostOrder")
def _turned(value: Any) -> int:
    size = {"System.Int16": 2, "System.Int32": 4, "System.Int64": 8}[type_name_of(value)]
    return int.from_bytes(int(value).to_bytes(size, "little", signed=True), "big", signed=True)


ENDPOINT = NetType("System.Net.IPEndPoint")


class EndPoint(NetObject):
    type_name = "System.Net.IPEndPoint"

    def __init__(self, address: IPAddress, port: int) -> None:
        self.address = address
        self.port = port

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@ENDPOINT.constructor
def _new_endpoint(address: Any, port: int) -> EndPoint:
    if not isinstance(address, IPAddress):
        number = int(address) & 0xFFFFFFFF
        address = IPAddress(ipaddress.ip_address(number.to_bytes(4, "little")))
    if not 0 <= port <= 65535:
        raise out_of_range("Specified argument was out of the range of valid values.", "port")
    return EndPoint(address, port)


ENDPOINT.prop("Address", lambda e: e.address)
ENDPOINT.prop("Port", lambda e: e.port)
ENDPOINT.to_text = str

# --- StringBuilder


class StringBuilder(NetObject):
    type_name = "System.Text.StringBuilder"

    def __init__(self, text: str = "") -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


BUILDER = NetType("System.Text.StringBuilder")
BUILDER.constructor(lambda *args: StringBuilder("".join(a for a in args if isinstance(a, str))))
BUILDER.to_text = str
BUILDER.method("get_Chars", "get_Item")(lambda self, index: Char(self.text[int(index)]))
BUILDER.prop(
    "Length",
    lambda b: len(b.text),
    lambda b, new: setattr(b, "text", b.text[: int(new)].ljust(int(new), "\0")),
)
BUILDER.prop("Capacity", lambda b: max(16, len(b.text)))


def _built(change: Any) -> Any:
    def apply(interp: Any, self: StringBuilder, *args: Any) -> StringBuilder:
        self.text = change(self.text, getattr(interp, "newline", "\r\n"), *args)
        return self

    return apply


def _joined(value: Any) -> str:
    return "".join(to_string(i) for i in value) if isinstance(value, list) else to_string(value)


def _append(text: str, newline: str, value: Any, first: int = 1, count: int | None = None) -> str:
    added = _joined(value)
    if count is None:
        return text + added * first
    if not 0 <= first <= first + count <= len(added):
        raise out_of_range(
            "Index was out of range. Must be non-negative and less than the size of the collection.",
            "startIndex",
        )
    return text + added[first : first + count]


def _inserted(text: str, newline: str, index: int, value: Any, *rest: int) -> str:
    if not 0 <= index <= len(text):
        raise out_of_range(
            "Index was out of range. Must be non-negative and less than the size of the collection.",
            "index",
        )
    added = _joined(value)
    if len(rest) == 2:
        added = added[rest[0] : rest[0] + rest[1]]
    return text[:index] + (added * rest[0] if len(rest) == 1 else added) + text[index:]


def _replaced(text: str, old: Any, new: Any, start: int = 0, count: int = -1) -> str:
    end = len(text) if count < 0 else start + count
    return text[:start] + text[start:end].replace(to_string(old), to_string(new)) + text[end:]


def _formatted(text: str, newline: str, pattern: Any, *args: Any) -> str:
    values = list(args)
    if not isinstance(pattern, str) and values:  # a provider comes first
        if getattr(pattern, "invariant", False) is not True:
            raise NotSimulated("[System.Text.StringBuilder].AppendFormat() with a culture")
        pattern = values.pop(0)
    if len(values) == 1 and isinstance(values[0], list):
        values = list(values[0])
    return text + format_operator(to_string(pattern), values)


BUILDER.method("Append")(_built(_append))
BUILDER.method("AppendLine")(
    _built(lambda text, newline, value="": text + to_string(value) + newline)
)
BUILDER.method("AppendFormat")(_built(_formatted))
BUILDER.method("Insert")(_built(_inserted))
BUILDER.method("Remove")(
    _built(lambda text, newline, index, count: text[:index] + text[index + count :])
)
BUILDER.method("Replace")(
    _built(lambda text, newline, old, new, *part: _replaced(text, old, new, *part))
)
BUILDER.method("Clear")(_built(lambda text, newline: ""))
BUILDER.method("ToString")(
    lambda self, start=0, length=None: self.text[start : None if length is None else start + length]
)
