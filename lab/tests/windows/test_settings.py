"""What an administrator sets on a server stays set, and has the effect that it has on Windows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_winrm import quota
from k8swin_lab.network import HttpResponse
from k8swin_lab.windows.host import WindowsHost

from .conftest import Result

Run = Callable[[str], Result]
HOSTS = r"C:\Windows\System32\drivers\etc\hosts"


def powershell(run: Run, text: str) -> Result:
    return run(f'powershell -NoProfile -Command "{text}"')


@pytest.mark.parametrize(
    "line",
    [
        "Set-Content {} x",
        "Add-Content {} x",
        "[IO.File]::WriteAllText('{}', 'x')",
        "[IO.File]::Delete('{}')",
        "Remove-Item {}",
        "Remove-Item -Recurse C:\\Windows\\System32\\drivers\\etc",
    ],
)
def test_a_read_only_file_is_neither_written_nor_removed(
    machine: WindowsMachine, run: Run, line: str
) -> None:
    before = machine.files.read(HOSTS)
    powershell(run, f"Set-ItemProperty {HOSTS} IsReadOnly $true")
    assert powershell(run, line.format(HOSTS)).code == 1
    assert machine.files.read(HOSTS) == before


def test_force_goes_over_a_read_only_file_and_attrib_shows_it(
    machine: WindowsMachine, run: Run
) -> None:
    run(f"attrib +R {HOSTS}")
    assert run(f"attrib {HOSTS}").out == f"A    R               {HOSTS}\r\n"
    assert powershell(run, f"(Get-Item {HOSTS}).Mode").out == "-ar---\r\n"
    powershell(run, f"Set-Content C:\\new x; Move-Item C:\\new {HOSTS} -Force")
    assert machine.files.read(HOSTS) == b"x\r\n"
    run(f"attrib +R {HOSTS}")
    powershell(run, f"[IO.File]::SetAttributes('{HOSTS}', 'Normal')")
    assert run(f"attrib {HOSTS}").out.startswith("A     ")
    run(f"attrib +R {HOSTS}")
    powershell(run, f"Remove-Item {HOSTS} -Force")
    assert not machine.files.exists(HOSTS)


def test_settings_of_winrm_are_one_by_both_ways(machine: WindowsMachine, run: Run) -> None:
    powershell(run, r"Set-Item WSMan:\localhost\Shell\MaxShellsPerUser 7")
    assert "MaxShellsPerUser = 7\r\n" in run("winrm get winrm/config").out
    run('winrm set winrm/config/winrs @{MaxProcessesPerShell="2";MaxShellsPerUser="9"}')
    assert powershell(run, r"(gi WSMan:\localhost\Shell\MaxShellsPerUser).Value").out == "9\r\n"
    assert quota(machine.registry, r"Shell\MaxProcessesPerShell", 25) == 2
    assert run('winrm set winrm/config/winrs @{Nonsense="2"}').code == 70


def test_setx_sets_a_variable_for_later_sessions(run: Run) -> None:
    assert run("setx /M SITE plant1").out == "\r\nSUCCESS: Specified value was saved.\r\n"
    run(r"setx PLACE %TEMP%\x")
    assert powershell(run, "$env:SITE; $env:PLACE.Split('\\')[-1]").out == "plant1\r\nx\r\n"


def test_the_first_execution_policy_that_is_set_counts(run: Run) -> None:
    assert powershell(run, "Get-ExecutionPolicy").out == "RemoteSigned\r\n"
    powershell(run, "Set-ExecutionPolicy Restricted -Force; Set-Content C:\\a.ps1 1")
    assert "running scripts is disabled" in run(r"powershell -NoProfile -File C:\a.ps1").err
    asked = run(r"powershell -NoProfile -ExecutionPolicy Bypass -File C:\a.ps1")
    assert (asked.code, asked.out) == (0, "1\r\n")
    key = r"HKLM:\SOFTWARE\Policies\Microsoft\Windows\PowerShell"
    powershell(run, f"mkdir {key}; sp {key} EnableScripts 1; sp {key} ExecutionPolicy AllSigned")
    outranked = powershell(run, "Set-ExecutionPolicy Bypass -Scope CurrentUser")
    assert "overridden by a policy defined at a more specific scope" in outranked.err
    assert powershell(run, "Get-ExecutionPolicy").out == "AllSigned\r\n"


def test_a_clock_that_is_set_goes_on_from_there(machine: WindowsMachine, run: Run) -> None:
    before, booted = machine.now(), machine.booted_at
    powershell(run, "Set-Date (Get-Date).AddDays(3)")
    powershell(run, "Set-Date -Adjust (New-TimeSpan -Hours -1)")
    moved = 3 * 86400 - 3600
    assert machine.now() - before == pytest.approx(moved, abs=60)
    assert machine.booted_at - booted == pytest.approx(moved, abs=60)


def test_who_stops_listening_frees_no_port_of_who_came_after_him(machine: WindowsMachine) -> None:
    host = WindowsHost(machine)
    stop = host.listen(80, lambda request: HttpResponse(200, {}, b"first"))
    # As in a copy of the lab: the ports are free, and a program begins anew.
    machine.listening.pop(80)
    second = lambda request: HttpResponse(200, {}, b"second")  # noqa: E731
    stop_second = host.listen(80, second)
    stop()
    assert machine.listening[80] is second
    stop_second()
    assert 80 not in machine.listening
