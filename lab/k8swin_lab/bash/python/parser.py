"""Reads commands: the grammar of bash over the word reader, one complete command at a time."""

from __future__ import annotations

import re
from collections.abc import Callable

from k8swin_lab.bash.python.commands import CommandReader
from k8swin_lab.bash.python.conditional import read_condition
from k8swin_lab.bash.python.syntax import (
    AndOr,
    ArithmeticCommand,
    ArithmeticFor,
    Assignment,
    Case,
    Command,
    Condition,
    For,
    Function,
    Group,
    If,
    Pipeline,
    Script,
    Subshell,
    While,
    Word,
)
from k8swin_lab.machines.program import NotSimulated

_RESERVED_END = frozenset(["then", "else", "elif", "fi", "do", "done", "esac", "}"])
_FUNCTION = re.compile(r"([^\s;&|()<>$`'\"\\=]+)[ \t]*\([ \t]*\)")


class Parser(CommandReader):
    """Parses a script."""

    def complete_command(self) -> Script | None:
        """Return the commands up to the end of the next line that has any; None at the end."""
        while True:
            self.blanks()
            if not self.peek():
                return None
            if self.peek() != "\n":
                break
            self.end_line()
        script = Script(line=self.line)
        while True:
            self.blanks()
            if not self.peek():
                break
            if self.peek() == "\n":
                self.end_line()
                break
            self._item(script)
        if self.here:
            self.read_here_documents()
        return script

    def parse_substitution(self) -> Script:
        # Here-documents that wait outside belong to the outer line.
        waiting, self.here = self.here, []
        script = self._list(lambda: self.peek() == ")")
        if self.peek() != ")":
            raise self.end_of(")")
        self.at += 1
        if self.here:
            self.read_here_documents()
        self.here = waiting
        return script

    def parse_text(self, text: str) -> Script:
        inner = Parser(text, self.line)
        inner.extended_globs = self.extended_globs
        return inner._list(lambda: False)

    def expect(self, word: str) -> None:
        """Take a reserved word or sign."""
        self.newlines()
        if word in "()" or word == ";;":
            if not self.starts(word):
                raise self.fault()
        elif self.reserved() != word:
            raise self.fault()
        self.at += len(word)

    def _list(self, ended: Callable[[], bool]) -> Script:
        script = Script(line=self.line)
        while True:
            self.newlines()
            if not self.peek() or ended():
                return script
            self._item(script)

    def _until(self, *words: str) -> Script:
        script = self._list(lambda: self.reserved() in words)
        if not self.peek() or not script.items:
            raise self.fault()
        return script

    def _item(self, script: Script) -> None:
        command = self._and_or()
        self.blanks()
        background = False
        if self.peek() == "&" and self.peek(1) not in ("&", ">"):
            self.at += 1
            background = True
        elif self.peek() == ";" and self.peek(1) not in (";", "&"):
            self.at += 1
        elif self.peek() not in ("\n", "", ")") and not self.starts(";;") and not self.starts(";&"):
            raise self.fault()
        script.items.append((command, background))

    def _and_or(self) -> Command:
        first = self._pipeline()
        rest: list[tuple[str, Command]] = []
        while True:
            self.blanks()
            if not (self.starts("&&") or self.starts("||")):
                break
            operator = self.peek() * 2
            self.at += 2
            self.newlines()
            rest.append((operator, self._pipeline()))
        return AndOr(line=first.line, first=first, rest=rest) if rest else first

    def _pipeline(self) -> Command:
        self.blanks()
        line = self.line
        negated = timed = False
        while True:
            word = self.reserved()
            if word == "!":
                negated = not negated
            elif word == "time":
                timed = True
            else:
                break
            self.at += len(word)
            self.blanks()
        commands = [self._command()]
        both: list[bool] = []
        while True:
            self.blanks()
            if self.peek() != "|" or self.peek(1) == "|":
                break
            both.append(self.peek(1) == "&")
            self.at += 2 if both[-1] else 1
            self.newlines()
            commands.append(self._command())
        if len(commands) == 1 and not negated and not timed:
            return commands[0]
        return Pipeline(line=line, commands=commands, negated=negated, timed=timed, both=both)

    def _command(self) -> Command:
        self.blanks()
        line = self.line
        command = self._compound()
        if command is None:
            return self.simple_command()
        command.line = line
        while redirect := self.redirect():
            command.redirects.append(redirect)
        return command

    def _compound(self) -> Command | None:
        if self.starts("(("):
            start = self.at
            self.at += 2
            expression = self.arithmetic_until("))")
            if expression is not None:
                return ArithmeticCommand(expression=expression)
            self.at = start
        if self.peek() == "(":
            self.at += 1
            body = self._list(lambda: self.peek() == ")")
            self.expect(")")
            return Subshell(body=body)
        self.peek()
        named = _FUNCTION.match(self.text, self.at)
        word = self.reserved()
        if named and word not in ("function", "{", "!", "[["):
            start = self.at
            self.at = named.end()
            return self._function(named[1], start)
        if word in _RESERVED_END:
            raise self.fault()
        reader = {
            "{": self._group,
            "if": self._if,
            "while": self._while,
            "until": self._while,
            "for": self._for,
            "select": self._select,
            "case": self._case,
            "function": self._function_word,
            "[[": self._condition,
        }.get(word)
        if reader is None:
            return None
        self.at += len(word)
        if word == "until":
            return self._while(until=True)
        return reader()

    def _group(self) -> Command:
        body = self._until("}")
        self.expect("}")
        return Group(body=body)

    def _if(self) -> Command:
        branches = []
        otherwise = None
        while True:
            condition = self._until("then")
            self.expect("then")
            branches.append((condition, self._until("elif", "else", "fi")))
            if self.reserved() == "elif":
                self.at += 4
                continue
            if self.reserved() == "else":
                self.at += 4
                otherwise = self._until("fi")
            self.expect("fi")
            return If(branches=branches, otherwise=otherwise)

    def _while(self, until: bool = False) -> Command:
        condition = self._until("do")
        return While(condition=condition, body=self._do(), until=until)

    def _do(self) -> Script:
        self.expect("do")
        body = self._until("done")
        self.expect("done")
        return body

    def _for(self) -> Command:
        self.blanks()
        if self.starts("(("):
            self.at += 2
            header = self._for_header()
            self.blanks()
            if self.peek() == ";":
                self.at += 1
            self.newlines()
            if self.reserved() == "{":
                self.at += 1
                body = self._until("}")
                self.expect("}")
            else:
                body = self._do()
            return ArithmeticFor(header=header, body=body)
        name = self.reserved()
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise self.fault()
        self.at += len(name)
        self.newlines()
        words: list[Word | Assignment] | None = None
        if self.reserved() == "in":
            self.at += 2
            words = []
            while True:
                self.blanks()
                word = self.any_word()
                if word is None:
                    break
                words.append(word)
        if self.peek() == ";":
            self.at += 1
        return For(name=name, words=words, body=self._do())

    def _for_header(self) -> tuple[Word, Word, Word]:
        found = []
        for end in (";", ";", "))"):
            expression = self.arithmetic_until(end)
            if expression is None:
                raise self.fault()
            found.append(expression)
        return found[0], found[1], found[2]

    def _select(self) -> Command:
        raise NotSimulated("select")

    def _case(self) -> Command:
        self.blanks()
        subject = self.word()
        if subject is None:
            raise self.fault()
        self.expect("in")
        branches: list[tuple[list[Word], Script, str]] = []
        while True:
            self.newlines()
            if self.reserved() == "esac":
                self.at += 4
                return Case(subject=subject, branches=branches)
            if self.peek() == "(":
                self.at += 1
            patterns = []
            while True:
                self.blanks()
                pattern = self.word()
                if pattern is None:
                    raise self.fault()
                patterns.append(pattern)
                self.blanks()
                if self.peek() != "|":
                    break
                self.at += 1
            self.expect(")")
            body = self._list(
                lambda: self.starts(";;") or self.starts(";&") or self.reserved() == "esac"
            )
            end = ";;"
            for end in (";;&", ";;", ";&"):
                if self.starts(end):
                    self.at += len(end)
                    break
            branches.append((patterns, body, end))

    def _function_word(self) -> Command:
        self.blanks()
        start = self.at
        name = self.reserved()
        self.at += len(name)
        self.blanks()
        if self.peek() == "(":
            self.at += 1
            self.expect(")")
        return self._function(name, start)

    def _function(self, name: str, start: int) -> Command:
        self.newlines()
        line = self.line
        body = self._compound()
        if body is None:
            raise self.fault()
        body.line = line
        while redirect := self.redirect():
            body.redirects.append(redirect)
        return Function(name=name, body=body, source=self.text[start : self.at])

    def _condition(self) -> Command:
        before, self.extended_globs = self.extended_globs, True
        try:
            return Condition(test=read_condition(self))
        finally:
            self.extended_globs = before
