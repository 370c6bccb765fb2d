"""Finds out, once, whether the host lets us run its bash in a private root."""

from __future__ import annotations

import functools
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from k8swin_lab.bash import root
from k8swin_lab.machines.base import Machine
from k8swin_lab.machines.program import NotSimulated, Process, Program


@dataclass(frozen=True, slots=True)
class Availability:
    """True when the system's bash can be used; otherwise `reason` says what stands in the way."""

    available: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.available


class _BareMachine:
    """The least machine there can be: a directory and one program."""

    name = "probe"

    def __init__(self, directory: Path) -> None:
        self.root = directory
        self.programs: dict[str, Program] = {"probe": _answer}

    def proc_files(self) -> dict[str, bytes]:
        return {"/proc/sys/kernel/hostname": b"probe\n"}

    def write_proc(self, path: str, data: bytes) -> None:
        raise OSError(f"the probe does not write {path}")

    def owner_of(self, path: str) -> tuple[str, str]:
        return "root", "root"

    def set_owner(self, path: str, user: str, group: str) -> None:
        raise OSError(f"the probe does not change the owner of {path}")

    def filesystem_type(self, path: str) -> str:
        return "ext2/ext3"

    def lacks(self, gap: NotSimulated) -> str:
        return str(gap)


def _answer(process: Process) -> int:
    process.out("answered\n")
    return 7


@functools.cache
def system_bash_available() -> Availability:
    """Try a command in a private root of its own; the answer holds for the life of the process."""
    if reason := root.unsupported():
        return Availability(False, reason)
    from k8swin_lab.bash.system import SystemShell

    with tempfile.TemporaryDirectory(prefix="k8swin-probe-") as directory:
        machine = _BareMachine(Path(directory))
        output, errors = io.BytesIO(), io.BytesIO()
        process = Process(cast(Machine, machine), [], {}, "/", "root", io.BytesIO(), output, errors)
        shell = SystemShell(machine)
        try:
            code = shell.run(["bash", "-c", "cat <(probe; echo $?)"], process)
        finally:
            shell.stop()
    if code == 0 and output.getvalue() == b"answered\n7\n":
        return Availability(True)
    lines = errors.getvalue().decode(errors="replace").strip().splitlines()
    return Availability(False, lines[-1] if lines else f"a trial command ended with {code}")
