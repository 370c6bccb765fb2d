"""One process serves many scripts that only look, with two messages each; whatever else comes gets its own."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from k8swin_nb.errors import CommandTimeout, TransportTimeout
from k8swin_nb.scripts import Script
from k8swin_nb.secret import Secret
from k8swin_nb.shells import new_tag
from k8swin_nb.transports import winrm_serving
from k8swin_nb.transports.winrm import WinrmTransport
from k8swin_nb.transports.wsman import WsmanProtocol

ACTION = re.compile(r"shell/(Command|Send|Receive|Signal)<|transfer/(Create|Delete)<")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the server was asked, in order."""
    seen: list[str] = []
    send = WsmanProtocol.send_message

    def noted(self: WsmanProtocol, message: str) -> bytes:
        found = ACTION.search(message)
        assert found, message[:600]
        seen.append(found[1] or found[2])
        return send(self, message)

    monkeypatch.setattr(WsmanProtocol, "send_message", noted)
    return seen


def test_a_script_takes_two_messages_and_no_new_process(winrm: WinrmTransport, asked, wire):
    assert winrm.run("'first'").stdout == "first\n"
    assert asked[:4] == ["Create", "Command", "Send", "Receive"]
    assert set(asked[4:]) <= {"Receive"}  # of a slow computer the output comes in pieces
    for number in range(5):
        asked.clear()
        done = winrm.run(f"$a = {number}\n\"number $a\"; Write-Warning 'careful'")
        assert (done.stdout, done.returncode) == (
            f"number {number}\nWARNING: careful\n",
            0,
        )
        assert asked[:2] == ["Send", "Receive"]
        assert set(asked[2:]) <= {"Receive"}
    assert len(wire.machine.lines) == 1
    # Only the process's own tag is on its command line, and nothing of a script.
    assert "serving" in wire.machine.lines[0]
    assert "number" not in wire.machine.lines[0]


def test_nothing_of_a_script_is_left_for_the_next(winrm: WinrmTransport):
    first = winrm.run(
        "$a = 'mine'; $ErrorActionPreference = 'Continue'; Get-Item C:\\none; 'went on'"
    )
    assert "went on" in first.stdout
    second = winrm.run('"$a|$ErrorActionPreference"; $Error.Count')
    assert second.stdout == "|Stop\n0\n"
    failed = winrm.run("throw 'no'")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr.startswith("no\n")
    assert winrm.run("$Error.Count").stdout == "0\n"
    assert winrm.run("'after'").returncode == 0


def test_values_reach_a_script_and_not_the_next(winrm: WinrmTransport):
    script = Script.from_text('param([string]$Name)\n"hello $Name"', "powershell")
    assert winrm.run(script, parameters={"Name": "a'b\"c ü"}).stdout == "hello a'b\"c ü\n"
    assert winrm.run('"hello $Name"').stdout == "hello \n"


@pytest.mark.parametrize("script", ["'changes'; exit 3", "$global:a = 1; 'changes'; exit 3"])
def test_what_may_leave_something_behind_has_a_process_of_its_own(
    winrm: WinrmTransport, asked, wire, script: str
):
    winrm.run("'looks'")
    asked.clear()
    done = winrm.run(script)
    assert (done.stdout, done.returncode) == ("changes\n", 3)
    assert asked[0] == "Command"
    assert asked[-1] == "Signal"
    assert len(wire.machine.lines) == 2
    asked.clear()
    assert winrm.run("'looks again'").stdout == "looks again\n"
    assert set(asked) == {"Send", "Receive"}


def test_a_secret_or_standard_input_is_given_to_no_process_that_others_share(
    winrm: WinrmTransport, wire
):
    winrm.run("'looks'")
    script = Script.from_text("param([string]$Word)\n$Word.ToUpper()", "powershell")
    assert (
        winrm.run(script, secrets={"Word": Secret("long-enough-word")}).stdout
        == "LONG-ENOUGH-WORD\n"
    )
    assert winrm.run("'it'; $input", stdin=b"given").stdout == "it\ngiven\n"
    assert len(wire.machine.lines) == 3
    assert winrm.run('"$Word"').stdout == "\n"


def test_what_a_step_changes_with_is_found_by_a_process_of_its_own_whatever_it_says(
    winrm: WinrmTransport, wire
):
    winrm.run("'looks'")
    tag = new_tag("a-run", "apply")
    assert winrm.run("'looks'", tag=tag).stdout == "looks\n"
    assert tag in wire.machine.lines[-1]


def test_a_script_that_is_stopped_takes_its_process_with_it(winrm: WinrmTransport, wire):
    winrm.run("'looks'")
    seen: list[str] = []
    long = "'begun'; Start-Sleep -Seconds 600"
    for seconds in (0.7, 10, 60):  # a busy computer takes longer to begin
        before = len(wire.machine.lines)
        with pytest.raises((CommandTimeout, TransportTimeout)):
            winrm.run(long, timeout=seconds, on_output=lambda stream, text: seen.append(text))
        assert winrm.run("'after'").stdout == "after\n"
        if seen:
            break
    assert seen == ["begun\n"] and len(wire.machine.lines) == before + 1
    stop = threading.Event()
    assert winrm.run(long, cancel=stop, on_output=lambda *_: stop.set()).returncode == 143
    assert winrm.run("'after that'").stdout == "after that\n"
    assert len(wire.machine.lines) == before + 2


def test_a_process_that_is_gone_is_replaced_without_a_word(winrm: WinrmTransport, wire):
    winrm.run("'looks'")
    wire.machine.reboot()
    assert winrm.run("'after the boot'").stdout == "after the boot\n"
    assert winrm.run("'and again'").stdout == "and again\n"


def test_a_process_serves_a_bounded_number_of_scripts(
    winrm: WinrmTransport, asked, wire, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(winrm_serving, "SCRIPTS", 2)
    for number in range(5):
        assert winrm.run(f"{number}").stdout == f"{number}\n"
    assert len(wire.machine.lines) == 3
    assert asked.count("Signal") == 2
    monkeypatch.setattr(winrm_serving, "SECONDS", 0.0)
    winrm.run("'one more'")
    assert len(wire.machine.lines) == 4


def test_what_a_script_prints_much_of_arrives_whole_on_both_streams(winrm: WinrmTransport):
    done = winrm.run("foreach ($n in 1..3000) { \"line $n\" }\nthrow 'at the end'")
    assert done.stdout == "".join(f"line {n}\n" for n in range(1, 3001))
    assert done.stderr.startswith("at the end\n")
    assert winrm.run("'next'").stdout == "next\n"


def test_output_is_shown_as_it_comes(winrm: WinrmTransport, tmp_path: Path):
    heard: list[str] = []
    go_on = tmp_path / "heard"

    def hear(stream: str, text: str) -> None:
        heard.append(text)
        go_on.touch()

    waits = f"while (-not (Test-Path '{go_on}')) {{ Start-Sleep -Milliseconds 50 }}"
    winrm.run(f"'first'; {waits}; 'second'", on_output=hear, timeout=120)
    assert heard == ["first\n", "second\n"]


def test_the_end_of_the_errors_is_found_in_pieces():
    for size in (1, 3, 100):
        end = winrm_serving.ErrorsEnd("k8swinword")
        given = b"oh\r\nk8swin\r\nk8swinword end\r\n"
        own = b"".join(end.feed(given[at : at + size]) for at in range(0, len(given), size))
        assert (own, end.ended) == (b"oh\r\nk8swin\r\n", True)
