from __future__ import annotations

from collections.abc import Callable

import pytest
from k8swin_lab.internet import install
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.network import Network
from k8swin_lab.windows.software import windows_software

from .conftest import Result

Run = Callable[[str], Result]
KUBELET = "https://dl.k8s.io/release/v1.36.4/bin/windows/amd64/kubelet.exe"


@pytest.mark.parametrize(
    ("line", "code", "out"),
    [
        ("echo a&& echo b", 0, "a\r\nb\r\n"),
        ("nonsense || echo rescued", 0, "rescued\r\n"),
        ("exit 7", 7, ""),
        ("set X=1&& echo %X%", 0, "%X%\r\n"),
        ('echo one > C:\\t.txt & type C:\\t.txt | find /c "one"', 0, "1\r\n"),
        ("hostname", 0, "winworker01\r\n"),
        ("if exist C:\\Windows (echo yes) else (echo no)", 0, "yes\r\n"),
    ],
)
def test_cmd_runs_lines_as_windows_does(run: Run, line: str, code: int, out: str) -> None:
    result = run(line)
    assert (result.code, result.out) == (code, out)


def test_an_unknown_command_is_said_in_the_words_of_cmd(run: Run) -> None:
    result = run("nonsense")
    assert result.code == 1
    assert "'nonsense' is not recognized as an internal or external command" in result.err


def test_a_command_line_of_more_than_8191_characters_is_too_long(run: Run) -> None:
    result = run("echo " + "x" * 8190)
    assert (result.code, result.err) == (1, "The command line is too long.\r\n")


def test_a_gap_of_the_lab_is_named(run: Run) -> None:
    result = run("sc.exe sdshow x")
    assert result.code == 70
    assert "not simulated in the lab: sc.exe sdshow" in result.err


def test_a_download_is_a_program_that_runs(run: Run) -> None:
    assert run(f"md C:\\k && curl.exe -fsSL -o C:\\k\\kubelet.exe {KUBELET}").code == 0
    assert run(r"C:\k\kubelet.exe --version").out == "Kubernetes v1.36.4\n"


def test_a_file_that_is_no_program_does_not_run(run: Run, machine: WindowsMachine) -> None:
    machine.files.write(r"C:\bad.exe", b"<html>")
    result = run(r"C:\bad.exe")
    assert result.code == 216
    assert "not compatible" in result.err


def test_curl_says_what_failed(run: Run) -> None:
    assert run("curl.exe -fsSL https://no.such.host/x").code == 6
    assert (
        run("curl.exe -fsSL https://dl.k8s.io/release/v0.0.1/bin/windows/amd64/kubelet.exe").code
        == 22
    )
    assert run("curl.exe --nonsense x").code == 2


def test_tar_strips_components(run: Run, machine: WindowsMachine) -> None:
    url = "https://github.com/containerd/containerd/releases/download/v2.3.4/containerd-2.3.4-windows-amd64.tar.gz"
    assert (
        run(
            f"curl.exe -fsSL -o C:\\c.tgz {url} && md C:\\c && tar.exe -xf C:\\c.tgz -C C:\\c --strip-components 1"
        ).code
        == 0
    )
    assert machine.program_of(r"C:\c\containerd.exe") == ("containerd", "2.3.4")
    assert run(r"tar.exe -xf C:\Windows\win.ini -C C:\c").code == 1


def test_icacls_replaces_inherited_rules(run: Run, machine: WindowsMachine) -> None:
    run("echo x > C:\\secret.txt")
    assert (
        run("icacls.exe C:\\secret.txt /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F").code
        == 0
    )
    identities = {rule.identity for rule in machine.files.access(r"C:\secret.txt").rules}
    assert identities == {r"NT AUTHORITY\SYSTEM", r"BUILTIN\Administrators"}
    assert run("icacls.exe C:\\secret.txt /grant Nobody:F").code == 1332


def test_a_running_program_cannot_be_replaced(run: Run, machine: WindowsMachine) -> None:
    machine.files.make_directory(r"C:\k")
    run(f"curl.exe -fsSL -o C:\\k\\kubelet.exe {KUBELET}")
    entry = machine.processes.start(
        [r"C:\Windows\System32\ping.exe", "-n", "1", "localhost"], env={}, cwd="C:\\", user="x"
    )
    assert entry.ended.wait(100)
    machine.processes.enter(_process(machine, r"C:\k\kubelet.exe"))
    with pytest.raises(OSError, match="used by another process"):
        machine.files.write(r"C:\k\kubelet.exe", b"")


def _process(machine: WindowsMachine, path: str):  # type: ignore[no-untyped-def]
    import io

    from k8swin_lab.machines.program import Process

    return Process(machine, [path], {}, "C:\\", "x", io.BytesIO(), io.BytesIO(), io.BytesIO())


def test_a_reboot_applies_what_waited_for_it(run: Run, machine: WindowsMachine) -> None:
    booted, boot = machine.booted_at, machine.boot_id
    assert run("dism.exe /online /enable-feature /featurename:Containers /norestart").code == 3010
    assert machine.features.find("Containers").state == "InstallPending"  # type: ignore[union-attr]
    machine.reboot()
    assert machine.features.installed("Containers")
    assert machine.services.state("vmcompute") == "Running"
    assert machine.boot_id != boot
    assert machine.booted_at > booted


def test_a_second_shutdown_is_refused_while_one_is_scheduled(
    run: Run, machine: WindowsMachine
) -> None:
    assert run("shutdown.exe /r /t 600").code == 0
    assert run("shutdown.exe /r /t 600").code == 1190
    assert run("shutdown.exe /a").code == 0


def test_an_adapter_may_have_any_alias() -> None:
    network = Network()
    install(network)
    machine = WindowsMachine(
        "winworker03",
        "127.160.0.23",
        network,
        windows_software(),
        nic="Ethernet 2 (LAN)",
        pace=0.02,
    )
    feature = machine.features.find("Containers")
    assert feature is not None
    machine.features.install(feature)
    machine.reboot()
    made = machine.net.create_hns_network("cbr0", "L2Bridge", [{"AddressPrefix": "10.244.1.0/24"}])
    assert made.adapter_name == "Ethernet 2 (LAN)"
    assert machine.net.primary().name == "vEthernet (Ethernet 2 (LAN))"
    assert machine.net.physical_of("127.160.0.23") == "Ethernet 2 (LAN)"
    machine.net.remove_hns_network(made)
    assert machine.net.primary().name == "Ethernet 2 (LAN)"
    machine.power_off()


def test_what_a_program_says_on_standard_error_is_shown_as_windows_powershell_shows_errors(
    run: Callable[[str], Result],
) -> None:
    """about_Redirection, and what 5.1 makes of git's progress: the first line has place and category, the next are bare."""
    shown = run(
        "powershell -NoProfile -Command \"cmd.exe /c 'echo one>&2& echo two>&2' 2>&1 | Out-String\""
    )
    lines = shown.out.splitlines()
    assert lines[0] == "cmd.exe : one"
    assert lines[1] == "At line:1 char:1"
    assert lines[4:8] == [
        "    + CategoryInfo          : NotSpecified: (one:String) [], RemoteException",
        "    + FullyQualifiedErrorId : NativeCommandError",
        " ",
        "two",
    ]


def test_cmd_deletes_files_by_pattern_and_folders_by_name(run: Run) -> None:
    run(r"md C:\d\sub && echo 1> C:\d\a.log && echo 1> C:\d\b.log && echo 1> C:\d\c.txt")
    assert run(r"rd C:\d").code == 145
    assert run(r"rd C:\d\c.txt").code == 267
    assert run(r"del /q C:\d\*.log & dir /b C:\d").out == "c.txt\r\nsub\r\n"
    assert run(r"del C:\d\*.log").err == "Could Not Find C:\\d\\*.log\r\n"
    assert run(r"rd /s /q C:\d").code == 0
    done = run(r"rd C:\d")
    assert (done.code, done.err) == (2, "The system cannot find the file specified.\r\n")


def test_a_web_client_downloads_as_older_scripts_do(run: Run) -> None:
    script = (
        "$c = New-Object System.Net.WebClient; $c.Headers.Add('User-Agent', 'x'); "
        "$c.DownloadFile('https://dl.k8s.io/release/stable.txt', 'C:\\v.txt'); "
        "$c.DownloadString('https://dl.k8s.io/release/stable.txt') -eq (Get-Content C:\\v.txt -Raw); "
        "try { $c.DownloadFile('https://dl.k8s.io/v1.99.0/bin/windows/amd64/kubectl.exe', 'C:\\k') } "
        "catch { $_.Exception.Message; $_.Exception.InnerException.GetType().Name }; Test-Path C:\\k"
    )
    assert run(f'powershell -Command "{script}"').out.splitlines() == [
        "True",
        'Exception calling "DownloadFile" with "2" argument(s): "The remote server returned an error: (404) Not Found."',
        "WebException",
        "False",
    ]


def test_objects_of_windows_have_their_methods_in_any_spelling_and_drives_their_space(
    run: Run,
) -> None:
    script = (
        "Get-Service WinRM | ForEach-Object stop; (Get-Service WinRM).Status; (Get-NetAdapter).GetType().Name; "
        "$d = Get-PSDrive C; $d.Used -gt 1GB; $d.Free -eq (Get-Volume C).SizeRemaining"
    )
    shown = run(f'powershell -Command "{script}"').out.splitlines()
    assert shown == ["Stopped", "CimInstance", "True", "True"]


def test_what_a_session_knows_of_itself(run: Run) -> None:
    script = (
        "$Host.Name; $PROFILE; $PROFILE.AllUsersAllHosts; $OutputEncoding.WebName; $MaximumErrorCount; "
        "function f { $OutputEncoding = [Text.UTF8Encoding]::new($false); [string][char]0xe4 | findstr . }; "
        "(f).Length; [string][char]0xe4 | findstr ?"
    )
    own = r"C:\Users\Administrator\Documents\WindowsPowerShell\Microsoft.PowerShell_profile.ps1"
    shown = run(f'powershell -Command "{script}"').out.splitlines()
    assert shown[:5] == [
        "ConsoleHost",
        own,
        r"C:\Windows\System32\WindowsPowerShell\v1.0\profile.ps1",
        "us-ascii",
        "256",
    ]
    assert [line.strip("\ufeff") for line in shown[6:]] == ["?"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("echo a+b?(c) | findstr a+b?(c)", "a+b?(c) "),
        ("echo a1 | findstr a[0-9]", "a1 "),
        ("echo a.b | findstr /l a.b", "a.b "),
        ('echo one two | findstr /r /c:"e t.o"', "one two "),
        ('echo one two | findstr /c:"e t.o"', ""),
    ],
)
def test_findstr_reads_its_own_small_language(run: Run, line: str, shown: str) -> None:
    assert run(line).out == (f"{shown}\r\n" if shown else "")
