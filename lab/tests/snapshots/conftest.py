"""Running labs, each a process of its own, and clients of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import winrm
from k8swin_lab.home import Home
from k8swin_lab.loopback import free_network

from lab.tests.programs import KUBECTLS

PROJECT = Path(__file__).parents[3]
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(PROJECT), str(PROJECT / "lab")])}
LAB = [
    sys.executable,
    "-c",
    "import sys; from k8swin_lab.cli import main; sys.exit(main(sys.argv[1:]))",
]


@dataclass
class Client:
    """What a person does with a lab; `inside` is put before programs, to be in a copy's network."""

    home: Home
    inside: tuple[str, ...] = ()

    def lab(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [*LAB, *words, "--home", str(self.home.path)],
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.home.status.read_text())
        return found

    def ssh_command(self, line: str) -> list[str]:
        machine = self.status["machines"][0]
        return [
            *self.inside, "ssh", "-F", "none", "-i", machine["identity"], "-o", f"UserKnownHostsFile={self.home.known_hosts}",
            "-o", "BatchMode=yes", "-p", str(machine["ssh_port"]), f"{machine['user']}@{machine['address']}", line,
        ]  # fmt: skip

    def ssh(self, line: str) -> str:
        done = subprocess.run(self.ssh_command(line), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr + self.home.log.read_text()
        return done.stdout

    def winrm(self, line: str, scheme: str = "http") -> str:
        machine = self.status["machines"][1]
        password = self.home.password_file(machine["name"]).read_text().strip()
        session = winrm.Session(
            f"{scheme}://{machine['address']}:{machine[f'winrm_{scheme}_port']}/wsman",
            auth=(machine["user"], password), transport="ntlm", ca_trust_path=str(self.home.ca),
        )  # fmt: skip
        done = session.run_ps(line)
        assert done.status_code == 0, done.std_err
        return str(done.std_out.decode())

    def kubectl_command(self, *words: str) -> list[str]:
        program = KUBECTLS[0]
        if not program:
            pytest.skip("no kubectl: set K8SWIN_KUBECTL or put one on PATH")
        return [*self.inside, program, "--kubeconfig", str(self.home.kubeconfig), *words]

    def kubectl(self, *words: str) -> str:
        done = subprocess.run(self.kubectl_command(*words), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pid(self) -> int:
        return int(self.home.pid.read_text())


def children(pids: set[int]) -> set[int]:
    """The processes of these that still run, or are not taken notice of."""
    return {pid for pid in pids if Path(f"/proc/{pid}").exists()}


def of_home(home: Path) -> set[int]:
    """The processes of a lab: those that have its lock open."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(
                str(link.readlink()) == str(home / "lock") for link in (process / "fd").iterdir()
            ):
                found.add(int(process.name))
        except OSError:
            continue
    return found


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A lab with the machines of its default, without a cluster."""
    _needs()
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setitem(ENVIRONMENT, "TMPDIR", str(folder))
    client = Client(Home(tmp_path / "lab"))
    with free_network() as network:
        client.lab("up", "--network", network)
        yield client
        client.lab("down")


@pytest.fixture(scope="module", params=["current", "classic"])
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """A cluster of a generation, with a Windows worker and a pod on it; a snapshot `built` is there."""
    _needs()
    client = Client(Home(tmp_path_factory.mktemp(request.param) / "lab"))
    with free_network() as network:
        process = subprocess.Popen(
            [sys.executable, "-m", "lab.tests.snapshots.standing", str(client.home.path), network, request.param],
            stdout=subprocess.PIPE, env=ENVIRONMENT, cwd=PROJECT,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        client.lab("snapshot", "built")
        yield client
        client.lab("down")
        assert process.wait(60) == 0
        process.stdout.close()


def _needs() -> None:
    if sys.platform != "linux":
        pytest.skip("looks at processes as Linux shows them")
    if shutil.which("ssh") is None:
        pytest.skip("needs OpenSSH's client")


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)
