"""Arrays of more than one dimension: `New-Object 'int[,]' 2, 3`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from k8swin_lab.powershell.api import Terminating
from k8swin_lab.powershell.dotnet.conversion import convert
from k8swin_lab.powershell.dotnet.registry import RUNTIME_EXCEPTION, NetObject, NetType


class Grid(NetObject):
    """A rectangular array; it enumerates row by row."""

    def __init__(self, element_type: str, sizes: list[int], fill: Any) -> None:
        self.type_name = f"{element_type}[{',' * (len(sizes) - 1)}]"
        self.sizes = sizes
        total = 1
        for size in sizes:
            total *= size
        self.cells = [fill] * total

    def _place(self, index: Any) -> int:
        indexes = list(index) if isinstance(index, list | tuple) else [index]
        place = 0
        indexes = [int(convert(None, one, "System.Int32")) for one in indexes]
        if len(indexes) != len(self.sizes):
            raise Terminating(
                f"You cannot index into a {len(self.sizes)} dimensional array with index "
                f"[{','.join(str(one) for one in indexes)}].",
                exception=RUNTIME_EXCEPTION,
                category="InvalidOperation",
                error_id="NeedMultidimensionalIndex",
            )
        for size, one in zip(self.sizes, indexes, strict=True):
            if not 0 <= one < size:
                raise Terminating(
                    "Index was outside the bounds of the array.",
                    exception="System.IndexOutOfRangeException",
                    error_id="IndexOutOfRangeException",
                )
            place = place * size + one
        return place

    def named(self, index: Any) -> Any:
        """The cell at a list of indexes."""
        return self.cells[self._place(index)]

    def set_named(self, index: Any, value: Any) -> None:
        """Set the cell at a list of indexes."""
        element = self.type_name[: self.type_name.index("[")]
        self.cells[self._place(index)] = convert(None, value, element)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.cells)

    def __len__(self) -> int:
        return len(self.cells)


def declare(type_name: str) -> None:
    """Declare the array type, so that its members are found."""
    grid = NetType(type_name, "System.Array")
    grid.prop("Length", lambda g: len(g.cells))
    grid.prop("Count", lambda g: len(g.cells))
    grid.prop("Rank", lambda g: len(g.sizes))
    grid.method("GetLength")(lambda self, dimension: self.sizes[int(dimension)])
    grid.method("GetUpperBound")(lambda self, dimension: self.sizes[int(dimension)] - 1)
    grid.method("GetValue")(lambda self, *indexes: self.named(list(indexes)))
    grid.method("SetValue")(lambda self, value, *indexes: self.set_named(list(indexes), value))
