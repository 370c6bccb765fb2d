"""The journal of a Linux machine: what units and the kernel said, kept over reboots."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal."""

    time: float
    unit: str  # "kubelet.service"; "" for messages that belong to none
    identifier: str  # "kubelet", "systemd"
    pid: int
    text: str
    boot: str


@dataclass(slots=True)
class Journal:
    """Entries of all units, oldest first, at most 10,000 of them."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=10_000))
    boot: str = ""

    def write(self, unit: str, identifier: str, pid: int, text: str) -> None:
        """Append a line."""
        self.entries.append(Entry(time.time(), unit, identifier, pid, text, self.boot))

    def of(self, units: list[str]) -> Iterator[Entry]:
        """Return the entries of these units, of all when there are none."""
        return (entry for entry in list(self.entries) if not units or entry.unit in units)
