"""What a step would change, as a check says it: settings as `found -> wanted`, files as unified diffs.

A check prints what it found to differ beside its verdict, in lines of a fixed form:

    would: swap: on -> off
    would write: /etc/fstab
    -|/swap.img none swap sw 0 0
    +|# /swap.img none swap sw 0 0

The lines of a file are those that were found (`-|`) and those that are wanted (`+|`), whole, each kind in its order. The
comparison is made here, so that a host needs no program for it: Windows has none. `would: WHAT` without found and wanted
is what is done and leaves nothing to compare.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from k8swin_nb.redact import MASK
from k8swin_nb.shown import cut_line, shown_begin

SETTING = "would: "
FILE = "would write: "
FOUND, WANTED = "-|", "+|"
"""How the lines of a check begin that say what differs."""

NO_END = "\\ No newline at end of file"
"""What stands behind a file's last line that has no end, as in other programs' diffs."""

SHOWN_LINES = 300
"""Lines of one step's difference that are shown."""

SIZE = 20_000
"""Characters of it."""

COMPARED = 2_000
"""Lines of a file that are compared; comparing takes time that grows faster than the file."""

NOT_KNOWN = "not known before "
"""How what was found begins, of a setting, when only an earlier step lets it be found out: it may be as wanted then."""


_NAMED = re.compile(
    r"""(?ix)
    ((?:pass(?:word|wd|phrase|code)? | pwd | secret | credentials? | (?:api|private|access)[-_]?key
        | token | auth | authorization | cookie) ["']? [ \t]* (?: = [ \t]* | : [ \t]+ ) )
    ( "[^"]*" | '[^']*' | \[[^\]]*\] | (?<==) [^\s,;]+ | (?<=[ \t]) .+ )
    """
)
_NO_SECRET = re.compile(
    r"""(?i)["']?(true|false|null|none|yes|no|[0-9]{1,6}|[/{~&*$].*|\[[\s"']*\]|)["']?,?\Z"""
)


def _held_back(line: str) -> str:
    """Return a line without what is a secret by the name before it.

    A file that a step edits may hold somebody else's, beside what differs: a share's password in /etc/fstab, a driver's
    token in Docker's configuration. Nobody has told which they are, and what they are is no part of the difference.
    """
    return _NAMED.sub(lambda m: m[1] + (m[2] if _NO_SECRET.match(m[2]) else MASK), line[:SIZE])


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a step would change: a setting or, with its lines, a file."""

    what: str
    """`swap: on -> off`, or the path of a file."""

    found: tuple[str, ...] = ()
    """Lines that the file has; none when there is no file."""

    wanted: tuple[str, ...] = ()
    """Lines that it is to have."""

    is_file: bool = False

    @property
    def unknown(self) -> bool:
        """Whether it is not known yet if there is anything to change."""
        return not self.is_file and f": {NOT_KNOWN}" in self.what

    def lines(self) -> list[str]:
        """Return it as text: one line, or a unified diff."""
        return list(map(_held_back, self._compared()))

    def _compared(self) -> list[str]:
        if not self.is_file:
            return [self.what]
        if max(len(self.found), len(self.wanted)) > COMPARED:
            return [f"{self.what}: {len(self.found)} lines -> {len(self.wanted)} lines"]
        before = self.what if self.found else "/dev/null"
        told = list(difflib.unified_diff(self.found, self.wanted, before, self.what, lineterm=""))
        return told or [f"{self.what}: written anew, with the same content"]


def setting(what: str, found: object, wanted: object) -> Difference:
    """Return the difference of a setting, a package or a service."""
    return Difference(f"{what}: {found} -> {wanted}")


def file(path: str, found: str | None, wanted: str) -> Difference:
    """Return the difference of a file; `found` is None where there is none."""
    return Difference(path, _lines(found or ""), _lines(wanted), True)


def _lines(text: str) -> tuple[str, ...]:
    """Return a file's lines, in which other ends than a line feed, or none, stand for themselves."""
    *whole, last = text.replace("\r", "^M").split("\n")
    return (*whole, *([last, NO_END] if last else []))


def without(lines: Iterable[str]) -> tuple[list[str], tuple[Difference, ...]]:
    """Take what differs out of a check's lines; return the lines that are left, and what differs."""
    left: list[str] = []
    differences: list[Difference] = []
    path: str | None = None
    sides: dict[str, list[str]] = {}

    def end() -> None:
        nonlocal path
        if path is not None:
            found, wanted = tuple(sides[FOUND]), tuple(sides[WANTED])
            differences.append(Difference(path, found, wanted, True))
        path = None

    for line in lines:
        if path is not None and line[: len(FOUND)] in sides:
            sides[line[: len(FOUND)]].append(line[len(FOUND) :])
            continue
        end()
        if line.startswith(FILE):
            path, sides = line.removeprefix(FILE).strip(), {FOUND: [], WANTED: []}
        elif line.startswith(SETTING):
            differences.append(Difference(line.removeprefix(SETTING).strip()))
        else:
            left.append(line)
    end()
    return left, tuple(differences)


def text_of(differences: Iterable[Difference]) -> str:
    """Return differences as text to be shown: masked, and bounded."""
    lines = [line for difference in differences for line in difference.lines()]
    more = len(lines) - SHOWN_LINES
    kept = shown_begin("\n".join(lines[:SHOWN_LINES]), most=SIZE)
    told = [cut_line(line) for line in kept.split("\n")] if kept else []
    return "\n".join([*told, *([f"... {more} lines more"] if more > 0 else [])])
