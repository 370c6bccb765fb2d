"""Files of OpenSSH's client as people write them: `ssh -G` says what they mean, and nothing in them may run.

The cases are from ssh_config(5), readconf.c and ssh.c of OpenSSH 9.2 to 10.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from k8swin_nb.errors import AuthenticationFailed, ParamsError
from k8swin_nb.inventory import Host, OwnKeys
from k8swin_nb.phases.network.ways import _keys
from k8swin_nb.transports.ssh_config import configured
from tests.transports.openssh import OpenSsh, needs_sshd
from tests.transports.openssh import openssh as openssh

SSH = shutil.which("ssh")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("one", "two", "held.pub", "box"):
        (tmp_path / name).write_text("a key")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.conf").write_text("Host box\n HostName 10.9.9.9\n Port 99\n")
    (tmp_path / "more" / "b.conf").write_text("Host *\n Port 98\n")
    (tmp_path / "round").write_text(f"Include {tmp_path}/round\n")
    monkeypatch.setenv("KEYS", str(tmp_path))
    return tmp_path


def host_by(folder: Path, text: str, **more: Any) -> Host:
    file = folder / "config"
    file.write_text(text.replace("DIR", str(folder)), newline="")
    return Host(
        "box", "192.0.2.9", "linux", (), "ops", ssh_config=str(file), known_hosts="none", **more
    )


def ours(host: Host) -> tuple[str, int, tuple[str, ...], str]:
    found = configured(host)
    keys = found.own_keys or OwnKeys()
    jump = found.ssh_jump
    return (
        found.ssh_host or "box",
        found.ssh_port,
        keys.identities,
        f"{jump.ssh_address}:{jump.ssh_port}" if jump else "",
    )


def theirs(host: Host) -> tuple[str, int, tuple[str, ...], str]:
    asked = [str(SSH), "-G", "-F", str(host.ssh_config), f"{host.user}@{host.name}"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    said: dict[str, list[str]] = {}
    for line in told.splitlines():
        key, _, value = line.partition(" ")
        said.setdefault(key, []).append(value)
    paths = [
        os.path.expandvars(one).replace("%n", host.name) for one in said.get("identityfile", [])
    ]
    there = [[one for one in (path, f"{path}.pub") if Path(one).is_file()][:1] for path in paths]
    keys = tuple(one for found in there for one in found)
    jump = said.get("proxyjump", [""])[0].rpartition("@")[2]
    return (
        said["hostname"][0],
        int(said["port"][0]),
        keys,
        jump and (jump if ":" in jump else f"{jump}:22"),
    )


MEANT = [
    "Host box # the box\n Port 23 # why\n HostName 10.0.0.1 # not box.example\n",
    "Host=box\n Port=23\n HostName = 10.0.0.1\n",
    'HOST "box"\n PORT "23"\n hostname="x.example"\n',
    "Host box\r\n Port 3\r\n HostName 1.2.3.4\r\n",
    "Host\tother\tb?x\n\tPort\t3\n",
    "Host * !box\n Port 2222\nHost box\n Port 3\n",
    "Host !other\n Port 3\nHost [b]ox\n Port 4\nHost foo,box\n Port 5\n",
    "Port 5\nHost box\n Port 6\n",
    "Host box\n HostName 1.2.3.4\nHost *\n Port 2222\n",
    "Host b*\n HostName %h.example.com\n",
    "Host b*\n HostName a%%b\n",
    "Match originalhost box\n HostName 10.0.0.1\nMatch host 10.0.0.1\n Port 45\n",
    "Match !host box\n Port 44\nMatch user ops host box\n Port 45\n",
    "Match user bob\n Port 44\nMatch all\n Port 45\n",
    "Match final host *.example\n Port 44\nHost box\n HostName a.example\n",
    "Match canonical all\n Port 44\nHost box\n Port 23\n",
    "Match host exec.example\n Port 44\nMatch host other exec false\n Port 45\nHost *\n Port 46\n",
    "Host box\n IdentityFile DIR/none\n IdentityFile DIR/one\nHost *\n IdentityFile DIR/two\n",
    "Host box\n IdentityFile DIR/held\n",
    "Host box\n IdentityFile none\nHost *\n IdentityFile DIR/one\n",
    'Host box\n IdentityFile "DIR/one" # mine\n IdentityFile ${KEYS}/two\n IdentityFile DIR/%n\n',
    "Host box\n ProxyJump none\nHost *\n ProxyJump hop\n",
    "Host box\n ProxyCommand none\n ProxyJump hop\n",
    "Host box\n ProxyJump hop\n ProxyCommand nc %h %p\n",
    "Host * !hop\n ProxyJump ops@hop:23\n",
    "Host box\n ProxyJump ssh://ops@hop:23\n",
    "Host other\n ProxyCommand nc %h %p\nHost box\n Port 3\n",
    "Include DIR/more/*.conf\nHost box\n Port 3\n",
    "Host other\n Include DIR/more/a.conf\nHost box\n Include DIR/more/b.conf DIR/none\n Port 3\n",
    "Host box\n Include DIR/more/a.conf\n HostName again\nHost *\n Port 3\n",
    "IgnoreUnknown UseKeychain\nHost *\n UseKeychain yes\n ControlMaster auto\n ControlPath ~/.ssh/%r@%h:%p\n Port 3\n",
    "Host box\n LocalCommand touch DIR/ran\n PermitLocalCommand yes\n RemoteCommand tmux\n KnownHostsCommand touch DIR/ran\n Port 3\n",
    "CanonicalizeHostname yes\nCanonicalDomains example.invalid\nHost box\n HostName 10.0.0.4\n",
]  # fmt: skip


@pytest.mark.skipif(SSH is None, reason="needs OpenSSH's ssh")
@pytest.mark.parametrize("text", MEANT)
def test_a_file_means_what_openssh_makes_of_it(folder: Path, text: str) -> None:
    host = host_by(folder, text)
    assert ours(host) == theirs(host)
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Host box\n ProxyCommand touch DIR/ran\n", "ProxyCommand"),
        ('Match exec "touch DIR/ran"\n Port 3\n', "Match exec"),
        ('Match host box exec="touch DIR/ran"\n Port 3\n', "Match exec"),
        ("Match localnetwork 10.0.0.0/8\n Port 3\n", "depends on where this computer is"),
        ("Match sessiontype shell\n Port 3\n", "Match sessiontype.*not known here"),
        ("Match version OpenSSH_9*\n Port 3\n", "not known here"),
        ("Host box\n ProxyJump box\n", "leads nowhere: that one is reached through itself"),
        ("Host *\n ProxyJump hop\n", "`Host hop` with `ProxyJump none`"),
        ("Host box\n ProxyJump a b\n", "leads nowhere"),
        ("Host box\n ProxyJump hop\nHost hop\n User %u\n", "the user `%u` for `hop`"),
        ("Host box\n Port many\n", "the port `many` for `box`, which is none"),
        ("Host box\n Port 70000\n", "which is none"),
        ("Host box\n HostName a b\n", "the address `a b`"),
        ("Host box\n HostName %n.example\n", "`%n` stands for nothing"),
        ("Host box\n IdentityFile ${NOWHERE_SET}/x\n", "stands for nothing"),
        ("Host box\n CertificateFile DIR/other-cert.pub\n", "KEY-cert.pub"),
        ("Host box\n PKCS11Provider /usr/lib/card.so\n", "ssh-add -s"),
        ("Include DIR/round\n", "without end"),
        ("Include DIR/more\n", "which includes .*more.* cannot be read"),
        ('Host "box\n', "line 1: a quote is not closed"),
        ("Host\n", "says nothing"),
    ],
)  # fmt: skip
def test_what_a_file_may_not_say_is_refused_with_the_way(
    folder: Path, text: str, says: str
) -> None:
    with pytest.raises(ParamsError, match="ssh_config") as caught:
        configured(host_by(folder, text))
    assert re.search(says, f"{caught.value} {caught.value.hint}")
    assert not (folder / "ran").exists()


def test_a_jump_host_is_reached_as_the_file_says_of_it(folder: Path) -> None:
    text = "Host box\n ProxyJump a,u@b-%h:24\nHost a\n HostName 10.0.0.1\n Port 23\n User first\n IdentityFile DIR/one\n"
    last = configured(host_by(folder, text)).ssh_jump
    assert last is not None and (last.user, last.ssh_address, last.ssh_port) == ("u", "b-box", 24)
    first = last.ssh_jump
    assert first is not None and (first.user, first.ssh_address, first.ssh_port) == (
        "first",
        "10.0.0.1",
        23,
    )
    assert first.own_keys == OwnKeys((str(folder / "one"),))


def test_tagged_lines_are_taken_as_newer_clients_take_them(folder: Path) -> None:
    text = (
        "Host box\n Tag inner\nMatch tagged inner,other\n Port 44\nMatch tagged none\n HostName x\n"
    )
    assert ours(host_by(folder, text)) == ("box", 44, (), "")


def test_an_included_file_that_changes_is_read_again(folder: Path) -> None:
    host = host_by(folder, "Include DIR/more/a.conf\n")
    assert configured(host).ssh_port == 99
    (folder / "more" / "a.conf").write_text("Port 100\n")
    os.utime(folder / "more" / "a.conf", ns=(1, 1))
    assert configured(host).ssh_port == 100


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("IdentityFile DIR/one\nIdentityFile DIR/two\nIdentitiesOnly yes\n", "DIR/one or DIR/two"),
        ("IdentityAgent DIR/agent\n", "a key of the SSH agent at DIR/agent"),
        ("IdentityFile DIR/one\nIdentityAgent none\n", "DIR/one"),
        ("IdentityAgent SSH_AUTH_SOCK\n", "a key of the SSH agent"),
        ("IdentityAgent $NO_AGENT_IS_SET\n", "no key"),
    ],
)
def test_the_table_of_ways_says_which_keys_are_tried(folder: Path, text: str, shown: str) -> None:
    assert _keys(configured(host_by(folder, text)).own_keys) == shown.replace("DIR", str(folder))


@needs_sshd
def test_keys_of_a_file_are_tried_in_turn_and_a_damaged_one_keeps_none_from_being_tried(
    openssh: OpenSsh, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    port = openssh.start(keys=("third",))
    openssh.key("first"), openssh.key("third")
    (openssh.folder / "second").write_text("no key")
    three = "".join(
        f" IdentityFile {openssh.folder}/{name}\n" for name in ("first", "second", "third")
    )
    file = folder / "config"
    file.write_text(f"Host box\n HostName 127.0.0.1\n Port {port}\n{three}")
    assert (
        openssh.transport(22, identity=None, ssh_config=str(file)).run("echo in").stdout == "in\n"
    )
    file.write_text(f"Host box\n Port {port}\n IdentityFile {openssh.folder}/second\n")
    os.utime(file, ns=(1, 1))
    with pytest.raises(AuthenticationFailed, match="second` is no private key"):
        openssh.transport(22, identity=None, ssh_config=str(file)).run("true")


@needs_sshd
def test_the_agent_that_a_file_names_is_asked_and_not_the_one_of_the_environment(
    openssh: OpenSsh, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = openssh.start(keys=("held",))
    key = openssh.key("held")
    socket = folder / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            assert agent.poll() is None
        env = {**os.environ, "SSH_AUTH_SOCK": str(socket)}
        subprocess.run(["ssh-add", "-q", str(key)], env=env, check=True)
        key.unlink()
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        file = folder / "config"
        # Its public half is what is left here.
        file.write_text(
            f"Port {port}\nIdentityAgent {socket}\nIdentityFile {key}\nIdentitiesOnly yes\n"
        )
        assert (
            openssh.transport(22, identity=None, ssh_config=str(file)).run("echo in").stdout
            == "in\n"
        )
        file.write_text(f"Port {port}\nIdentityAgent none\nIdentityFile {folder}/none\n")
        os.utime(file, ns=(1, 1))
        with pytest.raises(AuthenticationFailed, match="no way to log in"):
            openssh.transport(22, identity=None, ssh_config=str(file)).run("true")
    finally:
        agent.kill()
        agent.wait()
