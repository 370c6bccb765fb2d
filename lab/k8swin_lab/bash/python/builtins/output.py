"""Builtins that write: echo and printf."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from k8swin_lab.bash.python.builtins.table import Builtin
from k8swin_lab.bash.python.quoting import escaped
from k8swin_lab.bash.python.state import CommandFault
from k8swin_lab.bash.tools.formatting import echo_escapes, formatted

if TYPE_CHECKING:
    from k8swin_lab.bash.python.interpreter import Interpreter
    from k8swin_lab.bash.python.syntax import Assignment


def _echo(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    newline, escapes = True, False
    rest = list(arguments)
    while rest and re.fullmatch(r"-[neE]+", rest[0]):
        for letter in rest.pop(0)[1:]:
            if letter == "n":
                newline = False
            else:
                escapes = letter == "e"
    text = " ".join(rest)
    if escapes:
        text, stopped = echo_escapes(text)
        newline = newline and not stopped
    shell.output(text + ("\n" if newline else ""))
    return 0


def _printf(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    target = ""
    rest = list(arguments)
    if rest and rest[0] == "-v":
        target, rest = rest[1], rest[2:]
    elif rest and rest[0].startswith("-v") and len(rest[0]) > 2:
        target, rest = rest[0][2:], rest[1:]
    if rest and rest[0] == "--":
        rest = rest[1:]
    if not rest:
        raise CommandFault("usage: printf [-v var] format [arguments]", 2)
    text, faults = formatted(rest[0], rest[1:], quote=escaped)
    if target:
        element = re.fullmatch(r"([A-Za-z_]\w*)\[(.*)\]", target)
        if element:
            shell.assign_element(element[1], element[2], text)
        else:
            shell.assign(target, text)
    else:
        shell.output(text)
    for fault in faults:
        shell.complain(f"printf: {fault}")
    return int(bool(faults))


BUILTINS: dict[str, Builtin] = {"echo": _echo, "printf": _printf}
