"""OpenSSH's own server on a free port, run by whoever runs the tests; each test says how it is configured."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from k8swin_nb.inventory import Host
from k8swin_nb.transports.ssh import SshTransport

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

needs_sshd = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh-keygen") is None, reason="needs OpenSSH's sshd and ssh-keygen"
)


def children_of(pid: int) -> list[int]:
    """Return the processes below one."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def signal_all(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process and to all below it that are still there."""
    for one in [pid, *children_of(pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, number)


def free_port() -> int:
    """Return a port that is free for now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _listens(server: subprocess.Popen[bytes], log: Path) -> bool:
    """Wait until a server says that it listens; False: it has ended, or says nothing."""
    until = time.monotonic() + 60
    while "Server listening on " not in log.read_text(errors="replace"):
        if server.poll() is not None or time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


class OpenSsh:
    """A folder of keys, and the servers that were started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.servers: list[subprocess.Popen[bytes]] = []
        self._transports: list[SshTransport] = []
        self._known = 0

    def key(self, name: str, kind: str = "ed25519", phrase: str = "") -> Path:
        path = self.folder / name
        if not path.exists():
            subprocess.run(
                ["ssh-keygen", "-q", "-t", kind, "-N", phrase, "-f", str(path)], check=True
            )
        return path

    def start(self, *lines: str, keys: tuple[str, ...] = ("user",)) -> int:
        """Start a server with these lines of configuration and return its port."""
        assert SSHD
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        self.key("host")
        # Between its choice and its use somebody else may take a port.
        for _ in range(5):
            port = free_port()
            server = self._started(port, lines, keys)
            if _listens(server, self.folder / f"log-{port}"):
                self.servers.append(server)
                return port
            server.kill()
            server.wait()
        raise AssertionError((self.folder / f"log-{port}").read_text())

    def _started(
        self, port: int, lines: tuple[str, ...], keys: tuple[str, ...]
    ) -> subprocess.Popen[bytes]:
        assert SSHD
        allowed = self.folder / f"authorized-{port}"
        allowed.write_text("".join(self.key(name).with_suffix(".pub").read_text() for name in keys))
        config = self.folder / f"config-{port}"
        config.write_text(
            "\n".join(
                [
                    *lines,
                    f"Port {port}",
                    "ListenAddress 127.0.0.1",
                    f"HostKey {self.folder}/host",
                    "UsePAM no",
                    "StrictModes no",
                    f"AuthorizedKeysFile {allowed}",
                    "PidFile none",
                    "PermitRootLogin yes",
                    "",
                ]
            )
        )
        log = (self.folder / f"log-{port}").open("wb")
        with log:
            return subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=log)

    def host(self, port: int, **changes: Any) -> Host:
        self._known += 1
        values: dict[str, Any] = {
            "known_hosts": str(self.folder / f"known-{self._known}"),
            "host_key_policy": "accept-new",
            **changes,
        }
        if "identity" not in values:
            values["identity"] = str(self.key("user"))
        return Host(
            "box", "127.0.0.1", "linux", ("worker",), getpass.getuser(), ssh_port=port, **values
        )

    def transport(self, port: int, **changes: Any) -> SshTransport:
        transport = SshTransport(self.host(port, **changes))
        self._transports.append(transport)
        return transport

    def stop(self) -> None:
        for transport in self._transports:
            transport.close()
        for server in self.servers:
            signal_all(server.pid, signal.SIGKILL)
            server.wait()


@pytest.fixture
def openssh(tmp_path: Path) -> Iterator[OpenSsh]:
    made = OpenSsh(tmp_path)
    yield made
    made.stop()
