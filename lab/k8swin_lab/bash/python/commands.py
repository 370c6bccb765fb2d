"""Reads simple commands: assignments, redirections, here-documents. The middle of the parser."""

from __future__ import annotations

import re
from collections.abc import Callable

from k8swin_lab.bash.python.syntax import (
    Assignment,
    Command,
    DoubleQuoted,
    Literal,
    Part,
    Redirect,
    Simple,
    Word,
)
from k8swin_lab.bash.python.words import SyntaxFault, WordReader

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?=[\[+=])")
_DECLARES = frozenset(["declare", "typeset", "local", "export", "readonly"])
_REDIRECT = re.compile(r"(\d+|\{[A-Za-z_]\w*\})?(&>>|&>|<<<|<<-|<<|<>|<&|<|>>|>&|>\||>)")
_SEPARATORS = (";;&", ";;", ";&", ";", "&&", "||", "|&", "|", "&", "(", ")")


class CommandReader(WordReader):
    """A word reader that knows lines, comments and simple commands."""

    def __init__(self, text: str, line: int = 1, more: Callable[[], str] | None = None) -> None:
        super().__init__(text, line, more)
        self.here: list[Redirect] = []

    def blanks(self) -> None:
        """Skip blanks, continued lines and a comment."""
        while c := self.peek():
            if c in " \t\r" and c != "\r":
                self.at += 1
            elif c == "\\" and self.peek(1) == "\n":
                self.at += 2
            elif c == "#":
                while self.peek() not in ("\n", ""):
                    self.at += 1
            else:
                return

    def newlines(self) -> None:
        """Skip blanks and line ends."""
        while True:
            self.blanks()
            if self.peek() != "\n":
                return
            self.end_line()

    def end_line(self) -> None:
        """Take a line end, and the here-documents that follow it."""
        self.at += 1
        if self.here:
            self.read_here_documents()

    def fault(self) -> SyntaxFault:
        """Make the error for what stands at the position."""
        if not self.peek():
            line = self.line + (not self.text.endswith("\n"))
            return SyntaxFault("syntax error: unexpected end of file", line, at_end=True)
        if self.peek() == "\n":
            return SyntaxFault("syntax error near unexpected token `newline'", self.line)
        for separator in _SEPARATORS:
            if self.starts(separator):
                return SyntaxFault(f"syntax error near unexpected token `{separator}'", self.line)
        word = self.word()
        text = word.source if word else self.peek()
        return SyntaxFault(f"syntax error near unexpected token `{text}'", self.line)

    def reserved(self) -> str:
        """Return the plain word at the position without taking it."""
        self.peek()
        found = re.compile(r"[^\s;&|()<>$`'\"\\]+").match(self.text, self.at)
        return found[0] if found else ""

    def simple_command(self) -> Command:
        """Read a simple command."""
        command = Simple(line=self.line)
        while True:
            self.blanks()
            redirect = self.redirect()
            if redirect:
                command.redirects.append(redirect)
                continue
            first = command.words[0] if command.words else None
            declares = isinstance(first, Word) and first.plain() in _DECLARES
            if not command.words or declares:
                assignment = self._assignment()
                if assignment:
                    (command.words if declares else command.assignments).append(assignment)
                    continue
            word = self.any_word()
            if word is None:
                break
            command.words.append(word)
        if not command.words and not command.assignments and not command.redirects:
            raise self.fault()
        return command

    def any_word(self) -> Word | None:
        """Read a word, process substitutions included; None when there is none."""
        parts: list[Part] = []
        start = self.at
        while True:
            if self.peek() in ("<", ">") and self.peek() and self.peek(1) == "(":
                parts.extend(self.process().parts)
            elif word := self.word():
                parts.extend(word.parts)
            else:
                break
        return Word(tuple(parts), self.text[start : self.at]) if self.at > start else None

    def _assignment(self) -> Assignment | None:
        self.peek()
        found = _ASSIGNMENT.match(self.text, self.at)
        if not found:
            return None
        start = self.at
        self.at = found.end()
        index = None
        if self.peek() == "[":
            index = self.subscript()
        append = self.peek() == "+"
        self.at += append
        if self.peek() != "=":
            self.at = start
            return None
        self.at += 1
        if self.peek() == "(" and index is None:
            self.at += 1
            return Assignment(found[0], None, append, None, self._elements())
        return Assignment(found[0], index, append, self.any_word() or Word(()))

    def _elements(self) -> tuple[tuple[Word | None, Word, bool], ...]:
        elements: list[tuple[Word | None, Word, bool]] = []
        while True:
            self.newlines()
            if self.peek() == ")":
                self.at += 1
                return tuple(elements)
            index = None
            append = False
            start = self.at
            if self.peek() == "[":
                index = self.subscript()
                append = self.peek() == "+"
                self.at += append
                if self.peek() == "=":
                    self.at += 1
                else:
                    index, append, self.at = None, False, start
            word = self.any_word()
            if word is None and index is None:
                raise self.fault()
            elements.append((index, word or Word(()), append))

    def redirect(self) -> Redirect | None:
        """Read a redirection, if one comes next."""
        self.blanks()
        self.peek()
        found = _REDIRECT.match(self.text, self.at)
        if not found:
            return None
        number, operator = found.groups()
        if (
            operator in ("<", ">")
            and not number
            and self.text[found.end() : found.end() + 1] == "("
        ):
            return None
        self.at = found.end()
        self.blanks()
        start = self.at
        target = self.any_word()
        if target is None:
            raise self.fault()
        variable = number[1:-1] if number and number[0] == "{" else ""
        descriptor = int(number) if number and not variable else None
        redirect = Redirect(operator, descriptor, target, variable)
        if operator in ("<<", "<<-"):
            redirect.target = Word(target.parts, self.text[start : self.at])
            self.here.append(redirect)
        return redirect

    def read_here_documents(self) -> None:
        """Read the bodies of all here-documents that wait."""
        waiting, self.here = self.here, []
        for redirect in waiting:
            word = redirect.target or Word(())
            end = "".join(_unquoted(part) for part in word.parts)
            quoted = word.plain() is None
            line = self.line
            lines = self._here_lines(end, redirect.operator == "<<-")
            body = "".join(lines)
            if quoted:
                redirect.body = Word((Literal(body, quoted=True),))
                continue
            inner = type(self)(body + "\0", line)
            inner.extended_globs = self.extended_globs
            redirect.body = Word(inner.quoted_parts("\0", escapes="$`\\"))

    def _here_lines(self, end: str, strip: bool) -> list[str]:
        lines = []
        while self.peek():
            start = self.at
            while self.peek() not in ("\n", ""):
                self.at += 1
            text = self.text[start : self.at]
            if self.peek():
                self.at += 1
            if strip:
                text = text.lstrip("\t")
            if text == end:
                break
            lines.append(text + "\n")
        return lines


def _unquoted(part: Part) -> str:
    if isinstance(part, Literal):
        return part.text
    if isinstance(part, DoubleQuoted):
        return "".join(_unquoted(inner) for inner in part.parts)
    return ""
