"""reboot, shutdown and poweroff."""

from __future__ import annotations

from k8swin_lab.arguments import Options
from k8swin_lab.linux.files import machine_of
from k8swin_lab.machines.linux import LinuxMachine
from k8swin_lab.machines.program import NotSimulated, Process

_SHUTDOWN = Options(flags="-r,--reboot -h -P,--poweroff -H,--halt -c --no-wall")
_REBOOT = Options(flags="-f,--force --no-wall")
_DELAY = 0.2
"""Seconds between the command and the end, so that the command's own answer gets through."""


def reboot_soon(machine: LinuxMachine, minutes: float = 0) -> None:
    """Reboot after the command that asks for it has ended."""
    boot = machine.boot_id

    def act() -> None:
        if machine.boot_id == boot and machine.powered_on:
            machine.reboot()

    machine.later(_DELAY + 60 * minutes, act)


def shut_down_soon(machine: LinuxMachine, minutes: float = 0) -> None:
    """Power off after the command that asks for it has ended."""
    machine.later(_DELAY + 60 * minutes, machine.shut_down)


def reboot(process: Process) -> int:
    """Run reboot, poweroff or halt."""
    name = process.argv[0].rpartition("/")[2]
    _REBOOT.parse(name, process.argv[1:])
    if process.user != "root":
        process.err(f"Failed to set wall message, ignoring: Interactive authentication required.\n"
                    f"Failed to {name} system via logind: Interactive authentication required.\n")  # fmt: skip
        return 1
    machine = machine_of(process)
    if name == "reboot":
        reboot_soon(machine)
    else:
        shut_down_soon(machine)
    return 0


def shutdown(process: Process) -> int:
    """Run shutdown."""
    parsed = _SHUTDOWN.parse("shutdown", process.argv[1:])
    if "-c" in parsed:
        raise NotSimulated("shutdown -c")
    if process.user != "root":
        process.err("Failed to set wall message, ignoring: Interactive authentication required.\n")
        return 1
    when = parsed.operands[0] if parsed.operands else "+1"
    if when == "now":
        minutes = 0.0
    elif when.lstrip("+").isdigit():
        minutes = float(when.lstrip("+"))
    else:
        raise NotSimulated(f"shutdown {when}")
    machine = machine_of(process)
    if minutes:
        kind = "Reboot" if "-r" in parsed else "Shutdown"
        process.err(f"{kind} scheduled, use 'shutdown -c' to cancel.\n")
    if "-r" in parsed:
        reboot_soon(machine, minutes)
    else:
        shut_down_soon(machine, minutes)
    return 0
