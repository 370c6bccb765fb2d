"""OpenSSH's own server on many loopback addresses, with its key pinned for each."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@dataclass(frozen=True)
class Site:
    """What a client needs: `user` (the private key) and `known_hosts` are in the folder."""

    folder: Path
    port: int


def addresses(count: int) -> list[str]:
    """Return loopback addresses."""
    return [f"127.77.{number // 250}.{number % 250 + 1}" for number in range(count)]


@contextlib.contextmanager
def serving(folder: Path, count: int) -> Iterator[Site]:
    """Start a server that answers at `count` addresses.

    Raises:
        SystemExit: when there is no sshd.
    """
    if SSHD is None:
        raise SystemExit("the measurement of SSH needs OpenSSH's sshd")
    for key in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True
        )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    kind, key, *_ = (folder / "host.pub").read_text().split()
    (folder / "known_hosts").write_text(
        "".join(f"[{one}]:{port} {kind} {key}\n" for one in addresses(count))
    )
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 0.0.0.0\nHostKey {folder}/host\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/user.pub\nPidFile none\nPermitRootLogin yes\n"
        "MaxStartups 1000:100:1000\nMaxSessions 10\n"
    )
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=log)
    try:
        for _ in range(400):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        else:
            raise SystemExit(f"sshd did not start: {(folder / 'log').read_text()}")
        yield Site(folder, port)
    finally:
        server.terminate()
        server.wait()
