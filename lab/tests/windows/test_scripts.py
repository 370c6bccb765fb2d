"""Cmdlets of Windows, through powershell.exe."""

from __future__ import annotations

import base64
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from k8swin_lab.machines.windows import WindowsMachine

from .conftest import Result

Run = Callable[[str], Result]


@pytest.fixture
def ps(run: Run) -> Run:
    def script(text: str) -> Result:
        return run(
            "powershell -NoProfile -EncodedCommand "
            + base64.b64encode(text.encode("utf-16-le")).decode()
        )

    return script


@pytest.mark.parametrize(
    ("script", "out"),
    [
        ("(Get-Service WinRM).Status", "Running"),
        ("(Get-ItemProperty 'HKLM:\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion').CurrentBuildNumber", "20348"),
        ("(Get-CimInstance Win32_Service -Filter \"Name='WinRM'\").StartMode", "Auto"),
        ("(Get-NetIPAddress -AddressFamily IPv4 | ? IPAddress -like '127.160*').InterfaceAlias", "Ethernet"),
        ("(Get-NetRoute -DestinationPrefix 0.0.0.0/0).NextHop", "127.160.0.254"),
        ("[bool](Get-Command Get-HnsNetwork -ErrorAction SilentlyContinue)", "False"),
        ("$a = New-NetFirewallRule -Name k -DisplayName k -Protocol TCP -LocalPort 1; (Get-NetFirewallRule -Name k).Enabled", "True"),
        ("[Environment]::SetEnvironmentVariable('K8', 'x', 'Machine'); [Environment]::GetEnvironmentVariable('K8', 'Machine')", "x"),
        ("Test-Connection -ComputerName 127.160.0.99 -Quiet -Count 1", "False"),
        ("Add-MpPreference -ExclusionProcess a.exe; (Get-MpPreference).ExclusionProcess", "a.exe"),
    ],
)  # fmt: skip
def test_a_fresh_server_answers(ps: Run, script: str, out: str) -> None:
    result = ps(script)
    assert result.out.strip() == out, result.err


def test_errors_carry_the_words_and_ids_of_windows(ps: Run) -> None:
    assert "NoServiceFoundForGivenName" in ps("Get-Service nope").err
    assert (
        "Windows System Error 183"
        in ps("1, 2 | % { New-NetFirewallRule -Name k -DisplayName k } | Out-Null").err
    )
    assert "0x800704DD" in ps("Start-BitsTransfer http://x C:\\y").err


def test_containers_wait_for_a_reboot(ps: Run, machine: WindowsMachine) -> None:
    script = '$r = Install-WindowsFeature -Name Containers -WarningAction SilentlyContinue; "$($r.Success) $($r.RestartNeeded)"'
    assert ps(script).out.strip() == "True Yes"
    assert ps("(Get-WindowsFeature Containers).InstallState").out.strip() == "InstallPending"
    machine.reboot()
    assert ps("(Get-WindowsFeature Containers).Installed; @(Get-HnsNetwork).Count").out.split() == [
        "True",
        "0",
    ]


def test_a_new_name_waits_for_a_reboot(ps: Run, machine: WindowsMachine) -> None:
    ps("Rename-Computer -NewName winworker07 -Force")
    assert ps("$env:COMPUTERNAME").out.strip() == "WINWORKER01"
    machine.reboot()
    assert ps("$env:COMPUTERNAME").out.strip() == "WINWORKER07"


def test_a_scheduled_task_runs_as_system_and_leaves_its_file(
    ps: Run, machine: WindowsMachine
) -> None:
    result = ps(
        "Set-Content C:\\t.ps1 'Set-Content C:\\out.txt $env:USERNAME; exit 3'\n"
        "$a = New-ScheduledTaskAction -Execute powershell.exe -Argument '-NoProfile -File C:\\t.ps1'\n"
        "$p = New-ScheduledTaskPrincipal -UserId S-1-5-18 -LogonType ServiceAccount -RunLevel Highest\n"
        "Register-ScheduledTask -TaskName t -Action $a -Principal $p -Force | Out-Null\n"
        "Start-ScheduledTask -TaskName t\n"
        "while ((Get-ScheduledTask -TaskName t).State -eq 'Running') { Start-Sleep -Milliseconds 100 }\n"
        "(Get-ScheduledTaskInfo -TaskName t).LastTaskResult"
    )
    assert result.out.strip() == "3", result.err
    assert machine.files.read(r"C:\out.txt").strip() == b"WINWORKER01$"


def test_what_a_remote_shell_started_ends_with_it_but_not_what_wmi_started(
    ps: Run, machine: WindowsMachine
) -> None:
    waiting = "powershell -NoProfile -Command Start-Sleep 600"
    ps("Start-Process powershell -ArgumentList '-NoProfile','-Command','Start-Sleep','600'")
    names = [entry.name for entry in machine.processes.running.values()]
    assert "powershell.exe" not in names
    ps(
        f"Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{{ CommandLine = '{waiting}' }} | Out-Null"
    )
    names = [entry.name for entry in machine.processes.running.values()]
    assert "powershell.exe" in names


RECORDS = "Write-Warning 'a < b'; Write-Verbose 'seen' -Verbose; [Console]::Error.WriteLine('raw'); Write-Error \"one`ntwo\"; 'out'"


def test_records_of_an_encoded_command_are_xml_on_standard_error(ps: Run, run: Run) -> None:
    """As 5.1 does, and no `-OutputFormat Text` changes it: PowerShell#5912, WinRb/WinRM#106."""
    result = ps(RECORDS)
    assert result.out == "out\r\n"
    before, tag, rest = result.err.partition("#< CLIXML\r\n")
    assert (before, tag) == ("", "#< CLIXML\r\n")
    document = ElementTree.fromstring(rest.replace("raw\r\n", ""))
    told = [(node.attrib["S"], node.text) for node in document]
    assert told[:2] == [("warning", "a < b"), ("verbose", "seen")]
    assert {kind for kind, _ in told[2:]} == {"Error"}
    assert "two_x000D__x000A_" in str(told[2:])
    assert ps("'nothing to say'").err == ""


def test_records_of_a_plain_command_are_text(run: Run) -> None:
    result = run("powershell -NoProfile -Command \"Write-Warning 'w'; Write-Error 'e'\"")
    assert result.out == "WARNING: w\r\n"
    assert "CLIXML" not in result.err and "Write-Error" in result.err
