"""Machines of a few lines: enough for a server to have something behind it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

from k8swin_lab.building import authorize
from k8swin_lab.home import Home
from k8swin_lab.machines.base import Machine
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.network import Network
from k8swin_lab.topology import MachineSpec


def command(line: str, process: Process) -> int:
    """Run one of a handful of commands."""
    word, _, rest = line.partition(" ")
    if word == "echo":
        process.out(f"{rest}\n")
        return 0
    if word == "cat":
        while data := process.stdin.read(4096):
            process.stdout.write(data)
        return 0
    if word == "both":
        process.out("out\n")
        process.err("err\n")
        return int(rest)
    if word == "wait":
        process.out("waiting\n")
        if process.cancelled.wait(200):
            process.machine.cancelled += 1  # type: ignore[attr-defined]
            return 130
        return 1
    if word == "flood":
        for _ in range(int(rest)):
            process.stdout.write(b"x" * 65536)
        return 0
    if word == "pause":
        time.sleep(float(rest))
        process.out("done\n")
        return 0
    if word == "env":
        process.out(process.env.get(rest, "") + "\n")
        return 0
    if word == "pwd":
        process.out(process.cwd + "\n")
        return 0
    if word == "whoami":
        process.out(process.user + "\n")
        return 0
    if word == "codepage":
        process.out(f"{process.codepage}\n")
        return 0
    if word == "crash":
        raise ValueError("a mistake inside the lab")
    raise NotSimulated(word)


class FakeLinux(Machine):
    os = "linux"

    def __init__(
        self,
        root: Path,
        name: str = "linuxmaster",
        address: str = "127.0.0.1",
        network: Network | None = None,
    ) -> None:
        super().__init__(name, address, network or Network())
        self.root = root
        self.owners: dict[str, tuple[str, str]] = {}
        self.cancelled = 0
        for directory in ("etc", "home/ubuntu/.ssh", "tmp", "root"):
            (root / directory).mkdir(parents=True, exist_ok=True)
        (root / "tmp").chmod(0o777)
        (root / "etc/passwd").write_text(
            "root:x:0:0:root:/root:/bin/bash\nubuntu:x:1000:1000::/home/ubuntu:/bin/bash\n"
        )
        (root / "etc/group").write_text("root:x:0:\nubuntu:x:1000:\n")
        self.set_owner("/home/ubuntu", "ubuntu", "ubuntu")

    def owner_of(self, path: str) -> tuple[str, str]:
        return self.owners.get(path, ("root", "root"))

    def set_owner(self, path: str, user: str, group: str) -> None:
        self.owners[path] = (user, group)

    def run(self, process: Process) -> int:
        while line := _line(process):
            command(line, process)
        return 0

    def shell(self, command_line: str, process: Process) -> int:
        if command_line.startswith("scp "):
            process.err("no scp here\n")
            return 127
        return command(command_line, process)

    def reboot(self) -> None:
        self.boot_id += "+"
        self.changed()


class FakeWindows(Machine):
    os = "windows"
    edition = SimpleNamespace(build=20348)

    def __init__(
        self,
        name: str = "winworker01",
        address: str = "127.0.0.1",
        network: Network | None = None,
    ) -> None:
        super().__init__(name, address, network or Network())
        self.users = {"Administrator": "p:ss wörd!"}
        self.cancelled = 0
        self.net = SimpleNamespace(loses_address=0, silent_starts=0)

    def login_environment(self, user: str) -> dict[str, str]:
        return {"USERPROFILE": f"C:\\Users\\{user}", "Path": "C:\\Windows"}

    def run(self, process: Process) -> int:
        raise NotSimulated("run")

    def shell(self, command_line: str, process: Process) -> int:
        return command(command_line, process)

    def reboot(self) -> None:
        self.boot_id += "+"
        self.changed()


def _line(process: Process) -> str:
    line = b""
    while (byte := process.stdin.read(1)) not in (b"", b"\n"):
        line += byte
    return line.decode()


def ssh_keygen(path: Path) -> None:
    """Make a key pair without a passphrase."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def build(spec: MachineSpec, network: Network, home: Home) -> Machine:
    """Make a machine of a spec, as the lab asks for it."""
    if spec.os == "windows":
        windows = FakeWindows(spec.name, spec.address, network)
        windows.users = {spec.user: home.password(spec.name)}
        return windows
    linux = FakeLinux(home.machine_root(spec.name), spec.name, spec.address, network)
    authorize(linux, spec.user, home.public_key())
    return linux
