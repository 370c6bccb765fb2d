"""System.Uri."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet.registry import NetObject, NetType
from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.values import PSArray

_PORTS = {"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443, "ldap": 389}


class Uri(NetObject):
    type_name = "System.Uri"

    def __init__(self, text: str) -> None:
        self.text = text
        self.parts = urlsplit(text)
        self.absolute = bool(self.parts.scheme) and len(self.parts.scheme) > 1
        if self.absolute and self.parts.scheme in _PORTS and not self.parts.hostname:
            raise Terminating(
                "Invalid URI: The hostname could not be parsed.",
                exception="System.UriFormatException",
            )
        try:
            self.port = self.parts.port or _PORTS.get(self.parts.scheme, -1)
        except ValueError as error:
            raise Terminating(
                "Invalid URI: Invalid port specified.", exception="System.UriFormatException"
            ) from error

    @property
    def path(self) -> str:
        return quote(self.parts.path or ("/" if self.absolute else ""), safe="/%:@!$&'()*+,;=~-._")

    @property
    def query(self) -> str:
        return f"?{self.parts.query}" if self.parts.query else ""

    @property
    def host(self) -> str:
        return self.parts.hostname or ""

    @property
    def authority(self) -> str:
        default = _PORTS.get(self.parts.scheme, -1)
        return self.host if self.port in (default, -1) else f"{self.host}:{self.port}"

    @property
    def absolute_uri(self) -> str:
        fragment = f"#{self.parts.fragment}" if self.parts.fragment else ""
        user = f"{self.parts.netloc.rpartition('@')[0]}@" if "@" in self.parts.netloc else ""
        return f"{self.parts.scheme}://{user}{self.authority}{self.path}{self.query}{fragment}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Uri) and str(other) == str(self)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return unquote(self.absolute_uri) if self.absolute and self.parts.netloc else self.text


URI = NetType("System.Uri")


@URI.constructor
def _new_uri(base: Any, relative: Any = None) -> Uri:
    text = to_string(base)
    kind = to_string(relative)
    if relative is not None and kind not in ("Absolute", "Relative", "RelativeOrAbsolute"):
        return Uri(urljoin(text, kind))
    made = Uri(text)
    if not made.absolute and kind not in ("Relative", "RelativeOrAbsolute"):
        raise Terminating(
            "Invalid URI: The format of the URI could not be determined.",
            exception="System.UriFormatException",
        )
    return made


def _of_absolute(get: Callable[[Uri], Any]) -> Callable[[Uri], Any]:
    """A property that a relative address has not: .NET throws, which PowerShell shows as $null."""
    return lambda uri: get(uri) if uri.absolute else None


URI.from_value = lambda value: Uri(to_string(value))
URI.to_text = str
URI.prop("AbsolutePath", _of_absolute(lambda u: u.path))
URI.prop("AbsoluteUri", _of_absolute(lambda u: u.absolute_uri))
URI.prop("Authority", _of_absolute(lambda u: u.authority))
URI.prop("Host", _of_absolute(lambda u: u.host))
URI.prop("DnsSafeHost", _of_absolute(lambda u: u.host))
URI.prop("Port", _of_absolute(lambda u: u.port))
URI.prop("Scheme", _of_absolute(lambda u: u.parts.scheme))
URI.prop("Query", _of_absolute(lambda u: u.query))
URI.prop("PathAndQuery", _of_absolute(lambda u: u.path + u.query))
URI.prop("Fragment", _of_absolute(lambda u: f"#{u.parts.fragment}" if u.parts.fragment else ""))
URI.prop("LocalPath", _of_absolute(lambda u: unquote(u.path)))
URI.prop("OriginalString", lambda u: u.text)
URI.prop("IsAbsoluteUri", lambda u: u.absolute)
URI.prop("IsDefaultPort", _of_absolute(lambda u: u.port == _PORTS.get(u.parts.scheme, -1)))
URI.prop("IsFile", _of_absolute(lambda u: u.parts.scheme == "file"))
URI.prop("IsLoopback", _of_absolute(lambda u: u.host in ("localhost", "127.0.0.1", "::1")))
URI.prop("UserInfo", _of_absolute(lambda u: u.parts.netloc.rpartition("@")[0]))
URI.prop(
    "Segments",
    lambda u: PSArray(re.findall(r"[^/]*/|[^/]+$", u.path), "System.String"),
)
for _scheme in ("File", "Ftp", "Http", "Https", "Mailto"):
    URI.value(f"UriScheme{_scheme}", _scheme.lower())
URI.value("SchemeDelimiter", "://")
URI.static("EscapeDataString")(lambda text: quote(to_string(text), safe="-_.~"))
URI.static("UnescapeDataString")(lambda text: unquote(to_string(text)))
URI.static("EscapeUriString")(lambda text: quote(to_string(text), safe="-_.~!*'();:@&=+$,/?#[]"))
URI.static("IsHexDigit")(lambda char: to_string(char).lower() in set("0123456789abcdef"))
URI.static("IsWellFormedUriString")(
    lambda text, kind=None: bool(
        re.fullmatch(r"[a-z][a-z0-9+.-]+://[^\s<>\"{}|\\^`]+", to_string(text), re.I)
    )
)
