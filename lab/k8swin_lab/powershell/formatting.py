"""Out-Default: turns what a pipeline writes into lines of text.

The first object that is not a plain line decides between table and list; objects of the same kind
that follow join it. A table without fixed widths is sized by its rows, so rows are held back until
something else comes or the output ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from k8swin_lab.powershell import dotnet
from k8swin_lab.powershell.dotnet.properties import names_of
from k8swin_lab.powershell.error_view import console_form
from k8swin_lab.powershell.formatting_table import (
    Column,
    Layout,
    Line,
    list_lines,
    table_lines,
)
from k8swin_lab.powershell.formatting_values import is_line, line, text_lines
from k8swin_lab.powershell.formatting_views import column, generated, view
from k8swin_lab.powershell.records import ErrorRecord
from k8swin_lab.powershell.values import Hashtable, PSArray, PSObject


@dataclass
class Formatted:
    """What Format-Table and Format-List write: objects and how to show them.

    `layouts` has one layout for each object of a list, or one for all of them.
    """

    kind: str
    objects: list[Any]
    layout: Layout
    columns: list[list[Column]] = field(default_factory=list)
    type_name: str = "Microsoft.PowerShell.Commands.Internal.Format.FormatStartData"


class Formatter:
    """Writes objects as lines; `width` is the number of columns of the console."""

    def __init__(self, interp: Any, width: int) -> None:
        self._session = interp
        self._width = width
        self._held: list[Any] = []
        self._layout: Layout | None = None
        self._key: Any = None
        self._shown_any = False
        edition = getattr(getattr(interp, "host", None), "edition", "Desktop")
        self._tail = 2 if edition == "Desktop" else 1
        self._trim = edition != "Desktop"

    def write(self, obj: Any) -> Iterator[str]:
        """The lines that can be shown once this object has come."""
        if obj is None:
            return
        if isinstance(obj, Formatted):
            yield from self.end()
            yield from self._trimmed(self._formatted(obj))
            return
        if is_line(obj):
            text = text_lines(line(obj))
            if self._layout is not None:
                self._held.append(Line(text))
            else:
                yield from text
            return
        if isinstance(obj, ErrorRecord):
            yield from self.end()
            yield from self._error(obj)
            return
        if isinstance(obj, PSArray):
            for item in obj:
                yield from self.write(item)
            return
        yield from self._hold(obj)

    def _error(self, record: ErrorRecord) -> Iterator[str]:
        """5.1 shows where an error is from; only what a program says after its first line of errors is bare."""
        if self._trim or record.error_id == "NativeCommandErrorMessage":
            yield record.message
        else:
            yield from console_form(record).split("\n")
            yield " "

    def _hold(self, obj: Any) -> Iterator[str]:
        if isinstance(obj, Hashtable):
            items: list[Any] = dotnet.dictionary_entries(obj)
        else:
            items = [obj]
        key = self._kind(obj)
        if self._layout is None or key != self._key:
            later = self._layout is not None
            yield from self.end()
            found = view(self._session, obj) or self._of_properties(obj, later)
            if found is None:
                text = dotnet.to_string(obj)
                yield from text_lines(text)
                return
            self._layout, self._key = found, key
        self._held.extend(items)

    def _of_properties(self, obj: Any, later: bool) -> Layout | None:
        layout = generated(self._session, obj)
        if not layout.columns:
            return None if not isinstance(obj, PSObject) else layout
        if later:
            layout.kind = "list"
        return layout

    def _kind(self, obj: Any) -> Any:
        if isinstance(obj, PSObject):
            return obj.type_names[0] if obj.type_names else ""
        name = dotnet.type_name_of(obj)
        return (
            "System.IO.FileSystemInfo"
            if name in ("System.IO.FileInfo", "System.IO.DirectoryInfo")
            else name
        )

    def end(self) -> Iterator[str]:
        """Show what is held back."""
        layout, held = self._layout, self._held
        self._layout, self._held, self._key = None, [], None
        if layout is None or not held:
            return
        if layout.kind == "text":
            shown = (text for item in held for text in self._as_text(item))
            yield from ("", *shown, *[""] * self._tail)
        elif layout.kind == "list":
            pairs = iter([(item, self._list_columns(item, layout)) for item in held])
            head = 2 if not self._trim else 1
            yield from self._trimmed(
                list_lines(pairs, self._width, head=head, tail=self._tail if not self._trim else 0)
            )
        elif layout.columns:
            yield from self._trimmed(table_lines(layout, held, self._width, tail=self._tail))

    def _as_text(self, item: Any) -> list[str]:
        """A match of Select-String: its line, behind the file's place below the session's location and the number."""
        if isinstance(item, Line):
            return item.text
        path, text = item.properties["Path"], item.properties["Line"]
        if path == "InputStream":
            return [text]
        folder = str(self._session.location)
        below = path[len(folder) :].lstrip("\\/") if path.startswith(folder) else path
        return [f"{below}:{item.properties['LineNumber']}:{text}"]

    def _list_columns(self, item: Any, layout: Layout) -> list[Column]:
        if isinstance(item, Line):
            return []
        if isinstance(item, PSObject):
            return [column(self._session, name) for name in names_of(item)]
        return layout.columns

    def _formatted(self, plan: Formatted) -> Iterator[str]:
        if plan.kind == "table":
            return table_lines(plan.layout, plan.objects, self._width, tail=self._tail)
        pairs = iter(list(zip(plan.objects, plan.columns, strict=True)))
        if self._trim:
            return list_lines(pairs, self._width, head=1, tail=0)
        return list_lines(pairs, self._width, tail=self._tail)

    def _trimmed(self, lines: Iterable[str]) -> Iterator[str]:
        return (text.rstrip() for text in lines) if self._trim else iter(lines)


def format_objects(interp: Any, items: Iterable[Any], width: int) -> list[str]:
    """The lines of a whole set of objects (Out-String, Out-File, redirection)."""
    formatter = Formatter(interp, width)
    lines: list[str] = []
    for item in items:
        lines.extend(formatter.write(item))
    lines.extend(formatter.end())
    return lines
