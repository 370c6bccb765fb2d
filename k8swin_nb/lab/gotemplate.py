"""Go's text/template, as much of it as --format options are given: fields, pipes, range, if, with, and functions.

A value is what JSON has: mappings, lists, texts, numbers, booleans and None. The fields of a struct are keys here,
and a name that is not there is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`|[()|]|[^\s()|"`]+')
_ACTION = re.compile(r"\{\{(-\s)?(.*?)(\s-)?\}\}", re.DOTALL)


class TemplateError(Exception):
    """The text is that of Go's package, without what stands before it."""


def render(
    template: str, value: Any, functions: dict[str, Callable[..., Any]] | None = None
) -> str:
    """Apply a template to a value.

    Raises:
        TemplateError: It cannot be parsed, or names what is not there.
    """
    nodes, _ = _parse(_pieces(template), 0, closing=False)
    out: list[str] = []
    _Run({**_FUNCTIONS, **(functions or {})}, value).nodes(nodes, value, out)
    return "".join(out)


def _pieces(template: str) -> list[tuple[str, str]]:
    pieces: list[tuple[str, str]] = []
    at = 0
    trim = False
    for found in _ACTION.finditer(template):
        text = template[at : found.start()]
        text = text.lstrip() if trim else text
        text = text.rstrip() if found[1] else text
        pieces.append(("text", text))
        pieces.append(("action", found[2].strip()))
        trim, at = bool(found[3]), found.end()
    text = template[at:]
    if "{{" in text:
        raise TemplateError("unclosed action")
    pieces.append(("text", text.lstrip() if trim else text))
    return pieces


def _parse(pieces: list[tuple[str, str]], at: int, *, closing: bool) -> tuple[list[Any], int]:
    """Read nodes up to `end` or `else`; returns them and where that stands."""
    nodes: list[Any] = []
    while at < len(pieces):
        kind, text = pieces[at]
        if kind == "text":
            nodes.append(("text", text))
            at += 1
            continue
        word, _, rest = text.partition(" ")
        if word in ("end", "else"):
            if not closing:
                raise TemplateError(f"unexpected {{{{{word}}}}}")
            return nodes, at
        if word in ("range", "if", "with"):
            body, at = _parse(pieces, at + 1, closing=True)
            otherwise: list[Any] = []
            if at < len(pieces) and pieces[at][1].startswith("else"):
                chained = pieces[at][1].partition(" ")[2]
                if chained:
                    pieces[at] = ("action", chained)
                    inner, at = _parse_one(pieces, at)
                    nodes.append((word, rest, body, [inner]))
                    continue
                otherwise, at = _parse(pieces, at + 1, closing=True)
            if at >= len(pieces):
                raise TemplateError("unexpected EOF")
            nodes.append((word, rest, body, otherwise))
            at += 1
            continue
        nodes.append(("value", text))
        at += 1
    if closing:
        raise TemplateError("unexpected EOF")
    return nodes, at


def _parse_one(pieces: list[tuple[str, str]], at: int) -> tuple[Any, int]:
    """Read the `if` of an `else if`: its `end` closes both."""
    word, _, rest = pieces[at][1].partition(" ")
    body, at = _parse(pieces, at + 1, closing=True)
    otherwise: list[Any] = []
    if pieces[at][1].startswith("else"):
        otherwise, at = _parse(pieces, at + 1, closing=True)
    return (word, rest, body, otherwise), at + 1


def _truth(value: Any) -> bool:
    return bool(value)


def _text(value: Any) -> str:
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{k}:{_text(v)}' for k, v in sorted(value.items()))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(_text, value))}]"
    return str(value)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, list):
            if not isinstance(key, int) or not 0 <= key < len(value):
                raise TemplateError(f"error calling index: index out of range: {key}")
            value = value[key]
        elif isinstance(value, dict):
            value = value.get(str(key), "")
        else:
            raise TemplateError("error calling index: can't index item of type string")
    return value


def _printf(form: str, *values: Any) -> str:
    left = list(values)

    def one(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        value = left.pop(0) if left else "%!(MISSING)"
        if found[1] == "q":
            return json.dumps(_text(value))
        return _text(value)

    return re.sub(r"%[-+0-9.]*([a-zA-Z%])", one, form)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "json": lambda value: json.dumps(value, separators=(",", ":")),
    "len": lambda value: len(value),
    "index": _index,
    "join": lambda values, separator: separator.join(map(_text, values)),
    "lower": lambda value: _text(value).lower(),
    "upper": lambda value: _text(value).upper(),
    "title": lambda value: _text(value).title(),
    "split": lambda value, separator: value.split(separator),
    "print": lambda *values: " ".join(map(_text, values)),
    "println": lambda *values: " ".join(map(_text, values)) + "\n",
    "printf": _printf,
    "eq": lambda one, *others: any(one == other for other in others),
    "ne": lambda one, other: one != other,
    "lt": lambda one, other: one < other,
    "gt": lambda one, other: one > other,
    "le": lambda one, other: one <= other,
    "ge": lambda one, other: one >= other,
    "not": lambda value: not _truth(value),
    "and": lambda *values: next((v for v in values if not _truth(v)), values[-1]),
    "or": lambda *values: next((v for v in values if _truth(v)), values[-1]),
}


class _Run:
    def __init__(self, functions: dict[str, Callable[..., Any]], root: Any) -> None:
        self._functions = functions
        self._variables: dict[str, Any] = {"$": root}

    def nodes(self, nodes: list[Any], dot: Any, out: list[str]) -> None:
        for node in nodes:
            kind = node[0]
            if kind == "text":
                out.append(node[1])
            elif kind == "value":
                self._value(node[1], dot, out)
            elif kind == "range":
                self._range(node, dot, out)
            else:
                value = self._declared(node[1], dot)
                inner = value if kind == "with" and _truth(value) else dot
                self.nodes(node[2] if _truth(value) else node[3], inner, out)

    def _range(self, node: Any, dot: Any, out: list[str]) -> None:
        names: list[str] = []
        source = node[1]
        if found := re.fullmatch(r"(\$\w+)(?:\s*,\s*(\$\w+))?\s*:=\s*(.+)", source, re.DOTALL):
            names, source = [name for name in (found[1], found[2]) if name], found[3]
        value = self._pipeline(source, dot)
        items = sorted(value.items()) if isinstance(value, dict) else list(enumerate(value or []))
        for key, item in items:
            if len(names) == 2:
                self._variables[names[0]], self._variables[names[1]] = key, item
            elif names:
                self._variables[names[0]] = item
            self.nodes(node[2], item, out)
        if not items:
            self.nodes(node[3], dot, out)

    def _declared(self, text: str, dot: Any) -> Any:
        if found := re.fullmatch(r"(\$\w+)\s*:=\s*(.+)", text, re.DOTALL):
            value = self._variables[found[1]] = self._pipeline(found[2], dot)
            return value
        return self._pipeline(text, dot)

    def _value(self, text: str, dot: Any, out: list[str]) -> None:
        if text.startswith("/*"):
            return
        value = self._declared(text, dot)
        if not re.match(r"\$\w+\s*:=", text):
            out.append(_text(value))

    def _pipeline(self, text: str, dot: Any) -> Any:
        tokens = _TOKEN.findall(text)
        if not tokens:
            raise TemplateError("missing value for command")
        return self._pipe(tokens, dot)

    def _pipe(self, tokens: list[str], dot: Any) -> Any:
        value: list[Any] = []
        for command in _split(tokens):
            value = [self._command(command, dot, value)]
        return value[0]

    def _command(self, tokens: list[str], dot: Any, piped: list[Any]) -> Any:
        if not tokens:
            raise TemplateError("missing value for command")
        words: list[Any] = []
        index = 0
        head = tokens[0]
        while index < len(tokens):
            word = tokens[index]
            if word == "(":
                depth, end = 1, index + 1
                while end < len(tokens) and depth:
                    depth += {"(": 1, ")": -1}.get(tokens[end], 0)
                    end += 1
                inner = self._pipe(tokens[index + 1 : end - 1], dot)
                if end < len(tokens) and tokens[end].startswith("."):
                    inner = self._fields(inner, tokens[end])
                    end += 1
                words.append(inner)
                index = end
                continue
            if index or not self._is_function(word):
                words.append(self._operand(word, dot))
            index += 1
        if head != "(" and self._is_function(head):
            if head not in self._functions:
                raise TemplateError(f'function "{head}" not defined')
            try:
                return self._functions[head](*words, *piped)
            except (TypeError, AttributeError) as error:
                raise TemplateError(f"wrong number or type of arguments for {head}") from error
        if len(words) + len(piped) != 1:
            raise TemplateError(f"can't give argument to non-function {head}")
        return words[0]

    @staticmethod
    def _is_function(word: str) -> bool:
        return bool(re.fullmatch(r"[A-Za-z]\w*", word)) and word not in ("true", "false", "nil")

    def _operand(self, word: str, dot: Any) -> Any:
        if word[0] in '"`':
            return json.loads(word) if word[0] == '"' else word[1:-1]
        if word == ".":
            return dot
        if word.startswith("."):
            return self._fields(dot, word)
        if word.startswith("$"):
            name, dotted, rest = word.partition(".")
            if name not in self._variables:
                raise TemplateError(f'undefined variable "{name}"')
            value = self._variables[name]
            return self._fields(value, "." + rest) if dotted else value
        if word in ("true", "false"):
            return word == "true"
        if word == "nil":
            return None
        try:
            return int(word)
        except ValueError as error:
            raise TemplateError(f"unexpected {word!r} in operand") from error

    def _fields(self, value: Any, path: str) -> Any:
        for name in path[1:].split("."):
            if not isinstance(value, dict):
                raise TemplateError(
                    f"<{path}>: can't evaluate field {name} in type {type(value).__name__}"
                )
            if name not in value:
                raise TemplateError(f'<{path}>: map has no entry for key "{name}"')
            value = value[name]
        return value


def _split(tokens: list[str]) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    depth = 0
    for word in tokens:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == "|" and not depth:
            commands.append([])
        else:
            commands[-1].append(word)
    return commands
