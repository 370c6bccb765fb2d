"""Options and verbs that programs really have, for those that the lab simulates in part."""

from __future__ import annotations

from functools import cache

from k8swin_lab.known import lines


@cache
def _listed() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in lines("options.txt"):
        name, *options = line.split()
        found[name] = frozenset(options)
    return found


def of(program: str) -> frozenset[str]:
    """The options of a program; none when it is not listed."""
    return _listed().get(program, frozenset())
