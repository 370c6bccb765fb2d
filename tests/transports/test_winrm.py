from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)

from k8swin_nb.errors import (
    AuthenticationFailed,
    CertificateRejected,
    CommandTimeout,
    EndUnknown,
    HostUnreachable,
    ScriptError,
    ScriptNotStarted,
    TransportError,
    TransportTimeout,
)
from k8swin_nb.inventory import Host
from k8swin_nb.scripts import Script
from k8swin_nb.secret import Secret
from k8swin_nb.transports import winrm as winrm_module
from k8swin_nb.transports import winrm_shell
from k8swin_nb.transports.winrm import STDIN_PIECE, WinrmTransport
from k8swin_nb.transports.winrm_shell import SHELL_NOT_FOUND
from k8swin_nb.transports.wsman import OddAnswer, plain_xml

Answer = tuple[bytes, bytes, int, bool]
END: Answer = (b"", b"", 0, True)


def fault(code: int | None, *, wmi: int | None = None) -> WSManFaultError:
    return WSManFaultError(
        500, "Bad HTTP", "<x/>", "the reason", wsman_fault_code=code, wmierror_code=wmi
    )


@dataclass
class Server:
    """What the scripted protocol answers, and what it was asked."""

    answers: list[Answer | Exception] = field(default_factory=lambda: [END])
    opening: list[Exception] = field(default_factory=list)
    starting: list[Exception] = field(default_factory=list)
    sending: list[Exception | None] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    stdin: list[tuple[bytes, bool]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    def make(self, **options: Any) -> Protocol:
        self.options = options
        return Protocol(self)

    silent: bool = False
    """The loader does not run: what is printed is something else's."""

    began: bool = False

    @property
    def document(self) -> Any:
        # What a process that serves several is sent first is a line of its own.
        return json.loads(b"".join(data for data, _ in self.stdin).splitlines()[-1])

    def spoken(self, answer: Answer) -> Answer:
        """What the loader adds to the output of a script."""
        out, err, code, done = answer
        if self.silent:
            return answer
        word = self.document["word"].encode()
        if not self.began:
            self.began, out = True, word + b" begin\r\n" + out
        if done:
            out += word + b" end %d!\r\n" % code
        return out, err, code, done


class Protocol:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.operation_timeout_sec = 20

    def open_shell(self, **options: Any) -> str:
        self.server.calls.append("open")
        if self.server.opening:
            raise self.server.opening.pop(0)
        assert options["codepage"] == 65001
        return "shell"

    def run_command(self, shell: str, command: str, arguments: list[str], **options: Any) -> str:
        self.server.calls.append("run")
        if self.server.starting:
            raise self.server.starting.pop(0)
        self.server.commands.append(" ".join([command, *arguments]))
        self.server.stdin.clear()
        self.server.began = False
        return "command"

    def send_command_input(self, shell: str, command: str, data: bytes, end: bool) -> None:
        if self.server.sending:
            trouble = self.server.sending.pop(0)
            if trouble is not None:
                raise trouble
        self.server.stdin.append((data, end))

    def get_command_output_raw(self, shell: str, command: str) -> Answer:
        answer = (
            self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        )
        if isinstance(answer, Exception):
            raise answer
        return self.server.spoken(answer)

    def cleanup_command(self, shell: str, command: str) -> None:
        self.server.calls.append("cleanup")

    def close_shell(self, shell: str, close_session: bool) -> None:
        self.server.calls.append("close")

    def cut(self) -> None:
        self.server.calls.append("drop")


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("WIN_PASSWORD", "win passwort 1")
    return Host(
        "win",
        "192.0.2.7",
        "windows",
        ("worker",),
        "Administrator",
        credential="env:WIN_PASSWORD",
        ca="/ca.pem",
    )


@pytest.fixture
def winrm(host: Host, server: Server) -> Iterator[WinrmTransport]:
    transport = WinrmTransport(host, protocol=server.make)
    yield transport
    transport.close()


def test_a_script_travels_on_standard_input_and_not_on_the_command_line(
    winrm: WinrmTransport, server: Server
) -> None:
    server.answers = [("Grüße\r\n".encode(), b"", -1, False), (b"", b"oops\r\n", 5, True)]
    result = winrm.run(
        "'Grüße 🐎'", parameters={"Name": "it's"}, secrets={"Pw": Secret("geheimes x")}
    )
    assert (result.stdout, result.stderr, result.returncode) == ("Grüße\n", "oops\n", 5)
    assert server.document["script"] == "'Grüße 🐎'"
    assert server.document["parameters"] == {"Name": "it's", "Pw": "geheimes x"}
    assert len(server.commands[0]) < 1000
    assert "geheim" not in server.commands[0]
    assert server.calls == ["open", "run", "cleanup"]


def test_the_command_line_is_the_same_for_every_script_but_for_its_tag(
    winrm: WinrmTransport, server: Server
) -> None:
    winrm.run("exit 1", tag="k8swin-check-a")
    winrm.run("2" * 10, secrets={"S": Secret("anderes x")}, tag="k8swin-apply-b")
    assert server.commands[0].replace("k8swin-check-a", "k8swin-apply-b") == server.commands[1]
    assert server.commands[1].count("k8swin-apply-b") == 1


def test_standard_input_goes_in_pieces_and_only_the_last_one_ends_it(
    winrm: WinrmTransport, server: Server
) -> None:
    winrm.run("# " + "x" * 200_000, stdin="ü\n".encode())
    assert [end for _, end in server.stdin] == [False, False, False, True]
    assert max(len(data) for data, _ in server.stdin) <= STDIN_PIECE < 100_000
    assert server.document["stdin"] == "ü\n"


def test_a_switch_is_sent_as_a_switch(winrm: WinrmTransport, server: Server) -> None:
    script = Script.from_text("param([switch]$Force, [string]$Name)", "powershell", "x")
    winrm.run(script, parameters={"force": "true", "Name": "true"})
    assert server.document["parameters"] == {"force": True, "Name": "true"}
    with pytest.raises(ScriptError, match="switch"):
        winrm.run(script, parameters={"Force": "yes"})


def test_one_shell_serves_all_scripts_and_is_deleted_on_close(
    winrm: WinrmTransport, server: Server
) -> None:
    winrm.run("1")
    winrm.run("2")
    winrm.close()
    winrm.close()
    assert server.calls == ["open", "run", "cleanup", "run", "cleanup", "close", "drop"]


def test_a_character_in_two_pieces_is_put_together(winrm: WinrmTransport, server: Server) -> None:
    whole = "aé🐎\r\n".encode()
    server.answers = [(whole[i : i + 1], b"", -1, False) for i in range(len(whole))] + [END]
    seen: list[str] = []
    assert winrm.run("x", on_output=lambda stream, text: seen.append(text)).stdout == "aé🐎\n"
    assert "".join(seen) == "aé🐎\n"


def test_silence_of_the_server_is_waited_out(winrm: WinrmTransport, server: Server) -> None:
    server.answers = [
        WinRMOperationTimeoutError(),
        WinRMOperationTimeoutError(),
        (b"done", b"", 0, True),
    ]
    assert winrm.run("Start-Sleep 60").stdout == "done"


def test_a_hung_command_is_ended_at_its_deadline(winrm: WinrmTransport, server: Server) -> None:
    server.answers = [(b"begun\r\n", b"", -1, False), WinRMOperationTimeoutError()]
    with pytest.raises(CommandTimeout) as caught:
        winrm.run("x", timeout=1)
    assert caught.value.result.stdout == "begun\n"
    # The signal ends the program, the shell takes along what it has started.
    assert server.calls[-2:] == ["cleanup", "close"]


def test_a_cancelled_command_is_ended(winrm: WinrmTransport, server: Server) -> None:
    cancel = threading.Event()
    server.answers = [(b"begun\r\n", b"", -1, False)]
    result = winrm.run("x", cancel=cancel, on_output=lambda stream, text: cancel.set())
    assert result.returncode == 143
    # The signal ends the program, the shell takes along what it has started.
    assert server.calls[-2:] == ["cleanup", "close"]


def test_a_refused_login_is_tried_once(winrm: WinrmTransport, server: Server) -> None:
    server.opening = [
        InvalidCredentialsError("the specified credentials were rejected by the server")
    ]
    with pytest.raises(AuthenticationFailed, match="Administrator") as caught:
        winrm.run("1")
    assert server.calls == ["open", "drop"]
    assert "win passwort 1" not in str(caught.value)


def test_a_lost_shell_is_opened_anew_before_the_command_and_only_once(
    winrm: WinrmTransport, server: Server
) -> None:
    winrm.run("1")
    server.starting = [fault(SHELL_NOT_FOUND)]
    assert winrm.run("2").ok
    assert server.calls == ["open", "run", "cleanup", "run", "open", "run", "cleanup"]
    server.starting = [fault(SHELL_NOT_FOUND), fault(SHELL_NOT_FOUND)]
    with pytest.raises(TransportError, match=str(SHELL_NOT_FOUND)):
        winrm.run("3")


def test_a_command_that_was_started_is_never_started_again(
    winrm: WinrmTransport, server: Server
) -> None:
    server.answers = [fault(SHELL_NOT_FOUND)]
    with pytest.raises(TransportError):
        winrm.run("x")
    assert server.calls.count("run") == 1
    server.answers = [requests.exceptions.ConnectionError("Connection reset")]
    with pytest.raises(HostUnreachable, match="reset"):
        winrm.run("x")
    assert server.calls.count("run") == 2
    server.answers = [END]
    assert winrm.run("x").ok


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_no_environment_decides_how_to_connect(host: Host, server: Server, scheme: str) -> None:
    transport = WinrmTransport(replace(host, winrm_scheme=scheme), protocol=server.make)  # type: ignore[arg-type]
    transport.run("1")
    transport.close()
    trust = server.options["trust"]
    assert trust is None if scheme == "http" else trust.host.ca == "/ca.pem"
    assert server.options["sealing"] is (scheme == "http")
    assert server.options["dial"] is None
    assert server.options["endpoint"] == f"{scheme}://192.0.2.7:5986/wsman"


def test_basic_over_http_is_refused_before_anything_is_sent(host: Host, server: Server) -> None:
    plain = replace(host, winrm_scheme="http", winrm_auth="basic")
    with pytest.raises(AuthenticationFailed, match="in clear"):
        WinrmTransport(plain, protocol=server.make).run("1")
    assert not server.calls and not server.options


def test_a_rejected_certificate_has_its_own_error(winrm: WinrmTransport, server: Server) -> None:
    server.opening = [requests.exceptions.SSLError("certificate verify failed")]
    with pytest.raises(CertificateRejected) as caught:
        winrm.run("1")
    assert "`ca`" in (caught.value.hint or "")


def test_a_handshake_that_is_cut_short_says_nothing_of_the_certificate(
    winrm: WinrmTransport, server: Server
) -> None:
    cut = ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
    nested = urllib3.exceptions.MaxRetryError(None, "/wsman", urllib3.exceptions.SSLError(cut))
    server.opening = [requests.exceptions.SSLError(nested)]
    with pytest.raises(HostUnreachable, match="EOF occurred"):
        winrm.run("1")


def test_there_is_no_sudo_on_windows(winrm: WinrmTransport, server: Server) -> None:
    with pytest.raises(ScriptError, match="sudo"):
        winrm.run("1", sudo=True)
    assert not server.calls


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("Cannot create type. Only core types are supported in this language mode.", "AppLocker"),
        ("'powershell.exe' is not recognized as an internal or external command,", "Path"),
        ('Der Befehl "powershell.exe" ist entweder falsch geschrieben oder', "Path"),
    ],
)
def test_a_loader_that_ended_before_it_read_is_told_with_its_words(
    winrm: WinrmTransport, server: Server, said: str, hint: str
) -> None:
    server.silent = True
    server.sending = [fault(232)]
    server.answers = [(b"", said.encode(), 1, True)]
    with pytest.raises(ScriptNotStarted, match="exit code 1 before") as caught:
        winrm.run("'x'")
    assert said in "\n".join(caught.value.lines())
    assert hint in (caught.value.hint or "")
    assert server.calls == ["open", "run", "cleanup"]


def test_a_program_that_takes_no_input_and_does_not_end_is_ended(
    winrm: WinrmTransport, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winrm_module, "LAST_SECONDS", 0.2)
    server.sending = [fault(232)]
    server.silent = True
    server.answers = [WinRMOperationTimeoutError()]
    with pytest.raises(TransportTimeout, match="takes no input"):
        winrm.run("'x'")
    assert server.calls[:4] == ["open", "run", "cleanup", "close"]


def test_input_whose_answer_is_late_is_not_sent_again(
    winrm: WinrmTransport, server: Server
) -> None:
    slow = server.sending = [WinRMOperationTimeoutError()]
    sent: list[bytes] = []

    class Late(Protocol):
        def send_command_input(self, shell: str, command: str, data: bytes, end: bool) -> None:
            sent.append(data)
            self.server.stdin.append((data, end))
            if slow:
                raise slow.pop(0)

    server.answers = [(b"done\r\n", b"", 0, True)]
    transport = WinrmTransport(winrm.host, protocol=lambda **_: Late(server))
    assert transport.run("'x'").stdout == "done\n"
    assert len(sent) == 1
    transport.close()


def test_a_busy_server_is_offered_the_same_input_again(
    winrm: WinrmTransport, server: Server
) -> None:
    server.sending = [fault(170)]
    server.answers = [(b"done\r\n", b"", 0, True)]
    assert winrm.run("'x'").stdout == "done\n"
    assert len(server.stdin) == 1
    server.sending = [fault(170)] * 10_000
    with pytest.raises(CommandTimeout):
        winrm.run("'x'", timeout=0.5)


@pytest.mark.parametrize("trouble", [fault(None, wmi=2150859174), fault(2150859173)])
def test_a_used_up_quota_is_freed_by_a_new_shell_and_told_when_that_does_not_help(
    winrm: WinrmTransport, server: Server, trouble: WSManFaultError
) -> None:
    assert winrm.run("'x'").ok
    server.starting = [trouble]
    assert winrm.run("'x'").ok
    assert server.calls == ["open", "run", "cleanup", "run", "close", "open", "run", "cleanup"]
    server.starting = [trouble, trouble]
    with pytest.raises(TransportError) as caught:
        winrm.run("'x'")
    assert "Restart-Service WinRM" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("code", "setting"),
    [
        (0x803381A5, "MaxShellsPerUser"),
        (0x803381E4, "MaxShellsPerUser"),
        (0x803381A6, "MaxConcurrentOperationsPerUser"),
        (0x803381E8, "MaxConcurrentOperationsPerUser"),
        (0x803381AB, "MaxConcurrentUsers"),
        (0x803381E5, "MaxConcurrentUsers"),
        (0x803381E9, "MaxProcessesPerShell"),
        (0x803381A7, "wait a minute"),
        (0x8007000E, "MaxMemoryPerShellMB"),
    ],
)
def test_a_quota_that_is_used_up_is_named_as_windows_sets_it(
    winrm: WinrmTransport, server: Server, code: int, setting: str
) -> None:
    server.opening = [fault(code), fault(code)]
    with pytest.raises(TransportError) as caught:
        winrm.run("'x'")
    assert setting in (caught.value.hint or "")


def test_a_script_that_is_silent_for_long_is_asked_more_slowly(host: Host, server: Server) -> None:
    asked: list[int] = []

    class Quiet(Protocol):
        def get_command_output_raw(self, shell: str, command: str) -> Answer:
            asked.append(self.operation_timeout_sec)
            if len(asked) in range(2, 12):
                raise WinRMOperationTimeoutError
            return super().get_command_output_raw(shell, command)

    server.answers = [(b"one\r\n", b"", -1, False), (b"two\r\n", b"", -1, False), END]
    spared = winrm_module.SPARED_SECONDS
    winrm_module.SPARED_SECONDS = 0.0
    try:
        transport = WinrmTransport(host, protocol=lambda **_: Quiet(server))
        assert transport.run("x").stdout == "one\ntwo\n"
    finally:
        winrm_module.SPARED_SECONDS = spared
    transport.close()
    assert asked == [20] * 7 + [50] * 5 + [20]


@pytest.mark.parametrize(("bound", "most"), [("COMMANDS_PER_SHELL", 2), ("REQUESTS_PER_SHELL", 8)])
def test_a_shell_is_renewed_before_its_commands_or_messages_use_up_the_quota(
    winrm: WinrmTransport, server: Server, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    monkeypatch.setattr(winrm_shell, bound, most)
    for _ in range(3):
        winrm.run("'x'")
    turn = ["run", "cleanup"]
    assert server.calls == ["open", *turn, *turn, "close", "open", *turn]


def test_a_right_password_without_the_rights_is_a_refused_login(
    winrm: WinrmTransport, server: Server
) -> None:
    server.opening = [fault(5)]
    with pytest.raises(AuthenticationFailed, match="rights are not enough") as caught:
        winrm.run("'x'")
    assert "LocalAccountTokenFilterPolicy" in (caught.value.hint or "")
    assert server.calls == ["open", "drop"]


@pytest.mark.parametrize(
    ("code", "ca", "hint"),
    [
        (62, None, "`winrm_host`"),
        (64, "/ca.pem", "`winrm_host`"),
        (10, "/ca.pem", "clocks"),
        (20, "/ca.pem", "`/ca.pem` holds another authority"),
        (18, None, "as the host's `ca`"),
    ],
)
def test_the_hint_for_a_certificate_is_about_what_is_wrong_with_it(
    host: Host, server: Server, code: int, ca: str | None, hint: str
) -> None:
    cause = ssl.SSLCertVerificationError(1, "certificate verify failed")
    cause.verify_code = code
    nested = urllib3.exceptions.MaxRetryError(None, "/wsman", urllib3.exceptions.SSLError(cause))  # type: ignore[arg-type]
    server.opening = [requests.exceptions.SSLError(nested)]
    with pytest.raises(CertificateRejected) as caught:
        WinrmTransport(replace(host, ca=ca), protocol=server.make).run("1")
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("code", [0, 1, 10, 20])
def test_a_script_that_did_not_come_to_its_end_counts_as_nothing(
    winrm: WinrmTransport, server: Server, code: int
) -> None:
    class Killed(Protocol):
        def get_command_output_raw(self, shell: str, command: str) -> Answer:
            word = self.server.document["word"].encode()
            return word + b" begin\r\nhalf a", b"", code, True

    transport = WinrmTransport(winrm.host, protocol=lambda **_: Killed(server))
    with pytest.raises(EndUnknown, match=f"did not come to its end.*exit code {code}"):
        transport.run("'x'")
    transport.close()


def test_what_interrupts_the_wait_stops_the_script(winrm: WinrmTransport, server: Server) -> None:
    def press(stream: str, text: str) -> None:
        raise KeyboardInterrupt

    server.answers = [(b"begun\r\n", b"", -1, False)]
    with pytest.raises(KeyboardInterrupt):
        winrm.run("x", on_output=press)
    assert server.calls[-2:] == ["cleanup", "close"]


def test_a_stop_that_the_server_does_not_confirm_is_said(
    winrm: WinrmTransport, server: Server
) -> None:
    class Deaf(Protocol):
        def close_shell(self, shell: str, close_session: bool) -> None:
            raise requests.exceptions.ConnectionError("Connection reset")

    cancel = threading.Event()
    server.answers = [(b"begun\r\n", b"", -1, False)]
    transport = WinrmTransport(winrm.host, protocol=lambda **_: Deaf(server))
    result = transport.run("x", cancel=cancel, on_output=lambda *_: cancel.set())
    assert result.returncode == 143 and "did not confirm the stop" in result.left
    assert "did not confirm the stop" in "\n".join(CommandTimeout(result, 1).lines())
    transport.close()


def test_a_program_ends_although_hosts_do_not_answer(tmp_path: Path) -> None:
    program = """
import socket, threading
from k8swin_nb.inventory import Host
from k8swin_nb.transports.winrm import WinrmTransport
silent = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
for each in silent:
    host = Host("w", "127.0.0.1", "windows", (), "u", credential="env:PW", winrm_port=each.getsockname()[1])
    threading.Thread(target=WinrmTransport(host).run, args=("1",), daemon=True).start()
threading.Event().wait(0.5)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PW": "x y z 1"},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0


@pytest.mark.parametrize("answer", [(b"", b"", -1, False), WinRMOperationTimeoutError()])
def test_a_server_that_says_nothing_at_once_is_not_asked_without_a_pause(
    winrm: WinrmTransport, server: Server, answer: Answer | Exception
) -> None:
    asked = 0

    class Hasty(Protocol):
        def get_command_output_raw(self, shell: str, command: str) -> Answer:
            nonlocal asked
            asked += 1
            if isinstance(answer, Exception):
                raise answer
            return answer

    transport = WinrmTransport(winrm.host, protocol=lambda **_: Hasty(server))
    with pytest.raises(CommandTimeout):
        transport.run("x", timeout=1)
    assert asked < 10
    transport.close()


GONE = [fault(SHELL_NOT_FOUND), fault(995), fault(5), WinRMTransportError("http", 503, "")]


@pytest.mark.parametrize("trouble", [*GONE, fault(2150859174), OSError("broken"), StopIteration()])
def test_a_script_that_may_run_on_is_called_unknown_whatever_the_server_says(
    winrm: WinrmTransport, server: Server, trouble: Exception
) -> None:
    server.answers = [(b"half\r\n", b"", -1, False), trouble]
    with pytest.raises(TransportError, match="had begun, and how it ended is not known") as caught:
        winrm.run("'x'")
    assert isinstance(caught.value, (EndUnknown, HostUnreachable)) and caught.value.begun
    assert server.calls.count("run") == 1
    # What it left is given back, now or with the next script.
    server.answers = [END]
    assert winrm.run("'y'").ok
    assert server.calls.count("close") == 1


@pytest.mark.parametrize("trouble", GONE)
def test_an_end_that_the_script_has_told_stands_whatever_the_server_says_then(
    winrm: WinrmTransport, server: Server, trouble: Exception
) -> None:
    class Cut(Protocol):
        def get_command_output_raw(self, shell: str, command: str) -> Answer:
            if server.began:
                raise trouble
            server.began = True
            word = self.server.document["word"].encode()
            return word + b" begin\r\nwhole\r\n" + word + b" end 10!\r\n", b"", -1, False

    transport = WinrmTransport(winrm.host, protocol=lambda **_: Cut(server))
    result = transport.run("'x'")
    assert (result.returncode, result.stdout) == (10, "whole\n")
    transport.close()


@pytest.mark.parametrize(
    ("trouble", "hint"),
    [
        (fault(2150859179), "Restart-Service WinRM"),
        (fault(2150859240), "Restart-Service WinRM"),
        (fault(None, wmi=2150859236), "Restart-Service WinRM"),
        (fault(2150859180), "AllowRemoteShellAccess"),
        (fault(2150858790), "MaxEnvelopeSizekb"),
        (fault(2150858752), "winrm/config/plugin"),
        (fault(1018), "MaxMemoryPerShellMB"),
        (fault(1115), "going down"),
        (fault(170), "busy"),
        (WinRMTransportError("http", 503, ""), "Get-Service WinRM"),
        (WinRMTransportError("http", 404, "<html>"), "/wsman"),
        (WinRMTransportError("http", 413, ""), "MaxEnvelopeSizekb"),
        (WinRMTransportError("http", 502, ""), "gateway"),
        (WinRMTransportError("http", 500, ""), "Microsoft-Windows-WinRM/Operational"),
        (WinRMTransportError("http", 500, "<html><title>Proxy Error"), "a proxy"),
        (requests.exceptions.ConnectionError(ConnectionResetError(104, "reset")), "`winrm_port`"),
    ],
)
@pytest.mark.parametrize("phase", ["opening", "starting"])
def test_what_a_server_says_before_anything_runs_has_a_hint_of_its_own(
    winrm: WinrmTransport, server: Server, phase: str, trouble: Exception, hint: str
) -> None:
    getattr(server, phase).append(trouble)
    with pytest.raises(TransportError) as caught:
        winrm.run("'x'")
    assert hint in (caught.value.hint or "")
    assert not isinstance(caught.value, (EndUnknown, CommandTimeout))
    assert isinstance(caught.value, HostUnreachable) == ("reset" in str(trouble))
    assert not server.stdin


def test_input_that_the_server_refuses_is_told_in_its_own_words(
    winrm: WinrmTransport, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winrm_module, "LAST_SECONDS", 0.2)
    server.sending = [fault(2150858790)]
    server.silent = True
    server.answers = [WinRMOperationTimeoutError()]
    with pytest.raises(TransportError, match=r"whether `.*` ran is not known") as caught:
        winrm.run("'x'")
    assert "MaxEnvelopeSizekb" in (caught.value.hint or "")
    assert server.calls[-2:] == ["cleanup", "close"]


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("WRONG_VERSION_NUMBER", "speaks no TLS"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "TLS 1.2"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "TLS 1.2"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "certificate of this computer"),
    ],
)
def test_tls_that_fails_before_a_certificate_is_not_called_a_bad_certificate(
    winrm: WinrmTransport, server: Server, reason: str, hint: str
) -> None:
    cause = ssl.SSLError(1, f"[SSL: {reason}] it failed")
    cause.reason = reason
    nested = urllib3.exceptions.MaxRetryError(None, "/wsman", urllib3.exceptions.SSLError(cause))  # type: ignore[arg-type]
    server.opening = [requests.exceptions.SSLError(nested)]
    with pytest.raises(TransportError, match="no TLS connection") as caught:
        winrm.run("1")
    assert not isinstance(caught.value, (CertificateRejected, HostUnreachable))
    assert hint in (caught.value.hint or "")


class Held(Protocol):
    """What the script has started holds its output open: the server never says that the command is over."""

    code = b"0"

    def get_command_output_raw(self, shell: str, command: str) -> Answer:
        if self.server.began:
            raise WinRMOperationTimeoutError
        self.server.began = True
        word = self.server.document["word"].encode()
        return word + b" begin\r\n" + word + b" end " + self.code + b"!\r\n", b"", -1, False


def test_a_script_whose_child_holds_its_output_open_is_over_when_it_says_so(
    winrm: WinrmTransport, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winrm_module, "END_SECONDS", 0.5)
    transport = WinrmTransport(winrm.host, protocol=lambda **_: Held(server))
    assert transport.run("Start-Process notepad").ok
    monkeypatch.setattr(winrm_module, "END_SECONDS", 600.0)
    assert transport.run("Start-Process notepad", timeout=3).ok
    transport.close()


def test_a_script_that_left_by_exit_while_its_child_holds_its_output_open_is_unknown(
    winrm: WinrmTransport, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winrm_module, "END_SECONDS", 0.5)
    monkeypatch.setattr(Held, "code", b"")
    transport = WinrmTransport(winrm.host, protocol=lambda **_: Held(server))
    with pytest.raises(EndUnknown, match="came to its end by `exit`"):
        transport.run("Start-Process notepad; exit 0")
    assert server.calls[-2:] == ["cleanup", "close"]
    transport.close()


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_entities_are_declared_in_no_encoding(encoding: str) -> None:
    with pytest.raises(OddAnswer):
        plain_xml(BOMB.encode(encoding))


@pytest.mark.parametrize("named", ["cp037", "utf-7", "UTF-16", "iso-8859-1"])
def test_an_answer_in_an_encoding_that_nobody_asked_for_is_none(named: str) -> None:
    with pytest.raises(OddAnswer, match="not in UTF-8"):
        plain_xml(f"\n<?xml version='1.0' encoding = '{named}'?><x/>".encode())
    for head in ("", "<?xml version='1.0'?>", '\ufeff<?xml version="1.0" encoding="UTF-8" ?>'):
        text = f"{head}<x>encoding='{named}'</x>".encode()
        assert plain_xml(text) == text
