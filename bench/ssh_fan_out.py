"""How long one script on many hosts takes, from nothing to all answers, beside fabric's own ThreadingGroup.

    python bench/ssh_fan_out.py [HOSTS ...]      50 and 200 by default; needs OpenSSH's sshd

The hosts are loopback addresses of one server on this computer, with their keys pinned in one file, so that all work of
both ends is done here: the ratio says something, the seconds do not. Each measurement is a process of its own; both
run alternately, and the best of three counts.
"""

# ruff: noqa: T201 - it prints a table

from __future__ import annotations

import getpass
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3


def addresses(count: int) -> list[str]:
    """Return loopback addresses."""
    return [f"127.77.{number // 250}.{number % 250 + 1}" for number in range(count)]


def ours(folder: Path, port: int, names: list[str]) -> int:
    """Run on all hosts with the toolkit; return how many answered."""
    from k8swin_nb.fan_out import on_each
    from k8swin_nb.inventory import Host
    from k8swin_nb.transports.pool import Pool

    pool = Pool()
    hosts = [
        Host(
            name,
            name,
            "linux",
            ("worker",),
            getpass.getuser(),
            ssh_port=port,
            identity=str(folder / "user"),
            known_hosts=str(folder / "known_hosts"),
        )
        for name in names
    ]
    answers = on_each(
        hosts, lambda host: pool.transport(host).run("hostname"), name=lambda host: host.name
    ).all()
    pool.close()
    return sum(answer.ok for answer in answers.values())


def fabrics(folder: Path, port: int, names: list[str]) -> int:
    """Run on all hosts with fabric alone; return how many answered."""
    from fabric import Config, ThreadingGroup

    group = ThreadingGroup(
        *names,
        user=getpass.getuser(),
        port=port,
        config=Config(lazy=True),
        connect_kwargs={
            "key_filename": str(folder / "user"),
            "allow_agent": False,
            "look_for_keys": False,
        },
    )
    answers = group.run("hostname", hide=True, in_stream=False)
    group.close()
    return sum(answer.ok for answer in answers.values())


def measured(which: str, folder: Path, port: int, count: int) -> tuple[float, float]:
    """Return seconds and MiB of one measurement in a process of its own."""
    command = [sys.executable, __file__, "--one", which, str(folder), str(port), str(count)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


def one(which: str, folder: Path, port: int, count: int) -> None:
    """Measure, and print seconds and MiB."""
    names = addresses(count)
    work = {"ours": ours, "fabric": fabrics}[which]
    import fabric  # noqa: F401 - what both import is not measured

    import k8swin_nb.transports.ssh  # noqa: F401

    begun = time.perf_counter()
    answered = work(folder, port, names)
    seconds = time.perf_counter() - begun
    if answered != count:
        raise SystemExit(f"{answered} of {count} answered")
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def main(counts: list[int]) -> None:
    """Start a server, measure, and print a table."""
    sshd = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if sshd is None:
        raise SystemExit("needs OpenSSH's sshd")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for key in ("host", "user"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)], check=True
            )
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        words = (folder / "host.pub").read_text().split()
        (folder / "known_hosts").write_text(
            "".join(f"[{one}]:{port} {words[0]} {words[1]}\n" for one in addresses(max(counts)))
        )
        (folder / "config").write_text(
            f"Port {port}\nListenAddress 0.0.0.0\nHostKey {folder}/host\nUsePAM no\nStrictModes no\n"
            f"AuthorizedKeysFile {folder}/user.pub\nPidFile none\nPermitRootLogin yes\n"
            "MaxStartups 1000:100:1000\n"
        )
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        server = subprocess.Popen(
            [sshd, "-D", "-e", "-f", str(folder / "config")], stderr=subprocess.DEVNULL
        )
        try:
            time.sleep(1)
            print("hosts   ours        fabric      ratio")
            for count in counts:
                pairs = [
                    (
                        measured("ours", folder, port, count),
                        measured("fabric", folder, port, count),
                    )
                    for _ in range(ROUNDS)
                ]
                mine = min(pair[0] for pair in pairs)
                theirs = min(pair[1] for pair in pairs)
                print(
                    f"{count:5d}   {mine[0]:5.2f} s     {theirs[0]:5.2f} s     {mine[0] / theirs[0]:.2f}\n"
                    f"        {mine[1]:5.0f} MiB   {theirs[1]:5.0f} MiB   {mine[1] / theirs[1]:.2f}"
                )
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    else:
        main([int(word) for word in sys.argv[1:]] or [50, 200])
