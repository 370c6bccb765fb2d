"""Names of files, and what below a folder is not carried.

What Windows refuses in a name: Microsoft's `Naming Files, Paths, and Namespaces`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from k8swin_nb.errors import K8swinError
from k8swin_nb.inventory import Host

RESERVED = re.compile(r'[<>:"|?*\x00-\x1f]')
"""What no name on Windows may hold: a colon leads to another stream of a file."""

LINE_END = "a line end is in its name"
"""Why a file below a folder is not carried: no answer of a host could name it."""

EMPTY = "an empty folder"

_FULL = re.compile(r"[A-Za-z]:[\\/]|[\\/]{2}[^\\/?.]")


def refused(host: Host, path: str) -> tuple[str, str]:
    """Say why a text is no place on a host, and what to do; two empty texts when it is one."""
    if not path.strip():
        return "it is empty", "name a file or folder"
    if "\0" in path or "\n" in path:
        return "a line end or a NUL byte is in it", "give it another name"
    if host.os == "linux":
        if path.startswith("~") and path[1:2] not in ("", "/"):
            return "`~` stands for the login's own folder alone", "write it in full, or as `./~...`"
        return "", ""
    if not _FULL.match(path):
        # What Windows takes for the current folder is not the same for all that opens files there.
        return "it is not in full", r"write it from the drive on, such as `C:\app\app.ini`"
    if found := RESERVED.search(path, 2):
        return f"no name on Windows may hold `{found[0]}`", "give it another name"
    return "", ""


def is_name_here(name: str, host: Host) -> bool:
    """Whether what a host calls a file can be its name on this computer, and is no other file's."""
    if os.name == "nt" or host.os == "windows":
        return not RESERVED.search(name)
    return "\0" not in name and "\n" not in name


def below(folder: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Return the files below a folder, and what is not carried, each with the reason.

    Raises:
        K8swinError: when a folder in it cannot be read.
    """

    def unreadable(error: OSError) -> None:
        raise K8swinError(
            f"`{error.filename}` cannot be read here: {error.strerror}", hint="look at its rights"
        ) from error

    found: list[Path] = []
    left: list[tuple[Path, str]] = []
    for where, folders, names in os.walk(folder, onerror=unreadable):
        for path in (Path(where, name) for name in names):
            if path.is_file() and "\n" in str(path.relative_to(folder)):
                left.append((path, LINE_END))
            elif path.is_file():
                found.append(path)
            elif path.is_symlink() and not path.exists():
                left.append((path, "a link that leads nowhere"))
            else:
                left.append((path, "neither a file nor a folder"))
        links = [path for path in (Path(where, name) for name in folders) if path.is_symlink()]
        left += [(path, "a link to a folder, which is not followed") for path in links]
        if not folders and not names:
            left.append((Path(where), EMPTY))
    return sorted(found), sorted(left)


_ADVICE = (
    ("No space left|not enough space", "make room on the host"),
    ("Read-only file system", "give another place, or mount it anew"),
    ("changing ownership", "only root may give a file away: use `--sudo` (`sudo=True`)"),
    (
        "[Rr]esource busy",
        "something is mounted just there, as in a container: write to what is mounted",
    ),
    (
        "Not a directory|create directory .*File exists",
        "a file is in the way of a folder: give another place",
    ),
    ("Operation not permitted", "look with `lsattr`: it may be immutable"),
    ("invalid (user|group)", "name one that the host knows: `getent passwd`"),
    ("did not pass", "look at what it says; the file is as it was"),
    (
        "is read-only",
        "take the attribute away with `Set-ItemProperty ... IsReadOnly $false`, if it may go",
    ),
    ("is no folder|there is no", "give another place"),
    ("SHA-256 is", "run it again: only what differs is sent"),
)


def advice(host: Host, reason: str, *, sudo: bool) -> str:
    """Return what to do when a file was not written or read, by what the host said."""
    if re.search("[Pp]ermission denied|belongs to|is denied", reason):
        if host.os == "linux" and not sudo:
            return "use `--sudo` (`sudo=True`), or let this login write there"
        return "let this login write there"
    for pattern, what in _ADVICE:
        if re.search(pattern, reason):
            return what
    return "look at the place on the host"
