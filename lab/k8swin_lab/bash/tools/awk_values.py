"""awk's values: numbers, texts, and texts that look like numbers."""

from __future__ import annotations

import functools
import re

from k8swin_lab.bash.tools.expressions import posix_expression
from k8swin_lab.bash.tools.formatting import formatted as shell_formatted

_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)")

_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "/": "/", '"': '"'}
"""What awk reads as one character before it reads an expression."""


class NumericText(str):
    """A text from input that looks like a number and compares as one."""

    numeric = True


Value = str | float


def looks_numeric(given: str) -> str:
    """Mark a text from input when it looks like a number."""
    found = _NUMBER.match(given)
    if found and not given[found.end() :].strip():
        return NumericText(given)
    return given


def number(value: Value) -> float:
    """Return a value as a number."""
    if isinstance(value, float):
        return value
    found = _NUMBER.match(value)
    return float(found[0]) if found else 0.0


def string(value: Value, form: str = "%.6g") -> str:
    """Return a value as a text; whole numbers without a point."""
    if isinstance(value, str):
        return str(value)
    if value == int(value) if abs(value) < 1e300 else False:
        return str(int(value))
    return form % value


def is_true(value: Value) -> bool:
    """Tell whether a condition holds."""
    if isinstance(value, NumericText):
        return number(value) != 0
    return bool(value)


@functools.lru_cache(maxsize=500)
def pattern(source: str) -> str:
    r"""Translate a regular expression of awk, where `\t` is a tab in a bracket, too."""
    plain = re.sub(
        r"\\(.)", lambda found: _ESCAPED.get(found[1], found[0]), source, flags=re.DOTALL
    )
    return posix_expression(plain, extended=True)


def formatted(form: str, values: list[Value]) -> str:
    """Format as awk's printf does: once, values as the letters want them."""
    kinds = re.findall(r"%(?:%|[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d*))?[hlL]*([a-zA-Z]))", form)
    arguments = []
    left = list(values)
    for kind in kinds:
        if not kind:
            continue
        value = left.pop(0) if left else ""
        if kind in "dioxXu":
            arguments.append(str(int(number(value))))
        elif kind == "c":
            arguments.append(string(value)[:1] if isinstance(value, str) else chr(int(value)))
        elif kind in "eEfFgG":
            arguments.append(repr(number(value)))
        else:
            arguments.append(string(value))
    protected = form.replace("\\", "\\\\")
    return shell_formatted(protected, arguments, quote=str)[0]


def substituted(source: str, replacement: str, given: str, *, everywhere: bool) -> tuple[str, int]:
    """Replace matches as sub and gsub do; return the text and how many there were."""

    def one(found: re.Match[str]) -> str:
        return re.sub(
            r"\\(.)|&",
            lambda m: (m[1] if m[1] in "&\\" else m[0]) if m[1] else found[0],
            replacement,
        )

    return re.subn(source, one, given, count=0 if everywhere else 1)
