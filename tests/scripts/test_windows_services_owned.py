"""Which services of a Windows worker a removal knows as ours: those that this project defines, and no others."""

import io
import json

import pytest
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.network import Network
from k8swin_lab.windows.software import windows_software

from k8swin_nb.scripts import Script
from tests.phases.test_windows_worker import SERVICES
from tests.runs import make_run

POWERSHELL = r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe"
KEY = r"HKLM\SYSTEM\CurrentControlSet\Services\{}\Parameters"


def known(name: str, program: str, arguments: str, *found: str) -> int:
    """Define a service as nssm keeps it, and return what the check of the removal ends with."""
    machine = WindowsMachine("winworker01", "127.160.0.21", Network(), windows_software())
    key = KEY.format(name)
    machine.registry.set(key, "Application", program, "REG_EXPAND_SZ")
    machine.registry.set(key, "AppParameters", arguments, "REG_EXPAND_SZ")
    if found:
        machine.files.make_directory("C:\\k8swin\\state\\")
        record = json.dumps({"places": [], "path": False, "services": found})
        machine.files.write(r"C:\k8swin\state\found.json", record.encode())
    machine.files.write(
        r"C:\check.ps1", Script.load("windows/services_removed.check.ps1").text.encode()
    )
    out, err = io.BytesIO(), io.BytesIO()
    env = dict(machine.login_environment("Administrator"))
    process = Process(machine, [], env, "C:\\", "Administrator", io.BytesIO(), out, err)
    code = machine.shell(r"powershell -NoProfile -File C:\check.ps1", process)
    assert err.getvalue() == b"", err.getvalue().decode()
    return code


@pytest.mark.parametrize("profile", sorted(SERVICES))
def test_every_service_that_is_defined_here_is_ours(profile):
    run = make_run(profile=profile)
    worker = run.inventory.host("winworker01")
    for definition in SERVICES[profile]:
        defined = definition(run, worker)
        assert known(*(str(defined[key]) for key in ("name", "program", "arguments"))) == 10


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        (r"C:\flannel\flanneld.exe", "--kube-subnet-mgr"),
        (POWERSHELL, r"-NoProfile -File C:\site\flanneld.ps1"),
        (POWERSHELL, r"-Command & C:\site\run.ps1 -File C:\k8swin\flanneld.ps1 -Other"),
    ],
)
def test_somebody_elses_service_of_the_same_name_is_not(program, arguments):
    assert known("flanneld", program, arguments) == 0


def test_one_that_was_there_before_us_is_not_whatever_it_runs():
    assert known("flanneld", r"C:\k\flanneld.exe", "--kube-subnet-mgr") == 10
    assert known("flanneld", r"C:\k\flanneld.exe", "--kube-subnet-mgr", "flanneld") == 0
