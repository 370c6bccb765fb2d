"""Expands words: braces, tilde, parameters, substitutions, splitting, pathnames, in bash's order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from k8swin_lab.bash.python import parameters
from k8swin_lab.bash.python.arithmetic import evaluate
from k8swin_lab.bash.python.braces import brace_expanded
from k8swin_lab.bash.python.pieces import Piece
from k8swin_lab.bash.python.syntax import (
    Arithmetic,
    CommandSubstitution,
    DoubleQuoted,
    Literal,
    Parameter,
    Part,
    ProcessSubstitution,
    Word,
)
from k8swin_lab.bash.python.variables import ShellFault
from k8swin_lab.bash.tools import patterns
from k8swin_lab.machines.disk import Disk
from k8swin_lab.machines.shell import account

if TYPE_CHECKING:
    from k8swin_lab.bash.python.interpreter import Interpreter


class Expander:
    """Expansion in one shell."""

    def __init__(self, shell: Interpreter) -> None:
        self._shell = shell

    # Whole words

    def fields(self, word: Word) -> list[str]:
        """Expand a word of a command into its arguments."""
        result: list[str] = []
        for parts in brace_expanded(word.parts):
            for field in self._split(self.pieces(parts)):
                result.extend(self._pathnames(field))
        return result

    def text(self, word: Word | None) -> str:
        """Expand a word into one text: no splitting, no pathnames (assignments, case, targets)."""
        if word is None:
            return ""
        joiner = (self._shell.variables.get("IFS") or " ")[:1]
        pieces = self.pieces(word.parts)
        return "".join(joiner if piece.kind == "break" else piece.text for piece in pieces)

    def assigned(self, word: Word | None) -> str:
        """Expand the right side of an assignment: tildes also after colons."""
        if word is None:
            return ""
        parts = tuple(
            Literal(self._tilde_colons(part.text, first=not n))
            if isinstance(part, Literal) and not part.quoted
            else part
            for n, part in enumerate(word.parts)
        )
        return self.text(Word(parts))

    def pattern(self, word: Word | None) -> str:
        """Expand a word into a pattern in which quoted characters stand for themselves."""
        if word is None:
            return ""
        return "".join(
            patterns.escape(piece.text) if piece.kind == "quoted" else piece.text
            for piece in self.pieces(word.parts)
        )

    def regular_expression(self, word: Word) -> str:
        """Expand the right side of `=~`; quoted text stands for itself."""
        return "".join(
            re.sub(r"([][\\.*+?(){}|^$])", r"\\\1", piece.text)
            if piece.kind == "quoted"
            else piece.text
            for piece in self.pieces(word.parts)
        )

    def arithmetic(self, word: Word | None) -> int:
        """Expand and compute an arithmetic expression."""
        return evaluate(self.text(word), self._shell.store)

    # Pieces

    def pieces(self, parts: tuple[Part, ...], *, quoted: bool = False) -> list[Piece]:
        """Expand parts into pieces."""
        result: list[Piece] = []
        for number, part in enumerate(parts):
            if isinstance(part, Literal):
                text = part.text
                if not number and not part.quoted and not quoted and text.startswith("~"):
                    alone = len(parts) == 1 or "/" in text
                    result.extend(self._tilde(text) if alone else [Piece(text, "literal")])
                else:
                    result.append(Piece(text, "quoted" if part.quoted or quoted else "literal"))
            elif isinstance(part, DoubleQuoted):
                inside = self.pieces(part.parts, quoted=True)
                if not inside and not _only_at(part):
                    inside = [Piece("", "quoted")]
                result.extend(inside)
            elif isinstance(part, Parameter):
                result.extend(parameters.expand(self._shell, self, part, quoted))
            elif isinstance(part, CommandSubstitution):
                text = self._shell.substitute(part.body)
                result.append(Piece(text, "quoted" if quoted else "split"))
            elif isinstance(part, ProcessSubstitution):
                result.append(Piece(self._shell.process_substitution(part), "quoted"))
            elif isinstance(part, Arithmetic):
                number_text = str(self.arithmetic(part.expression))
                result.append(Piece(number_text, "quoted" if quoted else "split"))
        return result

    def _tilde(self, text: str) -> list[Piece]:
        head, slash, rest = text.partition("/")
        home = self._home(head[1:])
        if home is None:
            return [Piece(text, "literal")]
        return [Piece(home, "quoted"), Piece(slash + rest, "literal")]

    def _home(self, user: str) -> str | None:
        if user == "+":
            return self._shell.cwd
        if not user:
            home = self._shell.variables.get("HOME")
            if home is not None:
                return home
            user = self._shell.user
        found = account(self._shell.machine, user)
        return found.home if found else None

    def _tilde_colons(self, text: str, *, first: bool) -> str:
        pieces = text.split(":")
        for number, piece in enumerate(pieces):
            if piece.startswith("~") and (number or first):
                pieces[number] = "".join(found.text for found in self._tilde(piece))
        return ":".join(pieces)

    # Splitting

    def _split(self, pieces: list[Piece]) -> list[list[Piece]]:
        ifs = self._shell.variables.get("IFS")
        ifs = " \t\n" if ifs is None else ifs
        fields: list[list[Piece]] = []
        current: list[Piece] | None = None
        for piece in pieces:
            if piece.kind == "break":
                fields.append(current or [])
                current = []
            elif piece.kind != "split" or not ifs:
                if piece.text or piece.kind == "quoted":
                    kind = "literal" if piece.kind == "split" else piece.kind
                    current = [*(current or []), Piece(piece.text, kind)]
            else:
                for text, ended in _split_text(piece.text, ifs):
                    if text is not None:
                        current = [*(current or []), Piece(text, "literal")]
                    if ended and current is not None:
                        fields.append(current)
                        current = None
        if current is not None:
            fields.append(current)
        return fields

    # Pathnames

    def _pathnames(self, field: list[Piece]) -> list[str]:
        text = "".join(piece.text for piece in field)
        if self._shell.options.noglob:
            return [text]
        if not any(piece.kind != "quoted" and re.search(r"[*?\[(]", piece.text) for piece in field):
            return [text]
        pattern = "".join(
            patterns.escape(piece.text) if piece.kind == "quoted" else piece.text for piece in field
        )
        if not patterns.has_wildcards(pattern):
            return [text]
        found = self.glob(pattern)
        if found:
            return found
        if "failglob" in self._shell.options.shopt:
            raise ShellFault(f"no match: {text}", fatal=False)
        return [] if "nullglob" in self._shell.options.shopt else [text]

    def glob(self, pattern: str) -> list[str]:
        """Return the paths that match, sorted."""
        disk = Disk(self._shell.machine, self._shell.cwd)
        parts = pattern.split("/")
        absolute = pattern.startswith("/")
        found = ["/"] if absolute else [""]
        steps = [part for part in parts if part]
        shopt = self._shell.options.shopt
        for number, step in enumerate(steps):
            last = number == len(steps) - 1 and not pattern.endswith("/")
            following: list[str] = []
            for base in found:
                if step == "**" and "globstar" in shopt:
                    following.extend(_below(disk, base, directories_only=not last))
                elif not patterns.has_wildcards(step):
                    path = base + patterns.unescape(step)
                    if disk.exists(path, follow=False) and (last or disk.is_dir(path)):
                        following.append(path if last else path + "/")
                else:
                    following.extend(self._matching(disk, base, step, last, "dotglob" in shopt))
            found = following
        return sorted(found)

    def _matching(self, disk: Disk, base: str, step: str, last: bool, dots: bool) -> list[str]:
        try:
            names = disk.list(base or ".")
        except OSError:
            return []
        hidden = dots or step.startswith((".", "\\."))
        fold = "nocaseglob" in self._shell.options.shopt
        result = []
        for name in names:
            if name.startswith(".") and not hidden:
                continue
            if patterns.matches(name, step, fold=fold):
                if last:
                    result.append(base + name)
                elif disk.is_dir(base + name):
                    result.append(base + name + "/")
        return result


def _below(disk: Disk, base: str, *, directories_only: bool) -> list[str]:
    result = [base] if directories_only or base else []
    try:
        names = disk.list(base or ".")
    except OSError:
        return result
    for name in names:
        if name.startswith("."):
            continue
        if disk.is_dir(base + name):
            if directories_only:
                result.extend(_below(disk, base + name + "/", directories_only=True))
            else:
                result.append(base + name)
                result.extend(_below(disk, base + name + "/", directories_only=False)[1:])
        elif not directories_only:
            result.append(base + name)
    return result


def _only_at(part: DoubleQuoted) -> bool:
    """Tell whether a quoted text is just `"$@"` or `"${a[@]}"`, which may vanish."""
    for inner in part.parts:
        if not isinstance(inner, Parameter):
            return False
        index = inner.index.plain() if inner.index else None
        if inner.name != "@" and index != "@" and inner.form != "prefix":
            return False
    return bool(part.parts)


def _split_text(text: str, ifs: str) -> list[tuple[str | None, bool]]:
    """Split by IFS; return (text or None, whether a separator ends the field) in turn."""
    blank = "".join(c for c in ifs if c in " \t\n")
    other = "".join(c for c in ifs if c not in " \t\n")
    result: list[tuple[str | None, bool]] = []
    at = 0
    start = at
    while at < len(text) and text[at] in blank:
        at += 1
    if at > start:
        result.append((None, True))
    while at < len(text):
        start = at
        while at < len(text) and text[at] not in ifs:
            at += 1
        word = text[start:at]
        before = at
        while at < len(text) and text[at] in blank:
            at += 1
        hard = at < len(text) and text[at] in other
        if hard:
            at += 1
            while at < len(text) and text[at] in blank:
                at += 1
        result.append((word if word or hard else None, at > before))
    return result
