"""Rows of objects put together as typed columns, page by page, so that a large table takes little more than itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from k8swin_nb.cluster.rows import Row
from k8swin_nb.cluster.schema import Schema
from k8swin_nb.shown import names

TEXT = pd.StringDtype("python")
"""One type of text whatever else is installed."""

_NOT_SET = np.iinfo("int64").min
"""pandas' own mark of a moment that is missing."""


class Columns:
    """Columns of a table that grow by rows."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._passed: dict[str | None, str | None] = {None: None}
        self._parts: dict[str, list[Any]] = {}
        self.clear()

    def clear(self) -> None:
        """Forget all rows."""
        self._parts = {name: [] for name in self._schema.fields}

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows; their texts pass the door here."""
        if rows:
            self.extend(list(zip(*rows, strict=True)))

    def extend(self, columns: Sequence[Sequence[Any]]) -> None:
        """Add rows that are given by column, in the order of the fields."""
        for (name, kind), values in zip(self._schema.fields.items(), columns, strict=True):
            if values:
                self._parts[name].append(getattr(self, f"_{kind}")(values))

    def _text(self, values: Sequence[str | None]) -> Any:
        # Most of them are the same few: each is looked at, and kept, once.
        passed = self._passed
        fresh = [value for value in {*values}.difference(passed) if value is not None]
        passed.update(zip(fresh, names(fresh), strict=True))
        return np.array([*map(passed.__getitem__, values)], dtype=object)

    def _name(self, values: Sequence[str | None]) -> Any:
        made = np.array(values, dtype=object)
        there = [place for place, value in enumerate(values) if value is not None]
        told = names([values[place] or "" for place in there])
        made[there] = told
        return made

    def _count(self, values: Sequence[int | None]) -> Any:
        return _with_mask(values, "int64")

    def _amount(self, values: Sequence[float | None]) -> Any:
        return _with_mask(values, "float64")

    def _time(self, values: Sequence[int | None]) -> Any:
        if None in values:
            values = [_NOT_SET if value is None else value for value in values]
        return np.array(values, dtype="int64")

    def frame(self, asked: datetime) -> pd.DataFrame:
        """Return the columns as a frame, with ages as they were at a moment."""
        now = np.int64(asked.timestamp() * 1_000_000)
        made: dict[str, Any] = {}
        for name in self._schema.columns:
            if name in self._schema.ages:
                when = self._moments(self._schema.ages[name])
                end: Any = now
                if name in self._schema.ends:
                    ended = self._moments(self._schema.ends[name])
                    end = np.where(ended == _NOT_SET, now, ended)
                age = np.where(when == _NOT_SET, _NOT_SET, end - when)
                made[name] = pd.array(age.view("timedelta64[us]"), dtype="timedelta64[us]")
            else:
                made[name] = self._column(name)
        return pd.DataFrame(made, columns=list(self._schema.columns), copy=False)

    def _moments(self, name: str) -> Any:
        return np.concatenate([*self._parts[name], np.empty(0, "int64")])

    def _column(self, name: str) -> Any:
        kind, parts = self._schema.fields[name], self._parts[name]
        if kind in ("text", "name"):
            return pd.array(np.concatenate([*parts, np.empty(0, object)]), dtype=TEXT)
        if kind == "time":
            return pd.DatetimeIndex(self._moments(name).view("datetime64[us]")).tz_localize("UTC")
        numbers = "int64" if kind == "count" else "float64"
        values = np.concatenate([*(value for value, _ in parts), np.empty(0, numbers)])
        mask = np.concatenate([*(mask for _, mask in parts), np.empty(0, bool)])
        array = pd.arrays.IntegerArray if kind == "count" else pd.arrays.FloatingArray
        return array(values, mask)


def _with_mask(values: Sequence[Any], kind: str) -> tuple[Any, Any]:
    """Return numbers, and where one is missing."""
    if None not in values:
        return np.array(values, dtype=kind), np.zeros(len(values), bool)
    mask = np.array([value is None for value in values])
    return np.array([value or 0 for value in values], dtype=kind), mask
