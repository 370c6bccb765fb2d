"""SSH against real clients: OpenSSH's ssh, scp and sftp, and fabric."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from k8swin_lab.servers.listener import Faults, PortInUse
from k8swin_lab.servers.ssh import SshServer

from lab.tests.servers.server_machines import FakeLinux, ssh_keygen
from lab.tests.servers.waiting import connects, eventually

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(shutil.which("ssh") is None, reason="needs OpenSSH's client on PATH"),
]


class Host:
    def __init__(self, machine: FakeLinux, server: SshServer, port: int, folder: Path) -> None:
        self.machine, self.server, self.port, self.folder = machine, server, port, folder
        self.key = folder / "key"
        self.options = [
            *("-F", "none", "-i", str(self.key), "-o", f"UserKnownHostsFile={folder}/known_hosts"),
            *("-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"),
            *("-o", "BatchMode=yes"),
        ]

    def ssh(self, command: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        where = ["-p", str(self.port), "ubuntu@127.0.0.1"]
        return subprocess.run(
            ["ssh", *self.options, *where, command], capture_output=True, timeout=100, **options
        )


@pytest.fixture
def host(loop: Any, tmp_path: Path) -> Iterator[Host]:
    machine = FakeLinux(tmp_path / "root")
    ssh_keygen(tmp_path / "key")
    public = (tmp_path / "key.pub").read_text()
    (machine.root / "home/ubuntu/.ssh/authorized_keys").write_text(public)
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    server = SshServer(machine, host_key, passwords={"ubuntu": "right"}, faults=Faults())
    port = loop.run(server.start("127.0.0.1", 0))
    line = host_key.export_public_key().decode()
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{port} {line}")
    yield Host(machine, server, port, tmp_path)
    loop.run(server.stop())


def test_a_command_gives_its_output_both_streams_and_its_exit_code(host: Host) -> None:
    done = host.ssh("both 3")

    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 3)


def test_standard_input_arrives_whole_and_in_order(host: Host) -> None:
    data = b"".join(b"%d\n" % number for number in range(100_000))

    assert host.ssh("cat", input=data).stdout == data


def test_output_larger_than_any_window_arrives_whole(host: Host) -> None:
    assert len(host.ssh("flood 100").stdout) == 100 * 65536


def test_a_command_runs_as_the_user_in_the_users_home(host: Host) -> None:
    assert host.ssh("whoami").stdout == b"ubuntu\n"
    assert host.ssh("pwd").stdout == b"/home/ubuntu\n"
    assert host.ssh("env HOME").stdout == b"/home/ubuntu\n"


def test_what_the_lab_does_not_know_says_so_and_fails(host: Host) -> None:
    done = host.ssh("frobnicate")

    assert (done.stderr, done.returncode) == (b"not simulated in the lab: frobnicate\n", 70)


def test_a_mistake_in_the_lab_is_not_taken_for_the_machines_answer(host: Host) -> None:
    done = host.ssh("crash")

    assert b"the lab failed here" in done.stderr
    assert done.returncode == 70


def test_a_command_is_cancelled_when_its_client_goes_away(host: Host) -> None:
    where = ["-p", str(host.port), "ubuntu@127.0.0.1", "wait"]
    client = subprocess.Popen(["ssh", *host.options, *where], stdout=subprocess.PIPE)
    with client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"waiting\n"
        client.kill()

    eventually(lambda: host.machine.cancelled == 1)


def test_commands_sent_to_a_shell_without_a_command_run_line_by_line(host: Host) -> None:
    where = ["-T", "-p", str(host.port), "ubuntu@127.0.0.1"]
    done = subprocess.run(
        ["ssh", *host.options, *where],
        input=b"echo one\necho two\n",
        capture_output=True,
        timeout=100,
    )

    assert done.stdout == b"one\ntwo\n"


def test_a_key_that_is_not_authorized_is_refused(host: Host) -> None:
    (host.machine.root / "home/ubuntu/.ssh/authorized_keys").write_text("")

    done = host.ssh("whoami")

    assert done.returncode == 255
    assert b"Permission denied" in done.stderr


@pytest.mark.parametrize("legacy", [True, False], ids=["scp protocol", "sftp protocol"])
def test_scp_copies_there_and_back(host: Host, legacy: bool) -> None:
    source, back = host.folder / "source", host.folder / "back"
    source.write_bytes(b"\x00\xff content\n" * 10_000)
    protocol = ["-O"] if legacy else ["-s"]
    target = "ubuntu@127.0.0.1:copied"
    scp = ["scp", *protocol, *host.options, "-P", str(host.port)]

    subprocess.run([*scp, str(source), target], check=True, timeout=100)
    subprocess.run([*scp, target, str(back)], check=True, timeout=100)

    assert back.read_bytes() == source.read_bytes()
    assert (host.machine.root / "home/ubuntu/copied").read_bytes() == source.read_bytes()
    assert host.machine.owner_of("/home/ubuntu/copied") == ("ubuntu", "ubuntu")


def test_scp_may_not_write_where_the_user_may_not(host: Host) -> None:
    source = host.folder / "source"
    source.write_text("x")
    scp = ["scp", *host.options, "-P", str(host.port), str(source), "ubuntu@127.0.0.1:/etc/new"]

    done = subprocess.run(scp, capture_output=True, timeout=100)

    assert b"Permission denied" in done.stderr
    assert not (host.machine.root / "etc/new").exists()


def test_sftp_makes_renames_links_and_removes(host: Host) -> None:
    batch = """mkdir desk
cd desk
put /etc/hostname a
chmod 640 a
rename a b
ln b c
ln -s b d
ls -l
-df
rm c
rm d
rm b
cd ..
rmdir desk
-ls desk
"""
    sftp = ["sftp", *host.options, "-P", str(host.port), "-b", "-", "ubuntu@127.0.0.1"]
    done = subprocess.run(sftp, input=batch.encode(), capture_output=True, timeout=100)
    assert done.returncode == 0, done.stderr
    told = done.stdout.decode()
    assert re.search(r"-rw-r-----.* b\n", told)
    assert re.search(r"lrwx.* d\n", told)
    assert "Can't ls" in done.stderr.decode()
    assert "%Capacity" not in told  # this computer's disk is not the machine's


def test_sftp_follows_absolute_links_inside_the_machine_only(host: Host) -> None:
    (host.machine.root / "etc/hostname").write_text("linuxmaster\n")
    (host.machine.root / "home/ubuntu/name").symlink_to("/etc/hostname")
    (host.machine.root / "home/ubuntu/out").symlink_to("/../../../../etc/hostname")
    batch = f"cd /tmp\npwd\nget /home/ubuntu/name {host.folder}/name\n"
    batch += f"get /home/ubuntu/out {host.folder}/out\n"
    sftp = ["sftp", *host.options, "-P", str(host.port), "-b", "-", "ubuntu@127.0.0.1"]

    done = subprocess.run(sftp, input=batch.encode(), capture_output=True, timeout=100)

    assert done.returncode == 0, done.stderr
    assert b"Remote working directory: /tmp" in done.stdout
    assert (host.folder / "name").read_text() == "linuxmaster\n"
    assert (host.folder / "out").read_text() == "linuxmaster\n"


def test_fabric_runs_commands_and_moves_files_over_one_connection(host: Host) -> None:
    with _fabric(host, connect_kwargs={"key_filename": str(host.key)}) as connection:
        for number in range(5):
            assert (
                connection.run(f"echo {number}", hide=True, in_stream=False).stdout == f"{number}\n"
            )
        failed = connection.run("both 7", hide=True, warn=True, in_stream=False)
        assert (failed.stderr, failed.exited) == ("err\n", 7)
        connection.put(io.BytesIO(b"text"), "/tmp/put")
        fetched = io.BytesIO()
        connection.get("/tmp/put", fetched)
        assert fetched.getvalue() == b"text"


def test_many_commands_run_at_the_same_time_on_one_connection(host: Host) -> None:
    outputs: list[str] = []
    with _fabric(host, connect_kwargs={"key_filename": str(host.key)}) as connection:
        connection.open()

        def work() -> None:
            outputs.append(connection.run("pause 0.5", hide=True, in_stream=False).stdout)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(100)

    assert outputs == ["done\n"] * 8


def test_a_password_is_tried_where_one_is_configured(host: Host) -> None:
    import paramiko

    options = {"look_for_keys": False, "allow_agent": False}
    with _fabric(host, connect_kwargs={"password": "right", **options}) as connection:
        assert connection.run("whoami", hide=True, in_stream=False).stdout == "ubuntu\n"
    with (
        pytest.raises(paramiko.AuthenticationException),
        _fabric(host, connect_kwargs={"password": "wrong", **options}) as connection,
    ):
        connection.open()


def test_a_pseudo_terminal_merges_the_streams(host: Host) -> None:
    with _fabric(host, connect_kwargs={"key_filename": str(host.key)}) as connection:
        done = connection.run("both 0", hide=True, pty=True, in_stream=False)

    assert done.stdout == "out\r\nerr\r\n"


def test_a_machine_that_is_off_refuses_and_comes_back(host: Host) -> None:
    host.machine.powered_on = False
    host.machine.changed()
    eventually(lambda: not connects("127.0.0.1", host.port))
    host.machine.powered_on = True
    host.machine.changed()
    eventually(lambda: connects("127.0.0.1", host.port))

    assert host.ssh("echo back").stdout == b"back\n"


def test_an_interrupted_network_resets_connections_and_returns_by_itself(host: Host) -> None:
    with _fabric(host, connect_kwargs={"key_filename": str(host.key)}) as connection:
        connection.open()
        host.machine.interrupt(0.4)
        eventually(lambda: not connection.transport.is_active())
        eventually(lambda: host.ssh("echo back").stdout == b"back\n")


def test_a_port_that_is_taken_is_named_with_what_to_do(loop: Any, host: Host) -> None:
    second = SshServer(host.machine, asyncssh.generate_private_key("ssh-ed25519"))

    with pytest.raises(PortInUse, match=rf"127\.0\.0\.1:{host.port}: another program"):
        loop.run(second.start("127.0.0.1", host.port))


def _fabric(host: Host, connect_kwargs: dict[str, Any]) -> Any:
    import fabric
    import paramiko

    connection = fabric.Connection(
        "127.0.0.1",
        "ubuntu",
        host.port,
        config=fabric.Config(overrides={"load_ssh_configs": False}, lazy=True),
        connect_kwargs=connect_kwargs,
    )
    connection.client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    return connection
