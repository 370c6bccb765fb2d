"""Runs simple commands: assignments, redirections, then a function, a builtin or a program."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from k8swin_lab.bash.python import redirection, tracing
from k8swin_lab.bash.python.builtins import BUILTINS, SPECIAL
from k8swin_lab.bash.python.state import CommandFault, ExitShell
from k8swin_lab.bash.python.syntax import Assignment, Simple, Word
from k8swin_lab.bash.python.variables import ShellFault, Variable
from k8swin_lab.machines.program import NotSimulated

if TYPE_CHECKING:
    from k8swin_lab.bash.python.interpreter import Interpreter

_DECLARES = frozenset(["declare", "typeset", "local", "export", "readonly"])


def run(shell: Interpreter, command: Simple) -> int:
    """Run a simple command and return its status."""
    shell.take_substituted()
    arguments: list[str] = []
    declared: list[Assignment] = []
    for word in command.words:
        if isinstance(word, Assignment):
            declared.append(word)
            arguments.append(word.name)
        else:
            arguments.extend(shell.expand.fields(word))
    saved = redirection.Saved(shell)
    if not arguments:
        return _assign_only(shell, command, saved)
    try:
        for redirect in command.redirects:
            redirection.apply(shell, redirect, saved)
    except redirection.RedirectFault as fault:
        saved.restore()
        shell.complain(fault.text)
        return 1
    try:
        status = _run_named(shell, command, arguments, declared, saved)
    finally:
        saved.restore()
    shell.last_argument = arguments[-1]
    shell.pipe_status = [status]
    return status


def _assign_only(shell: Interpreter, command: Simple, saved: redirection.Saved) -> int:
    try:
        for redirect in command.redirects:
            redirection.apply(shell, redirect, saved)
    except redirection.RedirectFault as fault:
        shell.complain(fault.text)
        return 1
    finally:
        saved.restore()
    for assignment in command.assignments:
        shell.assign_from(assignment)
        tracing.assignment(shell, assignment)
    status = shell.take_substituted()
    shell.pipe_status = [status]
    return status


def _run_named(
    shell: Interpreter,
    command: Simple,
    arguments: list[str],
    declared: list[Assignment],
    saved: redirection.Saved,
) -> int:
    name = arguments[0]
    if declared:
        texts = [
            word.source
            if isinstance(word, Word)
            else f"{word.name}={shell.expand.text(word.value)}"
            for word in command.words
        ]
        tracing.line(shell, " ".join(texts))
    elif not command.assignments:
        tracing.command(shell, arguments)
    if name in ("command", "builtin") and len(arguments) > 1 and not arguments[1].startswith("-"):
        skipped = arguments[1:]
        return _run_found(shell, command, skipped, declared, saved, functions=False)
    return _run_found(shell, command, arguments, declared, saved, functions=True)


def _run_found(
    shell: Interpreter,
    command: Simple,
    arguments: list[str],
    declared: list[Assignment],
    saved: redirection.Saved,
    *,
    functions: bool,
) -> int:
    name = arguments[0]
    is_function = functions and name in shell.functions
    if not is_function and name not in BUILTINS:
        return _run_program(shell, command, arguments)
    before = _temporarily(shell, command.assignments)
    if command.assignments:
        tracing.command(shell, arguments)
    try:
        if is_function:
            return shell.call(name, arguments[1:])
        if name == "exec":
            return _exec(shell, arguments, saved)
        try:
            if declared or name in _DECLARES:
                return BUILTINS[name](shell, _declaration(arguments, declared), declared)
            return BUILTINS[name](shell, arguments[1:], [])
        except CommandFault as fault:
            prefix = "" if name == "exec" else f"{name}: "
            shell.complain(prefix + fault.text)
            return fault.code
        except NotSimulated as gap:
            shell.error(f"{shell.machine.lacks(gap)}\n")
            return 70
        except BrokenPipeError:
            raise
        except OSError as error:
            shell.complain(f"{name}: write error: {os.strerror(error.errno or 5)}")
            return 1
    finally:
        if name not in SPECIAL or is_function:
            _put_back(shell, before)


def _declaration(arguments: list[str], declared: list[Assignment]) -> list[str]:
    """Leave out of the arguments what is given as assignments."""
    rest = arguments[1:]
    for assignment in declared:
        rest.remove(assignment.name)
    return rest


def _temporarily(
    shell: Interpreter, assignments: list[Assignment]
) -> list[tuple[str, Variable | None]]:
    before: list[tuple[str, Variable | None]] = []
    for assignment in assignments:
        old = shell.variables.find(assignment.name)
        before.append((assignment.name, old.copy() if old else None))
        shell.assign_from(assignment)
        shell.variables.make(assignment.name).exported = True
        tracing.assignment(shell, assignment)
    return before


def _put_back(shell: Interpreter, before: list[tuple[str, Variable | None]]) -> None:
    for name, old in reversed(before):
        for scope in reversed(shell.variables.scopes):
            if name in scope:
                if old is None:
                    del scope[name]
                else:
                    scope[name] = old
                break


def _run_program(shell: Interpreter, command: Simple, arguments: list[str]) -> int:
    before = _temporarily(shell, command.assignments)
    if command.assignments:
        tracing.command(shell, arguments)
    try:
        environment = shell.variables.environment()
    finally:
        _put_back(shell, before)
    return shell.host.program(shell, arguments, environment)


def _exec(shell: Interpreter, arguments: list[str], saved: redirection.Saved) -> int:
    rest = arguments[1:]
    while rest and rest[0].startswith("-") and rest[0] != "-":
        if rest[0] == "--":
            rest = rest[1:]
            break
        if rest[0] == "-a" and len(rest) > 1:
            rest = rest[2:]
        elif rest[0] == "-c":
            rest = rest[1:]
        else:
            raise ShellFault(f"exec: {rest[0]}: invalid option", code=2)
    if not rest:
        saved.keep()
        return 0
    environment = shell.variables.environment()
    if shell.host.path_of(shell, rest[0]) is None:
        if "/" in rest[0]:
            shell.complain(f"{rest[0]}: No such file or directory")
        else:
            shell.complain(f"exec: {rest[0]}: not found")
        raise ExitShell(127)
    shell.traps.pop("EXIT", None)
    raise ExitShell(shell.host.program(shell, rest, environment))
