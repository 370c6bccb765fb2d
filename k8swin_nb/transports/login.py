"""How we log in over SSH: with one key, with the agent's keys, or with a password, and what a refusal says.

Everything that goes wrong between the key exchange and the first session is about who we are, so it is an
`AuthenticationFailed` that names what was tried. It is never tried again by itself.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko

from k8swin_nb.errors import AuthenticationFailed, HostKeyRevoked, TransportTimeout
from k8swin_nb.inventory import Host, OwnKeys
from k8swin_nb.reading import file_bytes
from k8swin_nb.redact import redact
from k8swin_nb.secret import resolve

TOO_MANY = "too many authentication failures"
"""How OpenSSH ends a connection after `MaxAuthTries` refused keys."""


class Wire(paramiko.Transport):  # type: ignore[misc]
    """paramiko's transport, which also remembers what the server said when it ended the connection.

    Ciphers that authenticate what they carry come first: of all others paramiko compares the code of each packet in a
    loop of Python, a fifth of what a script on a host costs here.
    """

    goodbye = ""
    _preferred_ciphers = (
        *(name for name in paramiko.Transport._preferred_ciphers if "-gcm@" in name),
        *(name for name in paramiko.Transport._preferred_ciphers if "-gcm@" not in name),
    )

    def _parse_disconnect(self, m: Any) -> None:
        with contextlib.suppress(Exception):
            copy = paramiko.Message(m.asbytes())
            copy.get_int()
            self.goodbye = copy.get_text()
        super()._parse_disconnect(m)


_TOKEN = (
    "is that of a security key, which the SSH agent alone can use, and it does not hold it",
    "add it with `ssh-add` where the notebook's server is started; one that wants to be touched has to be at each login",
)


class AgentAt(paramiko.agent.AgentSSH):  # type: ignore[misc]
    """The SSH agent behind a socket that is named, and not the one of the environment."""

    def __init__(self, path: str) -> None:
        super().__init__()
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.connect(path)
            self._connect(made)
        except BaseException:
            made.close()
            raise

    def close(self) -> None:
        """Let go of it."""
        self._close()


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to prove who we are."""

    name: str
    ask: Callable[[Any], Any]


class Login:
    """Proves who we are; paramiko calls it once a host's key was verified.

    Args:
        host: Where to, and with what.
        revoked: Whether a host key, as bytes, is revoked there.
    """

    def __init__(self, host: Host, revoked: Callable[[bytes], bool]) -> None:
        self._host = host
        self._revoked = revoked
        self._agent: Any = None

    def authenticate(self, transport: Any) -> None:
        """Log in.

        Raises:
            AuthenticationFailed: when the server refuses, or there is nothing to log in with.
            HostKeyRevoked: when the server's key is revoked.
        """
        host = self._host
        key = transport.get_remote_server_key()
        if self._revoked(key.asbytes()):
            raise revoked_error(host, str(key.fingerprint))
        try:
            self._prove(transport)
        finally:
            if self._agent is not None:
                self._agent.close()

    def _prove(self, transport: Any) -> None:
        tried: list[str] = []
        said = ""
        more: list[str] = []
        for way in self._ways():
            tried.append(way.name)
            try:
                more = way.ask(transport) or []
            except paramiko.BadAuthenticationType as error:
                said = f"the server only allows {', '.join(error.allowed_types) or 'nothing'}"
                continue
            except (paramiko.SSHException, EOFError, OSError, ValueError) as error:
                said = redact(str(error)) or type(error).__name__
                if not transport.is_active():
                    break
                if "timeout" in said.lower():
                    raise TransportTimeout(
                        self._host.name,
                        f"the SSH server at {self._host.ssh_address} port {self._host.ssh_port} did not answer the login in time",
                    ) from error
                continue
            if not more:
                return
            said = f"that is not enough for the server, it also wants {' or '.join(more)}"
        raise self._refused(transport, tried, said, more)

    def _ways(self) -> Iterator[_Way]:
        host = self._host
        if host.identity:
            key, name = self._named_key(Path(host.identity))
            yield _Way(name, _with_key(host.user, key))
        if host.ssh_password:
            password = resolve(host.ssh_password, Path(host.folder)).reveal()
            yield _Way(
                f"password `{host.ssh_password}`",
                lambda wire: _with_password(wire, host, password),
            )
        if not host.identity and not host.ssh_password:
            yield from self._own_ways(host.own_keys or OwnKeys())

    def _own_ways(self, keys: OwnKeys) -> Iterator[_Way]:
        """Yield each key that is named, then those of the agent; one that cannot be used keeps no other from being tried.

        Raises:
            AuthenticationFailed: about the first that is named, when there is none to be tried.
        """
        tried: set[bytes] = set()
        unusable: list[AuthenticationFailed] = []
        for path in keys.identities:
            try:
                key, name = self._named_key(Path(path))
            except AuthenticationFailed as error:
                unusable.append(error)
                continue
            tried.add(key.asbytes())
            yield _Way(name, _with_key(self._host.user, key))
        for held in () if keys.only else self._agent_keys():
            if held.asbytes() not in tried:
                tried.add(held.asbytes())
                yield _Way("a key of the SSH agent", _with_key(self._host.user, held))
        if unusable and not tried:
            raise unusable[0]

    def _agent_keys(self) -> list[Any]:
        where = self._host.own_keys.agent if self._host.own_keys else ""
        if where == "none":
            return []
        try:
            if self._agent is None:
                self._agent = AgentAt(where) if where else paramiko.Agent()
            return list(self._agent.get_keys())
        except (paramiko.SSHException, OSError, EOFError):
            return []

    def _held(self, blob: bytes | None) -> Any:
        """Return the agent's key with this public half, if it holds it."""
        return next((key for key in self._agent_keys() if blob and key.asbytes() == blob), None)

    def _named_key(self, path: Path) -> tuple[Any, str]:
        """Return the key that `identity` names, and how an error names it.

        Raises:
            AuthenticationFailed: when it is no private key, or one that cannot be used.
        """
        host = self._host
        shown = f"key `{path}`"

        def unusable(what: str, hint: str) -> AuthenticationFailed:
            return AuthenticationFailed(host.name, f"the private key `{path}` {what}", hint=hint)

        try:
            data = file_bytes(path)
        except FileNotFoundError:
            raise unusable("is not there", "check `identity`") from None
        except ValueError as error:
            raise unusable(f"is none: {error}", "name the key's file as `identity`") from None
        except OSError as error:
            raise unusable(
                f"cannot be read: {error.strerror or error}",
                "look at the file's and its folders' owner and mode",
            ) from None
        public = _public_of_line(data)
        if public:
            key = self._held(public)
            if key is None and _on_token(public):
                raise unusable(*_TOKEN)
            if key is None:
                private = path.with_suffix("") if path.suffix == ".pub" else path
                raise unusable(
                    "is a public key, and the SSH agent does not hold its private half",
                    f"name the private key as `identity`, such as `{private}`, or add it with `ssh-add`",
                )
            return key, f"{shown} of the SSH agent"
        if data.startswith(b"PuTTY-User-Key-File"):
            raise unusable(
                "is a PuTTY key",
                f"change it with `puttygen {path} -O private-openssh -o NEW`, and name NEW",
            )
        if b"BEGIN DSA" in data:
            raise unusable(
                "is a DSA key, which SSH servers no longer take",
                "make one with `ssh-keygen -t ed25519`",
            )
        if b"PRIVATE KEY-----" not in data[:10_000]:
            raise unusable(
                "is no private key", "name a file that `ssh-keygen` made, without `.pub`"
            )
        if _on_token(blob := _public_of_private(data)):
            key = self._held(blob)
            if key is None:
                raise unusable(*_TOKEN)
            return key, f"{shown} of the SSH agent"
        try:
            return paramiko.PKey.from_path(path), shown
        except (paramiko.PasswordRequiredException, TypeError):
            pass  # encrypted
        except (paramiko.UnknownKeyType, paramiko.SSHException) as error:
            if not _encrypted(data):
                raise unusable(
                    f"cannot be used: {redact(str(error)) or type(error).__name__}",
                    "make one with `ssh-keygen -t ed25519`",
                ) from error
        except (
            Exception
        ) as error:  # cryptography's own, one for each way in which a file can be damaged
            if not _encrypted(data):
                raise unusable(
                    f"cannot be read: {redact(str(error)) or type(error).__name__}",
                    f"look at it with `ssh-keygen -yf {path}`",
                ) from error
        if host.identity_passphrase:
            return self._opened(path, unusable), shown
        beside = path.with_name(path.name + ".pub")
        if blob is None:
            with contextlib.suppress(OSError, ValueError):
                blob = _public_of_line(file_bytes(beside))
        key = self._held(blob)
        if key is None:
            raise unusable(
                "is encrypted, and the SSH agent does not hold it",
                f"type `ssh-add {path}` where the notebook's server is started, with an SSH agent running; or name its pass "
                "phrase as `identity_passphrase`, such as `env:KEY_PASSPHRASE`",
            )
        return key, f"{shown} of the SSH agent"

    def _opened(self, path: Path, unusable: Callable[[str, str], AuthenticationFailed]) -> Any:
        """Return an encrypted key that the host's pass phrase opens."""
        host = self._host
        phrase = resolve(host.identity_passphrase or "", Path(host.folder)).reveal()
        try:
            return paramiko.PKey.from_path(path, phrase.encode())
        except Exception as error:  # cryptography has its own for each kind of key; by position: paramiko 5 renamed it
            raise unusable(
                f"does not open with the pass phrase `{host.identity_passphrase}`",
                f"try it: `ssh-keygen -yf {path}` asks for it",
            ) from error

    def _refused(
        self, transport: Any, tried: list[str], said: str, more: list[str]
    ) -> AuthenticationFailed:
        host = self._host
        where = f"{host.ssh_address} port {host.ssh_port}"
        if not tried:
            return AuthenticationFailed(
                host.name,
                f"there is no way to log in as `{host.user}` at {where}: the SSH agent has no key, or there is none",
                hint="name a private key as `identity`, or start an SSH agent with one",
            )
        goodbye = redact(getattr(transport, "goodbye", ""))
        banner = _banner(transport)
        how = tried[0] if len(set(tried)) == 1 else ", ".join(dict.fromkeys(tried))
        if len(tried) > 1 and len(set(tried)) == 1:
            how = f"{len(tried)} keys of the SSH agent"
        detail = f"SSH login as `{host.user}` at {where} was refused ({how})"
        hint = None
        if TOO_MANY in goodbye.lower() and not host.identity:
            detail += ": the server ended it after too many keys (its `MaxAuthTries`)"
            hint = "name the key as `identity`: a private key, or the `.pub` file of a key that the agent holds"
        elif more:
            detail += f": {said}"
            hint = "give the host both `identity` and `ssh_password`, or change `AuthenticationMethods` there"
        else:
            detail += f": {goodbye or said}"
            if host.identity:
                hint = (
                    f"check the user name, that the key's public half is in `~{host.user}/.ssh/authorized_keys` there, "
                    "and that the account is not locked or expired"
                )
        if banner:
            detail += f"; the server said: {banner}"
        if any(word in f"{banner} {said}".lower() for word in EXPIRED):
            hint = f"log in once with `ssh {host.user}@{host.ssh_address}` and change the password, or renew the account"
        return AuthenticationFailed(host.name, detail, hint=hint)


EXPIRED = (
    "has expired",
    "password expired",
    "account expired",
    "password change required",
    "change your password",
    "new password",
    "account is locked",
    "account has been locked",
)
"""Words by which servers say that an account, not a key, is the reason."""


def revoked_error(host: Host, fingerprint: str) -> HostKeyRevoked:
    """Return the error for a host whose key is marked as revoked."""
    return HostKeyRevoked(
        host.name,
        f"the SSH host key {fingerprint} of {host.ssh_address} port {host.ssh_port} is marked as revoked in "
        f"`{host.known_hosts}`",
    )


def _banner(transport: Any) -> str:
    try:
        text = transport.get_banner() or b""
    except AttributeError:
        return ""
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return redact(" ".join(words.split()))[:300]


def _with_key(user: str, key: Any) -> Callable[[Any], Any]:
    return lambda wire: wire.auth_publickey(user, key)


def _with_password(wire: Any, host: Host, password: str) -> Any:
    """Give a password, also where the server asks for it in a dialogue; a further question is not answered."""
    try:
        return wire.auth_password(host.user, password, fallback=False)
    except paramiko.BadAuthenticationType as error:
        if "keyboard-interactive" not in error.allowed_types:
            raise
    asked: list[str] = []

    def answer(_title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
        if not prompts:
            return []
        asked.append(" ".join([instructions, *(text for text, _ in prompts)]).strip())
        if len(prompts) > 1 or len(asked) > 1:
            raise paramiko.AuthenticationException(f"the server asks further: {asked[-1]}")
        return [password]

    try:
        return wire.auth_interactive(host.user, answer)
    except (paramiko.SSHException, EOFError) as error:
        if len(asked) > 1:
            raise paramiko.AuthenticationException(
                f"the server asks further: {asked[-1]}"
            ) from error
        raise


def _encrypted(data: bytes) -> bool:
    header = b"ENCRYPTED" in data[:2000]
    parsed = _openssh(data)
    return header or (parsed is not None and parsed[0] != b"none")


def _on_token(public: bytes | None) -> bool:
    """Tell whether the private half of a key is in a security key (FIDO): its kind says so."""
    return public is not None and public[4:].startswith(b"sk-")


def _public_of_line(data: bytes) -> bytes | None:
    """Return the key of a `.pub` file."""
    words = data[:20_000].split()
    if len(words) < 2 or not words[0].startswith((b"ssh-", b"ecdsa-", b"sk-")):
        return None
    try:
        return base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return None


def _public_of_private(data: bytes) -> bytes | None:
    """Return the public half of a private key in OpenSSH's format, which is not encrypted."""
    parsed = _openssh(data)
    return parsed[1] if parsed else None


def _openssh(data: bytes) -> tuple[bytes, bytes] | None:
    """Return cipher and public half of a private key in OpenSSH's format."""
    lines = [line.strip() for line in data.splitlines()]
    try:
        first = lines.index(b"-----BEGIN OPENSSH PRIVATE KEY-----")
        last = lines.index(b"-----END OPENSSH PRIVATE KEY-----")
        body = base64.b64decode(b"".join(lines[first + 1 : last]))
        fields = []
        at = len(b"openssh-key-v1\0")
        for number in range(5):
            (length,) = struct.unpack_from(">I", body, at)
            at += 4
            if number == 3:  # how many keys
                continue
            fields.append(body[at : at + length])
            at += length
    except (ValueError, struct.error, binascii.Error):
        return None
    return fields[0], fields[3]
