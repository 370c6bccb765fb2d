"""Waiting until something is true of a cluster's objects: a list, then a watch, as clients of Kubernetes do it.

A watch that the server ends, or a connection that breaks, goes on where it was; when the server no longer knows that
version (410), the list is read anew. Only what nobody can mend by waiting ends it: a refusal, a cancel, the time.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from k8swin_nb.cluster.columns import Columns
from k8swin_nb.cluster.kube_table import KubeTable, Source
from k8swin_nb.cluster.kubectl_tables import REFUSED, ClusterTables, Wanted, row_maker, unread
from k8swin_nb.cluster.messages import of_json
from k8swin_nb.cluster.rows import Known, Row
from k8swin_nb.cluster.schema import SCHEMAS
from k8swin_nb.errors import ClusterError, Stopped, WaitTimeout
from k8swin_nb.shown import shown_line

Fields = Mapping[str, Any]
"""A row as a condition sees it: values by the names of the fields in `schema`; moments in microseconds since 1970."""

Condition = Callable[[Fields], bool]

FINAL = frozenset({400, 401, 403, 404, 405, 406, 422})
"""Refusals that no waiting mends."""

LOOK_SECONDS = 0.1
ONE_LOOK_SECONDS = 30.0
"""How long the one look of a wait without any time may take."""

QUIET_SECONDS = 2.0
"""How long a server may think before it is told that it says nothing."""

NODES_SECONDS = 5.0
"""How often nodes are asked for at most, when pods come to run on one that is not known."""

CLOCKS = timedelta(seconds=5)
"""From what difference on the server's clock is another than this computer's."""

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds until what broke is tried again; each time twice as long."""

NAMED = 5
"""Objects that an error names; the others are counted."""


def _all_ready(row: Fields) -> bool:
    gates = row.get("READINESS-GATES")
    passed = gates is None or len(set(gates.split("/"))) == 1
    return row["STATUS"] == "Running" and row["READY"] == row["DESIRED"] and passed


CONDITIONS: dict[str, dict[str, Condition]] = {
    "nodes": {"ready": lambda row: row["STATUS"].split(",")[0] == "Ready"},
    "pods": {
        "ready": lambda row: _all_ready(row) or row["STATUS"] == "Completed",
        "running": lambda row: bool(row["STATUS"] == "Running"),
        "completed": lambda row: row["STATUS"] in ("Completed", "Succeeded"),
    },
    "services": {},
    "events": {},
    "workloads": {
        "ready": lambda row: row["STATUS"] in ("Ready", "Complete"),
        "complete": lambda row: bool(row["STATUS"] == "Complete"),
    },
}
"""By table, what can be waited for by name; `there` and `gone` besides."""


def known_table(table: str) -> None:
    """Look whether there is a table of a name.

    Raises:
        ClusterError: when there is none, with the nearest.
    """
    if table not in SCHEMAS:
        near = difflib.get_close_matches(table, SCHEMAS, n=1)
        raise ClusterError(
            f"there is no table `{shown_line(table)}`",
            hint=f"did you mean `{near[0]}`?" if near else f"one of: {', '.join(SCHEMAS)}",
        )


def condition(table: str, until: str | Condition) -> Condition:
    """Return a condition by its name.

    Raises:
        ClusterError: when there is none of that name, with the nearest.
    """
    if callable(until):
        return until
    if until in ("there", "gone"):
        return lambda row: until == "there"
    known = [*CONDITIONS[table], "there", "gone"]
    if until not in CONDITIONS[table]:
        near = difflib.get_close_matches(until, known, n=1)
        raise ClusterError(
            f"`{shown_line(until)}` is nothing that {table} can be waited for",
            hint=f"did you mean `{near[0]}`?" if near else f"one of: {', '.join(known)}",
        )
    return CONDITIONS[table][until]


def wait_for(
    tables: ClusterTables,
    table: str,
    until: str | Condition,
    wanted: Wanted,
    *,
    count: int = 1,
    timeout: float = 300.0,
    progress: Callable[[str], None] | None = None,
    cancel: threading.Event | None = None,
) -> KubeTable:
    """Wait until a condition is true of all objects that are wanted, and return them.

    Args:
        tables: The cluster's tables.
        table: Which one, such as `pods`.
        until: A name, see `CONDITIONS`, or what is asked for each row.
        wanted: Which objects.
        count: How many there must be at least; `gone` waits until there is none.
        timeout: Seconds; 0 looks once.
        progress: Told in words what is not yet true, when that has changed.
        cancel: When it is set, waiting is stopped.

    Raises:
        WaitTimeout: with what is not yet true, when the time is over.
        ClusterError: when the API server refuses, or there is no such condition.
        ValueError: when `timeout` is no number.
        Stopped: when `cancel` was set.
    """
    asked = condition(table, until)
    if math.isnan(timeout):
        raise ValueError("`timeout` is no number of seconds: with it the wait would never end")
    began = time.monotonic()
    deadline = began + (timeout if timeout > 0 else ONE_LOOK_SECONDS)
    with _Followed(tables, table, wanted, deadline) as followed:
        told = ""
        while True:
            rows = followed.rows(wanted.os)
            false = [row for row in rows if until == "gone" or not asked(_fields(table, row))]
            if followed.complete and not false and (until == "gone" or len(rows) >= count):
                return followed.table(rows)
            name = until if isinstance(until, str) else "as asked"
            missing = _missing(table, name, rows, false, 0 if until == "gone" else count)
            if not followed.complete:
                missing = f"the API server told nothing yet of {table}"
            if followed.trouble:
                missing += f" ({followed.trouble})"
            quiet = time.monotonic() - began < QUIET_SECONDS
            known = followed.complete or followed.trouble or not quiet
            if progress is not None and missing != told and known:
                told = missing
                progress(missing)
            if time.monotonic() >= deadline or (followed.complete and timeout <= 0):
                raise WaitTimeout(
                    f"after {timeout:g} s: {missing}",
                    left=followed.table(false),
                    hint="look at what is named, then wait again, or longer with `timeout`",
                )
            followed.changed(deadline, cancel)


def _fields(table: str, row: Row) -> Fields:
    return dict(zip(SCHEMAS[table].fields, row, strict=True))


def _missing(table: str, name: str, rows: list[Row], false: list[Row], count: int) -> str:
    """Return in words what is not yet true."""
    if len(rows) < count and not false:
        return f"{len(rows)} of {count} {table} are there"
    parts = []
    for row in false[:NAMED]:
        fields = _fields(table, row)
        where = f"{fields['NAMESPACE']}/" if fields.get("NAMESPACE") else ""
        state = fields.get("STATUS")
        numbers = f" {fields['READY']}/{fields['DESIRED']}" if "DESIRED" in fields else ""
        parts.append(f"{where}{fields['NAME']}{numbers}{f' {state}' if state else ''}")
    more = f" and {len(false) - NAMED} more" if len(false) > NAMED else ""
    fewer = f", and {len(rows)} of {count} are there" if len(rows) < count else ""
    return shown_line(
        f"{len(false)} of {len(rows)} {table} are not {name}: {', '.join(parts)}{more}{fewer}"
    )


class _Followed:
    """The rows of a table as they are now, kept up to date by other threads, one for each kind of object."""

    def __init__(
        self,
        tables: ClusterTables,
        table: str,
        wanted: Wanted,
        deadline: float,
    ) -> None:
        self._tables, self._api = tables, tables.api
        self._table, self._wanted, self._deadline = table, wanted, deadline
        self._nodes: dict[str, Known] = {}
        self._nodes_asked = -NODES_SECONDS
        self._ahead = timedelta()
        """By how much the server's clock is ahead of this computer's."""
        self._over = threading.Event()
        self._news: queue.Queue[Any] = queue.Queue(maxsize=1000)
        self._rows: dict[str, dict[tuple[str, str], Row]] = {}
        self._paths = wanted.paths(table)
        self._unread: dict[str, str] = {}
        """By kind of object, what could not be read of it."""
        self.trouble = ""
        """What went wrong last with lists and watches, and is tried again."""

    def __enter__(self) -> _Followed:
        for kind, path in self._paths.items():
            threading.Thread(
                target=self._follow, args=(kind, path), name="kube-watch", daemon=True
            ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    @property
    def complete(self) -> bool:
        """Whether every list was read once."""
        return len(self._rows) == len(self._paths)

    def table(self, rows: list[Row]) -> KubeTable:
        """Return rows as a table."""
        columns = Columns(SCHEMAS[self._table])
        columns.add(rows)
        asked = datetime.now(UTC) + self._ahead
        made = KubeTable(columns.frame(asked), copy=False)
        made.source = Source(
            self._table, self._tables.cluster, self._api.server, asked,
            asked_for=str(self._wanted), unread="; ".join([*self._unread.values()]),
        )  # fmt: skip
        return made

    def rows(self, os: str) -> list[Row]:
        """Return the rows, in the order of their names."""
        fields = list(SCHEMAS[self._table].fields)
        place = fields.index("OS") if os and "OS" in fields else None
        found = [row for kind in self._paths for _, row in sorted(self._rows.get(kind, {}).items())]
        return found if place is None else [row for row in found if row[place] == os]

    def changed(self, deadline: float, cancel: threading.Event | None) -> None:
        """Wait for news, and take in all that there are.

        Raises:
            ClusterError: when a list or a watch was refused for good.
            Stopped: when `cancel` was set.
        """
        while time.monotonic() < deadline:
            if cancel is not None and cancel.is_set():
                raise Stopped("the API server", f"waiting for {self._table} was stopped")
            with contextlib.suppress(queue.Empty):
                self._take(self._news.get(timeout=LOOK_SECONDS))
                while True:
                    self._take(self._news.get_nowait())
                    if self._news.empty():
                        return
            if not self._news.empty():
                continue
            return

    def _take(self, news: tuple[str, str, Any]) -> None:
        what, kind, told = news
        if what == "refused":
            raise told
        if what == "unread":
            # As in a table: one kind of several may be refused, and that is told.
            self._unread[kind] = unread(self._paths[kind], told)
            if len(self._unread) == len(self._paths):
                raise told
            what, told = "all", {}
        if what == "trouble":
            self.trouble = told
            return
        self.trouble = ""
        if what == "all":
            self._rows[kind] = told
        elif what == "gone":
            self._rows[kind].pop(told, None)
        else:
            self._rows[kind][told[0]] = told[1]

    def _follow(self, kind: str, path: str) -> None:
        pause = FIRST_PAUSE
        version = ""
        while not self._over.is_set():
            try:
                if not version:
                    version = self._listed(kind, path)
                for newest, what, told in self._watched(kind, path, version):
                    version, pause = newest, FIRST_PAUSE
                    if what:
                        self._put(what, kind, told)
                if self._over.wait(FIRST_PAUSE):
                    return
                continue
            except Stopped:
                return
            except ClusterError as error:
                if error.status in FINAL:
                    one = error.status in REFUSED and len(self._paths) > 1 and not version
                    self._put("unread" if one else "refused", kind, error)
                    return
                if error.status == 410:
                    version = ""
                self._put("trouble", kind, str(error))
            except Exception as error:
                self._put("refused", kind, error)
                return
            if self._over.wait(pause):
                return
            pause = min(LONGEST_PAUSE, 2 * pause)

    def _put(self, what: str, kind: str, told: Any) -> None:
        while not self._over.is_set():
            with contextlib.suppress(queue.Full):
                self._news.put((what, kind, told), timeout=LOOK_SECONDS)
                return

    def _listed(self, kind: str, path: str) -> str:
        """Read the list, and return from where on a watch tells what changes."""
        if self._table == "pods":
            self._ask_nodes()
        made = row_maker(kind, self._nodes)
        found: dict[tuple[str, str], Row] = {}

        def take(items: Any) -> None:
            for item, row in zip(items, made(items), strict=True):
                found[item.metadata.namespace, item.metadata.name] = row

        began = datetime.now(UTC)
        listed = self._api.objects(
            path, kind, take, again=found.clear, query=self._wanted.query(self._table),
            cancel=self._over,
        )  # fmt: skip
        if abs(listed.asked - began) > CLOCKS:
            self._ahead = listed.asked - began
        self._put("all", kind, found)
        return listed.version or "0"

    def _ask_nodes(self, name: str = "") -> None:
        """Ask for what is told of nodes; with a name, where that node is new, which may have joined meanwhile."""
        now = time.monotonic()
        if name in self._nodes or (name and now - self._nodes_asked < NODES_SECONDS):
            return
        told: list[str] = []
        self._nodes.update(self._tables.known_nodes("", told, self._over))
        self._nodes_asked = now
        if told:
            self._unread["Node"] = told[0]

    def _watched(self, kind: str, path: str, version: str) -> Iterator[tuple[str, str, Any]]:
        """Yield the newest version, and what became of which row."""
        made = row_maker(kind, self._nodes)
        query = {
            **self._wanted.query(self._table),
            "resourceVersion": version,
            "timeoutSeconds": "50",
        }
        for event in self._api.watched(path, query, self._deadline, self._over):
            item = of_json(kind, event["object"])
            version = item.metadata.resourceVersion or version
            key = (item.metadata.namespace, item.metadata.name)
            if event.get("type") == "DELETED":
                yield version, "gone", key
            elif event.get("type") in ("ADDED", "MODIFIED"):
                if self._table == "pods" and item.spec.nodeName:
                    self._ask_nodes(item.spec.nodeName)
                (row,) = made([item])
                yield version, "is", (key, row)
            else:
                yield version, "", None
