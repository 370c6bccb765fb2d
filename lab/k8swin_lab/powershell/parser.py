"""PowerShell's text to its syntax tree: `parse(text)` gives a `Script` or raises `ParseError`.

Written by hand as a descent over characters, because what a character means depends on where it
stands: the parser knows whether it reads a statement, an expression or a command's argument.
"""

from __future__ import annotations

import re
from typing import Any

from k8swin_lab.machines.program import NotSimulated
from k8swin_lab.powershell import ast
from k8swin_lab.powershell.ast import Script, Source
from k8swin_lab.powershell.parser_classes import ClassParser
from k8swin_lab.powershell.scanner import ParseError

__all__ = ["ParseError", "Script", "parse"]

_LABEL = re.compile(r":([A-Za-z_]\w*)")
_REQUIRES = re.compile(r"^[ \t]*#requires[ \t]+(.+?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_FLOW_WORDS = {"break", "continue", "return", "throw", "exit"}
_LOOPS = {"while", "do", "for", "foreach", "switch"}


def parse(text: str, name: str | None = None) -> Script:
    """Parse the text of a script.

    Args:
        text: the whole script, without a byte order mark.
        name: the file's path, for error positions.

    Raises:
        ParseError: with line, column and what was expected.
    """
    parser = Parser(Source(text, name))
    script = parser.parse_script_block("")
    script.requires = _REQUIRES.findall(text)
    return script


class Parser(ClassParser):
    """Reads statements."""

    def parse_script_block(self, closing: str) -> ast.ScriptBlockAst:
        """A script, a function's body or a script block, up to and with its closing bracket."""
        start = self.pos
        self.skip_separators()
        usings: list[ast.Using] = []
        while self.peek_word() == "using" and self._using_follows():
            usings.append(self._parse_using())
            self.skip_separators()
        attributes, parameters = self._parse_param_block()
        blocks: dict[str, ast.Block] = {}
        self.skip_separators()
        place = self.pos
        word = self.peek_word()
        if word in ("begin", "process", "end", "dynamicparam") and self._brace_after(word):
            while True:
                self.skip_separators()
                word = self.peek_word()
                if word not in ("begin", "process", "end", "dynamicparam"):
                    break
                if word == "dynamicparam":
                    raise NotSimulated("dynamicparam")
                self.pos += len(word)
                self.skip(newlines=True)
                self.expect("{", f"Missing opening '{{' after '{word}'.")
                blocks[word] = self.parse_block_until("}")
            self._close(closing, start)
            return ast.ScriptBlockAst(
                start,
                self._inner_end(closing),
                self.source,
                parameters,
                attributes,
                blocks.get("begin"),
                blocks.get("process"),
                blocks.get("end"),
                True,
                usings=usings,
            )
        self.pos = place
        body = self.parse_block_until(closing)
        return ast.ScriptBlockAst(
            start,
            self._inner_end(closing),
            self.source,
            parameters,
            attributes,
            None,
            None,
            body,
            False,
            usings=usings,
        )

    def _inner_end(self, closing: str) -> int:
        return self.pos - len(closing)

    def _brace_after(self, word: str) -> bool:
        place = self.pos
        self.pos += len(word)
        self.skip(newlines=True)
        found = self.peek() == "{"
        self.pos = place
        return found

    def _close(self, closing: str, start: int) -> None:
        if closing:
            self.expect(closing, f"Missing closing '{closing}' in statement block.")
        elif self.pos < self.length:
            self.fail(f"Unexpected token '{self._word_here()}' in expression or statement.")

    def _parse_param_block(self) -> tuple[list[ast.Attribute], list[ast.ParameterAst] | None]:
        place = self.pos
        attributes: list[ast.Attribute] = []
        try:
            while self.peek() == "[":
                attribute = self.parse_type_or_attribute()
                if not isinstance(attribute, ast.Attribute):
                    self.pos = place
                    return [], None
                attributes.append(attribute)
                self.skip_separators()
        except ParseError:
            self.pos = place
            return [], None
        if self.peek_word() != "param" and not re.compile(r"param\s*\(", re.I).match(
            self.text, self.pos
        ):
            self.pos = place
            return [], None
        start = self.pos
        self.pos += len("param")
        self.skip(newlines=True)
        if self.peek() != "(":
            self.pos = place if not attributes else start
            return [], None
        return attributes, self.parse_parameters()

    # --- statements

    def parse_block_until(self, closing: str) -> ast.Block:
        """Statements up to and with the closing bracket (the end of the text for "")."""
        start = self.pos
        statements: list[Any] = []
        traps: list[ast.Trap] = []
        while True:
            self.skip_separators()
            if self.pos >= self.length:
                if closing:
                    self.fail(
                        f"Missing closing '{closing}' in statement block or type definition.", start
                    )
                break
            if closing and self.peek() == closing:
                self.pos += 1
                break
            statement = self.parse_statement()
            if isinstance(statement, ast.Trap):
                traps.append(statement)
            elif statement is not None:
                statements.append(statement)
            self._statement_end(closing)
        return ast.Block(start, self.pos, statements, traps)

    def _statement_end(self, closing: str) -> None:
        if self.text[self.pos - 1 : self.pos] in ("}", "\n", ";"):
            return
        self.skip()
        char = self.peek()
        if not char or char in "\n;" or char == closing:
            return
        self.fail(f"Unexpected token '{self._word_here()}' in expression or statement.")

    def parse_braces(self) -> ast.Block:
        """`{ statements }`."""
        self.skip(newlines=True)
        self.expect("{", "Missing statement block.")
        return self.parse_block_until("}")

    def parse_statement(self) -> Any:
        """One statement."""
        self.skip()
        start = self.pos
        char = self.peek()
        if char == ":" and _LABEL.match(self.text, self.pos):
            match = _LABEL.match(self.text, self.pos)
            assert match is not None  # noqa: S101 - just matched
            self.pos = match.end()
            self.skip(newlines=True)
            word = self.peek_word()
            if word not in _LOOPS:
                self.fail("A loop or switch was expected after a label.")
            self.pos += len(word)
            return getattr(self, f"_parse_{word}")(start, match.group(1))
        word = self.peek_word() if char.isalpha() else ""
        if word:
            statement = self._parse_keyword(word, start)
            if statement is not None:
                return statement
        if char == "[":
            declaration = self.parse_decorated_type()
            if declaration is not None:
                return declaration
        return self.parse_pipeline_or_assignment()

    def _parse_keyword(self, word: str, start: int) -> Any:
        if word in _LOOPS:
            self.pos += len(word)
            if word == "foreach" and not self._paren_follows():
                self.pos = start
                return None
            return getattr(self, f"_parse_{word}")(start, "")
        if word in _FLOW_WORDS:
            self.pos += len(word)
            return self._parse_flow(start, word)
        if word == "if":
            return self._parse_if(start)
        if word == "try":
            return self._parse_try(start)
        if word == "trap":
            return self._parse_trap(start)
        if word in ("function", "filter"):
            return self._parse_function(start, word)
        if word == "class":
            return self.parse_class(start)
        if word == "enum":
            return self.parse_enum(start, False)
        if word == "data":
            return self._parse_data(start)
        if word == "using" and self._using_follows():
            return self._parse_using()
        if word in ("workflow", "configuration", "parallel", "sequence", "inlinescript"):
            return None
        return None

    def _paren_follows(self) -> bool:
        place = self.pos
        self.skip(newlines=True)
        found = self.peek() == "("
        self.pos = place
        return found

    def _parse_condition(self) -> Any:
        self.skip(newlines=True)
        self.expect("(", "Missing '(' before the condition.")
        self.skip(newlines=True)
        condition = self.parse_pipeline_or_assignment()
        self.skip(newlines=True)
        self.expect(")", "Missing ')' after the condition.")
        return condition

    def _next_word(self) -> str:
        """The keyword after blanks and ends of lines; the place stays when it is none of ours."""
        place = self.pos
        self.skip(newlines=True)
        word = self.peek_word()
        if word not in ("else", "elseif", "catch", "finally", "while", "until"):
            self.pos = place
        return word

    def _parse_if(self, start: int) -> ast.If:
        self.pos += 2
        clauses = [(self._parse_condition(), self.parse_braces())]
        otherwise = None
        while True:
            word = self._next_word()
            if word == "elseif":
                self.pos += 6
                clauses.append((self._parse_condition(), self.parse_braces()))
            elif word == "else":
                self.pos += 4
                otherwise = self.parse_braces()
                break
            else:
                break
        return ast.If(start, self.pos, clauses, otherwise)

    def _parse_while(self, start: int, label: str) -> ast.While:
        condition = self._parse_condition()
        body = self.parse_braces()
        return ast.While(start, self.pos, label, condition, body)

    def _parse_do(self, start: int, label: str) -> ast.DoLoop:
        body = self.parse_braces()
        word = self._next_word()
        if word not in ("while", "until"):
            self.fail("Missing while or until keyword in do loop.")
        self.pos += 5
        condition = self._parse_condition()
        return ast.DoLoop(start, self.pos, label, condition, body, word == "until")

    def _parse_for(self, start: int, label: str) -> ast.For:
        self.skip(newlines=True)
        self.expect("(", "Missing opening '(' after keyword 'for'.")
        parts: list[Any] = []
        for index in range(3):
            self.skip(newlines=True)
            closing = self.peek()
            parts.append(None if closing in (";", ")") else self.parse_pipeline_or_assignment())
            self.skip(newlines=index == 2)
            if index < 2 and self.peek() in (";", "\n"):
                self.pos += 1
        self.skip(newlines=True)
        self.expect(")", "Missing ')' after expression in 'for' statement.")
        body = self.parse_braces()
        return ast.For(start, self.pos, label, parts[0], parts[1], parts[2], body)

    def _parse_foreach(self, start: int, label: str) -> ast.ForEach:
        self.skip(newlines=True)
        self.expect("(", "Missing opening '(' after keyword 'foreach'.")
        self.skip(newlines=True)
        variable = self.parse_primary()
        if not isinstance(variable, ast.Variable):
            self.fail("Missing variable name after foreach.")
        self.skip(newlines=True)
        if self.peek_word() != "in":
            self.fail("Missing 'in' after variable in foreach loop.")
        self.pos += 2
        self.skip(newlines=True)
        values = self.parse_pipeline_or_assignment()
        self.skip(newlines=True)
        self.expect(")", "Missing closing ')' in foreach loop.")
        body = self.parse_braces()
        return ast.ForEach(start, self.pos, label, variable, values, body)

    def _parse_switch(self, start: int, label: str) -> ast.Switch:
        mode, case_sensitive, from_file = "exact", False, False
        condition: Any = None
        while True:
            self.skip(newlines=True)
            match = re.compile(r"-(\w+)").match(self.text, self.pos)
            if match is None:
                break
            self.pos = match.end()
            option = match.group(1).lower()
            if option and "regex".startswith(option):
                mode = "regex"
            elif "wildcard".startswith(option):
                mode = "wildcard"
            elif "exact".startswith(option):
                mode = "exact"
            elif "casesensitive".startswith(option):
                case_sensitive = True
            elif "file".startswith(option):
                from_file = True
                self.skip(newlines=True)
                condition = self._value_argument()
            else:
                self.fail(
                    f"The parameter '-{match.group(1)}' is not valid for the switch statement."
                )
        if condition is None:
            condition = self._parse_condition()
        self.skip(newlines=True)
        self.expect("{", "Missing condition in switch statement clause.")
        clauses: list[tuple[Any, ast.Block]] = []
        default = None
        while True:
            self.skip_separators()
            if self.peek() == "}":
                self.pos += 1
                break
            if self.peek_word() == "default" and self._brace_after("default"):
                self.pos += len("default")
                default = self.parse_braces()
                continue
            test = self._value_argument() if self.peek() != "-" else self.parse_expression()
            clauses.append((test, self.parse_braces()))
        return ast.Switch(
            start, self.pos, label, mode, case_sensitive, from_file, condition, clauses, default
        )

    def _parse_try(self, start: int) -> ast.Try:
        self.pos += 3
        body = self.parse_braces()
        catches: list[tuple[list[ast.TypeLiteral], ast.Block]] = []
        final = None
        while True:
            word = self._next_word()
            if word == "catch":
                self.pos += 5
                catches.append((self._catch_types(), self.parse_braces()))
            elif word == "finally":
                self.pos += 7
                final = self.parse_braces()
                break
            else:
                break
        if not catches and final is None:
            self.fail("The Try statement is missing its Catch or Finally block.")
        return ast.Try(start, self.pos, body, catches, final)

    def _catch_types(self) -> list[ast.TypeLiteral]:
        types: list[ast.TypeLiteral] = []
        self.skip(newlines=True)
        while self.peek() == "[":
            literal = self.parse_type_or_attribute()
            assert isinstance(literal, ast.TypeLiteral)  # noqa: S101 - attributes have parentheses
            types.append(literal)
            self.skip(newlines=True)
            if self.peek() == ",":
                self.pos += 1
                self.skip(newlines=True)
        return types

    def _parse_trap(self, start: int) -> ast.Trap:
        self.pos += 4
        types = self._catch_types()
        body = self.parse_braces()
        return ast.Trap(start, self.pos, types[0] if types else None, body)

    def _parse_flow(self, start: int, keyword: str) -> ast.Flow:
        self.skip()
        value: Any = None
        if self.pos < self.length and self.peek() not in ";\n})|":
            if keyword in ("break", "continue"):
                value = self.bareword() if self.peek() != "$" else self._value_argument()
            else:
                value = self.parse_pipeline_or_assignment()
        return ast.Flow(start, self._trimmed(start), keyword, value)

    def _parse_function(self, start: int, word: str) -> ast.Function:
        self.pos += len(word)
        self.skip(newlines=True)
        name_node = self.bareword()
        name = str(name_node.value) if isinstance(name_node, ast.Constant) else ""
        self.skip(newlines=True)
        parameters = self.parse_parameters() if self.peek() == "(" else None
        self.skip(newlines=True)
        self.expect("{", f"Missing function body in {word} declaration.")
        block = self.parse_script_block("}")
        if parameters is not None:
            block.parameters = parameters + (block.parameters or [])
        scope, colon, rest = name.partition(":")
        if colon and scope.lower() in ("script", "global", "local", "private"):
            name = f"{scope.lower()}:{rest}"
        return ast.Function(start, self.pos, name, word == "filter", block)

    def _parse_data(self, start: int) -> ast.Data | None:
        self.pos += 4
        self.skip()
        name = self.identifier() or ""
        self.skip(newlines=True)
        if self.peek() == "-":
            raise NotSimulated("data -SupportedCommand")
        if self.peek() != "{":
            self.pos = start
            return None
        return ast.Data(start, self.pos, name, self.parse_braces())

    def _using_follows(self) -> bool:
        return (
            re.compile(r"using\s+(namespace|module|assembly)\s", re.I).match(self.text, self.pos)
            is not None
        )

    def _parse_using(self) -> ast.Using:
        start = self.pos
        self.pos += len("using")
        self.skip()
        kind = (self.identifier() or "").lower()
        self.skip()
        name = self._value_argument()
        return ast.Using(start, self.pos, kind, str(getattr(name, "value", "")))
