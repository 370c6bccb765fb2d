"""What `test`, `[` and `[[` ask: files, texts, numbers."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from k8swin_lab.bash.python import tracing
from k8swin_lab.bash.python.arithmetic import evaluate
from k8swin_lab.bash.python.conditional import UNARY, Test
from k8swin_lab.bash.python.state import CommandFault
from k8swin_lab.bash.python.syntax import Word
from k8swin_lab.bash.python.variables import ShellFault, Variable
from k8swin_lab.bash.tools import patterns
from k8swin_lab.bash.tools.access import allowed
from k8swin_lab.bash.tools.expressions import posix_expression
from k8swin_lab.machines.disk import Disk

if TYPE_CHECKING:
    from k8swin_lab.bash.python.interpreter import Interpreter

_NUMBERS = frozenset(["-eq", "-ne", "-lt", "-le", "-gt", "-ge"])
_FILES = frozenset(["-nt", "-ot", "-ef"])
_BINARY = _NUMBERS | _FILES | frozenset(["=", "==", "!=", "<", ">"])
_KINDS = {
    "-b": stat.S_ISBLK, "-c": stat.S_ISCHR, "-d": stat.S_ISDIR, "-f": stat.S_ISREG,
    "-p": stat.S_ISFIFO, "-S": stat.S_ISSOCK,
}  # fmt: skip


class Conditions:
    """Evaluates conditions in one shell."""

    def __init__(self, shell: Interpreter) -> None:
        self._shell = shell

    def evaluate(self, test: Test) -> int:
        """Return the status of `[[ ... ]]`: 0, 1, or 2 for an error."""
        try:
            return int(not self._holds(test))
        except CommandFault as fault:
            self._shell.complain(fault.text)
            return fault.code
        except ShellFault as fault:
            if fault.fatal:
                raise
            self._shell.complain(f"[[: {fault.text}")
            return 1

    def _holds(self, test: Test) -> bool:
        operator = str(test[0])
        first, second = test[1], test[2] if len(test) > 2 else None
        if operator in ("and", "or") and isinstance(first, tuple) and isinstance(second, tuple):
            if operator == "and":
                return self._holds(first) and self._holds(second)
            return self._holds(first) or self._holds(second)
        if operator == "not" and isinstance(first, tuple):
            return not self._holds(first)
        if not isinstance(first, Word):
            raise TypeError(f"no such condition: {operator}")
        expand = self._shell.expand
        left = expand.text(first)
        if not isinstance(second, Word):
            tracing.line(self._shell, f"[[ {operator} {tracing.word(left)} ]]")
            return self.unary(operator, left)
        if operator == "=~":
            return self._matched(left, expand.regular_expression(second))
        if operator in ("=", "==", "!="):
            pattern = expand.pattern(second)
            tracing.line(self._shell, f"[[ {tracing.word(left)} {operator} {pattern} ]]")
            fold = "nocasematch" in self._shell.options.shopt
            return patterns.matches(left, pattern, fold=fold) == (operator != "!=")
        right = expand.text(second)
        tracing.line(self._shell, f"[[ {tracing.word(left)} {operator} {tracing.word(right)} ]]")
        if operator in _NUMBERS:
            return _compare(operator, evaluate(left, self._shell), evaluate(right, self._shell))
        return self._binary(left, operator, right)

    def _matched(self, text: str, source: str) -> bool:
        fold = re.I if "nocasematch" in self._shell.options.shopt else 0
        tracing.line(self._shell, f"[[ {tracing.word(text)} =~ {source} ]]")
        try:
            found = re.compile(posix_expression(source, extended=True), fold).search(text)
        except re.error:
            raise CommandFault(f"[[: invalid regular expression `{source}'", 2) from None
        texts = [found[0], *(group or "" for group in found.groups())] if found else []
        self._shell.variables.scopes[0]["BASH_REMATCH"] = Variable(items=dict(enumerate(texts)))
        return found is not None

    def unary(self, operator: str, text: str) -> bool:
        """Answer a test with one operand."""
        shell = self._shell
        if operator == "-z":
            return not text
        if operator == "-n":
            return bool(text)
        if operator == "-v":
            found = re.fullmatch(r"(\w+)\[(.*)\]", text)
            if found:
                if found[2] in ("@", "*"):
                    variable = shell.find(found[1])
                    return bool(variable and variable.sorted_items())
                return shell.element_at(found[1], shell.parse_word(found[2])) is not None
            return shell.parameter(text) is not None
        if operator == "-R":
            variable = shell.variables.scopes[-1].get(text)
            return bool(variable and variable.reference)
        if operator == "-o":
            return shell.options.get(text)
        if operator == "-t":
            return False
        return self._file(operator, text)

    def _file(self, operator: str, path: str) -> bool:
        shell = self._shell
        disk = Disk(shell.machine, shell.cwd)
        found = re.fullmatch(r"/dev/(?:fd/(\d+)|(stdin|stdout|stderr))", path)
        if found:
            names = {"stdin": 0, "stdout": 1, "stderr": 2}
            number = names[found[2]] if found[2] else int(found[1])
            return number in shell.files and operator in ("-e", "-a", "-r", "-w", "-p")
        try:
            host = disk.host(path, follow=operator not in ("-h", "-L"))
            status = host.lstat()
        except OSError:
            return False
        if operator in ("-h", "-L"):
            return stat.S_ISLNK(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            return operator != "-d"
        if operator in ("-a", "-e"):
            return True
        if operator in _KINDS:
            return _KINDS[operator](status.st_mode)
        if operator == "-s":
            return status.st_size > 0
        if operator in ("-u", "-g", "-k"):
            return bool(status.st_mode & {"-u": 0o4000, "-g": 0o2000, "-k": 0o1000}[operator])
        if operator in ("-r", "-w", "-x"):
            wanted = {"-r": 4, "-w": 2, "-x": 1}[operator]
            return allowed(shell.machine, shell.user, disk.real(path), host, wanted)
        if operator in ("-O", "-G"):
            return shell.machine.owner_of(disk.real(path))[operator == "-G"] == shell.user
        return operator == "-N" and status.st_mtime >= status.st_atime

    def _binary(self, left: str, operator: str, right: str) -> bool:
        if operator in ("=", "=="):
            return left == right
        if operator == "!=":
            return left != right
        if operator == "<":
            return left < right
        if operator == ">":
            return left > right
        if operator in _NUMBERS:
            return _compare(operator, _whole(left), _whole(right))
        disk = Disk(self._shell.machine, self._shell.cwd)
        statuses: list[os.stat_result | None] = []
        for path in (left, right):
            try:
                statuses.append(disk.host(path).stat())
            except OSError:
                statuses.append(None)
        one, two = statuses
        if operator == "-ef":
            return bool(one and two and (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino))
        if operator == "-nt":
            return bool(one and (two is None or one.st_mtime_ns > two.st_mtime_ns))
        return bool(two and (one is None or one.st_mtime_ns < two.st_mtime_ns))

    def classic(self, arguments: list[str]) -> bool:
        """Answer `test` with these arguments.

        Raises:
            CommandFault: code 2, the arguments make no sense.
        """
        count = len(arguments)
        if not count:
            return False
        if count == 1:
            return bool(arguments[0])
        if count == 2:
            if arguments[0] == "!":
                return not arguments[1]
            if arguments[0] not in UNARY:
                raise CommandFault(f"{arguments[0]}: unary operator expected", 2)
            return self.unary(arguments[0], arguments[1])
        if count == 3:
            left, operator, right = arguments
            if operator in _BINARY:
                return self._binary(left, operator, right)
            if operator == "-a":
                return bool(left) and bool(right)
            if operator == "-o":
                return bool(left) or bool(right)
            if left == "!":
                return not self.classic(arguments[1:])
            if left == "(" and right == ")":
                return bool(operator)
            raise CommandFault(f"{operator}: binary operator expected", 2)
        if count == 4 and arguments[0] == "!":
            return not self.classic(arguments[1:])
        return _Classic(self, arguments).value()


class _Classic:
    """`test` with five arguments and more: -a binds tighter than -o."""

    def __init__(self, conditions: Conditions, arguments: list[str]) -> None:
        self._conditions = conditions
        self._left = arguments

    def value(self) -> bool:
        result = self._or()
        if self._left:
            raise CommandFault("too many arguments", 2)
        return result

    def _or(self) -> bool:
        result = self._and()
        while self._left and self._left[0] == "-o":
            self._left = self._left[1:]
            result = self._and() or result
        return result

    def _and(self) -> bool:
        result = self._primary()
        while self._left and self._left[0] == "-a":
            self._left = self._left[1:]
            result = self._primary() and result
        return result

    def _primary(self) -> bool:
        if not self._left:
            raise CommandFault("argument expected", 2)
        if self._left[0] == "!":
            self._left = self._left[1:]
            return not self._primary()
        if self._left[0] == "(":
            self._left = self._left[1:]
            result = self._or()
            if not self._left or self._left[0] != ")":
                raise CommandFault("`)' expected", 2)
            self._left = self._left[1:]
            return result
        taken = 3 if len(self._left) > 2 and self._left[1] in _BINARY else 0
        if not taken:
            taken = 2 if self._left[0] in UNARY and len(self._left) > 1 else 1
        now, self._left = self._left[:taken], self._left[taken:]
        return self._conditions.classic(now)


def _whole(text: str) -> int:
    if not re.fullmatch(r"\s*[-+]?\d+\s*", text):
        raise CommandFault(f"{text}: integer expression expected", 2)
    return int(text)


def _compare(operator: str, left: int, right: int) -> bool:
    return {
        "-eq": left == right, "-ne": left != right, "-lt": left < right,
        "-le": left <= right, "-gt": left > right, "-ge": left >= right,
    }[operator]  # fmt: skip
