"""Windows Update through its COM objects, and small system tools."""

from __future__ import annotations

import json
from collections.abc import Callable

from k8swin_lab.machines.windows import WindowsMachine

from .conftest import Result

Run = Callable[[str], Result]
JOB = r"""
$ErrorActionPreference = 'Stop'
try {
    $session = New-Object -ComObject Microsoft.Update.Session
    $found = $session.CreateUpdateSearcher().Search("IsInstalled=0 and IsHidden=0 and Type='Software'")
    $wanted = New-Object -ComObject Microsoft.Update.UpdateColl
    foreach ($update in $found.Updates) {
        if (-not $update.EulaAccepted) { $update.AcceptEula() }
        [void]$wanted.Add($update)
    }
    $code = 2; $reboot = $false
    if ($wanted.Count) {
        $downloader = $session.CreateUpdateDownloader()
        $downloader.Updates = $wanted
        [void]$downloader.Download()
        $installer = $session.CreateUpdateInstaller()
        $installer.Updates = $wanted
        $result = $installer.Install()
        $code = $result.ResultCode; $reboot = $result.RebootRequired
    }
    @{ count = $wanted.Count; code = $code; reboot = $reboot; first = $found.Updates.Item(0).Title } | ConvertTo-Json | Set-Content C:\done.json
} catch { @{ error = $_.Exception.Message } | ConvertTo-Json | Set-Content C:\done.json }
"""


def ask(machine: WindowsMachine, run: Run) -> dict[str, object]:
    """Run the job as SYSTEM in a scheduled task."""
    machine.files.write(r"C:\job.ps1", JOB.encode())
    if machine.files.exists(r"C:\done.json"):
        machine.files.remove(r"C:\done.json")
    machine.files.write(r"C:\task.ps1", (
        br"$action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument '-NoProfile -File C:\job.ps1';"
        b"$who = New-ScheduledTaskPrincipal -UserId 'SYSTEM' -LogonType ServiceAccount -RunLevel Highest;"
        b"Register-ScheduledTask -TaskName update -Action $action -Principal $who -Force | Out-Null; Start-ScheduledTask -TaskName update"
    ))  # fmt: skip
    started = run(r"powershell -NoProfile -File C:\task.ps1")
    assert started.err == ""
    for _ in range(200):
        if machine.files.exists(r"C:\done.json"):
            break
        machine.pause(2)
    machine.pause(2)
    return dict(json.loads(machine.files.read(r"C:\done.json").decode("utf-8-sig")))


def test_a_task_of_the_system_installs_what_is_offered_round_by_round(
    machine: WindowsMachine, run: Run
) -> None:
    revision = machine.edition.ubr
    first = ask(machine, run)
    assert "error" not in first, first
    assert (first["count"], first["code"], first["reboot"]) == (3, 2, True)
    assert any("RebootRequired" in name for name in machine.registry.subkeys(
        r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update"))  # fmt: skip
    machine.reboot()
    assert machine.edition.ubr > revision
    assert ask(machine, run)["count"] == 1  # what the first round made possible
    machine.reboot()
    assert machine.updates.offered() == []
    assert "KB5062557" in run('powershell -NoProfile -Command "(Get-HotFix).HotFixID"').out


def test_a_network_logon_may_search_but_not_install(machine: WindowsMachine, run: Run) -> None:
    searched = run('powershell -NoProfile -Command "(New-Object -ComObject Microsoft.Update.Session).CreateUpdateSearcher().Search(\'IsInstalled=0\')'
                   '.Updates.Count"')  # fmt: skip
    assert searched.out.strip() == "3"
    for kind in ("Downloader", "Installer"):
        refused = run(
            f'powershell -NoProfile -Command "(New-Object -ComObject Microsoft.Update.Session).CreateUpdate{kind}()"'
        )
        assert "0x80070005 (E_ACCESSDENIED)" in refused.err
    unknown = run('powershell -NoProfile -Command "New-Object -ComObject WScript.Shell"')
    assert "not simulated in the lab: New-Object -ComObject WScript.Shell" in unknown.err


def test_port_ranges_are_excluded_and_shown(machine: WindowsMachine, run: Run) -> None:
    line = "netsh int ipv4 add excludedportrange protocol=tcp startport=30000 numberofports=2768 store=persistent"
    assert run(line).code == 0
    assert run(line).code == 1
    assert "30000       32767     *" in run("netsh int ipv4 show excludedportrange tcp").out
    assert run("netsh int ipv4 delete excludedportrange tcp 30000 2768").code == 0
    assert "30000" not in run("netsh int ipv4 show excludedportrange tcp").out
    assert run("netsh interface ipv4 set dynamicportrange tcp start=34000 num=31536").code == 0
    assert "Start Port      : 34000" in run("netsh int ipv4 show dynamicport tcp").out


def test_the_time_service_takes_peers_and_measures(machine: WindowsMachine, run: Run) -> None:
    machine.clock_offset = 42.0
    assert (
        ", -42.0000000s" in run("w32tm /stripchart /computer:127.160.0.21 /samples:1 /dataonly").out
    )
    assert (
        run(
            'w32tm /config /manualpeerlist:"ntp.lab.example,0x8" /syncfromflags:manual /update'
        ).code
        == 0
    )
    assert run("w32tm /query /source").out == "ntp.lab.example,0x8\r\n"
    run("w32tm /resync /force")
    assert machine.clock_offset == 0.0
