from __future__ import annotations

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from k8swin_nb.inventory import Host
from k8swin_nb.transports import certificate
from k8swin_nb.transports.certificate import days_left
from k8swin_nb.transports.winrm_route import winrm_days_left


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Answer one connection on the port that is given."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                client, _ = listener.accept()
                with client:
                    answer(client)
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(100)


def dribble(client: socket.socket) -> None:
    client.sendall(b"\x16\x03\x03\x10\x00")
    while True:
        time.sleep(0.1)
        client.sendall(b"\x02")


def silence(client: socket.socket) -> None:
    while client.recv(100_000):
        pass


@pytest.mark.parametrize("answer", [silence, dribble])
def test_a_server_that_does_not_come_to_its_certificate_is_left_at_the_deadline(
    answer: Callable[[socket.socket], None],
) -> None:
    with serving(answer) as port, pytest.raises(OSError, match="timed out"):
        days_left("127.0.0.1", port, timeout=0.5)


@pytest.fixture
def tls(tmp_path: Path) -> Callable[[socket.socket], None]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=9, hours=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def answer(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as secured:
            secured.recv(1)

    return answer


def test_the_days_are_counted_whoever_signed(tls: Callable[[socket.socket], None]) -> None:
    with serving(tls) as port:
        assert days_left("127.0.0.1", port) == 9


def test_a_certificate_that_cannot_be_read_is_an_error_that_callers_expect(
    tls: Callable[[socket.socket], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(data: bytes) -> x509.Certificate:
        raise x509.InvalidVersion("9 is no version", 9)

    monkeypatch.setattr(certificate.x509, "load_der_x509_certificate", odd)
    with serving(tls) as port, pytest.raises(ValueError, match="InvalidVersion"):
        days_left("127.0.0.1", port)


def test_a_listener_is_looked_at_where_winrm_is_asked(
    tls: Callable[[socket.socket], None],
) -> None:
    with serving(tls) as port:
        host = Host(
            "w", "192.0.2.1", "windows", ("worker",), "u", winrm_host="localhost", winrm_port=port
        )
        assert winrm_days_left(host) == 9
