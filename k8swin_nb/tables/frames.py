"""DataFrames that are shown by the one writer of tables and stay DataFrames."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import pandas as pd

from k8swin_nb.redact import redact
from k8swin_nb.shown import cell, shown, visible
from k8swin_nb.tables.palette import Mark
from k8swin_nb.tables.table import ROWS, Column, Kind, table_html


class ShownFrame(pd.DataFrame):
    """A DataFrame with a caption and marks; every operation gives one of the same class again."""

    _metadata = ["caption"]  # noqa: RUF012 - pandas' own protocol
    caption: str = ""

    _kinds: ClassVar[Mapping[str, Kind]] = {}
    """Kind of a column by its name; text where nothing is said."""

    _index_heading: ClassVar[str | None] = None
    """Heading of the column with the rows' names; None: they are numbers, and not shown."""

    @property
    def _constructor(self) -> Any:
        return type(self)

    def _mark(self, column: str, value: str) -> Mark | None:
        """Return a value with its state; None where the column tells none."""
        return None

    @classmethod
    def of(cls, rows: Iterable[Sequence[Any]], **how: Any) -> Self:
        """Return a frame of rows whose texts have passed the door: masked, of one line each, bounded."""
        # Most values of a large table are the same few.
        passed = functools.cache(cell)
        return cls([[passed(value) for value in row] for row in rows], **how)

    def __repr__(self) -> str:
        return shown(super().__repr__())

    def to_string(self, *args: Any, **options: Any) -> Any:
        """Return the frame as text, as pandas does, masked and with what is unseen as text."""
        text = super().to_string(*args, **options)
        return text if text is None else visible(redact(text))

    def _repr_html_(self) -> str:
        named = self._index_heading is not None
        columns = [Column(str(name), self._kinds.get(str(name), "text")) for name in self.columns]
        if named:
            columns.insert(0, Column(self._index_heading or "", "name"))
        rows: list[list[object]] = []
        few = self.iloc[:ROWS]
        for name, values in zip(few.index, few.itertuples(index=False, name=None), strict=True):
            row: list[object] = [
                self._mark(column, str(value)) or str(value)
                for column, value in zip(map(str, self.columns), values, strict=True)
            ]
            rows.append([name, *row] if named else row)
        return table_html(self.caption or "", columns, rows, more=len(self) - len(few))
