"""Values of the notebook that a script is given: `--env A=expression` and `--arg expression`. They are passed, never pasted."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any
from uuid import UUID

from k8swin_nb.notebook.magic_line import HALF, MagicUsageError, evaluate
from k8swin_nb.secret import Secret
from k8swin_nb.shells import Listed

if TYPE_CHECKING:
    from k8swin_nb.scripts import Script

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def environment(given: Sequence[str], names: Mapping[str, Any]) -> dict[str, str | Secret]:
    """Return variables by name.

    Args:
        given: Each `NAME=expression`, or `NAME` alone: the notebook's variable of that name.
        names: What expressions may use.

    Raises:
        MagicUsageError: when a name is none, an expression fails, or its value is nothing that a script can be given.
    """
    found: dict[str, str | Secret] = {}
    for typed in given:
        text = typed[1:-1] if _in_quotes(typed) else typed
        name, equals, expression = text.partition("=")
        name = name.strip()
        if not _NAME.fullmatch(name):
            raise MagicUsageError(
                f"--env: `{name}` is no name of a variable; write `--env NAME=expression`"
            )
        found[name] = _passed(expression if equals else name, names, f"--env {name}")
    return found


def arguments(
    given: Sequence[str], names: Mapping[str, Any], script: Script
) -> tuple[dict[str, str | Secret], list[str | Secret]]:
    """Return what a script's declared parameters are given by name, and the arguments behind them in order.

    In PowerShell a text such as `"-Force"` that is typed on the line names a parameter of the script's `param(...)`, as it does
    in a call: a switch alone, another one with the argument behind it. A value of a variable never does.

    Raises:
        MagicUsageError: as `environment`, and when there is no argument behind a parameter that wants one.
    """
    declared = {}
    if script.interpreter == "powershell":
        declared = {f"-{one.name}".lower(): one for one in script.parameters}
    by_name: dict[str, str | Secret] = {}
    rest: list[str | Secret] = []
    waiting = iter(given)
    for text in waiting:
        one = declared.get(text.strip()[1:-1].lower()) if _in_quotes(text.strip()) else None
        if one is None:
            rest.append(_passed(text, names, "--arg"))
        elif one.is_switch:
            by_name[one.name] = "true"
        elif (value := next(waiting, None)) is not None:
            by_name[one.name] = _passed(value, names, f"--arg {text}")
        else:
            raise MagicUsageError(f"--arg {text}: there is no --arg with its value behind it")
    return by_name, rest


def _passed(expression: str, names: Mapping[str, Any], where: str) -> str | Secret:
    if _in_quotes(expression.strip()):
        # Text: what stands between the quotes, whatever Python would read into a backslash of a path.
        return as_text(expression.strip()[1:-1], where)
    return as_text(evaluate(_bare(expression), names), where)


def _in_quotes(text: str) -> bool:
    quote = text[:1]
    return len(text) > 1 and quote in ("'", '"') and text.find(quote, 1) == len(text) - 1


def _bare(expression: str) -> str:
    """Return an expression without the braces that the rest of a line has around one."""
    text = expression.strip()
    if text.startswith("{") and text.endswith("}"):
        try:
            tree = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError):
            return text
        if isinstance(tree, ast.Set) and len(tree.elts) == 1:
            return text[1:-1]
    return text


def as_text(value: Any, where: str) -> str | Secret:
    """Return a value as a script is given it: text as it is, numbers as digits, lists and mappings as JSON.

    Raises:
        MagicUsageError: when it is nothing of that kind, with what to pass in its place.
    """
    if isinstance(value, Secret):
        return value
    plain = _plain(value)
    if plain is _NOTHING or plain is None:
        kind = "None" if value is None else f"of the type {type(value).__name__}"
        raise MagicUsageError(
            f"{where}: the value is {kind}, which is nothing that a script can be given; {_in_its_place(value)}"
        )
    if isinstance(plain, str):
        text = plain
    elif isinstance(plain, bool):
        text = "true" if plain else "false"
    elif isinstance(plain, int | float):
        text = str(plain)
    else:
        try:
            text = Listed(json.dumps(plain, default=_inside, ensure_ascii=False, allow_nan=False))
        except (TypeError, ValueError, RecursionError) as error:
            raise MagicUsageError(
                f"{where}: the value cannot be passed as JSON: {error}"
            ) from error
    if "\0" in text:
        raise MagicUsageError(f"{where}: the value holds a NUL character, which no variable can")
    if HALF.search(text):
        raise MagicUsageError(f"{where}: the value holds half of a character (a lone surrogate)")
    return text


_NOTHING = object()
"""What stands for a value that cannot be passed."""

_AS_THEY_PRINT = (Decimal, UUID, IPv4Address, IPv6Address, IPv4Network, IPv6Network)


def _plain(value: Any) -> Any:
    """Return a value as text, number, truth, None, list or mapping, or `_NOTHING`."""
    if isinstance(value, Enum) and not isinstance(value, str | int):
        return _plain(value.value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool | int | float | list | tuple | dict) or value is None:
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat() if value == value else None  # pandas' NaT is not equal to itself
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, _AS_THEY_PRINT):
        return str(value)
    if isinstance(value, range):
        return list(value)
    kind = type(value)
    if kind.__module__.startswith("numpy") and hasattr(value, "item") and not value.ndim:
        return _plain(value.item())
    if kind.__module__.startswith(("numpy", "pandas")) and getattr(value, "ndim", 0) == 1:
        return value.tolist()
    return _NOTHING


def _inside(value: Any) -> Any:
    """Return what JSON holds in the place of something that it does not know."""
    if isinstance(value, Secret):
        raise TypeError("it holds a secret; pass that by itself")
    plain = _plain(value)
    if plain is _NOTHING:
        raise TypeError(
            f"it holds something of the type {type(value).__name__}; {_in_its_place(value)}"
        )
    return plain


def _in_its_place(value: Any) -> str:
    if value is None:
        return 'pass `""` for an empty text'
    if isinstance(value, bytes | bytearray | memoryview):
        return "pass `{value.decode()}` or `{base64.b64encode(value).decode()}`"
    if isinstance(value, timedelta):
        return "pass `{value.total_seconds()}`"
    if isinstance(value, Set):
        return "pass `{sorted(value)}`"
    if hasattr(value, "to_csv"):
        return "pass `{value.to_csv(index=False)}` or `{value.to_json(orient='records')}`"
    if hasattr(value, "tolist"):
        return "pass `{value.tolist()}`"
    if isinstance(value, Iterator):
        return "pass `{list(value)}`"
    return "pass text, a number, a list or a mapping"
