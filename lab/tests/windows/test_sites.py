"""Moods of a site, and that a machine which somebody edits by its own commands behaves alike.

What each does on real servers, and its source, is in docs/lab.md and in the modules `windows_locale`,
`windows_policies` and `windows_firewall`.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from k8swin_lab import sites
from k8swin_lab.machines import windows_features, windows_handles
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_network import HnsError
from k8swin_lab.windows.host import WindowsHost

from .conftest import Result

POLICIES = r"HKLM:\SOFTWARE\Policies\Microsoft"


@pytest.fixture
def ps(run: Callable[[str], Result]) -> Callable[[str], Result]:
    """Run PowerShell as WinRS does."""

    def command(text: str) -> Result:
        encoded = base64.b64encode(text.encode("utf-16-le")).decode()
        return run(f"powershell -NoProfile -EncodedCommand {encoded}")

    return command


def bind(machine: WindowsMachine) -> None:
    """Let a virtual switch take the adapter over, as the first external network does."""
    machine.registry.set(r"HKLM\SYSTEM\CurrentControlSet\Services\hns", "Type", 0x20)
    machine.services.runtime("hns").state = "Running"
    machine.net.create_hns_network("cbr0", "L2Bridge", [{"AddressPrefix": "10.244.1.0/24"}])


@pytest.mark.parametrize("name", sites.MOODS)
def test_each_mood_can_be_switched_on_a_running_machine_twice(
    machine: WindowsMachine, name: str
) -> None:
    sites.switch(machine, [name])
    before = [a.name for a in machine.net.adapters]
    sites.switch(machine, [name])

    assert machine.moods == (name,)
    assert [a.name for a in machine.net.adapters] == before


def test_an_unknown_mood_is_refused_with_the_list() -> None:
    with pytest.raises(sites.UnknownMood, match=r"unknown mood `germn`.*german, japanese"):
        sites.named("scanner,germn")


def test_moods_that_exclude_each_other_are_refused_by_name() -> None:
    with pytest.raises(sites.UnknownMood, match="`japanese` and `german`"):
        sites.named(["japanese", "german"])


@pytest.mark.site("german")
def test_a_german_windows_says_its_groups_and_netsh_in_german(
    ps: Callable[[str], Result], run: Callable[[str], Result]
) -> None:
    ports = run("netsh int ipv4 show excludedportrange tcp").out
    assert 'Portausschlussbereiche für das Protokoll "tcp"' in ports
    assert "5985        5985" in ports
    assert 'Konfiguration der Schnittstelle "Büro-LAN"' in run("netsh int ipv4 show config").out
    assert r"VORDEFINIERT\Administratoren:(I)" in run(r"icacls C:\Windows\Temp").out
    translated = ps(
        "(New-Object Security.Principal.SecurityIdentifier 'S-1-5-18')"
        ".Translate([Security.Principal.NTAccount]).Value"
    )
    assert translated.out.strip() == r"NT-AUTORITÄT\SYSTEM"


@pytest.mark.site("german")
def test_an_english_group_is_unknown_to_a_german_windows(run: Callable[[str], Result]) -> None:
    assert run(r"icacls C:\Windows\Temp /grant Administrators:F").code == 1332
    assert run(r"icacls C:\Windows\Temp /grant *S-1-5-32-544:F").code == 0


@pytest.mark.site("japanese")
def test_a_japanese_windows_names_its_adapter_so_and_reads_shift_jis(
    ps: Callable[[str], Result],
) -> None:
    found = ps(
        r"(Get-NetAdapter).Name; Set-Content C:\n.txt (Get-NetAdapter).Name; "
        r"(Get-Content C:\n.txt -Encoding Byte).Count; Get-Content C:\n.txt; [Text.Encoding]::Default.CodePage"
    )
    assert found.out.split() == ["イーサネット", "14", "イーサネット", "932"]


def test_the_culture_that_somebody_sets_shows_in_sessions_that_begin_later(
    ps: Callable[[str], Result],
) -> None:
    ps("Set-Culture de-DE")
    shown = ps(
        "'{0:N1}' -f 1234.5; (2.5).ToString(); \"$(2.5)\"; [double]::Parse('1,5') * 2; "
        "(2.5).ToString([cultureinfo]::InvariantCulture); (Get-Date '2026-03-04').ToString('d'); $PSCulture"
    )
    assert shown.out.split() == ["1.234,5", "2,5", "2.5", "3", "2.5", "04.03.2026", "de-DE"]


def test_rules_of_the_machine_do_not_count_where_the_policy_says_so(
    machine: WindowsMachine, ps: Callable[[str], Result]
) -> None:
    bind(machine)
    assert machine.net.primary().category == "Public"
    assert machine.admits(5986)

    ps(
        rf"New-Item -Force '{POLICIES}\WindowsFirewall\PublicProfile' | Out-Null; "
        rf"Set-ItemProperty '{POLICIES}\WindowsFirewall\PublicProfile' AllowLocalPolicyMerge 0 -Type DWord"
    )
    shown = ps(
        'Get-NetFirewallProfile -PolicyStore ActiveStore | % { "$($_.Name) $($_.AllowLocalFirewallRules)" }'
    )
    assert shown.out.splitlines() == ["Domain True", "Private True", "Public False"]
    assert not machine.admits(5986)

    ps(
        rf"New-Item -Force '{POLICIES}\WindowsFirewall\FirewallRules' | Out-Null; "
        rf"Set-ItemProperty '{POLICIES}\WindowsFirewall\FirewallRules' R1 "
        "'v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Public|LPort=5986|Name=Remote|'"
    )
    assert machine.admits(5986)
    assert not machine.admits(10250)
    rules = ps(
        'Get-NetFirewallRule -PolicyStore RSOP | % { "$($_.Name) $($_.PolicyStoreSourceType)" }'
    )
    assert rules.out.strip() == "R1 GroupPolicy"


@pytest.mark.site("scripts-off")
def test_a_policy_against_scripts_outranks_bypass_and_lets_commands_be(
    ps: Callable[[str], Result],
) -> None:
    done = ps(
        r"Set-Content C:\x.ps1 '1+1'; powershell -ExecutionPolicy Bypass -File C:\x.ps1; "
        r"$LASTEXITCODE; try { . C:\x.ps1 } catch { $_.FullyQualifiedErrorId }"
    )
    assert done.out.split() == ["1", "UnauthorizedAccess"]
    assert "running scripts is disabled on this system" in done.err


@pytest.mark.site("constrained-language")
def test_a_locked_down_session_calls_methods_of_core_types_alone(
    ps: Callable[[str], Result],
) -> None:
    done = ps(
        "$ExecutionContext.SessionState.LanguageMode; 'ab'.ToUpper(); "
        "foreach ($b in { [Console]::In.ReadToEnd() }, { New-Object Net.Sockets.TcpClient }, "
        "{ [Console]::OutputEncoding = [Text.Encoding]::UTF8 }) { try { & $b } catch { $_.FullyQualifiedErrorId } }"
    )
    assert [line.partition(",")[0] for line in done.out.split()] == [
        "ConstrainedLanguage",
        "AB",
        "MethodInvocationNotSupportedInConstrainedLanguage",
        "CannotCreateTypeConstrainedLanguage",
        "PropertySetterNotSupportedInConstrainedLanguage",
    ]


@pytest.mark.site("filtered-token")
def test_a_filtered_token_is_no_administrators(machine: WindowsMachine) -> None:
    host = WindowsHost(machine)

    assert not host.is_elevated("Administrator")
    assert host.is_elevated(r"NT AUTHORITY\SYSTEM")


@pytest.mark.site("domain")
def test_a_member_of_a_domain_is_not_renamed_without_an_account_of_the_domain(
    ps: Callable[[str], Result],
) -> None:
    done = ps("(Get-CimInstance Win32_ComputerSystem).Domain; Rename-Computer -NewName other")

    assert done.out.strip() == sites.DOMAIN
    assert "Access is denied" in done.err


@pytest.mark.parametrize(
    "line",
    [
        r"Get-Content C:\a.txt",
        r"Set-Content C:\a.txt x",
        r"'x' > C:\a.txt",
        r"Copy-Item C:\a.txt C:\b.txt",
        r"Remove-Item C:\a.txt",
        r"Move-Item C:\a.txt C:\b.txt",
        r"Set-Content C:\c.txt x; Move-Item C:\c.txt C:\a.txt -Force",
        r"Get-FileHash C:\a.txt",
        r"[IO.File]::ReadAllText('C:\a.txt')",
    ],
)
def test_a_file_that_somebody_holds_is_neither_read_nor_changed(
    ps: Callable[[str], Result], line: str
) -> None:
    done = ps(
        rf"Set-Content C:\a.txt whole; $f = [IO.File]::Open('C:\a.txt', 'Open', 'Read', 'None'); "
        rf"$ErrorActionPreference = 'Stop'; try {{ {line} }} catch {{ 'refused: ' + $_ }}; "
        r"$f.Close(); Get-Content C:\a.txt"
    )
    refused, whole = done.out.splitlines()
    assert "being used by another process" in refused
    assert whole == "whole"


def test_what_is_shared_for_reading_is_read(ps: Callable[[str], Result]) -> None:
    done = ps(
        r"Set-Content C:\a.txt whole; $f = [IO.File]::Open('C:\a.txt', 'Open', 'Read', 'Read'); "
        r"Get-Content C:\a.txt; try { Set-Content C:\a.txt x -ErrorAction Stop } catch { 'refused' }"
    )
    assert done.out.split() == ["whole", "refused"]


def test_a_scanner_lets_a_new_file_be_read_and_not_moved_for_a_moment(
    machine: WindowsMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(windows_handles, "time", SimpleNamespace(monotonic=lambda: now[0]))
    machine.files.scan_seconds = 0.4
    machine.files.write(r"C:\a.exe", b"x")

    assert machine.files.read(r"C:\a.exe") == b"x"
    with pytest.raises(OSError, match="used by another process"):
        machine.files.move(r"C:\a.exe", r"C:\b.exe")
    now[0] = 0.5
    machine.files.move(r"C:\a.exe", r"C:\b.exe")


@pytest.mark.site("hns-busy", "dhcp-return", "two-adapters")
def test_a_handover_takes_the_first_adapter_and_hns_rests_meanwhile(
    machine: WindowsMachine,
) -> None:
    machine.pace = 1.0
    bind(machine)

    network = machine.net.hns_networks[0]
    assert network.adapter_name == "Ethernet 2"
    assert network.management_address.startswith("172.30.250.")
    with pytest.raises(HnsError, match="not ready"):
        machine.net.require_hns()
    address = next(a for a in machine.net.addresses if a.address == network.management_address)
    assert address.origin == "Dhcp"


@pytest.mark.site("clock-steps")
def test_the_clock_is_stepped_after_a_boot(machine: WindowsMachine) -> None:
    machine.boot_seconds = 0
    machine.reboot()
    booted = machine.booted_at
    machine._up_since -= 3600

    assert machine.now() < booted
    assert machine.now() > time.time() - 100
    assert booted - machine.booted_at == pytest.approx(97.0), "the uptime stays what it was"
    assert machine.now() > machine.booted_at


@pytest.mark.site("late-pending")
def test_servicing_says_for_a_while_after_the_boot_that_a_reboot_waits(
    machine: WindowsMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    later: list[Callable[[], None]] = []

    def soon(seconds: float, action: Callable[[], None], what: str) -> None:
        later.append(action)

    monkeypatch.setattr(windows_features, "Later", soon)
    feature = machine.features.find("Containers")
    assert feature is not None
    machine.features.install(feature)
    machine.boot_seconds = 0
    machine.features.finishing_seconds = 5
    machine.reboot()
    path = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending"

    assert machine.registry.key(path) is not None
    for one in later:
        one()
    assert machine.registry.key(path) is None


@pytest.mark.site("no-revocation-list")
def test_schannels_curl_wants_a_revocation_list_unless_it_is_told_not_to(
    run: Callable[[str], Result],
) -> None:
    url = "https://dl.k8s.io/v1.30.0/bin/windows/amd64/kubelet.exe.sha256"

    assert run(f"curl.exe -sSfL -o NUL {url}").code == 35
    assert run(f"curl.exe --ssl-no-revoke -sSL -o NUL {url}").code == 0
