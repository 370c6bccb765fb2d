"""How we log in to WinRM: with NTLM, Kerberos, CredSSP, a client certificate, or Basic inside TLS.

NTLM is requests_ntlm's, as pywinrm uses it. Kerberos and CredSSP are pyspnego's, which takes a password, a keytab or a
cache of tickets without a command line or the environment in between, and never falls back to a weaker login. Kerberos
needs the libraries of the extra `kerberos`; CredSSP is pyspnego's alone.

What seals messages over http is named by the scheme of the login: MS-WSMV 2.2.9.1.
"""

from __future__ import annotations

import base64
import importlib
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import spnego
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from requests.auth import AuthBase, HTTPBasicAuth
from requests_ntlm import HttpNtlmAuth
from spnego.channel_bindings import GssChannelBindings
from winrm.encryption import Encryption
from winrm.exceptions import InvalidCredentialsError

from k8swin_nb.errors import AuthenticationFailed, ParamsError
from k8swin_nb.inventory import Host
from k8swin_nb.secret import resolve

LEGS = 20
"""Messages of one login at most; CredSSP with Kerberos inside takes some eight."""

CREDSSP_VERSION = 5
"""Below it the server's key can be replaced on the way (CVE-2018-0886). Every supported Windows has 5 or 6."""

MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
"""What stands in `Authorization` for a login by certificate."""

EXTRA = "pip install 'k8swin_nb[kerberos]'"


class NoTicket(InvalidCredentialsError):
    """There is nothing to log in with: Kerberos gave no ticket, or another context could not begin."""


class Unproven(requests.exceptions.RequestException):
    """The server did not prove who it is, or its part of the login is broken."""


@dataclass(frozen=True, slots=True)
class Login:
    """One way to log in."""

    method: str
    """`ntlm`, `kerberos`, `credssp`, `certificate` or `basic`."""

    schemes: tuple[str, ...]
    """Which of them the server has to offer, in small letters, the best first; empty: none."""

    auth: Callable[[], AuthBase | None] = field(repr=False)
    """Makes what requests calls; None: the connection itself proves it."""

    def sealing(self, session: requests.Session) -> Encryption | None:
        """Return what seals the messages of a session that is logged in; None: it is not logged in so."""
        auth = session.auth
        if isinstance(auth, SpnegoAuth):
            return Sealing(session, auth) if auth.proven else None
        if getattr(auth, "session_security", None) is None:
            return None
        return Encryption(session, "ntlm")


def login_of(host: Host) -> Login:
    """Return how to log in to a host; its secrets are resolved now.

    Raises:
        ParamsError: when there is no secret to log in with, or it cannot be had.
        AuthenticationFailed: when it would send a password in clear, or a library is missing.
    """
    method = host.winrm_auth
    if host.winrm_scheme == "http" and method in ("basic", "certificate"):
        what = (
            "Basic authentication over http would send the password in clear"
            if method == "basic"
            else "a client certificate proves who we are in TLS alone"
        )
        raise AuthenticationFailed(
            host.name,
            f"{what}; nothing was sent",
            hint="set `winrm_scheme` to https, or `winrm_auth` to ntlm",
        )
    if method == "certificate":
        return Login(method, (), lambda: None)
    if method == "kerberos":
        _look_for_kerberos(host)
        make = _kerberos(host, _ticket(host))
        return Login(
            method, ("negotiate", "kerberos"), lambda: SpnegoAuth(make, ("Negotiate", "Kerberos"))
        )
    if not host.credential:
        raise ParamsError(
            f"{host.name}: no `credential` is given",
            hint="write `credential: env:WIN_PASSWORD`, beside a login `--credential env:WIN_PASSWORD`",
        )
    password = resolve(host.credential, Path(host.folder)).reveal()
    if method == "credssp":
        return Login(
            method, ("credssp",), lambda: SpnegoAuth(_credssp(host, password), ("CredSSP",))
        )
    if method == "basic":
        return Login(method, ("basic",), lambda: HTTPBasicAuth(host.user, password))
    return Login(method, ("negotiate", "ntlm"), lambda: HttpNtlmAuth(host.user, password))


def _look_for_kerberos(host: Host) -> None:
    if sys.platform == "win32":
        return  # SSPI is part of Windows
    missing = []
    for name in ("gssapi", "krb5"):
        try:
            importlib.import_module(name)
        except Exception:  # also a library of the system that it does not find
            missing.append(name)
    if missing:
        raise AuthenticationFailed(
            host.name,
            f"`winrm_auth: kerberos` needs {' and '.join(missing)}, which cannot be used here; nothing was sent",
            hint=f"install the extra `kerberos`: `{EXTRA}`; on Debian and Ubuntu that takes "
            "`apt-get install gcc python3-dev libkrb5-dev` first",
        )


Make = Callable[[GssChannelBindings | None], Any]
"""Makes pyspnego's context of one login."""


def _kerberos(host: Host, ticket: Any) -> Make:
    asked = host.winrm_host or host.address
    service, _, name = (host.winrm_spn or f"HTTP/{asked}").partition("/")
    wanted = spnego.ContextReq.default
    if host.winrm_delegation:
        wanted |= spnego.ContextReq.delegate

    def make(bindings: GssChannelBindings | None) -> Any:
        return spnego.client(
            ticket,
            hostname=name,
            service=service,
            channel_bindings=bindings,
            context_req=wanted,
            protocol="kerberos",
        )

    return make


def _ticket(host: Host) -> Any:
    """Return where the ticket comes from: a keytab, a password, a cache that is named, or the user's own cache."""
    if host.winrm_keytab:
        return spnego.KerberosKeytab(f"FILE:{host.winrm_keytab}", host.user)
    if host.credential:
        return spnego.Password(host.user, resolve(host.credential, Path(host.folder)).reveal())
    if host.winrm_ticket_cache:
        return spnego.KerberosCCache(host.winrm_ticket_cache, host.user)
    return spnego.CredentialCache(host.user)


def _credssp(host: Host, password: str) -> Make:
    asked = host.winrm_host or host.address
    # Kerberos is tried for names of a realm alone: for others it could only wait for servers that are not there.
    options = spnego.NegotiateOptions.none if "@" in host.user else spnego.NegotiateOptions.use_ntlm

    def make(_bindings: GssChannelBindings | None) -> Any:
        return spnego.client(
            host.user,
            password,
            hostname=asked,
            service="HTTP",
            protocol="credssp",
            options=options,
            credssp_min_protocol=CREDSSP_VERSION,
        )

    return make


class SpnegoAuth(AuthBase):
    """A login that takes several messages on one connection, for requests."""

    def __init__(self, make: Make, schemes: tuple[str, ...]) -> None:
        self._make = make
        self._schemes = schemes
        self.context: Any = None
        """What the last login made; it seals messages."""
        self.scheme = ""

    @property
    def proven(self) -> bool:
        """Whether both sides have proven who they are."""
        return self.context is not None and bool(self.context.complete)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.register_hook("response", self._answer)
        return request

    def _answer(self, response: requests.Response, **options: Any) -> requests.Response:
        if response.status_code != 401:
            return response
        offers = _offers(response)
        scheme = next((name for name in self._schemes if name.lower() in offers), None)
        if scheme is None:
            return response
        self.context, self.scheme = None, scheme
        bindings = _bindings(response)
        _read(response)
        try:
            context = self._make(bindings)
            token = context.step()
        except Exception as error:
            raise NoTicket(_said(error)) from error
        for _ in range(LEGS):
            request = response.request.copy()
            request.headers["Authorization"] = f"{scheme} {base64.b64encode(token or b'').decode()}"
            response = response.connection.send(request, **options)
            if response.status_code == 401:
                _read(response)
            answer = _offers(response).get(scheme.lower(), b"")
            token = None
            if answer and not context.complete:
                try:
                    token = context.step(answer)
                except Exception as error:
                    if response.status_code == 401:
                        return response
                    response.close()
                    raise Unproven(f"its part of the login is broken: {_said(error)}") from error
            if response.status_code != 401 or not token:
                break
        if response.status_code == 401:
            return response
        if not context.complete:
            response.close()
            raise Unproven("it lets us in and does not prove who it is")
        self.context = context
        return response


def _read(response: requests.Response) -> None:
    """Read an answer to its end, so that the next message goes over the same connection, as a login has to."""
    _ = response.content
    response.raw.release_conn()


def _offers(response: requests.Response) -> dict[str, bytes]:
    """Return what `WWW-Authenticate` offers, by scheme in small letters, with the token that goes with it."""
    found: dict[str, bytes] = {}
    for offer in response.headers.get("WWW-Authenticate", "").split(","):
        scheme, _, token = offer.strip().partition(" ")
        try:
            found[scheme.lower()] = base64.b64decode(token.strip(), validate=True)
        except ValueError:  # no base64, or no ASCII
            found.setdefault(scheme.lower(), b"")
    return found


def _said(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _bindings(response: requests.Response) -> GssChannelBindings | None:
    """Return what ties a login to the TLS connection that it is made on (RFC 5929); None: there is no TLS."""
    connection = getattr(response.raw, "connection", None) or getattr(
        response.raw, "_connection", None
    )
    shown = getattr(connection, "shown", None)
    if not shown:
        return None
    digest: hashes.HashAlgorithm = hashes.SHA256()
    try:
        used = x509.load_der_x509_certificate(shown).signature_hash_algorithm
        if used is not None and used.name not in ("md5", "sha1"):
            digest = used
    except (ValueError, UnsupportedAlgorithm):
        pass
    made = hashes.Hash(digest)
    made.update(shown)
    return GssChannelBindings(application_data=b"tls-server-end-point:" + made.finalize())


class Sealing(Encryption):
    """pywinrm's messages, sealed by a context of pyspnego."""

    def __init__(self, session: requests.Session, auth: SpnegoAuth) -> None:
        super().__init__(session, "credssp" if auth.scheme == "CredSSP" else "kerberos")
        if auth.scheme == "Kerberos":
            self.protocol_string = b"application/HTTP-Kerberos-session-encrypted"
        self._context = auth.context
        self._decrypt_message = self._unseal  # type: ignore[assignment]

    def _encrypt_message(self, message: bytes, host: Any) -> bytes:
        sealed = self._context.wrap_winrm(message)
        length = len(message) + sealed.padding_length
        head = (
            b"\tContent-Type: %s\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"
            % (self.protocol_string, length)
        )
        begin = self.MIME_BOUNDARY + b"\r\n"
        return bytes(
            begin
            + head
            + begin
            + b"\tContent-Type: application/octet-stream\r\n"
            + struct.pack("<i", len(sealed.header))
            + sealed.header
            + sealed.data
        )

    def _unseal(self, data: bytes, host: Any) -> bytes:
        (length,) = struct.unpack_from("<I", data)
        if length > len(data) - 4:
            raise ValueError("its header is longer than it")
        return bytes(self._context.unwrap_winrm(data[4 : 4 + length], data[4 + length :]))
