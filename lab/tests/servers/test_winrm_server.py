"""WinRM against pywinrm, and against requests that no well-behaved client sends."""

from __future__ import annotations

import datetime
import ipaddress
import re
import ssl
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import winrm
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from k8swin_lab.servers.listener import Faults
from k8swin_lab.servers.winrm import WinrmServer
from k8swin_lab.servers.winrm_shells import Quotas
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)

from lab.tests.servers.server_machines import FakeWindows
from lab.tests.servers.waiting import eventually

pytestmark = pytest.mark.wire

PASSWORD = "p:ss wörd!"


@dataclass
class Host:
    machine: FakeWindows
    server: WinrmServer
    http: str
    https: str
    ca: Path
    faults: Faults

    def protocol(self, **options: Any) -> winrm.Protocol:
        settings: dict[str, Any] = {
            "endpoint": self.http,
            "transport": "ntlm",
            "username": "Administrator",
            "password": PASSWORD,
            "message_encryption": "always",
            "operation_timeout_sec": 5,
            "read_timeout_sec": 15,
            "proxy": None,
            "ca_trust_path": None,
        }
        return winrm.Protocol(**(settings | options))

    def run(self, line: str, *arguments: str, **options: Any) -> tuple[bytes, bytes, int]:
        protocol = self.protocol(**options)
        shell = protocol.open_shell()
        command = protocol.run_command(shell, line, arguments)
        try:
            result: tuple[bytes, bytes, int] = protocol.get_command_output(shell, command)
            protocol.cleanup_command(shell, command)
        finally:
            protocol.close_shell(shell)
        return result


@pytest.fixture
def host(loop: Any, tmp_path: Path) -> Iterator[Host]:
    machine, faults = FakeWindows(), Faults()
    server = WinrmServer(
        machine,
        quotas=Quotas(shells_per_user=4, processes_per_shell=2),
        allow_basic=True,
        faults=faults,
    )
    ca, context = _certificate(tmp_path)
    http = loop.run(server.start("127.0.0.1", 0))
    https = loop.run(server.start("127.0.0.1", 0, certificate=context))
    yield Host(
        machine,
        server,
        f"http://127.0.0.1:{http}/wsman",
        f"https://127.0.0.1:{https}/wsman",
        ca,
        faults,
    )
    loop.run(server.stop())


def test_a_command_gives_its_output_both_streams_and_its_exit_code(host: Host) -> None:
    assert host.run("both", "3") == (b"out\n", b"err\n", 3)


@pytest.mark.parametrize("encryption", ["always", "auto"])
def test_https_serves_with_the_labs_authority(host: Host, encryption: str) -> None:
    options = {"endpoint": host.https, "ca_trust_path": str(host.ca)}

    assert host.run("echo hi", **options, message_encryption=encryption)[0] == b"hi\n"


def test_the_account_may_be_written_with_a_domain_and_in_any_case(host: Host) -> None:
    assert host.run("whoami", username=".\\administrator")[0] == b"Administrator\n"
    assert host.run("whoami", username="WINWORKER01\\Administrator")[0] == b"Administrator\n"


@pytest.mark.parametrize(
    ("user", "password"), [("Administrator", "wrong"), ("nobody", PASSWORD), ("nobody", "")]
)
def test_a_wrong_login_is_refused_and_locks_nothing(host: Host, user: str, password: str) -> None:
    for _ in range(3):
        with pytest.raises(InvalidCredentialsError):
            host.protocol(username=user, password=password).open_shell()

    assert host.run("echo in")[0] == b"in\n"


def test_basic_is_refused_over_http_and_taken_over_https_where_allowed(host: Host) -> None:
    basic = {"transport": "basic", "message_encryption": "never"}
    with pytest.raises(InvalidCredentialsError):
        host.run("echo hi", **basic)

    secure = {"endpoint": host.https, "ca_trust_path": str(host.ca)}
    assert host.run("echo hi", **basic, **secure)[0] == b"hi\n"


def test_http_offers_negotiate_and_never_basic(host: Host) -> None:
    answer = requests.post(host.http, timeout=100)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Negotiate, NTLM"


def test_an_unencrypted_message_over_http_is_refused(host: Host) -> None:
    with pytest.raises(WinRMTransportError):
        host.protocol(message_encryption="never").open_shell()


def test_spnego_tokens_are_taken_like_bare_ntlm_ones(host: Host) -> None:
    import base64

    import spnego

    client = spnego.client(
        "Administrator",
        PASSWORD,
        hostname="127.0.0.1",
        service="http",
        protocol="negotiate",
        options=spnego.NegotiateOptions.use_negotiate,
    )
    with requests.Session() as session:
        token = client.step()
        for _ in range(4):
            header = f"Negotiate {base64.b64encode(token or b'').decode()}"
            answer = session.post(host.http, headers={"Authorization": header}, timeout=100)
            found = re.fullmatch(r"Negotiate (\S+)", answer.headers["WWW-Authenticate"])
            assert found
            token = client.step(base64.b64decode(found[1]))
            if client.complete:
                break

    assert answer.status_code == 200


def test_identify_answers_without_a_login(host: Host) -> None:
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
        "<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>"
    )

    answer = requests.post(
        host.http, body, headers={"WSMANIDENTIFY": "unauthenticated"}, timeout=100
    )

    assert "OS: 10.0.20348 SP: 0.0 Stack: 3.0" in answer.text


def test_input_is_sent_in_pieces_and_ends(host: Host) -> None:
    protocol = host.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "cat")
    for piece in (b"one\n", b"\x00\xff", b""):
        protocol.send_command_input(shell, command, piece, end=not piece)

    assert protocol.get_command_output(shell, command) == (b"one\n\x00\xff", b"", 0)
    protocol.close_shell(shell)


def test_much_output_comes_in_several_envelopes(host: Host) -> None:
    assert len(host.run("flood", "40")[0]) == 40 * 65536


def test_output_is_seen_before_the_command_ends(host: Host) -> None:
    protocol = host.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "wait")

    assert protocol.get_command_output_raw(shell, command) == (b"waiting\n", b"", -1, False)
    protocol.close_shell(shell)


def test_a_silent_command_is_an_operation_timeout_and_goes_on(host: Host) -> None:
    protocol = host.protocol(operation_timeout_sec=1)
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "pause 1.5")

    with pytest.raises(WinRMOperationTimeoutError):
        protocol.get_command_output_raw(shell, command)
    assert protocol.get_command_output(shell, command)[0] == b"done\n"
    protocol.close_shell(shell)


def test_a_shell_carries_environment_directory_and_code_page(host: Host) -> None:
    protocol = host.protocol()
    shell = protocol.open_shell(
        working_directory="C:\\k", env_vars={"PATH": "C:\\x"}, codepage=65001
    )

    def output(line: str) -> bytes:
        command = protocol.run_command(shell, line)
        found: bytes = protocol.get_command_output(shell, command)[0]
        return found

    assert output("pwd") == b"C:\\k\n"
    assert output("env Path") == b"C:\\x\n"
    assert output("codepage") == b"65001\n"
    protocol.close_shell(shell)
    assert host.run("pwd")[0] == b"C:\\Users\\Administrator\n"


@pytest.mark.parametrize("how", ["terminate", "delete"])
def test_a_command_is_cancelled_by_a_signal_and_with_its_shell(host: Host, how: str) -> None:
    protocol = host.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "wait")
    protocol.get_command_output_raw(shell, command)
    if how == "terminate":
        protocol.cleanup_command(shell, command)
    else:
        protocol.close_shell(shell)

    eventually(lambda: host.machine.cancelled == 1)


def test_what_the_lab_does_not_know_says_so_and_fails(host: Host) -> None:
    assert host.run("frobnicate") == (b"", b"not simulated in the lab: frobnicate\r\n", 70)


def test_an_unknown_shell_is_the_fault_windows_gives(host: Host) -> None:
    with pytest.raises(WSManFaultError, match="the shell was not found") as caught:
        host.protocol().run_command(str(uuid.uuid4()), "echo")

    assert (caught.value.wsman_fault_code, caught.value.code) == (2150858843, 500)


def test_quotas_limit_shells_and_commands(host: Host) -> None:
    protocol = host.protocol()
    shells = [protocol.open_shell() for _ in range(4)]
    with pytest.raises(WSManFaultError, match="maximum number of 4 concurrent") as caught:
        protocol.open_shell()
    assert caught.value.wsman_fault_code == 2150859173

    for _ in range(2):
        protocol.run_command(shells[0], "wait")
    with pytest.raises(WSManFaultError, match="concurrent commands per shell is 2"):
        protocol.run_command(shells[0], "wait")
    for shell in shells:
        protocol.close_shell(shell, close_session=False)
    assert host.run("echo free")[0] == b"free\n"


def test_a_message_over_the_envelope_quota_is_a_fault(host: Host) -> None:
    protocol = host.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "cat")

    with pytest.raises(WSManFaultError, match="the largest it takes is 512000 bytes"):
        protocol.send_command_input(shell, command, b"x" * 500_000)
    protocol.close_shell(shell)


def test_an_idle_shell_is_reaped(host: Host) -> None:
    protocol = host.protocol()
    shell = protocol.open_shell(idle_timeout="PT0.1S")
    threading.Event().wait(0.3)

    with pytest.raises(WSManFaultError) as caught:
        protocol.run_command(shell, "echo")
    assert caught.value.wsman_fault_code == 2150858843


def test_shells_survive_an_interrupted_network(host: Host) -> None:
    protocol = host.protocol()
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "pause 0.8")
    host.machine.interrupt(600)
    with pytest.raises(requests.ConnectionError):
        protocol.get_command_output_raw(shell, command)
    host.machine.interrupt(0)

    again: list[tuple[bytes, bytes, int]] = []

    def reconnects() -> bool:
        try:
            again.append(host.protocol().get_command_output(shell, command))
        except requests.ConnectionError:
            return False
        return True

    eventually(reconnects)
    assert again == [(b"done\n", b"", 0)]


def test_shells_are_gone_after_a_boot(host: Host) -> None:
    shell = host.protocol().open_shell()
    host.machine.reboot()

    def gone() -> bool:
        try:
            host.protocol().run_command(shell, "echo")
        except requests.ConnectionError:
            return False
        except WSManFaultError as error:
            return error.wsman_fault_code == 2150858843
        return False

    eventually(gone)


def test_the_next_connections_can_be_dropped(host: Host) -> None:
    host.faults.drop = 1
    with pytest.raises(requests.ConnectionError):
        host.protocol().open_shell()

    assert host.run("echo in")[0] == b"in\n"


def test_a_document_type_is_refused(host: Host) -> None:
    with pytest.raises(WSManFaultError, match="document type"):
        host.protocol().send_message('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')


def test_a_changed_byte_in_a_sealed_message_is_refused(host: Host) -> None:
    protocol = host.protocol()
    protocol.open_shell()
    transport = protocol.transport
    prepared = transport.encryption.prepare_encrypted_request(
        transport.session, transport.endpoint, b"<x/>"
    )
    body = bytearray(prepared.body)
    body[-30] ^= 1
    prepared.body = bytes(body)

    assert transport.session.send(prepared, timeout=100).status_code == 400


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "winworker01")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=2))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    path, key_path = folder / "ca.pem", folder / "key.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return path, context


def test_pypsrps_remote_shell_is_served(host: Host) -> None:
    """It asks for answers without output that say that the shell is alive."""
    wsman = pytest.importorskip(
        "pypsrp.wsman", reason="pypsrp is not installed: pip install pypsrp"
    )
    from pypsrp.shell import Process, WinRS

    address = urlsplit(host.http)
    login = {"auth": "ntlm", "username": "Administrator", "password": PASSWORD}
    with (
        wsman.WSMan(address.hostname, port=address.port, ssl=False, **login) as client,
        WinRS(client) as shell,
    ):
        process = Process(shell, "echo", ["said"])
        process.invoke()
        process.signal("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/ctrl_c")
    assert b"said" in process.stdout
