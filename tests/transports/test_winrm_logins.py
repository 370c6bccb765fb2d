"""Kerberos, CredSSP and client certificates, against a server that checks them; tickets come from an MIT KDC."""

from __future__ import annotations

import builtins
import ipaddress
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import spnego
from cryptography import x509

from k8swin_nb.errors import AuthenticationFailed, K8swinError, TransportError
from k8swin_nb.inventory import Host
from k8swin_nb.transports.winrm import WinrmTransport

from .authority import Authority
from .kdc import PASSWORD, SERVER, Kdc, kdc  # noqa: F401 - the fixture
from .wsman_peer import Peer, bindings_of, credssp_acceptor, kerberos_acceptor, serving

HERE = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))

Run = Callable[..., str]


@pytest.fixture
def run() -> Iterator[Run]:
    """Serve as a peer says, run a script there, and return what it printed."""
    with ExitStack() as stack:

        def go(peer: Peer, host: Host, *, times: int = 1, script: str = "'x'") -> str:
            if not peer.port:
                stack.enter_context(serving(peer))
            transport = WinrmTransport(replace(host, winrm_port=peer.port))
            stack.callback(transport.close)
            for _ in range(times):
                printed = transport.run(script, timeout=60).stdout
            return printed

        yield go


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("WIN_PASSWORD", PASSWORD)
    return Host(
        "winworker01",
        "127.0.0.1",
        "windows",
        ("worker",),
        "operator",
        credential="env:WIN_PASSWORD",
        winrm_scheme="http",
    )


@pytest.fixture
def realm(kdc: Kdc, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kdc:  # noqa: F811
    monkeypatch.setenv("KRB5_CONFIG", kdc.environment["KRB5_CONFIG"])
    monkeypatch.setenv("KRB5_KTNAME", f"FILE:{kdc.folder}/server.keytab")
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/no-cache")
    return kdc


@pytest.fixture
def ticket(realm: Kdc, base: Host) -> Host:
    """A host that is logged in to with Kerberos and a password."""
    return replace(base, user=realm.user, winrm_auth="kerberos", winrm_spn=f"HTTP/{SERVER}")


def refusal(
    run: Run, peer: Peer, host: Host, kind: type[K8swinError] = AuthenticationFailed
) -> str:
    with pytest.raises(kind) as caught:
        run(peer, host)
    return "\n".join(caught.value.lines())


# --- Kerberos


def test_a_ticket_by_password_logs_in_and_every_message_is_sealed(run, ticket, realm) -> None:
    peer = Peer(kerberos_acceptor())
    assert (
        run(peer, ticket, times=2, script="# " + "long " * 50_000) == f"{realm.user} by Negotiate\n"
    )
    assert peer.logins == [realm.user]
    kinds = {kind for kind, body in peer.requests if body}
    assert len(kinds) == 1 and "HTTP-SPNEGO-session-encrypted" in kinds.pop()


def test_a_listener_that_offers_kerberos_alone_is_answered_in_its_own_words(run, ticket) -> None:
    peer = Peer(kerberos_acceptor(), offers=("Kerberos",))
    assert "by Kerberos" in run(peer, ticket)
    assert all("HTTP-Kerberos-session-encrypted" in kind for kind, body in peer.requests if body)


def test_a_keytab_a_named_cache_and_the_users_own_cache_log_in(
    run, ticket, realm, tmp_path, monkeypatch
) -> None:
    without = replace(ticket, credential=None)
    assert realm.user in run(
        Peer(kerberos_acceptor()), replace(without, winrm_keytab=f"{realm.folder}/operator.keytab")
    )
    realm.kinit(cache=tmp_path / "named")
    assert realm.user in run(
        Peer(kerberos_acceptor()), replace(without, winrm_ticket_cache=f"FILE:{tmp_path}/named")
    )
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/named")
    assert realm.user in run(Peer(kerberos_acceptor()), without)


def test_the_service_is_the_one_of_the_name_that_is_asked(run, ticket) -> None:
    assert "by Negotiate" in run(
        Peer(kerberos_acceptor()), replace(ticket, winrm_spn=None, winrm_host="localhost")
    )


def test_a_ticket_is_passed_on_when_delegation_is_asked_for_and_not_otherwise(run, ticket) -> None:
    for wanted in (False, True):
        made: list[Any] = []

        def accept(bindings: Any, made: list[Any] = made) -> Any:
            made.append(kerberos_acceptor()(bindings))
            return made[-1]

        run(Peer(accept), replace(ticket, winrm_delegation=wanted))
        assert bool(made[-1].context_attr & spnego.ContextReq.delegate) is wanted


def test_kerberos_inside_tls_is_tied_to_the_certificate(run, ticket, tmp_path) -> None:
    issued = Authority(tmp_path).issue("w", HERE)
    host = replace(ticket, winrm_scheme="https", winrm_fingerprint=issued.fingerprint)
    peer = Peer(
        kerberos_acceptor(), tls=issued.server(), sealed=False, bindings=bindings_of(issued.der)
    )
    assert "by Negotiate" in run(peer, host)
    other = Authority(tmp_path, "other").issue("o", HERE)
    peer = Peer(
        kerberos_acceptor(), tls=issued.server(), sealed=False, bindings=bindings_of(other.der)
    )
    assert "refused the login" in refusal(run, peer, host)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"credential": "env:WRONG"}, ("few attempts",)),
        ({"user": "nobody@CORP.EXAMPLE"}, ("NAME@REALM",)),
        ({"user": "locked@CORP.EXAMPLE"}, ("",)),
        ({"user": "operator@NOWHERE.EXAMPLE"}, ("domain controller", "/etc/krb5.conf")),
        ({"user": "operator@UNKNOWN.EXAMPLE"}, ("domain controller",)),
        ({"winrm_spn": "HTTP/other.corp.example"}, ("winrm_spn", "setspn -L")),
        ({"credential": None}, ("kinit", "winrm_ticket_cache")),
        ({"credential": None, "winrm_ticket_cache": "FILE:/nowhere/cache"}, ("kinit", "FILE:/nowhere/cache")),
        ({"credential": None, "winrm_keytab": "/nowhere/keytab"}, ("klist -k", "/nowhere/keytab")),
    ],
)  # fmt: skip
def test_what_keeps_a_ticket_away_is_told_with_what_to_do(
    run, ticket, monkeypatch, changes, told
) -> None:
    monkeypatch.setenv("WRONG", "not the passw0rd")
    peer = Peer(kerberos_acceptor())
    error = refusal(run, peer, replace(ticket, **changes))
    assert "could begin" in error
    for words in told:
        assert words in error
    assert not peer.logins and PASSWORD not in error


def test_a_server_with_another_key_does_not_get_a_script(run, ticket, realm, monkeypatch) -> None:
    monkeypatch.setenv("KRB5_KTNAME", f"FILE:{realm.folder}/operator.keytab")
    peer = Peer(kerberos_acceptor())
    assert "refused the login" in refusal(run, peer, ticket)
    assert all(not body for _, body in peer.requests)


def test_a_server_that_does_not_prove_itself_does_not_get_a_script(run, ticket) -> None:
    peer = Peer(kerberos_acceptor(), forget=True)
    assert "does not prove who it is" in refusal(run, peer, ticket)
    assert all(not body for _, body in peer.requests)


@pytest.mark.parametrize("answer", ["\xff\xff", "!", "TlRMTVNTUAACAAAA", "YIIB", "=" * 5000])
def test_what_is_no_ticket_in_the_servers_answer_does_not_get_a_script(
    run, ticket, monkeypatch, answer
) -> None:
    peer = Peer(kerberos_acceptor(), forget=True)
    peer.last = ("WWW-Authenticate", f"Negotiate {answer}")
    error = refusal(run, peer, ticket)
    assert "prove" in error or "part of the login is broken" in error
    assert all(not body for _, body in peer.requests)


def test_kerberos_never_falls_back_to_a_password_on_the_wire(run, ticket) -> None:
    peer = Peer(kerberos_acceptor(), offers=("Basic", "NTLM"))
    assert "offers Basic, NTLM, and not Negotiate" in refusal(run, peer, ticket)
    assert len(peer.requests) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda sealed: sealed[:-60] + bytes([sealed[-60] ^ 1]) + sealed[-59:],
        lambda sealed: b"",
        lambda sealed: sealed[:200],
        lambda sealed: sealed.replace(b"Length=", b"Length=1"),
        lambda sealed: sealed * 2,
        lambda sealed: sealed.replace(b"octet-stream\r\n", b"octet-stream\r\n\xff\xff\xff\x7f"),
    ],
    ids=["flipped", "empty", "cut", "length", "twice", "header"],
)
@pytest.mark.parametrize("login", ["kerberos", "credssp"])
def test_a_sealed_answer_that_was_changed_is_not_taken(request, run, login, change) -> None:
    host, peer = request.getfixturevalue("sealed_" + login)
    peer.change = change
    with pytest.raises(TransportError, match="encrypted answer"):
        run(peer, host)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500, 503])
@pytest.mark.parametrize("login", ["kerberos", "credssp"])
def test_an_answer_in_clear_is_not_taken_after_a_login(request, run, login, status) -> None:
    host, peer = request.getfixturevalue("sealed_" + login)
    selector = b'<w:Selector xmlns:w="w" Name="ShellId">FORGED</w:Selector>'
    peer.forged = (
        status,
        b'<e:Envelope xmlns:e="e"><e:Body>' + selector + b"</e:Body></e:Envelope>",
    )
    assert "FORGED" not in refusal(run, peer, host, TransportError)
    # No script followed: a new shell was all that was ever asked for.
    assert len([body for _, body in peer.requests if body]) <= 2


def test_an_answer_of_an_earlier_message_is_not_taken_again(run, sealed_kerberos) -> None:
    host, peer = sealed_kerberos
    kept: list[bytes] = []

    def replay(sealed: bytes) -> bytes:
        kept.append(sealed)
        return kept[0]

    peer.change = replay
    with pytest.raises(TransportError, match="cannot be read"):
        run(peer, host)


@pytest.fixture
def sealed_kerberos(ticket: Host) -> tuple[Host, Peer]:
    return ticket, Peer(kerberos_acceptor())


def test_a_missing_library_names_the_extra(run, base, monkeypatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "gssapi":
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr("k8swin_nb.transports.winrm_login.importlib.import_module", without)
    host = replace(base, winrm_auth="kerberos", user="operator@CORP.EXAMPLE")
    error = refusal(run, Peer(), host)
    assert "k8swin_nb[kerberos]" in error and "libkrb5-dev" in error


@pytest.mark.parametrize("login", ["kerberos", "credssp"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_was_lost_meanwhile_is_logged_in_anew(
    request, run, login, scheme, tmp_path
) -> None:
    host, peer = request.getfixturevalue("sealed_" + login)
    if scheme == "https":
        issued = Authority(tmp_path).issue("w", HERE)
        peer.tls, peer.sealed = issued.server(), False
        host = replace(host, winrm_scheme="https", winrm_fingerprint=issued.fingerprint)
    with serving(peer):
        transport = WinrmTransport(replace(host, winrm_port=peer.port))
        for _ in range(2):
            assert transport.run("'x'", timeout=60).ok
            peer.drop()
        transport.close()
    assert len(peer.logins) >= 2


def test_many_hosts_log_in_at_once(run, ticket) -> None:
    from concurrent.futures import ThreadPoolExecutor

    peer = Peer(kerberos_acceptor())
    with serving(peer), ThreadPoolExecutor(8) as pool:
        hosts = [replace(ticket, name=f"w{n}", winrm_port=peer.port) for n in range(8)]

        def one(host: Host) -> str:
            transport = WinrmTransport(host)
            try:
                return transport.run("'x'", timeout=100).stdout
            finally:
                transport.close()

        assert len(set(pool.map(one, hosts))) == 1
    assert len(peer.logins) >= 8


# --- NTLM


@pytest.mark.parametrize("offer", ["Negotiate", "NTLM"])
@pytest.mark.parametrize(
    "user", ["operator", r"CORP\operator", r".\operator", "operator@corp.example"]
)
def test_ntlm_inside_tls_is_tied_to_the_certificate_under_every_form_of_a_name(
    run, base, tmp_path, monkeypatch, user, offer
) -> None:
    """What Windows asks for where `CbtHardeningLevel` is Strict."""
    secret = "Passw0rd-of-NTLM"
    domain, _, name = user.rpartition("\\")
    (tmp_path / "users").write_text(f"{domain}:{name}:{secret}\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users"))
    monkeypatch.setenv("WIN_PASSWORD", secret)
    issued = Authority(tmp_path).issue("w", HERE)
    host = replace(base, user=user, winrm_scheme="https", winrm_fingerprint=issued.fingerprint)
    own, other = issued.der, Authority(tmp_path, "other").issue("o", HERE).der

    def peer(der: bytes) -> Peer:
        return Peer(
            lambda bindings: spnego.server(protocol="ntlm", channel_bindings=bindings),
            offers=(offer,), tls=issued.server(), sealed=False, bindings=bindings_of(der),
        )  # fmt: skip

    assert "by" in run(peer(own), host)
    assert "refused the login" in refusal(run, peer(other), host)


# --- CredSSP


@pytest.fixture
def sealed_credssp(
    base: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> tuple[Host, Peer]:
    # The file by which pyspnego's acceptor knows users: DOMAIN:USER:PASSWORD.
    secret = "Passw0rd-of-CredSSP"
    (tmp_path / "users").write_text(f":operator:{secret}\nCORP:operator:{secret}\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users"))
    monkeypatch.setenv("WIN_PASSWORD", secret)
    return replace(base, winrm_auth="credssp"), Peer(
        credssp_acceptor(), offers=("Negotiate", "CredSSP")
    )


def test_credssp_logs_in_and_every_message_is_sealed_also_a_long_one(run, sealed_credssp) -> None:
    host, peer = sealed_credssp
    peer.output = b"line\r\n" * 20_000
    printed = run(peer, host, times=2, script="# " + "long " * 50_000)
    assert any("x-multi-encrypted" in kind for kind, _ in peer.requests)
    assert "operator by CredSSP" in printed and printed.count("line\n") == 20_000
    sealed = [kind for kind, body in peer.requests if body]
    assert sealed and all("HTTP-CredSSP-session-encrypted" in kind for kind in sealed)


def test_credssp_inside_tls_and_with_a_name_of_a_domain(run, sealed_credssp, tmp_path) -> None:
    host, peer = sealed_credssp
    issued = Authority(tmp_path).issue("w", HERE)
    peer.tls, peer.sealed = issued.server(), False
    secure = replace(
        host, user="CORP\\operator", winrm_scheme="https", winrm_fingerprint=issued.fingerprint
    )
    assert "CORP\\operator by CredSSP" in run(peer, secure)


def test_a_wrong_password_for_credssp_is_a_refused_login(run, sealed_credssp, monkeypatch) -> None:
    host, peer = sealed_credssp
    monkeypatch.setenv("WIN_PASSWORD", "another Passw0rd")
    assert "refused the login as `operator` (credssp, env:WIN_PASSWORD)" in refusal(run, peer, host)
    assert not peer.logins


def test_a_host_without_credssp_says_how_to_allow_it(run, sealed_credssp) -> None:
    host, peer = sealed_credssp
    peer.offers = ("Negotiate", "Kerberos")
    error = refusal(run, peer, host)
    assert "Auth\\CredSSP $true" in error and "not tried" in error


# --- client certificates


@pytest.fixture
def mapped(base: Host, tmp_path: Path) -> tuple[Host, Peer, Authority]:
    authority = Authority(tmp_path)
    issued = authority.issue("w", HERE)
    client = authority.issue("operator-certificate")
    peer = Peer(tls=issued.server(clients=authority.own.pem), sealed=False)
    host = replace(
        base,
        credential=None,
        winrm_scheme="https",
        winrm_auth="certificate",
        ca=str(authority.own.pem),
        winrm_certificate=str(client.pem),
        winrm_key=str(client.private()),
    )
    return host, peer, authority


def test_a_client_certificate_logs_in_without_a_password(run, mapped) -> None:
    host, peer, _ = mapped
    assert run(peer, host, times=2) == "operator-certificate by certificate\n"
    both = Path(host.winrm_certificate).with_name("both.pem")
    both.write_bytes(Path(host.winrm_certificate).read_bytes() + Path(host.winrm_key).read_bytes())
    assert "operator-certificate" in run(
        peer, replace(host, winrm_certificate=str(both), winrm_key=None)
    )


def test_the_pass_phrase_of_a_key_comes_by_reference(run, mapped, monkeypatch) -> None:
    host, peer, authority = mapped
    client = authority.issue("operator-certificate")
    host = replace(
        host, winrm_certificate=str(client.pem), winrm_key=str(client.private(b"open Sesame 9"))
    )
    assert "winrm_key_passphrase: env:NAME" in refusal(run, peer, host)
    host = replace(host, winrm_key_passphrase="env:KEY_PHRASE")
    monkeypatch.setenv("KEY_PHRASE", "not it at all 9")
    assert "`env:KEY_PHRASE` does not open" in refusal(run, peer, host)
    monkeypatch.setenv("KEY_PHRASE", "open Sesame 9")
    assert "operator-certificate" in run(peer, host)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("stranger", "Cert:\\LocalMachine\\Root"),
        ("none there", "No such file"),
        ("other key", "belongs to another certificate"),
        ("pfx", "openssl pkcs12"),
    ],
)
def test_a_client_certificate_that_does_not_do_says_why(run, mapped, kind, told, tmp_path) -> None:
    host, peer, authority = mapped
    other = Authority(tmp_path, "unknown").issue("stranger")
    changes = {
        "stranger": {"winrm_certificate": str(other.pem), "winrm_key": str(other.private())},
        "none there": {"winrm_certificate": str(tmp_path / "none.pem")},
        "other key": {"winrm_key": str(authority.issue("x").private())},
        "pfx": {"winrm_certificate": str(tmp_path / "operator.pfx")},
    }[kind]
    (tmp_path / "operator.pfx").write_bytes(b"\x30\x82")
    assert told in refusal(run, peer, replace(host, **changes), TransportError)


def test_a_certificate_that_is_mapped_to_no_account_is_a_refused_login(run, mapped) -> None:
    host, peer, _ = mapped
    peer.tls = Authority(Path(host.ca).parent).issue("w", HERE).server()
    pinned = replace(host, ca=None, winrm_fingerprint=_shown(peer))
    assert "WSMan:\\localhost\\ClientCertificate" in refusal(run, peer, pinned)


def _shown(peer: Peer) -> str:
    import hashlib

    from k8swin_nb.transports.certificate import presented

    with serving(Peer(tls=peer.tls)) as other:
        return hashlib.sha256(presented("127.0.0.1", other.port)).hexdigest()


def test_no_secret_stands_on_a_command_line_or_in_a_repr(ticket, mapped) -> None:
    from k8swin_nb.transports.winrm_login import login_of
    from k8swin_nb.transports.winrm_tls import Trust

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for shown in (
            login_of(ticket),
            login_of(replace(ticket, winrm_auth="credssp")),
            Trust(mapped[0], "open Sesame 9"),
        ):
            assert PASSWORD not in repr(shown) and "Sesame" not in repr(shown)
