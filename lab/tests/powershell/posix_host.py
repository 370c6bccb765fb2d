"""A PowerShell host over a real directory tree, for tests: separator "/", edition Core."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from k8swin_lab.machines.file_info import FileInfo
from k8swin_lab.machines.program import Process
from k8swin_lab.powershell.api import CommandTable


class PosixFiles:
    """Real files; paths are those of the test machine."""

    def read(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def write(self, path: str, data: bytes) -> None:
        Path(path).write_bytes(data)

    def stat(self, path: str) -> FileInfo:
        found = os.lstat(path)
        link = str(Path(path).readlink()) if stat.S_ISLNK(found.st_mode) else None
        is_directory = Path(path).is_dir()
        return FileInfo(
            path, is_directory, 0 if is_directory else found.st_size, found.st_mtime, link
        )

    def exists(self, path: str) -> bool:
        return os.path.lexists(path)

    def list(self, path: str) -> Iterator[FileInfo]:
        for child in sorted(Path(path).iterdir(), key=lambda p: p.name.lower()):
            yield self.stat(str(child))

    def make_directory(self, path: str) -> None:
        Path(path).mkdir(parents=True, exist_ok=True)

    def remove(self, path: str, *, recursive: bool = False) -> None:
        target = Path(path)
        if target.is_dir() and not target.is_symlink():
            if recursive:
                shutil.rmtree(target)
            else:
                target.rmdir()
        else:
            target.unlink()

    def move(self, source: str, target: str) -> None:
        shutil.move(source, target)


class PosixHost:
    """The test machine's own files and programs."""

    separator = "/"
    edition = "Core"
    version = "7.6.5"

    def __init__(self) -> None:
        self.files = PosixFiles()
        self.commands = CommandTable()
        self.machine: Any = None

    def find_program(self, name: str, path: str) -> str | None:
        return shutil.which(name, path=path)

    def run_program(self, process: Process) -> int:
        done = subprocess.run(
            process.argv,
            env=process.env,
            cwd=process.cwd,
            input=process.stdin.read(),
            capture_output=True,
            check=False,
        )
        process.stdout.write(done.stdout)
        process.stderr.write(done.stderr)
        return done.returncode

    def now(self) -> float:
        return time.time()

    def drive_provider(self, drive: str) -> Any:
        return None
