"""What people type on a Windows server to look at it and to change it by hand: docs/lab.md names these."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from k8swin_lab.machines.windows import WindowsMachine

from .conftest import Result

Run = Callable[[str], Result]


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("whoami", r"^winworker01\\administrator\n$"),
        ("ver", r"Microsoft Windows \[Version 10\.0\.20348\.\d+\]"),
        (r"cd C:\Windows && cd", r"^C:\\Windows\n$"),
        (
            r"dir C:\Windows",
            r"<DIR> +System32\n(?:.*\n)*.* 26 win\.ini\n(?:.*\n)* +4 File\(s\) +[0-9,]+ bytes\n",
        ),
        ("chcp", r"^Active code page: 65001\n$"),
        (
            r"md C:\x && copy C:\Windows\win.ini C:\x\a.txt && move C:\x\a.txt C:\x\b.txt && del C:\x\b.txt && rd C:\x",
            r"^ +1 file\(s\) copied\.\n +1 file\(s\) moved\.\n$",
        ),
        ("tasklist", r"\nlsass\.exe +\d+ Services +0 +[\d,]+ K\n"),
        ('tasklist /fi "imagename eq lsass.exe"', r"=\nlsass\.exe +\d+ [^\n]+\n$"),
        ("systeminfo", r"\nOS Version: +10\.0\.20348 N/A Build 20348\n"),
        ("tzutil /g", r"^UTC$"),
        ("w32tm /query /status", r"\nStratum: 3 "),
        ("winrm get winrm/config", r"\n +AllowUnencrypted = false\n"),
        (r"certutil -hashfile C:\Windows\win.ini SHA256", r"\n[0-9a-f]{64}\nCertUtil: -hashfile"),
        ("where curl", r"^C:\\Windows\\System32\\curl\.exe\n$"),
        (r"findstr for C:\Windows\win.ini", r"^; for 16-bit app support\n$"),
        (r"takeown /f C:\Windows\win.ini", r"now owned by user \"WINWORKER01\\Administrator\""),
        ("route print", r"\n +0\.0\.0\.0 +0\.0\.0\.0 +127\.160\.0\.254 +127\.160\.0\.21 "),
        ("nslookup dl.k8s.io", r"\nName: +dl\.k8s\.io\nAddress: +[\d.]+\n"),
        ("ping -n 1 127.0.0.1", r"Sent = 1, Received = 1, Lost = 0 \(0% loss\)"),
        ("ipconfig /all", r"Host Name [ .]+: winworker01\n"),
        ("netsh winhttp show proxy", r"Direct access \(no proxy server\)\."),
        ("sc query winrm", r"STATE +: 4  RUNNING"),
        (r"tar -cf C:\t.tar -C C:\Windows win.ini && tar -tf C:\t.tar", r"^win\.ini\n$"),
        (
            r"reg add HKLM\SOFTWARE\Desk /v a /t REG_SZ /d b /f && reg query HKLM\SOFTWARE\Desk && reg delete HKLM\SOFTWARE\Desk /f",
            r"HKEY_LOCAL_MACHINE\\SOFTWARE\\Desk\n +a +REG_SZ +b\n",
        ),
    ],
)
def test_programs_of_windows_answer(run: Run, line: str, pattern: str) -> None:
    found = run(line)
    assert (found.code, found.err) == (0, "")
    text = found.out.replace("\r\n", "\n")
    assert re.search(pattern, text, re.DOTALL), text


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("taskkill /im notepad.exe /f", 128, 'The process "notepad.exe" not found.'),
        (r"reg query HKLM\SOFTWARE\nosuch", 1, "unable to find the specified registry key"),
        ("whoami /user", 70, "not simulated in the lab: whoami.exe /user"),
    ],
)
def test_programs_of_windows_say_what_they_cannot_do(
    run: Run, line: str, code: int, told: str
) -> None:
    found = run(line)
    assert found.code == code
    assert told in found.out + found.err


COMMANDS = [
    (r"Set-Location C:\Windows; (Get-Location).Path", [r"C:\Windows"]),
    (
        r"Push-Location C:\Windows; Push-Location HKLM:\SOFTWARE; $PWD.Path; Pop-Location; $PWD.Path",
        [r"HKLM:\SOFTWARE", r"C:\Windows"],
    ),
    ("(Get-PSDrive C).Root", ["C:\\"]),
    (r"(Resolve-Path C:\Win*\win.ini).Path", [r"C:\Windows\win.ini"]),
    (r"Convert-Path C:\Windows", [r"C:\Windows"]),
    (
        r"New-Service -Name desk -BinaryPathName 'C:\Windows\System32\ping.exe' -StartupType Manual | Out-Null; "
        "$s = Get-Service desk; $s.Refresh(); $s.StartType; $s.Status",
        ["Manual", "Stopped"],
    ),
    (
        "Stop-Service w32time; (Get-Service w32time).Status; Start-Service w32time; "
        "(Get-Service w32time).Status; (Get-Service w32time).Stop(); "
        "$s = Get-Service w32time; $s.WaitForStatus('Stopped', '00:00:05'); $s.Status",
        ["Stopped", "Running", "Stopped"],
    ),
    (
        "Set-Service w32time -StartupType Disabled; (Get-Service w32time).StartType",
        ["Disabled"],
    ),
    ("(Get-TimeZone).Id", ["UTC"]),
    ("(Get-ComputerInfo).OsName", ["Microsoft Windows Server 2022 Standard"]),
    ("(Get-Volume -DriveLetter C).FileSystem", ["NTFS"]),
    ("(Get-WinEvent -LogName System -MaxEvents 1).LogName", ["System"]),
    ("(Get-EventLog -LogName System -Newest 1).EntryType", ["Information"]),
    ("(Get-MpComputerStatus).RealTimeProtectionEnabled", ["True"]),
    (
        "(Invoke-WebRequest -UseBasicParsing https://dl.k8s.io/release/stable.txt).StatusCode",
        ["200"],
    ),
    ("(Invoke-RestMethod https://dl.k8s.io/release/stable.txt).Substring(0, 3)", ["v1."]),
    (
        "(Test-NetConnection 127.0.0.1 -Port 5985 -WarningAction SilentlyContinue).TcpTestSucceeded",
        ["True"],
    ),
    ("Test-Connection 127.0.0.1 -Count 1 -Quiet", ["True"]),
    ("Rename-NetAdapter -Name Ethernet -NewName LAN; (Get-NetAdapter).Name", ["LAN"]),
    (
        "New-NetRoute -DestinationPrefix 10.99.0.0/16 -InterfaceAlias Ethernet -NextHop 127.160.0.254 "
        "| Out-Null; (Get-NetRoute -DestinationPrefix 10.99.0.0/16).NextHop",
        ["127.160.0.254"],
    ),
    (
        "Set-DnsClientServerAddress -InterfaceAlias Ethernet -ServerAddresses 127.160.0.1; "
        "(Get-DnsClientServerAddress -InterfaceAlias Ethernet -AddressFamily IPv4).ServerAddresses",
        ["127.160.0.1"],
    ),
    (
        "New-NetIPAddress -InterfaceAlias Ethernet -IPAddress 127.160.0.99 -PrefixLength 24 | Out-Null; "
        "Remove-NetIPAddress -IPAddress 127.160.0.99 -Confirm:$false; "
        "@(Get-NetIPAddress -IPAddress 127.160.0.99 -ErrorAction SilentlyContinue).Count",
        ["0"],
    ),
    (
        "Set-NetIPInterface -InterfaceAlias Ethernet -InterfaceMetric 5; "
        "(Get-NetIPInterface -InterfaceAlias Ethernet -AddressFamily IPv4).InterfaceMetric",
        ["5"],
    ),
    (
        "New-NetFirewallRule -Name d -DisplayName d -Protocol TCP -LocalPort 99 -Action Allow | Out-Null; "
        "Set-NetFirewallRule -Name d -Action Block; Disable-NetFirewallRule -Name d; "
        "$r = Get-NetFirewallRule -Name d; $r.Action; $r.Enabled",
        ["Block", "False"],
    ),
    (
        "Set-NetFirewallProfile -Profile Public -Enabled False; "
        "(Get-NetFirewallProfile -Profile Public).Enabled",
        ["False"],
    ),
    (
        "Set-NetConnectionProfile -InterfaceAlias Ethernet -NetworkCategory Public; "
        "(Get-NetConnectionProfile).NetworkCategory",
        ["Public"],
    ),
    ("(Get-CimInstance Win32_Processor).NumberOfCores", ["2"]),
    ("(Get-CimInstance Win32_Process)[0].Name", ["Idle"]),
    ("(Get-CimInstance Win32_BIOS).Manufacturer", ["Microsoft Corporation"]),
    (
        "(Get-CimInstance Win32_NetworkAdapterConfiguration -Filter 'IPEnabled=True').IPAddress",
        ["127.160.0.21"],
    ),
    ("(Get-WindowsOptionalFeature -Online -FeatureName Containers).State", ["Disabled"]),
    (
        "$a = New-ScheduledTaskAction -Execute ping.exe; $t = New-ScheduledTaskTrigger -AtStartup; "
        "Register-ScheduledTask -TaskName d -Action $a -Trigger $t | Out-Null; "
        "(Get-ScheduledTask -TaskName d).State",
        ["Ready"],
    ),
    (
        r"New-Item HKLM:\SOFTWARE\Desk\Sub -Force | Out-Null; Set-ItemProperty HKLM:\SOFTWARE\Desk a 1; "
        r"Get-ItemPropertyValue HKLM:\SOFTWARE\Desk a; Remove-ItemProperty HKLM:\SOFTWARE\Desk a; "
        r"(Get-ChildItem HKLM:\SOFTWARE\Desk).PSChildName; Remove-Item HKLM:\SOFTWARE\Desk -Recurse; "
        r"Test-Path HKLM:\SOFTWARE\Desk",
        ["1", "Sub", "False"],
    ),
    (r"1, 2 | Tee-Object -FilePath C:\t.txt; Get-Content C:\t.txt", ["1", "2", "1", "2"]),
    ("(Measure-Command { Start-Sleep -Milliseconds 20 }).TotalMilliseconds -ge 20", ["True"]),
    (r"[IO.Path]::Combine('C:\a', 'b'); [IO.Path]::GetExtension('a.txt')", [r"C:\a\b", ".txt"]),
    (
        r"[IO.File]::WriteAllText('C:\w.txt', 'w'); [IO.File]::Copy('C:\w.txt', 'C:\v.txt'); "
        r"[IO.File]::AppendAllText('C:\v.txt', 'x'); [IO.File]::ReadAllText('C:\v.txt')",
        ["wx"],
    ),
    ("[Environment]::ExpandEnvironmentVariables('%windir%')", [r"C:\Windows"]),
    ("$u = [uri]'https://a.b:1/c'; $u.Host; $u.Authority", ["a.b", "a.b:1"]),
    (
        r"$w = New-Object IO.StreamWriter 'C:\s.txt'; $w.WriteLine('a'); $w.Close(); "
        r"$r = New-Object IO.StreamReader 'C:\s.txt'; $r.ReadLine(); $r.Close()",
        ["a"],
    ),
    ("[Math]::Pow(2, 3); [Math]::Log(8, 2)", ["8", "3"]),
    ("[regex]::Match('ab12', '(?<n>\\d+)').Groups['n'].Value; [regex]::Escape('a.b')", ["12", r"a\.b"]),
    ("$c = New-Object Net.Sockets.TcpClient; $c.Connect('127.0.0.1', 5985); $c.Connected", ["True"]),
    (
        "$i = [Security.Principal.WindowsIdentity]::GetCurrent(); $i.Name; "
        "(New-Object Security.Principal.WindowsPrincipal $i).IsInRole('Administrators')",
        [r"WINWORKER01\Administrator", "True"],
    ),
    ("$a = 3, 1, 2; [array]::Sort($a); -join $a; [array]::Reverse($a); -join $a", ["123", "321"]),
    (
        "$l = New-Object 'System.Collections.Generic.List[int]'; $l.AddRange([int[]](3, 1, 2)); "
        "$l.Sort(); -join $l; $l.RemoveRange(0, 1); -join $l",
        ["123", "23"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), COMMANDS)
def test_commands_of_powershell_answer(run: Run, text: str, told: list[str]) -> None:
    found = run(f'powershell -NoProfile -Command "{text}"')
    assert (found.code, found.err) == (0, "")
    assert found.out.splitlines() == told


def test_a_process_is_stopped_and_waited_for(run: Run, machine: WindowsMachine) -> None:
    started = "Start-Process powershell.exe -ArgumentList '-Command Start-Sleep 60' -PassThru"
    text = f"$p = {started}; Stop-Process -Id $p.Id; $p.WaitForExit(10000); $p.HasExited"
    assert run(f'powershell -NoProfile -Command "{text}"').out == "True\r\nTrue\r\n"


def test_a_folder_that_is_not_there_is_said(run: Run) -> None:
    found = run(r'powershell -NoProfile -Command "cd C:\nosuch"')
    assert r"Cannot find path 'C:\nosuch' because it does not exist." in found.err
    assert found.code == 1
