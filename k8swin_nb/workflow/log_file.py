"""The file of a record: lines are appended to it by several processes, one at a time, each whole and each a link of the chain.

Who appends reads the last line first. Where that is no link — half a line of a process that died, something that another
program wrote, or an event of a version that did not chain — all that stands before is taken together: the lines are counted,
and an event `record-continued` says how many they are and what their SHA-256 is. So what stood there then can be told from
what somebody changes later, and a reader need not guess where the chain begins again.

What a full disk cut off is taken back. One process at a time is what the lock of the file sees to (`flock`), and where a file
system has none, a file beside it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import platform
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from k8swin_nb.workflow.chain import NUMBER, PREVIOUS, beginning, digest, read_event

try:
    import fcntl
except ImportError:  # Windows has no such lock
    fcntl = None  # type: ignore[assignment]

CONTINUED = "record-continued"
"""The event that stands behind lines which are no links of the chain, before the one that was to be written."""

LOCK_NAME = ".events.lock"
"""The file that is the lock where the file system has no other; it is there for as long as one line takes."""

ABANDONED_SECONDS = 10.0
"""After so long without a change such a file is one that its process has left."""

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes of a last line that are looked at; a longer one is no event of ours."""

_PIECE = 4096
_PIECES = 1024 * 1024

MOST_EVENTS = 2**53
"""No record has so many: a number beyond is none of ours."""


@dataclass(frozen=True, slots=True)
class _Before:
    """What stands in a file before the next line."""

    lines: int
    last: str
    """SHA-256 of the last line without its end."""

    whole: bool
    """Whether the last line has an end."""

    unlinked: str = ""
    """SHA-256 of all of it, with an end to the last line, where the last line is no link; else empty."""

    why: str = ""


def append(
    path: Path, run: str, fields: Mapping[str, Any], frame: Callable[[], Mapping[str, Any]]
) -> bytes:
    """Append an event on a line of its own, whole or not at all, and synced; return the line without its end.

    Args:
        path: The record; it is made when it is not there.
        run: Id of the run, from which the chain begins.
        fields: The event, as it is kept.
        frame: Returns the fields that every event has, for `record-continued`.

    Raises:
        OSError: when it cannot be written; nothing of it is then left.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        with _alone(descriptor, path):
            size = os.fstat(descriptor).st_size
            before = _before(descriptor, size, run)
            number, last = before.lines, before.last
            written = b"" if before.whole else b"\n"
            if before.unlinked:
                continued = {
                    **frame(),
                    "event": CONTINUED,
                    "lines": number,
                    "bytes": size + len(written),
                    "sha256": before.unlinked,
                    "why": before.why,
                }
                line = _line(number + 1, last, continued)
                number, last = number + 1, digest(line)
                written += line + b"\n"
            line = _line(number + 1, last, fields)
            written += line + b"\n"
            try:
                if os.write(descriptor, written) < len(written):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(descriptor)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, size)
                raise
    finally:
        os.close(descriptor)
    return line


def _line(number: int, previous: str, fields: Mapping[str, Any]) -> bytes:
    link = {NUMBER: number, PREVIOUS: previous}
    text = json.dumps({**link, **fields}, ensure_ascii=False, default=str)
    return text.encode("utf-8", "replace")


def _before(descriptor: int, size: int, run: str) -> _Before:
    if not size:
        return _Before(0, beginning(run), True)
    last, whole = _last_line(descriptor, size)
    event = read_event(last) if last is not None else None
    number = event.get(NUMBER) if event is not None else None
    if last is not None and type(number) is int and 0 < number < MOST_EVENTS:
        return _Before(number, digest(last), whole)
    why = (
        "the line before is no event: a process that died, a full disk or another program left it"
        if event is None
        else "the events before are not chained: another version wrote them"
    )
    return _all_of(descriptor, size, why)


def _last_line(descriptor: int, size: int) -> tuple[bytes | None, bool]:
    """Return the last line of a file without its end, None when it is too long, and whether it has an end."""
    tail, begin = b"", size
    while begin and b"\n" not in tail[:-1]:
        if len(tail) > LONGEST_LINE:
            return None, tail.endswith(b"\n")
        step = min(begin, max(_PIECE, len(tail)))
        begin -= step
        tail = os.pread(descriptor, step, begin) + tail
    return tail.removesuffix(b"\n").rpartition(b"\n")[2], tail.endswith(b"\n")


def _all_of(descriptor: int, size: int, why: str) -> _Before:
    """Count the lines of a file and digest them; it is read in pieces, because nobody knows what it holds."""
    whole, line = hashlib.sha256(), hashlib.sha256()
    lines, last, ended, at = 0, "", True, 0
    while at < size:
        piece = os.pread(descriptor, min(_PIECES, size - at), at)
        if not piece:  # somebody cut it meanwhile
            break
        at += len(piece)
        whole.update(piece)
        *ends, rest = piece.split(b"\n")
        for end in ends:
            line.update(end)
            lines, last, line = lines + 1, line.hexdigest(), hashlib.sha256()
        if rest:
            line.update(rest)
        ended = not rest if ends else False
    if not ended:
        whole.update(b"\n")
        lines, last = lines + 1, line.hexdigest()
    return _Before(lines, last, ended, whole.hexdigest(), why)


@contextlib.contextmanager
def _alone(descriptor: int, path: Path) -> Iterator[None]:
    """Keep all other processes from appending meanwhile."""
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:  # some network file systems have none
            pass
        else:
            yield  # closing the file lets go
            return
    lock = path.with_name(LOCK_NAME)
    _take(lock)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _take(lock: Path) -> None:
    """Make the file that is the lock, and take away one that a process has left."""
    seen: tuple[int, int] | None = None
    since = time.monotonic()
    while True:
        try:
            made = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with contextlib.suppress(OSError):
                os.write(made, f"{platform.node()} {os.getpid()}\n".encode())
            os.close(made)
            return
        try:
            found = lock.stat()
            text = lock.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # it is gone
        now = (found.st_ino, found.st_mtime_ns)
        if now != seen:
            seen, since = now, time.monotonic()
        # By what is seen here: the clock of the computer that has the files may be another.
        if _is_gone(text) or time.monotonic() - since > ABANDONED_SECONDS:
            lock.unlink(missing_ok=True)
            seen = None
        time.sleep(0.002)


def _is_gone(holder: str) -> bool:
    """Whether a lock's file names a process of this computer that runs no more."""
    node, _, number = holder.strip().rpartition(" ")
    if node != platform.node() or not number.isascii() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        return False
    return False
