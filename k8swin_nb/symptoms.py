"""The table of what goes wrong: symptom, cause, evidence, fix; and which entry a text belongs to.

The table is data (`symptoms.yaml`). An entry is found by regular expressions, a line of text at a time:
of a script's output, of a log, of a cluster's event, or a sentence that a diagnosis made of figures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

NOTEBOOK = "80_troubleshoot"

LINE_LENGTH = 800
"""Characters of one line that are looked at; a dump without line ends must not take minutes."""

HEAD, TAIL = 8_000, 120_000
"""Characters at the beginning and at the end of a text that are looked at: what failed, and how it ended."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that goes wrong."""

    id: str
    symptom: str
    patterns: tuple[re.Pattern[str], ...]
    cause: str
    evidence: str
    fix: str
    source: str
    sample: str

    @property
    def reference(self) -> str:
        """Where to read on: `80_troubleshoot#hns-network-not-created`."""
        return f"{NOTEBOOK}#{self.id}"

    def matches(self, line: str) -> bool:
        """Return whether the entry is about a line of text."""
        return any(pattern.search(line[:LINE_LENGTH]) for pattern in self.patterns)


@cache
def entries() -> tuple[Entry, ...]:
    """Return the table, in its order."""
    text = (Path(__file__).parent / "symptoms.yaml").read_text(encoding="utf-8")
    found = []
    for record in yaml.safe_load(text):
        patterns = tuple(re.compile(p, re.IGNORECASE) for p in record.pop("patterns"))
        found.append(Entry(patterns=patterns, **record))
    return tuple(found)


def find(text: str) -> list[tuple[Entry, str]]:
    """Return the entries that a text belongs to, each with the last line that says so.

    The time is bounded, whatever the text: of a long one its beginning and its end are looked at.
    """
    found: dict[str, tuple[Entry, str]] = {}
    if len(text) > HEAD + TAIL:
        text = f"{text[:HEAD]}\n{text[-TAIL:]}"
    # What is said a thousand times is looked at once, at its last place.
    lines = dict.fromkeys(line[:LINE_LENGTH] for line in reversed(text.splitlines()))
    for line in reversed(lines):
        for entry in entries():
            if entry.matches(line):
                found[entry.id] = (entry, line.strip())
    return [found[entry.id] for entry in entries() if entry.id in found]


def reference(text: str, *, most: int = 2) -> str:
    """Return `see: 80_troubleshoot#...` for a text, or nothing when no entry is about it."""
    found = [entry.reference for entry, _ in find(text)]
    return f"see: {', '.join(found[:most])}" if found else ""
