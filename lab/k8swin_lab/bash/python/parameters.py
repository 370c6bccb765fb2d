"""`$name`, `${name...}`: what a parameter gives after its operator."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from k8swin_lab.bash.python.pieces import Piece
from k8swin_lab.bash.python.quoting import double_quoted
from k8swin_lab.bash.python.quoting import quoted as shell_quoted
from k8swin_lab.bash.python.syntax import Parameter
from k8swin_lab.bash.python.variables import ShellFault, Variable
from k8swin_lab.bash.python.words import unescape
from k8swin_lab.bash.tools import patterns

if TYPE_CHECKING:
    from k8swin_lab.bash.python.expansion import Expander
    from k8swin_lab.bash.python.interpreter import Interpreter

_INDIRECT = re.compile(r"([A-Za-z_]\w*|\d+|[@*#?$!-])(?:\[(.*)\])?", re.S)


def expand(shell: Interpreter, expander: Expander, part: Parameter, quoted: bool) -> list[Piece]:
    """Return the pieces of one parameter expansion."""
    return _Expansion(shell, expander, part, quoted).pieces()


class _Expansion:
    def __init__(
        self, shell: Interpreter, expander: Expander, part: Parameter, quoted: bool
    ) -> None:
        self._shell = shell
        self._expander = expander
        self._part = part
        self._quoted = quoted
        self._name = part.name
        self._index = part.index
        self._form = part.form

    def pieces(self) -> list[Piece]:
        part = self._part
        if part.operator == "bad":
            raise ShellFault(f"{part.name}: bad substitution", fatal=False)
        if self._form == "prefix":
            names = [n for n in self._shell.variables.names() if n.startswith(part.name)]
            return self._many(names, at=part.operator == "@")
        if self._form == "!":
            plain = self._index.plain() if self._index else None
            if plain in ("@", "*"):
                variable = self._shell.find(self._name)
                keys = [str(k) for k, _ in variable.sorted_items()] if variable else []
                return self._many(keys, at=plain == "@")
            name = self._reference()
            if name:
                return self._one(name)
            self._indirect()
        values, whole = self._values()
        if self._form == "#":
            return self._one(self._length(values, whole))
        operator = part.operator
        if operator in ("-", ":-", "=", ":=", "?", ":?", "+", ":+"):
            return self._default(values, whole, operator)
        if not values and not whole:
            self._unset()
        if operator == ":":
            values = self._slice(values, whole)
        elif operator:
            values = [self._changed(value, operator) for value in values]
            if operator == "@" and self._kind() in ("A", "K", "k", "a"):
                return self._one(self._described(values))
        if whole:
            return self._many(values, at=whole == "@")
        return self._one(values[0] if values else "")

    def _reference(self) -> str:
        """Return what a name reference stands for, "" for any other variable."""
        target = self._shell.variables.target(self._name)
        return "" if target == self._name or self._index is not None else target

    def _indirect(self) -> None:
        values, _ = self._values()
        text = values[0] if values else None
        if text is None:
            raise ShellFault(f"{self._name}: invalid indirect expansion", fatal=False)
        matched = _INDIRECT.fullmatch(text)
        if not matched:
            raise ShellFault(f"{text}: invalid variable name")
        self._name = matched[1]
        self._index = self._shell.parse_word(matched[2]) if matched[2] is not None else None
        self._form = ""

    def _values(self) -> tuple[list[str], str]:
        """Return the values and "@" or "*" when they are all elements, "" for a single one."""
        if self._name in ("@", "*"):
            return list(self._shell.positional), self._name
        if self._index is not None:
            plain = self._index.plain()
            if plain in ("@", "*"):
                variable = self._shell.find(self._name)
                items = variable.sorted_items() if variable else []
                return [text for _, text in items], plain
            value = self._shell.element(self._name, self._index)
        else:
            value = self._shell.parameter(self._name)
        return ([] if value is None else [value]), ""

    def _unset(self) -> None:
        if self._shell.options.nounset and self._name not in ("@", "*"):
            shown = self._name
            if self._index is not None:
                shown += f"[{self._index.source}]"
            elif self._name.isdigit():
                shown = f"${self._name}"
            raise ShellFault(f"{shown}: unbound variable")

    def _length(self, values: list[str], whole: str) -> str:
        if whole:
            return str(len(values))
        if not values:
            self._unset()
        return str(len(values[0])) if values else "0"

    def _default(self, values: list[str], whole: str, operator: str) -> list[Piece]:
        empty = not values or (operator[0] == ":" and not "".join(values) and len(values) < 2)
        kind = operator[-1]
        if kind == "+":
            return [] if empty and not self._quoted else self._one("") if empty else self._operand()
        if not empty:
            if whole:
                return self._many(values, at=whole == "@")
            return self._one(values[0])
        if kind == "-":
            return self._operand()
        text = self._expander.text(self._part.operand)
        if kind == "=":
            if self._index is not None:
                self._shell.assign_element(self._name, self._index, text)
            else:
                self._shell.assign(self._name, text)
            return self._one(text)
        words = text or ("parameter null or not set" if operator[0] == ":" else "parameter not set")
        raise ShellFault(f"{self._name}: {words}", code=1)

    def _operand(self) -> list[Piece]:
        operand = self._part.operand
        if operand is None or not operand.parts:
            return self._one("")
        pieces = self._expander.pieces(operand.parts, quoted=self._quoted)
        if self._quoted:
            return pieces
        # Unquoted literals of the operand are split as the result of any expansion is.
        return [Piece(p.text, "split") if p.kind == "literal" else p for p in pieces]

    def _slice(self, values: list[str], whole: str) -> list[str]:
        start = self._expander.arithmetic(self._part.operand)
        length = self._part.replacement
        count = self._expander.arithmetic(length) if length is not None else None
        if not whole:
            text = values[0] if values else ""
            if start < 0:
                start += len(text)
                if start < 0:
                    return [""]
            end = len(text) if count is None else start + count if count >= 0 else len(text) + count
            if end < start and count is not None and count < 0:
                raise ShellFault(f"{count}: substring expression < 0")
            return [text[start:end]]
        if self._name in ("@", "*"):
            items = list(enumerate([self._shell.name, *values]))
            if start < 0:
                start += len(items)
            elif start == 0 and count is not None:
                pass
            items = [item for item in items if item[0] >= start]
        else:
            variable = self._shell.find(self._name) or Variable()
            pairs = variable.sorted_items()
            if variable.associative:
                items = list(enumerate(text for _, text in pairs))
            else:
                items = [(int(key), text) for key, text in pairs]
            if start < 0:
                start += (items[-1][0] + 1) if items else 0
            items = [item for item in items if item[0] >= start]
        if count is not None and count < 0:
            raise ShellFault(f"{count}: substring expression < 0")
        chosen = items if count is None else items[:count]
        return [text for _, text in chosen]

    def _kind(self) -> str:
        return self._expander.text(self._part.operand)

    def _changed(self, text: str, operator: str) -> str:
        operand = self._part.operand
        if operator in ("#", "##", "%", "%%"):
            pattern = self._expander.pattern(operand)
            cut = patterns.without_prefix if operator[0] == "#" else patterns.without_suffix
            return cut(text, pattern, longest=len(operator) == 2)
        if operator[0] == "/":
            return self._replaced(text, operator)
        if operator[0] in "^,~":
            return self._cased(text, operator)
        return self._transformed(text)

    def _replaced(self, text: str, operator: str) -> str:
        pattern = self._expander.pattern(self._part.operand)
        if not pattern and operator not in ("/#", "/%"):
            return text
        replacement = self._expander.pieces(
            self._part.replacement.parts if self._part.replacement else (), quoted=False
        )
        source = patterns.to_regex(pattern)
        source = {"/#": rf"\A(?:{source})", "/%": rf"(?:{source})\Z"}.get(operator, source)

        def one(found: re.Match[str]) -> str:
            result = ""
            for piece in replacement:
                if piece.kind == "quoted":
                    result += piece.text
                else:
                    # An unquoted & stands for what matched (patsub_replacement, on since 5.2).
                    result += re.sub(
                        r"\\(.)|&",
                        lambda m: m[1] if m[1] == "&" else m[0] if m[1] else found[0],
                        piece.text,
                    )
            return result

        expression = re.compile(source, re.S)
        if operator == "//":
            return expression.sub(lambda m: one(m) if m[0] or not m.string else m[0], text)
        return expression.sub(one, text, count=1)

    def _cased(self, text: str, operator: str) -> str:
        operand = self._part.operand
        pattern = self._expander.pattern(operand) if operand and operand.parts else "?"
        change = {"^": str.upper, ",": str.lower, "~": str.swapcase}[operator[0]]
        result = ""
        for number, character in enumerate(text):
            wanted = (len(operator) == 2 or not number) and patterns.matches(character, pattern)
            result += change(character) if wanted else character
        return result

    def _transformed(self, text: str) -> str:
        kind = self._kind()
        if kind == "Q":
            return shell_quoted(text)
        if kind == "E":
            return unescape(text)
        if kind == "U":
            return text.upper()
        if kind == "u":
            return text[:1].upper() + text[1:]
        if kind == "L":
            return text.lower()
        if kind in ("A", "K", "k", "a"):
            return text
        if kind == "P":
            return text
        raise ShellFault(f"${{{self._name}@{kind}}}: bad substitution")

    def _described(self, values: list[str]) -> str:
        variable = self._shell.find(self._name) or Variable()
        flags = self._shell.flags_of(variable)
        kind = self._kind()
        if kind == "a":
            return flags
        if kind == "A":
            if variable.items is not None:
                inner = " ".join(f"[{k}]={double_quoted(v)}" for k, v in variable.sorted_items())
                return f"declare -{flags} {self._name}=({inner})"
            text = f"{self._name}={shell_quoted(values[0] if values else '')}"
            return f"declare -{flags} {text}" if flags else text
        return " ".join(f"{k} {double_quoted(v)}" for k, v in variable.sorted_items())

    def _one(self, text: str) -> list[Piece]:
        return [Piece(text, "quoted" if self._quoted else "split")]

    def _many(self, values: list[str], *, at: bool) -> list[Piece]:
        if self._quoted and not at:
            ifs = self._shell.variables.get("IFS")
            joiner = " " if ifs is None else ifs[:1]
            return [Piece(joiner.join(values), "quoted")]
        result: list[Piece] = []
        for number, value in enumerate(values):
            if number:
                result.append(Piece("", "break"))
            if self._quoted:
                result.append(Piece(value, "quoted"))
            elif value:
                result.append(Piece(value, "split"))
        return result
