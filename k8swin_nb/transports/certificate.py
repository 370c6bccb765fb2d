"""How long a server's certificate still holds, seen from here."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime

from cryptography import x509


def days_left(address: str, port: int, timeout: float = 10) -> int:
    """Return the whole days until a TLS server's certificate ends.

    Only the date is read; whether the certificate is trusted is the business of those who talk to the server.

    Raises:
        OSError: when the server cannot be reached, or does not come to its certificate within the timeout.
        ValueError: when it sends no certificate, or one that cannot be read.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((address, port), timeout=timeout) as plain,
        context.wrap_socket(plain) as secured,
    ):
        sent = secured.getpeercert(binary_form=True)
    if not sent:
        raise ValueError("the server sent no certificate")
    try:
        ends = x509.load_der_x509_certificate(sent).not_valid_after_utc
    except Exception as error:
        # cryptography has errors of its own for what a server may send, such as a version that does not exist.
        raise ValueError(f"the certificate cannot be read: {type(error).__name__}") from error
    return (ends - datetime.now(UTC)).days
