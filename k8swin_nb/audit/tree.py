"""The files of a run's folder, which may be anybody's: nothing is followed out of it, waited for, or read without a bound."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from k8swin_nb.errors import ParamsError
from k8swin_nb.reading import Unreadable, open_file

EVENTS = "events.jsonl"
SEALS = "seals"

FILES = 50_000
"""Files that a run's folder may have; a whole build has some hundred."""

DEPTH = 12
"""Folders in each other."""

FILE_BYTES = 1024**3
"""What one file may have that is sealed; a larger one is named, and not read."""

NAME = 400
"""Characters of a path within the folder."""

_OWN = frozenset({".page-wanted", ".page-lock", ".events.lock", ".ipynb_checkpoints", ".DS_Store"})
"""Hidden names that programs at work leave in a run's folder, and that say nothing of the run."""

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that lies in a run's folder."""

    name: str
    """Path below the folder, with `/`."""

    size: int
    """Bytes."""

    odd: str = ""
    """Why it is no file of a run, such as `a link`; empty for a plain file."""


def look(folder: Path) -> dict[str, Entry]:
    """Return what lies in a run's folder, by name; of folders what is in them. Links are named and not followed.

    Raises:
        ParamsError: when it cannot be read, or has more than a run has.
    """
    found: dict[str, Entry] = {}
    for entry in _walk(folder, "", 0):
        if len(found) >= FILES:
            raise ParamsError(
                f"`{folder}` has more than {FILES} files, expected the folder of one run",
                hint="name a folder below `runs/`",
            )
        found[entry.name] = entry
    return found


def _walk(folder: Path, below: str, depth: int) -> Iterator[Entry]:
    try:
        with os.scandir(folder) as listed:
            items = sorted(listed, key=lambda item: item.name)
    except OSError as error:
        if not below:
            raise ParamsError(f"`{folder}` cannot be read: {error.strerror or error}") from error
        yield Entry(below.rstrip("/"), 0, f"a folder that cannot be read: {error.strerror}")
        return
    for item in items:
        name = below + item.name
        if item.name in _OWN:
            continue
        try:
            status = item.stat(follow_symlinks=False)
        except OSError as error:
            yield Entry(name, 0, f"not to be looked at: {error.strerror}")
            continue
        if len(name) > NAME or not _is_text(name):
            yield Entry(name, status.st_size, "a name that is no text, or too long")
        elif stat.S_ISDIR(status.st_mode):
            if depth >= DEPTH:
                yield Entry(name, 0, f"a folder more than {DEPTH} deep")
            else:
                yield from _walk(folder / item.name, f"{name}/", depth + 1)
        elif odd := _odd(status):
            yield Entry(name, status.st_size, odd)
        else:
            yield Entry(name, status.st_size)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _odd(status: os.stat_result) -> str:
    kinds = {
        stat.S_IFLNK: "a link",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    if odd := kinds.get(stat.S_IFMT(status.st_mode), ""):
        return odd
    return f"larger than {FILE_BYTES // 1024**2} MB" if status.st_size > FILE_BYTES else ""


def escaped_name(name: str) -> str:
    """Return a name in letters that every file and terminal can hold."""
    return ascii(name)[1:-1]


def inside(name: object) -> bool:
    """Whether a name that somebody wrote is that of a file within the folder, written as a seal has it."""
    if not isinstance(name, str) or not name or len(name) > NAME or "\0" in name or "\\" in name:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and str(path) == name


def content(folder: Path, name: str, most: int) -> bytes:
    """Return what a file of the folder holds.

    Raises:
        OSError, Unreadable: when it cannot be read, is no plain file, lies behind a link, or has more than `most` bytes.
    """
    with open_file(_plain(folder, name)) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise Unreadable(f"it has more than {most // 1024} kB")
    return found


def digest(folder: Path, name: str, most: int | None = None) -> tuple[str, int]:
    """Return the SHA-256 of a file of the folder and how many bytes that covers; with `most`, of its beginning.

    Raises:
        OSError, Unreadable: as of `content`.
    """
    return digests(folder, name, [most])[0]


def digests(folder: Path, name: str, ends: list[int | None]) -> list[tuple[str, int]]:
    """Return the SHA-256 of several beginnings of one file, and the length of each; None is the whole. It is read once.

    Raises:
        OSError, Unreadable: as of `content`.
    """
    found: dict[int | None, tuple[str, int]] = {}
    hasher, done = hashlib.sha256(), 0
    with open_file(_plain(folder, name)) as file:
        for end in sorted(set(ends), key=lambda end: FILE_BYTES + 1 if end is None else end):
            while end is None or done < end:
                want = _CHUNK if end is None else min(_CHUNK, end - done)
                part = file.read(want)
                if not part:
                    break
                hasher.update(part)
                done += len(part)
                if done > FILE_BYTES:
                    raise Unreadable(f"it has more than {FILE_BYTES // 1024**2} MB")
            found[end] = (hasher.hexdigest(), done)
    return [found[end] for end in ends]


def _plain(folder: Path, name: str) -> Path:
    """Return the path of a file of the folder to which no link leads.

    Raises:
        Unreadable: when one does, or the name leads out.
    """
    if not inside(name):
        raise Unreadable("its name leads out of the folder")
    path = folder
    for part in PurePosixPath(name).parts:
        path = path / part
        if path.is_symlink():
            raise Unreadable("it is a link, or lies behind one")
    return path
