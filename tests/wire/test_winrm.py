"""WinRM over real sockets, NTLM and message encryption, with a PowerShell behind it: the lab's."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import replace

import pytest
from k8swin_lab.machines.program import Process

from k8swin_nb.errors import (
    AuthenticationFailed,
    CertificateRejected,
    CommandTimeout,
    HostUnreachable,
    ScriptNotStarted,
    Stopped,
    TransportError,
    TransportTimeout,
)
from k8swin_nb.inventory import Host
from k8swin_nb.secret import Secret
from k8swin_nb.transports.winrm import WinrmTransport
from tests.wire.machine import Wire

pytestmark = pytest.mark.wire


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


def test_nothing_of_a_request_is_printed_or_logged_whoever_looks_into_http(
    winrm: WinrmTransport,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    caplog.set_level(1)
    word = "Nicht-im-Protokoll-3"
    assert winrm.run("param([string]$P) $P", secrets={"P": Secret(word)}).stdout == f"{word}\n"
    said = "".join(capfd.readouterr()) + caplog.text
    assert "wsman" in caplog.text and "send:" not in said and "Envelope" not in said
    assert word not in said


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


def test_a_host_that_answers_instead_of_running_the_script_is_no_success(
    winrm: WinrmTransport, wire: Wire
) -> None:
    def banner(process: Process) -> int:
        process.out("Please log in as another user\r\n")
        return 0

    wire.machine.before = banner
    for work in (
        lambda: winrm.run("'x'"),
        lambda: winrm.put(b"x", "/tmp/x"),
        lambda: winrm.get("/x"),
    ):
        with pytest.raises(ScriptNotStarted, match="exit code 0 before") as caught:
            work()
        assert "Please log in as another user" in "\n".join(caught.value.lines())


def test_what_is_printed_before_a_script_is_not_its_output(
    winrm: WinrmTransport, wire: Wire
) -> None:
    def noise(process: Process) -> None:
        process.stdout.write(b"\xef\xbb\xbfunterminated \xff\x00")

    wire.machine.before = noise
    seen: list[str] = []
    result = winrm.run("'own'; [Console]::Out.Write('end')", on_output=lambda _, x: seen.append(x))
    assert (result.stdout, "".join(seen)) == ("own\nend", "own\nend")


def test_an_exit_in_the_script_is_an_end_that_is_proven(winrm: WinrmTransport) -> None:
    assert winrm.run("'a'; & { exit 20 } | ForEach-Object { $_ }").returncode == 20
    left = winrm.run("try { exit 3 } finally { 'cleanup' }")
    assert (left.returncode, left.stdout) == (3, "cleanup\n")


def test_the_deadline_counts_while_a_script_waits_for_its_turn_and_it_never_runs(
    winrm: WinrmTransport, wire: Wire
) -> None:
    enough = threading.Event()
    long = threading.Thread(
        target=winrm.run, args=("Start-Sleep -Seconds 600",), kwargs={"cancel": enough}
    )
    long.start()
    while not wire.machine.lines:
        time.sleep(0.05)
    with pytest.raises(TransportTimeout, match="nothing was run"):
        winrm.run("'never'", timeout=0.5)
    cancel = threading.Event()
    threading.Timer(0.5, cancel.set).start()
    with pytest.raises(Stopped, match="before its script began"):
        winrm.run("'never'", cancel=cancel)
    assert long.is_alive()
    enough.set()
    long.join(60)
    assert len(wire.machine.lines) == 1


def test_a_stop_takes_the_shell_along(winrm: WinrmTransport, wire: Wire) -> None:
    cancel = threading.Event()
    result = winrm.run(
        "'begun'; Start-Sleep -Seconds 100", cancel=cancel, on_output=lambda *_: cancel.set()
    )
    assert (result.returncode, result.stdout, result.left) == (143, "begun\n", "")
    assert len(wire.server.shells) == 0
    assert winrm.run("'again'").ok


def test_to_close_ends_a_script_that_still_runs(winrm: WinrmTransport, wire: Wire) -> None:
    ended: list[Exception] = []
    begun = threading.Event()

    def work() -> None:
        try:
            winrm.run("'begun'; Start-Sleep -Seconds 600", on_output=lambda *_: begun.set())
        except TransportError as error:
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(60)
    winrm.close()
    thread.join(200)
    assert len(ended) == 1 and "is not known" in str(ended[0])
    assert len(wire.server.shells) == 0


@pytest.mark.parametrize(
    "script",
    [
        "'a'; break; 'b'",
        "'a'; 1..3 | ForEach-Object { if ($_ -eq 1) { continue } }; 'b'",
    ],
)
def test_a_script_that_is_left_half_way_by_break_or_continue_is_no_success(
    winrm: WinrmTransport, script: str
) -> None:
    left = winrm.run(script)
    assert (left.returncode, left.stdout) == (1, "a\n")
    assert left.stderr.startswith("the script was left by `break` or `continue` outside of a loop")
    assert winrm.run("foreach ($i in 1..3) { if ($i -eq 2) { break }; $i }").stdout == "1\n"


def test_what_a_script_does_to_its_surroundings_hides_no_end(winrm: WinrmTransport) -> None:
    assert winrm.run("$global:LASTEXITCODE = 'abc'; 'x'").stdout == "x\n"
    assert winrm.run("\ufeff'mark'\r\n'and line ends'\r\n").stdout == "mark\nand line ends\n"


@pytest.mark.parametrize(
    ("asked", "missing"),
    [
        ("-Version 5.1", ""),
        ("-Version 99", "requires PowerShell 99.0"),
        ("-PSEdition Core", "requires PowerShell's edition Core"),
        ("-RunAsAdministrator", ""),
        ("-Modules Nowhere", "Nowhere"),
    ],
)
def test_what_a_script_requires_is_looked_at_before_it_runs(
    winrm: WinrmTransport, asked: str, missing: str
) -> None:
    """The engine itself looks at `#requires` in files alone: `[scriptblock]::Create` runs what asks for version 9."""
    result = winrm.run(f"#Requires {asked}\n'it runs'")
    assert result.stdout == ("" if missing else "it runs\n")
    assert missing in result.stderr
    assert result.returncode == (1 if missing else 0)
