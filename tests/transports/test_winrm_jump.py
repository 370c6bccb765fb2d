"""WinRM through OpenSSH's own server, which passes connections on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from k8swin_nb.errors import (
    AuthenticationFailed,
    HostKeyUnknown,
    HostUnreachable,
    K8swinError,
    TransportError,
)
from k8swin_nb.inventory import Host
from k8swin_nb.transports import jump as jump_module
from k8swin_nb.transports.winrm import WinrmTransport
from k8swin_nb.transports.winrm_route import winrm_days_left

from .authority import Authority
from .openssh import needs_sshd, signal_all
from .wsman_peer import Peer, credssp_acceptor, serving

pytestmark = needs_sshd


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    secret = "Passw0rd-of-Jump"
    (tmp_path / "users").write_text(f":operator:{secret}\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users"))
    monkeypatch.setenv("WIN_PASSWORD", secret)
    with serving(Peer(credssp_acceptor(), offers=("CredSSP",))) as made:
        yield made


@pytest.fixture
def through(openssh, peer: Peer) -> Iterator[Callable[..., WinrmTransport]]:
    with ExitStack() as stack:

        def go(jump: Host, **changes: Any) -> WinrmTransport:
            values: dict[str, Any] = {
                "credential": "env:WIN_PASSWORD",
                "winrm_auth": "credssp",
                "winrm_scheme": "http",
                "winrm_port": peer.port,
                "winrm_jump": replace(jump, name="bastion"),
                **changes,
            }
            host = Host("winworker01", "127.0.0.1", "windows", ("worker",), "operator", **values)
            transport = WinrmTransport(host)
            stack.callback(transport.close)
            return transport

        yield go
    assert not jump_module._shared


def error_of(kind: type[K8swinError], transport: WinrmTransport) -> str:
    with pytest.raises(kind) as caught:
        transport.run("'x'", timeout=60)
    return "\n".join(caught.value.lines())


def test_scripts_and_long_answers_come_through_and_all_share_one_connection(
    openssh, through, peer
) -> None:
    peer.output = b"line\r\n" * 50_000
    jump = openssh.host(openssh.start())
    for transport in (through(jump), through(jump)):
        assert transport.run("'x'", timeout=60).stdout.count("line\n") == 50_000
    held = list(jump_module._shared.values())
    assert len(held) == 1 and held[0].users == 2


def test_tls_is_checked_at_its_other_end(openssh, through, peer, tmp_path) -> None:
    issued = Authority(tmp_path).by_itself("w")
    peer.tls, peer.sealed = issued.server(), False
    jump = openssh.host(openssh.start())
    secure = {"winrm_scheme": "https", "winrm_fingerprint": issued.fingerprint}
    assert through(jump, **secure).run("'x'", timeout=60).ok
    other = through(jump, **{**secure, "winrm_fingerprint": "0" * 64})
    assert issued.fingerprint in error_of(TransportError, other)
    unknown = through(jump, winrm_scheme="https")
    assert issued.fingerprint in error_of(TransportError, unknown)
    assert winrm_days_left(unknown.host) == 29


def test_the_jump_host_is_known_by_its_own_key(openssh, through) -> None:
    jump = openssh.host(openssh.start(), host_key_policy="strict")
    error = error_of(HostKeyUnknown, through(jump))
    assert "bastion" in error and "k8swin hostkey pin" in error


def test_a_jump_host_that_refuses_us_is_named(openssh, through) -> None:
    jump = openssh.host(openssh.start(), identity=str(openssh.key("stranger")))
    assert error_of(AuthenticationFailed, through(jump)).count("bastion") >= 1


@pytest.mark.parametrize(
    ("line", "port", "told"),
    [
        ("AllowTcpForwarding no", None, "AllowTcpForwarding yes"),
        ("PermitOpen 192.0.2.1:5986", None, "PermitOpen"),
        ("", 1, "nc -vz"),
    ],
)
def test_a_connection_that_the_jump_host_does_not_open_says_why(
    openssh, through, line, port, told
) -> None:
    transport = through(openssh.host(openssh.start(line)), **({"winrm_port": port} if port else {}))
    error = error_of(HostUnreachable, transport)
    assert told in error and "through `bastion`" in error


def test_a_jump_host_that_is_gone_and_back_is_used_again(openssh, through) -> None:
    port = openssh.start()
    transport = through(openssh.host(port))
    assert transport.run("'x'", timeout=60).ok
    import signal

    signal_all(openssh.servers[0].pid, signal.SIGKILL)
    openssh.servers[0].wait()
    error_of(TransportError, transport)
    again = replace(transport.host, winrm_jump=openssh.host(openssh.start()))
    assert through(replace(again.winrm_jump)).run("'x'", timeout=60).ok


def test_nothing_is_left_of_a_connection_that_was_given_up(openssh, through) -> None:
    before = threading.active_count()
    transport = through(openssh.host(openssh.start()))
    assert transport.run("'x'", timeout=60).ok
    transport.close()
    until = time.monotonic() + 100
    while any(thread.name == "through a jump host" for thread in threading.enumerate()):
        assert time.monotonic() < until, before
        time.sleep(0.05)
