"""Builtins that make variables: declare, local, export, readonly, unset."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from k8swin_lab.bash.python.builtins.table import Builtin, options
from k8swin_lab.bash.python.quoting import double_quoted
from k8swin_lab.bash.python.state import CommandFault
from k8swin_lab.bash.python.syntax import Assignment, Literal, Word
from k8swin_lab.bash.python.variables import ShellFault, Variable
from k8swin_lab.machines.program import NotSimulated

if TYPE_CHECKING:
    from k8swin_lab.bash.python.interpreter import Interpreter

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[(.*?)\])?(\+?)=(.*)", re.S)
_ATTRIBUTES = {"r": "readonly", "x": "exported", "i": "integer", "l": "lower", "u": "upper"}


def _parsed(arguments: list[str], declared: list[Assignment]) -> tuple[list[str], list[Assignment]]:
    """Take assignments that came out of an expansion (`declare "$x=1"`) as such."""
    names: list[str] = []
    all_assignments: list[Assignment] = list(declared)
    for argument in arguments:
        found = _ASSIGNMENT.fullmatch(argument)
        if found:
            index = Word((Literal(found[2]),), found[2]) if found[2] is not None else None
            value = Word((Literal(found[4], quoted=True),), found[4])
            all_assignments.append(Assignment(found[1], index, bool(found[3]), value))
        else:
            names.append(argument)
    return names, all_assignments


def _declare_with(
    shell: Interpreter,
    command: str,
    letters: str,
    removed: str,
    names: list[str],
    assignments: list[Assignment],
    *,
    local: bool,
) -> int:
    status = 0
    targets: list[tuple[str, Assignment | None]] = [(name, None) for name in names]
    targets += [(assignment.name, assignment) for assignment in assignments]
    for name, assignment in targets:
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            shell.complain(f"{command}: `{name}': not a valid identifier")
            status = 1
            continue
        try:
            _one(shell, name, assignment, letters, removed, local=local)
        except ShellFault as fault:
            if fault.fatal:
                raise
            shell.complain(f"{command}: {fault.text}" if "readonly" in fault.text else fault.text)
            status = 1
    return status


def _one(
    shell: Interpreter,
    name: str,
    assignment: Assignment | None,
    letters: str,
    removed: str,
    *,
    local: bool,
) -> None:
    text = ""
    plain = assignment is not None and assignment.elements is None and assignment.index is None
    if plain and local and assignment is not None:
        # `local x=$x` speaks of the outer variable.
        text = shell.expand.assigned(assignment.value)
    variable = shell.variables.make(name, local=local) if "n" not in letters else (
        shell.variables.scopes[-1 if local else 0].setdefault(name, Variable())
    )  # fmt: skip
    if "A" in letters:
        variable.associative = True
        if variable.items is None and (assignment is None or assignment.index is not None):
            variable.items = {}
    elif "a" in letters and variable.items is None:
        variable.items = {} if variable.value is None else {0: variable.value}
        variable.value = None
    for letter in letters:
        if letter in _ATTRIBUTES and letter != "r":
            setattr(variable, _ATTRIBUTES[letter], True)
    for letter in removed:
        if letter == "r" and variable.readonly:
            raise ShellFault(f"{name}: readonly variable", fatal=False)
        if letter in _ATTRIBUTES:
            setattr(variable, _ATTRIBUTES[letter], False)
    if "n" in letters:
        variable.reference = True
        if assignment is not None:
            variable.value = shell.expand.assigned(assignment.value)
        return
    if assignment is not None:
        if plain and local:
            if assignment.append:
                shell.assign(name, text, append=True)
            else:
                shell.assign(name, text)
        else:
            shell.assign_from(assignment)
    if "r" in letters:
        variable.readonly = True


def _letters(arguments: list[str], known: str, command: str) -> tuple[str, str, list[str]]:
    on, off = "", ""
    rest = list(arguments)
    while rest and len(rest[0]) > 1 and rest[0][0] in "-+":
        word = rest.pop(0)
        if word == "--":
            break
        for letter in word[1:]:
            if letter not in known:
                raise CommandFault(f"-{letter}: invalid option", 2)
        if word[0] == "-":
            on += word[1:]
        else:
            off += word[1:]
    return on, off, rest


def _declare(shell: Interpreter, arguments: list[str], declared: list[Assignment]) -> int:
    letters, removed, rest = _letters(arguments, "aAfFgiIlnrtuxp", "declare")
    if "f" in letters or "F" in letters:
        return _functions(shell, rest, names_only="F" in letters)
    names, assignments = _parsed(rest, declared)
    if "p" in letters:
        return _print(shell, names)
    local = bool(shell.frames) and "g" not in letters and len(shell.variables.scopes) > 1
    return _declare_with(shell, "declare", letters, removed, names, assignments, local=local)


def _functions(shell: Interpreter, names: list[str], *, names_only: bool) -> int:
    status = 0
    for name in names or sorted(shell.functions):
        if name not in shell.functions:
            status = 1
        elif names_only:
            shell.output(f"{name}\n" if names else f"declare -f {name}\n")
        else:
            raise NotSimulated("printing a bash function")
    return status


def _print(shell: Interpreter, names: list[str]) -> int:
    status = 0
    for name in names or shell.variables.names():
        variable = shell.find(name)
        if variable is None:
            shell.complain(f"declare: {name}: not found")
            status = 1
            continue
        shell.output(declaration(shell, name, variable) + "\n")
    return status


def declaration(shell: Interpreter, name: str, variable: Variable) -> str:
    """Return a variable as `declare -p` writes it."""
    flags = shell.flags_of(variable) or "-"
    if variable.items is not None:
        inner = " ".join(f"[{_key(k)}]={double_quoted(v)}" for k, v in variable.sorted_items())
        tail = " " if variable.associative and inner else ""
        return f"declare -{flags} {name}=({inner}{tail})"
    if variable.value is None:
        return f"declare -{flags} {name}"
    return f"declare -{flags} {name}={double_quoted(variable.value)}"


def _key(key: int | str) -> str:
    text = str(key)
    return text if re.fullmatch(r"[\w./@%:,+-]+", text) else double_quoted(text)


def _local(shell: Interpreter, arguments: list[str], declared: list[Assignment]) -> int:
    if len(shell.variables.scopes) < 2:
        raise CommandFault("can only be used in a function")
    if arguments[:1] == ["-"]:
        raise NotSimulated("local -")
    letters, removed, rest = _letters(arguments, "aAiIlnrtuxp", "local")
    names, assignments = _parsed(rest, declared)
    return _declare_with(shell, "local", letters, removed, names, assignments, local=True)


def _export(shell: Interpreter, arguments: list[str], declared: list[Assignment]) -> int:
    found, rest = options(arguments, "nfp")
    names, assignments = _parsed(rest, declared)
    if "f" in found:
        raise NotSimulated("export -f")
    if "p" in found or not (names or assignments):
        for name in shell.variables.names():
            variable = shell.variables.find(name)
            if variable and variable.exported:
                shell.output(declaration(shell, name, variable) + "\n")
        return 0
    if "n" in found:
        return _declare_with(shell, "export", "", "x", names, assignments, local=False)
    return _declare_with(shell, "export", "x", "", names, assignments, local=False)


def _readonly(shell: Interpreter, arguments: list[str], declared: list[Assignment]) -> int:
    letters, _, rest = _letters(arguments, "aAp", "readonly")
    names, assignments = _parsed(rest, declared)
    if "p" in letters or not (names or assignments):
        for name in shell.variables.names():
            variable = shell.variables.find(name)
            if variable and variable.readonly:
                shell.output(declaration(shell, name, variable) + "\n")
        return 0
    return _declare_with(shell, "readonly", letters + "r", "", names, assignments, local=False)


def _unset(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    found, names = options(arguments, "fvn")
    status = 0
    for name in names:
        element = re.fullmatch(r"([A-Za-z_]\w*)\[(.*)\]", name, re.S)
        if "f" in found:
            shell.functions.pop(name, None)
        elif element:
            variable = shell.variables.find(element[1])
            if variable and element[2] in ("@", "*") and not variable.associative:
                shell.variables.unset(element[1])
            elif variable and variable.items is not None:
                key = shell.key(variable, element[1], shell.parse_word(element[2]))
                variable.items.pop(key, None)
        elif not re.fullmatch(r"[A-Za-z_]\w*", name):
            shell.complain(f"unset: `{name}': not a valid identifier")
            status = 1
        elif shell.variables.find(name) is None and name in shell.functions and "v" not in found:
            del shell.functions[name]
        else:
            try:
                shell.variables.unset(name if "n" in found else shell.variables.target(name))
            except ShellFault as fault:
                shell.complain(fault.text)
                status = 1
    return status


BUILTINS: dict[str, Builtin] = {
    "declare": _declare, "typeset": _declare, "local": _local, "export": _export,
    "readonly": _readonly, "unset": _unset,
}  # fmt: skip
