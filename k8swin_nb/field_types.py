"""The types of a description's fields: what a version, a network, a name or a reference must look like.

Each says in one line what is wrong with a value and what to type. Values are never repaired.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, Field

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_REFERENCE = re.compile(r"(env|file|keyring|cmd|prompt):.*", re.DOTALL)


def _version(text: str) -> str:
    if not _VERSION.fullmatch(text):
        raise ValueError(f"`{text}` is not a full version such as `1.36.4`")
    return text


def _without_zeros(text: str) -> str:
    """Return an address without leading zeros, which some programs read as octal numbers."""
    return re.sub(r"(?<![\d])0+(?=\d)", "", text)


def _version_or_none(text: str) -> str:
    return _version(text) if text else text


def _network(text: str) -> str:
    if ":" in text or "," in text:
        raise ValueError(
            f"`{text}` is not one IPv4 network such as `10.244.0.0/16`; clusters of two families, or of IPv6 "
            "alone, are not made here"
        )
    if (plain := _without_zeros(text)) != text:
        raise ValueError(f"`{text}` has leading zeros; write `{plain}`")
    try:
        ipaddress.IPv4Network(text)
    except ValueError as error:
        if "host bits" in str(error):
            whole = ipaddress.IPv4Network(text, strict=False)
            raise ValueError(f"`{text}` has host bits set; the network is `{whole}`") from None
        raise ValueError(f"`{text}` is not an IPv4 network such as `10.244.0.0/16`") from None
    if "/" not in text:
        raise ValueError(f"`{text}` has no prefix length, such as `{text}/16`")
    return text


def _address(text: str) -> str:
    if ":" in text:
        raise ValueError(f"`{text}` is not an IPv4 address such as `192.168.160.152`")
    if (plain := _without_zeros(text)) != text:
        raise ValueError(f"`{text}` has leading zeros; write `{plain}`")
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise ValueError(f"`{text}` is not an IPv4 address such as `192.168.160.152`") from None


def _node_name(text: str) -> str:
    if text != text.lower():
        raise ValueError(f"`{text}` has capitals; a node's name is lower-case: `{text.lower()}`")
    if not _LABEL.fullmatch(text) or len(text) > 63:
        raise ValueError(f"`{text}` is not a host name of letters, digits and hyphens")
    return text


def _attestation(text: str) -> str:
    if text and not re.fullmatch(r"\S.*, \d{4}-\d{2}-\d{2}", text):
        raise ValueError(f"`{text}` is not a name and a date such as `A. Miller, 2026-11-26`")
    return text


def _key_url(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^\s/]+/\S+", text):
        raise ValueError(f"`{text}` is not the URL of a key")
    return text


def _proxy_url(text: str) -> str:
    if "@" in text:
        # The value is not repeated: it may hold a password.
        raise ValueError(
            "holds a user name; put a proxy that asks for one into /etc/environment of the hosts, and leave this empty"
        )
    if text and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?/?", text):
        raise ValueError(f"`{text}` is not a proxy such as `http://proxy.example:3128`")
    return text


def _reference(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        # The value is not repeated: it may be the secret itself.
        raise ValueError(
            "holds a literal value; a secret is given as a reference: "
            "`env:NAME`, `file:PATH` or `keyring:SERVICE/USER`"
        )
    return text


Version = Annotated[str, AfterValidator(_version)]
VersionOrNone = Annotated[str, AfterValidator(_version_or_none)]
Network = Annotated[str, AfterValidator(_network)]
Address = Annotated[str, AfterValidator(_address)]
NodeName = Annotated[str, AfterValidator(_node_name)]
Attestation = Annotated[str, AfterValidator(_attestation)]
Reference = Annotated[str, AfterValidator(_reference)]
ProxyUrl = Annotated[str, AfterValidator(_proxy_url)]
KeyUrl = Annotated[str, AfterValidator(_key_url)]
Port = Annotated[int, Field(ge=1, le=65535)]
NodePort = Annotated[int, Field(ge=30000, le=32767)]
