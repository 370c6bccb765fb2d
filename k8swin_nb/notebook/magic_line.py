"""How the line of a magic is read: options, quotes, and `{name}` expressions."""

from __future__ import annotations

import argparse
import ast
import builtins
import difflib
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from IPython.core.error import UsageError

from k8swin_nb.secret import Secret
from k8swin_nb.shown import shown


class MagicUsageError(UsageError):
    """The line of a magic is wrong; shown in one line, and an error for papermill too."""

    def _render_traceback_(self) -> list[str]:
        return [f"UsageError: {shown(self)}"]


class LineParser(argparse.ArgumentParser):
    """argparse without exits, without abbreviations, and with suggestions."""

    def __init__(self, name: str, description: str) -> None:
        super().__init__(
            prog=f"%%{name}", description=description, allow_abbrev=False, add_help=True
        )

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving the kernel."""
        raise MagicUsageError(f"{self.prog}: {message}; options: {' '.join(self.options())}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Raise instead of leaving the kernel; `--help` has printed its text by then."""
        raise HelpShown

    def options(self) -> list[str]:
        """Return every option, as typed."""
        return [text for action in self._actions for text in action.option_strings]

    def read(self, words: list[str]) -> tuple[argparse.Namespace, list[str]]:
        """Return options and the words that are none.

        Raises:
            MagicUsageError: for an unknown option, with the nearest one.
        """
        options, rest = self.parse_known_args(words)
        for word in rest:
            if word.startswith("-"):
                name = word.split("=")[0]
                close = difflib.get_close_matches(name, self.options(), n=1)
                hint = f", did you mean `{close[0]}`?" if close else ""
                self.error(f"unknown option `{name}`{hint}")
        return options, rest


class HelpShown(Exception):
    """`--help` was asked for, and is answered."""


_WORD = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")


def split(line: str) -> list[tuple[str, int]]:
    """Cut a line at spaces that are not in quotes; backslashes stay, quotes around a value go.

    Returns:
        Each word with the place where it begins.

    Raises:
        MagicUsageError: when a quote is not closed.
    """
    words: list[tuple[str, int]] = []
    place = 0
    while True:
        while place < len(line) and line[place].isspace():
            place += 1
        if place == len(line):
            return words
        match = _WORD.match(line, place)
        if match is None or (match.end() < len(line) and not line[match.end()].isspace()):
            raise MagicUsageError(f"a quote is not closed: {line[place:]}")
        words.append((strip_quotes(match.group()), place))
        place = match.end()


def strip_quotes(word: str) -> str:
    """Remove one pair of quotes around a word, or around an option's value: `--out="x"`."""
    option, equals, value = word.partition("=")
    if equals and option.startswith("--"):
        return f"{option}={strip_quotes(value)}"
    if len(word) >= 2 and word[0] == word[-1] and word[0] in "\"'":
        return word[1:-1]
    return word


def expand(line: str, namespace: Mapping[str, Any]) -> str:
    """Replace `{expression}` by its value; `{{` and `}}` are braces, `{.` and `$` are left alone.

    Raises:
        MagicUsageError: for an unknown name, with the nearest one, or a failing expression.
    """
    out = []
    place = 0
    while place < len(line):
        char = line[place]
        pair = line[place : place + 2]
        if pair in ("{{", "}}"):
            out.append(char)
            place += 2
        elif char == "{" and pair != "{.":
            end = line.find("}", place)
            if end == -1:
                raise MagicUsageError(f"a brace is not closed: {line[place:]}")
            out.append(_value(line[place + 1 : end], namespace))
            place = end + 1
        elif pair == "{.":
            end = line.find("}", place)
            end = len(line) if end == -1 else end + 1
            out.append(line[place:end])
            place = end
        else:
            out.append(char)
            place += 1
    return "".join(out)


def _value(expression: str, namespace: Mapping[str, Any]) -> str:
    text = expression.strip()
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise MagicUsageError(
            f"`{{{expression}}}` is no Python expression; write `{{{{` for a brace"
        ) from error
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Name)
            and node.id not in namespace
            and not hasattr(builtins, node.id)
        ):
            local = {
                n.id
                for n in ast.walk(tree)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
            if node.id in local:
                continue
            names = [name for name in namespace if not name.startswith("_")]
            close = difflib.get_close_matches(node.id, names, n=1)
            hint = f", did you mean `{close[0]}`?" if close else ""
            raise MagicUsageError(f"`{{{expression}}}`: the name `{node.id}` is not defined{hint}")
    try:
        value = eval(compile(tree, "<magic line>", "eval"), dict(namespace))  # noqa: S307 -- the user's own cell
    except Exception as error:
        raise MagicUsageError(f"`{{{expression}}}`: {type(error).__name__}: {error}") from error
    if isinstance(value, Secret):
        raise MagicUsageError(f"`{{{expression}}}` is a secret, which does not belong on a line")
    return str(value)
