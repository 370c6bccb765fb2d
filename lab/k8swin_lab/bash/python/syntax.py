"""The tree a script becomes: words with their quoting kept, and commands with their line."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Literal:
    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class DoubleQuoted:
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """`${name[index] operator operand : length}`; `form` is "", "#" (length), "!" (indirect)."""

    name: str
    index: Word | None = None
    form: str = ""
    operator: str = ""
    operand: Word | None = None
    replacement: Word | None = None


@dataclass(frozen=True, slots=True)
class CommandSubstitution:
    body: Script


@dataclass(frozen=True, slots=True)
class ProcessSubstitution:
    body: Script
    direction: str  # "<" or ">"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    expression: Word


Part = Literal | DoubleQuoted | Parameter | CommandSubstitution | ProcessSubstitution | Arithmetic


@dataclass(frozen=True, slots=True)
class Word:
    parts: tuple[Part, ...]
    source: str = ""

    def plain(self) -> str | None:
        """Return the text of a word of one unquoted literal, or None."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Literal) and not self.parts[0].quoted:
            return self.parts[0].text
        return None


@dataclass(frozen=True, slots=True)
class Assignment:
    name: str
    index: Word | None
    append: bool
    value: Word | None
    elements: tuple[tuple[Word | None, Word, bool], ...] | None = None
    """Elements of `name=(...)`: subscript, value, whether `[k]+=`."""


@dataclass(slots=True)
class Redirect:
    operator: str
    descriptor: int | None
    target: Word | None
    variable: str = ""  # of {name}>file
    body: Word | None = None  # of a here-document


@dataclass(slots=True)
class Command:
    line: int = 0
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class Simple(Command):
    assignments: list[Assignment] = field(default_factory=list)
    words: list[Word | Assignment] = field(default_factory=list)


@dataclass(slots=True)
class Pipeline(Command):
    commands: list[Command] = field(default_factory=list)
    negated: bool = False
    timed: bool = False
    both: list[bool] = field(default_factory=list)  # `|&` after command n


@dataclass(slots=True)
class AndOr(Command):
    first: Command | None = None
    rest: list[tuple[str, Command]] = field(default_factory=list)


@dataclass(slots=True)
class Script(Command):
    items: list[tuple[Command, bool]] = field(default_factory=list)  # command, in background


@dataclass(slots=True)
class Subshell(Command):
    body: Script = field(default_factory=Script)


@dataclass(slots=True)
class Group(Command):
    body: Script = field(default_factory=Script)


@dataclass(slots=True)
class If(Command):
    branches: list[tuple[Script, Script]] = field(default_factory=list)
    otherwise: Script | None = None


@dataclass(slots=True)
class While(Command):
    condition: Script = field(default_factory=Script)
    body: Script = field(default_factory=Script)
    until: bool = False


@dataclass(slots=True)
class For(Command):
    name: str = ""
    words: list[Word | Assignment] | None = None
    body: Script = field(default_factory=Script)


@dataclass(slots=True)
class ArithmeticFor(Command):
    header: tuple[Word, Word, Word] = (Word(()), Word(()), Word(()))
    body: Script = field(default_factory=Script)


@dataclass(slots=True)
class Case(Command):
    subject: Word = Word(())
    branches: list[tuple[list[Word], Script, str]] = field(default_factory=list)


@dataclass(slots=True)
class Function(Command):
    name: str = ""
    body: Command = field(default_factory=Command)
    source: str = ""


@dataclass(slots=True)
class ArithmeticCommand(Command):
    expression: Word = Word(())


@dataclass(slots=True)
class Condition(Command):
    """`[[ ... ]]` as nested tuples: ("and", a, b), ("not", a), ("-f", word), ("==", w, w)."""

    test: tuple[object, ...] = ()
