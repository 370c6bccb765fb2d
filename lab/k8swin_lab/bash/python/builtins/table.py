"""What a builtin is, and how most of them read their options."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from k8swin_lab.bash.python.state import CommandFault
from k8swin_lab.bash.python.syntax import Assignment

if TYPE_CHECKING:
    from k8swin_lab.bash.python.interpreter import Interpreter

Builtin = Callable[["Interpreter", list[str], list[Assignment]], int]


def options(
    arguments: list[str], flags: str, valued: str = "", usage: str = ""
) -> tuple[dict[str, str], list[str]]:
    """Read short options.

    Args:
        arguments: after the command's name.
        flags: letters without a value.
        valued: letters with one.
        usage: the usage line bash adds to its complaint.

    Returns:
        The options by letter ("" for a flag) and the operands.

    Raises:
        CommandFault: an unknown option or a missing value.
    """
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest and len(rest[0]) > 1 and rest[0][0] == "-":
        word = rest.pop(0)
        if word == "--":
            break
        letters = word[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in flags:
                found[letter] = ""
            elif letter in valued:
                if not letters and not rest:
                    raise CommandFault(f"-{letter}: option requires an argument", 2)
                found[letter] = letters or rest.pop(0)
                letters = ""
            else:
                suffix = f"\n{usage}" if usage else ""
                raise CommandFault(f"-{letter}: invalid option{suffix}", 2)
    return found, rest


def number(text: str) -> int:
    """Return a number given as argument.

    Raises:
        CommandFault: it is none.
    """
    try:
        return int(text)
    except ValueError:
        raise CommandFault(f"{text}: numeric argument required", 2) from None
