"""An executed notebook beside the record of the run in which it was executed: is it still what its kernel showed?

A kernel writes down what each cell was and a digest of what it showed, as it left the kernel. Whoever has the file, wherever
it has been since, finds a changed output or source, and a cell that was added, taken away or moved. What no kernel sees,
the file's texts between cells and its metadata, no record can tell of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from k8swin_nb.redact import MASK
from k8swin_nb.shown import shown_line
from k8swin_nb.workflow.cell_digest import CellOutputs, source_digest

STARTED, ENDED, UPDATED = "cell-started", "cell", "cell-updated"
"""Events of a cell: it begins; it has ended, with the digest of what it shows; it shows something else since."""

UNKNOWN = "unknown"
"""Kind of what the record cannot tell."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What of a notebook is otherwise than its record says, or cannot be told."""

    kind: str
    """`output`, `source`, `added`, `removed`, `moved`, `notebook` (it is another one), or `unknown`."""

    told: str
    """What was found and what was expected, in a sentence."""

    cell: int | None = None
    """Its execution count."""

    place: int | None = None
    """Its place among the cells of the file, counted from 1; None: it is not there."""

    late: int = 0
    """Number of the last event of that cell, when nothing in the file shows that it was saved after it; else 0."""

    @property
    def certain(self) -> bool:
        """Whether the notebook is otherwise; else the record does not know."""
        return self.kind != UNKNOWN


@dataclass(slots=True)
class _Ran:
    """One execution of a cell, as the record has it."""

    kernel: str
    count: int
    notebook: str = ""
    cell_id: str = ""
    source: str = ""
    source_sha256: str = ""
    """Empty: it never ended, so that its source is not known."""

    ended: bool = False
    followed: str = "whole"
    """`whole`, `in part`: the record begins within it, or `not`: it ran before, and its source alone is known."""

    inputs: int = 0
    ended_at: int = 0
    last_at: int = 0
    """Numbers of the events that it ended with, and that last told of it."""

    agrees: bool = False
    digests: set[str] = field(default_factory=set)
    used: bool = False

    def has_source(self, source: str) -> bool:
        """Whether a source is this one; what was masked in the record may be anything."""
        if not self.source_sha256 or source_digest(source) == self.source_sha256:
            return True
        if MASK not in self.source:
            return False
        first, *between, last = _plain(self.source).split(MASK)
        given = _plain(source)
        if not given.startswith(first):
            return False
        place = len(first)
        for part in between:
            place = given.find(part, place + 1)
            if place < 0:
                return False
            place += len(part)
        return given.endswith(last) and len(given) - len(last) > place


@dataclass(frozen=True, slots=True)
class _Cell:
    """A code cell of the file."""

    place: int
    count: int | None
    source: str
    outputs: Sequence[Mapping[str, Any]]


def compare_notebook(
    notebook: Mapping[str, Any], events: Iterable[Mapping[str, Any]]
) -> list[Difference]:
    """Return how an executed notebook differs from the record; empty: it is what its kernel showed.

    Where a cell was executed more than once, its last execution counts. Which of several kernels a notebook belongs to is
    seen from its cells: events of other notebooks of the same run may be among them.

    Args:
        notebook: As nbformat reads it, version 4.
        events: Of one record, in order; other kinds are passed over.
    """
    ran = _executions(events)
    cells = [
        _Cell(place, _count(cell), _joined(cell.get("source", "")), cell.get("outputs") or ())
        for place, cell in enumerate(notebook.get("cells", ()), 1)
        if cell.get("cell_type") == "code"
    ]
    executed = [cell for cell in cells if cell.count is not None or cell.outputs]
    if not ran:
        told = "the record holds no cells: nothing can be said about the notebook"
        return [Difference(UNKNOWN, told)] if executed else []
    mine = _kernel(executed, ran)
    if mine is None:
        what = (
            "no executed cell of it is in the record: it is another notebook, or was executed elsewhere"
            if executed
            else "no cell of it was executed, or its outputs and counts were taken away; the record has executed cells"
        )
        return [Difference("notebook", what)]
    own = [one for one in ran if one.kernel == mine]
    # A kernel that was started anew goes on with the same notebook.
    ran = [one for one in ran if one.notebook == own[0].notebook]
    found = [one for cell in executed for one in _of_cell(cell, own, ran)]
    if not any(one.cell_id for one in own):
        found += _moved(executed)
    return [_lately(one, own) for one in found + _left(cells, own, ran)]


def kernel_of(notebook: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the kernel in which most of a notebook's executed cells ran, as the record names it; None: in none."""
    executed = [
        _Cell(place, _count(cell), _joined(cell.get("source", "")), cell.get("outputs") or ())
        for place, cell in enumerate(notebook.get("cells", ()), 1)
        if cell.get("cell_type") == "code" and (_count(cell) is not None or cell.get("outputs"))
    ]
    return _kernel(executed, _executions(events))


def _lately(one: Difference, own: Sequence[_Ran]) -> Difference:
    """Return a difference of outputs with the event up to which the file may have been saved before."""
    ran = next((ran for ran in own if ran.count == one.cell), None)
    if one.kind != "output" or ran is None:
        return one
    saved = max((other.ended_at for other in own if other.agrees), default=0)
    return replace(one, late=ran.last_at) if ran.last_at > saved else one


def _executions(events: Iterable[Mapping[str, Any]]) -> list[_Ran]:
    known: dict[tuple[str, int], _Ran] = {}
    for event in events:
        kind, count, kernel = event.get("event"), event.get("cell"), str(event.get("kernel", ""))
        if kind not in (STARTED, ENDED, UPDATED) or not isinstance(count, int):
            continue
        one = known.get((kernel, count))
        if kind != UPDATED and one is None:
            cell_id = str(event.get("cell_id") or "")
            one = known[kernel, count] = _Ran(
                kernel, count, str(event.get("notebook", "")), cell_id
            )
        if one is None:
            continue
        number = event.get("n")
        one.last_at = number if isinstance(number, int) else 0
        if kind == STARTED:
            continue
        if kind == ENDED:
            one.ended, one.ended_at = True, one.last_at
            one.source = str(event.get("source") or "")
            one.source_sha256 = str(event.get("source_sha256") or "")
            one.followed = str(event.get("followed", "whole"))
        inputs = event.get("inputs")
        one.inputs = max(one.inputs, inputs if isinstance(inputs, int) else 0)
        also = event.get("outputs_also")
        one.digests |= {str(event.get("outputs_sha256") or "")}
        one.digests |= {str(digest) for digest in also} if isinstance(also, list) else set()
    return list(known.values())


def _kernel(executed: Sequence[_Cell], ran: Sequence[_Ran]) -> str | None:
    """Return the kernel in which most cells of the file were executed, the last of several; None: in none."""
    best, most = None, 0
    for kernel in dict.fromkeys(one.kernel for one in ran):
        there = {one.count: one for one in ran if one.kernel == kernel}
        fitting = sum(
            1
            for cell in executed
            if (one := there.get(cell.count or 0)) and one.has_source(cell.source)
        )
        if fitting and fitting >= most:
            best, most = kernel, fitting
    return best


def _of_cell(cell: _Cell, own: Sequence[_Ran], ran: Sequence[_Ran]) -> list[Difference]:
    """Return what differs between a cell of the file and its execution."""
    others = [one for one in reversed(ran) if one.kernel != own[0].kernel]
    fitting = [
        one
        for one in (*reversed(own), *others)
        if cell.count in (one.count, None) and one.has_source(cell.source)
    ]

    def told(kind: str, what: str) -> list[Difference]:
        return [Difference(kind, what, cell.count, cell.place)]

    if not fitting:
        there = next((one for one in own if one.count == cell.count), None)
        if there is not None and not there.used:
            there.used = True
            return told("source", _source_differs(cell, there))
        first = min(one.count for one in own)
        if cell.count is not None and cell.count < first:
            return told(
                UNKNOWN, f"it was executed before the record begins, which is with [{first}]"
            )
        return told(
            "added", "the record has no such execution: the cell was added, or executed elsewhere"
        )
    if all(one.used for one in fitting):
        return told("added", "it stands in the notebook twice, and was executed once")
    shown = CellOutputs()
    for output in cell.outputs:
        shown.take(output)
    digest = shown.digests()[0]
    free = [one for one in fitting if not one.used]
    same = next((one for one in free if digest in one.digests), None)
    one = same or free[0]
    one.used = True
    if same is not None:
        if shown.inputs <= same.inputs:
            one.agrees = True
            return []
        return told(
            "output", f"{shown.inputs} lines of input stand in it, {same.inputs} were asked for"
        )
    if not one.ended:
        return told(
            UNKNOWN, "its kernel ended while it ran: what it had shown by then is not recorded"
        )
    if one.followed == "not" and not cell.outputs:
        return []
    if one.followed != "whole":
        what = "the toolkit was loaded later, so that what it showed before is not known"
        return told(UNKNOWN, what)
    text = f"its outputs are others than it showed: {_outputs_differ(cell)}"
    return [Difference("output", text, cell.count or one.count, cell.place)]


def _source_differs(cell: _Cell, there: _Ran) -> str:
    """Say where two sources part."""
    if not there.source:
        return "its source is another one than was executed"
    mine, kept = _plain(cell.source).split("\n"), _plain(there.source).split("\n")
    pairs = zip([*mine, "(no line)"], [*kept, "(no line)"], strict=False)
    for number, (found, expected) in enumerate(pairs, 1):
        if found != expected and MASK not in expected:
            return (
                f"its source is another one than was executed: line {number} is "
                f"`{shown_line(found, most=80)}`, executed was `{shown_line(expected, most=80)}`"
            )
    return "its source is another one than was executed"


def _outputs_differ(cell: _Cell) -> str:
    """Say what outputs the file has; what they were, the record knows by their digest alone."""
    if not cell.outputs:
        return "the file has none"
    kinds = [str(output.get("name") or output.get("output_type")) for output in cell.outputs]
    return f"the file has {len(kinds)}: {', '.join(dict.fromkeys(kinds))}"


def _moved(executed: Sequence[_Cell]) -> list[Difference]:
    """Return the cells that stand before one that was executed earlier, in a notebook that a program executed in order."""
    found, last = [], 0
    for cell in executed:
        if cell.count is not None and cell.count < last:
            told = f"it stands behind [{last}], and was executed before it: the cells were moved"
            found.append(Difference("moved", told, cell.count, cell.place))
        last = max(last, cell.count or 0)
    return found


def _left(cells: Sequence[_Cell], own: Sequence[_Ran], ran: Sequence[_Ran]) -> list[Difference]:
    """Return the executions of which the file holds nothing, though no later one took their place."""
    found = []
    empty = [cell for cell in cells if cell.count is None and not cell.outputs]
    for number, one in enumerate(ran):
        again = any(
            (one.cell_id and one.cell_id == later.cell_id)
            or (not one.cell_id and one.source_sha256 == later.source_sha256)
            for later in ran[number + 1 :]
        )
        if one.used or again or one.kernel != own[0].kernel:
            continue
        bare = next((cell for cell in empty if one.has_source(cell.source)), None)
        if bare is not None:
            empty.remove(bare)
            told = "it was executed, and neither its outputs nor its count are in the file"
            found.append(Difference("output", told, one.count, bare.place))
            continue
        line = shown_line(one.source.strip().partition("\n")[0], most=80)
        told = f"it was executed and is not in the notebook: `{line}`; it was removed, or ran after the file was saved"
        found.append(Difference("removed", told, one.count))
    return found


def _count(cell: Mapping[str, Any]) -> int | None:
    count = cell.get("execution_count")
    return count if isinstance(count, int) else None


def _joined(text: Any) -> str:
    return "".join(map(str, text)) if isinstance(text, list) else str(text)


def _plain(source: str) -> str:
    return source.replace("\r\n", "\n").rstrip()
