"""Laying out tables and lists as lines of text, as Windows PowerShell 5.1 does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from k8swin_lab.powershell.dotnet.text import to_string
from k8swin_lab.powershell.formatting_values import cell, is_number, text_lines


@dataclass
class Column:
    """One column; `width` 0 means by content. `align` is left, right, center or "" (by content)."""

    label: str
    read: Callable[[Any], Any]
    width: int = 0
    align: str = ""
    pattern: str = ""


@dataclass
class Layout:
    """How a set of objects is shown: `kind` is table, list, or text for what is lines of its own."""

    kind: str
    columns: list[Column] = field(default_factory=list)
    auto_size: bool = True
    wrap: bool = False
    hide_headers: bool = False
    generated: bool = False
    """Made of an object's properties, without a declared view."""
    group: Callable[[Any], tuple[str, Any]] | None = None
    group_title: Callable[[str, Any], list[str]] | None = None


@dataclass(frozen=True)
class Line:
    """A text that came between the objects of a table or list, which it does not end."""

    text: list[str]


def _tabled(value: Any, pattern: str) -> str:
    """A cell; fractions have two decimals in tables."""
    if not pattern and isinstance(value, float | Decimal) and math.isfinite(value):
        return cell(value, "F2")
    return cell(value, pattern)


def truncate(text: str, width: int, align: str = "left") -> str:
    """Cut to the width; 5.1 marks the cut with three dots."""
    if len(text) <= width:
        return text
    if width <= 3:
        return text[:width]
    return "..." + text[len(text) - width + 3 :] if align == "right" else text[: width - 3] + "..."


def _placed(text: str, width: int, align: str) -> str:
    cut = truncate(text, width, "left")
    if align == "right":
        return cut.rjust(width)
    if align == "center":
        left = (width - len(cut)) // 2
        return (" " * left + cut).ljust(width)
    return cut.ljust(width)


class Table:
    """Columns with their widths, ready to write rows."""

    def __init__(self, layout: Layout, objects: list[Any], width: int) -> None:
        self.layout = layout
        self.total = width - 1
        self.columns = list(layout.columns)
        shown = [o for o in objects if not isinstance(o, Line)]
        show = _tabled if layout.generated else cell
        self.rows = [[show(c.read(o), c.pattern) for c in self.columns] for o in shown]
        first = shown[0] if shown else None
        self.aligns = [
            c.align or ("right" if first is not None and is_number(c.read(first)) else "left")
            for c in self.columns
        ]
        self.widths = self._widths()

    def _widths(self) -> list[int]:
        wanted: list[int] = []
        for index, column in enumerate(self.columns):
            if column.width:
                wanted.append(column.width)
            elif self.layout.auto_size:
                texts = [row[index] for row in self.rows]
                longest = max((len(part) for text in texts for part in text_lines(text)), default=0)
                wanted.append(max(longest, len(column.label), 1))
            else:
                wanted.append(0)
        if not self.layout.auto_size:
            wanted = self._distributed(wanted)
        return self._fitted(wanted)

    def _distributed(self, wanted: list[int]) -> list[int]:
        """Columns without a width share what is left evenly."""
        open_columns = wanted.count(0)
        if not open_columns:
            return wanted
        left = self.total - sum(wanted) - (len(wanted) - 1)
        share = max(left // open_columns, 1)
        return [width or share for width in wanted]

    def _fitted(self, wanted: list[int]) -> list[int]:
        """Drop columns from the right that do not fit; the last one that does may be cut."""
        kept: list[int] = []
        used = 0
        for width in wanted:
            gap = 1 if kept else 0
            room = self.total - used - gap
            if room < min(width, 5):
                break
            kept.append(min(width, room))
            used += gap + kept[-1]
        count = len(kept)
        self.columns, self.aligns = self.columns[:count], self.aligns[:count]
        self.rows = [row[:count] for row in self.rows]
        return kept

    def _line(self, texts: list[str]) -> str:
        parts = [
            _placed(text, width, align)
            for text, width, align in zip(texts, self.widths, self.aligns, strict=True)
        ]
        return " ".join(parts)

    def header(self) -> list[str]:
        """The labels and the dashes under them."""
        labels = [truncate(c.label, w) for c, w in zip(self.columns, self.widths, strict=True)]
        return [self._line(labels), self._line(["-" * len(label) for label in labels])]

    def row(self, texts: list[str]) -> list[str]:
        """A row; it takes several lines when texts hold line ends or are wrapped."""
        cells = [self._cell_lines(t, w) for t, w in zip(texts, self.widths, strict=True)]
        height = max((len(lines) for lines in cells), default=1)
        return [
            self._line([lines[n] if n < len(lines) else "" for lines in cells])
            for n in range(height)
        ]

    def _cell_lines(self, text: str, width: int) -> list[str]:
        if self.layout.wrap:
            return wrapped(text, width)
        return text_lines(text)


def wrapped(text: str, width: int) -> list[str]:
    """Break a text at word ends into lines of at most `width`."""
    lines: list[str] = []
    for part in text_lines(text):
        while len(part) > width:
            cut = part.rfind(" ", 0, width + 1)
            cut = width if cut <= 0 else cut
            lines.append(part[:cut])
            part = part[cut:].lstrip(" ") if cut != width else part[cut:]
        lines.append(part)
    return lines


def groups(layout: Layout, objects: list[Any]) -> Iterator[tuple[list[str], list[Any]]]:
    """Runs of objects with the same group value, each with the lines of its title."""
    if layout.group is None:
        yield [], objects
        return
    current: list[Any] = []
    title: list[str] = []
    previous: Any = None
    for item in objects:
        if isinstance(item, Line):
            current.append(item)
            continue
        label, value = layout.group(item)
        if not current or to_string(value) != to_string(previous):
            if current:
                yield title, current
            current, previous = [], value
            make = layout.group_title or (lambda name, shown: ["", f"   {name}: {cell(shown)}"])
            title = make(label, value)
        current.append(item)
    if current:
        yield title, current


def table_lines(layout: Layout, objects: list[Any], width: int, *, tail: int = 2) -> Iterator[str]:
    """A table with the blank lines around it; `tail` of them at the end."""
    for title, members in groups(layout, objects):
        table = Table(layout, members, width)
        yield from title
        yield ""
        if not layout.hide_headers:
            yield from table.header()
        rows = iter(table.rows)
        for item in members:
            yield from item.text if isinstance(item, Line) else table.row(next(rows))
    yield from [""] * tail


def list_lines(
    layouts: Iterator[tuple[Any, list[Column]]], width: int, *, head: int = 2, tail: int = 2
) -> Iterator[str]:
    """Objects as `Name : value` lines; each is followed by a blank line."""
    yield from [""] * head
    for item, columns in layouts:
        if isinstance(item, Line):
            yield from item.text
            continue
        longest = max((len(column.label) for column in columns), default=0)
        room = max(width - longest - 3 - 1, 10)
        for column in columns:
            parts = wrapped_exact(cell(column.read(item), column.pattern), room)
            yield f"{column.label.ljust(longest)} : {parts[0]}"
            for part in parts[1:]:
                yield " " * (longest + 3) + part
        yield ""
    yield from [""] * tail


def wrapped_exact(text: str, width: int) -> list[str]:
    """Break a text after exactly `width` characters."""
    lines: list[str] = []
    for part in text_lines(text):
        lines.extend(
            part[i : i + width] for i in range(0, len(part), width)
        ) if part else lines.append("")
    return lines
