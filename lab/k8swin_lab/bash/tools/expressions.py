"""POSIX regular expressions, basic and extended, in terms of Python's."""

from __future__ import annotations

import functools
import re

_CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z",
    "space": r"\s", "blank": r" \t", "punct": r"!-/:-@\[-`{-~", "print": r"\x20-\x7e",
    "graph": r"\x21-\x7e", "cntrl": r"\x00-\x1f\x7f", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_INTERVAL = re.compile(r"\{(\d*)(,?)(\d*)\}")
_BASIC_INTERVAL = re.compile(r"\{(\d*)(,?)(\d*)\\\}")
_SAME = {"w": r"\w", "W": r"\W", "s": r"\s", "S": r"\S", "b": r"\b", "B": r"\B", "<": r"\b(?=\w)",
         ">": r"\b(?<=\w)", "`": r"\A", "'": r"\Z", "n": "\n", "t": "\t"}  # fmt: skip


@functools.lru_cache(maxsize=1000)
def posix_expression(source: str, *, extended: bool) -> str:
    r"""Translate an expression as grep, sed, awk and `=~` understand it.

    Args:
        source: the expression.
        extended: whether + ? | ( ) { } are operators by themselves (ERE) or behind `\\` (BRE).
    """
    out: list[str] = []
    at = 0
    start = True  # where * is an ordinary character and ^ an anchor
    while at < len(source):
        c = source[at]
        if c == "[":
            text, at = _bracket(source, at)
            out.append(text)
            start = False
            continue
        operator = c if extended and c in "+?|(){}" else ""
        if c == "\\" and at + 1 < len(source):
            follow = source[at + 1]
            at += 1
            if not extended and follow in "+?|(){}":
                operator = follow
            else:
                if follow in _SAME:
                    out.append(_SAME[follow])
                elif follow.isdigit() and follow != "0":
                    out.append(f"(?:\\{follow})")
                else:
                    out.append(re.escape(follow))
                at += 1
                start = False
                continue
        if operator == "{":
            interval = (_INTERVAL if extended else _BASIC_INTERVAL).match(source, at)
            if interval and not start:
                low, comma, high = interval.groups()
                out.append(f"{{{low or 0}{comma}{high}}}")
                at = interval.end()
                continue
            out.append(r"\{")
        elif operator:
            out.append(r"\}" if operator == "}" else operator)
            start = operator in "|("
            at += 1
            continue
        elif c == "*" and start:
            out.append(r"\*")
        elif c == "*":
            if out and out[-1] == "*":
                at += 1
                continue
            out.append("*")
        elif c == "^":
            out.append("^" if start or extended else r"\^")
            at += 1
            continue
        elif c == "$":
            rest = source[at + 1 :]
            anchor = extended or not rest or rest.startswith(("\\)", "\\|"))
            out.append(r"\Z" if anchor else r"\$")
        elif c == ".":
            out.append(".")
        else:
            out.append(re.escape(c))
        start = False
        at += 1
    return "".join(out)


def _bracket(source: str, at: int) -> tuple[str, int]:
    end = at + 1
    out = "["
    if source[end : end + 1] == "^":
        out += "^"
        end += 1
    first = True
    while end < len(source):
        c = source[end]
        if c == "]" and not first:
            return out + "]", end + 1
        first = False
        found = re.compile(r"\[([:.=])(.+?)\1\]").match(source, end)
        if found:
            out += _CLASSES.get(found[2], "") if found[1] == ":" else re.escape(found[2])
            end = found.end()
            continue
        out += "\\" + c if c in "[]\\&~|^" else c
        end += 1
    return r"\[", at + 1
