"""How many arguments the methods of .NET's types take, and which numbers they return."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from k8swin_lab.known import dotnet, lines

CONSTRUCTOR = ".ctor"
FIRST_ARGUMENT = "@"
"""A result that has the type of the first argument."""


@dataclass(frozen=True, slots=True)
class Signature:
    """All overloads of a method: by their numbers of arguments, and what they return."""

    counts: frozenset[int]
    shared: frozenset[int]
    """Numbers that several overloads take."""
    more: int | None
    """The number from which on any is taken."""
    result: str
    """The full name of a type, `FIRST_ARGUMENT`, or nothing where the value itself says its type."""

    def takes(self, count: int) -> bool:
        """Whether an overload takes that many arguments."""
        return count in self.counts or (self.more is not None and count >= self.more)


@cache
def _types() -> dict[str, tuple[str, str, str]]:
    found: dict[str, tuple[str, str, str]] = {}
    for line in lines("signatures.txt"):
        name, methods, statics, properties = [*line.split("\t"), "", "", ""][:4]
        found[name.lower()] = (methods, statics, properties)
    return found


def _read(text: str) -> Signature:
    counts, _, result = text.partition(":")
    words = counts.split(",")
    numbers = {word: int(word.rstrip("~+")) for word in words}
    return Signature(
        frozenset(numbers.values()),
        frozenset(number for word, number in numbers.items() if "~" in word),
        next((number for word, number in numbers.items() if "+" in word), None),
        result if result in ("", FIRST_ARGUMENT) else f"System.{result}",
    )


def _merged(first: Signature, second: Signature) -> Signature:
    return Signature(
        first.counts | second.counts,
        first.shared | second.shared,
        first.more if second.more is None else second.more,
        first.result,
    )


@cache
def find(type_name: str, member: str, static: bool) -> Signature | None:
    """A method of a type or of its bases; None when the list has it not."""
    folded, found = member.lower() + ":", None
    for known in dotnet.lineage(type_name):
        columns = _types().get(known.name.lower())
        for word in columns[static].split() if columns else ():
            if word.lower().startswith(folded):
                more = _read(word[len(folded) :])
                found = more if found is None else _merged(found, more)
        if found is not None and member == CONSTRUCTOR:
            break
    return found


@cache
def property_type(type_name: str, member: str) -> str:
    """The full name of a property's type where a number could be of several; nothing elsewhere."""
    folded = member.lower() + "="
    for known in dotnet.lineage(type_name):
        columns = _types().get(known.name.lower())
        for word in columns[2].split() if columns else ():
            if word.lower().startswith(folded):
                return f"System.{word[len(folded) :]}"
    return ""
