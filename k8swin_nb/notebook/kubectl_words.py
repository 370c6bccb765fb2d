"""The words of a `%kubectl` line: quotes as a shell has them, values of `{expression}`, templates and JSON as they are typed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from k8swin_nb.notebook.magic_line import MagicUsageError, expand

SHELL = re.compile(r"[|&;]+.*|\d?[<>].*|.*;")
"""Words that are a shell's, which is not asked."""

THEIRS = re.compile(r"""\{\{|\{\}|\{\s*(["'])(?:\\.|(?!\1).)*\1\s*[:}]|\{(?:range|if) |\{end\}""")
"""What of braces is kubectl's: JSON, and templates of its `jsonpath` and of Go."""


def kubectl_words(line: str, names: Mapping[str, Any]) -> list[str]:
    """Return the words that kubectl is given.

    Quotes go, also inside of a word (`-o jsonpath='{.items}'`), and in double quotes a backslash takes a quote or another
    backslash along; elsewhere it stays. `{expression}` is replaced by its value, but in JSON and in templates.

    Raises:
        MagicUsageError: when a quote is not closed, a word is a shell's, or an expression is none.
    """
    words: list[str] = []
    place, end = 0, len(line)
    while True:
        while place < end and line[place].isspace():
            place += 1
        if place == end:
            return words
        depth, quoted, text = 0, False, ""
        while place < end and not (line[place].isspace() and depth == 0):
            char = line[place]
            if char in "\"'" and depth == 0:
                piece, place = _quoted(line, place)
                quoted, text = True, text + piece
                continue
            depth = max(0, depth + (char == "{") - (char == "}"))
            text, place = text + char, place + 1
        if not quoted and SHELL.fullmatch(text):
            raise MagicUsageError(
                f"`{text}` is a shell's, and kubectl is called without one; "
                "what `get` returns is a DataFrame, and `%%remote_bash` has a shell: in quotes it is a word as any other"
            )
        value = _value(text, names)
        # As in a shell, a value that stands in no quotes may be several words.
        words += [value] if quoted or value == text else value.split()


def _quoted(line: str, place: int) -> tuple[str, int]:
    """Return what is in the quotes that open at a place, and where they are closed."""
    quote, text = line[place], ""
    for at in (found := iter(range(place + 1, len(line)))):
        if line[at] == quote:
            return text, at + 1
        if quote == '"' and line[at] == "\\" and line[at + 1 : at + 2] in ('"', "\\"):
            at = next(found)
        text += line[at]
    raise MagicUsageError(f"a quote is not closed: {line[place:]}")


def _value(text: str, names: Mapping[str, Any]) -> str:
    """Return a word with its expressions replaced; in JSON none is, unless its own braces are doubled."""
    if not THEIRS.search(text):
        return expand(text, names)
    option, equals, value = text.partition("=") if text.startswith("-") else ("", "", text)
    try:
        single = expand(value, names)
        json.loads(single)
    except (MagicUsageError, ValueError):
        return text
    return f"{option}{equals}{single}" if "{{" in value else text
