"""How long to wait between two looks at something that takes time: short at first, then longer."""

from __future__ import annotations

from collections.abc import Iterator

FIRST_SECONDS = 0.25
"""Before the second look: most of what is waited for is there by then, or soon after."""

GROWTH = 1.6
"""By how much each pause is longer than the one before."""


def growing(most: float) -> Iterator[float]:
    """Yield the pauses between looks, in seconds, without an end; none is longer than `most`."""
    pause = FIRST_SECONDS
    while True:
        yield min(pause, most)
        pause = min(pause * GROWTH, max(most, FIRST_SECONDS))
