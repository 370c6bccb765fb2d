from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from k8swin_nb.errors import (
    AuthenticationFailed,
    CommandTimeout,
    HostKeyMismatch,
    HostKeyUnknown,
    HostUnreachable,
    ParamsError,
    ScriptError,
    TransferFailed,
)
from k8swin_nb.inventory import Host
from k8swin_nb.scripts import Script
from k8swin_nb.secret import Secret
from k8swin_nb.transports import hostkeys
from k8swin_nb.transports.ssh import SshTransport

from .conftest import Server


@pytest.fixture
def ssh(host: Host) -> Iterator[SshTransport]:
    transport = SshTransport(host)
    yield transport
    transport.close()


def test_a_script_gives_both_streams_and_its_exact_exit_code(ssh: SshTransport) -> None:
    result = ssh.run("echo out; echo err >&2; exit 7")
    assert (result.stdout, result.stderr, result.returncode) == ("out\n", "err\n", 7)
    assert result.host == "box" and not result.ok


@pytest.mark.parametrize(
    "value", ["it's", 'a "b" $HOME `id` \\', "two\nlines", "", "žluťoučký 🐎", "-n"]
)
def test_a_value_arrives_as_it_was_given(ssh: SshTransport, value: str) -> None:
    assert ssh.run('printf %s "$VALUE"', parameters={"VALUE": value}).stdout == value


def test_a_script_of_any_size_and_any_characters_runs(ssh: SshTransport) -> None:
    body = "cat <<'END'\n" + "ü'\"$`\\ {x}\n" * 20_000 + "END\n"
    assert ssh.run(body).stdout == "ü'\"$`\\ {x}\n" * 20_000


def test_what_follows_the_script_is_its_standard_input(ssh: SshTransport) -> None:
    data = bytes(range(256)) * 500
    assert ssh.run("sha256sum; wc -c", stdin=data).stdout.endswith("0\n")
    assert ssh.run("wc -c", stdin=data).stdout.strip() == str(len(data))
    assert ssh.run("cat").stdout == ""


def test_the_transport_adds_no_shell_options(ssh: SshTransport) -> None:
    assert ssh.run("false; echo $UNSET_NAME; echo on").stdout.endswith("on\n")
    assert ssh.run("set -e; false; echo on").stdout == ""


def test_a_secret_is_in_no_command_line_and_in_no_environment(
    ssh: SshTransport, server: Server
) -> None:
    secret = Secret("korrekt pferd 77")
    seen: list[str] = []
    result = ssh.run(
        'echo "it is $PW"; env | grep -c "^PW=" || true',
        secrets={"PW": secret},
        parameters={"PLAIN": "parameter-value"},
        on_output=lambda stream, text: seen.append(text),
    )
    assert result.stdout == "it is korrekt pferd 77\n0\n"
    assert "".join(seen) == "it is *****\n0\n"
    assert "pferd" not in "".join(server.commands)
    assert "parameter-value" not in "".join(server.commands)


def test_a_secret_in_two_pieces_is_masked_in_live_output(ssh: SshTransport) -> None:
    seen: list[str] = []
    ssh.run(
        "printf 'geteil'; sleep 0.3; printf 'tes wort\\nnext\\n'",
        secrets={"X": Secret("geteiltes wort")},
        on_output=lambda stream, text: seen.append(text),
    )
    assert "".join(seen) == "*****\nnext\n"


def test_output_arrives_while_the_script_runs(ssh: SshTransport) -> None:
    first = threading.Event()
    results: list[str] = []

    def work() -> None:
        results.append(
            ssh.run(
                'echo first; while [ ! -e "$FLAG" ]; do sleep 0.05; done; echo second',
                parameters={"FLAG": flag},
                timeout=200,
                on_output=lambda stream, text: first.set(),
            ).stdout
        )

    flag = str(Path(ssh.host.known_hosts).with_name("flag"))
    thread = threading.Thread(target=work)
    thread.start()
    assert first.wait(100)
    Path(flag).touch()
    thread.join(100)
    assert results == ["first\nsecond\n"]


def test_a_deadline_ends_the_script_with_its_children_and_keeps_the_output(
    ssh: SshTransport, tmp_path: Path
) -> None:
    for seconds in (1, 5, 25):  # a busy computer takes longer to begin
        with pytest.raises(CommandTimeout) as caught:
            ssh.run(
                f'echo begun; (sleep {seconds + 2}; touch "$MARK"); echo over',
                parameters={"MARK": str(tmp_path / "mark")},
                timeout=seconds,
            )
        if caught.value.result.stdout:
            break
    assert caught.value.result.stdout == "begun\n"
    assert ssh.run(f"sleep {seconds + 2}").ok
    assert not (tmp_path / "mark").exists()


def test_a_cancelled_script_is_stopped_on_the_host(ssh: SshTransport, tmp_path: Path) -> None:
    cancel = threading.Event()
    result = ssh.run(
        'echo $$; sleep 600; touch "$MARK"',
        parameters={"MARK": str(tmp_path / "mark")},
        cancel=cancel,
        on_output=lambda stream, text: cancel.set(),
    )
    assert result.returncode == 143
    assert not ssh.run(f"kill -0 {result.stdout}").ok
    assert not (tmp_path / "mark").exists()


def test_a_process_that_is_left_behind_does_not_hold_the_result(ssh: SshTransport) -> None:
    result = ssh.run("(sleep 2; echo late) & echo early")
    assert result.stdout.startswith("early\n")


def test_a_broken_connection_runs_no_half_script(ssh: SshTransport, server: Server) -> None:
    done: list[BaseException] = []

    def work() -> None:
        try:
            ssh.run("echo begun; sleep 20", on_output=lambda stream, text: server.drop_all())
        except HostUnreachable as error:
            done.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(100)
    assert "broke while a script ran" in str(done[0])
    assert isinstance(done[0], HostUnreachable) and done[0].begun
    assert ssh.run("echo again").stdout == "again\n"


def test_a_connection_that_was_lost_between_scripts_is_opened_anew(
    ssh: SshTransport, server: Server
) -> None:
    assert ssh.run("true").ok
    server.drop_all()
    assert ssh.run("echo again").stdout == "again\n"


def test_an_unknown_host_key_names_fingerprint_and_command(strict: Host, server: Server) -> None:
    with pytest.raises(HostKeyUnknown) as caught:
        SshTransport(strict).run("true")
    assert server.host_key.get_fingerprint() in str(caught.value)
    assert "k8swin hostkey pin --params FILE box" in (caught.value.hint or "")
    assert not server.commands


def test_a_scanned_and_pinned_key_lets_strict_hosts_in(strict: Host, server: Server) -> None:
    key = hostkeys.scan(strict)
    assert key.fingerprint == server.host_key.get_fingerprint()
    hostkeys.pin(strict, key)
    hostkeys.pin(strict, key)
    assert hostkeys.pinned(strict) == [key]
    transport = SshTransport(strict)
    assert transport.run("true").ok
    transport.close()
    assert hostkeys.forget(strict) == 1
    assert hostkeys.forget(strict) == 0


@pytest.mark.parametrize("policy", ["strict", "accept-new"])
def test_another_key_than_the_pinned_one_is_refused_with_both_fingerprints(
    host: Host, server: Server, policy: str
) -> None:
    import asyncssh

    other = asyncssh.generate_private_key("ssh-ed25519")
    words = other.export_public_key().decode().split()
    hostkeys.pin(host, hostkeys.HostKey(words[0], other.get_fingerprint(), words[1]))
    with pytest.raises(HostKeyMismatch) as caught:
        SshTransport(replace(host, host_key_policy=policy)).run("true")  # type: ignore[arg-type]
    assert caught.value.expected == other.get_fingerprint()
    assert caught.value.found == server.host_key.get_fingerprint()
    assert "k8swin hostkey forget --params FILE box" in (caught.value.hint or "")


def test_a_key_that_is_accepted_at_first_sight_is_pinned_and_told(host: Host) -> None:
    told: list[tuple[str, str]] = []
    transport = SshTransport(
        host, on_pin=lambda name, fingerprint: told.append((name, fingerprint))
    )
    transport.run("true")
    transport.close()
    assert told == [("box", hostkeys.pinned(host)[0].fingerprint)]
    second = SshTransport(host, on_pin=lambda name, fingerprint: told.append(("again", "")))
    second.run("true")
    second.close()
    assert len(told) == 1


def test_a_refused_login_is_an_authentication_error(host: Host, keys: Path) -> None:
    with pytest.raises(AuthenticationFailed, match="somebody"):
        SshTransport(replace(host, identity=str(keys / "stranger"))).run("true")
    with pytest.raises(AuthenticationFailed, match="not there"):
        SshTransport(replace(host, identity=str(keys / "missing"))).run("true")


def test_a_password_comes_from_its_reference(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    by_password = replace(host, identity=None, ssh_password="env:BOX_PASSWORD")
    monkeypatch.setenv("BOX_PASSWORD", "right password")
    transport = SshTransport(by_password)
    assert transport.run("true").ok
    transport.close()
    monkeypatch.setenv("BOX_PASSWORD", "wrong password")
    with pytest.raises(AuthenticationFailed) as caught:
        SshTransport(by_password).run("true")
    assert "wrong password" not in str(caught.value)
    monkeypatch.delenv("BOX_PASSWORD")
    with pytest.raises(ParamsError, match="BOX_PASSWORD"):
        SshTransport(by_password).run("true")


def test_nobody_at_the_port_is_unreachable(host: Host, unused: int) -> None:
    with pytest.raises(HostUnreachable, match="refused"):
        SshTransport(replace(host, ssh_port=unused)).run("true")


@pytest.fixture
def unused() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_proxy_variables_do_not_matter(ssh: SshTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert ssh.run("true").ok


def test_a_file_arrives_whole_with_its_mode(ssh: SshTransport, tmp_path: Path) -> None:
    path = tmp_path / "a file"
    content = bytes(range(256)) * 1000
    ssh.put(content, str(path), mode="0600")
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o600
    ssh.put(b"", str(path))
    assert ssh.get(str(path)) == b""
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(content)
    assert ssh.get(str(path)) == content
    with pytest.raises(TransferFailed, match="No such file"):
        ssh.get(str(tmp_path / "none"))
    with pytest.raises(TransferFailed):
        ssh.put(b"x", str(tmp_path / "no folder" / "x"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parameters": {"a b": "1"}}, "not a name"),
        ({"parameters": {"A": "x\0y"}}, "NUL"),
        ({"parameters": {"A": 1}}, "expected text"),
        ({"timeout": 0.0}, "timeout"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is(
    ssh: SshTransport, server: Server, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ScriptError, match=message):
        ssh.run("true", **options)  # type: ignore[arg-type]
    assert not server.commands


def test_a_script_of_the_package_must_be_given_what_it_declares(ssh: SshTransport) -> None:
    script = Script.from_text(': "${NAME:?who}"\necho "$NAME"\n', "bash", "greet")
    with pytest.raises(ScriptError, match="NAME"):
        ssh.run(script)
    assert ssh.run(script, secrets={"NAME": Secret("Hansi Meier")}).stdout == "Hansi Meier\n"
    with pytest.raises(ScriptError, match="powershell"):
        ssh.run(Script.from_text("1", "powershell"))
