"""Whom a TLS connection to a WinRM listener trusts, and what is wrong with a certificate that is refused.

By default those authorities are trusted that the operator's own system trusts: on Linux OpenSSL's store, which
`update-ca-certificates` and the like fill, on Windows and macOS the system's. `ca` names other ones, and
`winrm_fingerprint` pins one certificate, whatever its name, its dates and its authority are, as a host key is pinned.
There is no way to leave the check out.

A login by certificate is held to TLS 1.2: what asks for the certificate after the handshake, as Windows does, does not
come about with TLS 1.3 from here (ansible/ansible#79432 and its page on certificate logins).
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import truststore
from cryptography import x509

from k8swin_nb.errors import AuthenticationFailed, CertificateRejected
from k8swin_nb.inventory import Host
from k8swin_nb.reading import file_bytes
from k8swin_nb.shown import shown_line
from k8swin_nb.tls_sockets import closing

# OpenSSL's X509_V_ERR numbers.
_NOT_YET, _EXPIRED = 9, 10
_SELF_SIGNED = 18
_UNKNOWN_AUTHORITY = (2, 19, 20, 21, 27)
_OTHER_NAME = (62, 63, 64)
_NO_PURPOSE = 26

_OTHER_PIN = re.compile(r'Fingerprints did not match.*got "([0-9a-fA-F]{64})"')

NAMES = 5
"""Names of a certificate that an error repeats."""


class CertificateRefused(ssl.SSLCertVerificationError):
    """A certificate that OpenSSL refused, with the certificate itself where it could be had."""

    presented: bytes | None = None


@dataclass(frozen=True, slots=True)
class Trust:
    """What a TLS connection to one host trusts, and by which certificate it proves who we are."""

    host: Host
    passphrase: str | None = field(default=None, repr=False)
    """Of the client certificate's key."""

    def pool_options(self) -> dict[str, Any]:
        """Return what urllib3 is to be given for it.

        Raises:
            CertificateRejected: when `ca` names no authority.
            AuthenticationFailed: when the client certificate or its key cannot be used.
        """
        host = self.host
        options: dict[str, Any] = {"ssl_context": self._context()}
        if host.winrm_fingerprint:
            options["assert_fingerprint"] = host.winrm_fingerprint
        return options

    def _context(self) -> ssl.SSLContext:
        host = self.host
        if host.winrm_fingerprint:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        elif host.ca:
            context = _by_authority(host.name, Path(host.ca))
        else:
            context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if host.winrm_auth == "certificate":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            self._prove(context)
        return closing(context)

    def _prove(self, context: ssl.SSLContext) -> None:
        """Load the client certificate with its key."""
        host = self.host
        certificate = Path(host.winrm_certificate or "")
        key = Path(host.winrm_key or certificate)

        def unusable(what: str, hint: str) -> AuthenticationFailed:
            return AuthenticationFailed(host.name, what, hint=hint)

        for path, kind, word in (
            (certificate, b"CERTIFICATE-----", "certificate"),
            (key, b"PRIVATE KEY-----", "private key"),
        ):
            try:
                data = file_bytes(path)
            except (OSError, ValueError) as error:
                reason = (
                    error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                )
                raise unusable(
                    f"the {word} `{path}` for WinRM cannot be read: {reason}",
                    "check `winrm_certificate` and `winrm_key`",
                ) from None
            if kind not in data:
                raise unusable(
                    f"`{path}` holds no {word} in PEM",
                    f"a `.pfx` of Windows is changed by `openssl pkcs12 -in FILE.pfx -out {path.with_suffix('.pem')}`",
                )
        asked = False

        def passphrase() -> str:
            nonlocal asked
            asked = True
            return self.passphrase or ""

        try:
            context.load_cert_chain(certificate, key, passphrase)
        except (ssl.SSLError, OSError, ValueError) as error:
            if asked and not self.passphrase:
                raise unusable(
                    f"the private key `{key}` is encrypted",
                    "name its pass phrase: `winrm_key_passphrase: env:NAME`",
                ) from None
            if asked:
                raise unusable(
                    f"the pass phrase `{host.winrm_key_passphrase}` does not open the private key `{key}`",
                    "check `winrm_key_passphrase`",
                ) from None
            if "KEY_VALUES_MISMATCH" in str(error):
                raise unusable(
                    f"the private key `{key}` belongs to another certificate than `{certificate}`",
                    "name the key that goes with the certificate as `winrm_key`",
                ) from None
            raise unusable(
                f"certificate `{certificate}` and key `{key}` cannot be used: {error}",
                "make both anew, in PEM",
            ) from None


def _by_authority(host: str, path: Path) -> ssl.SSLContext:
    """Trust the authorities of a file, in PEM or as Windows exports one, or of a folder as OpenSSL reads it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Whatever is named is trusted: also an authority between, or the listener's own certificate.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        if path.is_dir():
            context.load_verify_locations(capath=path)
            return context
        data = file_bytes(path)
    except FileNotFoundError:
        raise CertificateRejected(
            host, f"there is no authority's certificate at `{path}`"
        ) from None
    except (OSError, ValueError) as error:
        raise CertificateRejected(
            host,
            f"the authority's certificate `{path}` cannot be read: {error}",
            hint="name the authority's PEM file as `ca`",
        ) from None
    try:
        context.load_verify_locations(
            cadata=data.decode("ascii") if b"-----BEGIN" in data else data
        )
    except (ssl.SSLError, ValueError) as error:
        reason = error.reason if isinstance(error, ssl.SSLError) and error.reason else error
        raise CertificateRejected(
            host,
            f"`{path}` holds no certificate of an authority: {shown_line(str(reason), most=200)}",
            hint="name a file in PEM, or a `.cer` as Windows exports it, as `ca`; a `.p7b` is changed by "
            "`openssl pkcs7 -inform der -print_certs -in FILE -out ca.pem`",
        ) from None
    return context


def fingerprint(der: bytes) -> str:
    """Return a certificate's SHA-256 as `winrm_fingerprint` takes it."""
    return hashlib.sha256(der).hexdigest()


def certificate_trouble(causes: list[BaseException], host: Host) -> tuple[str, str] | None:
    """Return what is wrong with a certificate that was refused, and what to do; None: nothing is known of it.

    Args:
        causes: The error and those that are nested in it.
        host: Who was asked.
    """
    for cause in causes:
        if found := _OTHER_PIN.search(str(cause)):
            return (
                f"its certificate has the fingerprint {found[1].lower()}, pinned is {host.winrm_fingerprint}",
                "somebody may be between you and the machine; if its listener was given a new certificate, "
                + _compare(found[1].lower()),
            )
    refused = next((e for e in causes if isinstance(e, ssl.SSLCertVerificationError)), None)
    if refused is None:
        return None
    presented = getattr(refused, "presented", None)
    shown = f", and its fingerprint is {fingerprint(presented)}" if presented else ""
    pin = f"; or {_compare(fingerprint(presented))}" if presented else ""
    what, hint = _by_code(refused.verify_code, host, presented)
    said = shown_line(str(getattr(refused, "verify_message", "") or refused), most=200)
    return f"{what or said}{shown}", f"{hint}{pin}"


def _compare(found: str) -> str:
    return (
        "compare the SHA-256 of the certificate on the machine's console (docs/connections.md has the command), then "
        f"write `winrm_fingerprint: {found}` under the host"
    )


def _by_code(code: int, host: Host, presented: bytes | None) -> tuple[str, str]:
    asked = host.winrm_host or host.address
    if code in _OTHER_NAME:
        names = _names(presented)
        return (
            f"its certificate is not for `{asked}`" + (f" but for {names}" if names else ""),
            "write the name that the certificate has as `winrm_host` under the host, if this computer finds the machine by "
            "it; or let the listener's certificate name what is asked among its alternative names (an address as "
            "an IP address, not as a DNS name)",
        )
    if code == _EXPIRED:
        ends = _date(presented, "not_valid_after_utc")
        return (
            f"its certificate has expired{ends}",
            "renew the listener's certificate, and compare the clocks of both machines",
        )
    if code == _NOT_YET:
        begins = _date(presented, "not_valid_before_utc")
        return (
            f"its certificate does not hold yet{begins}",
            "compare the clocks of both machines",
        )
    if code == _SELF_SIGNED:
        return (
            "its certificate is signed by itself",
            (
                f"`{host.ca}` holds another certificate"
                if host.ca
                else "give that certificate as the host's `ca`"
            ),
        )
    if code in _UNKNOWN_AUTHORITY:
        issuer = _issuer(presented)
        by = f" `{issuer}`" if issuer else ""
        if host.ca:
            return (
                f"its certificate is signed by{by or ' an authority'}, which is not in `{host.ca}`",
                f"`{host.ca}` holds another authority than the one that signed the listener's certificate: name that one",
            )
        return (
            f"its certificate is signed by{by or ' an authority'}, which this computer does not trust",
            "give the authority that signed the listener's certificate as the host's `ca`, or add it to this computer's "
            "own (`update-ca-certificates` on Debian and Ubuntu)",
        )
    if code == _NO_PURPOSE:
        return (
            "its certificate is not made for servers",
            "give the listener a certificate with the purpose `Server Authentication`",
        )
    return "", "give the authority that signed the listener's certificate as the host's `ca`"


def _read(presented: bytes | None) -> Iterator[x509.Certificate]:
    try:
        if presented:
            yield x509.load_der_x509_certificate(presented)
    except Exception:
        # cryptography has errors of its own for what a server may send.
        return


def _names(presented: bytes | None) -> str:
    for certificate in _read(presented):
        try:
            names = certificate.extensions.get_extension_for_class(
                x509.SubjectAlternativeName
            ).value
            told = [str(name.value) for name in names]
        except x509.ExtensionNotFound:
            told = [certificate.subject.rfc4514_string() + " alone, without alternative names"]
        except Exception:
            return ""
        more = f" and {len(told) - NAMES} more" if len(told) > NAMES else ""
        return (
            ", ".join(f"`{shown_line(name, most=100)}`" for name in told[:NAMES]) + more
            or "no name"
        )
    return ""


def _issuer(presented: bytes | None) -> str:
    for certificate in _read(presented):
        try:
            return shown_line(certificate.issuer.rfc4514_string(), most=100)
        except Exception:
            return ""
    return ""


def _date(presented: bytes | None, which: str) -> str:
    for certificate in _read(presented):
        return f" ({getattr(certificate, which):%Y-%m-%d %H:%M} UTC)"
    return ""
