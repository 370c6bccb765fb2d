"""Names of Unix sockets, which the system wants short."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def within_length(path: Path) -> Iterator[str]:
    """Give a name for the socket that fits the system's limit of about 100 bytes.

    A long path is reached through the folder's open descriptor, which Linux alone offers.
    """
    if len(os.fsencode(path)) < 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
