"""What Windows has and the lab has not is refused by name; what nobody has gets Windows' own words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from k8swin_lab.known import commands

from .conftest import Result

Run = Callable[[str], Result]


def refused(result: Result, name: str) -> bool:
    """Whether a run ended by a refusal of that name, and with nothing else."""
    return (
        result.code == 70 and result.out == "" and f"not simulated in the lab: {name}" in result.err
    )


@pytest.mark.parametrize(
    "name",
    ["Get-Help", "add-type", "Get-NetNat", "Get-LocalUser", "gcb", "netnat", "Get-Partition"],
)
def test_a_command_of_windows_that_is_missing_is_refused(run: Run, name: str) -> None:
    for line in (
        name,
        f"try {{ {name} -ErrorAction SilentlyContinue }} catch {{ 'unknown' }}; 'on'",
        f"Get-Command {name}",
    ):
        assert refused(run(f'powershell -NoProfile -Command "{line}"'), name)


@pytest.mark.parametrize("name", ["Get-NetNut", "Frobnicate", "Get-VM", "Get-ADUser"])
def test_a_command_that_the_machine_has_not_gets_its_own_words(run: Run, name: str) -> None:
    result = run(f'powershell -NoProfile -Command "{name}"')
    assert f"The term '{name}' is not recognized as the name of a cmdlet" in result.err
    assert result.code == 1


@pytest.mark.parametrize("name", ["netstat", "robocopy.exe", "net", "wmic", "ssh"])
def test_a_program_of_windows_that_is_missing_is_refused(run: Run, name: str) -> None:
    for line in (
        name,
        f"{name} 2>nul || echo on",
        f"powershell -NoProfile -Command \"try {{ {name} 2>$null }} catch {{ }}; 'on'\"",
        f"powershell -NoProfile -Command \"cmd /c '{name} || echo on'; 'on'\"",
    ):
        result = run(line)
        assert (result.code, result.out) == (70, "")
        assert f"not simulated in the lab: {name.removesuffix('.exe')}" in result.err


def test_a_program_that_nobody_has_is_not_recognized(run: Run) -> None:
    assert run("frobnicate").err.startswith("'frobnicate' is not recognized as an internal or")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("New-NetFirewallRule -DisplayName a -EdgeTraversalPolicy Allow", "New-NetFirewallRule -EdgeTraversalPolicy"),
        ("Get-Service -Comp other", "Get-Service -ComputerName"),
        ("Get-NetAdapter -AsJob", "Get-NetAdapter -AsJob"),
    ],
)  # fmt: skip
def test_a_parameter_of_windows_that_is_missing_is_refused(run: Run, line: str, named: str) -> None:
    assert refused(run(f'powershell -Command "try {{ {line} }} catch {{ }}; 1"'), named)


@pytest.mark.parametrize(
    "line",
    [
        "Get-Service -Frob",
        "Get-Content C:\\Windows\\win.ini -AsByteStream",  # of version 7, as are the others
        "'{}' | ConvertFrom-Json -AsHashtable",
        "Join-Path a b -AdditionalChildPath c",
        "1,2 | Sort-Object -Top 1",
        "Get-Date -AsUTC",
        "Get-Date -ProgressAction Ignore",
    ],
)
def test_a_parameter_that_5_1_has_not_gets_its_own_words(run: Run, line: str) -> None:
    name = line.rpartition("-")[2].split()[0]
    result = run(f'powershell -Command "{line}"')
    assert f"A parameter cannot be found that matches parameter name '{name}'." in result.err


def test_a_beginning_that_two_parameters_of_the_real_command_share_is_ambiguous(run: Run) -> None:
    said = run('powershell -Command "Get-ChildItem C:\\ -R"').err
    assert "Possible matches include: -Recurse -ReadOnly." in said


def test_the_lists_hold_what_the_lab_simulates() -> None:
    from k8swin_lab.powershell import builtin, cmdlets
    from k8swin_lab.windows.cmdlet_table import command_table

    tables = [builtin.TABLE, cmdlets.TABLE, command_table(hns=True, hyper_v=True)]
    names = [cmdlet.name for table in tables for cmdlet in table.cmdlets.values()]
    assert [name for name in names if commands.command(name) is None] == []


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("(Get-Process)[0].Modules", "[System.Diagnostics.Process].Modules"),
        ("(Get-Service)[0].Site", "[System.ServiceProcess.ServiceController].Site"),
        ("(Get-CimInstance Win32_OperatingSystem).NumberOfUsers", "root/cimv2/Win32_OperatingSystem].NumberOfUsers"),
        ("(Get-NetAdapter).DriverInformation", "root/standardcimv2/MSFT_NetAdapter].DriverInformation"),
        ("Get-Process | Sort-Object PagedMemorySize", "[System.Diagnostics.Process].PagedMemorySize"),
        ("Get-Process | Select-Object Modules", "[System.Diagnostics.Process].Modules"),
        ("(Get-Item C:/Windows/win.ini).Encrypt()", "[System.IO.FileInfo].Encrypt()"),
        ("(Get-Item C:/Windows/win.ini).Encrypt", "[System.IO.FileInfo].Encrypt"),
        ("[Environment]::StackTrace", "[System.Environment]::StackTrace"),
        ("[System.Net.WebRequest]::Create(1)", "[System.Net.WebRequest]"),
        ("New-Object Net.CookieContainer", "[Net.CookieContainer]"),
        ("using namespace System.Net; [WebRequest]", "[WebRequest]"),
        ("[Net.WebClient]::new().UploadString(1, 2)", "[System.Net.WebClient].UploadString()"),
        ("'x' -is [adsi]", "[adsi]"),
    ],
)  # fmt: skip
def test_a_type_or_member_of_dotnet_that_is_missing_is_refused(
    run: Run, script: str, named: str
) -> None:
    result = run(f'powershell -Command "{script}"')
    assert (result.code, result.out) == (70, "")
    assert f"not simulated in the lab: {named}" in result.err or named in result.err


@pytest.mark.parametrize(
    "script",
    [
        "(Get-Process)[0].Nonsense",
        "(Get-CimInstance Win32_OperatingSystem).Nonsense",
        "[pscustomobject]@{ a = 1 } | ForEach-Object Modules",
        "@{ a = 1 }.Modules",
        "(Get-Process | Select-Object Id)[0].Modules",
        "[Environment]::Nonsense",
    ],
)
def test_a_member_that_nobody_has_is_null(run: Run, script: str) -> None:
    assert run(f'powershell -Command "$null -eq ({script})"').out == "True\r\n"


@pytest.mark.parametrize("name", ["Foo.Bar", "System.Net.Frob", "Frob"])
def test_a_type_that_nobody_has_is_not_found(run: Run, name: str) -> None:
    assert run(f'powershell -Command "[{name}]"').err.startswith(f"Unable to find type [{name}].")


def test_a_namespace_that_a_script_uses_finds_types(run: Run) -> None:
    script = "using namespace System.IO; [Path]::GetFileName('C:/a/b.txt')"
    assert run(f'powershell -Command "{script}"').out == "b.txt\r\n"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("sc sdshow winrm", "sc.exe sdshow"),
        ("sc query type= driver", "sc.exe query type=driver"),
        ("reg export HKLM\\SOFTWARE x.reg", "reg.exe export"),
        ("netsh interface ipv4 show joins", "netsh.exe interface ipv4 show joins"),
        ("icacls C:\\Windows /verify", "icacls.exe /verify"),
        ("curl --http2 https://a", "curl.exe --http2"),
        ("tar --uid 0 -tf x", "tar.exe --uid"),
        ("where /r C:\\ x", "where.exe /r"),
        ("ren a b", "cmd.exe ren"),
        ("for %i in (1) do echo %i", "cmd.exe for"),
    ],
)
def test_an_option_of_windows_programs_that_is_missing_is_refused(
    run: Run, line: str, named: str
) -> None:
    assert refused(run(line), named)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sc frob", "*** Unrecognized Command ***"),
        ("reg frob", "ERROR: Invalid syntax."),
        ("netsh frob", "The following command was not found: frob."),
        ("curl --frob http://a", "curl: option --frob: is unknown"),
        ("tar --frob", "tar.exe: Option --frob is not supported"),
        ("icacls C:\\Windows /frob", 'Invalid parameter "/frob"'),
    ],
)
def test_an_option_that_no_program_has_gets_the_programs_words(
    run: Run, line: str, said: str
) -> None:
    result = run(line)
    assert said in result.out + result.err
    assert result.code not in (0, 70)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("Get-CimInstance Win32_DiskDrive", "not simulated in the lab: Get-CimInstance Win32_DiskDrive"),
        ("Get-CimInstance MSFT_Disk -Namespace root/microsoft/windows/storage", "not simulated in the lab: Get-CimInstance"),
        ("Get-WmiObject Win32_Service -Filter 'TagId=1'", "not simulated in the lab: Win32_Service.TagId"),
        ("Get-CimInstance Win32_Frob", "Get-CimInstance : Invalid class"),
        ("Get-CimInstance X -Namespace root/frob", "Get-CimInstance : Invalid namespace"),
        ("Get-WmiObject Win32_Service -Filter 'Frob=1'", "Get-WmiObject : Invalid query"),
        ("Import-Module Frob", "The specified module 'Frob' was not loaded"),
    ],
)  # fmt: skip
def test_classes_and_modules_that_exist_are_told_from_those_that_do_not(
    run: Run, script: str, said: str
) -> None:
    result = run(f'powershell -Command "{script}"')
    assert said in result.err
    assert result.code == (70 if said.startswith("not simulated") else 1)


def test_modules_of_windows_are_listed_with_all_their_commands(run: Run) -> None:
    script = "Import-Module NetNat; (Get-Command -Module NetNat).Count; Get-Module Storage -ListAvailable | % Name"
    assert run(f'powershell -Command "{script}"').out == "13\r\nStorage\r\n"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("Test-Path HKLM:/SYSTEM/CurrentControlSet/Control/Lsa", "Control\\Lsa"),
        ("Get-ChildItem HKLM:/SYSTEM/CurrentControlSet/Control/Class", "Control\\Class"),
        ("Set-ItemProperty HKLM:/SYSTEM/CurrentControlSet/Services/W32Time/Config -Name a -Value 1", "W32Time\\Config"),
        ("reg query HKLM\\SYSTEM\\Setup", "HKLM\\SYSTEM\\Setup"),
    ],
)  # fmt: skip
def test_a_key_of_windows_that_is_missing_is_refused(run: Run, line: str, key: str) -> None:
    result = run(f'powershell -Command "try {{ {line} }} catch {{ }}; 1"')
    assert (result.code, result.out) == (70, "")
    assert "not simulated in the lab: the key " in result.err
    assert key in result.err


def test_keys_that_scripts_set_are_there_and_others_are_not(run: Run) -> None:
    script = (
        "Set-ItemProperty HKLM:/SYSTEM/CurrentControlSet/Services/Tcpip6/Parameters DisabledComponents 255; "
        "'HKLM:/SOFTWARE/Frob', 'HKLM:/SOFTWARE/Policies/Frob' | ForEach-Object { Test-Path $_ }; "
        "(Get-ItemProperty 'HKLM:/SYSTEM/CurrentControlSet/Control/Terminal Server').fDenyTSConnections"
    )
    assert run(f'powershell -Command "{script}"').out == "False\r\nFalse\r\n1\r\n"


@pytest.mark.parametrize("script", ["Test-Path Cert:/LocalMachine/My", "Get-PSDrive Cert"])
def test_a_drive_of_windows_that_is_missing_is_refused(run: Run, script: str) -> None:
    assert refused(run(f'powershell -Command "{script}"'), "the drive ")
