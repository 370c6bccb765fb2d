"""awk's grammar: a program becomes nested tuples whose first item names the kind."""

from __future__ import annotations

from typing import Any

from k8swin_lab.bash.tools.awk_tokens import tokens, unquoted
from k8swin_lab.bash.tools.common import ToolFault

Node = tuple[Any, ...]


def parse(source: str) -> Node:
    """Return ("program", rules, functions).

    Raises:
        ToolFault: the text is no awk.
    """
    return _Parser(source).program()


class _Parser:
    def __init__(self, source: str) -> None:
        self._tokens = tokens(source)
        self._at = 0
        self._no_greater = False

    def _peek(self, ahead: int = 0) -> tuple[str, str]:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ("end", "")

    def _is(self, *texts: str) -> bool:
        kind, text = self._peek()
        return kind in ("sign", "keyword", "newline", "call") and text in texts

    def _take(self) -> str:
        text = self._peek()[1]
        self._at += 1
        return text

    def _expect(self, text: str) -> None:
        if not self._is(text):
            raise self._fault()
        self._take()

    def _fault(self) -> ToolFault:
        kind, text = self._peek()
        near = "end of file" if kind == "end" else text
        return ToolFault(f"line 1: syntax error at or near {near}", 2)

    def _lines(self) -> None:
        while self._is("\n"):
            self._take()

    def _ends(self) -> None:
        while self._is("\n", ";"):
            self._take()

    def program(self) -> Node:
        rules: list[Node] = []
        functions: dict[str, tuple[list[str], list[Node]]] = {}
        self._ends()
        while self._peek()[0] != "end":
            if self._is("function", "func"):
                self._take()
                name = self._take()
                self._expect("(")
                parameters = []
                while not self._is(")"):
                    parameters.append(self._take())
                    if self._is(","):
                        self._take()
                    self._lines()
                self._expect(")")
                self._lines()
                functions[name] = (parameters, self._braces())
            else:
                rules.append(self._rule())
            self._ends()
        return ("program", rules, functions)

    def _rule(self) -> Node:
        if self._is("BEGIN", "END"):
            return ("rule", self._take(), self._braces())
        pattern: Node | None = None
        if not self._is("{"):
            pattern = self._expression()
            if self._is(","):
                self._take()
                self._lines()
                pattern = ("range", pattern, self._expression())
        return ("rule", pattern, self._braces() if self._is("{") else None)

    def _braces(self) -> list[Node]:
        self._expect("{")
        statements = []
        self._ends()
        while not self._is("}"):
            statements.append(self._statement())
            self._ends()
        self._take()
        return statements

    def _body(self) -> Node:
        self._lines()
        if self._is(";"):
            self._take()
            return ("block", [])
        return self._statement()

    def _statement(self) -> Node:
        if self._is("{"):
            return ("block", self._braces())
        if self._is("if"):
            return self._if()
        if self._is("while"):
            self._take()
            self._expect("(")
            condition = self._expression()
            self._expect(")")
            return ("while", condition, self._body())
        if self._is("do"):
            self._take()
            body = self._body()
            self._ends()
            self._expect("while")
            self._expect("(")
            condition = self._expression()
            self._expect(")")
            return ("do", condition, body)
        if self._is("for"):
            return self._for()
        return self._simple()

    def _if(self) -> Node:
        self._take()
        self._expect("(")
        condition = self._expression()
        self._expect(")")
        then = self._body()
        before = self._at
        self._ends()
        if self._is("else"):
            self._take()
            return ("if", condition, then, self._body())
        self._at = before
        return ("if", condition, then, None)

    def _for(self) -> Node:
        self._take()
        self._expect("(")
        if self._peek()[0] == "name" and self._peek(1)[1] == "in" and self._peek(3)[1] == ")":
            name = self._take()
            self._take()
            array = self._take()
            self._expect(")")
            return ("for-in", name, array, self._body())
        first = None if self._is(";") else self._simple()
        self._expect(";")
        self._lines()
        condition = None if self._is(";") else self._expression()
        self._expect(";")
        self._lines()
        step = None if self._is(")") else self._simple()
        self._expect(")")
        return ("for", first, condition, step, self._body())

    def _simple(self) -> Node:
        if self._is("print", "printf"):
            return self._print()
        if self._is("next", "break", "continue"):
            return (self._take(),)
        if self._is("exit", "return"):
            kind = self._take()
            empty = self._is("\n", ";", "}") or self._peek()[0] == "end"
            return (kind, None if empty else self._expression())
        if self._is("delete"):
            self._take()
            name = self._take()
            return ("delete", name, self._subscript() if self._is("[") else None)
        return ("expression", self._expression())

    def _print(self) -> Node:
        kind = self._take()
        arguments: list[Node] = []
        self._no_greater = True
        if not (self._is("\n", ";", "}", ">", ">>", "|") or self._peek()[0] == "end"):
            arguments = self._arguments_of_print()
        self._no_greater = False
        mark, target = "", None
        if self._is(">", ">>", "|"):
            mark = self._take()
            target = self._concatenation()
        return (kind, arguments, mark, target)

    def _arguments_of_print(self) -> list[Node]:
        if self._is("("):
            before = self._at
            self._take()
            self._no_greater = False
            arguments = [self._expression()]
            while self._is(","):
                self._take()
                self._lines()
                arguments.append(self._expression())
            closed = self._is(")")
            if closed:
                self._take()
            self._no_greater = True
            if closed and (self._is("\n", ";", "}", ">", ">>", "|") or self._peek()[0] == "end"):
                return arguments
            self._at = before
        arguments = [self._expression()]
        while self._is(","):
            self._take()
            self._lines()
            arguments.append(self._expression())
        return arguments

    def _subscript(self) -> list[Node]:
        self._expect("[")
        parts = [self._expression()]
        while self._is(","):
            self._take()
            parts.append(self._expression())
        self._expect("]")
        return parts

    # Expressions, loosest first

    def _expression(self) -> Node:
        left = self._ternary()
        if self._is("=", "+=", "-=", "*=", "/=", "%=", "^=", "**=") and left[0] in (
            "variable", "field", "index"
        ):  # fmt: skip
            operator = self._take().replace("**", "^")
            self._lines()
            return ("assign", operator, left, self._expression())
        return left

    def _ternary(self) -> Node:
        condition = self._or()
        if not self._is("?"):
            return condition
        self._take()
        self._lines()
        first = self._expression()
        self._lines()
        self._expect(":")
        self._lines()
        return ("conditional", condition, first, self._expression())

    def _or(self) -> Node:
        left = self._and()
        while self._is("||"):
            self._take()
            self._lines()
            left = ("or", left, self._and())
        return left

    def _and(self) -> Node:
        left = self._in()
        while self._is("&&"):
            self._take()
            self._lines()
            left = ("and", left, self._in())
        return left

    def _in(self) -> Node:
        left = self._match()
        while self._is("in"):
            self._take()
            parts = left[1] if left[0] == "group" else [left]
            left = ("in", parts, self._take())
        if left[0] == "group":
            raise self._fault()
        return left

    def _match(self) -> Node:
        left = self._comparison()
        while self._is("~", "!~"):
            operator = self._take()
            left = ("match", operator, left, self._comparison())
        return left

    def _comparison(self) -> Node:
        left = self._concatenation()
        operators = ["<", "<=", "==", "!=", ">="] + ([] if self._no_greater else [">"])
        if self._is(*operators):
            operator = self._take()
            return ("compare", operator, left, self._concatenation())
        if self._is("|") and self._peek(1)[1] == "getline":
            while self._is("|") and self._peek(1)[1] == "getline":
                self._at += 2
                left = ("getline", self._optional_place(), "|", left)
        return left

    def _concatenation(self) -> Node:
        left = self._additive()
        while self._starts_operand():
            left = ("concatenate", left, self._additive())
        return left

    def _starts_operand(self) -> bool:
        kind, text = self._peek()
        if kind in ("number", "string", "name", "builtin"):
            return True
        return kind == "sign" and text in ("$", "!", "(", "++", "--")

    def _additive(self) -> Node:
        left = self._multiplicative()
        while self._is("+", "-"):
            left = (self._take(), left, self._multiplicative())
        return left

    def _multiplicative(self) -> Node:
        left = self._unary()
        while self._is("*", "/", "%"):
            left = (self._take(), left, self._unary())
        return left

    def _unary(self) -> Node:
        if self._is("!"):
            self._take()
            return ("not", self._unary())
        if self._is("-", "+"):
            return ("minus" if self._take() == "-" else "plus", self._unary())
        return self._power()

    def _power(self) -> Node:
        left = self._postfix()
        if self._is("^", "**"):
            self._take()
            right = self._unary() if self._is("-", "+", "!") else self._power()
            return ("^", left, right)
        return left

    def _postfix(self) -> Node:
        if self._is("++", "--"):
            amount = 1.0 if self._take() == "++" else -1.0
            return ("step", amount, self._primary(), False)
        node = self._primary()
        if self._is("++", "--") and node[0] in ("variable", "field", "index"):
            return ("step", 1.0 if self._take() == "++" else -1.0, node, True)
        return node

    def _optional_place(self) -> Node | None:
        if self._is("$") or self._peek()[0] == "name":
            return self._primary()
        return None

    def _primary(self) -> Node:
        kind, text = self._peek()
        if kind == "number":
            self._take()
            return ("number", float(int(text, 16)) if text[:2] in ("0x", "0X") else float(text))
        if kind == "string":
            self._take()
            return ("string", unquoted(text))
        if kind == "regex":
            self._take()
            return ("regex", text)
        if self._is("$"):
            self._take()
            if self._is("++", "--"):
                return ("field", self._postfix())
            if self._is("-"):
                return ("field", self._unary())
            return ("field", self._primary())
        if self._is("("):
            return self._grouped()
        if self._is("getline"):
            self._take()
            place = self._optional_place()
            if self._is("<"):
                self._take()
                return ("getline", place, "<", self._primary())
            return ("getline", place, "", None)
        if kind == "builtin" or (kind == "name" and self._peek(1) == ("call", "(")):
            return self._called()
        if kind == "name":
            self._take()
            return ("index", text, self._subscript()) if self._is("[") else ("variable", text)
        raise self._fault()

    def _grouped(self) -> Node:
        self._take()
        saved, self._no_greater = self._no_greater, False
        self._lines()
        parts = [self._expression()]
        while self._is(","):
            self._take()
            self._lines()
            parts.append(self._expression())
        self._lines()
        self._expect(")")
        self._no_greater = saved
        if len(parts) > 1:
            if not self._is("in"):
                raise self._fault()
            return ("group", parts)
        return parts[0]

    def _called(self) -> Node:
        name = self._take()
        arguments: list[Node] = []
        if self._peek()[1] == "(" and self._peek()[0] in ("sign", "call"):
            self._take()
            saved, self._no_greater = self._no_greater, False
            self._lines()
            while not self._is(")"):
                arguments.append(self._expression())
                self._lines()
                if self._is(","):
                    self._take()
                    self._lines()
            self._take()
            self._no_greater = saved
        elif name != "length":
            raise self._fault()
        return ("call", name, arguments)
