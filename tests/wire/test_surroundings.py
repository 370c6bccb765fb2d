"""What a script of PowerShell finds around it: variables, arguments, strictness, and how objects and progress come back."""

from __future__ import annotations

import pandas as pd
import pytest

from k8swin_nb.secret import Secret
from k8swin_nb.shells import Surroundings
from k8swin_nb.transports.winrm import WinrmTransport

pytestmark = pytest.mark.wire


def test_variables_and_arguments_are_passed_and_never_read_as_text(winrm: WinrmTransport) -> None:
    odd = 'it\'s "ü" $HOME `n; exit 9'
    around = Surroundings({"ODD": odd, "KEY": Secret("sehr geheim 7")}, [odd, "two"])
    result = winrm.run('"$env:ODD|$env:KEY|$($args.Count)|$($args[0])"', around=around)
    assert result.stdout == f"{odd}|sehr geheim 7|2|{odd}\n" and result.ok
    bound = winrm.run("param($First, $Second)\n$Second", around=Surroundings(arguments=["a", "b"]))
    assert bound.stdout == "b\n"


def test_strictness_decides_what_follows_a_line_that_fails(winrm: WinrmTransport) -> None:
    body = "Get-Item C:\\nothing-here\n'went on'"
    assert "went on" not in winrm.run(body, around=Surroundings(strict="stop")).stdout
    on = winrm.run(body, around=Surroundings(strict="off"))
    assert (on.stdout, on.returncode) == ("went on\n", 0) and "nothing-here" in on.stderr
    unset = winrm.run("\"[$unset]\"\n'went on'", around=Surroundings(strict="strict"))
    assert unset.returncode == 1 and "unset" in unset.stderr and "went on" not in unset.stdout
    assert winrm.run('"[$unset]"', around=Surroundings(strict="stop")).stdout == "[]\n"


@pytest.mark.parametrize("strict", ["", "strict"])
def test_an_error_of_syntax_is_told_with_the_scripts_own_line_and_nothing_before_it(
    winrm: WinrmTransport, strict: str
) -> None:
    around = Surroundings({"ODD": "x"}, ["one"], strict=strict, objects=True, progress=True)
    for line, body in ((1, "Write-Output )\n'b'"), (2, "'a'\nWrite-Output )")):
        result = winrm.run(body, around=around)
        assert (result.returncode, result.stdout) == (1, "")
        said = result.stderr.splitlines()
        assert said[0].startswith(f"At line:{line} char:") and said[1] == "+ Write-Output )"
        assert "k8" not in result.stderr


def test_objects_come_back_as_typed_columns(winrm: WinrmTransport) -> None:
    around = Surroundings(objects=True)
    body = (
        "[pscustomobject]@{Name='ä'; Day=[DayOfWeek]::Monday; At=[datetime]'2026-11-30T10:00:00'; "
        "Took=[timespan]'00:01:30'; Count=3; Ok=$true; List=@('one'); Gone=$null}\n"
        "[pscustomobject]@{Name='b'; Day=[DayOfWeek]::Friday; At=[datetime]'2026-12-01T10:00:00'; "
        "Took=[timespan]'00:00:01'; Count=4; Ok=$false; List=@(1,2); Gone=$null}"
    )
    frame = winrm.run(body, around=around).df
    assert list(frame["Name"]) == ["ä", "b"] and list(frame["Day"]) == ["Monday", "Friday"]
    assert frame["At"].iloc[0] == pd.Timestamp("2026-11-30T10:00:00")
    assert frame["Took"].sum() == pd.Timedelta(seconds=91)
    assert frame["Count"].sum() == 7 and frame["Ok"].dtype == bool
    assert frame["List"].tolist() == [["one"], [1, 2]] and frame["Gone"].isna().all()
    assert winrm.run("1, 2", around=around).df["value"].tolist() == [1, 2]
    assert winrm.run("", around=around).df.empty
    body = "Write-Warning 'careful'; Write-Host 'part' -NoNewline; 7; [Console]::WriteLine('direct'); Write-Host 5"
    mixed = winrm.run(body, around=around)
    assert mixed.stdout == '{"value":7}\n' and mixed.df["value"].tolist() == [7]
    assert mixed.stderr == "WARNING: careful\npart\ndirect\n5\n"


def test_progress_is_told_on_standard_error_where_it_is_asked_for(winrm: WinrmTransport) -> None:
    body = "Write-Progress 'Copy' 'a.zip' -PercentComplete 40\nWrite-Progress 'Copy' -Completed\n'done'"
    assert winrm.run(body).stderr == ""
    asked = winrm.run(body, around=Surroundings(progress=True))
    assert (asked.stdout, asked.stderr) == ("done\n", "\rCopy: a.zip 40%\n")


def test_a_script_of_5_mb_runs(winrm: WinrmTransport) -> None:
    body = "'start'\n" + ("#" + "x" * 999 + "\n") * 5000 + "'end'"
    assert winrm.run(body).stdout == "start\nend\n"
