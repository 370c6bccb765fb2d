"""What an audit has found, by what follows from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from k8swin_nb.audit.signatures import Judged

CHANGED = "changed"
"""Something is not as it was written: the verdict is 1."""

UNPROVEN = "unproven"
"""Nothing speaks against it, and nothing proves it: the verdict is 3."""

REMARK = "remark"
"""Worth knowing, and no reason to doubt."""

INTACT_CODE, CHANGED_CODE, UNREADABLE_CODE, UNPROVEN_CODE = 0, 1, 2, 3

_WORST = (CHANGED_CODE, UNREADABLE_CODE, UNPROVEN_CODE, INTACT_CODE)

MOST = 200
"""Findings of one kind that are told; a folder in which everything differs has one cause."""

CANNOT_KNOW = (
    "what was done on a host without this toolkit, or was never written down",
    "whether more was written and then taken away together with every seal that covers it",
    "whether a time is true: it is that of the computer's own clock",
    "whether who held the key told the truth, or whether the key was somebody else's by then",
)
UNSIGNED = "who made the seals: without a signature of somebody who is trusted anybody who can write the folder can make all of them anew"


def worst(codes: Iterable[int]) -> int:
    """Return the exit code of several runs: that of the one which is worst."""
    return min(codes, key=_WORST.index, default=INTACT_CODE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    weight: str
    """`changed`, `unproven` or `remark`."""

    what: str
    """A word for programs, such as `line-edited`."""

    where: str
    """A file of the run, with a line where that is one; empty: the run."""

    text: str
    """What was found against what was expected."""

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.where else self.text


@dataclass(slots=True)
class SealSeen:
    """A seal that is there, and whose signatures it has."""

    number: int
    time: str
    why: str
    final: bool
    files: int
    events: int
    """Lines of the record that it covers."""

    signatures: list[Judged] = field(default_factory=list)

    @property
    def trusted(self) -> bool:
        """Whether somebody who is trusted has signed it, and no signature speaks against it."""
        outcomes = {judged.outcome for judged in self.signatures}
        return "trusted" in outcomes and not outcomes & {"bad", "void"}


@dataclass(slots=True)
class Verdict:
    """All that an audit has found."""

    run: str
    findings: list[Finding] = field(default_factory=list)
    seals: list[SealSeen] = field(default_factory=list)
    events: int = 0
    files: int = 0
    _count: dict[str, int] = field(default_factory=dict)

    def add(self, weight: str, what: str, where: str, text: str) -> None:
        """Take note of a finding; of very many of one kind the first ones."""
        self._count[what] = self._count.get(what, 0) + 1
        if self._count[what] == MOST + 1:
            text = f"and more of the kind `{what}`, which are left out here"
        if self._count[what] <= MOST + 1:
            self.findings.append(Finding(weight, what, where, text))

    def of(self, weight: str) -> list[Finding]:
        """Return the findings of one weight."""
        return [finding for finding in self.findings if finding.weight == weight]

    @property
    def code(self) -> int:
        """The exit code."""
        if self.of(CHANGED):
            return CHANGED_CODE
        return UNPROVEN_CODE if self.of(UNPROVEN) else INTACT_CODE

    @property
    def word(self) -> str:
        """The verdict in a few words."""
        return {
            INTACT_CODE: "intact and signed",
            CHANGED_CODE: "changed",
            UNPROVEN_CODE: "intact as far as can be seen, not proven",
        }[self.code]

    @property
    def who(self) -> list[str]:
        """By whom the last seal is signed, of those who are trusted."""
        last = self.seals[-1].signatures if self.seals else []
        return [f"{one.who} ({one.key})" for one in last if one.outcome == "trusted"]

    @property
    def cannot_know(self) -> list[str]:
        """What no audit of this folder can tell."""
        return [*CANNOT_KNOW, *([] if self.seals and self.seals[-1].trusted else [UNSIGNED])]

    def as_json(self) -> dict[str, Any]:
        """Return all of it for programs."""
        return {
            "run": self.run,
            "verdict": self.word,
            "code": self.code,
            "signed_by": self.who,
            "events": self.events,
            "files": self.files,
            "seals": [
                {
                    "number": seal.number,
                    "time": seal.time,
                    "why": seal.why,
                    "final": seal.final,
                    "events": seal.events,
                    "files": seal.files,
                    "trusted": seal.trusted,
                    "signatures": [one.as_json() for one in seal.signatures],
                }
                for seal in self.seals
            ],
            "findings": [
                {"weight": one.weight, "what": one.what, "where": one.where, "text": one.text}
                for one in self.findings
            ],
            "cannot_know": self.cannot_know,
        }
