"""Command-line options as GNU programs take them.

An option that a command does not list is not simulated: it is named and the command ends, so that
nobody takes an ignored option for one that had its effect.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from k8swin_lab.known import options
from k8swin_lab.machines.program import NotSimulated


class MissingValue(Exception):
    """An option that takes a value stands at the end; the text is the option."""


@dataclass(slots=True)
class Parsed:
    """Options by their first name, in order, and what is no option."""

    options: list[tuple[str, str]] = field(default_factory=list)
    operands: list[str] = field(default_factory=list)

    def __contains__(self, name: str) -> bool:
        return any(option == name for option, _ in self.options)

    def get(self, name: str, default: str = "") -> str:
        """Return the last value of an option."""
        return next((value for option, value in reversed(self.options) if option == name), default)

    def all(self, name: str) -> list[str]:
        """Return every value of an option, in order."""
        return [value for option, value in self.options if option == name]


class Options:
    """The options of one command."""

    def __init__(
        self, flags: str = "", values: str = "", optional: str = "", *, permute: bool = True
    ) -> None:
        """List the options, separated by spaces, names of one option by commas.

        Args:
            flags: options without a value: "-y,--yes,--assume-yes -q,--quiet".
            values: options with one: "-o,--output".
            optional: long options whose value, after "=", may be missing: "--show".
            permute: whether options may stand after operands.
        """
        self._kinds: dict[str, tuple[str, str]] = {}
        for kind, text in (("flag", flags), ("value", values), ("optional", optional)):
            for names in text.split():
                spellings = names.split(",")
                for spelling in spellings:
                    self._kinds[spelling] = (spellings[0], kind)
        self._permute = permute

    def parse(self, command: str, arguments: Iterable[str]) -> Parsed:
        """Read arguments.

        Args:
            command: named in the error: "apt-get install".
            arguments: without the command's name.

        Raises:
            NotSimulated: an option that is not listed.
            MissingValue: the last option lacks its value.
        """
        parsed = Parsed()
        rest = list(arguments)
        while rest:
            word = rest.pop(0)
            if word == "--":
                parsed.operands += rest
                break
            if word.startswith("--"):
                self._long(command, word, rest, parsed)
            elif word.startswith("-") and len(word) > 1:
                self._short(command, word, rest, parsed)
            else:
                parsed.operands.append(word)
                if not self._permute:
                    parsed.operands += rest
                    break
        return parsed

    def _long(self, command: str, word: str, rest: list[str], parsed: Parsed) -> None:
        spelling, equals, value = word.partition("=")
        known = self._kinds.get(spelling)
        if known is None or (known[1] == "flag" and equals and value not in ("true", "false")):
            raise NotSimulated(f"{command} {word}")
        name, kind = known
        if kind == "flag" and value == "false":
            return
        if kind == "value" and not equals:
            if not rest:
                raise MissingValue(spelling)
            value = rest.pop(0)
        parsed.options.append((name, value))

    def _short(self, command: str, word: str, rest: list[str], parsed: Parsed) -> None:
        if word in self._kinds and self._kinds[word][1] == "flag":
            parsed.options.append((self._kinds[word][0], ""))
            return
        letters = word[1:]
        while letters:
            spelling, letters = f"-{letters[0]}", letters[1:]
            known = self._kinds.get(spelling)
            if known is None:
                raise NotSimulated(f"{command} {spelling}")
            name, kind = known
            if kind == "value":
                value = letters.removeprefix("=") if letters else (rest.pop(0) if rest else None)
                if value is None:
                    raise MissingValue(spelling)
                parsed.options.append((name, value))
                return
            parsed.options.append((name, ""))


def refuse_option(program: str, option: str) -> None:
    """Say of an option that the lab does not know that the program has it.

    Args:
        program: "tar"; "icacls.exe" for one of Windows, whose options are compared without case.
        option: "--strip-components", "-x" or "/verify", without a value.

    Raises:
        NotSimulated: it is such an option.
    """
    wanted = option.lower() if program.endswith(".exe") and option[:1] != "-" else option
    if wanted in options.of(program):
        raise NotSimulated(f"{program} {option}")
