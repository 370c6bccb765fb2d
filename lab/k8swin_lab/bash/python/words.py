"""Reads words: quotes, `$` expansions, here-documents. The lower half of the parser."""

from __future__ import annotations

import re
from collections.abc import Callable

from k8swin_lab.bash.python.syntax import (
    Arithmetic,
    CommandSubstitution,
    DoubleQuoted,
    Literal,
    Parameter,
    Part,
    ProcessSubstitution,
    Script,
    Word,
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SPECIAL = "@*#?$!-"
_META = " \t\n;&|()<>"
_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v",
    "e": "\x1b", "E": "\x1b", "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip


class SyntaxFault(Exception):
    """The script breaks bash's grammar; the text is what bash prints after `line N: `."""

    def __init__(self, text: str, line: int, *, at_end: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.line = line
        self.at_end = at_end


class WordReader:
    """A position in a script's text, and what can be read from there on as part of a word."""

    def __init__(self, text: str, line: int = 1, more: Callable[[], str] | None = None) -> None:
        """Start at the beginning.

        Args:
            text: the script, or its beginning.
            line: number of its first line.
            more: gives the next line when the text is used up, "" at the end.
        """
        self.text = text
        self.at = 0
        self.extended_globs = False  # shopt extglob: whether `!(` goes on with a word
        self._first_line = line
        self._more = more
        self._counted = (0, line)

    @property
    def line(self) -> int:
        """Number of the line at the position."""
        at, line = self._counted
        if self.at < at:
            at, line = 0, self._first_line
        line += self.text.count("\n", at, self.at)
        self._counted = (self.at, line)
        return line

    def peek(self, ahead: int = 0) -> str:
        """Return the character at the position, "" at the end."""
        while self.at + ahead >= len(self.text):
            if self._more is None:
                return ""
            line = self._more()
            if not line:
                self._more = None
                return ""
            self.text += line
        return self.text[self.at + ahead]

    def starts(self, text: str) -> bool:
        """Tell whether this text comes next."""
        return all(self.peek(n) == character for n, character in enumerate(text))

    def parse_substitution(self) -> Script:
        """Parse commands up to the closing parenthesis, which is taken too."""
        raise NotImplementedError

    def parse_text(self, text: str) -> Script:
        """Parse a text of its own (between backquotes)."""
        raise NotImplementedError

    def end_of(self, what: str) -> SyntaxFault:
        """Make the error for a script that ends inside of `what`."""
        return SyntaxFault(
            f"unexpected EOF while looking for matching `{what}'", self.line, at_end=True
        )

    def word(self, stop: str = _META, *, operand: bool = False) -> Word | None:
        """Read a word up to one of the characters in `stop`; None when there is none."""
        start = self.at
        parts: list[Part] = []
        text: list[str] = []

        def flush() -> None:
            if text:
                parts.append(Literal("".join(text)))
                text.clear()

        while (c := self.peek()) and c not in stop:
            if c == "\\":
                if self.peek(1) == "\n":
                    self.at += 2
                    continue
                flush()
                follow = self.peek(1)
                parts.append(Literal(follow or "\\", quoted=True))
                self.at += 2 if follow else 1
            elif c == "'":
                flush()
                parts.append(self._single())
            elif c == '"':
                flush()
                parts.append(self.double())
            elif c == "$" and self.peek(1) in ("'", '"') and self.peek(1):
                flush()
                self.at += 1
                parts.append(self._ansi() if self.peek() == "'" else self.double())
            elif c in "$`":
                flush()
                part = self.expansion()
                if isinstance(part, Literal):
                    text.append(part.text)
                else:
                    parts.append(part)
            elif c in "?*+@!" and self.extended_globs and self.peek(1) == "(" and "(" in stop:
                text.append(self._extended_glob())
            else:
                text.append(c)
                self.at += 1
        # `<(` and `>(` begin a word though `<` ends one; the command parser calls `process`.
        flush()
        if self.at == start:
            return None
        return Word(tuple(parts), self.text[start : self.at])

    def _extended_glob(self) -> str:
        depth = 0
        start = self.at
        while c := self.peek():
            self.at += 1
            if c == "(":
                depth += 1
            elif c == ")":
                depth -= 1
                if not depth:
                    return self.text[start : self.at]
        raise self.end_of(")")

    def process(self) -> Word:
        """Read `<(...)` or `>(...)`."""
        start = self.at
        direction = self.peek()
        self.at += 2
        body = self.parse_substitution()
        return Word((ProcessSubstitution(body, direction),), self.text[start : self.at])

    def _single(self) -> Literal:
        self.at += 1
        start = self.at
        while self.peek() != "'":
            if not self.peek():
                raise self.end_of("'")
            self.at += 1
        self.at += 1
        return Literal(self.text[start : self.at - 1], quoted=True)

    def _ansi(self) -> Literal:
        self.at += 1
        start = self.at
        while (c := self.peek()) != "'":
            if not c:
                raise self.end_of("'")
            self.at += 2 if c == "\\" else 1
        self.at += 1
        return Literal(unescape(self.text[start : self.at - 1]), quoted=True)

    def double(self) -> DoubleQuoted:
        """Read a text in double quotes."""
        self.at += 1
        parts = self.quoted_parts('"')
        self.at += 1
        return DoubleQuoted(parts)

    def quoted_parts(self, end: str, *, escapes: str = '$`"\\') -> tuple[Part, ...]:
        """Read text in which only `$`, backquote and backslash mean something, up to `end`."""
        parts: list[Part] = []
        text: list[str] = []
        while (c := self.peek()) != end:
            if not c:
                raise self.end_of(end)
            if c == "\\":
                follow = self.peek(1)
                if follow == "\n":
                    pass
                elif follow and follow in escapes:
                    text.append(follow)
                else:
                    text.append("\\" + follow)
                self.at += 2
            elif c in "$`":
                part = self.expansion(quoted=True)
                if isinstance(part, Literal):
                    text.append(part.text)
                    continue
                if text:
                    parts.append(Literal("".join(text), quoted=True))
                    text.clear()
                parts.append(part)
            else:
                text.append(c)
                self.at += 1
        if text:
            parts.append(Literal("".join(text), quoted=True))
        return tuple(parts)

    def expansion(self, *, quoted: bool = False) -> Part:
        """Read what `$` or a backquote begins; a `$` that begins nothing is a literal."""
        if self.peek() == "`":
            return self._backquoted(quoted)
        follow = self.peek(1)
        if follow == "(":
            if self.peek(2) == "(":
                start = self.at
                self.at += 3
                expression = self.arithmetic_until("))")
                if expression is not None:
                    return Arithmetic(expression)
                self.at = start
            self.at += 2
            return CommandSubstitution(self.parse_substitution())
        if follow == "[":
            self.at += 2
            found = self.arithmetic_until("]")
            if found is None:
                raise self.end_of("]")
            return Arithmetic(found)
        if follow == "{":
            self.at += 2
            return self._braced(quoted)
        if follow and (follow in _SPECIAL or follow.isdigit()):
            self.at += 2
            return Parameter(follow)
        name = self.name(1)
        if name:
            self.at += 1 + len(name)
            return Parameter(name)
        self.at += 1
        return Literal("$")

    def name(self, ahead: int = 0) -> str:
        """Return the name at the position without taking it."""
        found = _NAME.match(self.text, self.at + ahead)
        return found[0] if found else ""

    def _backquoted(self, quoted: bool) -> CommandSubstitution:
        self.at += 1
        text: list[str] = []
        while (c := self.peek()) != "`":
            if not c:
                raise self.end_of("`")
            if c == "\\" and self.peek(1) in ("$`\\" + ('"' if quoted else "")):
                text.append(self.peek(1))
                self.at += 2
            else:
                text.append(c)
                self.at += 1
        self.at += 1
        return CommandSubstitution(self.parse_text("".join(text)))

    def arithmetic_until(self, end: str) -> Word | None:
        """Read an expression up to `end`, which is taken; None when it is no arithmetic."""
        parts: list[Part] = []
        text: list[str] = []
        depth = 0
        while c := self.peek():
            if depth == 0 and self.starts(end):
                self.at += len(end)
                if text:
                    parts.append(Literal("".join(text), quoted=True))
                return Word(tuple(parts))
            if c in "([":
                depth += 1
            elif c in ")]":
                depth -= 1
                if depth < 0:
                    return None
            if c in "$`":
                part = self.expansion(quoted=True)
                if text:
                    parts.append(Literal("".join(text), quoted=True))
                    text.clear()
                parts.append(part)
            elif c == '"':
                parts_inside = self.double().parts
                if text:
                    parts.append(Literal("".join(text), quoted=True))
                    text.clear()
                parts.extend(parts_inside)
            elif c == "\\" and self.peek(1) == "\n":
                self.at += 2
            else:
                text.append(c)
                self.at += 1
        return None

    def subscript(self) -> Word:
        """Read `[...]`, the bracket being the next character."""
        self.at += 1
        found = self.word("]", operand=True)
        if self.peek() != "]":
            raise self.end_of("]")
        self.at += 1
        return found or Word(())

    def _braced(self, quoted: bool) -> Part:
        start = self.at - 2
        form = ""
        if self.peek() == "#" and self.peek(1) not in ("}", ":", "-", "+", "?", "%", "/"):
            form = "#"
            self.at += 1
        elif self.peek() == "#" and self.peek(1) == "}":
            self.at += 2
            return Parameter("#")
        elif self.peek() == "!" and self.peek(1) not in ("}", ":", "-", "+"):
            form = "!"
            self.at += 1
        name = self._parameter_name()
        if not name:
            return self._bad(start)
        index = self.subscript() if self.peek() == "[" and name[0] not in _SPECIAL else None
        if form == "!" and self.peek() in ("*", "@") and self.peek(1) == "}":
            operator = self.peek()
            self.at += 2
            return Parameter(name, None, "prefix", operator)
        if self.peek() == "}":
            self.at += 1
            return Parameter(name, index, form)
        return self._operation(name, index, form, quoted, start)

    def _parameter_name(self) -> str:
        c = self.peek()
        if c and c in _SPECIAL:
            self.at += 1
            return c
        digits = ""
        while self.peek().isdigit():
            digits += self.peek()
            self.at += 1
        name = digits or self.name()
        if not digits:
            self.at += len(name)
        return name

    def _bad(self, start: int) -> Parameter:
        depth = 1
        while depth and (c := self.peek()):
            depth += (c == "{") - (c == "}")
            self.at += 1
        return Parameter(self.text[start : self.at], operator="bad")

    def _operation(
        self, name: str, index: Word | None, form: str, quoted: bool, start: int
    ) -> Parameter:
        for operator in (":-", ":=", ":?", ":+", "##", "%%", "//", "/#", "/%", "^^", ",,", "~~"):
            if self.starts(operator):
                break
        else:
            operator = self.peek()
            if operator not in "-=?+#%/^,:@~":
                return self._bad(start)
        self.at += len(operator)
        replacement = None
        if operator == ":":
            operand = self._operand("}:", quoted=True)
            if self.peek() == ":":
                self.at += 1
                replacement = self._operand("}", quoted=True)
        elif operator[0] == "/":
            operand = self._operand("/}", quoted=False)
            if self.peek() == "/":
                self.at += 1
                replacement = self._operand("}", quoted=quoted)
        else:
            pattern = operator[0] in "#%^,~"
            operand = self._operand("}", quoted=quoted and not pattern)
        if self.peek() != "}":
            raise self.end_of("}")
        self.at += 1
        return Parameter(name, index, form, operator, operand, replacement)

    def _operand(self, stop: str, *, quoted: bool) -> Word:
        """Read an operand; inside double quotes single quotes are ordinary characters."""
        if not quoted:
            return self.word(stop, operand=True) or Word(())
        parts: list[Part] = []
        while (c := self.peek()) and c not in stop:
            if c == '"':
                parts.append(self.double())
            elif c in "$`":
                parts.append(self.expansion(quoted=True))
            elif c == "\\" and self.peek(1) in ('"', "$", "`", "\\", "}"):
                parts.append(Literal(self.peek(1), quoted=True))
                self.at += 2
            elif c == "(" and ":" in stop:
                parts.append(Literal(self._extended_glob(), quoted=True))
            else:
                parts.append(Literal(c, quoted=False))
                self.at += 1
        return Word(_joined(parts))


def _joined(parts: list[Part]) -> tuple[Part, ...]:
    result: list[Part] = []
    for part in parts:
        last = result[-1] if result else None
        if isinstance(part, Literal) and isinstance(last, Literal) and part.quoted == last.quoted:
            result[-1] = Literal(last.text + part.text, part.quoted)
        else:
            result.append(part)
    return tuple(result)


_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)|(.))", re.S
)


def unescape(text: str) -> str:
    """Resolve the backslash escapes of `$'...'`."""

    def one(found: re.Match[str]) -> str:
        hexadecimal, short, long, octal, control, other = found.groups()
        if hexadecimal or octal:
            number = int(hexadecimal, 16) if hexadecimal else int(octal, 8) & 0xFF
            return (
                chr(number) if number < 128 else bytes([number]).decode("utf-8", "surrogateescape")
            )
        if short or long:
            return chr(int(short or long, 16))
        if control:
            return chr(ord(control) & 0x1F)
        return _ESCAPES.get(other, "\\" + other)

    resolved = _ESCAPE.sub(one, text)
    # Bytes given one by one may make up one character together.
    return resolved.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
