"""Shell arithmetic: 64-bit integers, C's operators, assignments to variables."""

from __future__ import annotations

import re
from typing import Protocol

from k8swin_lab.bash.python.variables import ShellFault

_TOKEN = re.compile(
    r"\s*(?:(\d+#[0-9A-Za-z@_]+|0[xX][0-9A-Fa-f]+|\d+)|([A-Za-z_]\w*)"
    r"|(\*\*|<<=|>>=|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&^|]=|[-+*/%<>=!~&^|?:,()\[\]]))"
)
_LEVELS = (
    ("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<=", ">=", "<", ">"),
    ("<<", ">>"), ("+", "-"), ("*", "/", "%"),
)  # fmt: skip
_ASSIGN = frozenset(["=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "<<=", ">>="])


class Store(Protocol):
    """Where names get their numbers."""

    def element(self, name: str, subscript: str | None) -> str | None:
        """Return the text of a variable or of an array's element."""
        ...

    def assign_element(self, name: str, subscript: str | None, text: str) -> None:
        """Set a variable or an array's element."""
        ...


def evaluate(text: str, store: Store, depth: int = 0) -> int:
    """Return the value of an expression; the empty one is 0.

    Raises:
        ShellFault: a syntax error or a division by zero, worded as bash does.
    """
    if depth > 100:
        raise ShellFault(f"{text.strip()}: expression recursion level exceeded", fatal=False)
    stripped = text.strip()
    if stripped.isdigit() and (stripped[0] != "0" or len(stripped) == 1):
        return _wrapped(int(stripped))
    return _Expression(text, store, depth).value()


def _wrapped(number: int) -> int:
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


class _Expression:
    def __init__(self, text: str, store: Store, depth: int) -> None:
        self._text = text
        self._store = store
        self._depth = depth
        self._at = 0
        self._skip = 0  # inside a branch that is not taken

    def value(self) -> int:
        if not self._text.strip():
            return 0
        result = self._comma()
        if self._peek():
            raise self._fault("syntax error in expression")
        return result

    def _fault(self, what: str) -> ShellFault:
        rest = self._text[self._at :].lstrip()
        return ShellFault(f'{self._text.strip()}: {what} (error token is "{rest}")', fatal=False)

    def _match(self) -> re.Match[str] | None:
        return _TOKEN.match(self._text, self._at)

    def _peek(self) -> str:
        found = self._match()
        if found:
            return found[found.lastindex or 0]
        rest = self._text[self._at :].strip()
        if rest:
            raise self._fault("syntax error: invalid arithmetic operator")
        return ""

    def _take(self) -> str:
        token = self._peek()
        found = self._match()
        if found:
            self._at = found.end()
        return token

    def _comma(self) -> int:
        result = self._assignment()
        while self._peek() == ",":
            self._take()
            result = self._assignment()
        return result

    def _assignment(self) -> int:
        start = self._at
        found = self._match()
        if found and found[2]:
            name, subscript = self._place()
            operator = self._peek()
            if operator in _ASSIGN:
                self._take()
                right = self._assignment()
                if operator != "=":
                    right = self._apply(operator[:-1], self._load(name, subscript), right)
                self._save(name, subscript, right)
                return right
            self._at = start
        return self._ternary()

    def _place(self) -> tuple[str, str | None]:
        name = self._take()
        if self._text[self._at : self._at + 1] != "[":
            return name, None
        depth = 0
        for end in range(self._at, len(self._text)):
            depth += (self._text[end] == "[") - (self._text[end] == "]")
            if not depth:
                subscript = self._text[self._at + 1 : end]
                self._at = end + 1
                return name, subscript
        raise self._fault("bad array subscript")

    def _load(self, name: str, subscript: str | None) -> int:
        if self._skip:
            return 0
        text = self._store.element(name, subscript)
        return evaluate(text or "", self._store, self._depth + 1)

    def _save(self, name: str, subscript: str | None, number: int) -> None:
        if not self._skip:
            self._store.assign_element(name, subscript, str(number))

    def _ternary(self) -> int:
        condition = self._binary(0)
        if self._peek() != "?":
            return condition
        self._take()
        self._skip += not condition
        first = self._comma()
        self._skip -= not condition
        if self._take() != ":":
            raise self._fault("`:' expected for conditional expression")
        self._skip += bool(condition)
        second = self._assignment()
        self._skip -= bool(condition)
        return first if condition else second

    def _binary(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._power()
        left = self._binary(level + 1)
        while (operator := self._peek()) in _LEVELS[level]:
            self._take()
            if operator in ("&&", "||"):
                skipped = bool(left) == (operator == "||")
                self._skip += skipped
                right = self._binary(level + 1)
                self._skip -= skipped
                left = int(bool(left) and bool(right) if operator == "&&" else bool(left or right))
            else:
                left = self._apply(operator, left, self._binary(level + 1))
        return left

    def _power(self) -> int:
        base = self._unary()
        if self._peek() != "**":
            return base
        self._take()
        exponent = self._power()
        if exponent < 0:
            raise self._fault("exponent less than 0")
        return _wrapped(base**exponent)

    def _unary(self) -> int:
        operator = self._peek()
        if operator in ("++", "--"):
            self._take()
            name, subscript = self._place()
            number = self._load(name, subscript) + (1 if operator == "++" else -1)
            self._save(name, subscript, number)
            return number
        if operator in ("+", "-", "!", "~"):
            self._take()
            number = self._unary()
            return {"+": number, "-": -number, "!": int(not number), "~": ~number}[operator]
        return self._primary()

    def _primary(self) -> int:
        found = self._match()
        if found and found[2]:
            name, subscript = self._place()
            number = self._load(name, subscript)
            operator = self._peek()
            if operator in ("++", "--"):
                self._take()
                self._save(name, subscript, number + (1 if operator == "++" else -1))
            return number
        if found and found[1]:
            return self._number(self._take())
        if self._peek() == "(":
            self._take()
            result = self._comma()
            if self._take() != ")":
                raise self._fault("missing `)'")
            return result
        raise self._fault("syntax error: operand expected")

    def _number(self, token: str) -> int:
        if "#" in token:
            base, digits = token.split("#")
            letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ@_"
            result = 0
            for digit in digits if int(base) > 36 else digits.lower():
                place = letters.index(digit)
                if place >= int(base):
                    raise ShellFault(
                        f'{token}: value too great for base (error token is "{token}")'
                    )
                result = result * int(base) + place
            return _wrapped(result)
        if token[:2] in ("0x", "0X"):
            return _wrapped(int(token, 16))
        if token[0] == "0" and len(token) > 1:
            if re.search("[89]", token):
                raise ShellFault(
                    f'{token}: value too great for base (error token is "{token}")', fatal=False
                )
            return _wrapped(int(token, 8))
        return _wrapped(int(token))

    def _apply(self, operator: str, left: int, right: int) -> int:
        if operator in ("/", "%"):
            if not right:
                if self._skip:
                    return 0
                raise ShellFault(
                    f'{self._text.strip()}: division by 0 (error token is "{right}")', fatal=False
                )
            quotient = abs(left) // abs(right)
            if (left < 0) != (right < 0):
                quotient = -quotient
            return _wrapped(quotient if operator == "/" else left - quotient * right)
        compare = {
            "==": left == right, "!=": left != right, "<=": left <= right, ">=": left >= right,
            "<": left < right, ">": left > right,
        }  # fmt: skip
        if operator in compare:
            return int(compare[operator])
        if operator in ("<<", ">>"):
            return _wrapped(left << (right & 63) if operator == "<<" else left >> (right & 63))
        return _wrapped(
            {
                "+": left + right, "-": left - right, "*": left * right,
                "&": left & right, "|": left | right, "^": left ^ right,
            }[operator]
        )  # fmt: skip
