"""A host that is tried out: what holds, what does not, and what to do about it."""

import socket
import threading
from typing import Any

import pytest
import yaml

from k8swin_nb.errors import AuthenticationFailed, HostKeyMismatch, HostUnreachable
from k8swin_nb.phases.network import host_form, host_trial
from k8swin_nb.result import Result
from k8swin_nb.transports import hostkeys, jump
from k8swin_nb.transports.hostkeys import HostKey
from tests.test_description import MASTER, WORKER, described

KEY = HostKey("ssh-ed25519", "SHA256:abc", "AAAAC3NzaC1lZDI1NTE5AAAAIHpW")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(described()))
    return path


class Answering:
    """A transport whose answers are told by a function of whether root is asked for."""

    def __init__(self, answer):
        self.answer = answer

    def run(self, script, *, timeout, sudo=False):
        found = self.answer(sudo)
        if isinstance(found, Exception):
            raise found
        returncode, stdout = found
        return Result("reach", returncode, stdout, "sudo: a password is required\n", "h", 0.1)

    def close(self):
        pass


@pytest.mark.parametrize(
    ("answer", "states", "told"),
    [
        (lambda sudo: (0, "m: Debian 12, kernel 6.1, u\n"), ["ok"] * 6, "Debian 12"),
        (
            lambda sudo: (int(sudo), "m: Debian 12\n"),
            ["ok"] * 5 + ["failed"],
            "password is required",
        ),
        (
            lambda sudo: AuthenticationFailed("m", "refused"),
            ["ok", "waiting", "ok", "failed"],
            "refused",
        ),
        (
            lambda sudo: HostKeyMismatch("m", where="m:22", expected="a", found="b"),
            ["ok", "failed", "ok"],
            "has changed",
        ),
    ],
    ids=["fit", "no root", "refused", "somebody else"],
)
def test_a_trial_ends_at_the_first_look_that_does_not_hold(file, monkeypatch, answer, states, told):
    monkeypatch.setattr(host_trial, "open_transport", lambda host: Answering(answer))
    monkeypatch.setattr(jump, "scan_through", lambda host: KEY)
    host = host_form.host_from(file, "linuxmaster", {"name": "linuxmaster", **MASTER})
    tried = host_trial.try_host(host)
    assert [one.mark.state for one in tried] == ["ok", "failed"]
    assert "pin it" in tried[-1].fix
    hostkeys.pin(host, KEY)
    tried = host_trial.try_host(host)
    assert [one.mark.state for one in tried] == states
    assert told in f"{tried[-1].found} {tried[-2].found}"
    assert "not tried" in repr(host_trial.trial_table(host, tried)) or len(states) > 4


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("w: Windows Server 2022 Standard 20348.2966, Administrator", "ok"),
        ("w: Windows Server 2016 Standard 14393.1, Administrator", "failed"),
    ],
)
def test_a_build_of_windows_that_has_no_images_fails_the_trial(file, monkeypatch, said, state):
    monkeypatch.setenv("WIN_PASSWORD", "Geheim-und-lang-7")
    monkeypatch.setattr(host_trial, "open_transport", lambda host: Answering(lambda _: (0, said)))
    monkeypatch.setattr(host_trial, "certificate_fingerprint", lambda host: "5f" * 32)
    tried = host_trial.try_host(host_form.host_from(file, "winworker01", WORKER))
    assert (tried[-1].what, tried[-1].mark.state) == ("system", state)


def test_a_trial_of_a_host_that_is_off_says_so_in_a_table(file, monkeypatch):
    def gone(host):
        raise HostUnreachable("winworker01", "nobody answers")

    monkeypatch.setattr(host_trial, "certificate_fingerprint", gone)
    form: Any = host_form.form(file, interactive=True)
    form.which.value = "winworker01"
    form.test.click()
    assert "nobody answers" in form.tried.value and "cannot be worked on yet" in form.tried.value
    form.fields["address"].value = "10.1.0.4"
    assert form.tried.value == "", "it was about another address"


def tried_at(file, port, **values):
    typed = {**WORKER, "address": "127.0.0.1", "winrm_port": port, **values}
    return host_trial.try_host(host_form.host_from(file, "winworker01", typed))


def test_a_listener_that_nobody_reaches_is_named_with_what_to_do_whatever_the_scheme(file):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        for scheme in ("http", "https"):
            (one,) = tried_at(file, port, winrm_scheme=scheme)
            assert one.stops and f"{scheme}://127.0.0.1:{port}" in one.found
            assert "check the address and port" in one.fix


def test_a_port_without_tls_is_told_to_be_one(file):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            peer, _ = server.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        (one,) = tried_at(file, server.getsockname()[1])
    assert one.stops and "speaks no TLS" in one.fix and "winrm_scheme: http" in one.fix
