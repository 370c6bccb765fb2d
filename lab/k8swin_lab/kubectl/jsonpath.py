"""JSONPath templates as kubectl takes them: text, {expressions}, {range}...{end}."""

from __future__ import annotations

import json
import re
from typing import Any

from k8swin_lab.kubectl.errors import KubectlError


class _Syntax(Exception):
    pass


def render(template: str, value: Any) -> str:
    """Fill a template in.

    Raises:
        KubectlError: the template is malformed.
    """
    try:
        parts = _split(template)
        out, _ = _run(parts, 0, value, value)
    except _Syntax as error:
        raise KubectlError(f"error: error parsing jsonpath {template}, {error}") from error
    return out


def relaxed(template: str) -> str:
    """Return a template with the braces that kubectl adds when there are none."""
    if "{" in template:
        return template
    text = template if template.startswith((".", "[")) else f".{template}"
    return "{" + text + "}"


def _split(template: str) -> list[tuple[str, str]]:
    """Return ("text", ...) and ("expression", ...) parts."""
    parts: list[tuple[str, str]] = []
    at = 0
    while at < len(template):
        start = template.find("{", at)
        if start < 0:
            parts.append(("text", template[at:]))
            break
        if start > at:
            parts.append(("text", template[at:start]))
        end = _closing(template, start)
        parts.append(("expression", template[start + 1 : end].strip()))
        at = end + 1
    return parts


def _closing(template: str, start: int) -> int:
    quote = ""
    at = start + 1
    while at < len(template):
        letter = template[at]
        if quote:
            if letter == "\\":
                at += 1
            elif letter == quote:
                quote = ""
        elif letter in "\"'":
            quote = letter
        elif letter == "}":
            return at
        at += 1
    raise _Syntax("unclosed action")


def _run(
    parts: list[tuple[str, str]], at: int, value: Any, root: Any, *, inner: bool = False
) -> tuple[str, int]:
    out = ""
    while at < len(parts):
        kind, text = parts[at]
        if kind == "text":
            out += text
        elif text == "end":
            if not inner:
                raise _Syntax("not in range, nothing to end")
            return out, at
        elif text.startswith("range"):
            found = [
                one
                for item in evaluate(text[5:].strip(), value, root)
                for one in (item if isinstance(item, list) else [item])
            ]
            end = _matching_end(parts, at)
            for one in found:
                body, _ = _run(parts[: end + 1], at + 1, one, root, inner=True)
                out += body
            at = end
        else:
            out += _expression(text, value, root)
        at += 1
    return out, at


def _matching_end(parts: list[tuple[str, str]], at: int) -> int:
    depth = 0
    for index in range(at, len(parts)):
        kind, text = parts[index]
        if kind == "expression" and text.startswith("range"):
            depth += 1
        elif kind == "expression" and text == "end":
            depth -= 1
            if depth == 0:
                return index
    raise _Syntax("unclosed range")


def _expression(text: str, value: Any, root: Any) -> str:
    if text[:1] in "\"'" and len(text) > 1 and text[-1] == text[0]:
        return _unquoted(text)
    return " ".join(show(one) for one in evaluate(text, value, root))


def _unquoted(text: str) -> str:
    body = text[1:-1]
    for escape, letter in (
        ("\\n", "\n"),
        ("\\t", "\t"),
        ('\\"', '"'),
        ("\\'", "'"),
        ("\\\\", "\\"),
    ):
        body = body.replace(escape, letter)
    return body


def show(value: Any) -> str:
    """Return a value as a template prints it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return str(value)


_STEP = re.compile(
    r"""\.\.(?P<deep>(?:\\.|[^.\[\]\s])+)
      | \.(?P<name>(?:\\.|[^.\[\]\s])+)
      | \[(?P<filter>\?\(.*?\))\]
      | \[(?P<quoted>'(?:\\.|[^'])*'|"(?:\\.|[^"])*")\]
      | \[(?P<inside>[^\]]*)\]
      | \.(?=$)""",
    re.VERBOSE | re.DOTALL,
)


def evaluate(expression: str, value: Any, root: Any) -> list[Any]:
    """Return what a path leads to.

    Raises:
        _Syntax: it is no path.
    """
    rest = expression.strip()
    current = [value]
    if rest.startswith("$"):
        current, rest = [root], rest[1:]
    elif rest.startswith("@"):
        rest = rest[1:]
    elif rest and rest[0] not in ".[":
        rest = f".{rest}"
    while rest:
        step = _STEP.match(rest)
        if not step:
            raise _Syntax(f"unrecognized character in action: {rest[0]!r}")
        rest = rest[step.end() :]
        current = _step(step, current, root)
    return current


def _step(step: re.Match[str], current: list[Any], root: Any) -> list[Any]:
    if step["deep"]:
        return [found for one in current for found in _deep(one, _plain(step["deep"]))]
    if step["name"]:
        name = _plain(step["name"])
        if name == "*":
            return [item for one in current for item in _children(one)]
        return [one[name] for one in current if isinstance(one, dict) and name in one]
    if step["filter"]:
        condition = step["filter"][2:-1].strip()
        return [item for one in current for item in _children(one) if _holds(condition, item, root)]
    if step["quoted"]:
        name = _plain(step["quoted"][1:-1])
        return [one[name] for one in current if isinstance(one, dict) and name in one]
    if step["inside"] is not None:
        return [item for one in current for item in _indexed(step["inside"], one)]
    return current


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    return list(value) if isinstance(value, list) else []


def _deep(value: Any, name: str) -> list[Any]:
    found = []
    if isinstance(value, dict):
        if name in value:
            found.append(value[name])
        for key in sorted(value):
            found += _deep(value[key], name)
    elif isinstance(value, list):
        for one in value:
            found += _deep(one, name)
    return found


def _indexed(text: str, value: Any) -> list[Any]:
    if text.strip() == "*":
        return _children(value)
    if not isinstance(value, list):
        return []
    if ":" in text:
        bounds = [int(part) if part.strip() else None for part in text.split(":")]
        return value[slice(*bounds)]
    found = []
    for part in text.split(","):
        try:
            found.append(value[int(part)])
        except ValueError:
            raise _Syntax(f"invalid array index {part}") from None
        except IndexError:
            raise _Syntax(f"array index out of bounds: index {part}, length {len(value)}") from None
    return found


def _holds(condition: str, item: Any, root: Any) -> bool:
    found = re.fullmatch(r"(.+?)\s*(==|!=|>=|<=|>|<)\s*(.+)", condition, re.DOTALL)
    if not found:
        return bool(evaluate(condition, item, root))
    left, right = (_operand(part, item, root) for part in (found[1], found[3]))
    if left is None or right is None:
        return found[2] == "!=" and left is not right
    if type(left) is not type(right) and not (
        isinstance(left, int | float) and isinstance(right, int | float)
    ):
        left, right = show(left), show(right)
    answers: dict[str, bool] = {
        "==": left == right,
        "!=": left != right,
        ">=": left >= right,
        "<=": left <= right,
        ">": left > right,
        "<": left < right,
    }
    return answers[found[2]]


def _operand(text: str, item: Any, root: Any) -> Any:
    text = text.strip()
    if text[:1] in "\"'":
        return _unquoted(text)
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if re.fullmatch(r"-?\d+\.\d+", text):
        return float(text)
    found = evaluate(text, item, root)
    return found[0] if found else None
