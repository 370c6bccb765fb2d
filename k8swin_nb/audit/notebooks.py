"""Executed notebooks beside the record: whether each is still what its kernel showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from k8swin_nb.audit.lines import Lines
from k8swin_nb.audit.tree import Entry, content
from k8swin_nb.audit.verdict import CHANGED, REMARK, UNPROVEN, Verdict
from k8swin_nb.errors import ParamsError
from k8swin_nb.reading import Unreadable, file_bytes, json_document
from k8swin_nb.shown import shown_line
from k8swin_nb.workflow.cell_compare import compare_notebook

NOTEBOOK_BYTES = 256 * 1024 * 1024
"""What a notebook may have."""

DESK = "desk.json"
"""In a run's folder: it was worked on at a desk, where cells are edited and files are saved by hand."""

UNSAVED = frozenset({"removed", "notebook"})
"""Differences that a notebook at a desk also has when it was not saved after its last cell, or is none of the run."""

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
            _judge(name, notebook, cells, verdict, saved, desk=desk)
    for path in named:
        try:
            notebook = _notebook(file_bytes(path, NOTEBOOK_BYTES))
        except (OSError, Unreadable) as error:
            raise ParamsError(f"--notebook `{path}` cannot be read: {_reason(error)}") from None
        if not cells:
            text = "the record holds no cells, so that nothing can be said about it"
            verdict.add(UNPROVEN, "notebook-unknown", str(path), text)
        _judge(str(path), notebook, cells, verdict, saved, desk=False)


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
        if saved is not None and one.late > saved:
            # A kernel outlives a command that is killed, and writes down what that one did not save any more.
            text = f"the run has no end, and the file may have been saved before this cell had ended: {one.told}"
            verdict.add(UNPROVEN, "notebook-not-saved", where, text)
            continue
        verdict.add(weight, f"notebook-{one.kind}", where, one.told)


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
