"""Bash's patterns: `*`, `?`, brackets and extended globs, turned into regular expressions."""

from __future__ import annotations

import functools
import re

CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z",
    "space": r"\s", "blank": r" \t", "punct": r"!-/:-@\[-`{-~", "print": r"\x20-\x7e",
    "graph": r"\x21-\x7e", "cntrl": r"\x00-\x1f\x7f", "xdigit": "0-9A-Fa-f", "word": r"\w",
}  # fmt: skip
_GLOB = re.compile(r"(?<!\\)(?:\\\\)*[*?\[]|[?*+@!]\(")


def escape(text: str) -> str:
    """Make every character of a text stand for itself in a pattern."""
    return re.sub(r"([\\*?\[\]()|+@!{}^-])", r"\\\1", text)


def unescape(pattern: str) -> str:
    """Return the text a pattern without wildcards stands for."""
    return re.sub(r"\\(.)", r"\1", pattern, flags=re.S)


def has_wildcards(pattern: str) -> bool:
    """Tell whether a pattern can match more than one text."""
    return bool(_GLOB.search(pattern))


def bracket(pattern: str, at: int) -> tuple[str, int] | None:
    """Translate the bracket expression at `at`; return it and the position after it."""
    end = at + 1
    negated = pattern[end : end + 1] in ("!", "^") and pattern[end : end + 1] != ""
    end += negated
    out = ""
    first = True
    while end < len(pattern):
        c = pattern[end]
        if c == "]" and not first:
            return f"[{'^' if negated else ''}{out}]", end + 1
        first = False
        found = re.compile(r"\[:(\w+):\]").match(pattern, end)
        if found and found[1] in CLASSES:
            out += CLASSES[found[1]]
            end = found.end()
            continue
        if c == "\\" and end + 1 < len(pattern):
            out += re.escape(pattern[end + 1])
            end += 2
            continue
        out += "\\" + c if c in "[]\\^&~|" else c
        end += 1
    return None


@functools.lru_cache(maxsize=2000)
def to_regex(pattern: str, *, greedy: bool = True, slash: bool = True) -> str:
    """Translate a pattern into the source of a regular expression.

    Args:
        pattern: with quoted characters behind backslashes.
        greedy: whether `*` takes as much as it can.
        slash: whether wildcards match a slash.
    """
    lazy = "" if greedy else "?"
    anything = "." if slash else "[^/]"
    out = ""
    at = 0
    while at < len(pattern):
        c = pattern[at]
        if c in "?*+@!" and pattern[at + 1 : at + 2] == "(":
            inner, after = _alternatives(pattern, at + 1)
            body = "|".join(to_regex(one, greedy=greedy, slash=slash) for one in inner)
            rest = to_regex(pattern[after:], greedy=greedy, slash=slash)
            if c == "!":
                return out + f"(?:(?!(?:{body}){rest}\\Z){anything}*{lazy}){rest}"
            return out + f"(?:{body}){'' if c == '@' else c}{rest}"
        if c == "*":
            out += f"{anything}*{lazy}"
        elif c == "?":
            out += anything
        elif c == "[" and (found := bracket(pattern, at)):
            out += found[0]
            at = found[1]
            continue
        elif c == "\\" and at + 1 < len(pattern):
            at += 1
            out += re.escape(pattern[at])
        else:
            out += re.escape(c)
        at += 1
    return out


def _alternatives(pattern: str, at: int) -> tuple[list[str], int]:
    depth = 0
    parts = [""]
    while at < len(pattern):
        c = pattern[at]
        if c == "\\":
            parts[-1] += pattern[at : at + 2]
            at += 2
            continue
        if c == "(":
            depth += 1
            if depth == 1:
                at += 1
                continue
        elif c == ")":
            depth -= 1
            if not depth:
                return parts, at + 1
        if c == "|" and depth == 1:
            parts.append("")
        else:
            parts[-1] += c
        at += 1
    return parts, at


@functools.lru_cache(maxsize=2000)
def compiled(pattern: str, *, fold: bool = False) -> re.Pattern[str]:
    """Return the expression that matches whole texts."""
    return re.compile(to_regex(pattern) + r"\Z", re.S | (re.I if fold else 0))


def matches(text: str, pattern: str, *, fold: bool = False) -> bool:
    """Tell whether a pattern matches a whole text."""
    return compiled(pattern, fold=fold).match(text) is not None


def without_prefix(text: str, pattern: str, *, longest: bool) -> str:
    """Return the text without the prefix that matches."""
    ends = range(len(text), -1, -1) if longest else range(len(text) + 1)
    expression = compiled(pattern)
    for end in ends:
        if expression.match(text[:end]):
            return text[end:]
    return text


def without_suffix(text: str, pattern: str, *, longest: bool) -> str:
    """Return the text without the suffix that matches."""
    starts = range(len(text) + 1) if longest else range(len(text), -1, -1)
    expression = compiled(pattern)
    for start in starts:
        if expression.match(text[start:]):
            return text[:start]
    return text
