"""Builtins about names and places: cd, pwd, command, type, hash, alias, umask."""

from __future__ import annotations

import errno
import os
import posixpath
from typing import TYPE_CHECKING

from k8swin_lab.bash.python.builtins.table import Builtin, options
from k8swin_lab.bash.python.state import CommandFault
from k8swin_lab.bash.tools.access import allowed
from k8swin_lab.machines.disk import Disk
from k8swin_lab.machines.program import NotSimulated

if TYPE_CHECKING:
    from k8swin_lab.bash.python.interpreter import Interpreter
    from k8swin_lab.bash.python.syntax import Assignment

_KEYWORDS = frozenset(
    [
        "if",
        "then",
        "else",
        "elif",
        "fi",
        "case",
        "esac",
        "for",
        "select",
        "while",
        "until",
        "do",
        "done",
        "in",
        "function",
        "time",
        "{",
        "}",
        "!",
        "[[",
        "]]",
        "coproc",
    ]
)


def _change(shell: Interpreter, path: str, shown: str, *, physical: bool = False) -> None:
    disk = Disk(shell.machine, shell.cwd)
    try:
        host = disk.host(path)
        if not host.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if not host.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        real = disk.real(path)
        if not allowed(shell.machine, shell.user, real, host, 1):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise CommandFault(f"{shown}: {os.strerror(error.errno or 5)}") from error
    old = shell.cwd
    absolute = disk.absolute(path)
    shell.cwd = real if physical else posixpath.normpath(absolute)
    if shell.cwd.startswith("//"):
        shell.cwd = shell.cwd[1:]
    shell.assign("OLDPWD", old)
    shell.assign("PWD", shell.cwd)


def _cd(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    found, rest = options(arguments, "LPe@")
    if len(rest) > 1:
        raise CommandFault("too many arguments")
    shown = ""
    if not rest:
        path = shell.variables.get("HOME") or ""
        if not path:
            raise CommandFault("HOME not set")
    elif rest[0] == "-":
        path = shown = shell.variables.get("OLDPWD") or ""
        if not path:
            raise CommandFault("OLDPWD not set")
    else:
        path = rest[0]
    _change(shell, path or ".", path, physical="P" in found)
    if shown:
        shell.output(f"{shell.cwd}\n")
    return 0


def _pwd(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    found, _rest = options(arguments, "LP")
    path = Disk(shell.machine, shell.cwd).real(".") if "P" in found else shell.cwd
    shell.output(f"{path}\n")
    return 0


def _pushd(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    stack = shell.host.directories.setdefault(shell.pid, [])
    if not arguments:
        if not stack:
            raise CommandFault("no other directory")
        path = stack.pop()
    else:
        path = arguments[0]
    old = shell.cwd
    _change(shell, path, path)
    stack.append(old)
    return _dirs(shell, [], [])


def _popd(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    stack = shell.host.directories.setdefault(shell.pid, [])
    if not stack:
        raise CommandFault("directory stack empty")
    path = stack.pop()
    _change(shell, path, path)
    return _dirs(shell, [], [])


def _dirs(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    stack = shell.host.directories.get(shell.pid, [])
    home = shell.variables.get("HOME") or ""
    shown = []
    for path in [shell.cwd, *reversed(stack)]:
        inside = home and (path == home or path.startswith(home + "/"))
        shown.append("~" + path[len(home) :] if inside else path)
    shell.output(" ".join(shown) + "\n")
    return 0


def _found(shell: Interpreter, name: str) -> tuple[str, str] | None:
    """Return what a name is and, for a file, its path."""
    if name in _KEYWORDS:
        return "keyword", ""
    if name in shell.functions:
        return "function", ""
    if name in shell.host.builtins:
        return "builtin", ""
    path = shell.host.path_of(shell, name)
    return ("file", path) if path else None


def _command(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    found, names = options(arguments, "vVp")
    if not ("v" in found or "V" in found):
        return shell.host.plain(shell, names) if names else 0
    status = 1
    for name in names:
        what = _found(shell, name)
        if what is None:
            if "V" in found:
                shell.complain(f"command: {name}: not found")
            continue
        status = 0
        shell.output(f"{_described(name, what) if 'V' in found else what[1] or name}\n")
    return status


def _described(name: str, what: tuple[str, str]) -> str:
    kind, path = what
    if kind == "file":
        return f"{name} is {path}"
    article = {"keyword": "a shell keyword", "builtin": "a shell builtin", "function": "a function"}
    return f"{name} is {article[kind]}"


def _type(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    found, names = options(arguments, "atpPf")
    status = 0
    for name in names:
        what = _found(shell, name)
        if "P" in found:
            path = shell.host.path_of(shell, name)
            what = ("file", path) if path else None
        if what is None:
            if not ("t" in found or "p" in found or "P" in found):
                shell.complain(f"type: {name}: not found")
            status = 1
        elif "t" in found:
            shell.output(f"{what[0]}\n")
        elif "p" in found or "P" in found:
            if what[1]:
                shell.output(f"{what[1]}\n")
        else:
            shell.output(f"{_described(name, what)}\n")
            if what[0] == "function":
                raise NotSimulated("printing a bash function")
    return status


def _builtin(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    if not arguments:
        return 0
    if arguments[0] not in shell.host.builtins:
        raise CommandFault(f"{arguments[0]}: not a shell builtin")
    return shell.host.builtins[arguments[0]](shell, arguments[1:], [])


def _hash(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    found, names = options(arguments, "rlt", "pd")
    status = 0
    for name in names:
        path = shell.host.path_of(shell, name)
        if path is None:
            shell.complain(f"hash: {name}: not found")
            status = 1
        elif "t" in found:
            shell.output(f"{path}\n")
    return status


def _alias(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    raise NotSimulated("bash aliases")


def _umask(shell: Interpreter, arguments: list[str], _: list[Assignment]) -> int:
    found, rest = options(arguments, "pS")
    if not rest:
        if "S" in found:
            kept = ~shell.umask & 0o777
            parts = [(kept >> shift) & 7 for shift in (6, 3, 0)]
            texts = [
                "".join(c for c, b in zip("rwx", (4, 2, 1), strict=True) if p & b) for p in parts
            ]
            shell.output(f"u={texts[0]},g={texts[1]},o={texts[2]}\n")
        else:
            shell.output(f"{shell.umask:04o}\n")
        return 0
    try:
        shell.umask = int(rest[0], 8) & 0o777
    except ValueError:
        raise NotSimulated(f"umask {rest[0]}") from None
    return 0


BUILTINS: dict[str, Builtin] = {
    "cd": _cd, "pwd": _pwd, "pushd": _pushd, "popd": _popd, "dirs": _dirs, "command": _command,
    "type": _type, "builtin": _builtin, "hash": _hash, "alias": _alias, "unalias": _alias,
    "umask": _umask,
}  # fmt: skip
