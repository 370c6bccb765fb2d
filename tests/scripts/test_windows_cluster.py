"""The scripts of a worker's programs where a program fails, a service does not stop and a text differs in one letter."""

from __future__ import annotations

import io
import json
import threading
import time

import pytest
from k8swin_lab.internet.binaries import stand_in
from k8swin_lab.machines.program import Process
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.network import HttpRequest

from k8swin_nb.scripts import Script
from tests.scripts.test_functions import powershell
from tests.scripts.test_windows_scripts import Answer

STATE = r"C:\k8swin\state"
NO_TIME = "function Start-Sleep($Seconds, $Milliseconds) { }\n"


def stubbed(machine: WindowsMachine, name: str, stubs: str, **parameters: str) -> Answer:
    """Run a script with functions that stand before Windows' commands."""
    head, declared, body = Script.load(f"windows/{name}.ps1").text.partition(
        "$ErrorActionPreference = 'Stop'\n"
    )
    machine.files.make_directory(r"C:\t")
    machine.files.write(r"C:\t\s.ps1", (head + declared + NO_TIME + stubs + body).encode())
    words = " ".join(f'-{key} "{value}"' for key, value in parameters.items())
    out, err = io.BytesIO(), io.BytesIO()
    env = dict(machine.login_environment("Administrator"))
    process = Process(machine, [], env, "C:\\", "Administrator", io.BytesIO(), out, err)
    code = machine.shell(rf"powershell -NoProfile -File C:\t\s.ps1 {words}", process)
    return Answer(code, out.getvalue().decode(), err.getvalue().decode())


@pytest.mark.parametrize(
    ("there", "wanted", "same"),
    [
        ("--v=3", "--v=3", True),
        ("--V=3", "--v=3", False),
        ("--v=3\0", "--v=3", False),
        ("Gera\u0308t", "Ger\u00e4t", False),
        ("", "", True),
    ],
)
def test_what_a_file_holds_is_told_apart_letter_by_letter(machine, there, wanted, same):
    """-eq compares as people read: ansible's win_copy and WMCO's EnsureFile compare hashes instead."""
    machine.files.make_directory(r"C:\t")
    machine.files.write(r"C:\t\x", there.encode())
    machine.files.write(r"C:\t\wanted", wanted.encode())
    body = r"Test-FileText C:\t\x ([System.IO.File]::ReadAllText('C:\t\wanted')); Test-FileText C:\t\gone ''"
    assert powershell(machine, body, "Test-FileText") == f"{same}\nFalse\n"


def test_a_setting_of_the_kubelet_that_differs_in_a_capital_is_written(machine):
    machine.files.make_directory(r"C:\var\lib\kubelet")
    machine.files.write(r"C:\var\lib\kubelet\config.yaml", b"nodeLabel: A")
    done = stubbed(
        machine,
        "kubelet_config.apply",
        "function Restart-Service { }\nfunction Get-Service { }\n",
        KubeletConfig="nodeLabel: a",
    )
    assert done.code == 0, done.err
    assert machine.files.read(r"C:\var\lib\kubelet\config.yaml") == b"nodeLabel: a"


@pytest.mark.parametrize(
    ("name", "code"),
    [("00-other.conflist", 20), ("10-flannel.conf.bak", 10), ("README.txt", 10)],
)
def test_only_what_a_runtime_reads_is_another_cni_configuration(machine, run, name, code):
    """libcni's ConfFiles takes .conf, .conflist and .json, and nothing else."""
    machine.files.make_directory(r"C:\etc\cni\net.d")
    machine.files.write(rf"C:\etc\cni\net.d\{name}", b"{}")
    found = run(
        "cni.check",
        CniConf="{}",
        CniFolder=r"C:\etc\cni\net.d",
        CniFile="10-flannel.conf",
        WindowsNetConf="{}",
        NetConfFiles=r"C:\etc\kube-flannel\net-conf.json",
    )
    assert found.code == code, found


@pytest.mark.parametrize(
    ("script", "program", "parameters"),
    [
        ("images.apply", r"C:\Program Files\containerd\ctr.exe", {"Images": "r.io/a:1"}),
        ("images.check", r"C:\Program Files\containerd\ctr.exe", {"Images": "r.io/a:1"}),
        (
            "docker_images.apply",
            r"C:\Program Files\docker\docker.exe",
            {"Images": "r.io/a:1", "BaseImage": "r.io/a:1"},
        ),
    ],
)
def test_a_list_of_images_that_fails_makes_nothing_ours(machine, run, script, program, parameters):
    """What is written down as pulled from here is removed by a teardown: others' images must not come among it."""
    machine.files.make_directory(program.rpartition("\\")[0])
    name = program.rpartition("\\")[2].removesuffix(".exe")
    machine.files.write(program, stand_in(name, "1.0", "windows/amd64"))
    refused = run(script, **parameters)
    assert refused.code == 1 and f"{name}.exe" in refused.err, refused
    assert not machine.files.exists(rf"{STATE}\images.txt")


@pytest.mark.parametrize(
    ("state", "error", "raised"),
    [
        ("Running", "CouldNotStopService", True),
        ("Running", "StopServiceFailed", True),
        ("Running", "StartServiceFailed", False),
        ("Paused", "CouldNotStopService", False),
        ("Stopped", "StartServiceFailed", True),
    ],
)
def test_a_service_that_did_not_stop_has_not_started_anew(machine, state, error, raised):
    """PowerShell's Service.cs names what failed; nssm calls a program paused that ended and starts it by itself."""
    machine.files.make_directory(r"C:\t")
    body = f"""
function Get-Service($Name, [switch]$DependentServices) {{
    if (-not $DependentServices) {{ [pscustomobject]@{{ Name = $Name; Status = '{state}' }} }}
}}
function Restart-Service($Name, [switch]$Force) {{ Write-Error 'it failed' -ErrorId {error} }}
Set-RestartDue kubelet
try {{ Restart-ChangedService kubelet; 'done' }} catch {{ $_.Exception.Message }}
Test-RestartDue kubelet
"""
    said = powershell(machine, body, "Set-RestartDue", "Restart-ChangedService", "Test-RestartDue")
    assert said == ("it failed\nTrue\n" if raised else "done\nFalse\n")


def test_why_a_node_did_not_register_is_told_though_its_kubelet_does_not_stop(machine):
    machine.files.make_directory(r"C:\var\log\kubelet")
    machine.files.write(r"C:\var\log\kubelet\kubelet.log", b"E1 no such flag\n")
    stubs = """
function Get-Service($Name, [switch]$DependentServices) {
    if (-not $DependentServices) { [pscustomobject]@{ Name = $Name; Status = 'Paused' } }
}
function Restart-Service($Name, [switch]$Force) { }
function Stop-Service($Name, [switch]$Force) { Write-Error "Cannot stop $Name." }
"""
    # kubectl.exe is not there either: no exit code of its own, and no node.
    refused = stubbed(
        machine, "register.apply", stubs, NodeName="winworker01", RegisterSeconds="-1"
    )
    said = " ".join(refused.err.split())
    assert "did not register" in said and "no such flag" in said and "does not stop" in said


def test_the_test_apps_server_outlives_clients_that_ask_otherwise(machine):
    """HttpListener refuses a body in the answer to HEAD, and any write to a client that hung up."""
    machine.files.make_directory(r"C:\t")
    text = Script.load("container/webserver.ps1").text
    machine.files.write(r"C:\t\web.ps1", text.encode())
    out = io.BytesIO()
    env = dict(machine.login_environment("Administrator")) | {"POD_NAME": "web-1"}
    process = Process(machine, [], env, "C:\\", "Administrator", io.BytesIO(), out, io.BytesIO())
    thread = threading.Thread(
        target=machine.shell,
        args=(r"powershell -NoProfile -File C:\t\web.ps1", process),
        daemon=True,
    )
    thread.start()
    while b"listening" not in out.getvalue() and thread.is_alive():
        time.sleep(0.01)

    def ask(method: str, path: str) -> bytes:
        request = HttpRequest(method, f"http://{machine.address}{path}")
        return machine.network.http(machine, request).body

    assert ask("HEAD", "/hostname") == b""
    assert ask("GET", "/hostname") == b"web-1"
    assert json.loads(ask("GET", "/"))["answered"] == 3
    assert thread.is_alive()
    machine.power_off()
    thread.join(100)
    assert not thread.is_alive()
