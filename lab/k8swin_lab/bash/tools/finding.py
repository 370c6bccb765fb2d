"""Tools that look at the tree: ls, find, which, du."""

# ruff: noqa: RUF001 - the tools' own messages have these quotation marks

from __future__ import annotations

import fnmatch
import os
import re
import stat
import time
from collections.abc import Callable

from k8swin_lab.bash.tools.access import allowed
from k8swin_lab.bash.tools.common import (
    ToolFault,
    complain,
    disk,
    machine,
    options,
    put,
    reason,
    tool,
)
from k8swin_lab.bash.tools.formatting import echo_escapes
from k8swin_lab.bash.tools.modes import changed_mode
from k8swin_lab.bash.tools.running import found_on_path
from k8swin_lab.machines.program import NotSimulated, Process
from k8swin_lab.machines.shell import ShellProcess


def _ls(process: Process) -> int:
    found, paths = options(
        process, "1aAldhrtRSnFpLskio", long={"all": "a", "almost-all": "A", "directory": "d",
                                        "human-readable": "h", "reverse": "r", "color?": "color",
                                        "recursive": "R", "numeric-uid-gid": "n", "classify?": "F"},
        known="BCDGHIKMNQTUXZbcfgmquvwx", code=2,
    )  # fmt: skip
    if any(letter in found for letter in "Rskio"):
        raise NotSimulated("ls -R, -s, -k, -i, -o")
    where = disk(process)
    code = 0
    files: list[str] = []
    directories: list[str] = []
    for path in paths or ["."]:
        if not where.exists(path, follow=False):
            complain(process, f"cannot access '{path}': No such file or directory")
            code = 2
        elif (
            where.is_dir(path)
            and "d" not in found
            and not (
                "l" in found and where.host(path, follow=False).is_symlink() and path[-1] != "/"
            )
        ):
            directories.append(path)
        else:
            files.append(path)
    long = "l" in found or "n" in found
    if files:
        _show(process, files, found, long=long)
    for number, path in enumerate(sorted(directories)):
        if len(paths) > 1:
            put(process, ("\n" if number or files else "") + f"{path}:\n")
        try:
            real = where.real(path)
            if not allowed(machine(process), process.user, real, where.host(path), 4):
                raise PermissionError(13, os.strerror(13))
            names = where.list(path)
        except OSError as error:
            complain(process, f"cannot open directory '{path}': {reason(error)}")
            code = 2
            continue
        if "a" in found:
            names = [".", "..", *names]
        elif "A" not in found:
            names = [name for name in names if not name.startswith(".")]
        if long:
            blocks = 0
            for name in names:
                blocks += where.host(f"{path}/{name}", follow=False).lstat().st_blocks
            put(process, f"total {blocks // 2}\n")
        _show(process, names, found, base=path, long=long)
    return code


def _show(
    process: Process, names: list[str], found: dict[str, list[str]], base: str = "", *, long: bool
) -> None:
    where = disk(process)
    rows = []
    for name in names:
        path = f"{base.rstrip('/') or ('/' if base else '')}/{name}" if base else name
        path = path.replace("//", "/")
        rows.append((name, path, where.host(path, follow=False).lstat()))
    if "t" in found:
        rows.sort(key=lambda row: -row[2].st_mtime_ns)
    elif "S" in found:
        rows.sort(key=lambda row: -row[2].st_size)
    elif not base:
        rows.sort(key=lambda row: os.fsencode(row[0]))
    if "r" in found:
        rows.reverse()
    cells = [_cells(process, found, *row) for row in rows]
    if not long:
        for name, path, status in rows:
            put(process, name + _mark(found, path, status) + "\n")
        return
    widths = [max((len(cell[n]) for cell in cells), default=0) for n in range(6)]
    for (name, path, status), cell in zip(rows, cells, strict=True):
        line = (f"{cell[0]} {cell[1]:>{widths[1]}} {cell[2]:<{widths[2]}} {cell[3]:<{widths[3]}} "
                f"{cell[4]:>{widths[4]}} {cell[5]} {name}{_mark(found, path, status)}")  # fmt: skip
        if stat.S_ISLNK(status.st_mode):
            line += f" -> {where.host(path, follow=False).readlink()}"
        put(process, line + "\n")


def _mark(found: dict[str, list[str]], path: str, status: os.stat_result) -> str:
    if stat.S_ISDIR(status.st_mode) and ("F" in found or "p" in found):
        return "/"
    if "F" not in found:
        return ""
    if stat.S_ISLNK(status.st_mode):
        return "@"
    return "*" if status.st_mode & 0o111 else ""


def _cells(
    process: Process, found: dict[str, list[str]], name: str, path: str, status: os.stat_result
) -> list[str]:
    user, group = machine(process).owner_of(disk(process).real(path, follow=False))
    age = time.time() - status.st_mtime
    recent = -3600 < age < 15778476
    form = "%b %e %H:%M" if recent else "%b %e  %Y"
    size = human(status.st_size) if "h" in found else str(status.st_size)
    return [stat.filemode(status.st_mode), str(status.st_nlink), user, group, size,
            time.strftime(form, time.localtime(status.st_mtime))]  # fmt: skip


def human(size: float) -> str:
    """Return a size as `ls -h` shows it."""
    for unit in ("", "K", "M", "G", "T"):
        if size < 1024:
            if unit and size < 10:
                tenths = -(-size * 10 // 1)
                return f"{tenths / 10:.1f}{unit}" if tenths < 100 else f"{-(-size // 1):.0f}{unit}"
            return f"{-(-size // 1):.0f}{unit}"
        size /= 1024
    return f"{size:.0f}P"


Test = Callable[[str, os.stat_result], bool]


def _either(one: Test, two: Test) -> Test:
    return lambda path, status: one(path, status) or two(path, status)


def _both(one: Test, two: Test) -> Test:
    return lambda path, status: one(path, status) and two(path, status)


class _Find:
    """The expression of one find command, as nested functions of a path."""

    def __init__(self, process: Process, words: list[str]) -> None:
        self._process = process
        self._words = words
        self._where = disk(process)
        self.minimum, self.maximum = 0, 1 << 30
        self.acts = False
        self.depth_first = False
        self.pruned = False
        self.code = 0
        self._batches: list[tuple[list[str], list[str]]] = []
        self.test = self._or() if words else (lambda path, status: True)
        if self._words:
            raise ToolFault(f"paths must precede expression: `{self._words[0]}'")

    def _or(self) -> Test:
        left = self._and()
        while self._words and self._words[0] in ("-o", "-or"):
            self._words.pop(0)
            left = _either(left, self._and())
        return left

    def _and(self) -> Test:
        left = self._not()
        while self._words and self._words[0] not in ("-o", "-or", ")"):
            if self._words[0] in ("-a", "-and"):
                self._words.pop(0)
            left = _both(left, self._not())
        return left

    def _not(self) -> Test:
        if self._words and self._words[0] in ("!", "-not"):
            self._words.pop(0)
            inner = self._not()
            return lambda path, status: not inner(path, status)
        if self._words and self._words[0] == "(":
            self._words.pop(0)
            inner = self._or()
            if not self._words or self._words.pop(0) != ")":
                raise ToolFault("invalid expression; expected to find a ')' but didn't see one.")
            return inner
        return self._primary()

    def _argument(self, name: str) -> str:
        if not self._words:
            raise ToolFault(f"missing argument to `{name}'")
        return self._words.pop(0)

    def _primary(self) -> Test:
        name = self._words.pop(0)
        if name in ("-name", "-iname", "-path", "-wholename", "-ipath"):
            pattern = self._argument(name)
            fold = name[1] == "i"
            whole = "path" in name or "whole" in name

            def named(path: str, status: os.stat_result) -> bool:
                given = path if whole else (path.rstrip("/").rsplit("/", 1)[-1] or "/")
                if fold:
                    return fnmatch.fnmatchcase(given.lower(), pattern.lower())
                return fnmatch.fnmatchcase(given, pattern)

            return named
        if name in ("-regex", "-iregex"):
            raise NotSimulated(f"find {name}")
        if name == "-type":
            kinds = {"f": stat.S_ISREG, "d": stat.S_ISDIR, "l": stat.S_ISLNK, "p": stat.S_ISFIFO,
                     "s": stat.S_ISSOCK, "c": stat.S_ISCHR, "b": stat.S_ISBLK}  # fmt: skip
            letters = self._argument(name).split(",")
            if any(letter not in kinds for letter in letters):
                raise ToolFault(f"Unknown argument to -type: {letters[0]}")
            return lambda path, status: any(kinds[letter](status.st_mode) for letter in letters)
        if name in ("-maxdepth", "-mindepth"):
            number = int(self._argument(name))
            if name == "-maxdepth":
                self.maximum = number
            else:
                self.minimum = number
            return lambda path, status: True
        if name in ("-size", "-mtime", "-mmin"):
            return self._measured(name, self._argument(name))
        if name == "-newer":
            moment = self._where.host(self._argument(name)).stat().st_mtime_ns
            return lambda path, status: status.st_mtime_ns > moment
        if name == "-empty":
            return self._empty
        if name == "-perm":
            return self._permissions(self._argument(name))
        if name in ("-user", "-group"):
            wanted = self._argument(name)
            number = int(name == "-group")
            return lambda path, status: (
                machine(self._process).owner_of(self._where.real(path, follow=False))[number]
                == wanted
            )
        if name in ("-true", "-false"):
            return lambda path, status: name == "-true"
        if name in ("-depth", "-xdev", "-mount"):
            self.depth_first = self.depth_first or name == "-depth"
            return lambda path, status: True
        if name == "-prune":
            return self._prune
        return self._action(name)

    def _measured(self, name: str, given: str) -> Test:
        found = re.fullmatch(r"([-+]?)(\d+)([cwbkMG]?)", given)
        if not found:
            raise ToolFault(f"invalid argument `{given}' to `{name}'")
        sign, number = found[1], int(found[2])
        unit = {"c": 1, "w": 2, "": 512, "b": 512, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30}[
            found[3]
        ]

        def test(path: str, status: os.stat_result) -> bool:
            if name == "-size":
                value = -(-status.st_size // unit)
            else:
                value = int((time.time() - status.st_mtime) // (86400 if name == "-mtime" else 60))
            return value > number if sign == "+" else value < number if sign else value == number

        return test

    def _empty(self, path: str, status: os.stat_result) -> bool:
        if stat.S_ISDIR(status.st_mode):
            return not self._where.list(path)
        return stat.S_ISREG(status.st_mode) and not status.st_size

    def _permissions(self, given: str) -> Test:
        kind = given[0] if given[0] in "-/" else ""
        wanted = changed_mode(given.lstrip("-/"), 0, directory=False, mask=0)

        def test(path: str, status: os.stat_result) -> bool:
            mode = stat.S_IMODE(status.st_mode)
            if kind == "-":
                return mode & wanted == wanted
            return bool(mode & wanted) if kind else mode == wanted

        return test

    def _prune(self, path: str, status: os.stat_result) -> bool:
        self.pruned = True
        return True

    def _action(self, name: str) -> Test:
        self.acts = True
        process = self._process
        if name in ("-print", "-print0"):
            end = "\0" if name == "-print0" else "\n"

            def show(path: str, status: os.stat_result) -> bool:
                put(process, path + end)
                return True

            return show
        if name == "-printf":
            return self._printf(self._argument(name))
        if name == "-delete":
            self.depth_first = True

            def delete(path: str, status: os.stat_result) -> bool:
                host = self._where.host(path, follow=False)
                try:
                    if stat.S_ISDIR(status.st_mode):
                        host.rmdir()
                    else:
                        host.unlink()
                except OSError as error:
                    complain(process, f"cannot delete ‘{path}’: {reason(error)}")
                    self.code = 1
                    return False
                return True

            return delete
        if name == "-quit":
            raise NotSimulated("find -quit")
        if name in ("-exec", "-execdir", "-ok"):
            return self._exec(name)
        raise ToolFault(f"unknown predicate `{name}'")

    def _printf(self, form: str) -> Test:
        def show(path: str, status: os.stat_result) -> bool:
            real = self._where.real(path, follow=False)

            def one(found: re.Match[str]) -> str:
                values = {
                    "p": path, "f": path.rstrip("/").rsplit("/", 1)[-1], "s": str(status.st_size),
                    "m": f"{stat.S_IMODE(status.st_mode):o}", "M": stat.filemode(status.st_mode),
                    "y": {stat.S_IFDIR: "d", stat.S_IFLNK: "l"}.get(stat.S_IFMT(status.st_mode), "f"),
                    "u": machine(self._process).owner_of(real)[0],
                    "g": machine(self._process).owner_of(real)[1],
                    "h": path.rsplit("/", 1)[0] if "/" in path else ".", "%": "%",
                }  # fmt: skip
                if found[1] not in values:
                    raise NotSimulated(f"find -printf %{found[1]}")
                return values[found[1]]

            put(self._process, re.sub(r"%(.)", one, echo_escapes(form)[0]))
            return True

        return show

    def _exec(self, name: str) -> Test:
        if name != "-exec":
            raise NotSimulated(f"find {name}")
        command: list[str] = []
        while True:
            word = self._argument(name)
            if word == ";":
                break
            if word == "+" and command and command[-1] == "{}":
                return self._collect(command[:-1])
            command.append(word)

        def run(path: str, status: os.stat_result) -> bool:
            return not self._run([word.replace("{}", path) for word in command])

        return run

    def _collect(self, command: list[str]) -> Test:
        paths: list[str] = []
        self._batches.append((command, paths))

        def collect(path: str, status: os.stat_result) -> bool:
            paths.append(path)
            return True

        return collect

    def _run(self, argv: list[str]) -> int:
        process = self._process
        if not isinstance(process, ShellProcess) or process.shell is None:
            raise NotSimulated("find -exec outside of a shell")
        if not found_on_path(process, argv[0], process.env.get("PATH", "")):
            complain(process, f"‘{argv[0]}’: No such file or directory")
            return 1
        return process.shell.run(argv, process)

    def finish(self) -> None:
        """Run what `-exec ... +` collected."""
        for command, paths in self._batches:
            if paths and self._run([*command, *paths]):
                self.code = 1

    def walk(self, path: str, depth: int = 0) -> None:
        """Visit a path and what is below."""
        status = self._where.host(path, follow=False).lstat()
        self.pruned = False
        inside = self.minimum <= depth <= self.maximum
        if inside and not self.depth_first:
            self._visit(path, status)
        if stat.S_ISDIR(status.st_mode) and not self.pruned and depth < self.maximum:
            try:
                entries = [one.name for one in self._where.host(path, follow=False).iterdir()]
                known = set(self._where.list(path))
            except OSError as error:
                complain(self._process, f"‘{path}’: {reason(error)}")
                self.code = 1
                entries = []
            for name in entries:
                if name in known:
                    self.walk(f"{path.rstrip('/') if path != '/' else ''}/{name}", depth + 1)
        if inside and self.depth_first:
            self._visit(path, status)

    def _visit(self, path: str, status: os.stat_result) -> None:
        if self.test(path, status) and not self.acts:
            put(self._process, path + "\n")


def _find(process: Process) -> int:
    words = process.argv[1:]
    paths: list[str] = []
    while words and words[0] in ("-H", "-P"):
        words.pop(0)
    if words and words[0] == "-L":
        raise NotSimulated("find -L")
    while words and not words[0].startswith("-") and words[0] not in ("(", "!"):
        paths.append(words.pop(0))
    find = _Find(process, words)
    for path in paths or ["."]:
        if not disk(process).exists(path, follow=False):
            complain(process, f"‘{path}’: No such file or directory")
            find.code = 1
            continue
        find.walk(path)
    find.finish()
    return find.code


def _which(process: Process) -> int:
    found, names = options(process, "as")
    code = 0
    where = disk(process)
    for name in names:
        hits = []
        for directory in [""] if "/" in name else process.env.get("PATH", "").split(":"):
            path = f"{directory}/{name}" if directory else name
            if where.is_file(path) and where.host(path).stat().st_mode & 0o111:
                hits.append(path)
        if not hits:
            code = 1
        if "s" not in found:
            put(process, "".join(hit + "\n" for hit in (hits if "a" in found else hits[:1])))
    return code


def _du(process: Process) -> int:
    found, paths = options(process, "shabkmx", "d", {"summarize": "s", "human-readable": "h",
                                                   "max-depth=": "d", "bytes": "b"})  # fmt: skip
    if "s" not in found:
        raise NotSimulated("du without -s")
    for path in paths or ["."]:
        host = disk(process).host(path)
        every = [host, *host.rglob("*")] if host.is_dir() else [host]
        if "b" in found:
            put(process, f"{sum(one.lstat().st_size for one in every)}\t{path}\n")
            continue
        size = sum(one.lstat().st_blocks for one in every) * 512
        unit = 1 << 20 if "m" in found else 1 << 10
        put(process, f"{human(size) if 'h' in found else -(-size // unit)}\t{path}\n")
    return 0


TOOLS = {
    name: tool(function)
    for name, function in {
        "ls": _ls, "find": _find, "which": _which, "du": _du,
    }.items()
}  # fmt: skip
