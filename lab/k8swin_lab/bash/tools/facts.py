"""Small programs: true, false, echo, printf, test, expr, uname, nproc, tty, sync, getconf, logger."""

# ruff: noqa: RUF001 - the tools' own messages have these quotation marks

from __future__ import annotations

import re

from k8swin_lab.bash.tools.common import ToolFault, machine, options, put, tool
from k8swin_lab.bash.tools.expressions import posix_expression
from k8swin_lab.bash.tools.formatting import echo_escapes, formatted
from k8swin_lab.machines.program import NotSimulated, Process

_RELEASE = "6.1.0-32-amd64"


def _echo(process: Process) -> int:
    words = process.argv[1:]
    newline, escapes = True, False
    while words and re.fullmatch(r"-[neE]+", words[0]):
        letters = words.pop(0)
        newline = newline and "n" not in letters
        escapes = "e" in letters
    line = " ".join(words)
    if escapes:
        line, stopped = echo_escapes(line)
        newline = newline and not stopped
    put(process, line + ("\n" if newline else ""))
    return 0


def _printf(process: Process) -> int:
    if len(process.argv) < 2:
        raise ToolFault("missing operand\nTry 'printf --help' for more information.")
    line, faults = formatted(process.argv[1], process.argv[2:], quote=lambda given: given)
    put(process, line)
    for fault in faults:
        process.err(f"printf: {fault}\n")
    return int(bool(faults))


def _pwd(process: Process) -> int:
    put(process, process.cwd + "\n")
    return 0


class _Expression:
    """expr: precedence from | down to match."""

    _LEVELS = (("|",), ("&",), ("<", "<=", "=", "==", "!=", ">=", ">"), ("+", "-"), ("*", "/", "%"),
               (":",))  # fmt: skip

    def __init__(self, words: list[str]) -> None:
        self._words = words

    def value(self) -> str:
        result = self._level(0)
        if self._words:
            raise ToolFault(f"syntax error: unexpected argument ‘{self._words[0]}’", 2)
        return result

    def _level(self, level: int) -> str:
        if level == len(self._LEVELS):
            return self._primary()
        left = self._level(level + 1)
        while self._words and self._words[0] in self._LEVELS[level]:
            operator = self._words.pop(0)
            left = self._apply(operator, left, self._level(level + 1))
        return left

    def _primary(self) -> str:
        if not self._words:
            raise ToolFault("syntax error: missing argument after ‘+’", 2)
        word = self._words.pop(0)
        if word == "(":
            result = self._level(0)
            if not self._words or self._words.pop(0) != ")":
                raise ToolFault("syntax error: expecting ')'", 2)
            return result
        if word == "length" and self._words:
            return str(len(self._primary()))
        if word == "substr" and len(self._words) > 2:
            text, start, count = self._primary(), int(self._primary()), int(self._primary())
            return text[start - 1 : start - 1 + count] if start > 0 else ""
        if word == "index" and len(self._words) > 1:
            text, letters = self._primary(), self._primary()
            return str(min((text.find(c) + 1 for c in letters if c in text), default=0))
        if word == "match" and len(self._words) > 1:
            return self._apply(":", self._primary(), self._primary())
        return word

    def _apply(self, operator: str, left: str, right: str) -> str:
        if operator == "|":
            return left if left not in ("", "0") else right
        if operator == "&":
            return left if left not in ("", "0") and right not in ("", "0") else "0"
        if operator == ":":
            found = re.match(posix_expression(right, extended=False), left)
            if re.search(r"\\\(", right):
                return (found[1] or "") if found else ""
            return str(len(found[0])) if found else "0"
        numbers = re.fullmatch(r"-?\d+", left) and re.fullmatch(r"-?\d+", right)
        if operator in "+-*/%":
            if not numbers:
                raise ToolFault("non-integer argument", 2)
            one, two = int(left), int(right)
            if operator in "/%" and not two:
                raise ToolFault("division by zero", 2)
            if operator == "/":
                return str(int(one / two) if abs(one) < 1 << 52 else one // two)
            if operator == "%":
                return str(one - two * int(one / two))
            return str({"+": one + two, "-": one - two, "*": one * two}[operator])
        a: int | str = int(left) if numbers else left
        b: int | str = int(right) if numbers else right
        results = {"<": a < b, "<=": a <= b, "=": a == b, "==": a == b, "!=": a != b,  # type: ignore[operator]
                   ">=": a >= b, ">": a > b}  # type: ignore[operator]  # fmt: skip
        return str(int(results[operator]))


def _expr(process: Process) -> int:
    if len(process.argv) < 2:
        raise ToolFault("missing operand\nTry 'expr --help' for more information.", 2)
    try:
        result = _Expression(process.argv[1:]).value()
    except ToolFault as fault:
        raise ToolFault(fault.text, 2) from fault
    put(process, result + "\n")
    return int(result in ("", "0"))


def _uname(process: Process) -> int:
    found, _ = options(process, "asnrvmpio", long={"all": "a", "kernel-release": "r", "machine": "m",
                       "kernel-name": "s", "nodename": "n", "operating-system": "o"})  # fmt: skip
    release = _said(process, "/proc/sys/kernel/osrelease") or _RELEASE
    version = (
        _said(process, "/proc/sys/kernel/version") or "#1 SMP PREEMPT_DYNAMIC Debian 6.1.129-1"
    )
    parts = {"s": "Linux", "n": process.machine.name, "r": release, "v": version, "m": "x86_64",
             "o": "GNU/Linux"}  # fmt: skip
    chosen = [text for letter, text in parts.items() if letter in found or "a" in found]
    if ("p" in found or "i" in found) and not chosen:
        chosen = ["unknown"]
    put(process, " ".join(chosen or ["Linux"]) + "\n")
    return 0


def _said(process: Process, path: str) -> str:
    return machine(process).proc_files().get(path, b"").decode().strip()


def _nproc(process: Process) -> int:
    options(process, long={"all": "all", "ignore=": "ignore"})
    count = _said(process, "/proc/cpuinfo").count("processor\t")
    put(process, f"{count or 2}\n")
    return 0


def _free(process: Process) -> int:
    found, _ = options(
        process, "bkmghw", long={"mebi": "m", "human": "h", "gibi": "g", "bytes": "b"}
    )
    if "h" in found or "w" in found:
        raise NotSimulated("free -h")
    numbers = {
        name: int(value)
        for name, value in re.findall(r"^(\w+):\s+(\d+)", _said(process, "/proc/meminfo"), re.M)
    }
    if not numbers:
        raise ToolFault("cannot open /proc/meminfo: No such file or directory")
    unit = {"b": 1 / 1024, "m": 1024, "g": 1 << 20}
    divisor = next((unit[letter] for letter in "bmg" if letter in found), 1)

    def size(name: str) -> int:
        return int(numbers.get(name, 0) / divisor)

    cached = size("Buffers") + size("Cached") + size("SReclaimable")
    rows = [size("MemTotal"), size("MemTotal") - size("MemAvailable"), size("MemFree"),
            size("Shmem"), cached, size("MemAvailable")]  # fmt: skip
    put(
        process,
        "               total        used        free      shared  buff/cache   available\n",
    )
    put(process, "Mem:    " + "".join(f"{n:12d}" for n in rows) + "\n")
    swap = [size("SwapTotal"), size("SwapTotal") - size("SwapFree"), size("SwapFree")]
    put(process, "Swap:   " + "".join(f"{n:12d}" for n in swap) + "\n")
    return 0


def _tty(process: Process) -> int:
    put(process, "not a tty\n")
    return 1


def _quiet(process: Process) -> int:
    return 0


def _false(process: Process) -> int:
    return 1


def _getconf(process: Process) -> int:
    values = {"LONG_BIT": "64", "PAGE_SIZE": "4096", "PAGESIZE": "4096"}
    name = process.argv[-1]
    if name in ("_NPROCESSORS_ONLN", "_NPROCESSORS_CONF"):
        return _nproc(process)
    if name not in values:
        raise NotSimulated(f"getconf {name}")
    put(process, values[name] + "\n")
    return 0


def _arch(process: Process) -> int:
    put(process, "x86_64\n")
    return 0


TOOLS = {
    name: tool(function)
    for name, function in {
        "echo": _echo, "printf": _printf, "pwd": _pwd, "expr": _expr, "uname": _uname,
        "nproc": _nproc, "free": _free, "tty": _tty, "true": _quiet, "false": _false,
        "sync": _quiet, "getconf": _getconf, "arch": _arch,
    }.items()
}  # fmt: skip
