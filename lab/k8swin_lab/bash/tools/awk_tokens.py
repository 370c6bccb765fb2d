"""awk's words: numbers, strings, expressions between slashes, names and signs."""

from __future__ import annotations

import re

from k8swin_lab.bash.tools.common import ToolFault
from k8swin_lab.bash.tools.formatting import echo_escapes

_KEYWORDS = frozenset(
    [
        "BEGIN",
        "END",
        "function",
        "func",
        "if",
        "else",
        "while",
        "for",
        "do",
        "break",
        "continue",
        "next",
        "nextfile",
        "exit",
        "return",
        "delete",
        "in",
        "getline",
        "print",
        "printf",
    ]
)
_BUILTINS = frozenset(
    [
        "length",
        "substr",
        "index",
        "split",
        "sub",
        "gsub",
        "match",
        "sprintf",
        "tolower",
        "toupper",
        "int",
        "system",
        "close",
        "fflush",
        "sqrt",
        "exp",
        "log",
        "sin",
        "cos",
        "atan2",
        "rand",
        "srand",
        "systime",
        "strftime",
    ]
)
_TOKEN = re.compile(
    r"(?P<blank>(?:[ \t\r]|\\\r?\n)+)|(?P<comment>\#[^\n]*)|(?P<newline>\n)"
    r"|(?P<number>0[xX][0-9A-Fa-f]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)"
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<name>[A-Za-z_]\w*)'
    r"|(?P<sign>\*\*=|&&|\|\||\+\+|--|[-+*/%^!=<>]=|>>|\*\*|!~|[-+*/%^!<>|?:~$=(){}\[\],;])",
    re.S,
)
_REGEX = re.compile(r"/((?:[^/\\\n\[]|\\.|\[\^?\]?(?:\[:\w+:\]|[^\]\n])*\])*)/")


def unquoted(text: str) -> str:
    """Return what a string constant stands for."""
    body = text[1:-1].replace('\\"', '"').replace("\\/", "/")
    return echo_escapes(re.sub(r"\\([0-7]{3})", r"\\0\1", body))[0]


def tokens(source: str) -> list[tuple[str, str]]:
    """Split a program into (kind, text).

    Raises:
        ToolFault: a character or expression is no awk.
    """
    result: list[tuple[str, str]] = []
    at = 0
    while at < len(source):
        operand = bool(result) and (
            result[-1][0] in ("number", "string", "name", "builtin", "regex")
            or result[-1][1] in (")", "]", "$", "++", "--")
        )
        if source[at] == "/" and not operand:
            found = _REGEX.match(source, at)
            if not found:
                raise ToolFault("line 1: regular expression compile failed", 2)
            result.append(("regex", found[1]))
            at = found.end()
            continue
        token = _TOKEN.match(source, at)
        if not token:
            raise ToolFault(f"line 1: syntax error at or near {source[at]}", 2)
        kind, text = token.lastgroup or "", token[0]
        at = token.end()
        if kind in ("blank", "comment"):
            continue
        if kind == "newline":
            # A line goes on after these.
            if result and result[-1][1] in (",", "{", "&&", "||", "do", "else"):
                continue
        elif kind == "name":
            kind = "keyword" if text in _KEYWORDS else "builtin" if text in _BUILTINS else "name"
        result.append((kind, text))
        if kind == "name" and source[at : at + 1] == "(":
            result.append(("call", "("))
            at += 1
    return result
