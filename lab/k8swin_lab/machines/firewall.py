"""The packet filter of a Linux machine: tables, chains, policies and rules as they were set.

Nothing here filters the lab's traffic; scripts can see what was set.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CHAINS = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
}


@dataclass(slots=True)
class Table:
    """One table: policies of its own chains, and the rules of every chain in order."""

    policies: dict[str, str]
    rules: dict[str, list[list[str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for chain in self.policies:
            self.rules.setdefault(chain, [])

    def new_chain(self, name: str) -> bool:
        """Make a chain; False when there is one."""
        if name in self.rules:
            return False
        self.rules[name] = []
        return True

    def append_once(self, rule: list[str]) -> None:
        """Add a rule ["CHAIN", ...] at the end of its chain unless it is there."""
        chain, *words = rule
        if words not in self.rules[chain]:
            self.rules[chain].append(words)

    def used(self, chain: str) -> bool:
        """Tell whether a rule jumps to a chain."""
        return any(
            word in ("-j", "-g") and rule[at + 1 : at + 2] == [chain]
            for rules in self.rules.values()
            for rule in rules
            for at, word in enumerate(rule)
        )


@dataclass(slots=True)
class Firewall:
    """The tables of one protocol family."""

    tables: dict[str, Table] = field(default_factory=dict)

    def table(self, name: str) -> Table:
        """Return a table, made when it is first used."""
        if name not in self.tables:
            self.tables[name] = Table(dict.fromkeys(CHAINS[name], "ACCEPT"))
        return self.tables[name]

    def clear(self) -> None:
        """Forget everything, as a reboot does."""
        self.tables.clear()
