"""sed: the commands scripts use, with GNU's -i, -E, -n, -e, -f, -s, -z."""

from __future__ import annotations

import re

from k8swin_lab.bash.tools.common import (
    ToolFault,
    complain,
    disk,
    lines,
    options,
    put,
    read_all,
    reason,
    text,
    tool,
    write_file,
)
from k8swin_lab.bash.tools.sed_parser import Address, Command, Parser
from k8swin_lab.machines.program import NotSimulated, Process


def _replacement(template: str, found: re.Match[str]) -> str:
    out = ""
    change = once = ""
    at = 0

    def add(piece: str) -> str:
        nonlocal once
        if change:
            piece = piece.upper() if change == "U" else piece.lower()
        if once and piece:
            piece = (piece[0].upper() if once == "u" else piece[0].lower()) + piece[1:]
            once = ""
        return piece

    while at < len(template):
        c = template[at]
        if c == "\\" and at + 1 < len(template):
            follow = template[at + 1]
            at += 2
            if follow.isdigit():
                number = int(follow)
                if number > (found.re.groups or 0):
                    raise ToolFault(
                        f"-e expression #1: invalid reference \\{number} on `s' command's RHS"
                    )
                out += add(found[number] or "")
            elif follow in "ULE":
                change = "" if follow == "E" else follow
            elif follow in "ul":
                once = follow
            else:
                out += add({"n": "\n", "t": "\t", "r": "\r"}.get(follow, follow))
        else:
            out += add(found[0] if c == "&" else c)
            at += 1
    return out


class _End(Exception):
    def __init__(self, code: int, *, show: bool) -> None:
        self.code = code
        self.show = show


class _Run:
    """One pass over an input."""

    def __init__(
        self, process: Process, commands: list[Command], rows: list[str], *, quiet: bool
    ) -> None:
        self._process = process
        self._commands = commands
        self._rows = rows
        self._quiet = quiet
        self._number = 0
        self._hold = ""
        self._space = ""
        self._replaced = False
        self._later: list[str] = []
        self._last: re.Pattern[str] | None = None
        self.output: list[str] = []
        self.code = 0

    def run(self) -> None:
        restart = False
        while restart or self._number < len(self._rows):
            if not restart:
                self._space = self._rows[self._number].rstrip("\n")
                self._number += 1
            restart = False
            try:
                outcome = self._cycle()
            except _End as end:
                if end.show and not self._quiet:
                    self._emit(self._space)
                self._flush()
                self.code = end.code
                return
            if outcome == "restart":
                restart = True
            elif outcome != "delete" and not self._quiet:
                self._emit(self._space)
            self._flush()

    def _emit(self, line: str) -> None:
        ended = self._number < len(self._rows) or not self._rows or self._rows[-1].endswith("\n")
        self.output.append(line + ("\n" if ended else ""))

    def _flush(self) -> None:
        if self._later and self.output and not self.output[-1].endswith("\n"):
            self.output[-1] += "\n"
        self.output.extend(self._later)
        self._later = []

    def _cycle(self) -> str:
        try:
            return self._block(self._commands)
        except _Jump as jump:
            while True:
                if not jump.label:
                    return ""
                at = _label(self._commands, jump.label)
                if at is None:
                    raise ToolFault(
                        f"-e expression #1: can't find label for jump to `{jump.label}'"
                    ) from None
                try:
                    return self._block(self._commands, at)
                except _Jump as again:
                    jump = again

    def _block(self, commands: list[Command], start: int = 0) -> str:
        for command in commands[start:]:
            if self._selected(command) != command.negated:
                outcome = self._one(command)
                if outcome:
                    return outcome
        return ""

    def _is(self, address: Address) -> bool:
        if address.kind == "line":
            return self._number == address.number
        if address.kind == "last":
            return self._number == len(self._rows)
        if address.kind == "step":
            if not address.step:
                return self._number == address.number
            return self._number >= address.number and not (
                (self._number - address.number) % address.step
            )
        return bool(self._expression(address.expression).search(self._space))

    def _expression(self, given: re.Pattern[str] | None) -> re.Pattern[str]:
        if given is not None:
            self._last = given
        if self._last is None:
            raise ToolFault("no previous regular expression")
        return self._last

    def _selected(self, command: Command) -> bool:
        first, second = command.first, command.second
        if first is None:
            return True
        if second is None:
            return self._is(first)
        if command.active:
            if second.kind == "line" or command.until:
                end = command.until or second.number
                if self._number >= end:
                    command.active = False
                return self._number <= end
            if self._is(second):
                command.active = False
            return True
        begins = self._is(first) or (
            first.kind == "line" and first.number == 0 and self._number == 1
        )
        if not begins:
            return False
        command.until = 0
        if first.kind == "line" and first.number == 0:
            command.active = not self._is(second)
        elif second.kind == "line":
            command.active = second.number > self._number
        elif second.kind in ("plus", "multiple"):
            number = second.number
            end = (
                self._number + number
                if second.kind == "plus"
                else -(-self._number // number) * number
            )
            command.until = end
            command.active = end > self._number
        else:
            command.active = True
        return True

    def _one(self, command: Command) -> str:
        name = command.name
        if name == "{":
            return self._block(command.body)
        if name == "s":
            self._substitute(command)
        elif name == "y":
            self._space = self._space.translate(str.maketrans(command.text, command.flags))
        elif name == "d":
            return "delete"
        elif name == "D":
            if "\n" not in self._space:
                return "delete"
            self._space = self._space.split("\n", 1)[1]
            return "restart"
        elif name == "p":
            self.output.append(self._space + "\n")
        elif name == "P":
            self.output.append(self._space.split("\n")[0] + "\n")
        elif name == "=":
            self.output.append(f"{self._number}\n")
        elif name in "nN":
            self._next(append=name == "N")
        elif name in "gGhHx":
            self._held(name)
        elif name == "i":
            self.output.append(command.text + "\n")
        elif name == "a":
            self._later.append(command.text + "\n")
        elif name == "c":
            if command.second is None or not command.active or command.negated:
                self.output.append(command.text + "\n")
            return "delete"
        elif name in "qQ":
            raise _End(command.number, show=name == "q")
        elif name == "r":
            try:
                self._later.append(text(read_all(self._process, command.text)))
            except OSError:
                pass
        elif name == "z":
            self._space = ""
        elif name == "b":
            raise _Jump(command.text)
        elif name in "tT":
            jump = self._replaced == (name == "t")
            self._replaced = False
            if jump:
                raise _Jump(command.text)
        elif name != ":":
            raise NotSimulated(f"sed {name}")
        return ""

    def _next(self, *, append: bool) -> None:
        if self._number >= len(self._rows):
            raise _End(0, show=True)
        if not append and not self._quiet:
            self._emit(self._space)
        self._flush()
        row = self._rows[self._number].rstrip("\n")
        self._number += 1
        self._space = f"{self._space}\n{row}" if append else row

    def _held(self, name: str) -> None:
        if name == "g":
            self._space = self._hold
        elif name == "G":
            self._space += "\n" + self._hold
        elif name == "h":
            self._hold = self._space
        elif name == "H":
            self._hold += "\n" + self._space
        else:
            self._space, self._hold = self._hold, self._space

    def _substitute(self, command: Command) -> None:
        expression = self._expression(command.expression)
        wanted = command.number or 1
        everything = "g" in command.flags
        count = 0

        def one(found: re.Match[str]) -> str:
            nonlocal count
            count += 1
            if count < wanted or (count > wanted and not everything):
                return found[0]
            return _replacement(command.text, found)

        changed = expression.sub(one, self._space)
        if count >= wanted:
            self._space = changed
            self._replaced = True
            if "p" in command.flags:
                self.output.append(self._space + "\n")


class _Jump(Exception):
    def __init__(self, label: str) -> None:
        self.label = label


def _label(commands: list[Command], label: str) -> int | None:
    for number, command in enumerate(commands):
        if command.name == ":" and command.text == label:
            return number
    return None


def _sed(process: Process) -> int:
    words = []
    suffix: str | None = None
    for word in process.argv[1:]:
        found_in_place = re.fullmatch(r"-([nErsuz]*)i(.*)", word)
        if found_in_place and not word.startswith("--"):
            suffix = found_in_place[2]
            if found_in_place[1]:
                words.append("-" + found_in_place[1])
        else:
            words.append(word)
    process.argv = [process.argv[0], *words]
    found, operands = options(
        process, "nErsuz", "ef", {"quiet": "n", "silent": "n", "regexp-extended": "E",
                                  "expression=": "e", "file=": "f", "in-place?": "i",
                                  "separate": "s", "unbuffered": "u", "null-data": "z",
                                  "posix": "posix"}, known="l",
    )  # fmt: skip
    if "z" in found:
        raise NotSimulated("sed -z")
    if "i" in found:
        suffix = found.last("i")
    sources = list(found.get("e", []))
    sources += [text(read_all(process, path)) for path in found.get("f", [])]
    if not sources:
        if not operands:
            process.err("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n")
            return 1
        sources = [operands.pop(0)]
    extended = "E" in found or "r" in found
    source = "\n".join(sources)
    code = 0
    contents: list[tuple[str, list[str]]] = []
    for path in operands or ["-"]:
        try:
            contents.append((path, [text(line) for line in lines(read_all(process, path))]))
        except OSError as error:
            where = (
                f"can't read {path}" if not disk(process).is_dir(path) else f"couldn't edit {path}"
            )
            complain(process, f"{where}: {reason(error)}")
            code = 2
    if suffix is None and "s" not in found:
        joined: list[str] = []
        for _, rows in contents:
            if joined and not joined[-1].endswith("\n"):
                joined[-1] += "\n"
            joined += rows
        contents = [("-", joined)]
    for path, rows in contents:
        run = _Run(process, Parser(source, extended=extended).commands(), rows, quiet="n" in found)
        run.run()
        output = "".join(run.output)
        if suffix is None:
            put(process, output)
        else:
            host = disk(process).host(path)
            if suffix:
                name = suffix.replace("*", host.name) if "*" in suffix else host.name + suffix
                host.with_name(name).write_bytes(host.read_bytes())
                host.with_name(name).chmod(host.stat().st_mode & 0o7777)
            write_file(process, path, output.encode("utf-8", "surrogateescape"))
        code = run.code or code
    return code


TOOLS = {"sed": tool(_sed)}
