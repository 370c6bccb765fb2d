"""A machine that has powershell.exe behind the lab's WinRM server, over http and https, and a host that leads to it."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from k8swin_lab.machines.base import Machine
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows_command_line import split_command_line
from k8swin_lab.network import Network
from k8swin_lab.servers.winrm import WinrmServer

from k8swin_nb.inventory import Host
from k8swin_nb.transports.winrm import WinrmTransport
from lab.tests.powershell.posix_host import PosixHost

powershell = pytest.importorskip(
    "k8swin_lab.powershell.program", reason="the lab has no PowerShell", exc_type=ImportError
)

PASSWORD = "p:ss wörd!"


class PowerShellMachine(Machine):
    """A machine that has powershell.exe and nothing else."""

    os = "windows"
    edition = SimpleNamespace(build=20348)

    def __init__(self) -> None:
        super().__init__("win", "127.0.0.1", Network())
        self.users = {"Administrator": PASSWORD}
        self.lines: list[str] = []
        self.before: Callable[[Process], int | None] | None = None
        """Stands in front of powershell.exe; an exit code keeps it from running."""

    def login_environment(self, user: str) -> dict[str, str]:
        return {"USERPROFILE": "/tmp", "PATH": os.environ["PATH"]}

    def shell(self, command_line: str, process: Process) -> int:
        self.lines.append(command_line)
        if self.before is not None:
            code = self.before(process)
            if code is not None:
                return code
        process.argv = split_command_line(command_line)
        process.cwd = "/tmp"
        return int(powershell.powershell_program(lambda _: PosixHost())(process))

    def run(self, process: Process) -> int:
        raise AssertionError("only through cmd")

    def reboot(self) -> None:
        self.boot_id += "+"
        self.changed()


@dataclass
class Wire:
    machine: PowerShellMachine
    http: int
    https: int
    ca: Path
    tls: ssl.SSLContext
    server: WinrmServer


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    ca, private = folder / "ca.pem", folder / "key.pem"
    ca.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca, private)
    return ca, context


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(100)

    machine = PowerShellMachine()
    server = WinrmServer(machine)
    ca, context = _certificate(tmp_path)
    http = run(server.start("127.0.0.1", 0))
    https = run(server.start("127.0.0.1", 0, certificate=context))
    yield Wire(machine, http, https, ca, context, server)
    run(server.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(100)
    loop.close()


@pytest.fixture
def host(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("WIN_PASSWORD", PASSWORD)
    return Host(
        "win",
        "127.0.0.1",
        "windows",
        ("worker",),
        "Administrator",
        winrm_port=wire.http,
        winrm_scheme="http",
        credential="env:WIN_PASSWORD",
    )


@pytest.fixture
def winrm(host: Host) -> Iterator[WinrmTransport]:
    transport = WinrmTransport(host)
    yield transport
    transport.close()
