"""Options of docker.exe: which a command has, what they take, and how a wrong one is refused."""

from __future__ import annotations

from collections.abc import Mapping


class UsageError(Exception):
    """The text is Docker's, on standard error, with exit code 125."""


class Options:
    """A parsed command line: `flags` by long name (all values, in order) and the arguments."""

    def __init__(self, flags: dict[str, list[str]], arguments: list[str]) -> None:
        self.flags = flags
        self.arguments = arguments

    def on(self, name: str) -> bool:
        """Whether a boolean is set."""
        return self.flags.get(name, ["false"])[-1].lower() in ("true", "t", "1")

    def last(self, name: str, default: str = "") -> str:
        """The value that counts."""
        return self.flags[name][-1] if name in self.flags else default


def parse(
    command: str, words: list[str], known: Mapping[str, str], *, stop: bool = False
) -> Options:
    """Split a command line.

    Args:
        command: for the errors: "run".
        words: after the command.
        known: long name to "VALUE" or "" for a boolean; "f/format" also has the short -f.
        stop: end at the first argument, as `run IMAGE COMMAND...` does.

    Raises:
        UsageError: an unknown option, or one without its value.
    """
    table: dict[str, tuple[str, str]] = {}
    for spelled, takes in known.items():
        short, slash, long = spelled.partition("/")
        if not slash:
            short, long = "", spelled
        if long:
            table[f"--{long}"] = (long, takes)
        if short:
            table[f"-{short}"] = (long or short, takes)
    flags: dict[str, list[str]] = {}
    arguments: list[str] = []
    see = f"\nSee 'docker {command} --help'."
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word == "--" or (arguments and stop):
            arguments += words[index if word == "--" else index - 1 :]
            break
        if not word.startswith("-") or word == "-":
            arguments.append(word)
            continue
        if word.startswith("--"):
            name, sign, value = word.partition("=")
            if name not in table:
                raise UsageError(f"unknown flag: {name}{see}")
            index = _take(flags, table[name], name, sign, value, words, index, see)
            continue
        letters = word[1:]
        while letters:
            short, letters = f"-{letters[0]}", letters[1:]
            if short not in table:
                raise UsageError(f"unknown shorthand flag: '{short[1]}' in {word}{see}")
            if table[short][1]:
                attached = letters.removeprefix("=")
                index = _take(
                    flags, table[short], short, "=" if letters else "", attached, words, index, see
                )
                break
            flags.setdefault(table[short][0], []).append("true")
    return Options(flags, arguments)


def _take(
    flags: dict[str, list[str]], entry: tuple[str, str], name: str, sign: str, value: str, words: list[str], index: int, see: str
) -> int:  # fmt: skip
    long, takes = entry
    if not takes:
        flags.setdefault(long, []).append(value if sign else "true")
        return index
    if not sign:
        if index >= len(words):
            raise UsageError(f"flag needs an argument: {name}{see}")
        value = words[index]
        index += 1
    flags.setdefault(long, []).append(value)
    return index
