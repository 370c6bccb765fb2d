"""Parameter lists, classes and enumerations."""

from __future__ import annotations

import re
from typing import Any

from k8swin_lab.powershell import ast
from k8swin_lab.powershell.parser_commands import CommandParser

_DECORATED = re.compile(r"(?:\s*\[[\w.]+\(\s*\)\])+\s*(class|enum)\s", re.IGNORECASE)


class ClassParser(CommandParser):
    """Reads what declares types and parameters."""

    def parse_parameters(self) -> list[ast.ParameterAst]:
        """`([type]$a = 1, $b)` with attributes."""
        self.expect("(", "Missing '(' in parameter list.")
        parameters: list[ast.ParameterAst] = []
        while True:
            self.skip(newlines=True)
            if self.peek() == ")":
                self.pos += 1
                return parameters
            if parameters:
                self.expect(",", "Missing ')' in function parameter list.")
                self.skip(newlines=True)
            place = self.pos
            made = self._parameter()
            if any(one.name.lower() == made.name.lower() for one in parameters):
                self.fail(f"Duplicate parameter ${made.name} in parameter list.", place)
            parameters.append(made)

    def _parameter(self) -> ast.ParameterAst:
        start = self.pos
        type_literal: ast.TypeLiteral | None = None
        attributes: list[ast.Attribute] = []
        while self.peek() == "[":
            item = self.parse_type_or_attribute()
            if isinstance(item, ast.Attribute):
                attributes.append(item)
            else:
                type_literal = item
            self.skip(newlines=True)
        variable = self.parse_primary()
        if not isinstance(variable, ast.Variable):
            self.fail("A parameter's name was expected.", start)
        self.skip(newlines=True)
        default = None
        if self.peek() == "=":
            self.pos += 1
            self.skip(newlines=True)
            default = self.parse_expression(commas=False)
        return ast.ParameterAst(start, self.pos, variable.name, type_literal, attributes, default)

    # --- classes

    def parse_decorated_type(self) -> ast.Class | ast.Enum | None:
        """A class or enum with attributes before it; None when the bracket starts something else."""
        match = _DECORATED.match(self.text, self.pos)
        if match is None:
            return None
        start = self.pos
        flags = "flags" in match.group().lower()
        self.pos = match.start(1)
        if match.group(1).lower() == "enum":
            return self.parse_enum(start, flags)
        return self.parse_class(start)

    def parse_enum(self, start: int, flags: bool) -> ast.Enum:
        self.pos += len("enum")
        self.skip(newlines=True)
        name = self.identifier()
        if name is None:
            self.fail("Missing name after enum keyword.")
        self.skip(newlines=True)
        self.expect("{", "Missing enum body in enum declaration.")
        members: list[tuple[str, Any]] = []
        while True:
            self.skip_separators()
            if self.peek() == "}":
                self.pos += 1
                return ast.Enum(start, self.pos, name, flags, members)
            member = self.identifier()
            if member is None:
                self.fail("An enum member was expected.")
            self.skip()
            value = None
            if self.peek() == "=":
                self.pos += 1
                self.skip(newlines=True)
                value = self.parse_expression(commas=False)
            members.append((member, value))

    def parse_class(self, start: int) -> ast.Class | None:
        self.pos += len("class")
        self.skip(newlines=True)
        name = self.identifier()
        self.skip(newlines=True)
        if name is None and self.peek() == "{":
            self.fail("Missing name after class keyword.", start)
        if name is None or self.peek() not in ("{", ":"):
            self.pos = start
            return None
        bases: list[ast.TypeLiteral] = []
        if self.peek() == ":":
            self.pos += 1
            while True:
                self.skip(newlines=True)
                place = self.pos
                base = self._base_name()
                bases.append(ast.TypeLiteral(place, self.pos, base))
                self.skip(newlines=True)
                if self.peek() != ",":
                    break
                self.pos += 1
        self.expect("{", "Missing class body in class declaration.")
        properties: list[ast.PropertyAst] = []
        methods: list[ast.MethodAst] = []
        while True:
            self.skip_separators()
            if self.peek() == "}":
                self.pos += 1
                return ast.Class(start, self.pos, name, bases, properties, methods)
            member = self._class_member(name)
            if isinstance(member, ast.PropertyAst):
                properties.append(member)
            else:
                methods.append(member)

    def _base_name(self) -> str:
        match = re.compile(r"[\w.]+(\[[\w.\[\],]+\])?").match(self.text, self.pos)
        if match is None:
            self.fail("Missing type name after ':' in class declaration.")
        self.pos = match.end()
        return match.group()

    def _class_member(self, class_name: str) -> ast.PropertyAst | ast.MethodAst:
        start = self.pos
        static = hidden = False
        type_literal: ast.TypeLiteral | None = None
        attributes: list[ast.Attribute] = []
        while True:
            word = self.peek_word()
            if word in ("static", "hidden"):
                static = static or word == "static"
                hidden = hidden or word == "hidden"
                self.pos += len(word)
            elif self.peek() == "[":
                item = self.parse_type_or_attribute()
                if isinstance(item, ast.Attribute):
                    attributes.append(item)
                else:
                    type_literal = item
            else:
                break
            self.skip(newlines=True)
        if self.peek() == "$":
            variable = self.parse_primary()
            self.skip()
            default = None
            if self.peek() == "=":
                self.pos += 1
                self.skip(newlines=True)
                default = self.parse_expression()
            return ast.PropertyAst(
                start, self.pos, variable.name, type_literal, attributes, default, static, hidden
            )
        name = self.identifier()
        if name is None:
            self.fail("A property or method was expected in the class body.")
        self.skip(newlines=True)
        parameters = self.parse_parameters()
        self.skip(newlines=True)
        base_arguments: list[Any] | None = None
        if self.peek() == ":":
            self.pos += 1
            self.skip(newlines=True)
            if (self.identifier() or "").lower() != "base":
                self.fail("Only ': base(...)' may follow a constructor's parameters.")
            self.skip(newlines=True)
            base_arguments = self.parse_arguments()
            self.skip(newlines=True)
        self.expect("{", "Missing method body in class declaration.")
        block = self.parse_script_block("}")
        block.parameters = parameters
        return ast.MethodAst(
            start, self.pos, name, type_literal, block, static, hidden, base_arguments
        )
