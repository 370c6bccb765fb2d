"""What the real machines have, as lists: by them the lab tells what it lacks from what nobody has.

A name in a list that the lab does not simulate is refused (`not simulated in the lab: X`, exit code 70); a name in no list
gets the machine's own words. The lists are text files in this folder, each with its source in its first lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources


def lines(name: str) -> Iterator[str]:
    """The lines of a list, without comments and empty ones."""
    text = resources.files("k8swin_lab.known").joinpath(name).read_text(encoding="utf-8")
    for line in text.split("\n"):
        if line and not line.startswith("#"):
            yield line


@cache
def table(name: str) -> dict[str, frozenset[str]]:
    """A list whose lines have a name and words that belong to it."""
    parts = (line.split() for line in lines(name))
    return {first: frozenset(words) for first, *words in parts}
