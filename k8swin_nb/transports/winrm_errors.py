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
from k8swin_nb.transports.wsman import LoginGone, OddAnswer, Refused

ACCESS_DENIED = 5

QUOTAS = (2150859173, 2150859174, 2150859241)
"""The server's faults for too many shells, operations and processes of one user."""

# OpenSSL's X509_V_ERR numbers.
_OUT_OF_DATE = (9, 10)
_OTHER_AUTHORITY = (18, 19, 20, 21)
_OTHER_NAME = (62, 64)

SHOWN = 400
"""Characters of a server's text that an error repeats."""

OUTSIDE = "look who answers at this address and port: a WinRM listener does not do that"


def translate(error: BaseException, host: Host) -> K8swinError:
    """Return our error for one of pywinrm's or requests'."""
    if isinstance(error, K8swinError):
        return error
    where = place(host)
    detail = _words(error) or type(error).__name__
    if isinstance(error, AuthenticationError):
        return AuthenticationFailed(
            host.name,
            f"{where} refused the login as `{host.user}` ({host.winrm_auth}, {host.credential})",
            hint=(
                "check both before you try again: accounts are locked after a few attempts. With the right password "
                "it is the account: locked, expired, or `Deny access to this computer from the network` names it"
            ),
        )
    if isinstance(error, Refused):
        return TransportError(host.name, f"{where}: {detail}", hint=OUTSIDE)
    if isinstance(error, LoginGone):
        return HostUnreachable(host.name, f"{where}: {detail}")
    if isinstance(error, requests.exceptions.SSLError):
        if any(isinstance(e, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) for e in _causes(error)):
            # A server that goes down, or is not up yet, ends a connection before its certificate was seen.
            return HostUnreachable(host.name, f"{where}: {_last_cause(error)}")
        return CertificateRejected(
            host.name, f"{where}: {_last_cause(error)}", hint=_certificate_hint(error, host)
        )
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return HostUnreachable(host.name, f"{where}: no answer in time")
    if isinstance(error, (requests.exceptions.Timeout, WinRMOperationTimeoutError)):
        return TransportTimeout(host.name, f"{where}: no answer in time")
    if isinstance(
        error, (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)
    ):
        return HostUnreachable(host.name, f"{where}: {_last_cause(error)}")
    if isinstance(error, WSManFaultError):
        return _of_fault(error, host, where)
    if isinstance(error, WinRMTransportError):
        return TransportError(
            host.name, f"{where} answered HTTP {error.code}", hint="is it a WinRM listener?"
        )
    if isinstance(error, OSError) and "CA certificate" in detail:
        return CertificateRejected(host.name, f"there is no authority's certificate at `{host.ca}`")
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
    if error.wsman_fault_code in QUOTAS or error.wmierror_code in QUOTAS:
        return TransportError(
            host.name,
            detail,
            hint=(
                f"other programs that log in as `{host.user}` hold what the host allows one user; what they left is "
                "freed after its idle time, or by `Restart-Service WinRM` there"
            ),
        )
    if error.wsman_fault_code != ACCESS_DENIED:
        return TransportError(host.name, detail)
    return AuthenticationFailed(
        host.name,
        f"{detail}; the password of `{host.user}` is right, its rights are not enough",
        hint=(
            "over the network Windows takes the rights of local administrators away, except from the built-in "
            "Administrator (and from that one too with `FilterAdministratorToken`): log in as a domain account that is "
            "an administrator there, or set `LocalAccountTokenFilterPolicy` to 1 on the host"
        ),
    )


def _certificate_hint(error: BaseException, host: Host) -> str | None:
    """Return what to do about a certificate, by what is wrong with it; None: nothing better than the general hint."""
    code = next(
        (e.verify_code for e in _causes(error) if isinstance(e, ssl.SSLCertVerificationError)), 0
    )
    if code in _OTHER_NAME:
        return (
            f"the host is asked at `{host.address}`: let the listener's certificate name that among its alternative "
            "names (an address as an IP address, not as a DNS name)"
        )
    if code in _OUT_OF_DATE:
        return "compare the clocks of both machines; then renew the listener's certificate"
    if code in _OTHER_AUTHORITY and host.ca:
        return f"`{host.ca}` holds another authority than the one that signed the listener's certificate"
    return None


def place(host: Host) -> str:
    """Return where a host's WinRM is asked, for an error."""
    return f"WinRM at {host.winrm_scheme}://{host.address}:{host.winrm_port}"


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
