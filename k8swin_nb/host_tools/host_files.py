"""Files of a host, over SSH and WinRM alike: what is at a place, a file in parts, and a file into its place.

Of a file of any size a few MiB are in memory. Over SSH a file is one stream; over WinRM it is sent in parts, for a script
there gets all of its input as one text. What arrives is proved by SHA-256 before it takes its place, and read back.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from k8swin_nb.errors import ParamsError, ScriptError, TransferFailed
from k8swin_nb.host_tools.asking import Machines, ask
from k8swin_nb.host_tools.places import EMPTY, LINE_END, advice, refused
from k8swin_nb.inventory import Host
from k8swin_nb.reading import lines, shown, whole
from k8swin_nb.result import Result

READ_BYTES = 4 * 1024 * 1024
"""Bytes of a file that one script reads."""

SMALL_BYTES = 64 * 1024
"""Bytes of a file up to which one script reads many, as long as all are no longer than `READ_BYTES`."""

PER_FILE = 4096
"""What a file counts beside its bytes: no more than a thousand are read at once."""

LISTINGS = 3
"""How often a folder is listed from which files go meanwhile."""

Progress = Callable[[Host, str, int], None]
"""Told host, path and the bytes of it that have been carried so far."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is at a place of a host."""

    kind: str
    """`file`, `folder`, `missing`, `hidden` (below a folder that may not be entered), `broken` (a link), `other`."""

    size: int = 0
    sha256: str = ""
    """Empty: it is no file, or may not be read."""

    mode: str = ""
    """Such as `644`; empty on Windows."""

    owner: str = ""
    """Name and number, such as `root:0`; empty on Windows."""

    group: str = ""
    """Likewise."""

    def has_owner(self, wanted: str) -> bool:
        """Whether it belongs to whom `chown` would give it: `USER`, `USER:GROUP` or `:GROUP`, by name or number."""
        user, _, group = wanted.partition(":")
        pairs = ((user, self.owner), (group, self.group))
        return all(not name or name in found.split(":") for name, found in pairs)

    def has_mode(self, wanted: str) -> bool:
        """Whether it has a mode such as `0644`."""
        return bool(self.mode) and int(self.mode, 8) == int(wanted, 8)


@dataclass(frozen=True, slots=True)
class Below:
    """A file below a folder of a host."""

    path: str
    """Below the folder, with `/` between."""

    size: int
    sha256: str
    mode: str = ""


def states(
    cluster: Machines,
    host: Host,
    paths: Sequence[str],
    *,
    sudo: bool = False,
    cancel: threading.Event | None = None,
) -> list[Found]:
    """Return what is at places of a host, in their order.

    Raises:
        ParamsError: when a path is none on a host of its system.
        ScriptError: when the host's answer is not to be read.
        TransportError: when it cannot be reached or used.
    """
    for path in paths:
        reason, what = refused(host, path)
        if reason:
            raise ParamsError(f"{host.name}: `{shown(path)}` is no place: {reason}", hint=what)
    how: dict[str, Any] = {"timeout": None, "sudo": sudo, "cancel": cancel}
    if host.os == "windows":
        result = ask(cluster, host, "files.check", {"paths": "\n".join(paths)}, **how)
    else:
        text = "".join(f"{path}\0" for path in paths)
        result = ask(
            cluster, host, "files.check", stdin=text.encode("utf-8", "surrogateescape"), **how
        )
    result.check_returncode()
    rows = [line.split("\t") for line in lines(result.stdout) if line]
    if len(rows) != len(paths):
        raise unreadable(result, f"{len(rows)} answers to {len(paths)} questions")
    return [_found(result, row) for row in rows]


def _found(result: Result, row: list[str]) -> Found:
    match row:
        case [kind, size, sha256]:
            mode = owner = group = ""
        case [kind, mode, owner, group, size, sha256]:
            pass
        case _:
            raise unreadable(result, "a line of another form")
    known = {"-": ""}
    return Found(
        kind,
        whole(size) or 0,
        known.get(sha256, sha256).lower(),
        known.get(mode, mode),
        known.get(owner, owner),
        known.get(group, group),
    )


def below(
    cluster: Machines,
    host: Host,
    folder: str,
    *,
    sudo: bool = False,
    cancel: threading.Event | None = None,
) -> tuple[list[Below], dict[str, str]]:
    """Return the files below a folder of a host, by path, and what else is there, which is not carried: path and reason.

    Links are not followed; of Windows they are not told.

    Raises:
        TransferFailed: when it cannot be read, or not all of it.
        ScriptError: when the host's answer is not to be read.
    """
    how: dict[str, Any] = {"timeout": None, "sudo": sudo, "cancel": cancel}
    for left_tries in reversed(range(LISTINGS)):
        result = ask(cluster, host, "files_below.check", {"folder": folder}, **how)
        reason = why(result)
        # What others take away or add while it is listed is no failure of theirs.
        if result.ok or not left_tries or "No such file" not in reason:
            break
    if not result.ok:
        raise TransferFailed(
            host.name,
            f"not all of `{folder}` can be read: {reason}",
            hint=advice(host, reason, sudo=sudo),
        )
    if host.os == "windows":
        rows = [line.split("\t", 2) for line in lines(result.stdout) if line]
        if any(len(row) != 3 for row in rows):
            raise unreadable(result, "a line of another form")
        found = [
            Below(path.replace("\\", "/"), whole(n) or 0, sha)
            for n, sha, path in rows
            if sha != "-"
        ]
        empty = {path.replace("\\", "/"): EMPTY for _, sha, path in rows if sha == "-"}
        return sorted(found, key=lambda file: file.path), empty
    try:
        listed, hashed, others = (
            base64.b64decode(line).decode("utf-8", "surrogateescape").split("\0")
            for line in result.stdout.split("\n")[:3]
        )
        hashes = {line[66:]: line[:64] for line in filter(None, hashed)}
        rows = [line.split(" ", 2) for line in filter(None, listed)]
        found = [
            Below(path.removeprefix("./"), int(size), hashes[path], mode)
            for size, mode, path in rows
            if "\n" not in path and path in hashes
        ]
        reasons = {"l": "a link, which is not followed", "d": EMPTY}
        left = {
            path.removeprefix("./"): reasons.get(kind, "neither a file nor a folder")
            for kind, _, path in (line.partition(" ") for line in filter(None, others))
        }
        left |= {path.removeprefix("./"): LINE_END for _, _, path in rows if "\n" in path}
    except ValueError as error:
        raise unreadable(result, f"{type(error).__name__}: {error}") from error
    return sorted(found, key=lambda file: file.path), left


def parts(
    cluster: Machines,
    host: Host,
    path: str,
    size: int,
    *,
    start: int = 0,
    sudo: bool = False,
    cancel: threading.Event | None = None,
) -> Iterator[bytes]:
    """Yield a file of a host part by part, from a byte on, up to as many bytes as it had.

    Raises:
        TransferFailed: when it cannot be read, or has become shorter.
    """
    for offset in range(start, size, READ_BYTES):
        length = min(READ_BYTES, size - offset)
        values = {"file": path, "offset": str(offset), "length": str(length)}
        result = ask(
            cluster, host, "file_part.check", values, timeout=None, sudo=sudo, cancel=cancel
        )
        if not result.ok:
            reason = why(result)
            raise TransferFailed(
                host.name,
                f"`{path}` was not read: {reason}",
                hint=advice(host, reason, sudo=sudo),
            )
        try:
            part = base64.b64decode("".join(result.stdout.split()), validate=True)
        except binascii.Error as error:
            raise TransferFailed(host.name, f"`{path}` arrived damaged: {error}") from error
        if len(part) != length:
            raise TransferFailed(
                host.name,
                f"`{path}` became shorter while it was read",
                hint="wait until nobody writes it, then run it again",
            )
        yield part


def small(
    cluster: Machines,
    host: Host,
    files: Sequence[tuple[str, int]],
    *,
    sudo: bool = False,
    cancel: threading.Event | None = None,
) -> dict[str, bytes]:
    """Return the first of some files of a Linux host by their places, of which sizes are known, read by one script.

    What is longer than `SMALL_BYTES`, or cannot be read, is not among them.
    """
    names: list[str] = []
    room = READ_BYTES
    for path, size in files:
        if size > min(room, SMALL_BYTES):
            break
        names.append(path)
        room -= size + PER_FILE
    text = "".join(f"{path}\0" for path in names).encode("utf-8", "surrogateescape")
    most = {"most": str(SMALL_BYTES)}
    how: dict[str, Any] = {"timeout": None, "sudo": sudo, "cancel": cancel}
    result = ask(cluster, host, "small_files.check", most, stdin=text, **how)
    rows = result.stdout.split("\n")[:-1]
    if not result.ok or len(rows) != len(names):
        return {}
    return {
        name: base64.b64decode(row) for name, row in zip(names, rows, strict=True) if row != "-"
    }


def why(result: Result) -> str:
    """Return what a script said that failed: its last lines that say something."""
    said = [line for line in lines(result.stderr or result.stdout) if line.strip()]
    told = [line for line in said if not line.startswith("at line ")]
    last = (told or said or [f"exit code {result.returncode}"])[-3:]
    return "; ".join(line.strip() for line in last)


def unreadable(result: Result, what: str) -> ScriptError:
    return ScriptError(
        f"{result.host}: `{result.args}` gave an answer that is not to be read: {what}",
        hint="look at what start-up files of the login print",
    )
