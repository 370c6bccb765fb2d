"""Builtins that steer: exit, return, loops, eval, source, set, trap, conditions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from k8swin_lab.bash.python.arithmetic import evaluate
from k8swin_lab.bash.python.builtins.table import Builtin, number, options
from k8swin_lab.bash.python.parser import Parser
from k8swin_lab.bash.python.quoting import quoted
from k8swin_lab.bash.python.state import (
    LETTERS,
    NAMES,
    BreakLoop,
    CommandFault,
    ContinueLoop,
    ExitShell,
    Frame,
    ReturnFrom,
)
from k8swin_lab.bash.python.variables import ShellFault
from k8swin_lab.machines.disk import Disk
from k8swin_lab.machines.program import NotSimulated

if TYPE_CHECKING:
    from k8swin_lab.bash.python.interpreter import Interpreter
    from k8swin_lab.bash.python.syntax import Assignment

_SIGNALS = ("EXIT", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1",
            "SEGV", "USR2", "PIPE", "ALRM", "TERM")  # fmt: skip


def _nothing(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    return 0


def _false(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    return 1


def _exit(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    if not arguments:
        raise ExitShell(shell.status)
    if not re.fullmatch(r"[-+]?\d+", arguments[0]):
        shell.complain(f"exit: {arguments[0]}: numeric argument required")
        raise ExitShell(2)
    if len(arguments) > 1:
        raise CommandFault("too many arguments")
    raise ExitShell(int(arguments[0]) & 255)


def _return(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    if not shell.frames:
        raise CommandFault("can only `return' from a function or sourced script", 2)
    raise ReturnFrom(number(arguments[0]) & 255 if arguments else shell.status)


def _break(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    levels = number(arguments[0]) if arguments else 1
    if not shell.in_loop:
        raise CommandFault("only meaningful in a `for', `while', or `until' loop", 0)
    raise BreakLoop(levels)


def _continue(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    levels = number(arguments[0]) if arguments else 1
    if not shell.in_loop:
        raise CommandFault("only meaningful in a `for', `while', or `until' loop", 0)
    raise ContinueLoop(levels)


def _eval(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    if arguments and arguments[0] == "--":
        arguments = arguments[1:]
    shell.status = 0
    return shell.run(Parser(" ".join(arguments), shell.line), f"{shell.name}: eval")


def _source(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    if arguments and arguments[0] == "--":
        arguments = arguments[1:]
    if not arguments:
        raise CommandFault("filename argument required", 2)
    name = arguments[0]
    disk = Disk(shell.machine, shell.cwd)
    path = name
    if "/" not in name:
        for directory in (shell.variables.get("PATH") or "").split(":"):
            if disk.is_file(f"{directory or '.'}/{name}"):
                path = f"{directory or '.'}/{name}"
                break
    try:
        text = disk.host(path).read_bytes().decode("utf-8", "surrogateescape")
    except IsADirectoryError:
        raise CommandFault(f"{name}: is a directory") from None
    except OSError:
        shell.complain(f"{name}: No such file or directory")
        return 1
    saved = shell.positional
    if arguments[1:]:
        shell.positional = arguments[1:]
    shell.frames.append(Frame("source", path, shell.line))
    shell.status = 0
    line = shell.line
    try:
        return shell.run(Parser(text), path)
    except ReturnFrom as leave:
        return leave.code
    finally:
        shell.frames.pop()
        shell.line = line
        if arguments[1:]:
            shell.positional = saved


def _set(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    if not arguments:
        for name in shell.variables.names():
            shell.output(f"{name}={_set_form(shell.variables.get(name) or '')}\n")
        return 0
    rest = list(arguments)
    while rest and rest[0] and rest[0][0] in "-+":
        word = rest.pop(0)
        on = word[0] == "-"
        if word == "--":
            shell.positional = rest
            return 0
        if word == "-":
            shell.options.xtrace = shell.options.verbose = False
            if rest:
                shell.positional = rest
            return 0
        for letter in word[1:]:
            if letter == "o":
                if not rest:
                    _print_options(shell, plain=on)
                    return 0
                name = rest.pop(0)
                if name not in NAMES and name not in ("emacs", "vi", "history"):
                    raise CommandFault(f"{name}: invalid option name", 2)
                shell.options.put(name, on)
            elif letter in LETTERS:
                shell.options.put(LETTERS[letter], on)
            else:
                raise CommandFault(
                    f"{word[0]}{letter}: invalid option\nset: usage: set [-abefhkmnptuvxBCEHPT] "
                    "[-o option-name] [--] [-] [arg ...]", 2
                )  # fmt: skip
    if rest:
        shell.positional = rest
    return 0


def _set_form(text: str) -> str:
    return text if re.fullmatch(r"[\w@%+=:,./-]*", text) else quoted(text)


def _print_options(shell: Interpreter, *, plain: bool) -> None:
    for name in NAMES:
        on = shell.options.get(name)
        if plain:
            shell.output(f"{name:<15}\t{'on' if on else 'off'}\n")
        else:
            shell.output(f"set {'-' if on else '+'}o {name}\n")


def _shift(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    count = number(arguments[0]) if arguments else 1
    if count < 0:
        raise CommandFault(f"{count}: shift count out of range")
    if count > len(shell.positional):
        return 1
    shell.positional = shell.positional[count:]
    return 0


def _trap(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    found, rest = options(arguments, "pl")
    if "l" in found:
        raise NotSimulated("trap -l")
    if "p" in found or not rest:
        wanted = [_signal_name(name) for name in rest]
        for name, text in shell.traps.items():
            if not wanted or name in wanted:
                shown = name if name in ("EXIT", "ERR", "DEBUG", "RETURN") else f"SIG{name}"
                shell.output(f"trap -- {quoted(text)} {shown}\n")
        return 0
    if len(rest) == 1:
        action, names = "-", rest
    else:
        action, names = rest[0], rest[1:]
    status = 0
    for given in names:
        name = _signal_name(given)
        if not name:
            shell.complain(f"trap: {given}: invalid signal specification")
            status = 1
        elif name in ("DEBUG", "RETURN") and action not in ("-", ""):
            raise NotSimulated(f"trap {name}")
        elif action == "-":
            shell.traps.pop(name, None)
        else:
            shell.traps[name] = action
    return status


def _signal_name(text: str) -> str:
    name = text.upper().removeprefix("SIG")
    if name == "0":
        return "EXIT"
    if text.isdigit():
        return _SIGNALS[int(text)] if int(text) < len(_SIGNALS) else ""
    known = (*_SIGNALS, "ERR", "DEBUG", "RETURN", "CHLD", "CONT", "STOP", "TSTP", "WINCH", "TTIN",
             "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "IO", "PWR", "SYS")  # fmt: skip
    return name if name in known else ""


def _test(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    return int(not shell.conditions.classic(arguments))


def _bracket(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    if not arguments or arguments[-1] != "]":
        raise CommandFault("missing `]'", 2)
    return int(not shell.conditions.classic(arguments[:-1]))


def _let(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    if not arguments:
        raise CommandFault("expression expected")
    result = 0
    for text in arguments:
        try:
            result = evaluate(text, shell)
        except ShellFault as fault:
            raise CommandFault(fault.text) from fault
    return int(not result)


def _shopt(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    found, names = options(arguments, "supqo")
    turned = "s" if "s" in found else "u" if "u" in found else ""
    status = 0
    for name in names:
        if "o" in found:
            if turned:
                shell.options.put(name, turned == "s")
            elif not shell.options.get(name):
                status = 1
            continue
        if name not in _SHOPT:
            shell.complain(f"shopt: {name}: invalid shell option name")
            status = 1
        elif turned == "s":
            shell.options.shopt.add(name)
        elif turned == "u":
            shell.options.shopt.discard(name)
        else:
            on = name in shell.options.shopt
            if "q" not in found:
                shell.output(f"{name:<20}\t{'on' if on else 'off'}\n")
            status = status or int(not on)
    if not names:
        for name in sorted(_SHOPT):
            on = name in shell.options.shopt
            if turned and on != (turned == "s"):
                continue
            shell.output(f"{name:<20}\t{'on' if on else 'off'}\n")
    return status


_SHOPT = frozenset(
    [
        "autocd",
        "cdable_vars",
        "checkhash",
        "checkwinsize",
        "cmdhist",
        "dotglob",
        "execfail",
        "expand_aliases",
        "extdebug",
        "extglob",
        "extquote",
        "failglob",
        "globstar",
        "inherit_errexit",
        "interactive_comments",
        "lastpipe",
        "nocaseglob",
        "nocasematch",
        "nullglob",
        "progcomp",
        "promptvars",
        "sourcepath",
        "xpg_echo",
        "globskipdots",
        "patsub_replacement",
        "localvar_inherit",
    ]
)

BUILTINS: dict[str, Builtin] = {
    ":": _nothing, "true": _nothing, "false": _false, "exit": _exit, "return": _return,
    "break": _break, "continue": _continue, "eval": _eval, "source": _source, ".": _source,
    "set": _set, "shift": _shift, "trap": _trap, "test": _test, "[": _bracket, "let": _let,
    "shopt": _shopt, "exec": _nothing,
}  # fmt: skip
