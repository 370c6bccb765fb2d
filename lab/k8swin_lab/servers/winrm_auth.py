"""Who sends a WinRM request: Negotiate and NTLM per TCP connection, and message encryption.

NTLM authenticates a connection, not a request, and its keys then seal every message. The accepting
side of pyspnego reads accounts from a file that an environment variable names; the file is written
for one login and removed again, so that each machine of a process has its own accounts.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import secrets
import struct
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import spnego
from spnego._ntlm_raw.crypto import ntowfv1

log = logging.getLogger(__name__)

_SIGNATURE = b"NTLMSSP\x00"
_AUTHENTICATE = 3
_UNICODE = 1
_ENVIRONMENT = threading.Lock()
_PROTOCOL = "application/HTTP-SPNEGO-session-encrypted"
_BOUNDARY = b"--Encrypted Boundary"


class Refused(Exception):
    """The login failed; the reason goes to the log and never to the client."""


class EncryptionError(Exception):
    """An encrypted body is not what its headers say, or its signature is wrong."""


class Login:
    """The authentication of one TCP connection.

    Args:
        machine_name: name that the challenge carries.
        users: passwords by account name, as the machine has them now.
    """

    def __init__(self, machine_name: str, users: Mapping[str, str]) -> None:
        self._machine_name = machine_name
        self._users = users
        self._context: spnego.ContextProxy | None = None
        self.user: str | None = None

    def step(self, token: bytes) -> bytes | None:
        """Take one token of the client, and return the answer's token.

        Raises:
            Refused: the token is not valid or the password is wrong.
        """
        raw = token.startswith(_SIGNATURE)
        first = raw and token[8:9] == b"\x01"
        if self._context is None or first or self.user is not None:
            self.user = None
            self._context = None
        user, domain = _claimed(token)
        account = self._account(user)
        with _accounts(user, domain, self._users.get(account or ""), self._machine_name):
            try:
                if self._context is None:
                    self._context = spnego.server(
                        protocol="ntlm" if raw else "negotiate",
                        options=spnego.NegotiateOptions.use_ntlm
                        if raw
                        else spnego.NegotiateOptions.use_negotiate,
                    )
                answer = self._context.step(token)
            except Exception as error:
                # Tokens come from the network: pyspnego raises much besides its own errors on them.
                self._context = None
                raise Refused(f"{user or 'a client'}: {error}") from error
        if self._context.complete:
            if account is None:
                raise Refused(f"{user}: no such account")
            self.user = account
        return answer

    def _account(self, user: str) -> str | None:
        name = user.split("@", 1)[0].casefold()
        return next((known for known in self._users if known.casefold() == name), None)

    @property
    def complete(self) -> bool:
        return self.user is not None

    def decrypt(self, content_type: str, body: bytes) -> bytes:
        """Return the message in a multipart/encrypted body.

        Raises:
            EncryptionError: it cannot be read.
        """
        if f'protocol="{_PROTOCOL}"'.lower() not in content_type.lower() or self._context is None:
            raise EncryptionError(f"expected protocol {_PROTOCOL}, found {content_type}")
        start = body.find(_BOUNDARY + b"\r\n")
        second = body.find(_BOUNDARY + b"\r\n", start + 1)
        closing = body.rfind(_BOUNDARY + b"--")
        if start < 0 or second < 0 or closing < second:
            raise EncryptionError("the body has no two parts between `Encrypted Boundary` lines")
        head = body[start:second]
        payload = body[second + len(_BOUNDARY) + 2 : closing]
        line_end = payload.find(b"\r\n")
        sealed = payload[line_end + 2 :]
        try:
            expected = int(head.rsplit(b"Length=", 1)[1].split()[0])
            size = struct.unpack("<i", sealed[:4])[0]
            message = self._context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])
        except (ValueError, IndexError, struct.error, spnego.exceptions.SpnegoError) as error:
            raise EncryptionError(f"the message cannot be decrypted: {error}") from error
        if len(message) != expected:
            raise EncryptionError(f"expected {expected} bytes, found {len(message)}")
        return bytes(message)

    def encrypt(self, message: bytes) -> tuple[str, bytes]:
        """Return content type and body of an encrypted answer."""
        if self._context is None:
            raise EncryptionError("nobody has logged in on this connection")
        sealed = self._context.wrap_winrm(message)
        body = (
            _BOUNDARY
            + b"\r\n\tContent-Type: "
            + _PROTOCOL.encode()
            + b"\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length="
            + str(len(message) + sealed.padding_length).encode()
            + b"\r\n"
            + _BOUNDARY
            + b"\r\n\tContent-Type: application/octet-stream\r\n"
            + struct.pack("<i", len(sealed.header))
            + sealed.header
            + sealed.data
            + _BOUNDARY
            + b"--\r\n"
        )
        kind = f'multipart/encrypted;protocol="{_PROTOCOL}";boundary="Encrypted Boundary"'
        return kind, body


def basic(header: str, users: Mapping[str, str]) -> str | None:
    """Return the account of a Basic authorization header, None when it is not valid."""
    try:
        data = base64.b64decode(header.split(" ", 1)[1], validate=True)
    except (binascii.Error, IndexError):
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # clients differ in how they write what is not ASCII
    name, _, password = text.partition(":")
    for known, expected in users.items():
        if known.casefold() == name.casefold():
            same = secrets.compare_digest(expected.encode(), password.encode())
            return known if same else None
    return None


def _claimed(token: bytes) -> tuple[str, str]:
    """Return user and domain as an NTLM authenticate message names them, else empty texts."""
    start = token.find(_SIGNATURE)
    message = token[start:]
    if start < 0 or len(message) < 64 or message[8] != _AUTHENTICATE:
        return "", ""
    encoding = "utf-16-le" if struct.unpack_from("<I", message, 60)[0] & _UNICODE else "cp437"

    def text(offset: int) -> str:
        size, _, where = struct.unpack_from("<HHI", message, offset)
        return message[where : where + size].decode(encoding, "replace")

    return text(36), text(28)


@contextmanager
def _accounts(user: str, domain: str, password: str | None, machine_name: str) -> Iterator[None]:
    """Let pyspnego see one account: the one that logs in, whatever domain its client names."""
    line = ""
    if user and password is not None and not any(mark in user + domain for mark in ":\r\n"):
        name = f"{domain}\\{user}" if domain else user
        line = f"{name}:0:{'0' * 32}:{ntowfv1(password).hex().upper()}:[U]:LCT-0\n"
    handle, path = tempfile.mkstemp(prefix="k8swin-lab-")
    with _ENVIRONMENT:
        before = {
            name: os.environ.get(name) for name in ("NTLM_USER_FILE", "NETBIOS_COMPUTER_NAME")
        }
        try:
            with os.fdopen(handle, "w") as file:
                file.write(line)
            os.environ["NTLM_USER_FILE"] = path
            os.environ["NETBIOS_COMPUTER_NAME"] = machine_name.upper()
            yield
        finally:
            Path(path).unlink(missing_ok=True)
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
