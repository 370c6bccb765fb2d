"""Files of programs on the disk of a Windows machine: laid out, looked for along PATH, read."""

from __future__ import annotations

from collections.abc import Iterable

from k8swin_lab.machines.windows_files import WindowsFiles
from k8swin_lab.machines.windows_setup import SYSTEM32

STUB = b"#!/.k8swin-lab/run "
"""How a file begins that is a program: name and version follow on its line."""


class BadExecutable(Exception):
    """A file is no program that Windows can start."""

    def __init__(self, path: str) -> None:
        name = path.rpartition("\\")[2]
        super().__init__(
            f"Program '{name}' failed to run: The specified executable is not a valid application for "
            "this OS platform."
        )


def install(files: WindowsFiles, names: Iterable[str], version: str) -> None:
    """Write the programs that Windows brings, of its own version.

    Args:
        files: of the machine.
        names: below System32, without `.exe`; a path may lead out of it by `..`.
        version: full, "10.0.20348.2113".
    """
    for name in names:
        folder, _, leaf = rf"{SYSTEM32}\{name}".rpartition("\\")
        folder = folder.replace(r"\System32\..", "")
        leaf += "" if "." in leaf else ".exe"
        files.make_directory(folder)
        files.write(rf"{folder}\{leaf}", STUB + f"{leaf.partition('.')[0]} {version}\n".encode())
    files.write(
        SYSTEM32 + r"\WindowsPowerShell\v1.0\powershell.exe",
        STUB + f"powershell {version}\n".encode(),
    )


def find(files: WindowsFiles, name: str, path: str, cwd: str) -> str | None:
    """Return the file that a name starts, along a PATH value and in `cwd`; None when there is none."""
    name = name.strip('"')
    suffixes: tuple[str, ...] = ("", ".com", ".exe", ".bat", ".cmd")
    if "." in name.replace("/", "\\").rpartition("\\")[2]:
        suffixes = ("", ".exe")
    if any(mark in name for mark in "\\/:"):
        base = name.replace("/", "\\")
        if not (":" in base or base.startswith("\\")):
            base = f"{cwd or 'C:'}\\{base}"
        folders = [""]
    else:
        base = name
        folders = ([cwd] if cwd else []) + [part for part in path.split(";") if part]
    for folder in folders:
        for suffix in suffixes:
            candidate = f"{folder.rstrip(chr(92))}\\{base}{suffix}" if folder else base + suffix
            if not suffix and "." not in base.rpartition("\\")[2]:
                continue
            if files.exists(candidate) and not files.stat(candidate).is_directory:
                return files.stat(candidate).path
    return None


def program_of(files: WindowsFiles, path: str) -> tuple[str, str] | None:
    """Return name and version of the program in a file, or None when the file is no program."""
    try:
        line = files.read(path).partition(b"\n")[0]
    except OSError:
        return None
    if not line.startswith(STUB):
        return None
    words = line.removeprefix(STUB).decode("utf-8", "replace").split()
    if not words:
        return None
    return words[0].lower().removesuffix(".exe"), words[1] if len(words) > 1 else ""
