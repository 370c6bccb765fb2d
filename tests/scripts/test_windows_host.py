"""What is so on a Windows server itself: its boots, features and name."""

import json
import re
import threading
import time
from types import SimpleNamespace

import pytest
from k8swin_lab.machines import windows_setup
from k8swin_lab.machines.windows_updates import Update
from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.cmdlets import session as session_commands

from k8swin_nb.scripts import Script
from tests.scripts.test_functions import powershell
from tests.scripts.test_windows_scripts import WINDOWS

SERVICING = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing"
NETLOGON = r"HKLM\SYSTEM\CurrentControlSet\Services\Netlogon"


def test_a_boot_is_told_with_its_time_its_age_and_whether_windows_is_through_with_it(machine, run):
    """The key is LogonUI's, which ansible.windows waits for after a reboot."""
    said = run("boot_time.check").said
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \d+\.\d{3} (settled|booting)", said
    )
    machine.registry.create(windows_setup.LOGON_SHOWN, volatile=True)
    assert run("boot_time.check").said.endswith(" settled")
    up = float(said.split()[1])
    assert abs(machine.now() - machine.booted_at - up) < 60


def test_a_server_has_booted_when_flanneld_has_taken_the_adapter_over(machine, run):
    """flannel's vxlan backend makes its network with EnableNonPersistent (device_windows.go): anew at each boot."""
    machine.features.install(machine.features.find("Containers"))
    machine.reboot()
    machine.registry.create(windows_setup.LOGON_SHOWN, volatile=True)
    machine.services.create("flanneld", r"C:\k\nssm.exe", start=2)
    assert run("boot_time.check").said.endswith(" booting")
    pods = [{"AddressPrefix": "10.244.1.0/24", "GatewayAddress": "10.244.1.1"}]
    machine.net.create_hns_network("flannel.4096", "Overlay", pods).persistent = False
    assert run("boot_time.check").said.endswith(" settled")
    machine.reboot()
    assert machine.net.hns_networks == [] and machine.net.primary().name == "Ethernet"


def test_a_reboot_that_somebody_scheduled_for_later_is_called_off_for_ours(machine, run):
    """shutdown.exe refuses a second one with 1190, and the first may be hours away; as ansible.windows does."""
    machine.schedule_shutdown(36_000, restart=True)
    machine.registry.create(windows_setup.LOGON_SHOWN, volatile=False)
    before = machine.booted_at
    assert run("reboot.apply").code == 0
    assert machine.registry.key(windows_setup.LOGON_SHOWN) is None
    deadline = time.monotonic() + 60
    while machine.booted_at == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert machine.booted_at != before


def test_renames_that_are_due_at_the_next_boot_want_none(machine, run):
    """Scanners and drivers leave some at any time: each run would find a reboot to do, and nothing here waits for them."""
    manager = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager"
    machine.registry.set(manager, "PendingFileRenameOperations", [r"\??\C:\x", ""])
    assert run("reboot.check").code == 0


@pytest.mark.parametrize("key", ["JoinDomain", "AvoidSpnSet"])
def test_a_domain_that_was_joined_or_left_wants_a_reboot(machine, run, key):
    assert run("reboot.check").code == 0
    machine.registry.create(rf"{NETLOGON}\{key}")
    answer = run("reboot.check")
    assert answer.code == 10
    assert "the domain" in answer.said


def test_a_feature_whose_list_is_not_to_be_had_yet_is_asked_for_again(machine, run, monkeypatch):
    features = machine.features
    ready, asked = features.all, []

    class Late(list):
        def __iter__(self):
            asked.append(1)
            return iter(ready if len(asked) > 2 else [])

    monkeypatch.setattr(features, "all", Late())
    assert run("reboot.check").code == 0
    assert len(asked) > 2


def test_a_feature_that_is_never_to_be_had_is_not_taken_for_installed(machine, run, monkeypatch):
    monkeypatch.setattr(machine.features, "all", [])
    answer = run("containers.check")
    assert answer.code not in (0, 10, 20)
    assert "Containers" in answer.err


@pytest.mark.parametrize("pending", [True, False])
def test_a_feature_that_windows_refuses_before_a_reboot_says_so(machine, run, monkeypatch, pending):
    """Server Manager: "The operation cannot be completed, because the server that you specified requires a restart." """
    said = "The request to add or remove features on the specified server failed."

    def refused(feature):
        raise Terminating(said, exception="System.Exception")

    monkeypatch.setattr(machine.features, "install", refused)
    if pending:
        machine.registry.create(rf"{SERVICING}\RebootPending", volatile=True)
    answer = run("containers.apply")
    assert answer.code == 1 and said in answer.err
    assert ("component servicing: reboot this server" in answer.err) is pending


def test_a_feature_that_somebody_removes_is_neither_there_nor_to_be_installed(machine, run):
    (feature,) = (f for f in machine.features.all if f.name == "Containers")
    feature.state = "UninstallPending"
    answer = run("containers.check")
    assert (answer.code, "reboot" in answer.out) == (20, True)


def test_a_member_of_a_domain_is_renamed_by_its_domain(machine, run):
    """NetRenameMachineInDomain wants an account that may change the domain's object; ComputerManagementDsc asks for one."""
    machine.domain = "corp.example"
    answer = run("host_name.check", NodeName="node-7")
    assert (answer.code, "corp.example" in answer.said) == (20, True)
    assert run("host_name.check", NodeName="winworker01").code == 0
    machine.domain = ""
    assert run("host_name.check", NodeName="node-7").code == 10


AUTO_UPDATE = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update"
UPGRADES = "3689bdc8-b205-4af4-8d4a-a63924c5e9d5"


def update(machine, on_waiting=lambda: None) -> dict:
    """Run the job as a task of the system's, which is how Windows Update works at all, and return its last status."""
    status = r"C:\k8swin\jobs\windows-update\status.json"
    if machine.files.exists(status):
        machine.files.remove(status)
    machine.files.make_directory("C:\\t")
    machine.files.make_directory(r"C:\k8swin\jobs\windows-update")
    text = Script.load("windows/windows_update.job.ps1").text
    machine.files.write(r"C:\t\job.ps1", text.encode())
    said = powershell(
        machine,
        "$a = New-ScheduledTaskAction -Execute powershell.exe -Argument '-File C:\\t\\job.ps1'\n"
        "Register-ScheduledTask -TaskName u -Action $a -User SYSTEM -Force | Out-Null\nStart-ScheduledTask -TaskName u",
    )
    assert said == ""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if machine.files.exists(status):
            told = json.loads(machine.files.read(status).decode("utf-8-sig"))
            if told["detail"].startswith("waiting"):
                on_waiting()
            if told["state"] in ("done", "failed"):
                break
        time.sleep(0.05)
    return told


def test_updates_that_are_for_choosing_and_other_windows_are_not_installed(machine):
    """ansible.windows#293 and PSWindowsUpdate#49: a search finds previews and the next Windows as well."""
    left = [
        Update("1", "2026-11 Cumulative Update Preview", optional=True),
        Update("2", "Windows Server 2025", category=UPGRADES),
    ]
    machine.updates.all = [
        *left,
        Update("3", "2026-11 Cumulative Update"),
        Update("4", "Definitions"),
    ]
    told = update(machine)
    assert (told["state"], told["left"]) == ("done", 2), told
    assert [u.installed for u in machine.updates.all] == [False, False, True, True]


def test_windows_that_wants_a_reboot_before_it_installs_gets_one(machine):
    """IUpdateInstaller.RebootRequiredBeforeInstallation: Install ends with 0x80240016, WU_E_INSTALL_NOT_ALLOWED."""
    machine.registry.create(rf"{AUTO_UPDATE}\RebootRequired", volatile=True)
    told = update(machine)
    assert (told["state"], told["reboot"]) == ("done", True), told
    assert told["left"] > 0 and not any(u.installed for u in machine.updates.all)
    machine.reboot()
    assert update(machine)["detail"].startswith("installed: ")


def test_an_installation_that_somebody_else_began_is_waited_for(machine):
    """IUpdateInstaller.IsBusy: whoever comes second is refused with 0x80240009, WU_E_OPERATIONINPROGRESS."""
    machine.updates.busy = True
    waited = []

    def end():
        waited.append(1)
        machine.updates.busy = False

    told = update(machine, end)
    assert waited and (told["state"], told["detail"][:9]) == ("done", "installed"), told


def test_the_nights_task_starts_on_a_battery_and_after_a_night_that_the_server_was_off(machine):
    """Task Scheduler's DisallowStartIfOnBatteries is true unless somebody says otherwise; a UPS counts as a battery."""
    machine.files.make_directory("C:\\t")
    register = re.search(
        r"(?ms)^function Register-NightJob.*?^}\n", Script.load("windows/containerd.apply.ps1").text
    )
    assert register is not None
    said = powershell(
        machine,
        register[0] + "Register-NightJob 'n' 'exit 0'\nTest-NightJob 'n' 'exit 0'\n"
        "$s = (Get-ScheduledTask k8swin-n).Settings\n"
        '"$($s.DisallowStartIfOnBatteries) $($s.StopIfGoingOnBatteries) $($s.StartWhenAvailable)"\n'
        "$a = New-ScheduledTaskAction -Execute powershell.exe\n"
        "Register-ScheduledTask -TaskName k8swin-n -Action $a -User SYSTEM -Force | Out-Null\n"
        "Test-NightJob 'n' 'exit 0'",
        "Test-NightJob",
    )
    assert said.split() == ["True", "False", "False", "True", "False"]


LOG = r"C:\var\log\containerd\containerd.log"


@pytest.mark.parametrize("size", [1, 51])
def test_the_log_of_containerd_is_cut_off_when_it_is_large(machine, size):
    """containerd opens it to append (service_windows.go), and lets others read and write it, but not rename it."""
    machine.files.make_directory(r"C:\var\log\containerd")
    machine.files.make_directory("C:\\t")
    content = b"x" * (size * 1024**2)
    machine.files.write(LOG, content)
    machine.files.write(f"{LOG}.1", b"older")
    machine.files.open.add(LOG.lower())
    machine.files.write(
        r"C:\t\job.ps1", Script.load("windows/containerd_log.job.ps1").text.encode()
    )
    powershell(machine, r"& C:\t\job.ps1")
    if size == 1:
        assert machine.files.read(LOG) == content and machine.files.read(f"{LOG}.1") == b"older"
        return
    assert machine.files.read(LOG) == b""
    assert machine.files.read(f"{LOG}.1") == content and machine.files.read(f"{LOG}.2") == b"older"


def test_tasks_of_ours_go_with_the_rest(machine, run):
    machine.files.make_directory(r"C:\k8swin\state")
    machine.files.make_directory("C:\\t")
    machine.files.write(
        r"C:\k8swin\state\found.json", b'{"places": [], "path": true, "services": []}'
    )
    names = ("windows-update", "containerd-log", "pod-network", "hns-removed")
    body = "$a = New-ScheduledTaskAction -Execute cmd.exe\n"
    body += "\n".join(
        f"Register-ScheduledTask -TaskName k8swin-{n} -Action $a | Out-Null" for n in names
    )
    powershell(machine, body)
    assert "k8swin-windows-update" in run("files_removed.check", RemovedPlaces="[]").said
    assert run("files_removed.apply", RemovedPlaces="[]", KeepImages="false").code == 0
    assert (
        powershell(
            machine, "@(Get-ScheduledTask | Where-Object { $_.TaskName -like 'k8swin-*' }).Count"
        )
        == "0\n"
    )


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ("10.244.0.0/16,.svc,10.1.0.3", ""),
        ("site.example", "10.244.0.0/16\n.svc\n10.1.0.3\n"),
        ("10.0.0.0/8,svc", ""),
        ("10.0.0.0/8,*.svc", ""),
        ("10.244.0.0/17,SVC,10.1.0.3", "10.244.0.0/16\n"),
        ("*", ""),
        ("10.244.0.0/16,.svc.,10.1.0.0/24", ".svc\n"),
        ("10.244.0.0/16,vc,10.1.0.3:443", ".svc\n10.1.0.3\n"),
        (".10.244.0.0/16,.svc,10.1.0.3", "10.244.0.0/16\n"),
    ],
)
def test_what_no_proxy_spares_is_read_as_the_programs_read_it(machine, given, left):
    """golang.org/x/net/http/httpproxy: a larger network spares a smaller one."""
    machine.files.make_directory("C:\\t")
    except_ = ", ".join(f"'{word}'" for word in given.split(","))
    body = f"Get-Unspared '10.244.0.0/16,.svc,10.1.0.3' @({except_})"
    assert powershell(machine, body, "Get-Unspared") == left


DATES = re.compile(r"\.ToString\('[^']*[yHms][^']*'\)|\.ToLower\(\)|\.ToUpper\(\)")


@pytest.mark.parametrize("path", sorted(WINDOWS.glob("*.ps1")), ids=lambda path: path.name)
def test_nothing_is_written_in_the_ways_of_one_culture(path):
    """Thai calendars count 2569, Finnish times have points, and Turkish makes a dotless i of I."""
    assert not DATES.findall(path.read_text(encoding="utf-8"))


def test_a_lock_that_the_same_work_held_before_is_told_without_waiting_for_its_end(
    machine, run, monkeypatch
):
    """It is told as held at once, so that it is broken and taken again; another's may be let go of in a moment."""
    waited: list[float] = []
    own = threading.get_ident()

    def now():
        return time.monotonic() + (sum(waited) if threading.get_ident() == own else 0)

    def sleep(seconds):
        if threading.get_ident() == own:
            waited.append(seconds)
        else:
            time.sleep(seconds)

    monkeypatch.setattr(session_commands, "time", SimpleNamespace(monotonic=now, sleep=sleep))
    place = r"C:\ProgramData\k8swin\lock"
    holder = threading.Thread(target=run, args=("host_lock.apply",), kwargs={"LockHolder": "mine"})
    holder.start()
    while holder.is_alive() and not (
        machine.files.exists(place) and "mine" in machine.files.read(place).decode()
    ):
        time.sleep(0.02)
    try:
        told = run("host_lock.apply", LockHolder="anew", LockLost="mine")
        assert (told.code, told.out.split()) == (75, ["held", "mine"])
        assert waited == []
        assert run("host_lock.apply", LockHolder="anew", LockLost="other").code == 75
        assert waited
    finally:
        run("host_lock_broken.apply", LockHolder="mine", LockBreaker="me")
        holder.join(100)
    assert not holder.is_alive()
