"""The Windows machine under a process."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from k8swin_lab.machines.program import Process

if TYPE_CHECKING:
    from k8swin_lab.machines.windows import WindowsMachine


def machine_of(process: Process) -> WindowsMachine:
    """`process.machine` as what it is for every program in this package."""
    return cast("WindowsMachine", process.machine)


def variable(process: Process, name: str, default: str = "") -> str:
    """An environment variable of a process, found without case."""
    folded = name.lower()
    return next((value for key, value in process.env.items() if key.lower() == folded), default)


def full_path(process: Process, path: str) -> str:
    """A path as the process means it."""
    path = path.replace("/", "\\").strip('"')
    if path[1:2] == ":" or path.startswith("\\\\"):
        return path
    if path.startswith("\\"):
        return "C:" + path
    return f"{process.cwd.rstrip(chr(92))}\\{path}"
