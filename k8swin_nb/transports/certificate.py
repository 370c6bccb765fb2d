"""The certificate that a TLS server shows, and how long it still holds, seen from here."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

from cryptography import x509

from k8swin_nb.tls_sockets import closing
from k8swin_nb.transports.dialling import Dial, dial


def presented(address: str, port: int, timeout: float = 10, dial: Dial = dial) -> bytes:
    """Return the certificate that a server shows, in DER, whoever signed it. Nothing else is sent.

    Raises:
        OSError: when the server cannot be reached, or does not come to its certificate within the timeout.
        ValueError: when it sends no certificate.
    """
    context = closing(ssl.create_default_context())
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with dial(address, port, timeout) as plain:
        plain.settimeout(timeout)
        with context.wrap_socket(plain, server_hostname=address) as secured:
            sent = secured.getpeercert(binary_form=True)
    if not sent:
        raise ValueError("the server sent no certificate")
    return sent


def days_left(address: str, port: int, timeout: float = 10, dial: Dial = dial) -> int:
    """Return the whole days until a TLS server's certificate ends.

    Only the date is read; whether the certificate is trusted is the business of those who talk to the server.

    Raises:
        OSError: when the server cannot be reached, or does not come to its certificate within the timeout.
        ValueError: when it sends no certificate, or one that cannot be read.
    """
    sent = presented(address, port, timeout, dial)
    try:
        ends = x509.load_der_x509_certificate(sent).not_valid_after_utc
    except Exception as error:
        # cryptography has errors of its own for what a server may send, such as a version that does not exist.
        raise ValueError(f"the certificate cannot be read: {type(error).__name__}") from error
    return (ends - datetime.now(UTC)).days
