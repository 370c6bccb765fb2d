"""A machine runs what it is given and nothing else: it is state, without commands of its own."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated, Process, Program
from k8swin_lab.machines.software import LinuxSoftware, WindowsSoftware
from k8swin_lab.machines.windows import WindowsMachine
from k8swin_lab.network import Network


def greet(process: Process) -> int:
    process.out(f"{process.machine.name} greets {process.argv[-1]}")
    return 3


class EchoShell:
    """A shell that says what it was given to run."""

    def run(self, argv: list[str], process: Process) -> int:
        process.out(" ".join(argv))
        return 0

    def stop(self) -> None:
        """Nothing runs."""


def refuse(*_: object, **__: object) -> None:
    raise RuntimeError("this machine has no containers")


def linux(root: Path, packaged: dict[str, Callable[..., int]] | None = None) -> LinuxMachine:
    software = LinuxSoftware({"greet": greet}, packaged or {}, lambda _: EchoShell(), refuse)
    return LinuxMachine("host", "192.168.160.10", Network(), software, root=root)


def process_of(machine: LinuxMachine | WindowsMachine, *argv: str) -> tuple[Process, io.BytesIO]:
    out = io.BytesIO()
    process = Process(machine, list(argv), {}, "/", "root", io.BytesIO(), out, io.BytesIO())
    return process, out


def test_a_linux_machine_runs_the_programs_that_it_is_given(tmp_path):
    machine = linux(tmp_path)
    process, out = process_of(machine, "greet", "you")
    assert machine.run_program(process) == 3
    assert out.getvalue() == b"host greets you"
    with pytest.raises(NotSimulated, match="systemctl"):
        machine.run_program(process_of(machine, "systemctl", "status")[0])


def test_a_linux_machine_opens_the_shell_that_it_is_given(tmp_path):
    process, out = process_of(machine := linux(tmp_path))
    assert machine.shell("greet you", process) == 0
    assert out.getvalue() == b"bash -c greet you"


def test_a_file_stands_for_a_given_program_in_its_version(tmp_path):
    def tool(process: Process, *, version: str) -> int:
        process.out(version)
        return 0

    machine = linux(tmp_path, {"tool": tool})
    program = machine.binary("tool", "1.2")
    assert program is not None
    process, out = process_of(machine, "tool")
    assert program(process) == 0
    assert out.getvalue() == b"1.2"
    assert machine.binary("other", "1.2") is None


def test_a_linux_machine_boots_with_its_services_and_without_commands(tmp_path):
    machine = linux(tmp_path)
    machine.reboot()
    assert machine.units.state("ssh.service").active == "active"
    machine.shut_down()


def windows(**programs: Program) -> WindowsMachine:
    software = WindowsSoftware(programs, list(programs), refuse)
    return WindowsMachine("server", "192.168.160.11", Network(), software, pace=0.01)


def test_a_windows_machine_has_a_file_for_each_system_program_that_it_is_given():
    machine = windows(greet=greet)
    assert machine.files.exists(r"C:\Windows\System32\greet.exe")
    assert not machine.files.exists(r"C:\Windows\System32\sc.exe")
    process, out = process_of(machine, "greet.exe", "you")
    process.env = machine.login_environment("Administrator")
    assert machine.run(process) == 3
    assert out.getvalue() == b"server greets you"
    machine.power_off()


def test_a_windows_machine_shows_a_command_line_to_the_cmd_that_it_is_given():
    machine = windows(cmd=greet)
    process, out = process_of(machine)
    assert machine.shell("dir", process) == 3
    assert out.getvalue() == b"server greets dir"
    machine.power_off()
