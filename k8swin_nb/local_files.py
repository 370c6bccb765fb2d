"""Files on the operator's computer that the toolkit keeps: host keys, plans, tokens, evidence; written whole or not at all.

The record of a run has a way of its own (`workflow/record.py`), and what others wrote is read by `reading.py`.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from k8swin_nb.errors import K8swinError

try:
    import fcntl
except ImportError:  # Windows has no such lock
    fcntl = None  # type: ignore[assignment]


def write_whole(
    path: Path, text: str, *, mode: int | None = None, hint: str = "", sync: bool = True
) -> None:
    """Put a text into a file of which nobody sees a half, also when the disk is full.

    Of a link, what it leads to is written.

    Args:
        path: The file.
        text: What it is to hold, in UTF-8.
        mode: Its mode; None: that of the file which is there, and of a new one 0600.
        hint: What to do where it cannot be written.
        sync: Wait until it is on the disk, so that it survives a power cut; a file that is written every second does not.

    Raises:
        K8swinError: when it cannot be written, or what is there is no file; what was there is as it was.
    """
    said = hint or "make room, or let this account write there; then run it again"
    try:
        path = path.resolve()
        before = path.stat().st_mode if path.exists() else None
        if before is not None and not stat.S_ISREG(before):
            # As root, a device would be replaced by a file.
            raise K8swinError(f"cannot write `{path}`: it is there, and no file", hint=said)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode("utf-8", "surrogateescape"))
                file.flush()
                if sync:
                    os.fsync(file.fileno())
            if mode is not None or before is not None:
                Path(name).chmod(mode if mode is not None else stat.S_IMODE(before or 0))
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except (OSError, RuntimeError) as error:  # resolve's own about a link in a circle
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise K8swinError(f"cannot write `{path}`: {reason}", hint=said) from error


def make_folders(folder: Path) -> None:
    """Make a folder and those above it that are missing; this account alone may enter the new ones.

    Raises:
        K8swinError: when that cannot be done.
    """
    try:
        for missing in (*reversed(folder.parents), folder):
            if not missing.is_dir():
                missing.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise K8swinError(
            f"cannot make the folder `{folder}`: {error.strerror or error}",
            hint="make room, or let this account write there; then run it again",
        ) from error


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes of this computer out of a folder's files that are read and written back, where it can be.

    A folder that is not there yet, or a file system without locks, keeps nobody out.
    """
    with contextlib.ExitStack() as stack:
        if fcntl is not None:
            with contextlib.suppress(OSError):
                descriptor = os.open(folder, os.O_RDONLY)
                stack.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
