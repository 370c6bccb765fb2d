"""Keeps the grammar of internationalised addresses from being built before somebody asks for it.

jsonschema imports `rfc3987_syntax` wherever it is installed, and JupyterLab brings it along. Its import builds a parser, which
takes more than a second of a processor; no schema of a notebook asks for such an address. What stands in for it here loads
it when it is asked.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

NAME = "rfc3987_syntax"


class _Later(ModuleType):
    """The module until somebody needs it."""

    def is_valid_syntax(self, term: str, value: str) -> bool:
        """Return whether a text is what the grammar calls `term`; the parser is built for the first."""
        return bool(_load().is_valid_syntax(term, value))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_load(), name)


def _load() -> ModuleType:
    if isinstance(sys.modules.get(NAME), _Later):
        del sys.modules[NAME]
    return import_module(NAME)


def build_later() -> None:
    """Let what imports the grammar from now on have it built at its first use."""
    if NAME not in sys.modules and find_spec(NAME) is not None:
        sys.modules[NAME] = _Later(NAME)
