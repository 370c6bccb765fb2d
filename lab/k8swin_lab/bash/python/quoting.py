"""Ways in which bash writes a text so that it can be read again."""

from __future__ import annotations

import re

_CONTROL = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b", "\x1b": "\\E"}


def _ansi(text: str) -> str:
    out = ""
    for character in text:
        if character in _CONTROL:
            out += _CONTROL[character]
        elif character in "'\\":
            out += "\\" + character
        elif ord(character) < 32 or ord(character) == 127:
            out += f"\\{ord(character):03o}"
        else:
            out += character
    return f"$'{out}'"


def quoted(text: str) -> str:
    """Quote as `${name@Q}` does: always in single quotes."""
    if re.search(r"[\x00-\x1f\x7f]", text):
        return _ansi(text)
    return "'" + text.replace("'", "'\\''") + "'"


def escaped(text: str) -> str:
    """Quote as `printf %q` does: backslashes where they are needed."""
    if not text:
        return "''"
    if re.search(r"[\x00-\x1f\x7f]", text):
        return _ansi(text)
    result = re.sub(r"([^A-Za-z0-9_@%+=:./\-\u0080-\U0010ffff])", r"\\\1", text)
    if text[0] in "~#":
        return result if result[0] == "\\" else "\\" + result
    return result


def double_quoted(text: str) -> str:
    """Quote as `declare -p` does."""
    if re.search(r"[\x00-\x1f\x7f]", text):
        return _ansi(text)
    return '"' + re.sub(r'([$`"\\])', r"\\\1", text) + '"'


def traced(text: str) -> str:
    """Quote as `set -x` does: only when there is something to quote."""
    if text and re.fullmatch(r"[A-Za-z0-9_@%+=:,./\-\u0080-\U0010ffff]+", text):
        return text
    return quoted(text)
