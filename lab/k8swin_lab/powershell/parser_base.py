"""What the parts of the parser ask of one another.

Strings hold expressions, expressions hold script blocks, script blocks hold statements: each part is a
class of its own that knows the later ones only by the methods declared here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from k8swin_lab.powershell import ast
from k8swin_lab.powershell.scanner import Scanner


class ParserBase(Scanner, ABC):
    """Reads one source."""

    @abstractmethod
    def parse_expression(self, level: int = 0, *, commas: bool = True) -> Any:
        """An expression; `commas` is whether a comma makes an array."""

    @abstractmethod
    def parse_block_until(self, closing: str) -> ast.Block:
        """Statements up to a closing bracket, which is taken too."""

    @abstractmethod
    def parse_braces(self) -> ast.Block:
        """`{ statements }`."""

    @abstractmethod
    def parse_script_block(self, closing: str) -> ast.ScriptBlockAst:
        """A script block's inside, with its parameters and named blocks."""

    @abstractmethod
    def parse_statement(self) -> Any:
        """One statement; None for an empty one."""

    @abstractmethod
    def parse_pipeline(self) -> Any:
        """Commands and expressions joined by `|`."""

    @abstractmethod
    def parse_paren_content(self) -> Any:
        """What may stand in parentheses: a pipeline or an assignment."""
