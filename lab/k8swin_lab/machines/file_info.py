"""What a file system says of one of its entries."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One entry of a file system; times in seconds since the epoch."""

    path: str  # full, in the machine's spelling
    is_directory: bool
    size: int
    modified: float
    link_target: str | None = None
