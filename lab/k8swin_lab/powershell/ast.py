"""The syntax tree of a script: plain records, made by the parser and read by the compiler.

Every node knows where its text starts and ends (offsets into `Source.text`), because errors quote
the line and a script block prints as its own text.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any


class Source:
    """The text of one script, with its file name (None for a command line) and its line starts."""

    __slots__ = ("_starts", "name", "text")

    def __init__(self, text: str, name: str | None = None) -> None:
        self.text = text
        self.name = name
        self._starts = [0]
        for offset, char in enumerate(text):
            if char == "\n":
                self._starts.append(offset + 1)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, from 1, without its end."""
        start = self._starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end].rstrip("\r")


@dataclass(slots=True)
class Node:
    start: int
    end: int


# --- expressions


@dataclass(slots=True)
class Constant(Node):
    """A number or a string; `text` is how a number was spelled (commands may want the spelling)."""

    value: Any
    text: str | None = None
    bareword: bool = False


@dataclass(slots=True)
class ExpandString(Node):
    """A string with variables and subexpressions in it."""

    parts: list[Any]  # str or expression
    bareword: bool = False


@dataclass(slots=True)
class Variable(Node):
    """`$scope:name`; `scope` is "" or script, global, local, private, using or a drive such as env."""

    scope: str
    name: str
    splatted: bool = False


@dataclass(slots=True)
class ArrayLiteral(Node):
    items: list[Any]


@dataclass(slots=True)
class ArrayExpression(Node):
    body: Block


@dataclass(slots=True)
class SubExpression(Node):
    body: Block


@dataclass(slots=True)
class Paren(Node):
    pipeline: Any


@dataclass(slots=True)
class HashLiteral(Node):
    pairs: list[tuple[Any, Any]]


@dataclass(slots=True)
class ScriptBlockExpression(Node):
    block: ScriptBlockAst
    text: str = ""


@dataclass(slots=True)
class TypeLiteral(Node):
    name: str


@dataclass(slots=True)
class Attribute(Node):
    """`[Parameter(Mandatory)]` and the like."""

    name: str
    positional: list[Any]
    named: list[tuple[str, Any]]


@dataclass(slots=True)
class Convert(Node):
    """`[type] operand`, or an attribute set on a variable that is assigned."""

    type: TypeLiteral | Attribute
    operand: Any


@dataclass(slots=True)
class Unary(Node):
    operator: str
    operand: Any


@dataclass(slots=True)
class Increment(Node):
    """`++` and `--`; `operator` is + or -."""

    operator: str
    operand: Any
    prefix: bool


@dataclass(slots=True)
class Binary(Node):
    operator: str  # without the dash and in lower case: "eq", "+", "imatch"
    left: Any
    right: Any


@dataclass(slots=True)
class Member(Node):
    target: Any
    name: Any  # Constant or an expression
    static: bool


@dataclass(slots=True)
class MethodCall(Node):
    target: Any
    name: Any
    arguments: list[Any]
    static: bool


@dataclass(slots=True)
class Index(Node):
    target: Any
    index: Any


# --- commands


@dataclass(slots=True)
class Redirection(Node):
    stream: str  # "1".."6" or "*"
    append: bool
    target: Any  # an expression, or "&1" and the like


@dataclass(slots=True)
class CommandParameter(Node):
    name: str
    argument: Any  # None when it is a separate element
    text: str


@dataclass(slots=True)
class Command(Node):
    invocation: str  # "", "&" or "."
    elements: list[Any]
    redirections: list[Redirection]


@dataclass(slots=True)
class CommandExpression(Node):
    expression: Any
    redirections: list[Redirection]


@dataclass(slots=True)
class Pipeline(Node):
    elements: list[Command | CommandExpression]


@dataclass(slots=True)
class Assignment(Node):
    target: Any
    operator: str  # "=", "+=", ...
    value: Any  # a statement


# --- statements


@dataclass(slots=True)
class Trap(Node):
    type: TypeLiteral | None
    body: Block


@dataclass(slots=True)
class Block(Node):
    statements: list[Any]
    traps: list[Trap] = field(default_factory=list)


@dataclass(slots=True)
class If(Node):
    clauses: list[tuple[Any, Block]]
    otherwise: Block | None


@dataclass(slots=True)
class While(Node):
    label: str
    condition: Any
    body: Block


@dataclass(slots=True)
class DoLoop(Node):
    label: str
    condition: Any
    body: Block
    until: bool


@dataclass(slots=True)
class For(Node):
    label: str
    initializer: Any
    condition: Any
    iterator: Any
    body: Block


@dataclass(slots=True)
class ForEach(Node):
    label: str
    variable: Variable
    values: Any
    body: Block


@dataclass(slots=True)
class Switch(Node):
    label: str
    mode: str  # "exact", "wildcard" or "regex"
    case_sensitive: bool
    file: bool
    condition: Any
    clauses: list[tuple[Any, Block]]
    default: Block | None


@dataclass(slots=True)
class Try(Node):
    body: Block
    catches: list[tuple[list[TypeLiteral], Block]]
    final: Block | None


@dataclass(slots=True)
class Flow(Node):
    """break and continue (`value` names the label), return, throw and exit (`value` is a pipeline)."""

    keyword: str
    value: Any


@dataclass(slots=True)
class ParameterAst(Node):
    name: str
    type: TypeLiteral | None
    attributes: list[Attribute]
    default: Any


@dataclass(slots=True)
class ScriptBlockAst(Node):
    source: Source
    parameters: list[ParameterAst] | None
    attributes: list[Attribute]
    begin: Block | None
    process: Block | None
    body: Block | None
    """The end block."""
    named: bool
    """Whether blocks were named (begin, process, end)."""
    requires: list[str] = field(default_factory=list)
    usings: list[Using] = field(default_factory=list)
    """What stands before everything else."""


@dataclass(slots=True)
class Function(Node):
    name: str
    filter: bool
    block: ScriptBlockAst


@dataclass(slots=True)
class PropertyAst(Node):
    name: str
    type: TypeLiteral | None
    attributes: list[Attribute]
    default: Any
    static: bool
    hidden: bool


@dataclass(slots=True)
class MethodAst(Node):
    name: str
    returns: TypeLiteral | None
    block: ScriptBlockAst
    static: bool
    hidden: bool
    base_arguments: list[Any] | None


@dataclass(slots=True)
class Class(Node):
    name: str
    bases: list[TypeLiteral]
    properties: list[PropertyAst]
    methods: list[MethodAst]


@dataclass(slots=True)
class Enum(Node):
    name: str
    flags: bool
    members: list[tuple[str, Any]]


@dataclass(slots=True)
class Data(Node):
    variable: str
    body: Block


@dataclass(slots=True)
class Using(Node):
    kind: str  # "namespace", "module" or "assembly"
    name: str


Script = ScriptBlockAst
