"""kubectl's tables as DataFrames: cells by the places of the headings, ages, counts and what is missing with types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from k8swin_nb.tables.frames import ShownFrame

_HEADING = re.compile(r"\S+(?: \S+)*")
_AGE = re.compile(
    r"(?:(?P<y>\d+)y)?(?:(?P<d>\d+)d)?(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?"
)
_COUNT = re.compile(r"(\d+)(?: \(.*\))?")

AGES = frozenset({"AGE", "LAST SEEN", "FIRST SEEN", "LAST SCHEDULE", "DURATION"})
"""Columns of times."""

NAMES = frozenset({"NAME", "NAMESPACE", "VERSION"})

MISSING = frozenset({"", "<none>", "<unknown>", "<invalid>", "<unset>"})
"""kubectl's words for nothing."""


class KubectlFrame(ShownFrame):
    """One table of kubectl."""

    @property
    def caption(self) -> str:
        """What was asked, how many rows are in it, and when."""
        return f"{self.source}: {len(self)}" if self.source else ""


def frames(text: str, what: str) -> list[KubectlFrame]:
    """Return the tables of a text that `kubectl get` printed; several kinds have an empty line between.

    Args:
        text: Standard output.
        what: What was asked, for captions.
    """
    asked = f"{what}, {datetime.now(UTC):%H:%M:%S} UTC"
    found = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        lines = block.split("\n")
        if not lines[0].strip():
            continue
        places = [(match.start(), match[0]) for match in _HEADING.finditer(lines[0])]
        ends = [*(start for start, _ in places[1:]), None]
        rows = [
            [line[start:end].strip() for (start, _), end in zip(places, ends, strict=True)]
            for line in lines[1:]
            if line.strip()
        ]
        names = [name for _, name in places]
        frame = KubectlFrame(
            {at: _column(name, [row[at] for row in rows]) for at, name in enumerate(names)}
        )
        frame.columns = names  # two labels may be called alike
        frame.source = asked
        found.append(frame)
    return found


def _column(name: str, cells: Sequence[str]) -> Any:
    """Return a column with its type: times, whole numbers, else text; what is missing is missing."""
    known = [None if cell in MISSING else cell for cell in cells]
    if name in AGES:
        ages = [age(cell) if cell else None for cell in known]
        if all(cell is None or found is not None for cell, found in zip(known, ages, strict=True)):
            return pd.Series(ages, dtype="timedelta64[ns]")
    # A name is text also where all of them are digits, and so is what loses its first zeros as a number.
    if name in NAMES or any(cell and re.match("0[0-9]", cell) for cell in known):
        return pd.Series(known, dtype="string")
    counts = [_COUNT.fullmatch(cell) if cell else None for cell in known]
    if any(known) and all(cell is None or found for cell, found in zip(known, counts, strict=True)):
        return pd.Series([int(found[1]) if found else None for found in counts], dtype="Int64")
    return pd.Series(known, dtype="string")


def age(text: str) -> timedelta | None:
    """Return a time as kubectl writes it, such as `3d4h`; None when it is none."""
    found = _AGE.fullmatch(text)
    if not text or found is None:
        return None
    number = {unit: int(value or 0) for unit, value in found.groupdict().items()}
    return timedelta(
        days=365 * number["y"] + number["d"],
        hours=number["h"],
        minutes=number["m"],
        seconds=number["s"],
    )
