"""sed's grammar: addresses and commands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from k8swin_lab.bash.tools.common import (
    ToolFault,
)
from k8swin_lab.bash.tools.expressions import posix_expression
from k8swin_lab.machines.program import NotSimulated


@dataclass(slots=True)
class Address:
    """A line number, `$` (-1), an expression, a step, or an offset."""

    kind: str
    number: int = 0
    step: int = 0
    expression: re.Pattern[str] | None = None


@dataclass(slots=True)
class Command:
    name: str
    first: Address | None = None
    second: Address | None = None
    negated: bool = False
    text: str = ""
    expression: re.Pattern[str] | None = None
    flags: str = ""
    number: int = 0
    body: list[Command] = field(default_factory=list)
    active: bool = False
    until: int = 0


class Parser:
    """Reads one script."""

    def __init__(self, source: str, *, extended: bool) -> None:
        self._source = source
        self._extended = extended
        self._at = 0
        self.last: re.Pattern[str] | None = None

    def _fault(self, what: str) -> ToolFault:
        return ToolFault(f"-e expression #1, char {self._at}: {what}")

    def _peek(self) -> str:
        return self._source[self._at : self._at + 1]

    def commands(self, *, inside: bool = False) -> list[Command]:
        """Read commands up to the end, or to the closing brace inside of a group."""
        result: list[Command] = []
        while True:
            while self._peek() and self._peek() in " \t\n;":
                self._at += 1
            if not self._peek():
                if inside:
                    raise ToolFault("-e expression #1, char 0: unmatched `{'")
                return result
            if self._peek() == "}":
                self._at += 1
                if not inside:
                    raise self._fault("unexpected `}'")
                return result
            if self._peek() == "#":
                self._at = (self._source + "\n").index("\n", self._at)
                continue
            result.append(self._command())

    def _blanks(self) -> None:
        while self._peek() and self._peek() in " \t":
            self._at += 1

    def _command(self) -> Command:
        command = Command("")
        command.first = self._address()
        self._blanks()
        if command.first and self._peek() == ",":
            self._at += 1
            self._blanks()
            command.second = self._address(second=True)
            if command.second is None:
                raise self._fault("unexpected `,'")
        self._blanks()
        while self._peek() == "!":
            command.negated = True
            self._at += 1
            self._blanks()
        command.name = self._peek()
        self._at += 1
        if not command.name:
            raise self._fault("missing command")
        if command.name == "{":
            command.body = self.commands(inside=True)
        elif command.name == "s":
            self._substitution(command)
        elif command.name == "y":
            self._transliteration(command)
        elif command.name in "aic":
            self._text(command)
        elif command.name in ":btT":
            self._blanks()
            end = re.compile(r"[;\n]|\Z" if command.name != ":" else r"\n|;|\Z").search(
                self._source, self._at
            )
            stop = end.start() if end else len(self._source)
            command.text = self._source[self._at : stop].strip().rstrip("}").strip()
            self._at = stop
        elif command.name in "rwRW":
            self._blanks()
            stop = (self._source + "\n").index("\n", self._at)
            command.text = self._source[self._at : stop]
            self._at = stop
        elif command.name in "qQl":
            found = re.compile(r"\s*(\d*)").match(self._source, self._at)
            command.number = int(found[1] or 0) if found else 0
            self._at = found.end() if found else self._at
        elif command.name not in "dDgGhHnNpPx=z":
            raise self._fault(f"unknown command: `{command.name}'")
        self._blanks()
        if command.name not in "{aicrw:" and self._peek() not in ("", ";", "\n", "}", "#"):
            raise self._fault("extra characters after command")
        return command

    def _address(self, *, second: bool = False) -> Address | None:
        found = re.compile(r"(\d+)(?:~(\d+))?").match(self._source, self._at)
        if found:
            self._at = found.end()
            if found[2] is not None:
                return Address("step", int(found[1]), int(found[2]))
            return Address("line", int(found[1]))
        c = self._peek()
        if c == "$":
            self._at += 1
            return Address("last")
        if second and c in ("+", "~"):
            found = re.compile(r"[+~](\d+)").match(self._source, self._at)
            if found:
                self._at = found.end()
                return Address("plus" if c == "+" else "multiple", int(found[1]))
        if c in ("/", "\\") and c:
            if c == "\\":
                self._at += 1
            source = self._delimited()
            flags = re.compile(r"[IM]*").match(self._source, self._at)
            letters = flags[0] if flags else ""
            self._at += len(letters)
            return Address("match", expression=self._compiled(source, letters))
        return None

    def _delimited(self) -> str:
        delimiter = self._peek()
        self._at += 1
        out = ""
        bracket = False
        while (c := self._peek()) != delimiter or bracket:
            if not c:
                raise self._fault("unterminated address regex")
            if c == "\\":
                follow = self._source[self._at + 1 : self._at + 2]
                out += follow if follow == delimiter and delimiter != "|" else c + follow
                if follow == delimiter == "|":
                    out = out[:-2] + "|"
                self._at += 2
                continue
            if c == "[" and not bracket:
                bracket = True
                out += c
                self._at += 1
                if self._peek() == "^":
                    out += "^"
                    self._at += 1
                if self._peek() == "]":
                    out += "]"
                    self._at += 1
                continue
            if c == "[" and self._source[self._at + 1 : self._at + 2] in ":.=":
                end = self._source.find("]", self._at)
                out += self._source[self._at : end + 1]
                self._at = end + 1
                continue
            if c == "]":
                bracket = False
            out += c
            self._at += 1
        self._at += 1
        return out

    def _compiled(self, source: str, flags: str) -> re.Pattern[str] | None:
        if not source:
            return None
        mode = (re.I if "I" in flags or "i" in flags else 0) | (re.M if "M" in flags else 0)
        translated = posix_expression(source, extended=self._extended)
        if "M" in flags or "m" in flags:
            translated = translated.replace(r"\Z", "$")
        try:
            return re.compile(translated, mode)
        except re.error as error:
            raise self._fault(str(error)) from error

    def _substitution(self, command: Command) -> None:
        delimiter = self._peek()
        if not delimiter:
            raise self._fault("unterminated `s' command")
        source = self._delimited_or(delimiter)
        out = ""
        while (c := self._peek()) != delimiter:
            if not c:
                raise self._fault("unterminated `s' command")
            if c == "\\":
                follow = self._source[self._at + 1 : self._at + 2]
                out += follow if follow == delimiter and follow not in "&" else c + follow
                self._at += 2
            else:
                out += c
                self._at += 1
        self._at += 1
        flags = re.compile(r"[gpiIemM0-9]*").match(self._source, self._at)
        letters = flags[0] if flags else ""
        self._at += len(letters)
        if "e" in letters:
            raise NotSimulated("sed s///e")
        if self._peek() == "w":
            raise NotSimulated("sed s///w")
        if self._peek() not in ("", ";", "\n", "}", " ", "\t", "#"):
            raise self._fault("unknown option to `s'")
        digits = re.sub(r"\D", "", letters)
        command.expression = self._compiled(source, letters)
        command.text = out
        command.flags = letters
        command.number = int(digits or 0)

    def _delimited_or(self, delimiter: str) -> str:
        try:
            return self._delimited()
        except ToolFault:
            raise self._fault("unterminated `s' command") from None

    def _transliteration(self, command: Command) -> None:
        delimiter = self._peek()
        self._at += 1
        parts = []
        for _ in range(2):
            out = ""
            while (c := self._peek()) != delimiter:
                if not c:
                    raise self._fault("unterminated `y' command")
                if c == "\\":
                    follow = self._source[self._at + 1 : self._at + 2]
                    out += {"n": "\n", delimiter: delimiter}.get(follow, follow)
                    self._at += 2
                else:
                    out += c
                    self._at += 1
            self._at += 1
            parts.append(out)
        if len(parts[0]) != len(parts[1]):
            raise self._fault("strings for `y' command are different lengths")
        command.text, command.flags = parts

    def _text(self, command: Command) -> None:
        self._blanks()
        if self._peek() == "\\":
            self._at += 1
            self._blanks()
            if self._peek() == "\n":
                self._at += 1
        out = ""
        while (c := self._peek()) and c != "\n":
            if c == "\\":
                out += self._source[self._at + 1 : self._at + 2]
                self._at += 2
            else:
                out += c
                self._at += 1
        if not out and not self._peek() and command.name != "c":
            raise self._fault("expected \\ after `a', `c' or `i'")
        command.text = out
