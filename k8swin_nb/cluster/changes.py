"""What became of a table's rows between two looks: new, gone, changed from what to what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pandas as pd

from k8swin_nb.cluster.columns import TEXT
from k8swin_nb.cluster.kube_table import CHANGES, KubeTable, Source
from k8swin_nb.tables import Mark
from k8swin_nb.tables.frames import ShownFrame
from k8swin_nb.tables.human import moment
from k8swin_nb.tables.table import Kind

_KEYS = ("NAMESPACE", "KIND", "NAME")


class ChangesTable(ShownFrame):
    """A row for each row that is new or gone, and for each value that changed: CHANGE, the key, COLUMN, OLD, NEW."""

    _kinds: ClassVar[Mapping[str, Kind]] = {"NAME": "key", "OLD": "wrapped", "NEW": "wrapped"}
    _whole: ClassVar[frozenset[str]] = frozenset({"NAMESPACE", "NAME"})

    @property
    def caption(self) -> str:
        """How much is new, gone and changed, and between when."""
        if not self.columns.is_unique or not {"CHANGE", "NAME"} <= set(self.columns):
            return ""
        keys = [name for name in _KEYS if name in self.columns]
        counts = self.drop_duplicates(["CHANGE", *keys])["CHANGE"].value_counts()
        told = ", ".join(f"{counts[name]} {name}" for name in CHANGES if counts.get(name))
        return (told or "nothing changed") + (f"; {self.source}" if self.source else "")

    def _mark(self, column: str, value: str) -> Mark | None:
        return Mark(value, CHANGES[value]) if column == "CHANGE" and value in CHANGES else None


def changes(before: pd.DataFrame, after: pd.DataFrame) -> ChangesTable:
    """Return what is new, gone or changed in a table against an earlier one of the same kind.

    Rows are told apart by NAMESPACE, KIND and NAME, as far as there are such columns. Ages go on by themselves and are
    no change; an object that was made anew under its old name has another CREATED. Of several rows with the same key the
    last counts. Columns that only one of the tables has are not compared.

    Raises:
        ValueError: when the tables are of different kinds, or lack the columns that tell their rows apart.
    """
    kinds = {
        table.source.table
        for table in (before, after)
        if isinstance(table, KubeTable) and table.source
    }
    if len(kinds) > 1:
        raise ValueError(f"a table of {' is compared with one of '.join(sorted(kinds))}")
    keys = [name for name in _KEYS if name in before.columns and name in after.columns]
    if "NAME" not in keys:
        raise ValueError("both tables need the column NAME, which tells their rows apart")
    old, new = (_by_key(table, keys) for table in (before, after))
    gone, came = _tuples(old.index.difference(new.index)), _tuples(new.index.difference(old.index))
    both = new.index.intersection(old.index)
    how, had = _states(new), _states(old)
    found: list[dict[str, Any]] = [
        {"CHANGE": "new", "key": key, "NEW": how.get(key)} for key in came
    ]
    found += [{"CHANGE": "gone", "key": key, "OLD": had.get(key)} for key in gone]
    was, now = old.loc[both], new.loc[both]
    for place, name in enumerate(now.columns):
        if name not in was.columns or pd.api.types.is_timedelta64_dtype(now[name].dtype):
            continue
        first, second = was[name], now[name]
        missing = first.isna() & second.isna()
        differ = ((first != second).fillna(True).astype(bool) & ~missing).to_numpy()
        for key, one, two in zip(_tuples(both[differ]), first[differ], second[differ], strict=True):
            found.append({
                "CHANGE": "changed", "key": key, "COLUMN": name, "place": place,
                "OLD": _told(after, name, one), "NEW": _told(after, name, two),
            })  # fmt: skip
    order = list(CHANGES)
    found.sort(key=lambda row: (order.index(row["CHANGE"]), row["key"], row.get("place", 0)))
    columns = ["CHANGE", *keys, "COLUMN", "OLD", "NEW"]
    rows = [{**row, **dict(zip(keys, row["key"], strict=True))} for row in found]
    made = ChangesTable(
        {name: pd.array([row.get(name) for row in rows], dtype=TEXT) for name in columns}
    )
    made.source = _between(before, after)
    return made


def _by_key(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    plain = pd.DataFrame(table).drop_duplicates(keys, keep="last")
    return plain.set_index(pd.MultiIndex.from_frame(plain[keys].astype(object))).drop(columns=keys)


def _tuples(index: pd.Index) -> list[tuple[Any, ...]]:
    """Return keys as tuples; pandas has those of one column bare."""
    return [key if isinstance(key, tuple) else (key,) for key in index]


def _states(table: pd.DataFrame) -> dict[Any, str]:
    """Return the state of each row that has one, by its key."""
    if "STATUS" not in table.columns:
        return {}
    there = table["STATUS"].dropna()
    return dict(zip(_tuples(there.index), there.astype(str), strict=True))


def _told(table: pd.DataFrame, name: str, value: Any) -> str | None:
    if pd.isna(value):
        return None
    return table._text(name, value) if isinstance(table, KubeTable) else str(value)


def _between(before: Any, after: Any) -> str | None:
    """Return between when and of what the changes are, as a caption says it."""
    first, second = (getattr(table, "source", None) for table in (before, after))
    if not isinstance(first, Source) or not isinstance(second, Source):
        return None
    times = f"from {moment(first.asked)} to {moment(second.asked)} UTC"
    return f"{second.table} of {second.server} {times}"
