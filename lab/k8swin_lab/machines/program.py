"""A program of a simulated machine: what runs when its name is typed, and the process it runs in.

Programs are written once, over the machine's state, and know nothing of the interpreter (bash,
PowerShell) or of the server (SSH, WinRM) through which they were started.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from k8swin_lab.machines.base import Machine


class Reader(Protocol):
    """Standard input: `read(n)` blocks until a byte is there and returns b"" at the end."""

    def read(self, size: int = -1, /) -> bytes: ...


class Writer(Protocol):
    """Standard output or error; what is written is seen by the client at once."""

    def write(self, data: bytes, /) -> object: ...


@dataclass(slots=True)
class Process:
    """One started program: arguments, environment and streams, as the kernel would hand them over."""

    machine: Machine
    argv: list[str]
    env: dict[str, str]
    cwd: str
    user: str
    stdin: Reader
    stdout: Writer
    stderr: Writer
    cancelled: threading.Event = field(default_factory=threading.Event)
    codepage: int = 65001  # of the console on Windows: what a remote shell asked for
    waits: str = ""
    """What a service waits for, while it can be called anew with this very process and goes on from there.

    That is how it goes on in a copy of a frozen lab. Empty: it has to end before the lab can be frozen."""
    kept: dict[str, Any] = field(default_factory=dict)
    """What it needs to know then."""

    def out(self, text: str) -> None:
        """Write text to standard output; the caller adds the line end."""
        self.stdout.write(text.encode())

    def err(self, text: str) -> None:
        """Write text to standard error; the caller adds the line end."""
        self.stderr.write(text.encode())


Program = Callable[[Process], int]
"""Returns the exit code."""


class NotSimulated(Exception):
    """The lab does not know this command, option or language construct; the text names it.

    Every interpreter prints it as `not simulated in the lab: X` and ends with exit code 127 for an
    unknown command and 70 for anything else, so that nobody takes the gap for the machine's answer.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"not simulated in the lab: {what}")
        self.what = what
