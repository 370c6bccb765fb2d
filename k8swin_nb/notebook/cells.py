"""What each cell was and what it showed, for the record: followed at the door, as it leaves the kernel.

A cell's outputs come about from its messages; of each only a digest is kept (`workflow/cell_digest.py`), so that a cell
with much output costs no memory here. `cell-started` is written before a cell runs, `cell` when it has ended and before
its front end is told so, `cell-updated` when an object that it displayed looks otherwise since, or a thread of its own
has printed. Cells that ran before a record was there are written into it when it is: from the one on that loaded the
extension.
"""

from __future__ import annotations

import atexit
import contextlib
import re
import secrets
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from k8swin_nb.errors import K8swinError
from k8swin_nb.notebook import context, ending, kernel_door
from k8swin_nb.redact import redact
from k8swin_nb.shown import shown_line
from k8swin_nb.workflow.cell_compare import ENDED, STARTED, UPDATED
from k8swin_nb.workflow.cell_digest import CellOutputs, source_digest
from k8swin_nb.workflow.record import utc_now

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from k8swin_nb.workflow.record import Record

SETTLE_SECONDS = 2.0
"""How long an ended cell's outputs stay as they are before they are written down again."""

_watched: dict[int, Cells] = {}


@dataclass(slots=True)
class Cell:
    """One execution of a cell."""

    count: int
    cell_id: str
    """What the front end calls the cell; empty: it did not say."""

    source: str
    whole: bool = True
    """Whether it is followed from its beginning."""

    started: str = field(default_factory=utc_now)
    began: float = field(default_factory=time.monotonic)
    outputs: CellOutputs = field(default_factory=CellOutputs)
    asked: int = 0
    """Lines of input that somebody was asked for."""

    told: dict[str, Any] | None = None
    """Its last event, once it has ended."""

    def ended(self, status: str, error: str) -> dict[str, Any]:
        """Return what the record says of it at its end."""
        # What became known as a secret while it ran is masked too.
        source = redact(self.source)
        told = {
            "cell": self.count,
            "cell_id": self.cell_id,
            "source": source,
            "source_sha256": source_digest(source),
            "ended": status,
            "started": self.started,
            "seconds": round(time.monotonic() - self.began, 3),
            "followed": "whole" if self.whole else "in part",
            **({"error_kind": error} if error else {}),
            **self.shown(),
        }
        self.told = told
        return told

    def shown(self) -> dict[str, Any]:
        """Return the digests of what it shows by now."""
        first, *also = self.outputs.digests()
        return {
            "outputs_sha256": first,
            **({"outputs_also": also} if also else {}),
            **({"inputs": self.asked} if self.asked else {}),
        }


class Cells:
    """The cells of one kernel, by the message that asked for their execution."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._kernel = secrets.token_hex(4)
        self._lock = threading.RLock()
        self._cells: dict[str, Cell] = {}
        self._displays: dict[str, set[str]] = {}
        """By name of a displayed object, the messages of the cells that show it."""
        self._captured: dict[str, str] = {}
        """By number of an output widget, the message whose outputs it takes."""
        self._counts: dict[str, int] = {}
        """Numbers that front ends were told, of cells that do not run yet."""
        self._late: dict[str, Cell] = {}
        """Cells that look otherwise than the record says."""
        self._timer: threading.Timer | None = None
        self._record: Record | None = None
        self._untold = 0
        """The first cell of which an event could not be written."""

    def begin(self, info: Any, *, whole: bool = True) -> None:
        """Take note that a cell begins; called by IPython."""
        if not info.store_history or info.silent:
            return
        parent = self._parent()
        message = str(parent.get("header", {}).get("msg_id", ""))
        if not message or message in self._cells:
            return  # a cell that runs another one shows its outputs
        cell_id = str((parent.get("metadata") or {}).get("cellId") or "")
        self.settle()
        with self._lock:
            # IPython counts on before or after a cell runs, as its version has it; the message says the number.
            count = self._counts.pop(message, 0) or getattr(
                info, "count", len(history(self._shell))
            )
            cell = Cell(count, cell_id, info.raw_cell, whole)
            self._cells[message] = cell
        if record := self._present():
            self._write(record, STARTED, cell.count, {"cell": cell.count, "cell_id": cell_id})

    def ran(self, sources: list[str]) -> None:
        """Take note of what ran before anybody followed; of it the source alone is known."""
        for count, source in enumerate(sources):
            if source.strip():
                cell = Cell(count, "", source)
                told = cell.ended("", "")
                cell.told = {name: told[name] for name in ("cell", "source", "source_sha256")}
                cell.told["followed"] = "not"
                self._cells[f"before {count}"] = cell

    def opened(self) -> None:
        """Take note that a record is there: of the cell that runs it is said that it has begun."""
        if record := self._present():
            for cell in [one for one in self._cells.values() if one.told is None]:
                self._write(
                    record, STARTED, cell.count, {"cell": cell.count, "cell_id": cell.cell_id}
                )

    def heard(self, kind: str, content: Any, message: str) -> None:
        """Take what leaves the kernel, masked; `message` asked for it."""
        if not isinstance(content, Mapping):
            return
        if kind == "comm_close":
            # Without the lock, as the door passes it.
            self._captured.pop(str(content.get("comm_id")), None)
            return
        with self._lock:
            if kind in ("comm_open", "comm_msg"):
                self._widget(content)
                return
            transient = content.get("transient") or {}
            display_id = str(transient.get("display_id") or "")
            data = content.get("data") or {}
            cell = self._cells.get(message)
            if kind == "execute_input":
                self._counts = {message: int(content.get("execution_count") or 0)}
                return
            if display_id and kind in ("display_data", "execute_result", "update_display_data"):
                for other in self._displays.get(display_id, set()) - {message}:
                    if self._cells[other].outputs.update(display_id, data):
                        self._is_late(other)
            if cell is None:
                return
            if kind == "input_request":
                cell.asked += 1
            if kind == "update_display_data":
                cell.outputs.update(display_id, data)
            elif message in self._captured.values():
                return
            elif kind == "stream":
                cell.outputs.stream(str(content.get("name")), str(content.get("text", "")))
            elif kind in ("display_data", "execute_result"):
                cell.outputs.display(data, display_id)
                if display_id:
                    self._displays.setdefault(display_id, set()).add(message)
            elif kind == "error":
                cell.outputs.error(content)
            elif kind == "clear_output":
                cell.outputs.clear(wait=bool(content.get("wait")))
            else:
                return
            self._is_late(message)

    def replied(self, content: Any, message: str) -> None:
        """Write down that a cell has ended, before its front end is told."""
        cell = self._cells.get(message)
        if cell is None or cell.told is not None or not isinstance(content, Mapping):
            return
        error = str(content.get("ename") or "")
        status = str(content.get("status"))
        if status == "error" and error in ("KeyboardInterrupt", "Interrupted"):
            status = "interrupted"
        with self._lock:
            for payload in content.get("payload") or ():
                if status == "ok" and payload.get("source") == "page":
                    cell.outputs.page(payload.get("data") or {})
                    break
            told = cell.ended(status, error)
        if record := self._present():
            self._write(record, ENDED, cell.count, told)
        self.settle()

    def settle(self) -> None:
        """Write down which ended cells show something else since."""
        with self._lock:
            late, self._late = self._late, {}
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            updates = []
            for cell in late.values():
                shown = cell.shown()
                if cell.told is None or shown["outputs_sha256"] == cell.told["outputs_sha256"]:
                    continue
                cell.told |= shown
                updates.append({"cell": cell.count, "cell_id": cell.cell_id, **shown})
        record = self._record
        for told in updates if record is not None else ():
            assert record is not None  # noqa: S101 -- as the line above says
            self._write(record, UPDATED, told["cell"], told)

    def _is_late(self, message: str) -> None:
        cell = self._cells[message]
        if cell.told is None:
            return
        self._late[message] = cell
        if self._timer is None:
            self._timer = threading.Timer(SETTLE_SECONDS, self._settled)
            self._timer.daemon = True
            self._timer.start()

    def _settled(self) -> None:
        with self._lock:
            self._timer = None
        self.settle()

    def _widget(self, content: Mapping[str, Any]) -> None:
        """Take note of an output widget that begins or ends to take what a cell shows."""
        number = str(content.get("comm_id"))
        state = (content.get("data") or {}).get("state") or {}
        if "msg_id" in state and "outputs" in state | self._of_widget(number):
            if state["msg_id"]:
                self._captured[number] = str(state["msg_id"])
            else:
                self._captured[number] = ""

    def _of_widget(self, number: str) -> dict[str, Any]:
        return {"outputs": ()} if number in self._captured else {}

    def _present(self) -> Record | None:
        """Return the record that is written; one that is new to this kernel gets what ran before."""
        known = context.known()
        record = known.cluster.__dict__.get("record") if known is not None else None
        if record is None:
            return self._record
        if self._record is None or self._record.path != record.path:
            for cell in self._cells.values():
                if cell.told is not None:
                    self._write(record, ENDED, cell.count, {**cell.told, "before": True})
        self._record = record
        return self._record

    def _write(self, record: Record, kind: str, count: int, told: Mapping[str, Any]) -> None:
        """Write an event; a cell cannot be kept from running where that fails, and says it."""
        try:
            record.write(kind, kernel=self._kernel, **told)
        except K8swinError as error:
            self._untold = self._untold or count
            since = f"cells are not in the record since [{self._untold}]"
            print(shown_line(f"{since}: {error}"), file=sys.stderr, flush=True)  # noqa: T201

    def _parent(self) -> Mapping[str, Any]:
        kernel: Any = getattr(self._shell, "kernel", None)
        with contextlib.suppress(AttributeError, LookupError):
            found = kernel.get_parent("shell")
            if isinstance(found, Mapping):
                return found
        return {}


def history(shell: InteractiveShell) -> list[str]:
    """Return the sources that ran, by number; the first is none."""
    return list(getattr(shell.history_manager, "input_hist_raw", None) or [])


class _Running:
    """What IPython says of a cell that runs already."""

    store_history, silent = True, False

    def __init__(self, source: str, count: int) -> None:
        self.raw_cell, self.count = source, count


_LOADS = re.compile(r"%(?:re)?load_ext\s+k8swin_nb\b|.*\b(?:open_phase|use)\(")
_OURS = re.compile(r"(?:from|import)\s+k8swin_nb\b|#|$")


def begins_here(source: str) -> bool:
    """Return whether a cell that loads the extension has done nothing before that by which it could show something."""
    for line in source.split("\n"):
        if _LOADS.match(line.strip()):
            return True
        if not _OURS.match(line.strip()):
            return False
    return False


def watch(shell: InteractiveShell) -> None:
    """Follow the cells of a shell's kernel from now on; where there is none, or when done already, nothing happens."""
    if getattr(shell, "kernel", None) is None or id(shell) in _watched:
        return
    cells = Cells(shell)
    if not kernel_door.listen(shell, cells):
        return
    _watched[id(shell)] = cells
    context.on_record = cells.opened
    *before, source = history(shell) or [""]
    cells.ran(before)
    cells.begin(_Running(source, len(history(shell)) - 1), whole=begins_here(source))
    shell.events.register("pre_run_cell", cells.begin)
    atexit.register(cells.settle)
    ending.on_end.append(cells.settle)


def unwatch(shell: InteractiveShell) -> None:
    """Follow them no more."""
    cells = _watched.pop(id(shell), None)
    if cells is not None:
        cells.settle()
        kernel_door.listen(shell, None)
        context.on_record = None
        atexit.unregister(cells.settle)
        ending.on_end.remove(cells.settle)
        shell.events.unregister("pre_run_cell", cells.begin)
