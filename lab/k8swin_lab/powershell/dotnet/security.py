"""Hashes, random bytes and the Windows identity of the session."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet import enums
from k8swin_lab.powershell.dotnet.conversion import to_bytes
from k8swin_lab.powershell.dotnet.primitives import byte_array
from k8swin_lab.powershell.dotnet.registry import NetObject, NetType
from k8swin_lab.powershell.dotnet.streams import Stream
from k8swin_lab.powershell.dotnet.text import to_string

_PREFIX = "System.Security.Cryptography."


class HashAlgorithm(NetObject):
    """One of the hash functions; `key` makes it an HMAC."""

    def __init__(self, algorithm: str, type_name: str, key: bytes | None = None) -> None:
        self.algorithm = algorithm
        self.type_name = type_name
        self.key = key
        self.last = b""

    def compute(self, data: bytes) -> bytes:
        if self.key is not None:
            return hmac.new(self.key, data, self.algorithm).digest()
        return hashlib.new(self.algorithm, data, usedforsecurity=False).digest()


ALGORITHM = NetType(_PREFIX + "HashAlgorithm")


@ALGORITHM.method("ComputeHash")
def _compute(self: HashAlgorithm, data: Any, start: int = 0, count: int = -1) -> Any:
    raw = data.buffer.read() if isinstance(data, Stream) else to_bytes(data)[start:]
    self.last = self.compute(raw if count < 0 else raw[:count])
    return byte_array(self.last)


ALGORITHM.method("Initialize", "Clear", "Dispose")(lambda self: None)
ALGORITHM.prop("Hash", lambda h: byte_array(h.last))
ALGORITHM.prop(
    "HashSize", lambda h: hashlib.new(h.algorithm, usedforsecurity=False).digest_size * 8
)
_NAMES = {"MD5": "md5", "SHA1": "sha1", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}


def _declare_hash(name: str, algorithm: str, suffix: str) -> None:
    full = _PREFIX + name + suffix
    declared = NetType(full, _PREFIX + name if suffix else ALGORITHM.name)
    declared.static("Create")(lambda *args: HashAlgorithm(algorithm, _PREFIX + name))
    declared.static("HashData")(
        lambda data: byte_array(HashAlgorithm(algorithm, "").compute(to_bytes(data)))
    )
    if suffix:
        declared.constructor(lambda: HashAlgorithm(algorithm, full))


def _declare(name: str, algorithm: str) -> None:
    for suffix in ("", "Managed", "CryptoServiceProvider", "Cng"):
        _declare_hash(name, algorithm, suffix)
    keyed = NetType(_PREFIX + "HMAC" + name, ALGORITHM.name)
    keyed.prop(
        "Key", lambda h: byte_array(h.key or b""), lambda h, new: setattr(h, "key", to_bytes(new))
    )
    keyed.constructor(
        lambda key=None: HashAlgorithm(
            algorithm,
            _PREFIX + "HMAC" + name,
            secrets.token_bytes(64) if key is None else to_bytes(key),
        )
    )


for _name, _algorithm in _NAMES.items():
    _declare(_name, _algorithm)
ALGORITHM.static("Create")(
    lambda name: HashAlgorithm(
        to_string(name).lower().replace("-", ""), _PREFIX + to_string(name).upper().replace("-", "")
    )
)


class RandomNumbers(NetObject):
    type_name = _PREFIX + "RNGCryptoServiceProvider"


RANDOM = NetType(_PREFIX + "RandomNumberGenerator")
PROVIDER = NetType(_PREFIX + "RNGCryptoServiceProvider", RANDOM.name)
RANDOM.static("Create")(lambda: RandomNumbers())
PROVIDER.constructor(lambda: RandomNumbers())


@RANDOM.method("GetBytes")
def _fill(self: RandomNumbers, buffer: Any) -> None:
    buffer[:] = byte_array(secrets.token_bytes(len(buffer)))


# --- identity


class Identity(NetObject):
    """The account that runs the session."""

    type_name = "System.Security.Principal.WindowsIdentity"

    def __init__(self, name: str, elevated: bool) -> None:
        self.name = name
        self.elevated = elevated

    @property
    def is_system(self) -> bool:
        return self.name.lower().endswith(("\\system", "\\local system"))


class Principal(NetObject):
    type_name = "System.Security.Principal.WindowsPrincipal"

    def __init__(self, identity: Identity) -> None:
        self.identity = identity


def current_identity(interp: Any) -> Identity:
    """Who the session is; a session over WinRM of an administrator is elevated."""
    user = str(interp.user)
    machine = str(getattr(interp.host.machine, "name", "") or "localhost").upper()
    name = user if "\\" in user else f"{machine}\\{user}"
    locale = getattr(interp.host.machine, "locale", None)
    if locale is not None:
        name = locale.shown(name)
    elevated = getattr(interp.host, "is_elevated", None)
    return Identity(name, True if elevated is None else bool(elevated(user)))


IDENTITY = NetType("System.Security.Principal.WindowsIdentity")
IDENTITY.static("GetCurrent")(lambda interp, *rest: current_identity(interp))
IDENTITY.prop("Name", lambda i: i.name)
IDENTITY.prop("IsSystem", lambda i: i.is_system)
IDENTITY.prop("IsAuthenticated", lambda i: True)
IDENTITY.prop("AuthenticationType", lambda i: "NTLM")
PRINCIPAL = NetType("System.Security.Principal.WindowsPrincipal")
PRINCIPAL.constructor(Principal)
PRINCIPAL.from_value = lambda value: (
    Principal(value) if isinstance(value, Identity) else NotImplemented
)
PRINCIPAL.prop("Identity", lambda p: p.identity)


@PRINCIPAL.method("IsInRole")
def _is_in_role(interp: Any, self: Principal, role: Any) -> bool:
    locale = getattr(interp.machine, "locale", None)
    if locale is not None and (sid := locale.sid(to_string(role))):
        role = sid
    declared = enums.find("System.Security.Principal.WindowsBuiltInRole")
    name = to_string(role)
    if declared is not None and declared.number_of(name) is not None:
        name = str(declared.parse(role))
    if name.rpartition("\\")[2].rstrip("s").lower() in ("administrator", "s-1-5-32-544"):
        return self.identity.elevated
    return name.rpartition("\\")[2].rstrip("s").lower() in ("user", "s-1-5-32-545")


class Sid(NetObject):
    type_name = "System.Security.Principal.SecurityIdentifier"

    def __init__(self, value: str) -> None:
        self.value = value


SID = NetType("System.Security.Principal.SecurityIdentifier")
SID.constructor(lambda value, domain=None: Sid(to_string(value)))
SID.prop("Value", lambda s: s.value)
SID.to_text = lambda s: str(s.value)
_WELL_KNOWN = {
    "S-1-5-32-544": "BUILTIN\\Administrators",
    "S-1-5-32-545": "BUILTIN\\Users",
    "S-1-5-18": "NT AUTHORITY\\SYSTEM",
    "S-1-1-0": "Everyone",
    "S-1-5-19": "NT AUTHORITY\\LOCAL SERVICE",
    "S-1-5-20": "NT AUTHORITY\\NETWORK SERVICE",
}


class Account(NetObject):
    type_name = "System.Security.Principal.NTAccount"

    def __init__(self, value: str) -> None:
        self.value = value


ACCOUNT = NetType("System.Security.Principal.NTAccount")
ACCOUNT.constructor(
    lambda first, second=None: Account(to_string(first) if second is None else f"{first}\\{second}")
)
ACCOUNT.prop("Value", lambda a: a.value)
ACCOUNT.to_text = lambda a: str(a.value)


def _accounts(interp: Any) -> dict[str, str]:
    """Well-known accounts by SID, as the machine's language names them."""
    locale = getattr(interp.machine, "locale", None)
    return _WELL_KNOWN | (dict(locale.words.accounts) if locale is not None else {})


@SID.method("Translate")
def _account_of(interp: Any, self: Sid, kind: Any) -> Account:
    return Account(_accounts(interp).get(self.value.upper(), self.value))


@ACCOUNT.method("Translate")
def _sid_of(interp: Any, self: Account, kind: Any) -> Sid:
    wanted = self.value.lower()
    for sid, name in _accounts(interp).items():
        if wanted in (name.lower(), name.rpartition("\\")[2].lower()):
            return Sid(sid)
    if wanted in (name.lower() for name in _WELL_KNOWN.values()):
        # the English name of an account that this Windows calls otherwise
        raise Terminating(
            "Some or all identity references could not be translated.",
            exception="System.Security.Principal.IdentityNotMappedException",
        )
    return Sid(self.value)
