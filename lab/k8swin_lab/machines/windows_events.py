"""Entries of the event logs of a Windows machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of an event log."""

    log: str
    source: str
    id: int
    level: str  # Information, Warning, Error
    message: str
    time: float
    record: int
