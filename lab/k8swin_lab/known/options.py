"""Options and verbs that programs really have, for those that the lab simulates in part."""

from __future__ import annotations

from k8swin_lab.known import table


def of(program: str) -> frozenset[str]:
    """The options of a program; none when it is not listed."""
    return table("options.txt").get(program, frozenset())
