"""The characters of a script: blanks and comments, names, numbers, escapes and types.

PowerShell cannot be cut into tokens before it is parsed (`a-b` is one word to a command and a
subtraction to an expression), so the parser asks this scanner for what it expects at a place.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, NoReturn

from k8swin_lab.powershell.ast import Source
from k8swin_lab.powershell.values import TypedInt

SINGLE_QUOTES = "'‘’‚‛"  # noqa: RUF001 - the quotes that PowerShell takes for its own
DOUBLE_QUOTES = '"“”„'
DASHES = "-–—―"  # noqa: RUF001 - likewise
WORD_END = frozenset(" \t\r\n\f\v\0\xa0&(),;{}|<>")
"""Characters that end a bare word."""

_NUMBER = re.compile(
    r"(?:(0[xX])([0-9a-fA-F]+)|(\d+\.\d+|\d+\.(?!\.)(?![A-Za-z_])|\.\d+|\d+)([eE][+-]?\d+)?)"
    r"([lL]|[dD])?([kKmMgGtTpP][bB])?",
    re.ASCII,
)
_MULTIPLIERS = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "pb": 1 << 50}
_ESCAPES = {"0": "\0", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_BLANK = re.compile(r"(?:[ \t\f\v\xa0\r]|`\r?\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_VARIABLE = re.compile(r"(?:(\w+):(?!:))?(\w+|[?^$])")
_VARIABLE_PLAIN = re.compile(r"\w+|[?^$]")


class ParseError(Exception):
    """The text is not PowerShell; line and column from 1."""

    def __init__(self, line: int, column: int, message: str, error_id: str = "ParserError") -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.message = message
        self.error_id = error_id


class Scanner:
    """A place in a text."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.pos = 0
        self.length = len(source.text)

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        """Raise a ParseError at an offset (default: here)."""
        line, column = self.source.position(self.pos if at is None else at)
        raise ParseError(line, column, message)

    def peek(self, ahead: int = 0) -> str:
        """The character here, or "" at the end."""
        place = self.pos + ahead
        return self.text[place] if place < self.length else ""

    def at(self, literal: str) -> bool:
        return self.text.startswith(literal, self.pos)

    def skip(self, newlines: bool = False) -> None:
        """Pass blanks and comments, and the ends of lines if told."""
        text = self.text
        while self.pos < self.length:
            char = text[self.pos]
            if char in " \t\r\f\v\xa0`":
                match = _BLANK.match(text, self.pos)
                if match is None:
                    return
                self.pos = match.end()
            elif char == "#":
                match = _COMMENT.match(text, self.pos)
                assert match is not None  # noqa: S101 - the character is there
                self.pos = match.end()
            elif char == "<" and text.startswith("<#", self.pos):
                end = text.find("#>", self.pos + 2)
                if end < 0:
                    self.fail("The terminator '#>' is missing from the multiline comment.")
                self.pos = end + 2
            elif newlines and char == "\n":
                self.pos += 1
            else:
                return

    def skip_separators(self) -> None:
        """Pass blanks, ends of lines and semicolons."""
        self.skip(newlines=True)
        while self.peek() == ";":
            self.pos += 1
            self.skip(newlines=True)

    def expect(self, literal: str, message: str) -> None:
        if not self.at(literal):
            self.fail(message)
        self.pos += len(literal)

    def identifier(self) -> str | None:
        """Take a name, if one is here."""
        match = _IDENTIFIER.match(self.text, self.pos)
        if match is None:
            return None
        self.pos = match.end()
        return match.group()

    def peek_word(self) -> str:
        """The keyword here in lower case, or ""; a word that goes on with other characters is none."""
        match = _IDENTIFIER.match(self.text, self.pos)
        if match is None:
            return ""
        after = self.text[match.end() : match.end() + 1]
        if after and after in "-.\\:/[=*?!+%~^@'\"$":
            return match.group().lower() if after in "'\"$[@" else ""
        return match.group().lower()

    def number(self) -> tuple[Any, str] | None:
        """Take a number literal: its value and its spelling."""
        match = _NUMBER.match(self.text, self.pos)
        if match is None:
            return None
        self.pos = match.end()
        return number_value(match), match.group()

    def escape(self) -> str:
        """Take what follows a backtick (which is already passed)."""
        char = self.peek()
        self.pos += 1
        if char == "\r" and self.peek() == "\n":
            self.pos += 1
            return "\r\n"
        return _ESCAPES.get(char, char)

    def variable_name(self, *, in_string: bool = False) -> tuple[str, str] | None:
        """Take a variable's scope and name after `$` or `@`; None when there is no name here."""
        if self.peek() == "{":
            end = self.pos + 1
            name = ""
            while end < self.length and self.text[end] != "}":
                if self.text[end] == "`" and end + 1 < self.length:
                    end += 1
                name += self.text[end]
                end += 1
            if end >= self.length:
                self.fail("The braced variable name is missing its closing brace.")
            self.pos = end + 1
            scope, colon, rest = name.partition(":")
            if colon and rest and re.fullmatch(r"\w+", scope):
                return scope.lower(), rest
            return "", name
        match = _VARIABLE.match(self.text, self.pos)
        if match is None or match.group(2) is None:
            return None
        name = match.group(2)
        if name in ("?", "^", "$") and match.group(1) is None:
            self.pos = match.end()
            return "", name
        if name in ("^", "$", "?") and match.group(1) is not None:
            plain = _VARIABLE_PLAIN.match(self.text, self.pos)
            assert plain is not None  # noqa: S101 - the longer match begins with it
            self.pos = plain.end()
            return "", plain.group()
        self.pos = match.end()
        return (match.group(1) or "").lower(), name

    def type_name(self) -> str:
        """Take a type's name up to its closing bracket, with type arguments and array marks."""
        start = self.pos
        depth = 0
        while self.pos < self.length:
            char = self.text[self.pos]
            if char == "[":
                depth += 1
            elif char == "]":
                if depth == 0:
                    break
                depth -= 1
            elif not (char.isalnum() or char in "._+, \t`*&-=\n\r"):
                break
            self.pos += 1
        return re.sub(r"\s+", "", self.text[start : self.pos])


def number_value(match: re.Match[str]) -> Any:
    """The value of a matched number literal, of the smallest type that holds it."""
    hexadecimal, digits, decimal, exponent, suffix, multiplier = match.groups()
    factor = _MULTIPLIERS[multiplier.lower()] if multiplier else 1
    suffix = (suffix or "").lower()
    if hexadecimal:
        whole = int(digits, 16)
        if len(digits) <= 8 and whole > 0x7FFFFFFF and suffix != "l":
            whole -= 1 << 32
        elif whole > 0x7FFFFFFFFFFFFFFF:
            whole -= 1 << 64
        return _sized(whole * factor, suffix)
    if suffix == "d":
        return Decimal(decimal + (exponent or "")) * factor
    if exponent or "." in decimal:
        real = float(decimal + (exponent or "")) * factor
        return TypedInt(int(real), "System.Int64") if suffix == "l" else real
    return _sized(int(decimal) * factor, suffix)


def _sized(value: int, suffix: str) -> Any:
    if suffix == "l":
        return TypedInt(value, "System.Int64")
    if -(1 << 63) <= value < 1 << 63:
        return value
    return Decimal(value) if abs(value) < 79228162514264337593543950335 else float(value)


def parse_number(text: str) -> Any | None:
    """The value of a text that is one number literal as in source code, else None."""
    match = _NUMBER.fullmatch(text)
    return None if match is None else number_value(match)
