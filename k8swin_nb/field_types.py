"""The types of a description's fields: what a version, a network, a name or a reference must look like.

Each says in one line what is wrong with a value and what to type. Values are never repaired.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from k8swin_nb.reading import quoted_otherwise, unseen
from k8swin_nb.redact import MIN_LENGTH, REDACTOR

_VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_WORD = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"[a-z0-9]+(?:[.-]+[a-z0-9]+)*(?::[0-9]{{1,5}})?(?:/{_WORD})*")
_TAG = re.compile(r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?")
DNS_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_APT_SOURCE = re.compile(r"deb (?:\[[^\[\]]+\] )?([a-z+]+):(/\S*) \S+(?: \S+)*")
_USER = re.compile(r"(?![-\s])[^\"/\[\]:;|=,+*?<>`'&(){}!#%^~]{1,104}(?<!\s)")
_RESERVED = frozenset(
    {"all", "linux", "windows", "node", "target", "localhost", "worker", "workers", "master", "masters",
     "control-plane", "hypervisor", "hypervisors"}
)  # fmt: skip
"""Words that mean something else where hosts are named."""

_REFERENCE = re.compile(r"(env|file|keyring|cmd):\s*\S.*|prompt:.*", re.DOTALL)


def _version(text: str) -> str:
    plain = re.match(
        r"v?([0-9]+\.[0-9]+\.[0-9]+)(?:[-+](k3s|rke2|rancher|k0s|vmware|eks)\S*)?\Z", text
    )
    if plain and plain[1] != text and _VERSION.fullmatch(plain[1]):
        raise ValueError(f"`{text}` is more than the version alone; write `{plain[1]}`")
    if not _VERSION.fullmatch(text):
        raise ValueError(f"`{text}` is not a full version such as `1.36.4`")
    return text


def _without_zeros(text: str) -> str:
    """Return an address without leading zeros, which some programs read as octal numbers."""
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", text)


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
    # A mask is the same network to Python, and none to kubeadm and flannel.
    if (plain := str(ipaddress.IPv4Network(text))) != text:
        raise ValueError(f"`{text}` has a mask, expected the length of its prefix; write `{plain}`")
    return text


def address(text: str) -> str:
    """Return an IPv4 address as it is written everywhere; ValueError says what is wrong with it."""
    if ":" in text:
        raise ValueError(f"`{text}` is not an IPv4 address such as `192.168.160.152`")
    if "/" in text:
        raise ValueError(
            f"`{text}` is a network or has its length; write `{text.partition('/')[0]}`"
        )
    if (plain := _without_zeros(text)) != text:
        raise ValueError(f"`{text}` has leading zeros; write `{plain}`")
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        name = "; a name is for `ssh_host` or `winrm_host`" if re.search("[a-z]", text) else ""
        raise ValueError(
            f"`{text}` is not an IPv4 address such as `192.168.160.152`{name}"
        ) from None


def one_line(value: Any) -> Any:
    """Return a value of any kind; text in it must be in one line of characters that can be seen."""
    for item in value if isinstance(value, list) else ():
        if not isinstance(item, dict):  # a record says itself what is wrong with it
            one_line(item)
    for item in value.items() if isinstance(value, dict) else ():
        one_line(list(item))
    # What is not as it should be is not repeated: it may be a secret, and is in no case fit to be shown.
    if isinstance(value, str) and (found := unseen(value)):
        raise ValueError(f"holds {found}, which nobody sees; type it anew, in one line")
    if isinstance(value, str) and (found := quoted_otherwise(value)):
        raise ValueError(f"begins with {found}; quotes in YAML are the plain ones, \" or '")
    return value


def _node_name(text: str) -> str:
    if text != text.lower():
        raise ValueError(f"`{text}` has capitals; a node's name is lower-case: `{text.lower()}`")
    if not _LABEL.fullmatch(text) or len(text) > 63:
        first, dot, _ = text.partition(".")
        alone = f"; write `{first}`, without its domain" if dot and _LABEL.fullmatch(first) else ""
        raise ValueError(f"`{text}` is not a host name of letters, digits and hyphens{alone}")
    return text


def _host_name(text: str) -> str:
    if text in _RESERVED:
        raise ValueError(f"`{text}` means something else where hosts are selected; choose another")
    return _node_name(text)


def _group_name(text: str) -> str:
    if text in _RESERVED:
        raise ValueError(f"`{text}` means something else where hosts are selected; choose another")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,62}", text):
        raise ValueError(f"`{text}` is no group of letters, digits, `_` and `-`, a letter first")
    return text


def _user(text: str) -> str:
    if not _USER.fullmatch(text):
        raise ValueError(
            f"`{text}` is no login name" if text else "is empty, expected a login name"
        )
    return text


def without_login(text: str) -> str:
    """Return an address that holds no user and password; what holds one is not repeated."""
    if re.search(r"(?:://|^)[^/\s]*:[^/\s]*@(?!sha256:)|://[^/\s]*@", text):
        raise ValueError(
            "holds a login in its address, and parameters are no place for a password; give it to the hosts, "
            "such as in /etc/apt/auth.conf.d for apt"
        )
    return text


def _repository(text: str) -> str:
    without_login(text)
    if "://" in text or text.endswith("/"):
        plain = text.rpartition("://")[2].rstrip("/")
        raise ValueError(f"`{text}` is a URL; write `{plain}`")
    if not _REPOSITORY.fullmatch(text):
        raise ValueError(
            f"`{text}` is no registry with folders, in small letters, such as `mirror.example/k8s`"
        )
    return text


def _repository_or_none(text: str) -> str:
    return _repository(text) if text else text


def _image(text: str) -> str:
    without_login(text)
    name = re.split(r"(?::[^/:]*)?(?:@|$)", text, maxsplit=1)[0]
    if not (_REPOSITORY.fullmatch(name) and _TAG.fullmatch(text[len(name) :])):
        raise ValueError(f"`{text}` is no image such as `mirror.example/web:1`")
    return text


def _image_or_none(text: str) -> str:
    return _image(text) if text else text


def _whole_image(text: str) -> str:
    first, slash, _ = _image(text).partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        where = "docker.io/" if slash else "docker.io/library/"
        raise ValueError(f"`{text}` names no registry; write `{where}{text}`")
    return text


def _dns_name_or_none(text: str) -> str:
    if text and not DNS_NAME.fullmatch(text):
        raise ValueError(f"`{text}` is no name in DNS, in small letters, such as `ntp.example`")
    return text


def _apt_source(text: str) -> str:
    if text in ("", "same", "tarball"):
        return text
    found = _APT_SOURCE.fullmatch(without_login(text))
    if not found:
        raise ValueError(
            f"`{text}` is no apt source line such as "
            "`deb [signed-by=/etc/apt/keyrings/site.gpg] https://mirror.example/k8s ./`"
        )
    if found[1] == "http" and re.search(r"\[[^\]]*\b(trusted|allow-insecure)=(?!no\b)", text):
        raise ValueError(
            f"`{text}` is trusted without a signature and comes over http, so that anybody on the way may change it; "
            "use https, or `signed-by` with the mirror's key"
        )
    return text


def _fingerprint(text: str) -> str:
    plain = text.replace(" ", "").upper()
    if plain and not re.fullmatch(r"[0-9A-F]{40}", plain):
        raise ValueError(f"`{text}` is not the 40 hexadecimal digits of a key's fingerprint")
    return plain


def _certificate_fingerprint(text: str) -> str:
    plain = re.sub(r"[ :]", "", text.lower()).removeprefix("sha256").removeprefix("-")
    if re.fullmatch(r"[0-9a-f]{40}", plain):
        raise ValueError(
            f"`{text}` is a SHA-1 thumbprint, as Windows shows one; give the certificate's SHA-256, as "
            "docs/connections.md shows"
        )
    if not re.fullmatch(r"[0-9a-f]{64}", plain):
        raise ValueError(f"`{text}` is not the 64 hexadecimal digits of a certificate's SHA-256")
    return plain


PIN_IT = (
    "a certificate is never taken unseen: pin the listener's by its SHA-256, `winrm_fingerprint: ...`, which the error "
    "of the first attempt names (docs/connections.md), or name its authority as `ca`"
)

_NO_CHECK = ("ignore", "none", "no", "off", "false", "insecure", "disable", "disabled", "")


def _authority(value: Any) -> Any:
    if value is False or (isinstance(value, str) and value.strip().lower() in _NO_CHECK):
        raise ValueError(f"is no path of an authority; {PIN_IT}")
    return value


_LOGINS = {
    "negotiate": "`ntlm`, or `kerberos` with an account of a domain",
    "digest": "`ntlm`",
    "plaintext": "`ntlm`, or `basic` over https",
    "ssl": "`basic` over https, or `certificate`",
    "cert": "`certificate`",
    "client_certificate": "`certificate`",
    "sspi": "`kerberos`",
    "gssapi": "`kerberos`",
}
"""What other programs call logins, and which it is here."""


def _login(value: Any) -> Any:
    if isinstance(value, str) and (found := _LOGINS.get(value.strip().lower())):
        raise ValueError(f"`{value}` is called otherwise here: write {found}")
    return value


def _server(text: str) -> str:
    if ":" in text:
        raise ValueError(
            f"`{text}` is no name in DNS and no IPv4 address; ports have keys of their own"
        )
    if re.fullmatch(r"[0-9.]+", text):
        return address(text)
    if not DNS_NAME.fullmatch(text.lower()):
        raise ValueError(f"`{text}` is no name in DNS such as `winworker01.corp.example`")
    return text


def _spn(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*/[A-Za-z0-9][A-Za-z0-9.-]*", text):
        raise ValueError(
            f"`{text}` is no service principal such as `HTTP/winworker01.corp.example`, without a realm"
        )
    return text


def _vm_name(text: str) -> str:
    if not text.strip() or ";" in text:
        raise ValueError(f"`{text}` is no virtual machine's name that can be passed on")
    return text


def _attestation(text: str) -> str:
    if text and not re.fullmatch(r"\S.*, [0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(f"`{text}` is not a name and a date such as `A. Miller, 2026-11-26`")
    return text


def _key_url(text: str) -> str:
    without_login(text)
    if text and not re.fullmatch(r"https?://[^\s/@\[\]]+/\S+", text):
        raise ValueError(f"`{text}` is not the URL of a key")
    return text


def _proxy_url(text: str) -> str:
    if "@" in text:
        # The value is not repeated: it may hold a password.
        raise ValueError(
            "holds a user name; put a proxy that asks for one into /etc/environment of the hosts, and leave this empty"
        )
    if text and re.fullmatch(r"[A-Za-z0-9.-]+:\d{1,5}", text):
        raise ValueError(f"`{text}` does not say how it is talked to; write `http://{text}`")
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
    if text.startswith("cmd:"):
        # What a command is given may be a password; one plain word is the name of an entry.
        given = text.removeprefix("cmd:").strip().partition(" ")[2].strip()
        if len(given) >= MIN_LENGTH and not (given.isalpha() and given.islower()):
            REDACTOR.add(given)
    return text


Version = Annotated[str, AfterValidator(_version)]
VersionOrNone = Annotated[str, AfterValidator(_version_or_none)]
Network = Annotated[str, AfterValidator(_network)]
Address = Annotated[str, AfterValidator(address)]
NodeName = Annotated[str, AfterValidator(_node_name)]
Attestation = Annotated[str, AfterValidator(_attestation)]
Reference = Annotated[str, AfterValidator(_reference)]
ProxyUrl = Annotated[str, AfterValidator(_proxy_url)]
HostName = Annotated[str, AfterValidator(_host_name)]
GroupName = Annotated[str, AfterValidator(_group_name)]
User = Annotated[str, AfterValidator(_user)]
VmName = Annotated[str, AfterValidator(_vm_name)]
Repository = Annotated[str, AfterValidator(_repository)]
RepositoryOrNone = Annotated[str, AfterValidator(_repository_or_none)]
ImageOrNone = Annotated[str, AfterValidator(_image_or_none)]
WholeImage = Annotated[str, AfterValidator(_whole_image)]
DnsNameOrNone = Annotated[str, AfterValidator(_dns_name_or_none)]
AptSource = Annotated[str, AfterValidator(_apt_source)]
Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
KeyUrl = Annotated[str, AfterValidator(_key_url)]
CertificateFingerprint = Annotated[str, AfterValidator(_certificate_fingerprint)]
WinrmAuth = Annotated[
    Literal["ntlm", "kerberos", "credssp", "certificate", "basic"], BeforeValidator(_login)
]
Authority = Annotated[str | None, BeforeValidator(_authority)]
Server = Annotated[str, AfterValidator(_server)]
Spn = Annotated[str, AfterValidator(_spn)]
Port = Annotated[int, Field(ge=1, le=65535)]
NodePort = Annotated[int, Field(ge=30000, le=32767)]
