"""Which certificates of a WinRM listener are taken, and what is said of one that is not, over real TLS."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from k8swin_nb.errors import AuthenticationFailed, CertificateRejected
from k8swin_nb.inventory import Host
from k8swin_nb.transports.winrm import WinrmTransport

from .authority import Authority, Issued
from .wsman_peer import Peer, credssp_acceptor, serving

HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
NAMES = (x509.DNSName("localhost"), x509.DNSName("winworker01"))

Ask = Callable[..., str]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("WIN_PASSWORD", "Passw0rd-of-TLS")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    return Host(
        "winworker01", "127.0.0.1", "windows", ("worker",), "operator",
        credential="env:WIN_PASSWORD", winrm_auth="credssp",
    )  # fmt: skip


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Ask a listener with a certificate; return `taken`, or the error's lines."""
    with ExitStack() as stack:

        def go(host: Host, issued: Issued, tls: ssl.SSLContext | None = None) -> str:
            # It offers another login: whoever comes so far has taken the certificate, and nothing else was sent.
            peer = Peer(
                credssp_acceptor(),
                offers=("Negotiate",),
                tls=tls or issued.server(),
                sealed=False,
            )
            stack.enter_context(serving(peer))
            transport = WinrmTransport(replace(host, winrm_port=peer.port))
            stack.callback(transport.close)
            with pytest.raises((AuthenticationFailed, CertificateRejected)) as caught:
                transport.run("'x'")
            if isinstance(caught.value, AuthenticationFailed):
                assert len(peer.requests) == 1
                return "taken"
            assert not peer.requests
            return "\n".join(caught.value.lines())

        yield go


def test_a_certificate_with_names_alone_is_taken_under_one_of_them(ask, host, authority) -> None:
    issued = authority.issue("winworker01.corp.example", *NAMES)
    host = replace(host, ca=str(authority.own.pem))
    error = ask(host, issued)
    assert "is not for `127.0.0.1` but for `localhost`, `winworker01`" in error
    assert "`winrm_host`" in error and f"`winrm_fingerprint: {issued.fingerprint}`" in error
    assert ask(replace(host, winrm_host="localhost"), issued) == "taken"
    assert "but for" in ask(replace(host, winrm_host="localhost"), authority.issue("x", NAMES[1]))


def test_a_certificate_with_the_address_is_taken(ask, host, authority) -> None:
    assert ask(replace(host, ca=str(authority.own.pem)), authority.issue("w", HERE)) == "taken"


def test_a_chain_is_followed_to_the_authority_and_a_gap_in_it_is_named(
    ask, host, authority, tmp_path
) -> None:
    """Schannel sends what stands between, when it is in the host's store, and nothing otherwise."""
    between = authority.below("issuing-CA")
    issued = between.issue("w", HERE)
    host = replace(host, ca=str(authority.own.pem))
    assert ask(host, issued, issued.server(chain=(between.own,))) == "taken"
    assert "signed by `CN=issuing-CA`, which is not in" in ask(host, issued)
    both = tmp_path / "both.pem"
    both.write_text(authority.own.pem.read_text() + between.own.pem.read_text())
    assert ask(replace(host, ca=str(both)), issued) == "taken"
    assert ask(replace(host, ca=str(between.own.pem)), issued) == "taken"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_with_one_version_of_tls_is_spoken_to(ask, host, authority, version) -> None:
    issued = authority.issue("w", HERE)
    context = issued.server()
    context.minimum_version = context.maximum_version = version
    assert ask(replace(host, ca=str(authority.own.pem)), issued, context) == "taken"


def test_the_systems_authorities_are_asked_and_not_those_of_a_library(
    ask, host, authority, monkeypatch
) -> None:
    issued = authority.issue("w", HERE)
    error = ask(host, issued)
    assert "signed by `CN=corp-CA`, which this computer does not trust" in error
    assert "as the host's `ca`" in error and "update-ca-certificates" in error
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.own.pem))
    assert "does not trust" in ask(host, issued)
    # How OpenSSL is told of another store than the one it was built with.
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.own.pem))
    assert ask(host, issued) == "taken"


def test_an_authority_is_taken_as_windows_exports_it(ask, host, authority, tmp_path) -> None:
    issued = authority.issue("w", HERE)
    exported = tmp_path / "root.cer"
    exported.write_bytes(authority.own.certificate.public_bytes(serialization.Encoding.DER))
    assert ask(replace(host, ca=str(exported)), issued) == "taken"
    both = tmp_path / "bundle.pem"
    both.write_text(
        Authority(tmp_path, "first").own.pem.read_text() + authority.own.pem.read_text()
    )
    assert ask(replace(host, ca=str(both)), issued) == "taken"


def test_a_certificate_signed_by_itself_is_taken_as_its_own_authority(ask, host, authority) -> None:
    issued = authority.by_itself("w", HERE)
    error = ask(host, issued)
    assert "signed by itself" in error and issued.fingerprint in error
    assert ask(replace(host, ca=str(issued.pem)), issued) == "taken"
    assert "signed by itself" in ask(replace(host, ca=str(authority.own.pem)), issued)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"ends": 0, "begins": -2}, ("has expired (20", "clocks")),
        ({"begins": 2}, ("does not hold yet (20", "clocks")),
    ],
)
def test_a_certificate_out_of_its_time_says_when(ask, host, authority, changes, told) -> None:
    issued = authority.issue("w", HERE, **changes)
    error = ask(replace(host, ca=str(authority.own.pem)), issued)
    assert all(words in error for words in told)


def test_another_authority_of_the_same_name_is_not_taken(ask, host, authority, tmp_path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    error = ask(replace(host, ca=str(other.own.pem)), authority.issue("w", HERE))
    assert "holds another authority" in error or "signature" in error
    assert "winrm_fingerprint" in error


def test_a_pinned_certificate_is_taken_whatever_it_says_and_no_other(ask, host, authority) -> None:
    for issued in (
        authority.issue("x", x509.DNSName("elsewhere.example")),
        authority.issue("x", ends=0, begins=-2),
        authority.by_itself("x"),
    ):
        assert ask(replace(host, winrm_fingerprint=issued.fingerprint), issued) == "taken"
    other = authority.issue("w", HERE)
    error = ask(replace(host, winrm_fingerprint=issued.fingerprint), other)
    assert f"has the fingerprint {other.fingerprint}, pinned is {issued.fingerprint}" in error
    assert "between you and the machine" in error


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no authority's certificate"),
        (b"", "holds no certificate"),
        (b"ssh-ed25519 AAAA\n", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n", "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\n".encode("utf-16"), "holds no certificate"),
        (b"-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----\n", "openssl pkcs7"),
    ],
)
def test_a_file_that_holds_no_authority_says_so(
    ask, host, authority, tmp_path, content, told
) -> None:
    path = tmp_path / "given.pem"
    if content is not None:
        path.write_bytes(content)
    assert told in ask(replace(host, ca=str(path)), authority.issue("w", HERE))


def test_a_server_without_a_name_of_its_own_in_the_list_is_told_so(ask, host, authority) -> None:
    error = ask(replace(host, ca=str(authority.own.pem)), authority.issue("w.corp.example"))
    assert "CN=w.corp.example alone, without alternative names" in error


def test_names_of_a_certificate_cannot_write_into_an_error(ask, host, authority) -> None:
    names: list[Any] = [x509.DNSName(f"host{n}.example") for n in range(30)]
    names.insert(0, x509.UniformResourceIdentifier("urn:\x1b[2J\nhint: all is well"))
    error = ask(replace(host, ca=str(authority.own.pem)), authority.issue("w", *names))
    assert "\x1b" not in error and "\nhint: all is well" not in error
    assert "26 more" in error
