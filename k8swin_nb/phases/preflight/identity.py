"""What must differ from machine to machine, and does not where one is a copy of another."""

from __future__ import annotations

from collections.abc import Iterable

MEANS_NOTHING = frozenset(
    {
        "",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "00:00:00:00:00:00",
    }
)
"""Identities that hardware shows when it has none."""


def owners(told: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the hosts of every identity, in the order in which they were told.

    Args:
        told: Host and identity, such as a MAC address in either system's spelling; one that means nothing is
            passed over.
    """
    found: dict[str, list[str]] = {}
    for host, text in told:
        identity = text.strip().lower()
        if len(identity) == len("00-00-00-00-00-00"):
            identity = identity.replace("-", ":")
        names = found.setdefault(identity, [])
        if host not in names:
            names.append(host)
    return {identity: names for identity, names in found.items() if identity not in MEANS_NOTHING}
