"""The file of a notebook that runs: it is saved before and after each cell, and only that cell is written out anew.

A notebook of some MB takes tenths of a second to write out, and each of its cells did so twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import nbformat
from papermill.iorw import papermill_io

_CELLS_END = "\n ],\n"
"""What ends the list of cells: in the strings behind which it could stand a line end is escaped."""


class Saving:
    """Saves of papermill's manager of one execution."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._running: int | None = None
        self._written: dict[int, str] = {}
        self._left = False

    @contextlib.contextmanager
    def instead(self) -> Iterator[None]:
        """Save in the manager's place; the last save is the manager's own, and whole."""
        self._manager.save = self.save
        try:
            yield
        finally:
            del self._manager.save

    @contextlib.contextmanager
    def left_to_the_next(self) -> Iterator[None]:
        """Save nothing: another save follows at once."""
        self._left = True
        try:
            yield
        finally:
            self._left = False

    def runs(self, index: int) -> None:
        """Take note that a cell begins: it changes until the next one does."""
        self._written.pop(index, None)
        self._running = index

    def save(self) -> None:
        """Write the notebook to where the manager does.

        Raises:
            K8swinError: when it cannot be written.
        """
        if self._left:
            return
        if self._manager.output_path:
            papermill_io.write(self.text(), self._manager.output_path)
        self._manager.last_save_time = self._manager.now()

    def text(self) -> str:
        """Return the notebook as it is kept in a file."""
        begin, end, cells = "", "", []
        for index, cell in enumerate(self._manager.nb.cells):
            if (text := self._written.get(index)) is None:
                whole = nbformat.writes(self._with(cell))
                begin, _, rest = whole.partition("[\n")
                text, _, end = rest.partition(_CELLS_END)
                if index != self._running:
                    self._written[index] = text
            cells.append(text)
        if not end:
            return str(nbformat.writes(self._manager.nb))
        return f"{begin}[\n" + ",\n".join(cells) + _CELLS_END + end

    def _with(self, cell: Any) -> Any:
        return nbformat.NotebookNode({**self._manager.nb, "cells": [cell]})
