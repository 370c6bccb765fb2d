"""What runs in a remote shell of WinRS, as the process table shows it."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable

from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows import WindowsMachine

CHAIN = (
    '$id=$PID; while ($id) { $p=Get-CimInstance Win32_Process -Filter \\"ProcessId = $id\\"; if (-not $p) { break }; '
    "$p.Name; $id=$p.ParentProcessId }"
)


def started(machine: WindowsMachine, shell: object, line: str) -> tuple[Process, Callable[[], str]]:
    out = io.BytesIO()
    env = dict(machine.login_environment("Administrator"))
    process = Process(machine, [], env, "C:\\", "Administrator", io.BytesIO(), out, out)
    run = shell.run  # type: ignore[attr-defined]
    thread = threading.Thread(target=run, args=(line, process), daemon=True)
    thread.start()

    def text() -> str:
        thread.join(60)
        return out.getvalue().decode()

    return process, text


def names(machine: WindowsMachine) -> list[str]:
    return sorted(entry.name for entry in machine.processes.running.values() if entry.process)


def wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    assert condition()


def test_a_script_hangs_below_cmd_and_the_host_of_its_shell(machine: WindowsMachine) -> None:
    shell = machine.remote_shell("Administrator")
    _, text = started(machine, shell, f'powershell -Command "{CHAIN}"')
    assert text().split() == [
        "powershell.exe",
        "cmd.exe",
        "winrshost.exe",
        "svchost.exe",
        "services.exe",
        "System",
    ]
    shell.close()
    assert "winrshost.exe" not in names(machine)


def test_the_session_is_the_process_that_both_commands_show(machine: WindowsMachine) -> None:
    shell = machine.remote_shell("Administrator")
    line = (
        '$c=Get-CimInstance Win32_Process -Filter \\"ProcessId=$PID\\"; $g=Get-Process -Id $PID; '
        "$c.Name; $g.Name; $c.CreationDate -eq $g.StartTime"
    )
    _, text = started(machine, shell, f'powershell -Command "{line}"')
    assert text().split() == ["powershell.exe", "powershell", "True"]
    shell.close()


def test_what_a_command_leaves_behind_ends_with_its_shell_and_not_before(
    machine: WindowsMachine,
) -> None:
    before = names(machine)
    shell = machine.remote_shell("Administrator")
    leave = "Start-Process powershell -ArgumentList '-Command','Start-Sleep 6000'"
    _, text = started(machine, shell, f'powershell -Command "{leave}"')
    assert text() == ""
    assert sorted([*before, "powershell.exe", "winrshost.exe"]) == names(machine)
    shell.close()
    wait(lambda: names(machine) == before)


def test_whoever_ends_the_host_of_a_shell_ends_what_runs_in_it(machine: WindowsMachine) -> None:
    before = names(machine)
    shell = machine.remote_shell("Administrator")
    _, text = started(machine, shell, 'powershell -Command "Start-Sleep 6000"')
    wait(lambda: "powershell.exe" in names(machine))
    other = machine.remote_shell("Administrator")
    kill = "Get-CimInstance Win32_Process | Where-Object { $_.CommandLine -like '*Start-Sleep 6000*' -and $_.Name -eq 'cmd.exe' -and $_.ProcessId -ne $PID } | Select-Object -First 1 | ForEach-Object { Stop-Process -Id $_.ParentProcessId -Force }"
    _, killed = started(machine, other, f'powershell -Command "{kill}"')
    assert killed() == ""
    wait(lambda: "winrshost.exe" in names(machine) and names(machine).count("winrshost.exe") == 1)
    text()
    other.close()
    wait(lambda: names(machine) == before)


def test_a_program_that_is_piped_to_gets_the_byte_order_mark_of_the_shells_code_page(
    machine: WindowsMachine,
) -> None:
    """.NET Framework writes the preamble of `[Console]::InputEncoding`: dotnet/runtime#28929, ansible#15770, #22934."""

    def piped(before: str = "", codepage: int = 65001) -> tuple[str, str]:
        out = io.BytesIO()
        env = dict(machine.login_environment("Administrator"))
        process = Process(
            machine, [], env, "C:\\", "Administrator", io.BytesIO(), out, out, codepage=codepage
        )
        line = f"{before}[Console]::InputEncoding.GetPreamble().Length; 'x' | findstr.exe x"
        assert machine.shell(f'powershell -NoProfile -Command "{line}"', process) == 0
        length, _, text = out.getvalue().decode().partition("\r\n")
        return length, text.strip("\r\n")

    assert piped() == ("3", "\ufeffx")
    assert piped(codepage=437) == ("0", "x")
    plain = "[Console]::InputEncoding = New-Object System.Text.UTF8Encoding($false); "
    assert piped(plain) == ("0", "x")
