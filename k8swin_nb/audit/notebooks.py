"""Executed notebooks beside the record: whether each is still what its kernel showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from k8swin_nb.audit.lines import Lines
from k8swin_nb.audit.tree import Entry, content
from k8swin_nb.audit.verdict import CHANGED, REMARK, UNPROVEN, Verdict
from k8swin_nb.errors import ParamsError
from k8swin_nb.reading import Unreadable, file_bytes, json_document
from k8swin_nb.shown import shown_line
from k8swin_nb.workflow.cell_compare import ENDED, compare_notebook, kernel_of

NOTEBOOK_BYTES = 256 * 1024 * 1024
"""What a notebook may have."""

DESK = "desk.json"
"""In a run's folder: it was worked on at a desk, where cells are edited and files are saved by hand."""

UNSAVED = frozenset({"removed", "notebook"})
"""Differences that a notebook at a desk also has when it was not saved after its last cell, or is none of the run."""

OUTCOMES = frozenset({"notebook-opened", "notebook-finished", "failed", "interrupted"})

RUN = "k8swin run"
"""Whose events stand in the record for the command that executes notebooks, saves them and seals then."""


def judge_notebooks(
    folder: Path,
    entries: Mapping[str, Entry],
    lines: Lines,
    named: Sequence[Path],
    verdict: Verdict,
) -> None:
    """Compare the executed notebooks of a run's folder, and those that are named, with the cells of its record.

    Raises:
        ParamsError: when one that is named cannot be read.
    """
    desk = DESK in entries
    saved = _saved(lines)
    found: list[tuple[str, dict[str, Any]]] = []
    cells = [event for event in lines.events if "cell" in str(event.get("event", ""))]
    for name, entry in entries.items():
        if "/" in name or name.startswith(".") or not name.endswith(".ipynb") or entry.odd:
            continue
        try:
            notebook = _notebook(content(folder, name, NOTEBOOK_BYTES))
        except (OSError, Unreadable) as error:
            verdict.add(
                UNPROVEN, "notebook-unreadable", name, f"it is no whole notebook: {_reason(error)}"
            )
            continue
        if cells and (_executed(notebook) or not desk):
            found.append((name, notebook))
    ran = _kernels(cells)
    executed = {name: _kernel(one, cells) for name, one in found if _executed(one)}
    for name, notebook in found:
        if name in executed:
            here = saved if saved is not None else _broken_off(lines, ran.get(executed[name] or ""))
            _judge(name, notebook, cells, verdict, here, desk=desk)
            continue
        # A run that was stopped or killed leaves the file of a notebook of which no cell had been executed by then.
        stem = name.removesuffix(".ipynb")
        foreign = not any(stem.startswith(one.notebook) for one in ran.values())
        kernels = [
            one
            for kernel, one in ran.items()
            if kernel not in executed.values() and (foreign or stem.startswith(one.notebook))
        ]
        if kernels and saved is not None and min(one.first for one in kernels) > saved:
            text = "the run has no end, and the file may have been saved before the first of its cells had ended"
            verdict.add(UNPROVEN, "notebook-not-saved", name, text)
        elif kernels:
            _judge(name, notebook, cells, verdict, saved, desk=desk)
    for path in named:
        try:
            notebook = _notebook(file_bytes(path, NOTEBOOK_BYTES))
        except (OSError, Unreadable) as error:
            raise ParamsError(f"--notebook `{path}` cannot be read: {_reason(error)}") from None
        if not cells:
            text = "the record holds no cells, so that nothing can be said about it"
            verdict.add(UNPROVEN, "notebook-unknown", str(path), text)
        one = ran.get(_kernel(notebook, cells) or "")
        here = saved if saved is not None else _broken_off(lines, one)
        _judge(str(path), notebook, cells, verdict, here, desk=False)


@dataclass(slots=True)
class _Kernel:
    """What the record says of a kernel."""

    notebook: str
    first: int
    """The event with which its first cell ended."""


def _kernels(cells: Sequence[Mapping[str, Any]]) -> dict[str, _Kernel]:
    """Return the kernels that executed cells, by the names that the record has for them."""
    found: dict[str, _Kernel] = {}
    for event in cells:
        number, notebook = event.get("n"), str(event.get("notebook") or "")
        if event.get("event") == ENDED and notebook:
            first = number if type(number) is int else 0
            found.setdefault(str(event.get("kernel", "")), _Kernel(notebook, first))
    return found


def _kernel(notebook: dict[str, Any], cells: Sequence[Mapping[str, Any]]) -> str | None:
    try:
        return kernel_of(notebook, cells)
    except (AttributeError, TypeError, ValueError, KeyError, RecursionError):
        return None  # what is wrong with it is told where it is compared


def _broken_off(lines: Lines, kernel: _Kernel | None) -> int | None:
    """Return 0 when another program than `k8swin run` executed a notebook that was interrupted or has no end; else None.

    Nothing then says when that program saved it last.
    """
    if kernel is None or any(event.get("event") == "run-begun" for event in lines.events):
        return None
    ends = [
        str(event.get("event"))
        for event in lines.events
        if event.get("notebook") == kernel.notebook and event.get("event") in OUTCOMES
    ]
    return 0 if not ends or ends[-1] in ("interrupted", "notebook-opened") else None


def _saved(lines: Lines) -> int | None:
    """Return the event up to which a run that has no end saved what it executed; None: it has one, or was none."""
    begun, at = False, 0
    for place, event in lines.at.items():
        kind = event.get("event")
        if kind == "run-begun":
            begun = True
        elif kind in ("run-finished", "run-stopped"):
            begun = False
        elif kind == "sealed" and event.get("notebook") == RUN:
            at = place
    return at if begun else None


def _judge(
    name: str,
    notebook: dict[str, Any],
    cells: list[dict[str, Any]],
    verdict: Verdict,
    saved: int | None,
    *,
    desk: bool,
) -> None:
    try:
        found = compare_notebook(notebook, cells)
    except (AttributeError, TypeError, ValueError, KeyError, RecursionError) as error:
        verdict.add(
            UNPROVEN,
            "notebook-unreadable",
            name,
            f"it is no notebook: {shown_line(error, most=200)}",
        )
        return
    for one in found:
        where = name + (f" cell [{one.cell}]" if one.cell else "")
        weight = CHANGED if one.certain else REMARK
        if desk and one.kind in UNSAVED:
            weight = UNPROVEN
        left = desk and one.late and _unfinished(notebook, one.place)
        if left or (saved is not None and one.late > saved):
            # A kernel outlives a program that is killed or closed, and writes down what that one did not save any more.
            text = f"it was broken off, and the file may have been saved before this cell had ended: {one.told}"
            verdict.add(UNPROVEN, "notebook-not-saved", where, text)
            continue
        verdict.add(weight, f"notebook-{one.kind}", where, one.told)


def _unfinished(notebook: dict[str, Any], place: int | None) -> bool:
    """Whether a cell of the file has no number, as while it runs."""
    return place is not None and notebook["cells"][place - 1].get("execution_count") is None


def _notebook(written: bytes) -> dict[str, Any]:
    found = json_document(written)
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        raise Unreadable("it has no cells")
    if not all(isinstance(cell, dict) for cell in found["cells"]):
        raise Unreadable("one of its cells is none")
    return found


def _executed(notebook: dict[str, Any]) -> bool:
    return any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"])


def _reason(error: Exception) -> str:
    return shown_line(getattr(error, "strerror", None) or str(error), most=200)
