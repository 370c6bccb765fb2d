from __future__ import annotations

from collections.abc import Callable

import pytest
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.machines.windows_programs import STUB
from k8swin_lab.machines.windows_services import ServiceError

from .conftest import Result

Run = Callable[[str], Result]


@pytest.fixture
def nssm(machine: WindowsMachine) -> WindowsMachine:
    machine.files.make_directory(r"C:\k")
    machine.files.write(r"C:\k\nssm.exe", STUB + b"nssm 2.24\n")
    machine.files.write(r"C:\k\kubelet.exe", STUB + b"kubelet 1.36.4\n")
    return machine


def test_a_program_that_ends_at_once_fails_the_start_with_a_timeout(nssm: WindowsMachine) -> None:
    nssm.services.create("kubelet", r"C:\k\kubelet.exe --windows-service --log-file=x")
    with pytest.raises(ServiceError) as caught:
        nssm.services.start("kubelet")
    assert caught.value.code == 1053
    assert nssm.services.state("kubelet") == "Stopped"


def test_a_service_without_its_program_fails_with_file_not_found(machine: WindowsMachine) -> None:
    machine.services.create("ghost", r"C:\none\ghost.exe")
    with pytest.raises(ServiceError) as caught:
        machine.services.start("ghost")
    assert caught.value.code == 2


def test_nssm_pauses_a_service_whose_program_does_not_stay_up(
    nssm: WindowsMachine, run: Run
) -> None:
    assert run(r"C:\k\nssm.exe install kubelet C:\k\kubelet.exe --nonsense").code == 0
    result = run(r"C:\k\nssm.exe start kubelet")
    assert result.code == 1
    assert "Unexpected status SERVICE_PAUSED in response to START control." in result.err
    assert run(r"C:\k\nssm.exe stop kubelet").code == 0


def test_nssm_keeps_its_definition_in_the_registry(nssm: WindowsMachine, run: Run) -> None:
    run(r"C:\k\nssm.exe install flanneld C:\k\flanneld.exe")
    run(r"C:\k\nssm.exe set flanneld AppEnvironmentExtra NODE_NAME=winworker01 X=1")
    run(r"C:\k\nssm.exe set flanneld AppRestartDelay 10000")
    key = r"HKLM\SYSTEM\CurrentControlSet\Services\flanneld\Parameters"
    assert nssm.registry.get(key, "AppEnvironmentExtra") == ["NODE_NAME=winworker01", "X=1"]
    assert nssm.registry.get(key, "AppRestartDelay") == 10000
    assert run(r"C:\k\nssm.exe set flanneld Nonsense 1").code == 1


def test_nssm_writes_the_programs_output_to_the_log(nssm: WindowsMachine, run: Run) -> None:
    nssm.files.make_directory(r"C:\var\log")
    run(r"C:\k\nssm.exe install kubelet C:\k\kubelet.exe --nonsense")
    run(r"C:\k\nssm.exe set kubelet AppStderr C:\var\log\kubelet.log")
    run(r"C:\k\nssm.exe start kubelet")
    assert b"unknown flag: --nonsense" in nssm.files.read(r"C:\var\log\kubelet.log")
    run(r"C:\k\nssm.exe stop kubelet")


def test_sc_shows_and_changes_a_service(machine: WindowsMachine, run: Run) -> None:
    assert run('sc.exe create demo binPath= "C:\\x.exe" start= auto').code == 0
    assert run("sc.exe config demo start= demand depend= RpcSs/EventLog").code == 0
    shown = run("sc.exe qc demo").out
    assert "3   DEMAND_START" in shown
    assert "DEPENDENCIES       : RpcSs" in shown
    assert run("sc.exe failure demo reset= 86400 actions= restart/5000/restart/30000").code == 0
    assert machine.services.recovery("demo") == [("restart", 5000), ("restart", 30000)]
    assert run("sc.exe delete demo").code == 0
    assert run("sc.exe query demo").code == 1060


def test_a_service_that_others_need_is_stopped_only_by_force(machine: WindowsMachine) -> None:
    with pytest.raises(ServiceError) as caught:
        machine.services.stop("BFE")
    assert caught.value.code == 1051
    machine.services.stop("BFE", force=True)
    assert machine.services.state("mpssvc") == "Stopped"


DISABLED = "The service cannot be started, either because it is disabled"
NO_ENDPOINTS = "There are no more endpoints available from the endpoint mapper."


@pytest.mark.parametrize(
    ("service", "asked", "said"),
    [
        ("Winmgmt", "Get-CimInstance Win32_OperatingSystem", DISABLED),
        ("Winmgmt", "Get-NetIPAddress", DISABLED),
        ("Winmgmt", "Get-WindowsFeature Containers", DISABLED),
        ("TrustedInstaller", "Install-WindowsFeature Containers", DISABLED),
        ("wuauserv", "(New-Object -ComObject Microsoft.Update.Session).CreateUpdateSearcher().Search('IsInstalled=0')", DISABLED),
        ("mpssvc", "New-NetFirewallRule -DisplayName x -Direction Inbound -Action Allow", NO_ENDPOINTS),
        ("Schedule", "Register-ScheduledTask x -Action (New-ScheduledTaskAction cmd.exe)", "The Task Scheduler service is not running."),
    ],
)  # fmt: skip
def test_what_asks_a_service_of_windows_fails_while_it_is_disabled(
    run: Run, service: str, asked: str, said: str
) -> None:
    def ask() -> Result:
        return run(f'powershell -NoProfile -Command "{asked}"')

    assert said not in ask().err
    off = f"Set-Service {service} -StartupType Disabled; Stop-Service {service} -Force"
    assert run(f'powershell -NoProfile -Command "{off}"').code == 0
    assert said in ask().err
    # Those of COM start when they are asked, the others have to run.
    on = f"Set-Service {service} -StartupType Automatic"
    if service in ("mpssvc", "Schedule"):
        on += f"; Start-Service {service}"
    run(f'powershell -NoProfile -Command "{on}"')
    assert said not in ask().err


def test_a_service_that_is_off_keeps_off_what_needs_it_at_the_next_boot(
    machine: WindowsMachine,
) -> None:
    machine.services.set_value("BFE", "Start", 4)
    machine.reboot()
    assert {name: machine.services.state(name) for name in ("BFE", "mpssvc", "iphlpsvc")} == {
        "BFE": "Stopped",
        "mpssvc": "Stopped",
        "iphlpsvc": "Running",
    }
