"""Tables of a cluster: DataFrames of typed values that are shown as kubectl shows them, and say when and from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

import pandas as pd

from k8swin_nb.cluster.schema import SCHEMAS, Schema
from k8swin_nb.shown import shown_line
from k8swin_nb.tables import Mark, State
from k8swin_nb.tables.frames import ShownFrame
from k8swin_nb.tables.human import NONE, cores, memory, moment
from k8swin_nb.tables.table import Kind

WAITING = (
    "Pending", "ContainerCreating", "Terminating", "PodInitializing", "SchedulingDisabled", "SchedulingGated", "Init:",
    "Progressing", "Suspended", "SuccessCriteriaMet",
)  # fmt: skip
FINE = ("Ready", "Running", "Completed", "Succeeded", "Complete")

MOST_STATES = 4
"""States that a caption counts by name."""


def state_of(status: str) -> State:
    """Classify a STATUS as kubectl prints it: `Ready`, `Pending`, `Init:Error`, `CrashLoopBackOff`, ..."""
    if any(word in status for word in ("Err", "BackOff", "NotReady", "Unknown")):
        return "failed"
    if any(word in status for word in WAITING):
        return "waiting"
    return "ok" if status in FINE else "failed"


def counted(number: int, noun: str) -> str:
    """Return `1 node`, `2 nodes`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of a table come from."""

    table: str
    """Name of the table, such as `pods`."""

    cluster: str
    """What the description calls the cluster; empty where nobody said."""

    server: str
    asked: datetime
    """When the server answered, in UTC; of rows that were read one after the other, the first."""

    until: datetime | None = None
    """The last, where that is another."""

    asked_for: str = ""
    """What was chosen on the server, such as `-l app=web`."""

    left_out: int | None = 0
    """How many more there were; None: some."""

    unread: str = ""
    """What could not be read beside it, and why."""

    @property
    def schema(self) -> Schema:
        """The table's columns."""
        return SCHEMAS[self.table]

    def __str__(self) -> str:
        parts = [f"chosen by {self.asked_for}"] if self.asked_for else []
        if self.left_out != 0:
            more = "more" if self.left_out is None else str(self.left_out)
            parts.append(f"{more} were not read")
        if self.unread:
            parts.append(self.unread)
        when = moment(self.asked) + (f" to {moment(self.until)}" if self.until else "")
        whose = f"{self.cluster}, " if self.cluster else ""
        parts.append(f"from {whose}{self.server} at {when} UTC")
        return "; ".join(parts)


class KubeTable(ShownFrame):
    """A DataFrame of nodes, pods, services, events or workloads; what pandas makes of it is one again.

    Its columns are typed (`k8swin_nb.cluster.schema`): ages are timedeltas, counts whole numbers, processors a number,
    memory in bytes, moments in UTC, and what is not there is missing. People see them as kubectl prints them.
    """

    source: Source | None

    _kinds: ClassVar[Mapping[str, Kind]] = {"NAME": "key", "MESSAGE": "wrapped"}
    _whole: ClassVar[frozenset[str]] = frozenset(
        {"NAME", "NAMESPACE", "NODE", "IMAGE", "IMAGES", "OBJECT", "MESSAGE", "OLD", "NEW"}
    )

    @classmethod
    def _joined(cls, sources: list[Any]) -> Any:
        told = [source for source in sources if isinstance(source, Source)]
        if not told or len(told) < len(sources):
            return None
        first = told[0]
        if len({(one.table, one.cluster, one.server) for one in told}) > 1:
            return None
        begin = min(one.asked for one in told)
        end = max(one.until or one.asked for one in told)
        lost = [one.left_out for one in told]
        return replace(
            first,
            asked=begin,
            until=end if end != begin else None,
            asked_for=_same([one.asked_for for one in told]),
            unread=_same([one.unread for one in told]),
            left_out=None if None in lost else sum(number or 0 for number in lost),
        )

    @property
    def caption(self) -> str:
        """How many rows of what are in the table, how they do, and when and from where they were read."""
        source = self.source
        if source is None:
            return ""
        schema, there = source.schema, set(self.columns)
        whole = set(schema.key) <= there or set(schema.narrow) <= there
        if not self.columns.is_unique or not whole:
            return f"{counted(len(self), 'row')} made of {source.table}; {source}"
        told = counted(len(self), schema.noun)
        if "NAMESPACE" in self.columns and len(self):
            spaces = self["NAMESPACE"].dropna().unique()
            told += f" in {spaces[0] if len(spaces) == 1 else counted(len(spaces), 'namespace')}"
        return f"{told}{self._states()}; {source}"

    def _states(self) -> str:
        column = next((name for name in ("STATUS", "TYPE") if name in self.columns), None)
        if column is None or not len(self):
            return ""
        counts = self[column].value_counts()
        parts = [
            f"{number} {shown_line(name)}" for name, number in counts.iloc[:MOST_STATES].items()
        ]
        if len(counts) > MOST_STATES:
            parts.append(f"{counts.iloc[MOST_STATES:].sum()} otherwise")
        return f": {', '.join(parts)}" if parts else ""

    def _folded(self) -> Mapping[str, str]:
        schema = self.source.schema if self.source else None
        pairs = schema.folded if schema else (("READY", "DESIRED"),)
        return {first: second for first, second in pairs if {first, second} <= set(self.columns)}

    def _mark(self, column: str, value: str) -> Mark | None:
        if column in ("STATUS", "NODE-STATUS") and value != NONE:
            return Mark(value, state_of(value))
        if column == "TYPE" and value == "Warning":
            return Mark(value, "waiting")
        if column == "CHANGE" and value in CHANGES:
            return Mark(value, CHANGES[value])
        return None

    def _text(self, column: str, value: Any) -> str:
        if pd.api.types.is_scalar(value) and pd.isna(value):
            return NONE
        if isinstance(value, int | float) and not isinstance(value, bool):
            if column == "MEMORY" and value == int(value):
                return memory(int(value))
            if column == "CPU":
                return cores(float(value))
        if isinstance(value, datetime) and value.utcoffset():
            # In UTC unless somebody chose another zone, which is told then.
            return value.isoformat(" ", "seconds")
        return super()._text(column, value)

    def diff(self, periods: Any = 1, axis: Any = 0) -> Any:
        """Return what is new, gone or changed against an earlier table of the same kind; see `changes`.

        Args:
            periods: The earlier table. A number is taken as pandas' own `diff` takes it.
            axis: For pandas' own alone.

        Raises:
            ValueError: when the tables are of different kinds, or lack the columns that tell their rows apart.
        """
        if isinstance(periods, pd.DataFrame):
            from k8swin_nb.cluster.changes import changes

            return changes(periods, self)
        return super().diff(periods, axis=axis)


CHANGES: dict[str, State] = {"new": "ok", "gone": "failed", "changed": "waiting"}
"""What may have become of a row, and how it is shown."""


def _same(texts: list[str]) -> str:
    return texts[0] if len(set(texts)) == 1 else ""
