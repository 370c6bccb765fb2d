"""Files that a script has open: Windows refuses what does not go with what another one shares."""

from __future__ import annotations

import pytest

OPEN = r"[IO.File]::Open('C:\f', 'OpenOrCreate', 'ReadWrite', '{}')"
BUSY = "used by another process"


def powershell(script: str) -> str:
    return f'powershell -NoProfile -Command "{script}"'


@pytest.mark.parametrize(
    ("shared", "then", "refused"),
    [
        ("Read", r"[IO.File]::Open('C:\f', 'Open', 'ReadWrite', 'ReadWrite')", True),
        ("Read", r"[IO.File]::Open('C:\f', 'Open', 'Read', 'Read')", True),
        ("Read", r"[IO.File]::Open('C:\f', 'Open', 'Read', 'ReadWrite')", False),
        ("Read", r"[IO.File]::ReadAllText('C:\f')", True),
        ("Read", r"[IO.File]::WriteAllText('C:\f', 'x')", True),
        ("Read", r"Remove-Item C:\f", True),
        ("None", r"[IO.File]::Open('C:\f', 'Open', 'Read', 'ReadWrite')", True),
        ("ReadWrite", r"[IO.File]::Open('C:\f', 'Open', 'Write', 'ReadWrite')", False),
    ],
)
def test_a_second_handle_must_go_with_the_first(run, shared, then, refused):
    answer = run(
        powershell(f"$one = {OPEN.format(shared)}; try {{ [void]({then}); 'opened' }} catch {{ $_.Exception.Message }}")
        if "Remove-Item" not in then
        else powershell(f"$one = {OPEN.format(shared)}; try {{ {then} -ErrorAction Stop; 'opened' }} catch {{ $_.Exception.Message }}")
    )  # fmt: skip
    assert (BUSY in answer.out) == refused, answer
    assert ("opened" in answer.out) != refused


def test_a_handle_goes_with_dispose_and_with_its_process(run):
    both = f"$one = {OPEN.format('None')}; $one.Dispose(); $two = {OPEN.format('None')}; 'opened twice'"
    assert "opened twice" in run(powershell(both)).out
    assert "opened twice" in run(powershell(both)).out, "the last handle ended with its process"


def test_what_sets_a_length_or_writes_says_nothing(run):
    script = f"$one = {OPEN.format('Read')}; $one.SetLength(0); $one.WriteByte(65); $one.Dispose(); 'end'"
    assert run(powershell(script)).out.split() == ["end"]
