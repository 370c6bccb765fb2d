"""Reads what a PowerShell script declares: its top `param()` block and its comment-based help.

A small reader of one construct, not of the language: it knows strings, comments and brackets, which is
enough to find where a block, a parameter and a default end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAME = re.compile(r"\$(\w+|\{[^}]+\})")
_TYPE = re.compile(r"[\w.]+(\[\])?", re.ASCII)
_MANDATORY = re.compile(r"\bMandatory\b(\s*=\s*\$?(\w+))?", re.IGNORECASE)
_SYNOPSIS = re.compile(r"^\s*#?\s*\.SYNOPSIS\s*$(.*?)(^\s*#?\s*\.[A-Z]+|#>|\Z)", re.I | re.M | re.S)
_TOKEN = re.compile(
    r"""
      (?P<comment> <\#.*?\#> | \#[^\n]* )
    | (?P<string> @'\r?\n.*?\n'@ | @"\r?\n.*?\n"@ | '(?:[^']|'')*' | "(?:[^"`]|`.|"")*" )
    | (?P<open> [({\[] )
    | (?P<close> [)}\]] )
    | (?P<comma> , )
    | (?P<equals> = )
    | (?P<space> \s+ )
    | (?P<other> `. | [^\s(){}\[\],="'\#`]+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Declared:
    """One parameter of a `param()` block."""

    name: str
    type: str
    required: bool
    default: str | None


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(text):
        yield str(match.lastgroup), match.group()


def param_block(text: str) -> list[Declared]:
    """Return the parameters of a script's top `param()` block; none when it has no such block."""
    block = _block(text)
    return [declared for part in _split(block) if (declared := _declared(part)) is not None]


def _block(text: str) -> list[tuple[str, str]]:
    """Return the tokens between the parentheses of the block, or nothing."""
    tokens = _tokens(text.lstrip("\ufeff"))
    depth = 0
    for kind, word in tokens:
        # Before the block there may be comments, `#requires`, `using` lines and attributes.
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
        elif depth == 0 and kind == "other" and word.lower() == "param":
            break
        elif depth == 0 and kind == "other" and not _is_using(word):
            return []
    else:
        return []
    inside: list[tuple[str, str]] = []
    depth = 0
    for kind, word in tokens:
        if kind == "open":
            depth += 1
            if depth == 1:
                continue
        elif kind == "close":
            depth -= 1
            if depth == 0:
                return inside
        if depth:
            inside.append((kind, word))
    return []


def _is_using(word: str) -> bool:
    """Whether a word is part of `using namespace System.IO`."""
    return word.lower() in ("using", "namespace", "module", "assembly", ";") or "." in word


def _split(tokens: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Cut at the commas that are not inside brackets."""
    parts: list[list[tuple[str, str]]] = [[]]
    depth = 0
    for kind, word in tokens:
        depth += (kind == "open") - (kind == "close")
        if kind == "comma" and depth == 0:
            parts.append([])
        elif kind != "comment":
            parts[-1].append((kind, word))
    return parts


def _declared(part: list[tuple[str, str]]) -> Declared | None:
    """Read attributes, type, name and default of one parameter."""
    head, equals, tail = part, False, []
    depth = 0
    for index, (kind, _) in enumerate(part):
        depth += (kind == "open") - (kind == "close")
        if kind == "equals" and depth == 0:
            head, equals, tail = part[:index], True, part[index + 1 :]
            break
    brackets, names, depth, current = [], [], 0, ""
    for kind, word in head:
        closes = kind == "close"
        if closes:
            depth -= 1
            if depth == 0:
                brackets.append(current)
                current = ""
                continue
        if depth:
            current += word
        elif kind == "other":
            names.append(word)
        if kind == "open":
            depth += 1
    found = _NAME.search("".join(names))
    if not found:
        return None
    types = [text.strip() for text in brackets if _TYPE.fullmatch(text.strip())]
    mandatory = any(
        (match := _MANDATORY.search(text)) and (match[2] or "true").lower() in ("true", "1")
        for text in brackets
        if text.strip().lower().startswith("parameter")
    )
    default = "".join(word for _, word in tail).strip() if equals else None
    name = found[1].strip("{}")
    return Declared(name, (types[-1] if types else "object").lower(), mandatory, default)


def without_comments(text: str) -> str:
    """Return a script without its comments. What stands in strings stays: it may hold code."""
    return "".join(word for kind, word in _tokens(text) if kind != "comment")


def synopsis(text: str) -> str:
    """Return the `.SYNOPSIS` of comment-based help in one line, else the first comment line."""
    found = _SYNOPSIS.search(text)
    if found:
        return " ".join(line.strip(" \t#") for line in found[1].splitlines()).strip()
    for kind, word in _tokens(text):
        if kind == "comment":
            lines = [line.strip("<#> \t") for line in word.splitlines()]
            return next((line for line in lines if line), "")
        if kind != "space":
            break
    return ""
