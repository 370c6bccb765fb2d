"""Sessions, keys, agents and host keys against a real server: what fits is run, and a refusal says what it is about."""

from __future__ import annotations

import base64
import contextlib
import logging
import os
import re
import shutil
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from k8swin_nb.errors import (
    AuthenticationFailed,
    HostKeyMismatch,
    HostKeyRevoked,
    HostKeyUnknown,
    TransportError,
)
from k8swin_nb.transports import hostkeys
from k8swin_nb.transports.ssh import SshTransport

from .openssh import OpenSsh, needs_sshd

pytestmark = needs_sshd


@pytest.mark.parametrize("sessions", [1, 2, 4, 10])
def test_more_scripts_than_sessions_all_run(openssh: OpenSsh, sessions: int) -> None:
    ssh = openssh.transport(openssh.start(f"MaxSessions {sessions}"))

    def one(number: int) -> str:
        return ssh.run('sleep 1; echo "$N"', parameters={"N": str(number)}).stdout

    with ThreadPoolExecutor(14) as pool:
        answers = list(pool.map(one, range(14)))
    assert answers == [f"{number}\n" for number in range(14)]


def test_scripts_one_after_the_other_need_one_session(openssh: OpenSsh) -> None:
    port = openssh.start("MaxSessions 1")
    ssh = openssh.transport(port)
    assert [ssh.run(f"exit {code}").returncode for code in range(8)] == list(range(8))
    log = (openssh.folder / f"log-{port}").read_text()
    assert log.count("Accepted publickey") == 1


def test_where_no_further_connection_is_to_be_had_a_script_waits(
    openssh: OpenSsh,
    tmp_path: Path,
) -> None:
    port = openssh.start("MaxSessions 1")
    ssh = openssh.transport(port)
    begun = threading.Event()
    flag = tmp_path / "flag"
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(
            ssh.run,
            f"echo begun; while [ ! -e {flag} ]; do sleep 0.1; done; echo first",
            on_output=lambda *_: begun.set(),
        )
        assert begun.wait(60)
        openssh.servers[-1].kill()  # what is open goes on, nothing new is taken
        threading.Timer(1.0, flag.touch).start()
        assert ssh.run("echo second").stdout == "second\n"
        assert first.result().stdout == "begun\nfirst\n"


def test_a_server_that_opens_no_session_says_so(openssh: OpenSsh) -> None:
    with pytest.raises(TransportError, match="opens no session") as caught:
        openssh.transport(openssh.start("MaxSessions 0")).run("true")
    assert "MaxSessions" in (caught.value.hint or "")


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_refused_key_of_any_kind_is_about_the_login(openssh: OpenSsh, kind: str) -> None:
    port = openssh.start()
    stranger = openssh.key(f"stranger-{kind}", kind)
    with pytest.raises(AuthenticationFailed, match="was refused") as caught:
        openssh.transport(port, identity=str(stranger)).run("true")
    assert str(stranger) in str(caught.value)
    assert "authorized_keys" in (caught.value.hint or "")


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_key_of_any_kind_lets_in(openssh: OpenSsh, kind: str) -> None:
    port = openssh.start(keys=(f"mine-{kind}",))
    key = openssh.key(f"mine-{kind}", kind)
    assert openssh.transport(port, identity=str(key)).run("true").ok


@pytest.mark.parametrize(
    ("content", "says", "hint"),
    [
        (None, "is not there", "check `identity`"),
        ("folder", "is a folder", "name the key's file"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== me", "is a public key", "private key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\n", "is a PuTTY key", "puttygen"),
        ("-----BEGIN DSA PRIVATE KEY-----\nx\n", "is a DSA key", "ssh-keygen -t ed25519"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nbroken\n", "cannot be read", "ssh-keygen -yf"),
        ("", "is no private key", "ssh-keygen"),
        ("\0\1\2", "is no private key", "ssh-keygen"),
    ],
)
def test_an_identity_that_is_none_is_said_so(
    openssh: OpenSsh,
    tmp_path: Path,
    content: str | None,
    says: str,
    hint: str,
) -> None:
    identity = tmp_path / "identity"
    if content == "folder":
        identity.mkdir()
    elif content is not None:
        identity.write_text(content)
    with pytest.raises(AuthenticationFailed, match=says) as caught:
        openssh.transport(openssh.start(), identity=str(identity)).run("true")
    assert hint in (caught.value.hint or "")


def test_an_identity_that_may_not_be_read_is_said_so(
    openssh: OpenSsh,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    ssh = openssh.transport(openssh.start())
    monkeypatch.setattr("k8swin_nb.transports.login.file_bytes", refuse)
    with pytest.raises(AuthenticationFailed, match="cannot be read: Permission denied"):
        ssh.run("true")


def test_a_server_that_wants_more_says_what(openssh: OpenSsh) -> None:
    port = openssh.start("AuthenticationMethods publickey,password", "PasswordAuthentication yes")
    with pytest.raises(AuthenticationFailed, match="also wants password"):
        openssh.transport(port).run("true")


def test_a_user_who_may_not_log_in_is_about_the_login(openssh: OpenSsh) -> None:
    with pytest.raises(AuthenticationFailed):
        openssh.transport(openssh.start("DenyUsers *")).run("true")


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not shutil.which("ssh-agent"):
        pytest.skip("needs ssh-agent")
    said = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    values = dict(re.findall(r"(SSH_\w+)=([^;]+);", said))
    monkeypatch.setenv("SSH_AUTH_SOCK", values["SSH_AUTH_SOCK"])
    yield
    os.kill(int(values["SSH_AGENT_PID"]), signal.SIGTERM)


def add(openssh: OpenSsh, *names: str) -> None:
    for name in names:
        subprocess.run(["ssh-add", "-q", str(openssh.key(name))], check=True, stderr=-3)


@pytest.mark.usefixtures("agent")
def test_an_agent_with_too_many_keys_is_said_so_and_one_can_be_named(openssh: OpenSsh) -> None:
    port = openssh.start()
    add(openssh, *(f"other{number}" for number in range(7)), "user")
    with pytest.raises(AuthenticationFailed, match="too many keys") as caught:
        openssh.transport(port, identity=None).run("true")
    assert "name the key as `identity`" in (caught.value.hint or "")
    public = openssh.key("user").with_suffix(".pub")
    openssh.key("user").unlink()
    assert openssh.transport(port, identity=str(public)).run("true").ok


@pytest.mark.usefixtures("agent")
def test_the_agents_key_lets_in_where_no_identity_is_named(openssh: OpenSsh) -> None:
    add(openssh, "other", "user")
    assert openssh.transport(openssh.start(), identity=None).run("true").ok


@pytest.mark.usefixtures("agent")
def test_an_empty_agent_is_said_so(openssh: OpenSsh) -> None:
    with pytest.raises(AuthenticationFailed, match="no way to log in") as caught:
        openssh.transport(openssh.start(), identity=None).run("true")
    assert "identity" in (caught.value.hint or "")


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("form", [[], ["-m", "PEM"]])
def test_an_encrypted_key_is_the_agents_or_leads_there(openssh: OpenSsh, form: list[str]) -> None:
    port = openssh.start(keys=("locked",))
    key = openssh.key("locked", "rsa")
    change = ["ssh-keygen", "-q", "-p", *form, "-P", "", "-N", "a pass phrase", "-f", str(key)]
    kept = key.read_bytes()
    subprocess.run(change, check=True, stdout=subprocess.DEVNULL)
    ssh = openssh.transport(port, identity=str(key))
    with pytest.raises(AuthenticationFailed, match="is encrypted") as caught:
        ssh.run("true")
    assert f"ssh-add {key}" in (caught.value.hint or "")
    plain = key.with_name("plain")
    plain.write_bytes(kept)
    plain.chmod(0o600)
    subprocess.run(["ssh-add", "-q", str(plain)], check=True)
    assert ssh.run("true").ok


def host_key(openssh: OpenSsh) -> str:
    return " ".join(openssh.key("host").with_suffix(".pub").read_text().split()[:2])


@pytest.mark.parametrize(
    "line",
    [
        "@cert-authority *.corp.example {key}",
        "old ssh-dss AAAAB3NzaC1kc3MAAACBAO",
        "[127.0.0.1]:{port} ssh-dss AAAAB3NzaC1kc3MAAACBAO",
        "[127.0.0.1]:{port} ssh-ed25519 not-base64",
        "[127.0.0.1]:{port} sk-ssh-ed25519@openssh.com AAAA",
        "one word",
        "|1|broken ssh-ed25519 AAAA",
        "caf\udce9 ssh-ed25519 AAAA",
        "# a comment",
        "@strange mark {key}",
        "@revoked [127.0.0.1]:1 {key}",
        "\t \x00",
    ],
)
def test_a_line_that_cannot_be_read_keeps_no_other_from_being_read(
    openssh: OpenSsh,
    line: str,
) -> None:
    port = openssh.start()
    host = openssh.host(port, host_key_policy="strict")
    file = Path(host.known_hosts)
    text = f"{line}\n[127.0.0.1]:{{port}} {{key}}\n".format(key=host_key(openssh), port=port)
    file.write_text(text, errors="surrogateescape")
    ssh = SshTransport(host)
    assert ssh.run("true").ok
    ssh.close()
    # What is written later leaves the line as it was.
    hostkeys.forget(host)
    if "127.0.0.1" not in line:
        assert file.read_text(errors="surrogateescape").split("\n")[0] == text.split("\n")[0]


@pytest.mark.parametrize("policy", ["strict", "accept-new"])
@pytest.mark.parametrize("pinned", [True, False])
def test_a_revoked_host_key_is_refused(openssh: OpenSsh, policy: str, pinned: bool) -> None:
    port = openssh.start()
    host = openssh.host(port, host_key_policy=policy)
    lines = [f"@revoked * {host_key(openssh)}"]
    if pinned:
        lines.append(f"[127.0.0.1]:{port} {host_key(openssh)}")
    Path(host.known_hosts).write_text("\n".join(lines) + "\n")
    with pytest.raises(HostKeyRevoked, match="revoked"):
        SshTransport(host).run("true")
    assert "Accepted" not in (openssh.folder / f"log-{port}").read_text()


def test_an_authority_that_cannot_be_asked_is_said_and_pins_nothing(openssh: OpenSsh) -> None:
    host = openssh.host(openssh.start())
    Path(host.known_hosts).write_text(f"@cert-authority [127.0.0.1]:* {host_key(openssh)}\n")
    with pytest.raises(HostKeyUnknown, match="authority"):
        SshTransport(host).run("true")
    assert len(Path(host.known_hosts).read_text().splitlines()) == 1


def test_hashed_names_and_patterns_pin_as_openssh_reads_them(openssh: OpenSsh) -> None:
    port = openssh.start()
    host = openssh.host(port, host_key_policy="strict")
    file = Path(host.known_hosts)
    file.write_text(f"[127.0.0.1]:{port} {host_key(openssh)}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, stderr=-3)
    assert "127.0.0.1" not in file.read_text()
    assert SshTransport(host).run("true").ok
    file.write_text(f"!other,[127.0.0.*]:{port} {host_key(openssh)}\n")
    assert SshTransport(host).run("true").ok
    file.write_text(f"![127.0.0.1]:{port},* {host_key(openssh)}\n")
    with pytest.raises(HostKeyUnknown):
        SshTransport(host).run("true")


def test_a_host_that_is_forgotten_leaves_other_names_of_its_line(openssh: OpenSsh) -> None:
    host = openssh.host(22_222)
    Path(host.known_hosts).write_text(f"other,[127.0.0.1]:22222,third {host_key(openssh)}\n")
    assert hostkeys.forget(host) == 1
    assert Path(host.known_hosts).read_text() == f"other,third {host_key(openssh)}\n"


def test_a_changed_file_of_host_keys_is_read_again(openssh: OpenSsh) -> None:
    host = openssh.host(openssh.start(), host_key_policy="strict")
    other = " ".join(openssh.key("other").with_suffix(".pub").read_text().split()[:2])
    name = hostkeys.entry_name(host)
    Path(host.known_hosts).write_text(f"{name} {other}\n")
    with pytest.raises(HostKeyMismatch):
        SshTransport(host).run("true")
    Path(host.known_hosts).write_text(f"{name} {host_key(openssh)}\n")
    assert SshTransport(host).run("true").ok


def test_a_large_file_of_host_keys_costs_a_host_nothing(openssh: OpenSsh) -> None:
    host = openssh.host(22_222)
    key = host_key(openssh)
    Path(host.known_hosts).write_text(
        "".join(f"[10.{n // 250}.{n % 250}.1]:22 {key}\n" for n in range(20_000))
        + f"[127.0.0.1]:22222 {key}\n"
    )
    assert len(hostkeys.pinned(host)) == 1
    begun = time.process_time()
    for _ in range(200):
        hostkeys.known(host)
    assert time.process_time() - begun < 2


def test_nothing_is_written_beside_the_error(
    openssh: OpenSsh,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    port = openssh.start()
    stranger = str(openssh.key("stranger"))
    refused = replace(openssh.host(port), identity=stranger)
    with caplog.at_level(logging.INFO):
        with pytest.raises(AuthenticationFailed):
            SshTransport(refused).run("true")
        with pytest.raises(TransportError):
            SshTransport(openssh.host(9)).run("true")
        ssh = openssh.transport(port)
        with contextlib.suppress(TransportError):
            ssh.run("kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 1")
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_a_key_of_a_token_is_the_agents_or_leads_there(
    openssh: OpenSsh, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is one as PROTOCOL.key and PROTOCOL.u2f of OpenSSH describe it; `ssh-keygen -l` reads it."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)

    def text(value: bytes) -> bytes:
        return struct.pack(">I", len(value)) + value

    public = text(b"sk-ssh-ed25519@openssh.com") + text(b"\1" * 32) + text(b"ssh:")
    private = struct.pack(">II", 7, 7) + public + b"\1" + text(b"h" * 20) + text(b"") + text(b"me")
    private += bytes(range(1, 1 + -len(private) % 8))
    whole = b"openssh-key-v1\0" + text(b"none") * 2 + text(b"") + struct.pack(">I", 1)
    lines = base64.encodebytes(whole + text(public) + text(private)).decode()
    key = openssh.folder / "id_sk"
    key.write_text(
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{lines}-----END OPENSSH PRIVATE KEY-----\n"
    )
    key.with_suffix(".pub").write_text(
        f"sk-ssh-ed25519@openssh.com {base64.b64encode(public).decode()}\n"
    )
    port = openssh.start()
    for path in (key, key.with_suffix(".pub")):
        with pytest.raises(AuthenticationFailed, match="of a security key") as caught:
            openssh.transport(port, identity=str(path)).run("true")
        assert "ssh-add" in (caught.value.hint or "")
