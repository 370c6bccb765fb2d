"""What a seat takes: bytes in its folders, memory and number of its processes. All of it is bounded work."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

MOST_FILES = 100_000
"""More files and folders than that are no longer counted: a seat that has them has too many."""


@dataclass(frozen=True, slots=True)
class FolderUsage:
    """What a folder holds.

    Args:
        bytes: Of the disk, as far as was looked.
        files: Files and folders, as far as was looked.
        largest: Path of the largest file, relative to the folder; empty when there is none.
        largest_bytes: Its size.
    """

    bytes: int = 0
    files: int = 0
    largest: str = ""
    largest_bytes: int = 0


def of_folder(folder: Path) -> FolderUsage:
    """Return what a folder holds; links are not followed."""
    total = files = largest_bytes = 0
    largest = ""
    waiting = [str(folder)]
    while waiting and files < MOST_FILES:
        place = waiting.pop()
        with contextlib.suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                files += 1
                if files >= MOST_FILES:
                    break
                with contextlib.suppress(OSError):
                    size = entry.stat(follow_symlinks=False).st_blocks * 512
                    total += size
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif size > largest_bytes:
                        largest, largest_bytes = entry.path, size
    if largest:
        largest = os.path.relpath(largest, folder)
    return FolderUsage(total, files, largest, largest_bytes)


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """What a process takes."""

    number: int
    bytes: int
    name: str


def of_processes() -> list[ProcessUsage]:
    """Return the processes that can be seen from here but this one, with the memory that is their own."""
    page = os.sysconf("SC_PAGE_SIZE")
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            resident, shared = (entry / "statm").read_text().split()[1:3]
            words = (entry / "cmdline").read_bytes().split(b"\0")
            name = " ".join(word.decode(errors="replace") for word in words[:4])[:120]
            own = max(int(resident) - int(shared), 0) * page
            found.append(ProcessUsage(int(entry.name), own, name))
    return found


def readable(count: int) -> str:
    """Return bytes as a person reads them: `512 MiB`."""
    size = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
