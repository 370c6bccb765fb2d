"""Command lines of Go programs: their known flags, and how they refuse others.

`flags.json` holds, per program, each flag and what it takes ("" for a boolean), as the Windows builds of
Kubernetes 1.36 and flannel 0.28 print them with --help. `flags-classic.json` holds those of Kubernetes 1.13 and
flannel 0.11, and what later versions added and removed as long as the kubelet knew Docker.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources

_ALONE = ("", "version", "version[=true]")
"""What flags take that stand without a value."""


class FlagError(Exception):
    """The text is that of Go's flag packages."""


_CLASSIC_ENDS = {"kubelet": (1, 24), "kube-proxy": (1, 24), "flanneld": (0, 14)}
"""The version from which a program has the flags of today's table."""


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers: (1, 13, 12)."""
    return tuple(int(part) for part in version.partition("-")[0].split(".") if part.isdigit())


def is_classic(program: str, version: str) -> bool:
    """Whether this version of a program belongs to the generation of Docker."""
    return bool(version) and numbers(version) < _CLASSIC_ENDS.get(program, (0,))


@cache
def known(program: str, version: str = "") -> dict[str, str]:
    """The flags of a program ("kubelet", "kubeadm join" ...), each with what it takes."""
    if is_classic(program, version):
        text = resources.files(__package__).joinpath("flags-classic.json").read_text("utf-8")
        entry = json.loads(text)[program]
        table: dict[str, str] = entry["flags"]
        for since, change in entry["changes"].items():
            if numbers(version) >= numbers(since):
                table.update(change["add"])
                for gone in change["remove"]:
                    table.pop(gone, None)
        return table
    text = resources.files(__package__).joinpath("flags.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = json.loads(text)
    return found[program]


def parse(
    program: str, words: list[str], *, go: bool = False, version: str = ""
) -> tuple[dict[str, list[str]], list[str]]:
    """Split a command line into flags (all values, in order) and arguments.

    `go` chooses the standard library's package (flanneld: one or two dashes) instead of pflag. `version` is the
    program's: without one the flags are today's.

    Raises:
        FlagError: An unknown flag or a missing value.
    """
    table = known(program, version)
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
        if problem := _problem(table[spelled], value):
            if go:
                raise FlagError(
                    f'invalid value "{value}" for flag -{name.lstrip("-")}: parse error'
                )
            raise FlagError(f'invalid argument "{value}" for "{spelled}" flag: {problem}')
        if table[spelled] == "":
            value = "true" if value.lower() in ("true", "t", "1") else "false"
        flags.setdefault(spelled, []).append(value)
    return flags, arguments


_WHOLE = re.compile(r"[+-]?(0x[0-9a-fA-F_]+|0o?[0-7_]*|[0-9_]+)")
_DURATION = re.compile(r"[+-]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))+)")


def _problem(takes: str, value: str) -> str:
    """What Go's parsers say of a number or a duration that is none; empty for what fits, and for other kinds."""
    if takes.startswith(("int", "uint")) and not _WHOLE.fullmatch(value):
        kind = "ParseUint" if takes.startswith("uint") else "ParseInt"
        return f'strconv.{kind}: parsing "{value}": invalid syntax'
    if takes == "duration" and not _DURATION.fullmatch(value):
        unit = re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", value)
        said = "missing unit in duration" if unit else "invalid duration"
        return f'time: {said} "{value}"'
    return ""


def last(flags: dict[str, list[str]], name: str, default: str = "") -> str:
    """The value that counts: the last one."""
    return flags[name][-1] if flags.get(name) else default
