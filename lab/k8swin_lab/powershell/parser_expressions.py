"""Expressions: operators by precedence, literals, strings, members, method calls, indexes."""

from __future__ import annotations

import re
from typing import Any

from k8swin_lab.powershell import ast
from k8swin_lab.powershell.parser_strings import StringParser
from k8swin_lab.powershell.scanner import (
    DASHES,
    DOUBLE_QUOTES,
    SINGLE_QUOTES,
)
from k8swin_lab.powershell.values import TypedInt

_COMPARISONS = [
    "eq",
    "ne",
    "gt",
    "ge",
    "lt",
    "le",
    "like",
    "notlike",
    "match",
    "notmatch",
    "replace",
    "contains",
    "notcontains",
    "in",
    "notin",
    "split",
]
_LEVELS: list[frozenset[str]] = [
    frozenset({"and", "or", "xor"}),
    frozenset({"band", "bor", "bxor"}),
    frozenset(
        [prefix + name for name in _COMPARISONS for prefix in ("", "i", "c")]
        + ["join", "is", "isnot", "as", "shl", "shr"]
    ),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%"}),
    frozenset({"f"}),
    frozenset({".."}),
]
_UNARY = frozenset({"not", "bnot", "split", "isplit", "csplit", "join"})
_DASH_WORD = re.compile(rf"[{DASHES}]([A-Za-z]+)(?!\w|-[A-Za-z])")
_NUMBER_START = re.compile(r"\.?\d")
_MEMBER_NAME = re.compile(r"\w+")


class ExpressionParser(StringParser):
    """The part of the parser that reads expressions; statements come from the class derived from it."""

    # --- operators

    def parse_expression(self, level: int = 0, *, commas: bool = True) -> Any:
        """An expression of at least the given precedence; `commas=False` leaves commas alone."""
        if level == len(_LEVELS):
            return self.parse_array(commas)
        left = self.parse_expression(level + 1, commas=commas)
        while True:
            operator = self._binary_operator(_LEVELS[level])
            if operator is None:
                return left
            self.skip(newlines=True)
            if self.pos >= self.length:
                self.fail(
                    f"You must provide a value expression following the '{operator}' operator."
                )
            right = self.parse_expression(level + 1, commas=commas)
            left = ast.Binary(left.start, self.pos, operator, left, right)

    def _binary_operator(self, level: frozenset[str]) -> str | None:
        place = self.pos
        self.skip()
        char = self.peek()
        if char and char in DASHES:
            match = _DASH_WORD.match(self.text, self.pos)
            if match is not None:
                name = match.group(1).lower()
                if name in level:
                    self.pos = match.end()
                    return name
            elif "-" in level and self.peek(1) not in ("-", "="):
                self.pos += 1
                return "-"
        elif char == "." and self.peek(1) == "." and ".." in level:
            self.pos += 2
            return ".."
        elif char and char in "+*/%" and char in level and self.peek(1) != "=":
            if char == "+" and self.peek(1) == "+":
                self.pos = place
                return None
            self.pos += 1
            return char
        self.pos = place
        return None

    def parse_array(self, commas: bool) -> Any:
        """Values with commas between them."""
        first = self.parse_unary()
        if not commas:
            return first
        items = [first]
        while True:
            place = self.pos
            self.skip()
            if self.peek() != ",":
                self.pos = place
                break
            self.pos += 1
            self.skip(newlines=True)
            items.append(self.parse_unary())
        if len(items) == 1:
            return first
        return ast.ArrayLiteral(first.start, self.pos, items)

    def parse_unary(self) -> Any:
        """A prefix operator or a cast with its operand, or a primary."""
        self.skip()
        start = self.pos
        char = self.peek()
        if char == ",":
            self.pos += 1
            self.skip(newlines=True)
            operand = self.parse_unary()
            return ast.ArrayLiteral(start, self.pos, [operand])
        if char == "!":
            self.pos += 1
            self.skip(newlines=True)
            operand = self.parse_unary()
            return ast.Unary(start, self.pos, "not", operand)
        if char and (char in DASHES or char == "+"):
            return self._parse_sign(start, char)
        if char == "[":
            return self._parse_bracket(start)
        return self.parse_postfix(self.parse_primary())

    def _parse_sign(self, start: int, char: str) -> Any:
        sign = "+" if char == "+" else "-"
        match = _DASH_WORD.match(self.text, self.pos)
        if match is not None and match.group(1).lower() in _UNARY:
            self.pos = match.end()
            self.skip(newlines=True)
            operand = self.parse_unary()
            return ast.Unary(start, self.pos, match.group(1).lower(), operand)
        following = self.peek(1)
        if following and (following == char):
            self.pos += 2
            self.skip()
            operand = self.parse_unary()
            if isinstance(operand, ast.Constant):
                self.fail(
                    f"The operator '{char}{char}' works only on variables or on properties.", start
                )
            return ast.Increment(start, self.pos, sign, operand, True)
        self.pos += 1
        if sign == "-" and _NUMBER_START.match(self.text, self.pos):
            number = self.number()
            assert number is not None  # noqa: S101 - it starts as one
            value, text = number
            constant = ast.Constant(start, self.pos, negated(value), "-" + text)
            return self.parse_postfix(constant)
        self.skip(newlines=True)
        operand = self.parse_unary()
        return ast.Unary(start, self.pos, sign, operand)

    def _parse_bracket(self, start: int) -> Any:
        literal = self.parse_type_or_attribute()
        if isinstance(literal, ast.Attribute):
            self.skip(newlines=True)
            operand = self.parse_unary()
            return ast.Convert(start, self.pos, literal, operand)
        if self.at("::") or self.at("."):
            return self.parse_postfix(literal)
        place = self.pos
        self.skip()
        if self._starts_operand():
            operand = self.parse_unary()
            return ast.Convert(start, self.pos, literal, operand)
        self.pos = place
        return self.parse_postfix(literal)

    def _starts_operand(self) -> bool:
        char = self.peek()
        if not char:
            return False
        if char in "$@({[!+" or char in SINGLE_QUOTES or char in DOUBLE_QUOTES or char.isdigit():
            return True
        if char == "." and self.peek(1).isdigit():
            return True
        if char in DASHES:
            match = _DASH_WORD.match(self.text, self.pos)
            return match is None or match.group(1).lower() in _UNARY - {"split", "join"}
        return char == "<" and self.peek(1) == "#"

    def parse_type_or_attribute(self) -> ast.TypeLiteral | ast.Attribute:
        """`[name]` or `[name(...)]`."""
        start = self.pos
        self.expect("[", "A type was expected.")
        self.skip(newlines=True)
        name = self.type_name()
        if not name:
            self.fail("Missing type name after '['.")
        if self.peek() == "(":
            positional, named = self._attribute_arguments()
            self.skip(newlines=True)
            self.expect("]", "Missing ] at end of attribute or type literal.")
            return ast.Attribute(start, self.pos, name, positional, named)
        self.expect("]", "Missing ] at end of attribute or type literal.")
        return ast.TypeLiteral(start, self.pos, name)

    def _attribute_arguments(self) -> tuple[list[Any], list[tuple[str, Any]]]:
        self.pos += 1
        positional: list[Any] = []
        named: list[tuple[str, Any]] = []
        while True:
            self.skip(newlines=True)
            if self.peek() == ")":
                self.pos += 1
                return positional, named
            if self.peek() == ",":
                self.pos += 1
                continue
            match = re.compile(r"([A-Za-z_]\w*)\s*(=)?").match(self.text, self.pos)
            if match is None:
                positional.append(self.parse_expression(commas=False))
                continue
            start = self.pos
            self.pos = match.end()
            if match.group(2):
                self.skip(newlines=True)
                named.append((match.group(1), self.parse_expression(commas=False)))
            else:
                named.append((match.group(1), ast.Constant(start, self.pos, True)))

    # --- primaries

    def parse_primary(self) -> Any:
        """A value without operators; fails when none starts here."""
        start = self.pos
        char = self.peek()
        if char == "$":
            return self._parse_dollar(start)
        if char == "@":
            return self._parse_at(start)
        if char == "(":
            self.pos += 1
            self.skip(newlines=True)
            if self.peek() == ")":
                self.fail("An expression was expected after '('.")
            pipeline = self.parse_paren_content()
            self.skip(newlines=True)
            self.expect(")", "Missing closing ')' in expression.")
            return ast.Paren(start, self.pos, pipeline)
        if char == "{":
            self.pos += 1
            block = self.parse_script_block("}")
            # its text goes with it: the arguments of attributes are compiled without their source
            return ast.ScriptBlockExpression(
                start, self.pos, block, self.text[start + 1 : self.pos - 1]
            )
        if char and char in SINGLE_QUOTES:
            return ast.Constant(start, self.pos, self.single_quoted())
        if char and char in DOUBLE_QUOTES:
            return self.double_quoted()
        if _NUMBER_START.match(self.text, self.pos):
            number = self.number()
            if number is not None:
                return ast.Constant(start, self.pos, number[0], number[1])
        if char == "[":
            return self._parse_bracket(start)
        return self.fail(
            f"Unexpected token '{self._word_here()}' in expression or statement."
            if char
            else "An expression was expected, but the text ends."
        )

    def _word_here(self) -> str:
        match = re.compile(r"\S+").match(self.text, self.pos)
        return match.group() if match else ""

    def _parse_dollar(self, start: int) -> Any:
        self.pos += 1
        if self.peek() == "(":
            self.pos += 1
            body = self.parse_block_until(")")
            return ast.SubExpression(start, self.pos, body)
        name = self.variable_name()
        if name is None:
            self.fail("A variable name was expected after '$'.", start)
        return ast.Variable(start, self.pos, *name)

    def _parse_at(self, start: int) -> Any:
        following = self.peek(1)
        if following == "(":
            self.pos += 2
            body = self.parse_block_until(")")
            return ast.ArrayExpression(start, self.pos, body)
        if following == "{":
            self.pos += 2
            return self._parse_hash(start)
        if following and (following in SINGLE_QUOTES or following in DOUBLE_QUOTES):
            return self._here_string(start, following in DOUBLE_QUOTES)
        self.pos += 1
        name = self.variable_name()
        if name is None:
            self.fail("Unrecognized token in source text: '@'.", start)
        return ast.Variable(start, self.pos, name[0], name[1], True)

    def _parse_hash(self, start: int) -> ast.HashLiteral:
        pairs: list[tuple[Any, Any]] = []
        known: set[Any] = set()
        while True:
            self.skip_separators()
            if self.peek() == "}":
                self.pos += 1
                return ast.HashLiteral(start, self.pos, pairs)
            if self.pos >= self.length:
                self.fail("The hash literal was incomplete: missing closing '}'.")
            place = self.pos
            key = self._hash_key()
            name = self._constant_key(key)
            if name is not None and name in known:
                self.fail(f"Duplicate keys '{key.value}' are not allowed in hash literals.", place)
            known.add(name)
            self.skip(newlines=True)
            self.expect("=", "Missing '=' operator after key in hash literal.")
            self.skip(newlines=True)
            pairs.append((key, self.parse_statement()))
            self._end_of_pair()

    def _end_of_pair(self) -> None:
        """The next pair stands on another line, or after a semicolon."""
        self.skip()
        if self.peek() not in ("}", ";", "\n", "") and self.text[self.pos - 1] not in "};\n":
            self.fail("The hash literal was incomplete.")

    @staticmethod
    def _constant_key(key: Any) -> Any:
        """What makes two keys the same: their text without case."""
        if not isinstance(key, ast.Constant):
            return None
        return str(key.value).lower()

    def _hash_key(self) -> Any:
        match = re.compile(r"[A-Za-z_][\w-]*(?=\s*=)").match(self.text, self.pos)
        if match is not None:
            start = self.pos
            self.pos = match.end()
            return ast.Constant(start, self.pos, match.group())
        return self.parse_unary()

    # --- members

    def parse_postfix(self, target: Any, *, argument: bool = False) -> Any:
        """Members, calls, indexes and ++/-- that follow a primary without a blank.

        As an argument of a command, a dot with a blank or a dot behind it begins the next argument.
        """
        while True:
            char = self.peek()
            if argument and char == "." and (self.peek(1) or " ") in ". \t\r\n":
                return target
            if argument and char == "." and not self._member_follows(1):
                self.fail("Missing property name after reference operator.")
            if char == "." and self.peek(1) != "." and self._member_follows(1):
                self.pos += 1
                target = self._parse_member(target, False)
            elif char == ":" and self.peek(1) == ":":
                self.pos += 2
                target = self._parse_member(target, True)
            elif char == "[" and not isinstance(target, ast.TypeLiteral):
                self.pos += 1
                self.skip(newlines=True)
                index = self.parse_expression()
                self.skip(newlines=True)
                self.expect("]", "Missing ']' after array index expression.")
                target = ast.Index(target.start, self.pos, target, index)
            elif char in ("+", "-") and self.peek(1) == char:
                if not isinstance(target, ast.Variable | ast.Member | ast.Index | ast.Paren):
                    return target
                self.pos += 2
                return ast.Increment(target.start, self.pos, char, target, False)
            else:
                return target

    def _member_follows(self, ahead: int) -> bool:
        char = self.peek(ahead)
        return bool(char) and (
            char.isalnum()
            or char in "_$({ \t\n\r"
            or char in SINGLE_QUOTES
            or char in DOUBLE_QUOTES
        )

    def _parse_member(self, target: Any, static: bool) -> Any:
        self.skip(newlines=True)
        start = self.pos
        char = self.peek()
        name: Any
        match = _MEMBER_NAME.match(self.text, self.pos)
        if match is not None:
            self.pos = match.end()
            name = ast.Constant(start, self.pos, match.group())
        elif char == "$":
            name = self._parse_dollar(start)
        elif char == "(" or (char and (char in SINGLE_QUOTES or char in DOUBLE_QUOTES)):
            name = self.parse_primary()
        else:
            self.fail("Missing property name after reference operator.")
        if self.peek() == "(":
            arguments = self.parse_arguments()
            return ast.MethodCall(target.start, self.pos, target, name, arguments, static)
        if self.peek() == "{":
            # $list.ForEach{ ... } and .Where{ ... }
            block = self.parse_primary()
            return ast.MethodCall(target.start, self.pos, target, name, [block], static)
        return ast.Member(target.start, self.pos, target, name, static)

    def parse_arguments(self) -> list[Any]:
        """`(a, b)` of a method call."""
        self.pos += 1
        arguments: list[Any] = []
        while True:
            self.skip(newlines=True)
            if self.peek() == ")":
                self.pos += 1
                return arguments
            if arguments:
                self.expect(",", "Missing ')' in method call.")
                self.skip(newlines=True)
            arguments.append(self.parse_expression(commas=False))


def negated(value: Any) -> Any:
    """A number with its sign turned, of the same type."""
    if isinstance(value, TypedInt):
        return TypedInt(-value, value.type_name)
    return -value
