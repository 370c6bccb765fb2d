"""The chain of a record: each event names its place and the SHA-256 of the line before it.

Whoever changes, leaves out or adds a line has to change every line behind it. That alone stops nobody who can write the
whole file; a seal (`k8swin_nb.audit`) names the last line's digest, and a signature says whose seal it is.

What may live here: what writers and readers of a record must agree on, and nothing that writes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from k8swin_nb.reading import open_file

NUMBER, PREVIOUS = "n", "previous"
"""Fields of each event: its place, counted from 1, and the digest of the line before it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a record as it lies there."""

    number: int
    """Its place in the file, counted from 1."""

    content: bytes
    """Its bytes, without the end of the line."""

    whole: bool
    """Whether it has an end; a full disk or a dead kernel leaves one without."""

    event: dict[str, Any] | None
    """The event, or None when the line is none."""


def beginning(run: str) -> str:
    """Return what the first event of a run names as the digest before it: no two runs begin alike."""
    return digest(f"record of run {run}".encode())


def digest(line: bytes) -> str:
    """Return the SHA-256 of a line without its end, as 64 hexadecimal digits."""
    return hashlib.sha256(line).hexdigest()


def read_lines(path: Path) -> Iterator[Line]:
    """Yield each line of a record, those that are no events too.

    Raises:
        OSError, Unreadable: when the file cannot be read.
    """
    with open_file(path) as file:
        for number, line in enumerate(file, 1):
            content = line.removesuffix(b"\n")
            yield Line(number, content, line.endswith(b"\n"), read_event(content))


def read_event(line: bytes) -> dict[str, Any] | None:
    """Return the event of a line of a record, or None when it is none."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None
