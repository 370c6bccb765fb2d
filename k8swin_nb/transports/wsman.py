"""pywinrm's `Protocol`, held to what a WinRM server may do: answers bounded in size and never in clear.

pywinrm takes an answer in clear from a server that it seals its own messages for, follows redirects, and unpacks
whatever a small answer says to unpack. Here an answer is refused that is

- a redirect, or asks for a login as a proxy;
- compressed, although nobody asked for that, or larger than any that a server may send;
- in clear over http once the login is done, whatever its status says, and whatever the login was;
- to a login whose keys would be weak.

How we log in is `winrm_login`'s business, whom TLS trusts `winrm_tls`'s.

Only this module and those beside it import pywinrm and requests.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from winrm.encryption import Encryption
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError
from winrm.protocol import Protocol
from winrm.transport import Transport

from k8swin_nb.transports.certificate import presented
from k8swin_nb.transports.dialling import Dial
from k8swin_nb.transports.winrm_login import MUTUAL, Login
from k8swin_nb.transports.winrm_tls import CertificateRefused, Trust

CONNECT_SECONDS = 10
READ_SECONDS = 30
"""Longest silence within one answer; the whole of it is bounded by whoever waits."""

OPERATION_SECONDS = 20
"""Time that the server may hold one request open."""

QUIET_OPERATION_SECONDS = 50
"""The same for a script that is silent for long. A server takes a minute at most (`MaxTimeoutms`)."""

ANSWER_LIMIT = 2 * 1024 * 1024
"""Bytes of one answer. A server sends 150 KB at most, as it is asked to, or 500 KB by its own quota."""

UNREADABLE = 400
"""HTTP status for a message that was encrypted for a connection which is gone."""

BEFORE_WINRM = (403, 404, 405, 411, 413, 502, 503, 504)
"""HTTP statuses that Windows itself, or a gateway, gives without asking WinRM: they are in clear."""

_SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
_BOUNDARY = b"--Encrypted Boundary"
_PIECE = 64 * 1024
_ID = re.compile(r"[\w.:{}-]{1,100}", re.ASCII)

_LOGINS = ("Basic", "Negotiate", "NTLM", "Kerberos", "CredSSP", "Digest", "Bearer")

# Flags of an NTLM challenge, MS-NLMP 2.2.2.5. Windows Server grants all of them to a client that asks.
_SIGN, _SEAL, _EXTENDED, _STRONG = 0x10, 0x20, 0x80000, 0x20000000


class Refused(requests.exceptions.RequestException):
    """An answer that no WinRM server gives to what it was asked. Its text says what is wrong."""


class NotOffered(InvalidCredentialsError):
    """The server does not offer the login that is to be used; nothing was tried. Its text says what it offers."""


class LoginGone(requests.exceptions.ConnectionError):
    """The connection that was logged in is gone; the keys of its messages went with it."""


class OddAnswer(Exception):
    """An answer that arrived as it was sent, and does not say what it has to."""


class _Socket:
    """The open socket of a session, to end whatever waits on it from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: socket.socket | None = None
        self.cut = False
        self.shown: bytes | None = None
        """The certificate that the server showed on the newest connection, in DER; None: there is no TLS."""

    def hold(self, opened: socket.socket) -> socket.socket:
        """Take note of what was opened, and return it."""
        # A handle of our own: TLS takes the socket's away. The one before is no longer used.
        with self._lock:
            self._let_go()
            try:
                self._held = opened.dup()
            except OSError:  # the system gives no more
                opened.close()
                raise
            if self.cut:
                self._let_go()
        return opened

    def end(self) -> None:
        """End what is open, and whatever is opened later."""
        with self._lock:
            self.cut = True
            self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            with contextlib.suppress(OSError):
                self._held.shutdown(socket.SHUT_RDWR)
            self._held.close()
            self._held = None


def _pools(held: _Socket, dial: Dial | None) -> dict[str, Any]:
    class Plain(HTTPConnection):
        # Whoever looks into another program's requests gets these ones printed otherwise, with what they carry.
        debuglevel = 0

        def _new_conn(self) -> socket.socket:
            opened = dial(self.host, self.port, CONNECT_SECONDS) if dial else super()._new_conn()
            return held.hold(opened)

    class Secure(HTTPSConnection):
        debuglevel = 0
        shown: bytes | None = None
        """The certificate of the server."""

        def _new_conn(self) -> socket.socket:
            opened = dial(self.host, self.port, CONNECT_SECONDS) if dial else super()._new_conn()
            return held.hold(opened)

        def connect(self) -> None:
            try:
                super().connect()
            except ssl.SSLCertVerificationError as error:
                raise self._with_certificate(error) from error
            opened: Any = self.sock
            self.shown = held.shown = opened.getpeercert(binary_form=True)

        def _with_certificate(self, error: ssl.SSLCertVerificationError) -> CertificateRefused:
            """Say which certificate was refused. OpenSSL does not give it, so that it is asked for once more."""
            refused = CertificateRefused(*error.args)
            refused.verify_code = error.verify_code
            refused.verify_message = error.verify_message
            with contextlib.suppress(Exception):
                given = {"dial": dial} if dial else {}
                refused.presented = presented(self.host, self.port or 443, CONNECT_SECONDS, **given)
            return refused

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class _Adapter(HTTPAdapter):
    """Sends each request of a session, also those of the login, and refuses what must not be taken."""

    def __init__(
        self,
        held: _Socket,
        *,
        sealing: bool,
        logins: tuple[str, ...],
        trust: Trust | None = None,
        dial: Dial | None = None,
    ) -> None:
        self._socket = held
        self._sealing = sealing
        self._logins = logins
        self._dial = dial
        self._tls = trust.pool_options() if trust else {}
        self.read_seconds: float = READ_SECONDS
        """Longest silence within the next answer."""

        self.sealed = False
        """Whether the login is done, so that everything has to be sealed."""
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._socket, self._dial)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        # requests would add the authorities of its own that nobody here has named.
        where, _ = super().build_connection_pool_key_attributes(request, True, None)
        return where, self._tls

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing is left to be done: see above."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> Any:
        if self._socket.cut:
            raise LoginGone("the connection was given up")
        options["timeout"] = (CONNECT_SECONDS, self.read_seconds)
        request.headers["Accept-Encoding"] = "identity"
        response = super().send(request, *args, **options)
        try:
            self._check(response)
        except BaseException:
            response.close()
            raise
        return response

    def build_response(self, request: requests.PreparedRequest, raw: Any) -> requests.Response:
        response = super().build_response(request, raw)
        # `content` reads through this. The body is left where it is: the login looks at its socket first.
        response.iter_content = lambda *_, **__: _body(raw)  # type: ignore[method-assign]
        return response

    def _check(self, response: requests.Response) -> None:
        status = response.status_code
        if 300 <= status < 400:
            raise Refused(f"it answered HTTP {status}, a redirect, which no WinRM server sends")
        if status == 407:
            raise Refused("it asks for the login as a proxy would, and no proxy is used")
        if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise Refused("its answer is compressed, and nobody asked for that")
        if status != 401:
            return
        if self.sealed:
            raise LoginGone("the connection that was logged in is gone")
        offers = response.headers.get("WWW-Authenticate", "")
        if self._logins and (
            "basic" in self._logins or "Authorization" not in response.request.headers
        ):
            _check_offer(offers, self._logins)
        if self._sealing:
            _check_challenge(offers)


def _body(raw: Any) -> Iterator[bytes]:
    size = 0
    while piece := raw.read(_PIECE, decode_content=False):
        size += len(piece)
        if size > ANSWER_LIMIT:
            raw.close()
            raise Refused(f"its answer is larger than {ANSWER_LIMIT} bytes")
        yield piece


def _check_offer(header: str, logins: tuple[str, ...]) -> None:
    """Refuse to go on when a server offers none of the logins that may be used."""
    offers = [offer.strip().partition(" ")[0].lower() for offer in header.split(",")]
    if not any(login in offers for login in logins):
        named = [name for name in _LOGINS if name.lower() in offers]
        raise NotOffered(
            f"the server offers {', '.join(named) or 'no login'}, and not "
            + next(name for name in _LOGINS if name.lower() == logins[0])
        )


def _check_challenge(header: str) -> None:
    """Refuse a challenge after which messages would be sealed with weak keys, or not at all."""
    for offer in header.split(","):
        scheme, _, token = offer.strip().partition(" ")
        if scheme.lower() not in ("ntlm", "negotiate") or not token.strip():
            continue
        try:
            message = base64.b64decode(token.strip())
        except ValueError:  # no base64, or no ASCII
            continue
        start = message.find(b"NTLMSSP\0\x02\0\0\0")
        if start < 0 or len(message) < start + 24:
            continue
        (flags,) = struct.unpack_from("<I", message, start + 20)
        wanted = _SIGN | _SEAL | _EXTENDED | _STRONG
        if flags & wanted != wanted:
            raise Refused("it offers a login whose messages would not be sealed with strong keys")


class _Transport(Transport):
    """pywinrm's transport over the adapter above."""

    def __init__(
        self, endpoint: str, login: Login, trust: Trust | None, dial: Dial | None, sealing: bool
    ) -> None:
        # To pywinrm all are Kerberos, the one login for which it wants neither a password nor a file itself.
        super().__init__(
            endpoint=endpoint,
            auth_method="kerberos",
            message_encryption="always" if sealing else "never",
            proxy=None,
        )
        self.socket = _Socket()
        self._login = login
        self._sealing = sealing
        self._make_adapter: Callable[[], _Adapter] = lambda: _Adapter(
            self.socket, sealing=sealing, logins=login.schemes, trust=trust, dial=dial
        )
        self._adapter: _Adapter | None = None

    def build_session(self) -> requests.Session:
        if self.session is not None:
            return self.session
        session = requests.Session()
        # Neither a proxy nor a certificate bundle nor a login of the environment.
        session.trust_env = False
        self._adapter = self._make_adapter()
        session.mount("https://", self._adapter)
        session.mount("http://", self._adapter)
        session.headers.update(self.default_headers)
        session.auth = self._login.auth()
        if self._login.method == "certificate":
            session.headers["Authorization"] = MUTUAL
        self.session = session
        if self._sealing:
            self.setup_encryption(session)
        return session

    def setup_encryption(self, session: requests.Session) -> None:
        self._send_message_request(
            session, session.prepare_request(requests.Request("POST", self.endpoint, data=None))
        )
        self.encryption = self._login.sealing(session)
        if self.encryption is None:
            raise Refused("it takes messages without a login")
        if self._adapter is not None:
            self._adapter.sealed = True

    def cut(self) -> None:
        """End whatever waits on the wire, now and for good; safe from any thread."""
        self.socket.end()
        session = self.session
        if session is not None:
            session.close()

    def wait_for(self, seconds: float) -> None:
        """Let the next answers be silent for so long."""
        if self._adapter is not None:
            self._adapter.read_seconds = seconds

    def _send_message_request(
        self, session: requests.Session, prepared: requests.PreparedRequest
    ) -> Any:
        try:
            return super()._send_message_request(session, prepared)
        except InvalidCredentialsError:
            raise
        except PermissionError as error:
            # requests_ntlm: the server did not go on with the login.
            raise InvalidCredentialsError(str(error)) from error

    def _get_message_response_text(self, response: requests.Response) -> bytes:
        sealed = self.encryption
        text = response.content if sealed is None else _unsealed(response, sealed)
        return plain_xml(bytes(text))


_ENCODING = re.compile(rb"""\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([^"']{0,40})["']""")


def plain_xml(text: bytes) -> bytes:
    """Return an answer if it is XML in UTF-8 without a document type, whose entities may grow without a bound.

    In another encoding, which XML may be in, what it declares looks different.
    """
    named = _ENCODING.match(text.removeprefix(b"\xef\xbb\xbf"))
    if (named and named[1].lower() not in (b"utf-8", b"us-ascii")) or b"\0" in text:
        raise OddAnswer("its answer is not in UTF-8, in which it was asked")
    if b"<!DOCTYPE" in text:
        raise OddAnswer("its answer declares a document type, which SOAP forbids")
    return text


def _unsealed(response: requests.Response, encryption: Encryption) -> bytes:
    kind = response.headers.get("Content-Type", "").lower()
    status = response.status_code
    sealed = encryption.protocol_string.decode().lower()
    if (
        not kind.startswith(("multipart/encrypted", "multipart/x-multi-encrypted"))
        or f'protocol="{sealed}"' not in kind
    ):
        if status == UNREADABLE:
            raise LoginGone("it cannot read messages of this login")
        if status in BEFORE_WINRM:
            # What else the answer says is not looked at.
            raise WinRMTransportError("http", status, "")
        raise Refused(f"it answered HTTP {status} in clear, although messages are encrypted")
    content = response.content
    # With CredSSP what is longer than a record of TLS comes in several parts.
    parts, odd = divmod(content.count(_BOUNDARY + b"\r\n"), 2)
    whole = parts == 1 or (parts > 1 and encryption.protocol == "credssp")
    if odd or not whole or not content.startswith(_BOUNDARY + b"\r\n"):
        raise Refused("its encrypted answer has not one part")
    try:
        text = encryption.parse_encrypted_response(response)
    except Exception as error:
        raise Refused(f"its encrypted answer cannot be read ({type(error).__name__})") from error
    if not text:
        raise Refused("its encrypted answer is empty")
    return bytes(text)


class WsmanProtocol(Protocol):
    """pywinrm's protocol with the transport above. What it raises is pywinrm's, requests' or of these modules.

    Args:
        endpoint: The URL of the listener.
        login: How to log in.
        trust: What TLS trusts; None: the endpoint has no TLS.
        dial: What opens connections; None: they are opened from here.
        sealing: Whether messages are sealed, as they have to be without TLS.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        login: Login,
        trust: Trust | None = None,
        dial: Dial | None = None,
        sealing: bool = False,
    ) -> None:
        super().__init__(
            endpoint,
            transport="kerberos",  # see `_Transport`
            read_timeout_sec=READ_SECONDS,
            operation_timeout_sec=OPERATION_SECONDS,
            proxy=None,
        )
        self._answer = b""
        self._guarded = self.transport = _Transport(endpoint, login, trust, dial, sealing)

    def open_shell(self, *args: Any, **options: Any) -> str:
        return _id(super().open_shell(*args, **options))

    def run_command(self, *args: Any, **options: Any) -> str:
        return _id(super().run_command(*args, **options))

    def send_message(self, message: str) -> bytes:
        self._answer = super().send_message(message)
        return self._answer

    def get_command_output_raw(  # type: ignore[override]
        self, shell_id: str, command_id: str
    ) -> tuple[bytes, bytes, int | None, bool]:
        """Return what one answer holds of both streams, the exit code if it names one, and whether the command is over.

        pywinrm's own loses the streams of an answer that names the end and no code, and waits on when the end is
        named twice.
        """
        self._guarded.wait_for(self.operation_timeout_sec + READ_SECONDS - OPERATION_SECONDS)
        try:
            with contextlib.suppress(StopIteration):
                super().get_command_output_raw(shell_id, command_id)
        finally:
            self._guarded.wait_for(READ_SECONDS)
        answer = ElementTree.fromstring(self._answer)  # noqa: S314  (no document type: see above)
        streams = {"stdout": b"", "stderr": b""}
        for stream in answer.iter(f"{{{_SHELL}}}Stream"):
            if stream.text and stream.get("Name") in streams:
                streams[stream.get("Name", "")] += base64.b64decode(stream.text)
        states = [state.get("State", "") for state in answer.iter(f"{{{_SHELL}}}CommandState")]
        codes = [code.text for code in answer.iter(f"{{{_SHELL}}}ExitCode") if code.text]
        done = any(state.endswith("/CommandState/Done") for state in states)
        return streams["stdout"], streams["stderr"], int(codes[0]) if done and codes else None, done

    @property
    def shown(self) -> bytes | None:
        """The certificate that the server showed, in DER; None: there is no TLS."""
        return self._guarded.socket.shown

    def cut(self) -> None:
        """End whatever waits on the wire, now and for good; safe from any thread."""
        self._guarded.cut()


def _id(text: str | None) -> str:
    if text is None or not _ID.fullmatch(text):
        raise OddAnswer("its answer names no shell or command")
    return text
