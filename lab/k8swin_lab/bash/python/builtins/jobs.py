"""Builtins about processes: wait, jobs, kill, disown, times, ulimit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8swin_lab.bash.python.builtins.table import Builtin, options
from k8swin_lab.bash.python.state import CommandFault, ExitShell, Job
from k8swin_lab.bash.tools.signals import signal_name, signal_number
from k8swin_lab.machines.program import NotSimulated

if TYPE_CHECKING:
    from k8swin_lab.bash.python.interpreter import Interpreter
    from k8swin_lab.bash.python.syntax import Assignment


def _join(shell: Interpreter, job: Job) -> int:
    while job.thread and job.thread.is_alive():
        job.thread.join(0.05)
        if shell.cancelled.is_set():
            raise ExitShell(130)
    if job in shell.jobs:
        shell.jobs.remove(job)
    return job.code


def _find(shell: Interpreter, text: str) -> Job | None:
    if text.startswith("%"):
        place = text[1:]
        if place in ("", "%", "+"):
            return shell.jobs[-1] if shell.jobs else None
        number = int(place) if place.isdigit() else 0
        return shell.jobs[number - 1] if 0 < number <= len(shell.jobs) else None
    if not text.isdigit():
        raise CommandFault(f"`{text}': not a pid or valid job spec")
    return shell.host.jobs.get(int(text))


def _wait(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    found, names = options(arguments, "nf", "p")
    if "n" in found:
        while shell.jobs:
            for job in shell.jobs:
                if not job.thread or not job.thread.is_alive():
                    shell.jobs.remove(job)
                    return job.code
            if shell.cancelled.wait(0.02):
                raise ExitShell(130)
        return 127
    if not names:
        for job in list(shell.jobs):
            _join(shell, job)
        return 0
    status = 0
    for name in names:
        wanted = _find(shell, name)
        if wanted is None:
            shell.complain(f"wait: pid {name} is not a child of this shell")
            status = 127
        else:
            status = _join(shell, wanted)
    return status


def _jobs(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    found, _names = options(arguments, "lpnrs")
    for job in shell.jobs:
        if job.thread and job.thread.is_alive() and "p" in found:
            shell.output(f"{job.pid}\n")
    if shell.jobs and "p" not in found:
        raise NotSimulated("jobs without -p")
    return 0


def _kill(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    number = 15
    rest = list(arguments)
    if rest and rest[0] in ("-l", "-L"):
        if len(rest) < 2:
            raise NotSimulated("kill -l")
        for text in rest[1:]:
            shell.output(
                f"{signal_name(int(text) & 127) if text.isdigit() else signal_number(text)}\n"
            )
        return 0
    if rest and rest[0] in ("-s", "-n") and len(rest) > 1:
        number = _number(rest[1])
        rest = rest[2:]
    elif rest and len(rest[0]) > 1 and rest[0][0] == "-" and rest[0] != "--":
        number = _number(rest[0][1:])
        rest = rest[1:]
    if rest and rest[0] == "--":
        rest = rest[1:]
    if not rest:
        raise CommandFault("usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... "
                           "or kill -l [sigspec]", 2)  # fmt: skip
    status = 0
    for text in rest:
        if text == str(shell.shell_pid) or text == str(shell.pid):
            _signal_self(shell, number)
            continue
        job = _find(shell, text)
        if job is None or not job.thread or not job.thread.is_alive():
            shell.complain(f"kill: ({text}) - No such process")
            status = 1
        elif number:
            job.killed = number
            job.cancelled.set()
    return status


def _number(text: str) -> int:
    number = signal_number(text)
    if number is None:
        raise CommandFault(f"{text}: invalid signal specification")
    return number


def _signal_self(shell: Interpreter, number: int) -> None:
    if not number:
        return
    action = shell.traps.get(signal_name(number))
    if action is None:
        shell.traps.pop("EXIT", None) if number == 9 else None
        raise ExitShell(128 + number)
    if action:
        shell.run_trap(action)


def _disown(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    shell.jobs.clear()
    return 0


def _ulimit(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    if arguments in (["-n"], ["-Sn"]):
        shell.output("1024\n")
        return 0
    if arguments == [] or arguments == ["-f"]:
        shell.output("unlimited\n")
        return 0
    raise NotSimulated(f"ulimit {' '.join(arguments)}")


BUILTINS: dict[str, Builtin] = {
    "wait": _wait, "jobs": _jobs, "kill": _kill, "disown": _disown, "ulimit": _ulimit,
}  # fmt: skip
