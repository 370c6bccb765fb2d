"""Strings: quoted ones and here-strings, with the variables and expressions inside them."""

from __future__ import annotations

import re
from typing import Any

from k8swin_lab.powershell import ast
from k8swin_lab.powershell.parser_base import ParserBase
from k8swin_lab.powershell.scanner import DOUBLE_QUOTES, SINGLE_QUOTES

_HERE_START = re.compile(r"[ \t]*\r?\n")


class StringParser(ParserBase):
    """Reads strings."""

    def single_quoted(self) -> str:
        """Take a 'string'; two quotes stand for one."""
        self.pos += 1
        text = self.text
        result: list[str] = []
        start = self.pos
        while True:
            while self.pos < self.length and text[self.pos] not in SINGLE_QUOTES:
                self.pos += 1
            if self.pos >= self.length:
                self.fail("The string is missing the terminator: '.", start - 1)
            result.append(text[start : self.pos])
            self.pos += 1
            if self.peek() and self.peek() in SINGLE_QUOTES:
                result.append(self.peek())
                self.pos += 1
                start = self.pos
                continue
            return "".join(result)

    def double_quoted(self) -> Any:
        """Take a "string" with its variables and subexpressions."""
        start = self.pos
        self.pos += 1
        parts: list[Any] = []
        literal: list[str] = []
        while True:
            char = self.peek()
            if not char:
                self.fail('The string is missing the terminator: ".', start)
            if char in DOUBLE_QUOTES:
                self.pos += 1
                if self.peek() and self.peek() in DOUBLE_QUOTES:
                    literal.append(self.peek())
                    self.pos += 1
                    continue
                return string_node(start, self.pos, parts, literal)
            self.string_piece(parts, literal)

    def string_piece(self, parts: list[Any], literal: list[str]) -> None:
        """Take one character, escape, variable or subexpression of an expandable string."""
        char = self.peek()
        start = self.pos
        self.pos += 1
        if char == "`":
            literal.append(self.escape())
            return
        if char != "$":
            literal.append(char)
            return
        node: Any
        if self.peek() == "(":
            self.pos += 1
            body = self.parse_block_until(")")
            node = ast.SubExpression(start, self.pos, body)
        else:
            name = self.variable_name(in_string=True)
            if name is None:
                literal.append("$")
                return
            node = ast.Variable(start, self.pos, *name)
        if literal:
            parts.append("".join(literal))
            literal.clear()
        parts.append(node)

    def _here_string(self, start: int, expandable: bool) -> Any:
        self.pos += 2
        match = _HERE_START.match(self.text, self.pos)
        if match is None:
            self.fail(
                "No characters are allowed after a here-string header but before the end of the line."
            )
        begin = match.end()
        quotes = DOUBLE_QUOTES if expandable else SINGLE_QUOTES
        closing = re.compile(rf"\r?\n[{quotes}]@")
        if not expandable:
            found = closing.search(self.text, begin - 1)
            if found is None:
                self.fail("The string is missing the terminator: '@.", start)
            self.pos = found.end()
            return ast.Constant(start, self.pos, self.text[begin : found.start()])
        parts: list[Any] = []
        literal: list[str] = []
        self.pos = begin
        found = closing.match(self.text, begin - (2 if self.text[begin - 2] == "\r" else 1))
        while found is None:
            if self.pos >= self.length:
                self.fail('The string is missing the terminator: "@.', start)
            found = closing.match(self.text, self.pos)
            if found is None:
                self.string_piece(parts, literal)
        self.pos = found.end()
        return string_node(start, self.pos, parts, literal)


def string_node(
    start: int, end: int, parts: list[Any], literal: list[str], *, bareword: bool = False
) -> ast.Constant | ast.ExpandString:
    """A constant when nothing is to be expanded."""
    if literal:
        parts.append("".join(literal))
    if not parts or (len(parts) == 1 and isinstance(parts[0], str)):
        return ast.Constant(start, end, parts[0] if parts else "", None, bareword)
    return ast.ExpandString(start, end, parts, bareword)
