"""DataFrames that are shown by the one writer of tables and stay DataFrames.

How much is shown is pandas' own setting: `display.max_rows`, `min_rows`, `max_columns`, `max_colwidth`, `precision`,
`notebook_repr_html`. What is shown is text of the rows that are shown alone, so that a large frame costs no more.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import pandas as pd

from k8swin_nb.redact import redact
from k8swin_nb.shown import cell, shown, visible
from k8swin_nb.tables.human import plain
from k8swin_nb.tables.palette import Mark
from k8swin_nb.tables.table import ROWS, Column, Kind, table_html

COLUMN_WIDTH = 50
"""pandas' own `display.max_colwidth` when nobody has set it: columns that are worth nothing in part are whole then."""

ROW_NUMBER = 60
"""Likewise `display.max_rows`: lists that are worth nothing in part are whole then."""

LEFT_OUT = "..."
"""What stands for rows and columns that are not shown."""


class ShownFrame(pd.DataFrame):
    """A DataFrame with a caption and marks; what pandas makes of it is of the same class.

    The caption is worked out of what is in the frame at the moment, with what `source` tells of where it comes from.
    Rows that were put together of frames with different sources have none.
    """

    _metadata = ["source"]  # noqa: RUF012 - pandas' own protocol
    source: Any = None
    """Where the rows come from; a value that can be compared and pickled."""

    _kinds: ClassVar[Mapping[str, Kind]] = {}
    """Kind of a column by its name; where nothing is said, a value stays whole in one line, and numbers are numbers."""

    _whole: ClassVar[frozenset[str]] = frozenset()
    """Columns that are not cut unless `display.max_colwidth` was set."""

    _long: ClassVar[bool] = False
    """Whether all rows are shown unless `display.max_rows` was set."""

    _index_heading: ClassVar[str | None] = None
    """Heading of the column with the rows' names; None: they are numbers, and shown only when they mean something."""

    @property
    def _constructor(self) -> Any:
        return type(self)

    def __finalize__(self, other: Any, method: str | None = None, **kwargs: Any) -> Self:
        made: Self = super().__finalize__(other, method=method, **kwargs)  # type: ignore[misc]
        parts = getattr(other, "input_objs", None) or getattr(other, "objs", None)
        if parts is None and hasattr(other, "left") and hasattr(other, "right"):
            parts = [other.left, other.right]
        if parts is not None:
            object.__setattr__(made, "source", self._joined([_source(part) for part in parts]))
        return made

    @classmethod
    def _joined(cls, sources: list[Any]) -> Any:
        """Return where rows come from that were put together; None where that is no one place."""
        first = sources[0] if sources else None
        return first if all(source == first for source in sources) else None

    @property
    def caption(self) -> str:
        """What the table is, worked out of what is in it."""
        return ""

    def _mark(self, column: str, value: str) -> Mark | None:
        """Return a value with its state; None where the column tells none."""
        return None

    def _folded(self) -> Mapping[str, str]:
        """Return columns that are shown within another, by that one's name."""
        return {}

    def _text(self, column: str, value: Any) -> str:
        """Return a value as people read it."""
        return plain(value, pd.get_option("display.precision"))

    @classmethod
    def of(cls, rows: Iterable[Sequence[Any]], **how: Any) -> Self:
        """Return a frame of rows whose texts have passed the door: masked, of one line each, bounded."""
        # Most values of a large table are the same few.
        passed = functools.cache(cell)
        return cls([[passed(value) for value in row] for row in rows], **how)

    def __repr__(self) -> str:
        return shown(super().__repr__())

    def to_string(self, buf: Any = None, **options: Any) -> Any:
        """Return the frame as text, as pandas does, masked, with what is unseen as text and values as people read them.

        With `formatters` or `float_format` the values are formatted by pandas alone.
        """
        if options.get("formatters") is not None or options.get("float_format") is not None:
            text = super().to_string(**options)
        else:
            text = self._lines(options)
        text = visible(redact(text))
        if buf is None:
            return text
        if hasattr(buf, "write"):
            buf.write(text)
            return None
        with open(buf, "w", encoding=options.get("encoding") or "utf-8") as file:  # noqa: PTH123 - as pandas does
            file.write(text)
        return None

    def _lines(self, options: dict[str, Any]) -> str:
        """Return the frame as text of which pandas says how much, of rows that may be shown alone."""
        chosen = self if options.get("columns") is None else self[list(options["columns"])]
        options = {
            key: value for key, value in options.items() if key not in ("columns", "encoding")
        }
        most = options.get("max_rows")
        few = _ends(chosen, most or 200) if most is not None else chosen
        dimensions = options.get("show_dimensions")
        if len(few) < len(chosen):
            options["show_dimensions"] = False
        texts = few._texts(options.get("na_rep"))
        text: str = pd.DataFrame.to_string(texts, **options)
        if len(few) < len(chosen) and dimensions:
            text += f"\n\n[{len(chosen)} rows x {len(chosen.columns)} columns]"
        return text

    def _texts(self, missing: str | None = None) -> pd.DataFrame:
        """Return the same rows as a plain frame of texts, with folded columns within others."""
        places = self._places()
        made = pd.DataFrame(
            {number: self._cells(place, missing) for number, place in enumerate(places)},
            index=self.index,
            dtype=object,
        )
        made.columns = self.columns[places]
        return made

    def _places(self) -> list[int]:
        """Return the places of the columns that are shown."""
        folded = set(self._folded().values()) if self.columns.is_unique else set()
        return [place for place, name in enumerate(self.columns) if name not in folded]

    def _cells(self, place: int, missing: str | None = None) -> list[str]:
        """Return the texts of a column."""
        name = str(self.columns[place])
        values = self.iloc[:, place].tolist()
        texts = [self._text(name, value) for value in values]
        if missing is not None:
            texts = [missing if pd.api.types.is_scalar(v) and pd.isna(v) else t
                     for v, t in zip(values, texts, strict=True)]  # fmt: skip
        beside = self._folded().get(name) if self.columns.is_unique else None
        if beside is not None:
            others = self[beside].tolist()
            texts = [
                f"{text}/{self._text(beside, other)}"
                for text, other in zip(texts, others, strict=True)
            ]
        return texts

    def _repr_html_(self) -> str | None:
        if not pd.get_option("display.notebook_repr_html"):
            return None
        if self._info_repr():  # type: ignore[operator]
            return super()._repr_html_()  # type: ignore[misc,no-any-return]
        few, cut, beyond = self._shown_rows()
        places = self._places()
        most = pd.get_option("display.max_columns") or 0
        gap = len(places) > most > 0
        half = max(1, most // 2)
        if gap:
            places = [*places[:half], *places[len(places) - (half if most > 1 else 0) :]]
        columns = [Column(str(self.columns[place]), self._kind(place)) for place in places]
        table = [self._marked(few, place) for place in places]
        if gap:
            columns.insert(half, Column(LEFT_OUT))
            table.insert(half, [LEFT_OUT] * len(few))
        for heading, names in reversed(self._named(few)):
            columns.insert(0, Column(heading, "name"))
            table.insert(0, names)
        rows: list[list[object]] = [list(row) for row in zip(*table, strict=True)]
        if cut:
            between: list[object] = [f"{LEFT_OUT} {cut} more row{'s' if cut > 1 else ''}"]
            rows.insert(
                (len(few) + 1) // 2, [*between, *[LEFT_OUT] * (len(columns) - 1)][: len(columns)]
            )
        return table_html(self.caption, columns, rows, more=beyond, most=max(len(rows), 1))

    def _shown_rows(self) -> tuple[ShownFrame, int, int]:
        """Return the rows that are shown, how many are left out between them, and how many behind: as pandas has it."""
        most, least = pd.get_option("display.max_rows"), pd.get_option("display.min_rows")
        if not most or (self._long and most == ROW_NUMBER):
            return self.iloc[:ROWS], 0, max(0, len(self) - ROWS)
        if len(self) <= most:
            return self, 0, 0
        number = min(least, most) if least else most
        head, tail = (number + 1) // 2, number // 2
        few = self.iloc[[*range(head), *range(len(self) - tail, len(self))]]
        return few, len(self) - number, 0

    def _kind(self, place: int) -> Kind:
        name, dtype = str(self.columns[place]), self.dtypes.iloc[place]
        counts = pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
        age = pd.api.types.is_timedelta64_dtype(dtype)
        return self._kinds.get(name, "number" if counts or age else "whole")

    def _marked(self, few: ShownFrame, place: int) -> list[object]:
        """Return the cells of a column, with their state where it tells one, cut as pandas was told."""
        name = str(self.columns[place])
        width = pd.get_option("display.max_colwidth")
        if width == COLUMN_WIDTH and (
            name in self._whole or self._kinds.get(name) in ("code", "wrapped")
        ):
            width = None
        found: list[object] = []
        for text in few._cells(place):
            told = (
                text
                if width is None or len(text) <= width
                else text[: max(0, width - 3)] + LEFT_OUT
            )
            mark = self._mark(name, text)
            found.append(
                Mark(told, mark.state, mark.sign) if mark and mark.word == text else mark or told
            )
        return found

    def _named(self, few: ShownFrame) -> list[tuple[str, list[object]]]:
        """Return the columns of the rows' names: none where they are numbers that nobody named."""
        index = few.index
        if self._index_heading is not None:
            return [(self._index_heading, list(index))]
        if isinstance(index, pd.MultiIndex):
            return [
                (
                    "" if name is None else str(name),
                    [plain(v) for v in index.get_level_values(level)],
                )
                for level, name in enumerate(index.names)
            ]
        if index.name is None and pd.api.types.is_integer_dtype(index.dtype):
            return []
        if index.name is None and not len(index):
            return []
        return [("" if index.name is None else str(index.name), [plain(value) for value in index])]


def _source(part: Any) -> Any:
    return getattr(part, "source", None) if isinstance(part, ShownFrame) else None


def _ends(frame: Any, most: int) -> Any:
    """Return a frame, of a long one the first and last rows that may be shown."""
    if len(frame) <= 2 * most:
        return frame
    return pd.concat([frame.iloc[:most], frame.iloc[-most:]])
