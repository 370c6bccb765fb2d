"""The inside of `[[ ... ]]`: how it is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from k8swin_lab.bash.python.syntax import Literal, Part, Word

if TYPE_CHECKING:
    from k8swin_lab.bash.python.parser import Parser

UNARY = frozenset(f"-{letter}" for letter in "abcdefghknoprstuvwxzGLNORS")
_BINARY = re.compile(r"(==|=~|=|!=|<|>|-(?:eq|ne|lt|le|gt|ge|nt|ot|ef)(?=\s))")

Test = tuple[object, ...]


def read_condition(reader: Parser) -> Test:
    """Read up to and with `]]`."""
    test = _or(reader)
    reader.newlines()
    if reader.reserved() != "]]":
        raise reader.fault()
    reader.at += 2
    return test


def _or(reader: Parser) -> Test:
    left = _and(reader)
    while True:
        reader.newlines()
        if not reader.starts("||"):
            return left
        reader.at += 2
        left = ("or", left, _and(reader))


def _and(reader: Parser) -> Test:
    left = _primary(reader)
    while True:
        reader.newlines()
        if not reader.starts("&&"):
            return left
        reader.at += 2
        left = ("and", left, _primary(reader))


def _primary(reader: Parser) -> Test:
    reader.newlines()
    word = reader.reserved()
    if word == "!":
        reader.at += 1
        return ("not", _primary(reader))
    if reader.peek() == "(":
        reader.at += 1
        test = _or(reader)
        reader.newlines()
        if reader.peek() != ")":
            raise reader.fault()
        reader.at += 1
        return test
    if word in UNARY:
        start = reader.at
        reader.at += len(word)
        reader.blanks()
        if not _BINARY.match(reader.text, reader.at):
            operand = reader.word()
            if operand is not None and operand.source != "]]":
                return (word, operand)
        reader.at = start
    left = reader.word()
    if left is None or left.source == "]]":
        raise reader.fault()
    reader.blanks()
    found = _BINARY.match(reader.text, reader.at)
    if not found:
        return ("-n", left)
    reader.at = found.end()
    reader.blanks()
    right = _regular_expression(reader) if found[1] == "=~" else reader.word()
    if right is None:
        raise reader.fault()
    return (found[1], left, right)


def _regular_expression(reader: Parser) -> Word | None:
    """Read the right side of `=~`, in which parentheses and bars are ordinary characters."""
    parts: list[Part] = []
    depth = 0
    start = reader.at
    while c := reader.peek():
        if c in " \t\n" and not depth:
            break
        if c in "()|<>;&" or (c in " \t" and depth):
            if c == ")" and not depth:
                break
            depth += (c == "(") - (c == ")")
            parts.append(Literal(c))
            reader.at += 1
        elif c == "[":
            # A bracket expression may hold any of these characters.
            found = re.compile(r"\[\^?\]?(?:\[:\w+:\]|[^\]\n$'\"\\])*\]").match(
                reader.text, reader.at
            )
            if found:
                parts.append(Literal(found[0]))
                reader.at = found.end()
            else:
                parts.append(Literal(c))
                reader.at += 1
        else:
            word = reader.word(" \t\n;&|()<>[")
            if word is None:
                break
            parts.extend(word.parts)
    return Word(tuple(parts)) if reader.at > start else None
