"""What the parts of the compiler ask of one another.

Expressions hold script blocks, script blocks hold statements, statements hold expressions: each part
is a class of its own that knows the others only by the methods declared here.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from k8swin_lab.powershell import ast
from k8swin_lab.powershell.ast import Source
from k8swin_lab.powershell.scopes import Frame

Code = Callable[[Frame], Any]
"""A compiled expression: gives its value."""
Setter = Callable[[Frame, Any], None]
"""A compiled target of an assignment: takes the value."""
Action = Callable[[Frame], None]
"""A compiled statement: writes its output to `frame.write`."""

CONSTANTS = {"true": True, "false": False, "null": None}


class CompilerBase(ABC):
    """Compiles the nodes of one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lock = threading.RLock()
        """Held while something is compiled: sessions share what was compiled of a text."""
        self.enclosing: ast.ScriptBlockAst | None = None
        """The script block whose statements are being compiled."""

    @abstractmethod
    def expression(self, node: Any) -> Code:
        """Compile any expression node."""

    @abstractmethod
    def raw_variable(self, node: ast.Variable) -> Code:
        """The variable's value, where a command's missing output is still told from $null."""

    @abstractmethod
    def setter(self, node: Any) -> Setter:
        """What stores a value into a variable, member, element, or several of them."""

    @abstractmethod
    def block(self, node: ast.Block, *, tail: bool = False) -> Action:
        """Statements in order."""

    @abstractmethod
    def statement(self, node: Any, *, tail: bool = False) -> Action:
        """Compile any statement node."""

    @abstractmethod
    def statement_value(self, node: Any) -> Code:
        """A statement as a value: what it writes, collected."""

    @abstractmethod
    def condition(self, node: Any) -> Callable[[Frame], bool]:
        """A statement as a condition."""

    @abstractmethod
    def script_block(self, node: ast.ScriptBlockAst) -> Any:
        """A script block's code."""
