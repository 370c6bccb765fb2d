"""Functions that scripts of one language share: a file a language, from which each script names what it uses.

    # uses: note_new_packages needed_if_any

The loader puts these, and those that they use themselves, behind that line, in the order of their file. So
what runs is whole, and is what a reader is shown and what a record's hash covers. The line stands behind a
script's declarations, since PowerShell wants its `param()` block first.

In a file of functions each begins with its name in the first column and ends with the first `}` there; the
comment above it belongs to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from k8swin_nb.errors import ScriptError
from k8swin_nb.scripts.powershell import without_comments

STEM = "functions"
"""Name of a language's file of functions, which is no script by itself."""

_USES = re.compile(r"^# uses: (.+)$", re.MULTILINE)
_COMMENT = re.compile(r"(^|\s)#.*$", re.MULTILINE)
_WORD = re.compile(r"(?<![\w$./-])[\w-]+")
"""A whole word of code that may call a function: no variable, no member and no part of a path."""

_FUNCTION = {
    "bash": re.compile(r"(?:^#[^\n]*\n)*^(\w+)\(\) \{.*?^\}\n", re.MULTILINE | re.DOTALL),
    "powershell": re.compile(
        r"(?:^#[^\n]*\n)*^function ([\w-]+)[^\n]*\{\n.*?^\}\n", re.MULTILINE | re.DOTALL
    ),
}


def read(text: str, interpreter: str) -> dict[str, str]:
    """Return the functions of a file by name, each with the comment above it."""
    return {match[1]: match[0] for match in _FUNCTION[interpreter].finditer(text)}


def compose(
    name: str,
    text: str,
    interpreter: str,
    functions: Mapping[str, str],
) -> str:
    """Return a script's text with the functions that it names, and what they use, behind the line that does.

    Args:
        name: The script's, for errors.
        text: The script as it is in its file.
        interpreter: Its language.
        functions: What its language has to offer, by name.

    Raises:
        ScriptError: when it names one that is not there, or does not name exactly what it uses.
    """
    line = _USES.search(text)
    named = line[1].split() if line else []
    absent = [function for function in named if function not in functions]
    if absent:
        raise ScriptError(
            f"`{name}` names `{absent[0]}`, which is no shared function",
            hint=f"there are: {', '.join(functions)}",
        )
    used = _used(text, interpreter, functions)
    if used != set(named):
        missing = ", ".join(sorted(used - set(named))) or "none"
        idle = ", ".join(sorted(set(named) - used)) or "none"
        raise ScriptError(
            f"`{name}`: shared functions used and not named: {missing}; named and not used: {idle}",
            hint=f"# uses: {' '.join(found for found in functions if found in used)}",
        )
    if not line:
        return text
    wanted = _closure(named, interpreter, functions)
    parts = [body for function, body in functions.items() if function in wanted]
    return text[: line.end()] + "\n\n" + "\n".join(parts).rstrip("\n") + text[line.end() :]


def _closure(
    named: Iterable[str],
    interpreter: str,
    functions: Mapping[str, str],
) -> set[str]:
    wanted: set[str] = set()
    waiting = list(named)
    while waiting:
        function = waiting.pop()
        if function not in wanted:
            wanted.add(function)
            waiting += _used(functions[function], interpreter, functions)
    return wanted


def _used(text: str, interpreter: str, functions: Iterable[str]) -> set[str]:
    """Return the names that stand in code; each is of several words, so that no prose holds one."""
    code = without_comments(text) if interpreter == "powershell" else _COMMENT.sub("", text)
    if interpreter == "powershell":
        words = {word.lower() for word in _WORD.findall(code)}
        return {name for name in functions if name.lower() in words}
    return set(functions).intersection(_WORD.findall(code))
