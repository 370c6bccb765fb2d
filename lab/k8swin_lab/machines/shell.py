"""What a shell asks of a Linux machine, and the two views of a process that shells share.

A Protocol and not a class: tests bring a machine of twenty lines, the lab brings its LinuxMachine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from k8swin_lab.machines.program import NotSimulated, Process, Program

LAB = "/.k8swin-lab"
"""Directory of a machine's root that belongs to the lab and not to the machine."""

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ShellMachine(Protocol):
    """The part of a Linux machine that a shell sees."""

    name: str
    root: Path
    programs: dict[str, Program]

    def proc_files(self) -> dict[str, bytes]:
        """Return the files under /proc and /sys that are the machine's, by absolute path."""
        ...

    def write_proc(self, path: str, data: bytes) -> None:
        """Take what a script wrote to a file of `proc_files`."""
        ...

    def owner_of(self, path: str) -> tuple[str, str]:
        """Return the user and group that own a path of the machine."""
        ...

    def set_owner(self, path: str, user: str, group: str) -> None:
        """Change the owner of a path; an empty name keeps what is there."""
        ...

    def filesystem_type(self, path: str) -> str:
        """Return the type of the file system that holds a path, as `stat -f -c %T` prints it."""
        ...

    def lacks(self, gap: NotSimulated) -> str:
        """Write down what was refused; returns the words for standard error."""
        ...


@runtime_checkable
class BinarySource(Protocol):
    """A machine that knows programs which are run by a file and not by name."""

    def binary(self, name: str, version: str) -> Program | None:
        """Return the program a stand-in binary of this name and version holds, if any."""
        ...


class Shell(Protocol):
    """Runs commands of one machine."""

    def run(self, argv: list[str], process: Process) -> int:
        """Run `argv` with the environment, directory, user and streams of `process`.

        Args:
            argv: the program and its arguments: `["bash", "-c", ...]`, `["/usr/bin/env", ...]`.
            process: where the command reads, writes and lives; its own `argv` is not looked at.

        Returns:
            The exit code as the kernel gives it to a parent: 128 + n after signal n.
        """
        ...

    def stop(self) -> None:
        """End everything that still runs, as a power cut does."""
        ...


@dataclass(slots=True)
class ShellProcess(Process):
    """A process that can start others: what sudo, env, xargs and timeout need."""

    shell: Shell | None = None
    umask: int = 0o022
    files: Mapping[int, object] = field(default_factory=dict)
    """Open files by number where the shell is Python's; those of `process` are 0, 1 and 2."""


@dataclass(frozen=True, slots=True)
class Account:
    """A line of /etc/passwd."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str


def accounts(machine: ShellMachine) -> list[Account]:
    """Return the machine's users, root first even when there is no passwd file yet."""
    found = []
    for fields in _table(machine, "etc/passwd", 7):
        if fields[2].isdigit() and fields[3].isdigit():
            found.append(Account(fields[0], int(fields[2]), int(fields[3]), fields[5], fields[6]))
    if not any(account.name == "root" for account in found):
        found.insert(0, Account("root", 0, 0, "/root", "/bin/bash"))
    return found


def account(machine: ShellMachine, user: str) -> Account | None:
    """Return a user by name or by number."""
    for found in accounts(machine):
        if user in (found.name, str(found.uid)):
            return found
    return None


def groups(machine: ShellMachine) -> dict[str, tuple[int, list[str]]]:
    """Return the machine's groups: number and members by name."""
    found = {"root": (0, list[str]())}
    for fields in _table(machine, "etc/group", 4):
        if fields[2].isdigit():
            found[fields[0]] = (int(fields[2]), [name for name in fields[3].split(",") if name])
    return found


def _table(machine: ShellMachine, path: str, width: int) -> list[list[str]]:
    try:
        text = (machine.root / path).read_text(errors="replace")
    except OSError:
        return []
    rows = [line.split(":") for line in text.splitlines()]
    return [row for row in rows if len(row) == width]
