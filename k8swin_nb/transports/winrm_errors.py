"""What pywinrm, requests and the server's faults mean, in our errors."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import requests
from winrm.exceptions import (
    AuthenticationError,
    WinRMError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)

from k8swin_nb.errors import (
    AuthenticationFailed,
    CertificateRejected,
    HostUnreachable,
    K8swinError,
    TransportError,
    TransportTimeout,
)
from k8swin_nb.inventory import Host
from k8swin_nb.shown import shown_line
from k8swin_nb.transports.jump import hint_of
from k8swin_nb.transports.winrm_login import Unproven
from k8swin_nb.transports.winrm_refusals import refused_login
from k8swin_nb.transports.winrm_tls import certificate_trouble
from k8swin_nb.transports.wsman import LoginGone, OddAnswer, Refused

ACCESS_DENIED = (5, 0x80070005)
"""ERROR_ACCESS_DENIED, plain and as an HRESULT."""

QUOTAS = (
    0x803381A5,
    0x803381A6,
    0x803381A7,
    0x803381A8,
    0x803381AB,
    *range(0x803381E4, 0x803381EB),
)
"""The server's faults for too many shells, operations and processes, of one user or of all."""

# The server's faults as wsmerror.h of the Windows SDK numbers them, those below 0x10000 as winerror.h does.
_TOO_LARGE = (0x80338026, 0x80338047, 0x80338048, 0x80338111)
_NO_SHELLS = (0x803381AC,)
_NO_PLUGIN = (0x80338000, 0x8033803B, 0x8033809A)
_GOING = (995, 1115, 1717, 1722, 0x800706BA, 0x8033805B, 0x80338112)
_SHORT = (8, 14, 1018, 1450, 1455, 0x8007000E, 0x800705AA)
_BUSY = (170, 0x800700AA)

_TOO_LARGE_HINT = (
    "a message is larger than the host allows: `Set-Item WSMan:\\localhost\\MaxEnvelopeSizekb 500` there, which is what "
    "Windows ships with, or by group policy where that sets it"
)
_LEFT = "what other programs left there is freed after its idle time, or by `Restart-Service WinRM`, which ends their work"

# By the quota, as wsmerror.h names its faults, and what Windows Server ships with.
_SHELLS = (0x803381A5, 0x803381E4, 0x803381E6)
_OPERATIONS = (0x803381A6, 0x803381E7, 0x803381E8)
_USERS = (0x803381AB, 0x803381E5)
_PROCESSES = (0x803381E9,)
_REQUESTS = (0x803381A7, 0x803381A8)

_FAULT_HINTS: tuple[tuple[tuple[int, ...], str], ...] = (
    (
        _SHELLS,
        "the user has as many shells there as one may have (30): `Set-Item WSMan:\\localhost\\Shell\\MaxShellsPerUser 50` "
        f"allows more; {_LEFT}",
    ),
    (
        _OPERATIONS,
        "the user has as many operations there as one may have (1,500): `Set-Item "
        f"WSMan:\\localhost\\Service\\MaxConcurrentOperationsPerUser 3000` allows more; {_LEFT}",
    ),
    (
        _USERS,
        "as many users as may are logged in there by WinRM (10): `Set-Item WSMan:\\localhost\\Shell\\MaxConcurrentUsers 20` "
        f"allows more; {_LEFT}",
    ),
    (
        _PROCESSES,
        "the shell has as many processes there as one may have (25): `Set-Item "
        f"WSMan:\\localhost\\Shell\\MaxProcessesPerShell 50` allows more; {_LEFT}",
    ),
    (
        _REQUESTS,
        f"the host takes no more requests for a while: wait a minute, then run it again; {_LEFT}",
    ),
    (QUOTAS, f"a quota of WinRM there is used up: see `winrm get winrm/config`; {_LEFT}"),
    (_TOO_LARGE, _TOO_LARGE_HINT),
    (
        _NO_SHELLS,
        "the host forbids remote shells: `Set-Item WSMan:\\localhost\\Shell\\AllowRemoteShellAccess $true` there, or the "
        "group policy `Allow Remote Shell Access`",
    ),
    (
        _NO_PLUGIN,
        "WinRM there does not offer what starts programs: compare `winrm enumerate winrm/config/plugin` with "
        "another server, or `Restart-Service WinRM`",
    ),
    (
        _GOING,
        "the host or its WinRM service is going down or coming up, or somebody ended the shell: wait until it is up, "
        "then run it again",
    ),
    (
        _SHORT,
        "the host is short of memory or of other resources: look at its load, and at what one shell may have, `Set-Item "
        "WSMan:\\localhost\\Shell\\MaxMemoryPerShellMB 2147483647` is what Windows Server ships with; then run it again",
    ),
    (_BUSY, "the host is busy: look at its load, then run it again"),
)

_STATUS_HINTS = {
    400: "the host took the request for a broken one: is it a WinRM listener, and does `winrm_scheme` go with the port?",
    403: "something forbids the request before WinRM sees it: a gateway, or another web server than Windows' own",
    404: "a web server answers, and there is no WinRM behind /wsman: `winrm enumerate winrm/config/listener` on the host",
    405: "a web server answers, and there is no WinRM behind /wsman: `winrm enumerate winrm/config/listener` on the host",
    411: "something between here and the host does not pass WinRM's messages on: a gateway or a proxy",
    413: _TOO_LARGE_HINT,
    500: "see the event log `Microsoft-Windows-WinRM/Operational` on the host, then `Restart-Service WinRM` there",
    502: "a gateway answers in the host's place, and does not reach it",
    503: "Windows answers, and its WinRM service takes no requests: it is starting, stopped or overloaded; see "
    "`Get-Service WinRM` there, then run it again",
    504: "a gateway answers in the host's place, and does not reach it",
}

_PAGE_HINT = "something between here and the host answers in its place: a gateway or a proxy"

_OWN_CERTIFICATE = (
    "CERTIFICATE_REQUIRED",
    "BAD_CERTIFICATE",
    "ALERT_UNKNOWN_CA",
    "CERTIFICATE_UNKNOWN",
    "CERTIFICATE_EXPIRED",
    "UNSUPPORTED_CERTIFICATE",
)
"""What a server says in TLS about the client's certificate."""

SHOWN = 400
"""Characters of a server's text that an error repeats."""

OUTSIDE = "look who answers at this address and port: a WinRM listener does not do that"


def translate(error: BaseException, host: Host) -> K8swinError:
    """Return our error for one of pywinrm's or requests'."""
    if isinstance(error, K8swinError):
        return error
    where = place(host)
    detail = _words(error) or type(error).__name__
    causes = list(_causes(error))
    if jumped := hint_of(causes):
        return HostUnreachable(host.name, f"{where}: {jumped[0]}", hint=jumped[1])
    if isinstance(error, AuthenticationError):
        return refused_login(error, host, where, detail)
    if isinstance(error, Unproven):
        return AuthenticationFailed(host.name, f"{where}: {detail}", hint=OUTSIDE)
    if isinstance(error, Refused):
        return TransportError(host.name, f"{where}: {detail}", hint=OUTSIDE)
    if isinstance(error, LoginGone):
        return HostUnreachable(host.name, f"{where}: {detail}")
    if isinstance(error, requests.exceptions.SSLError):
        if trouble := certificate_trouble(causes, host):
            return CertificateRejected(host.name, f"{where}: {trouble[0]}", hint=trouble[1])
        if any(isinstance(e, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) for e in causes):
            # A server that goes down, or is not up yet, ends a connection before its certificate was seen.
            return HostUnreachable(host.name, f"{where}: {_last_cause(error)}")
        broken = next((e for e in causes if isinstance(e, ssl.SSLError)), None)
        if broken is not None:
            return TransportError(
                host.name,
                f"{where}: no TLS connection comes about: {_last_cause(error)}",
                hint=_tls_hint(broken, host),
            )
        return CertificateRejected(host.name, f"{where}: {_last_cause(error)}")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return HostUnreachable(host.name, f"{where}: no answer in time")
    if isinstance(error, (requests.exceptions.Timeout, WinRMOperationTimeoutError)):
        return TransportTimeout(host.name, f"{where}: no answer in time")
    if isinstance(
        error, (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)
    ):
        hint = None
        if any(isinstance(e, (ConnectionResetError, BrokenPipeError)) for e in causes):
            hint = (
                "the machine took the connection and closed it: it may be going down, or `winrm_scheme` and "
                "`winrm_port` do not go together (http 5985, https 5986)"
            )
        return HostUnreachable(host.name, f"{where}: {_last_cause(error)}", hint=hint)
    if isinstance(error, WSManFaultError):
        return _of_fault(error, host, where)
    if isinstance(error, WinRMTransportError):
        # WinRM and HTTP.sys below it send no page with 500.
        page = error.code == 500 and error.response_text.lstrip().startswith("<")
        page = page and "<s:Envelope" not in error.response_text
        return TransportError(
            host.name,
            f"{where} answered HTTP {error.code}" + (" with a page" if page else ""),
            hint=_PAGE_HINT if page else _STATUS_HINTS.get(error.code, "is it a WinRM listener?"),
        )
    if isinstance(error, OddAnswer):
        return TransportError(host.name, f"{where}: {detail}", hint=OUTSIDE)
    if isinstance(error, (WinRMError, requests.exceptions.RequestException)):
        return TransportError(host.name, f"{where}: {detail}")
    if isinstance(error, (OSError, EOFError)):
        return HostUnreachable(host.name, f"{where}: {detail}")
    return TransportError(
        host.name,
        f"{where} sent what is no answer ({type(error).__name__}: {detail})",
        hint=OUTSIDE,
    )


def _of_fault(error: WSManFaultError, host: Host, where: str) -> K8swinError:
    code = f" (fault {error.wsman_fault_code})" if error.wsman_fault_code else ""
    detail = f"{where}: {_words(error.reason)}{code}"
    codes = {error.wsman_fault_code, error.wmierror_code} - {None}
    if not codes & set(ACCESS_DENIED):
        hint = next((hint for known, hint in _FAULT_HINTS if codes & set(known)), None)
        return TransportError(host.name, detail, hint=hint)
    return AuthenticationFailed(
        host.name,
        f"{detail}; the password of `{host.user}` is right, its rights are not enough",
        hint=(
            "over the network Windows takes the rights of local administrators away, except from the built-in "
            "Administrator (and from that one too with `FilterAdministratorToken`): log in as a domain account that is "
            "an administrator there, or set `LocalAccountTokenFilterPolicy` to 1 on the host"
        ),
    )


def _tls_hint(error: ssl.SSLError, host: Host) -> str:
    """Return what to do about a TLS connection that did not come about."""
    reason = error.reason or ""
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"):
        return (
            "what listens at this port speaks no TLS: give the HTTPS listener's port as `winrm_port` (5986), or "
            "`winrm_scheme: http` with NTLM, which encrypts every message"
        )
    if any(word in reason for word in _OWN_CERTIFICATE):
        if host.winrm_auth == "certificate":
            return (
                f"the server does not take the certificate `{host.winrm_certificate}`: it must trust its authority (in "
                "`Cert:\\LocalMachine\\Root` there), and it must not have expired"
            )
        return (
            "the server wants a certificate of this computer: with `winrm_auth: certificate` give one as "
            "`winrm_certificate`; otherwise look who answers there"
        )
    return (
        "both sides found no TLS version or cipher in common: here it is TLS 1.2 and newer; see what Schannel allows on "
        "the host, and what its certificate's key is"
    )


def unseen(error: Exception, host: Host) -> HostUnreachable:
    """Return our error for a look at a listener, before any login, that showed nothing."""
    gone = isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
    hint = _tls_hint(error, host) if isinstance(error, ssl.SSLError) and not gone else None
    return HostUnreachable(host.name, f"{place(host)}: {_words(error)}", hint=hint)


def place(host: Host) -> str:
    """Return where a host's WinRM is asked, for an error."""
    way = f", through `{host.winrm_jump.name}`" if host.winrm_jump else ""
    return f"WinRM at {host.winrm_scheme}://{host.winrm_address}:{host.winrm_port}{way}"


def _words(text: object) -> str:
    """Return a server's words as one line to be shown."""
    return shown_line(" ".join(str(text)[: SHOWN * 10].split()), most=SHOWN)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and, from outer to inner, those that requests nested in it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        reason = getattr(seen, "reason", None)
        inner = reason if isinstance(reason, BaseException) else None
        if inner is None:
            inner = next((arg for arg in seen.args if isinstance(arg, BaseException)), None)
        seen = inner or seen.__cause__ or seen.__context__


def _last_cause(error: BaseException) -> str:
    """Return what lies at the bottom of requests' nested errors, such as `Connection refused`."""
    text = str(error)
    for seen in _causes(error):
        text = getattr(seen, "strerror", None) or getattr(seen, "verify_message", None) or str(seen)
    return _words(text)
