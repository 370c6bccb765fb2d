"""WinRM over real sockets, NTLM and message encryption, with a PowerShell behind it: the lab's."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import os
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
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

from k8swin_nb.errors import (
    AuthenticationFailed,
    CertificateRejected,
    CommandTimeout,
    HostUnreachable,
)
from k8swin_nb.inventory import Host
from k8swin_nb.secret import Secret
from k8swin_nb.transports.winrm import WinrmTransport
from lab.tests.powershell.posix_host import PosixHost

pytestmark = pytest.mark.wire

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

    def login_environment(self, user: str) -> dict[str, str]:
        return {"USERPROFILE": "/tmp", "PATH": os.environ["PATH"]}

    def shell(self, command_line: str, process: Process) -> int:
        self.lines.append(command_line)
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
    yield Wire(machine, http, https, ca)
    run(server.stop())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
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


def test_a_script_runs_with_parameters_secrets_and_exit_code(
    winrm: WinrmTransport, wire: Wire
) -> None:
    result = winrm.run(
        "param([string]$Name, [string]$Password, [switch]$Loud)\n"
        "\"$Name/$Password/$Loud\"\n[Console]::Error.WriteLine('grün')\nexit 7",
        parameters={"Name": 'it\'s "ü" $x', "Loud": "true"},
        secrets={"Password": Secret("sehr geheim 5")},
    )
    assert (result.stdout, result.stderr) == ('it\'s "ü" $x/sehr geheim 5/True\n', "grün\n")
    assert result.returncode == 7
    assert "geheim" not in "".join(wire.machine.lines)
    assert len(wire.machine.lines[0]) < 8191


def test_an_uncaught_error_is_text_and_ends_with_one(winrm: WinrmTransport) -> None:
    result = winrm.run("'before'\nthrow 'it broke'\n'after'")
    assert (result.stdout, result.returncode) == ("before\n", 1)
    assert result.stderr == "it broke\nat line 2: throw 'it broke'\n"
    broken = winrm.run("if (")
    assert broken.returncode == 1 and "At line:1 char:5" in broken.stderr


def test_the_last_programs_exit_code_counts(winrm: WinrmTransport) -> None:
    assert winrm.run("& sh -c 'exit 5'").returncode == 5
    assert winrm.run("& sh -c 'exit 5'\n& sh -c 'exit 0'").returncode == 0


def test_standard_input_is_given_to_the_script(winrm: WinrmTransport) -> None:
    assert (
        winrm.run('"got: $input"', stdin="zwei\nZeilen ü".encode()).stdout
        == "got: zwei\nZeilen ü\n"
    )


def test_a_big_script_and_much_output_pass(winrm: WinrmTransport) -> None:
    text = "grüße " * 30_000
    result = winrm.run(f'# {text}\n1..2000 | ForEach-Object {{ "line $_" }}')
    assert result.stdout.splitlines()[-1] == "line 2000"


def test_objects_are_shown_as_powershell_shows_them(winrm: WinrmTransport) -> None:
    assert winrm.run("1; 'two'; 3").stdout.split() == ["1", "two", "3"]


def test_output_arrives_live_and_a_deadline_ends_the_command(winrm: WinrmTransport) -> None:
    seen: list[str] = []
    for seconds in (2, 10, 50):  # a busy computer takes longer to begin
        with pytest.raises(CommandTimeout) as caught:
            winrm.run(
                "'begun'; Start-Sleep -Seconds 100; 'over'",
                timeout=seconds,
                on_output=lambda stream, text: seen.append(text),
            )
        if seen:
            break
    assert seen == ["begun\n"] and caught.value.result.stdout == "begun\n"
    assert winrm.run("'again'").stdout == "again\n"


def test_a_proxy_in_the_environment_does_not_matter(
    winrm: WinrmTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert winrm.run("'ok'").stdout == "ok\n"


def test_https_needs_the_authority_that_signed(host: Host, wire: Wire) -> None:
    secure = replace(host, winrm_scheme="https", winrm_port=wire.https, ca=str(wire.ca))
    transport = WinrmTransport(secure)
    assert transport.run("'ok'").stdout == "ok\n"
    transport.close()
    with pytest.raises(CertificateRejected):
        WinrmTransport(replace(secure, ca=None)).run("'ok'")


def test_a_wrong_password_is_refused_without_being_repeated(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIN_PASSWORD", "wrong password")
    with pytest.raises(AuthenticationFailed) as caught:
        WinrmTransport(host).run("1")
    assert "wrong password" not in "\n".join(caught.value.lines())


def test_nobody_at_the_port_is_unreachable(host: Host) -> None:
    with pytest.raises(HostUnreachable, match="refused"):
        WinrmTransport(replace(host, winrm_port=1)).run("1")


def test_a_reboot_takes_the_shell_and_the_next_script_opens_another(
    winrm: WinrmTransport, wire: Wire
) -> None:
    assert winrm.run("'one'").ok
    wire.machine.reboot()
    try:
        winrm.run("'two'")
    except HostUnreachable:
        winrm.reconnect()
    assert winrm.run("'three'").stdout == "three\n"
