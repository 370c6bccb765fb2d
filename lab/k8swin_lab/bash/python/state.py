"""What a shell remembers besides variables: options, traps, jobs, and how control leaves it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


class BreakLoop(Exception):
    def __init__(self, levels: int) -> None:
        self.levels = levels


class ContinueLoop(Exception):
    def __init__(self, levels: int) -> None:
        self.levels = levels


class ReturnFrom(Exception):
    def __init__(self, code: int) -> None:
        self.code = code


class ExitShell(Exception):
    def __init__(self, code: int) -> None:
        self.code = code


class CommandFault(Exception):
    """A builtin fails; the text follows `bash: line N: `."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


LETTERS = {
    "e": "errexit", "u": "nounset", "x": "xtrace", "f": "noglob", "n": "noexec", "v": "verbose",
    "C": "noclobber", "a": "allexport", "E": "errtrace", "T": "functrace", "h": "hashall",
    "B": "braceexpand", "m": "monitor", "H": "histexpand", "P": "physical", "b": "notify",
}  # fmt: skip
NAMES = sorted([*LETTERS.values(), "pipefail", "posix"])
_HONOURED = frozenset(
    [
        "errexit",
        "nounset",
        "xtrace",
        "noglob",
        "noexec",
        "verbose",
        "noclobber",
        "allexport",
        "errtrace",
        "pipefail",
    ]
)


@dataclass(slots=True)
class Options:
    """`set -o` and `shopt`."""

    errexit: bool = False
    nounset: bool = False
    xtrace: bool = False
    noglob: bool = False
    noexec: bool = False
    verbose: bool = False
    noclobber: bool = False
    allexport: bool = False
    errtrace: bool = False
    pipefail: bool = False
    others: set[str] = field(default_factory=lambda: {"hashall", "braceexpand"})
    shopt: set[str] = field(
        default_factory=lambda: {"sourcepath", "promptvars", "interactive_comments", "cmdhist"}
    )

    def copy(self) -> Options:
        return Options(
            self.errexit, self.nounset, self.xtrace, self.noglob, self.noexec, self.verbose,
            self.noclobber, self.allexport, self.errtrace, self.pipefail,
            set(self.others), set(self.shopt),
        )  # fmt: skip

    def get(self, name: str) -> bool:
        """Tell whether a named option is on."""
        return bool(getattr(self, name)) if name in _HONOURED else name in self.others

    def put(self, name: str, on: bool) -> None:
        """Turn a named option on or off."""
        if name in _HONOURED:
            setattr(self, name, on)
        elif on:
            self.others.add(name)
        else:
            self.others.discard(name)

    def letters(self) -> str:
        """Return what `$-` gives."""
        order = "abefhkmnptuvxBCEHPT"
        return "".join(
            letter for letter in order if letter in LETTERS and self.get(LETTERS[letter])
        )


@dataclass(slots=True)
class Job:
    """A command in the background."""

    pid: int
    text: str
    cancelled: threading.Event
    thread: threading.Thread | None = None
    code: int = 0
    killed: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """A function call or a sourced file."""

    name: str
    source: str
    line: int
