"""The machine's files under /proc and /sys as files on disk, kept in step in both directions."""

from __future__ import annotations

import contextlib
from pathlib import Path

from k8swin_lab.machines.shell import ShellMachine


class ProcFiles:
    """Shows what a machine says under a directory, and tells it what was written there."""

    def __init__(self, machine: ShellMachine, directory: Path) -> None:
        self._machine = machine
        self._directory = directory
        self._shown: dict[str, bytes] = {}

    @property
    def paths(self) -> list[str]:
        """The machine's paths that are shown now."""
        return list(self._shown)

    def bring_in_step(self) -> None:
        """Tell the machine what was written, then show what it says now."""
        for path, shown in list(self._shown.items()):
            try:
                now = (self._directory / path[1:]).read_bytes()
            except OSError:
                continue
            if now != shown:
                self._shown[path] = now
                self._machine.write_proc(path, now)
        wanted = self._machine.proc_files()
        for path, content in wanted.items():
            if self._shown.get(path) != content:
                file = self._directory / path[1:]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                self._shown[path] = content
        for path in self._shown.keys() - wanted.keys():
            gone = self._directory / path[1:]
            gone.unlink(missing_ok=True)
            # An interface is a folder below /sys: it goes with its last file.
            with contextlib.suppress(OSError):
                gone.parent.rmdir()
            del self._shown[path]
