"""What the interpreter asks of the machine under it: files, programs, registry, time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from k8swin_lab.machines.file_info import FileInfo
from k8swin_lab.machines.program import Process
from k8swin_lab.powershell.api import CommandTable


class FileSystem(Protocol):
    """Paths as the machine spells them; errors are OSError subclasses (FileNotFoundError, ...)."""

    def read(self, path: str) -> bytes: ...
    def write(self, path: str, data: bytes) -> None: ...
    def stat(self, path: str) -> FileInfo: ...
    def exists(self, path: str) -> bool: ...
    def list(self, path: str) -> Iterator[FileInfo]: ...
    def make_directory(self, path: str) -> None:
        """With parents; no error when it is there."""

    def remove(self, path: str, *, recursive: bool = False) -> None: ...
    def move(self, source: str, target: str) -> None: ...


class PowerShellHost(Protocol):
    """A machine, seen by the interpreter. Tests give one over a real directory of Linux."""

    files: FileSystem
    separator: str  # "\\" on Windows, "/" elsewhere
    commands: CommandTable  # the machine's own cmdlets
    edition: str  # $PSVersionTable.PSEdition: "Desktop" or "Core"
    version: str  # "5.1.20348.2402"
    machine: Any

    def find_program(self, name: str, path: str) -> str | None:
        """Resolve a native program by name along the PATH value, or a path; None when there is none."""

    def run_program(self, process: Process) -> int:
        """Run a native program (argv[0] is what `find_program` returned)."""

    def now(self) -> float:
        """Seconds since the epoch, by the machine's clock."""

    def drive_provider(self, drive: str) -> Any:
        """Provider for drives other than the file system's (HKLM:, WSMan:, Cert:), or None. See providers in the engine."""
