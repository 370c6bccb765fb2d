"""A covering array: few runs in which each pair of moods meets, and each mood meets another one's absence."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

Pair = tuple[str, str]


def _together(moods: Iterable[str]) -> set[Pair]:
    return set(itertools.combinations(sorted(moods), 2))


def pairs(moods: Sequence[str], excluded: Callable[[str, str], bool]) -> set[Pair]:
    """Return the pairs that can meet; those that exclude each other cannot."""
    return {pair for pair in _together(moods) if not excluded(*pair)}


def _apart(row: frozenset[str], moods: Sequence[str]) -> set[Pair]:
    """Return who is there while who else is not."""
    return {(one, other) for one in row for other in moods if other not in row}


def covering(
    moods: Sequence[str], excluded: Callable[[str, str], bool], most: int
) -> list[frozenset[str]]:
    """Return at most `most` rows, by a greedy routine that is the same each time.

    Each pair that can meet is in one row at least; what room is left goes to rows in which one mood is there and
    another one is not, so that no mood hides behind another.

    Raises:
        ValueError: `most` rows are too few for the pairs.
    """
    wanted = pairs(moods, excluded)
    apart = {(one, other) for one in moods for other in moods if one != other}
    rows: list[frozenset[str]] = []
    while len(rows) < most and (wanted or apart):
        row: frozenset[str] = frozenset()
        # The last rows that are left have to hold what pairs are left.
        fill = len(wanted) * 2 > len(moods) * (most - len(rows))
        for mood in sorted(moods, key=lambda m: (-sum(m in pair for pair in wanted), m)):
            grown = row | {mood}
            if any(excluded(mood, there) for there in row):
                continue
            if fill or _worth(grown, moods, wanted, apart) > _worth(row, moods, wanted, apart):
                row = grown
        if not (_together(row) & wanted or _apart(row, moods) & apart):
            break
        wanted -= _together(row)
        apart -= _apart(row, moods)
        rows.append(row)
    if wanted:
        raise ValueError(f"{most} rows leave {len(wanted)} pairs that never meet")
    return rows


def _worth(row: frozenset[str], moods: Sequence[str], wanted: set[Pair], apart: set[Pair]) -> int:
    return 2 * len(_together(row) & wanted) + len(_apart(row, moods) & apart)
