"""What a scanner holds open for a moment is deleted a moment later, by every script (Go's `robustio` does so, too).

A deletion that fails without a word leaves a note that is no longer true: a service that has to start anew for ever, a
join that seems to be under way, a lock that seems to be broken.
"""

import hashlib
import re

import pytest
from k8swin_lab.machines.windows import WindowsMachine

from k8swin_nb.scripts import Script, names
from tests.conftest import ROOT
from tests.scripts.test_functions import powershell

NOTE = r"C:\k8swin\state\containerd.restart"
NO_FILES = ("HKLM:", ".k8swin-old-*")
"""A key of the registry; and programs that may run on, which a later run deletes."""


def deletions(text: str) -> list[str]:
    """Return the lines of a script that delete, but not with patience."""
    lines = [line.strip() for line in text.splitlines() if re.search(r"\bRemove-Item -", line)]
    return [
        line
        for line in lines
        if "Invoke-Patiently" not in line and not any(word in line for word in NO_FILES)
    ]


@pytest.mark.parametrize("name", [n for n in names() if n.endswith(".ps1")])
def test_a_script_deletes_files_with_patience_alone(name: str) -> None:
    assert deletions(Script.load(name).text) == []


@pytest.mark.parametrize("again", ["Restart-ChangedService", "Restart-RunningService"])
def test_a_service_that_was_started_anew_is_not_due_again_though_its_note_was_looked_at(
    machine: WindowsMachine, again: str
) -> None:
    for folder in ("C:\\t", "C:\\k8swin\\state"):
        machine.files.make_directory(folder)
    machine.files.scan_seconds = 0.1
    stubs = "function Restart-Service { }\nfunction Get-Service { }"
    said = powershell(
        machine,
        f"{stubs}\nSet-RestartDue containerd\n{again} containerd\nTest-RestartDue containerd",
        "Set-RestartDue",
        again,
        "Test-RestartDue",
    )
    assert said == "False\n" and not machine.files.exists(NOTE)


def test_what_is_held_for_good_is_an_error_and_what_is_gone_is_none(
    machine: WindowsMachine,
) -> None:
    for folder in ("C:\\t", "C:\\k8swin\\state"):
        machine.files.make_directory(folder)
    machine.files.scan_seconds = 60.0
    said = powershell(
        machine,
        f"function Start-Sleep {{ }}\nRemove-File {NOTE}\nSet-RestartDue containerd\n"
        f"try {{ Remove-File {NOTE} }} catch {{ 'an error' }}",
        "Remove-File",
        "Set-RestartDue",
    )
    assert said == "an error\n"


def test_a_log_is_read_while_a_program_writes_it(machine):
    """`Get-FileHash` and `ReadAllBytes` share reading alone; Ansible's fetch opens with FileShare.ReadWrite as well."""
    machine.files.make_directory("C:\\t")
    text = (ROOT / "k8swin_nb" / "transports" / "get.ps1").read_text()
    machine.files.write("C:\\t\\get.ps1", text.encode())
    machine.files.write("C:\\t\\log", b"so far")
    said = powershell(
        machine,
        "$held = [System.IO.File]::Open('C:\\t\\log', 'Append', 'Write', 'ReadWrite')\n"
        "& C:\\t\\get.ps1 -Path C:\\t\\log",
    )
    assert said.split() == [hashlib.sha256(b"so far").hexdigest().upper(), "c28gZmFy"]
