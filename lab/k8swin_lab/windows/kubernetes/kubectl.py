"""kubectl.exe: the client that every machine of the lab has, over this machine's files."""

from __future__ import annotations

from k8swin_lab import kubectl as client
from k8swin_lab.machines.program import Process
from k8swin_lab.windows.machine_of import full_path, machine_of


class WindowsFiles:
    """The machine's files as the process may use them."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._files = machine_of(process).files

    def _path(self, path: str) -> str:
        return full_path(self._process, path)

    def read(self, path: str) -> bytes:
        """Return a file's content; "-" is standard input."""
        if path == "-":
            return self._process.stdin.read()
        return self._files.read(self._path(path))

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file; Windows has no mode."""
        self._files.write(self._path(path), content)

    def exists(self, path: str) -> bool:
        """Tell whether there is anything at a path."""
        return self._files.exists(self._path(path))

    def is_dir(self, path: str) -> bool:
        """Tell whether a path is a directory."""
        full = self._path(path)
        return self._files.exists(full) and self._files.stat(full).is_directory

    def list(self, path: str) -> list[str]:
        """Return the names in a directory."""
        return [info.path.rpartition("\\")[2] for info in self._files.list(self._path(path))]


def kubectl(process: Process) -> int:
    """Run one command."""
    version = machine_of(process).program_version(process)
    return client.run(process, WindowsFiles(process), version)
