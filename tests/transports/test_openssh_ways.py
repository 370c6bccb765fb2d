"""Ways to a real SSH server that sites have: through jump hosts, by the user's own configuration, with pass phrases and sudo's."""

from __future__ import annotations

import getpass
import os
import shlex
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from k8swin_nb.errors import (
    AuthenticationFailed,
    HostKeyMismatch,
    HostKeyUnknown,
    HostUnreachable,
    ParamsError,
    ScriptNotStarted,
    TransferFailed,
)
from k8swin_nb.inventory import Host, OwnKeys
from k8swin_nb.secret import Secret
from k8swin_nb.transports import session
from k8swin_nb.transports.hostkeys import pin, scan
from k8swin_nb.transports.jump import scan_through
from k8swin_nb.transports.pool import Pool
from k8swin_nb.transports.ssh_config import configured

from .openssh import OpenSsh, needs_sshd

pytestmark = needs_sshd

SUDO = r"""#!/bin/bash
# What sudo does with -S: it asks on standard error and reads a line of standard input, letter by letter.
printf '%s\n' "$*" >>"FOLDER/sudo.calls"
while [ $# -gt 0 ]; do
  case $1 in
    -p) prompt=${2/\%p/$(id -un)}; shift ;;
    -n) quiet=yes ;;
    --) shift; break ;;
  esac
  shift
done
if [ "${ASKS:-yes}" = no ]; then exec "$@"; fi
if [ -n "${quiet-}" ]; then echo "sudo: a password is required" >&2; exit 1; fi
echo "We trust you have received the usual lecture from the local System Administrator." >&2
for try in 1 2 3; do
  printf '%s' "$prompt" >&2
  IFS= read -r given || { echo >&2; echo "sudo: no password was provided" >&2; exit 1; }
  printf '%s\n' "$given" >>"FOLDER/sudo.given"
  if [ "$given" = "$(cat FOLDER/sudo.password)" ]; then exec "$@"; fi
  echo "Sorry, try again." >&2
done
echo "sudo: 3 incorrect password attempts" >&2
exit 1
"""


@pytest.fixture
def with_sudo(openssh: OpenSsh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Start a server whose sudo asks for a password, and return a way to it."""
    place = tmp_path / "bin"
    place.mkdir()
    (place / "sudo").write_text(SUDO.replace("FOLDER", str(tmp_path)))
    (place / "sudo").chmod(0o755)
    (tmp_path / "sudo.password").write_text("it's $ecret")
    monkeypatch.setenv("SUDO_HERE", "it's $ecret")
    monkeypatch.setenv("SUDO_WRONG", "not that one")

    def start(reference: str | None = "env:SUDO_HERE", asks: str = "yes") -> Any:
        command = f'PATH={place}:$PATH ASKS={asks}; export ASKS; eval "$SSH_ORIGINAL_COMMAND"'
        return openssh.transport(openssh.start(f"ForceCommand {command}"), sudo_password=reference)

    return start


def test_sudo_is_given_its_password_and_the_script_runs_undisturbed(
    with_sudo: Any, tmp_path: Path
) -> None:
    ssh = with_sudo()
    result = ssh.run(
        'echo "out $HIDDEN"; cat; exit 7',
        secrets={"HIDDEN": Secret("hidden word")},
        stdin=b"in\n",
        sudo=True,
    )
    assert (result.stdout, result.stderr, result.returncode) == ("out hidden word\nin\n", "", 7)
    assert (tmp_path / "sudo.given").read_text() == "it's $ecret\n"
    assert "ecret" not in (tmp_path / "sudo.calls").read_text()
    assert ssh.run("cat >/dev/null; echo no root", stdin=b"x").stdout == "no root\n"
    assert (tmp_path / "sudo.given").read_text().count("\n") == 1


def test_sudo_that_does_not_ask_is_given_nothing(with_sudo: Any, tmp_path: Path) -> None:
    ssh = with_sudo(asks="no")
    assert ssh.run("cat; exit 3", stdin=b"in\n", sudo=True).stdout == "in\n"
    assert not (tmp_path / "sudo.given").exists()


def test_a_wrong_password_for_sudo_is_given_once(with_sudo: Any, tmp_path: Path) -> None:
    ssh = with_sudo("env:SUDO_WRONG")
    with pytest.raises(
        AuthenticationFailed, match="sudo refused the password `env:SUDO_WRONG`"
    ) as caught:
        ssh.run("echo never", sudo=True)
    assert (tmp_path / "sudo.given").read_text() == "not that one\n"
    assert "not that one" not in str(caught.value) + "".join(caught.value.details())
    assert "sudo -k -v" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("after", "says", "hint"),
    [
        ("box is not in the sudoers file.", "not in the sudoers", "ALL=(ALL) ALL"),
        (
            "Sorry, user box is not allowed to execute '$*' as root on here.",
            "not allowed to execute",
            "use sudo for `bash`",
        ),
        ("sudo: bash: command not found", "command not found", "secure_path"),
        ("Verification code: ", "Verification code", "sudo -k bash"),
    ],
)
def test_a_right_password_that_does_not_help_is_not_told_as_a_wrong_one(
    with_sudo: Any, tmp_path: Path, after: str, says: str, hint: str
) -> None:
    """The words are those of sudo 1.9.13 on Debian 12, which checks the password before it looks what it allows."""
    ssh = with_sudo()
    program = tmp_path / "bin" / "sudo"
    program.write_text(
        program.read_text().replace(
            'then exec "$@"; fi\n  echo', f'then echo "{after}" >&2; exit 1; fi\n  echo'
        )
    )
    with pytest.raises(ScriptNotStarted) as caught:
        ssh.run("true", sudo=True)
    assert says in caught.value.printed and hint in (caught.value.hint or "")
    assert "k8swin-sudo-asks" not in caught.value.printed


def test_a_password_of_somebody_else_that_sudo_wants_is_named(
    with_sudo: Any, tmp_path: Path
) -> None:
    ssh = with_sudo("env:SUDO_WRONG")
    program = tmp_path / "bin" / "sudo"
    program.write_text(program.read_text().replace("$(id -un)", "grace"))
    with pytest.raises(AuthenticationFailed, match="it wants the one of `grace`") as caught:
        ssh.run("true", sudo=True)
    assert "rootpw" in (caught.value.hint or "")
    assert "-u root" in (tmp_path / "sudo.calls").read_text()


def test_sudo_that_asks_without_a_password_here_says_how_to_name_one(with_sudo: Any) -> None:
    with pytest.raises(ScriptNotStarted) as caught:
        with_sudo(None).run("true", sudo=True)
    assert "`sudo_password`" in (caught.value.hint or "")


def test_a_script_of_root_is_stopped_with_its_children(with_sudo: Any) -> None:
    ssh = with_sudo()
    cancel = threading.Event()
    result = ssh.run(
        "echo begun; sleep 600 & wait",
        sudo=True,
        cancel=cancel,
        on_output=lambda *_: cancel.set(),
    )
    assert not result.ok
    assert result.left == ""


def test_a_host_that_asks_in_other_words_shows_them(
    with_sudo: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = with_sudo()
    program = tmp_path / "bin" / "sudo"
    program.write_text("#!/bin/sh\necho 'Verification code:' >&2\nsleep 60\n")
    for seconds in (2, 10, 50):  # a busy computer takes longer to say anything
        monkeypatch.setattr(session, "START_SECONDS", float(seconds))
        with pytest.raises(ScriptNotStarted, match=f"within {seconds} s") as caught:
            ssh.run("true", sudo=True)
        if caught.value.printed:
            break
    assert "Verification code:" in caught.value.printed


@pytest.fixture
def pool() -> Iterator[Pool]:
    """Connections that are let go of at the end, those to jump hosts too."""
    made = Pool()
    yield made
    made.close()


@pytest.fixture
def behind(openssh: OpenSsh) -> Any:
    """Return a host behind a jump host, as a pool reaches it."""

    def make(*lines: str, **changes: Any) -> Host:
        jump = replace(openssh.host(openssh.start(*lines)), name="bastion")
        return openssh.host(openssh.start("AllowTcpForwarding no"), ssh_jump=jump, **changes)

    return make


def test_a_script_runs_behind_a_jump_host(behind: Any, tmp_path: Path, pool: Pool) -> None:
    ssh = pool.transport(behind())
    assert ssh.run("echo there; exit 4").returncode == 4
    ssh.put(b"x" * 300_000, str(tmp_path / "there"))
    assert (tmp_path / "there").read_bytes() == b"x" * 300_000


def test_jump_hosts_stand_behind_each_other(openssh: OpenSsh) -> None:
    outer = replace(openssh.host(openssh.start()), name="outer")
    inner = replace(openssh.host(openssh.start(), ssh_jump=outer), name="inner")
    last = openssh.transport(openssh.start(), ssh_jump=inner)
    assert last.run("echo last").stdout == "last\n"


def test_both_keys_are_checked(behind: Any, openssh: OpenSsh, tmp_path: Path, pool: Pool) -> None:
    host = behind(host_key_policy="strict")
    with pytest.raises(HostKeyUnknown):
        pool.transport(host).run("true")
    found = scan_through(host)
    assert found.fingerprint.startswith("SHA256:")
    pin(host, found)
    assert pool.transport(host).run("echo ok").stdout == "ok\n"
    other = openssh.key("other")
    wrong = other.with_suffix(".pub").read_text().split()[1]
    Path(host.known_hosts).write_text(f"[127.0.0.1]:{host.ssh_port} ssh-ed25519 {wrong}\n")
    pool.close()
    with pytest.raises(HostKeyMismatch):
        pool.transport(host).run("true")


def test_a_jump_host_that_passes_nothing_on_is_named(behind: Any, pool: Pool) -> None:
    with pytest.raises(HostUnreachable, match="bastion") as caught:
        pool.transport(behind("AllowTcpForwarding no")).run("true")
    assert "AllowTcpForwarding" in (caught.value.hint or "")


def test_a_host_that_is_off_behind_a_jump_host_is_named(openssh: OpenSsh) -> None:
    jump = replace(openssh.host(openssh.start()), name="bastion")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(HostUnreachable, match=r"bastion.*does not open a connection") as caught:
        openssh.transport(port, ssh_jump=jump).run("true")
    assert "nc -vz" in (caught.value.hint or "")


def test_the_pass_phrase_of_a_key_opens_it(
    openssh: OpenSsh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHRASE", "open sesame, please")
    monkeypatch.setenv("WRONG", "close sesame, please")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    key = openssh.key("locked", phrase="open sesame, please")
    port = openssh.start(keys=("locked",))
    ways = {"identity": str(key), "identity_passphrase": "env:PHRASE"}
    assert openssh.transport(port, **ways).run("echo in").stdout == "in\n"
    with pytest.raises(
        AuthenticationFailed, match="does not open with the pass phrase `env:WRONG`"
    ) as caught:
        openssh.transport(port, **{**ways, "identity_passphrase": "env:WRONG"}).run("true")
    assert "sesame" not in str(caught.value)


def test_another_address_than_the_nodes_is_asked(openssh: OpenSsh, pool: Pool) -> None:
    port = openssh.start()
    host = replace(openssh.host(port), address="192.0.2.7", ssh_host="localhost")
    assert pool.transport(host).run("echo here").stdout == "here\n"
    assert "localhost" in Path(host.known_hosts).read_text()


@pytest.fixture
def by_file(openssh: OpenSsh, tmp_path: Path) -> Any:
    """Return a host that a file of OpenSSH's client describes."""

    def make(text: str) -> Host:
        file = tmp_path / "ssh_config"
        file.write_text(text)
        host = openssh.host(22, identity=None, ssh_config=str(file))
        return replace(host, address="192.0.2.9")

    return make


def test_the_users_own_configuration_says_how_a_host_is_reached(
    openssh: OpenSsh, by_file: Any, pool: Pool
) -> None:
    jump, port, key = openssh.start(), openssh.start(), openssh.key("user")
    host = by_file(
        f"Host box\n  HostName localhost\n  Port {port}\n  IdentityFile {shlex.quote(str(key))}\n"
        "  ProxyJump hop\n  StrictHostKeyChecking no\n"
        f"Host hop\n  HostName 127.0.0.1\n  Port {jump}\n  User {getpass.getuser()}\n  IdentityFile {key}\n"
        "Host *\n  ProxyJump none\n"
    )
    found = configured(host)
    assert (found.ssh_address, found.ssh_port) == ("localhost", port)
    assert found.own_keys == OwnKeys((str(key),))
    assert found.ssh_jump is not None and found.ssh_jump.ssh_port == jump
    assert pool.transport(host).run("echo by file").stdout == "by file\n"
    # Its keys are checked by the project's own file, whatever the other one says.
    strict = replace(host, host_key_policy="strict", known_hosts=host.known_hosts + "-none")
    with pytest.raises(HostKeyUnknown):
        pool.transport(strict).run("true")


def test_what_the_description_says_counts_before_the_file(openssh: OpenSsh, by_file: Any) -> None:
    host = by_file("Host box\n  HostName nowhere.example\n  Port 1\n  IdentityFile /none\n")
    key = str(openssh.key("user"))
    said = configured(replace(host, ssh_host="localhost", ssh_port=2222, identity=key))
    assert (said.ssh_address, said.ssh_port, said.identity) == ("localhost", 2222, key)


def test_a_file_that_is_not_there_is_named(openssh: OpenSsh, tmp_path: Path) -> None:
    host = openssh.host(22, ssh_config=str(tmp_path / "none"))
    with pytest.raises(ParamsError, match="cannot be read"):
        configured(host)


def test_a_key_is_scanned_at_its_own_address(openssh: OpenSsh) -> None:
    port = openssh.start()
    host = replace(openssh.host(port), address="192.0.2.1", ssh_host="127.0.0.1")
    assert scan(host).algorithm.startswith("ssh-")


def test_a_file_takes_the_place_of_files_alone(openssh: OpenSsh, tmp_path: Path) -> None:
    ssh = openssh.transport(openssh.start())
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(TransferFailed, match="is there and is no file"):
            ssh.put(b"x", str(tmp_path / name))
    assert (tmp_path / "pipe").is_fifo()
    assert list((tmp_path / "folder").iterdir()) == []
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    ssh.put(b"new", str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"
