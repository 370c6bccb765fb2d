"""Command lines of Go programs: their known flags, and how they refuse others.

`flags.json` holds, per program, each flag and what it takes ("" for a boolean), as the Windows builds of
Kubernetes 1.36 and flannel 0.28 print them with --help.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

_ALONE = ("", "version", "version[=true]")
"""What flags take that stand without a value."""


class FlagError(Exception):
    """The text is that of Go's flag packages."""


@cache
def known(program: str) -> dict[str, str]:
    """The flags of a program ("kubelet", "kubeadm join" ...), each with what it takes."""
    text = resources.files(__package__).joinpath("flags.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found[program]


def parse(
    program: str, words: list[str], *, go: bool = False
) -> tuple[dict[str, list[str]], list[str]]:
    """Split a command line into flags (all values, in order) and arguments.

    `go` chooses the standard library's package (flanneld: one or two dashes) instead of pflag.

    Raises:
        FlagError: An unknown flag or a missing value.
    """
    table = known(program)
    flags: dict[str, list[str]] = {}
    arguments: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word == "--":
            arguments += words[index:]
            break
        if not word.startswith("-") or word == "-":
            arguments.append(word)
            continue
        name, sign, value = word.partition("=")
        spelled = "--" + name.lstrip("-") if go or name.startswith("--") else name
        if spelled not in table:
            if go:
                raise FlagError(f"flag provided but not defined: -{name.lstrip('-')}")
            if not name.startswith("--"):
                raise FlagError(f"unknown shorthand flag: '{name[1:2]}' in {word}")
            raise FlagError(f"unknown flag: {name}")
        if not sign:
            if table[spelled] in _ALONE:
                value = "true"
            elif index < len(words):
                value = words[index]
                index += 1
            else:
                raise FlagError(f"flag needs an argument: {name}")
        if table[spelled] == "" and value.lower() not in ("true", "false", "t", "f", "1", "0"):
            raise FlagError(
                f'invalid argument "{value}" for "{spelled}" flag: strconv.ParseBool: parsing "{value}": invalid syntax'
            )
        flags.setdefault(spelled, []).append(value)
    return flags, arguments


def last(flags: dict[str, list[str]], name: str, default: str = "") -> str:
    """The value that counts: the last one."""
    return flags[name][-1] if flags.get(name) else default
