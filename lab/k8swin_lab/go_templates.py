"""Go's text templates, as much of them as `--format` options are given: fields, range, if, functions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from k8swin_lab.machines.program import NotSimulated


class TemplateError(Exception):
    """A template that is not valid, or names what is not there; the text is Go's."""


@dataclass(slots=True)
class _Node:
    kind: str  # "text", "print", "if", "range", "with"
    text: str = ""
    body: list[_Node] = field(default_factory=list)
    other: list[_Node] = field(default_factory=list)


_ACTION = re.compile(r"\{\{(-\s)?\s*(.*?)\s*(\s-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|`[^`]*`|\(|\)|\||:=|=|,|-?\d+(?:\.\d+)?|\$?\w*(?:\.[\w]+)+|\$\w*|\.|\w+'
)


def render(template: str, value: Any) -> str:
    """Return what a template makes of a value.

    Raises:
        TemplateError: the template is not valid, or a field does not exist.
        NotSimulated: a function that the lab does not know.
    """
    nodes, rest, _ = _parse(_split(template), 0, ())
    if rest != len(_split(template)):
        raise TemplateError("template parsing error: template: :1: unexpected {{end}}")
    return _run(nodes, value, {"$": value})


def _split(template: str) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    at = 0
    trim = False
    for match in _ACTION.finditer(template):
        text = template[at : match.start()]
        if trim:
            text = text.lstrip()
        if match[1]:
            text = text.rstrip()
        parts += [("text", text), ("action", match[2])]
        trim, at = bool(match[3]), match.end()
    tail = template[at:].lstrip() if trim else template[at:]
    if "{{" in tail:
        raise TemplateError("template parsing error: template: :1: unclosed action")
    return [*parts, ("text", tail)]


def _parse(
    parts: list[tuple[str, str]], at: int, ends: tuple[str, ...]
) -> tuple[list[_Node], int, str]:
    nodes: list[_Node] = []
    while at < len(parts):
        kind, text = parts[at]
        at += 1
        word = text.split(None, 1)[0] if kind == "action" and text else ""
        if kind == "text":
            nodes.append(_Node("text", text))
        elif word in ("end", "else") and word in ends:
            return nodes, at, text
        elif word in ("end", "else"):
            raise TemplateError(f"template parsing error: template: :1: unexpected {{{{{word}}}}}")
        elif word in ("if", "range", "with"):
            node = _Node(word, text[len(word) :].strip())
            node.body, at, closing = _parse(parts, at, ("end", "else"))
            if closing.startswith("else if"):
                inner = _Node("if", closing[len("else if") :].strip())
                inner.body, at, closing = _parse(parts, at, ("end", "else"))
                if closing == "else":
                    inner.other, at, _ = _parse(parts, at, ("end",))
                node.other = [inner]
            elif closing == "else":
                node.other, at, _ = _parse(parts, at, ("end",))
            nodes.append(node)
        elif word in ("define", "template", "block", "break", "continue"):
            raise NotSimulated(f"{{{{{word}}}}} in a template")
        elif not text.startswith("/*"):
            nodes.append(_Node("print", text))
    if ends:
        raise TemplateError("template parsing error: template: :1: unexpected EOF")
    return nodes, at, ""


def _run(nodes: list[_Node], dot: Any, variables: dict[str, Any]) -> str:
    out = []
    for node in nodes:
        if node.kind == "text":
            out.append(node.text)
        elif node.kind == "print":
            names, expression = _assignment(node.text)
            value = _evaluate(expression, dot, variables)
            if names:
                variables[names[0]] = value
            else:
                out.append(_shown(value))
        elif node.kind == "range":
            out.append(_range(node, dot, variables))
        else:
            names, expression = _assignment(node.text)
            value = _evaluate(expression, dot, variables)
            inner = {**variables, **({names[0]: value} if names else {})}
            chosen = node.body if _truth(value) else node.other
            inside = value if node.kind == "with" and _truth(value) else dot
            out.append(_run(chosen, inside, inner))
    return "".join(out)


def _assignment(text: str) -> tuple[list[str], str]:
    match = re.fullmatch(r"(\$\w+(?:\s*,\s*\$\w+)?)\s*:?=\s*(.*)", text, re.DOTALL)
    if not match:
        return [], text
    return [name.strip() for name in match[1].split(",")], match[2]


def _range(node: _Node, dot: Any, variables: dict[str, Any]) -> str:
    names, expression = _assignment(node.text)
    value = _evaluate(expression, dot, variables)
    if isinstance(value, dict):
        pairs: list[tuple[Any, Any]] = sorted(value.items())
    elif value is None:
        pairs = []
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    else:
        raise TemplateError(f"template: :1: range can't iterate over {_shown(value)}")
    if not pairs:
        return _run(node.other, dot, dict(variables))
    out = []
    for key, item in pairs:
        inner = dict(variables)
        if len(names) == 1:
            inner[names[0]] = item
        elif names:
            inner[names[0]], inner[names[1]] = key, item
        out.append(_run(node.body, item, inner))
    return "".join(out)


def _evaluate(expression: str, dot: Any, variables: dict[str, Any]) -> Any:
    tokens = _TOKEN.findall(expression)
    if "".join(tokens) != re.sub(r"\s+(?=(?:[^\"`]*[\"`][^\"`]*[\"`])*[^\"`]*$)", "", expression):
        raise TemplateError(
            f"template parsing error: template: :1: unexpected {expression!r} in operand"
        )
    value, rest = _pipeline(tokens, dot, variables)
    if rest:
        raise TemplateError(f'template parsing error: template: :1: unexpected "{rest[0]}"')
    return value


def _pipeline(tokens: list[str], dot: Any, variables: dict[str, Any]) -> tuple[Any, list[str]]:
    piped: list[Any] = []
    while True:
        value, tokens = _command(tokens, dot, variables, piped)
        if tokens[:1] != ["|"]:
            return value, tokens
        piped, tokens = [value], tokens[1:]


def _command(
    tokens: list[str], dot: Any, variables: dict[str, Any], piped: list[Any]
) -> tuple[Any, list[str]]:
    if not tokens:
        raise TemplateError("template parsing error: template: :1: missing value for command")
    first, rest = tokens[0], tokens[1:]
    if re.fullmatch(r"[a-zA-Z]\w*", first) and first not in ("true", "false", "nil"):
        arguments = []
        while rest and rest[0] not in ("|", ")"):
            value, rest = _operand(rest, dot, variables)
            arguments.append(value)
        function = _FUNCTIONS.get(first)
        if function is None:
            raise TemplateError(
                f'template parsing error: template: :1: function "{first}" not defined'
            )
        return function(*arguments, *piped), rest
    return _operand(tokens, dot, variables)


def _operand(tokens: list[str], dot: Any, variables: dict[str, Any]) -> tuple[Any, list[str]]:
    first, rest = tokens[0], tokens[1:]
    if first == "(":
        value, rest = _pipeline(rest, dot, variables)
        if rest[:1] != [")"]:
            raise TemplateError("template parsing error: template: :1: unclosed left paren")
        rest = rest[1:]
        while rest and re.fullmatch(r"(?:\.\w+)+", rest[0]):
            value, rest = _fields(value, rest[0]), rest[1:]
        return value, rest
    if first.startswith(('"', "`")):
        return (json.loads(first) if first[0] == '"' else first[1:-1]), rest
    if first in ("true", "false"):
        return first == "true", rest
    if first == "nil":
        return None, rest
    if re.fullmatch(r"-?\d+", first):
        return int(first), rest
    if first.startswith("$"):
        name, dotted, path = first.partition(".")
        if name not in variables:
            raise TemplateError(
                f'template parsing error: template: :1: undefined variable "{name}"'
            )
        return _fields(variables[name], f".{path}" if dotted else ""), rest
    if first == ".":
        return dot, rest
    if first.startswith("."):
        return _fields(dot, first), rest
    raise TemplateError(f'template parsing error: template: :1: function "{first}" not defined')


def _fields(value: Any, path: str) -> Any:
    walked = ""
    for name in [part for part in path.split(".") if part]:
        walked += f".{name}"
        if value is None:
            return None
        if not isinstance(value, dict) or name not in value:
            raise TemplateError(
                f'template: :1:2: executing "" at <{walked}>: map has no entry for key "{name}"'
            )
        value = value[name]
    return value


def _truth(value: Any) -> bool:
    return bool(value)


def _shown(value: Any) -> str:
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{' '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_shown(item)}' for key, item in sorted(value.items()))}]"
    return str(value)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key, "")
        elif isinstance(value, list) and isinstance(key, int) and 0 <= key < len(value):
            value = value[key]
        else:
            raise TemplateError(f"template: :1: error calling index: index out of range: {key}")
    return value


def _printf(text: str, *values: Any) -> str:
    waiting = list(values)

    def one(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        value = waiting.pop(0) if waiting else "%!(MISSING)"
        if match[2] == "q":
            return json.dumps(value)
        shown = _shown(value)
        width = match[1]
        if width:
            number = int(width)
            return shown.ljust(-number) if number < 0 else shown.rjust(number)
        return shown

    return re.sub(r"%(-?\d+)?([sdvqT%])", one, text)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _same(one: Any, *others: Any) -> bool:
    return any(one == other for other in others)


_FUNCTIONS: dict[str, Any] = {
    "and": lambda *values: next((one for one in values if not _truth(one)), values[-1]),
    "or": lambda *values: next((one for one in values if _truth(one)), values[-1]),
    "not": lambda value: not _truth(value),
    "eq": _same,
    "ne": lambda one, other: one != other,
    "lt": lambda one, other: one < other,
    "le": lambda one, other: one <= other,
    "gt": lambda one, other: one > other,
    "ge": lambda one, other: one >= other,
    "index": _index,
    "join": lambda values, gap: gap.join(map(_shown, values or [])),
    "json": _json,
    "len": lambda value: len(value or []),
    "lower": lambda text: text.lower(),
    "print": lambda *values: "".join(map(_shown, values)),
    "printf": _printf,
    "println": lambda *values: " ".join(map(_shown, values)) + "\n",
    "slice": lambda value, *at: value[slice(*at)] if len(at) > 1 else value[at[0] :],
    "split": lambda text, gap: text.split(gap),
    "title": lambda text: text.title(),
    "truncate": lambda text, size: text[:size],
    "upper": lambda text: text.upper(),
}
