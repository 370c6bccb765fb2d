"""grep, egrep, fgrep."""

from __future__ import annotations

import posixpath
import re

from k8swin_lab.bash.tools.common import (
    Options,
    ToolFault,
    complain,
    disk,
    open_input,
    options,
    put,
    read_all,
    reason,
    stream_lines,
    text,
    tool,
)
from k8swin_lab.bash.tools.expressions import posix_expression
from k8swin_lab.bash.tools.patterns import matches
from k8swin_lab.machines.program import Process

_LONG = {
    "extended-regexp": "E", "fixed-strings": "F", "basic-regexp": "G", "perl-regexp": "P",
    "ignore-case": "i", "invert-match": "v", "word-regexp": "w", "line-regexp": "x", "count": "c",
    "quiet": "q", "silent": "q", "no-messages": "s", "line-number": "n", "with-filename": "H",
    "no-filename": "h", "only-matching": "o", "files-with-matches": "l", "files-without-match": "L",
    "recursive": "r", "dereference-recursive": "R", "max-count=": "m", "after-context=": "A",
    "before-context=": "B", "context=": "C", "regexp=": "e", "file=": "f", "include=": "include",
    "exclude=": "exclude", "exclude-dir=": "exclude-dir", "color?": "color", "colour?": "color",
    "text": "a", "null": "Z", "null-data": "z", "line-buffered": "line-buffered",
}  # fmt: skip


def _expression(process: Process, found: Options, operands: list[str]) -> re.Pattern[str]:
    sources = list(found.get("e", []))
    for path in found.get("f", []):
        sources += text(read_all(process, path)).splitlines()
    if not sources and "f" not in found:
        if not operands:
            process.err("Usage: grep [OPTION]... PATTERNS [FILE]...\n"
                        "Try 'grep --help' for more information.\n")  # fmt: skip
            raise ToolFault("", 2)
        sources = operands.pop(0).split("\n")
    extended = "E" in found or process.argv[0] == "egrep"
    translated = []
    for source in sources:
        if "F" in found or process.argv[0] == "fgrep":
            translated.append(re.escape(source))
        elif "P" in found:
            translated.append(source)
        else:
            translated.append(posix_expression(source, extended=extended))
    joined = "|".join(f"(?:{one})" for one in translated) if translated else r"(?!)"
    if "x" in found:
        joined = rf"\A(?:{joined})\Z"
    elif "w" in found:
        joined = rf"(?<!\w)(?:{joined})(?!\w)"
    try:
        return re.compile(joined, re.I if "i" in found or "y" in found else 0)
    except re.error as error:
        raise ToolFault(f"invalid pattern: {error}", 2) from error


def _listed(process: Process, found: Options, path: str) -> list[str]:
    where = disk(process)
    result = []
    for name in where.list(path):
        below = f"{path.rstrip('/')}/{name}" if path != "." or found.get("_dot") else name
        if where.is_dir(below):
            if where.host(below, follow=False).is_symlink() and "R" not in found:
                continue
            if not any(matches(name, pattern) for pattern in found.get("exclude-dir", [])):
                result.extend(_listed(process, found, below))
        elif _included(found, name):
            result.append(below)
    return result


def _included(found: Options, path: str) -> bool:
    name = posixpath.basename(path)
    if any(matches(name, pattern) for pattern in found.get("exclude", [])):
        return False
    wanted = found.get("include", [])
    return not wanted or any(matches(name, pattern) for pattern in wanted)


def _grep(process: Process) -> int:
    argv = process.argv
    process.argv = [argv[0], *[re.sub(r"\A-(\d+)\Z", r"-C\1", word) for word in argv[1:]]]
    found, operands = options(process, "EFGPivwxcqsnHhoalLrRyzZUbIT", "efmABCdD", _LONG, code=2)
    expression = _expression(process, found, operands)
    recursive = "r" in found or "R" in found
    given = operands or (["."] if recursive else ["-"])
    paths: list[str] = []
    code = 1
    failed = False
    for path in given:
        if path != "-" and disk(process).is_dir(path):
            if recursive:
                if operands:
                    found["_dot"] = [""]
                paths.extend(_listed(process, found, path))
            elif "s" not in found:
                complain(process, f"{path}: Is a directory")
        else:
            paths.append(path)
    named = "h" not in found and ("H" in found or len(given) > 1 or recursive)
    for path in paths:
        try:
            if _Search(process, found, expression, path, named=named).run():
                code = 0
                if "q" in found:
                    return 0
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            if "s" not in found:
                complain(process, f"{path}: {reason(error)}")
            failed = True
    return 2 if failed else code


class _Search:
    def __init__(
        self,
        process: Process,
        found: Options,
        expression: re.Pattern[str],
        path: str,
        *,
        named: bool,
    ) -> None:
        self._process = process
        self._found = found
        self._expression = expression
        self._path = path
        shown = "(standard input)" if path == "-" else path
        self._shown = shown
        self._prefix = shown if named else ""

    def run(self) -> bool:
        found = self._found
        limit = int(found.last("m", "-1"))
        after = int(found.last("A", found.last("C", "0")))
        before = int(found.last("B", found.last("C", "0")))
        context = "A" in found or "B" in found or "C" in found
        count = 0
        held: list[tuple[int, str]] = []
        trailing = 0
        last_shown = 0
        quiet = any(letter in found for letter in "qlLc")
        reader = open_input(self._process, self._path)
        for number, row in enumerate(stream_lines(reader), 1):
            line = text(row).rstrip("\n")
            hit = bool(self._expression.search(line)) != ("v" in found)
            if hit and limit != 0:
                count += 1
                if "q" in found or "l" in found:
                    break
                if not quiet:
                    start = held[0][0] if held else number
                    if context and last_shown and start > last_shown + 1:
                        put(self._process, "--\n")
                    for earlier, text_before in held:
                        self._show(earlier, text_before, "-")
                    held.clear()
                    self._matched(number, line)
                    last_shown, trailing = number, after
                if count == limit:
                    break
            elif trailing and not quiet:
                self._show(number, line, "-")
                trailing -= 1
                last_shown = number
            elif before:
                held = [*held, (number, line)][-before:]
        if "c" in found and "q" not in found:
            put(self._process, (f"{self._prefix}:" if self._prefix else "") + f"{count}\n")
        if ("l" in found and count) or ("L" in found and not count):
            put(self._process, self._shown + "\n")
        return bool(count)

    def _matched(self, number: int, line: str) -> None:
        if "o" not in self._found:
            self._show(number, line, ":")
        elif "v" not in self._found:
            for one in self._expression.finditer(line):
                if one[0]:
                    self._show(number, one[0], ":")

    def _show(self, number: int, line: str, mark: str) -> None:
        prefix = f"{self._prefix}{mark}" if self._prefix else ""
        if "n" in self._found:
            prefix += f"{number}{mark}"
        put(self._process, prefix + line + "\n")


def _program(process: Process) -> int:
    try:
        return _grep(process)
    except ToolFault as fault:
        if fault.text:
            process.err(f"{process.argv[0]}: {fault.text}\n")
        return fault.code


TOOLS = {name: tool(_program) for name in ("grep", "egrep", "fgrep")}
