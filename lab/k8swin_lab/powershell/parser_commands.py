"""Pipelines and commands: bare words, parameters, redirections."""

from __future__ import annotations

import re
from typing import Any

from k8swin_lab.powershell import ast
from k8swin_lab.powershell.parser_expressions import ExpressionParser
from k8swin_lab.powershell.parser_strings import string_node
from k8swin_lab.powershell.scanner import DASHES, DOUBLE_QUOTES, SINGLE_QUOTES, WORD_END

_REDIRECTION = re.compile(r"([1-6*]?)(>>?)(&[12])?")
_PARAMETER = re.compile(rf"[{DASHES}]([A-Za-z_?][^\s{{}}();,|&.\[:'\"`$<>]*)")
_ASSIGNMENT = re.compile(r"=|\+=|-=|\*=|/=|%=")
_NUMBER_WORD = re.compile(
    r"-?(?:0[xX][0-9a-fA-F]+|(?:\d+\.\d+|\d+\.?|\.\d+)(?:[eE][+-]?\d+)?)[lLdD]?(?:[kKmMgGtTpP][bB])?"
    r"(?=[\s&(),;{}|<>]|$)"
)
_UNARY_WORD = re.compile(rf"[{DASHES}](?:not|bnot|i?split|csplit|join)(?![\w-])", re.IGNORECASE)


_NO_PLACES = (
    ast.Constant,
    ast.Unary,
    ast.HashLiteral,
    ast.TypeLiteral,
    ast.SubExpression,
    ast.ArrayExpression,
    ast.ScriptBlockExpression,
)
"""Expressions that nothing can be assigned to."""


class CommandParser(ExpressionParser):
    """Reads pipelines."""

    def parse_paren_content(self) -> Any:
        return self.parse_pipeline_or_assignment()

    def parse_pipeline_or_assignment(self) -> Any:
        """An assignment, or commands and expressions joined by `|`."""
        self.skip()
        start = self.pos
        if self._starts_expression():
            expression = self.parse_expression()
            self.skip()
            match = _ASSIGNMENT.match(self.text, self.pos)
            if match is not None:
                if isinstance(expression, _NO_PLACES):
                    self.fail(
                        "The assignment expression is not valid. The input to an assignment operator must "
                        "be an object that is able to accept assignments, such as a variable or a property.",
                        start,
                    )
                self.pos = match.end()
                self.skip(newlines=True)
                value = self.parse_statement()
                if value is None:
                    self.fail("You must provide a value expression following the '=' operator.")
                return ast.Assignment(start, self._trimmed(start), expression, match.group(), value)
            redirections = self._redirections()
            first: Any = ast.CommandExpression(
                start, self._trimmed(start), expression, redirections
            )
        else:
            first = self.parse_command()
        return self._parse_rest(start, first)

    def _trimmed(self, start: int) -> int:
        """The end of what was read, without blanks after it."""
        end = self.pos
        while end > start and self.text[end - 1] in " \t\r\n":
            end -= 1
        return end

    def parse_pipeline(self) -> Any:
        return self.parse_pipeline_or_assignment()

    def _parse_rest(self, start: int, first: Any) -> ast.Pipeline:
        elements = [first]
        while True:
            self.skip()
            if self.at("||") or self.at("&&"):
                self.fail(
                    f"The token '{self.text[self.pos : self.pos + 2]}' is not a valid statement separator in this version."
                )
            if self.peek() != "|":
                break
            self.pos += 1
            self.skip(newlines=True)
            if self.pos >= self.length or self.peek() in ")}|;":
                self.fail("An empty pipe element is not allowed.")
            if self._starts_expression():
                place = self.pos
                expression = self.parse_expression()
                if not isinstance(expression, ast.ScriptBlockExpression):
                    self.fail(
                        "Expressions are only allowed as the first element of a pipeline.", place
                    )
                elements.append(ast.CommandExpression(place, self.pos, expression, []))
                continue
            elements.append(self.parse_command())
        return ast.Pipeline(start, self._trimmed(start), elements)

    def _starts_expression(self) -> bool:
        """Whether what is here is an expression rather than a command's name."""
        char = self.peek()
        if not char:
            self.fail("An expression or command was expected, but the text ends.")
        if char in "$@({[!," or char in SINGLE_QUOTES or char in DOUBLE_QUOTES:
            return True
        if char.isdigit() or (char == "." and self.peek(1).isdigit()):
            place = self.pos
            number = self.number()
            following = self.peek()
            # a dot belongs to plain digits, so that `5.ToString()` is a name and `5kb.ToString()` is not
            hexadecimal = self.text[place : place + 2].lower() == "0x"
            closed = hexadecimal or self.text[self.pos - 1].isalpha()
            dotted = self.at("..") or (following == "." and closed)
            self.pos = place
            if number is None:
                return False
            return not following or following in WORD_END or following in "+-*/%]=" or dotted
        if char in DASHES:
            following = self.peek(1)
            return (
                _UNARY_WORD.match(self.text, self.pos) is not None
                or following in ("-", "$", "(", "[", " ", "'", '"', "@", "{", ",", "!")
                or following.isdigit()
                or (following == "." and self.peek(2).isdigit())
            )
        if char == "+":
            following = self.peek(1)
            return following in ("+", "$", "(", "[", " ", "'", '"', "@", "{") or following.isdigit()
        return False

    # --- commands

    def parse_command(self) -> ast.Command:
        """A command with its arguments, up to the end of the pipeline element."""
        start = self.pos
        invocation = ""
        char = self.peek()
        if char == "&" or (char == "." and (self.peek(1) in " \t$({'\"")):
            invocation = char
            self.pos += 1
            self.skip()
        if self.pos >= self.length or self.peek() in "|;)}\n":
            self.fail("An empty command is not allowed here.")
        elements: list[Any] = [self._command_name(invocation)]
        redirections: list[ast.Redirection] = []
        only_positional = False
        while True:
            self.skip()
            if self.pos >= self.length or self.text[self.pos] in "\n;|)}&":
                if self.peek() == "&":
                    self.fail(
                        "The ampersand (&) character is not allowed. Wrap it in double quotation marks to pass it as part of a string."
                    )
                break
            redirection = self._redirection()
            if redirection is not None:
                self._redirect_once(redirections, redirection)
                continue
            if self.at("--%"):
                elements.append(self._verbatim())
                break
            if self.at("--") and (self.peek(2) == "" or self.peek(2) in WORD_END):
                place = self.pos
                self.pos += 2
                if not only_positional:
                    only_positional = True
                    elements.append(ast.CommandParameter(place, self.pos, "-", None, "--"))
                continue
            elements.append(self._element(only_positional))
        return ast.Command(start, self._trimmed(start), invocation, elements, redirections)

    def _verbatim(self) -> Any:
        """`--%`: the rest of the line as it stands, up to a pipe."""
        self.pos += 3
        start = self.pos
        match = re.compile(r"[^\r\n|]*").match(self.text, start)
        assert match is not None  # noqa: S101 - it may match nothing
        self.pos = match.end()
        return ast.CommandParameter(start, self.pos, "%", None, match.group().strip())

    def _command_name(self, invocation: str) -> Any:
        char = self.peek()
        if invocation and (char in "$({[@" or char in SINGLE_QUOTES or char in DOUBLE_QUOTES):
            return self._value_argument()
        return self.bareword()

    def _element(self, only_positional: bool) -> Any:
        start = self.pos
        if not only_positional and self.text[start] in DASHES:
            match = _PARAMETER.match(self.text, start)
            if match is not None and not self._continues_word(match.end()):
                self.pos = match.end()
                argument: Any = None
                if self.peek() == ":":
                    self.pos += 1
                    text = self.text[start : self.pos]
                    self.skip()
                    argument = self._list_argument()
                else:
                    text = match.group()
                return ast.CommandParameter(start, self.pos, match.group(1), argument, text)
        return self._list_argument()

    def _continues_word(self, end: int) -> bool:
        """Quotes, variables and the like inside make `-a"b"` one word and no parameter."""
        char = self.text[end : end + 1]
        return bool(char) and (char in "`$" or char in SINGLE_QUOTES or char in DOUBLE_QUOTES)

    def _list_argument(self) -> Any:
        """An argument, or several with commas between them."""
        start = self.pos
        if self.peek() == ",":
            self.pos += 1
            self.skip(newlines=True)
            return ast.ArrayLiteral(start, self.pos, [self._value_argument()])
        items = [self._value_argument()]
        while True:
            place = self.pos
            self.skip()
            if self.peek() != ",":
                self.pos = place
                break
            self.pos += 1
            self.skip(newlines=True)
            items.append(self._value_argument())
        return items[0] if len(items) == 1 else ast.ArrayLiteral(start, self.pos, items)

    def _value_argument(self) -> Any:
        char = self.peek()
        start = self.pos
        if not char or char in "\n;|)}":
            self.fail("Missing argument in parameter list.")
        if char == "@":
            following = self.peek(1)
            if following and following in "({" + SINGLE_QUOTES + DOUBLE_QUOTES:
                return self.parse_postfix(self.parse_primary(), argument=True)
            if following and (following.isalpha() or following == "_"):
                return self.parse_primary()
            return self.bareword()
        if char == "$":
            return self._dollar_argument(start)
        if char in "({" or char in SINGLE_QUOTES or char in DOUBLE_QUOTES:
            return self.parse_postfix(self.parse_primary(), argument=True)
        match = _NUMBER_WORD.match(self.text, start)
        if match is not None and char != "-":  # with a sign it is a word, which binds as a number
            number = self.number()
            if number is not None and self.pos == match.end():
                return ast.Constant(start, self.pos, number[0], match.group())
            self.pos = start
        return self.bareword()

    def _dollar_argument(self, start: int) -> Any:
        r"""`$x`, `$x.y` and `$(...)` are expressions, but `$x\y` is a word with a variable in it."""
        if self.peek(1) == "(":
            primary = self.parse_primary()
            following = self.peek()
            if not following or following in WORD_END or following in ".[:":
                return self.parse_postfix(primary, argument=True)
            self.pos = start
            return self.bareword()
        self.pos += 1
        name = self.variable_name()
        following = self.peek()
        self.pos = start
        if name is None:
            return self.bareword()
        if not following or following in WORD_END or following in ".[" or self._is_static(name):
            return self.parse_postfix(self.parse_primary(), argument=True)
        if following in "+-" and self.text[self.pos :].startswith(("++", "--")):
            return self.parse_postfix(self.parse_primary(), argument=True)
        return self.bareword()

    def _is_static(self, name: tuple[str, str]) -> bool:
        place = self.pos
        self.pos += 1
        self.variable_name()
        found = self.at("::")
        self.pos = place
        return found

    def bareword(self) -> Any:
        """Take a word without quotes around it; it may hold variables, quotes and escapes."""
        start = self.pos
        parts: list[Any] = []
        literal: list[str] = []
        while self.pos < self.length:
            char = self.text[self.pos]
            if char in WORD_END:
                break
            if char in SINGLE_QUOTES:
                literal.append(self.single_quoted())
            elif char in DOUBLE_QUOTES:
                node = self.double_quoted()
                if isinstance(node, ast.Constant):
                    literal.append(node.value)
                else:
                    if literal:
                        parts.append("".join(literal))
                        literal.clear()
                    parts.extend(node.parts)
            else:
                self.string_piece(parts, literal)
        if self.pos == start:
            self.fail(f"Unexpected token '{self.peek()}' in expression or statement.")
        return string_node(start, self.pos, parts, literal, bareword=True)

    # --- redirections

    def _redirections(self) -> list[ast.Redirection]:
        found: list[ast.Redirection] = []
        while True:
            self.skip()
            redirection = self._redirection()
            if redirection is None:
                return found
            self._redirect_once(found, redirection)

    def _redirect_once(self, found: list[ast.Redirection], redirection: ast.Redirection) -> None:
        """A stream goes to one place."""
        names = {"1": "output", "2": "error", "3": "warning", "4": "verbose", "5": "debug",
                 "6": "information", "*": "all"}  # fmt: skip
        if any(one.stream == redirection.stream for one in found):
            name = names.get(redirection.stream, redirection.stream)
            self.fail(
                f"The {name} stream for this command is already redirected.", redirection.start
            )
        found.append(redirection)

    def _redirection(self) -> ast.Redirection | None:
        match = _REDIRECTION.match(self.text, self.pos)
        if match is None:
            if self.peek() == "<":
                self.fail("The '<' operator is reserved for future use.")
            return None
        start = self.pos
        self.pos = match.end()
        stream = match.group(1) or "1"
        if match.group(3):
            return ast.Redirection(start, self.pos, stream, False, match.group(3))
        self.skip()
        target = self._value_argument()
        return ast.Redirection(start, self.pos, stream, match.group(2) == ">>", target)
