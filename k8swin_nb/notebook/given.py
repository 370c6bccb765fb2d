"""What the parameters cells of a notebook give. Variables of other cells, whatever they are called, set nothing.

A cell is a parameters cell when the front end says so: JupyterLab and VS Code send a cell's tags with its source
(`CodeCell.execute` in jupyterlab's cells, `cellExecution.ts` in vscode-jupyter). They are seen from the cell on that opens
the first phase; for what ran before, the saved notebook tells, where its path is known. papermill and others send no
tags (`execute_cell` in nbclient); there, and wherever a cell was edited before it was saved, a parameters cell is known by
its shape: papermill's first line, or parameters declared with their types.

The newest run of such a cell counts, and its text, not the namespace: what was deleted from it is not given any more, and
what another cell assigned later is nobody's parameter.
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from k8swin_nb.errors import ParamsError
from k8swin_nb.reading import Unreadable, file_bytes

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

INJECTED = "# Parameters"
"""The first line of the cell that papermill injects."""

HERE = "# This notebook"
"""The first line of the cell in which a person at a desk sets what the notebook is about."""

OWN_TAG, HERE_TAG, INJECTED_TAG = "parameters", "this-notebook", "injected-parameters"
"""Tags of the parameters cells: of all that papermill knows, folded away; of what is set at a desk; of what papermill gave."""

_TYPES = frozenset({"str", "bool", "int", "list", "dict"})
"""Types of parameters, as papermill knows them."""

_MANY = 3
"""Typed parameters that make a parameters cell of one that does not name a description."""

_NOTEBOOK_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Executed:
    """What ran in a kernel so far, as far as parameters are concerned."""

    cells: Sequence[str]
    """Sources by number of execution, in order; empty ones are passed over."""

    namespace: Mapping[str, Any]
    """The kernel's variables."""

    tags: Mapping[int, Collection[str]] = field(default_factory=dict)
    """Tags of cells by that number, where the front end told them."""

    saved: Mapping[str, str] = field(default_factory=dict)
    """By source, the tag of the parameters cells of the notebook's file."""


@dataclass(frozen=True, slots=True)
class Given:
    """What parameters cells give."""

    values: Mapping[str, Any]
    """Values by name; a value of None is not given, and left out."""

    names: frozenset[str]
    """All names that they assign, also those that are no parameters."""

    others: Mapping[str, int]
    """Variables of other cells with the name of a parameter and another value; the number of the execution by name."""

    overruled: frozenset[str] = frozenset()
    """What is set at a desk, and papermill has given another value."""


def given(executed: Executed, known: Collection[str]) -> Given:
    """Return what the newest runs of the parameters cells give.

    Where none has run, as in a notebook of one's own, the newest cell that assigns `params_file` stands for one with what
    it assigns of the known parameters.

    Args:
        executed: What ran in the kernel.
        known: Names of all parameters.

    Raises:
        ParamsError: when a value was worked out in a parameters cell, and its variable was assigned again since; when a
            parameters cell sets one otherwise than by `NAME = VALUE`; or when the notebook has a parameters cell which has
            not run yet.
    """
    assigned = {n: _assigned(cell) for n, cell in enumerate(executed.cells) if cell.strip()}
    newest: dict[str, int] = {}
    for number, names in assigned.items():
        if kind := _kind(executed, number, names, known):
            newest[kind] = number
    strict = bool(newest.keys() - {HERE_TAG})
    if not strict:
        if OWN_TAG in executed.saved.values():
            raise ParamsError(
                "the parameters cell has not run in this kernel, so that nothing says which cluster is meant",
                hint="run it first, then this cell",
            )
        named = [number for number, names in assigned.items() if "params_file" in names]
        newest = {OWN_TAG: named[-1]} if named else {}
    found: dict[str, tuple[int, ast.expr]] = {}
    for number in _in_order(newest):
        # What would be passed over without a word could be the dry run, or the cluster.
        odd = sorted(set(known).intersection(_bound(executed.cells[number], plain=False)))
        if odd:
            raise ParamsError(
                f"cell [{number}] sets `{odd[0]}` otherwise than by `{odd[0]} = VALUE`, which is not read",
                hint=f"write `{odd[0]} = VALUE` in a line of its own, outside of blocks, or give your own variable another name; "
                "then run that cell and this one",
            )
        found |= {
            name: (number, value)
            for name, value in assigned[number].items()
            if strict or name in known
        }
    values = {
        name: _value(executed, name, *where) for name, where in found.items() if name in known
    }
    return Given(
        {name: value for name, value in values.items() if value is not None},
        frozenset(found),
        _others(executed, assigned, newest.values(), values, known),
        _overruled(assigned.get(newest.get(HERE_TAG, 0), {}), found, newest),
    )


def _overruled(
    here: Mapping[str, ast.expr],
    found: Mapping[str, tuple[int, ast.expr]],
    newest: Mapping[str, int],
) -> frozenset[str]:
    """Return what is set at a desk and was given otherwise by papermill."""
    return frozenset(
        name
        for name, written in here.items()
        if found[name][0] == newest.get(INJECTED_TAG)
        and ast.unparse(written) != ast.unparse(found[name][1])
    )


def _in_order(newest: Mapping[str, int]) -> list[int]:
    """Return the parameters cells, the one that wins last.

    The newer of the two that papermill knows wins. What is set at a desk stands above the notebook's defaults, and below what
    papermill has given, whichever of them ran first.
    """
    order = sorted(newest.keys() - {HERE_TAG}, key=lambda tag: newest[tag])
    if HERE_TAG in newest:
        order.insert(order.index(OWN_TAG) + 1 if OWN_TAG in order else 0, HERE_TAG)
    return [newest[tag] for tag in order]


def _assigned(source: str) -> dict[str, ast.expr]:
    """Return what a cell assigns outside of blocks, by name; nothing for a magic, or what is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            found |= {name.id: node.value for name in node.targets if isinstance(name, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found[node.target.id] = node.value
    return found


def _bound(source: str, *, plain: bool = True) -> set[str]:
    """Return the names that a cell sets; what a loop, a `with` or a function calls its own is none of them.

    Args:
        source: The cell.
        plain: Also those of `NAME = VALUE` outside of blocks; without them is left what `_assigned` does not see.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    own: set[int] = set()
    for line in tree.body if not plain else ():
        if isinstance(line, ast.Assign):
            own.update(map(id, line.targets))
        elif isinstance(line, ast.AnnAssign):
            own.add(id(line.target))
    found: set[str] = set()
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in own:
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.comprehension):
            left += [node.iter, *node.ifs]
        elif isinstance(node, ast.For | ast.AsyncFor):
            # What the rounds of a loop use is seldom meant as a setting; in a parameters cell it could be.
            left += [node.iter] if plain else [node.iter, *node.body, *node.orelse]
        elif isinstance(node, ast.withitem):
            left.append(node.context_expr)
        elif isinstance(node, ast.AnnAssign) and node.value is None:
            continue
        elif not isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
        ):
            left += ast.iter_child_nodes(node)
    return found


def _kind(
    executed: Executed, number: int, names: Collection[str], known: Collection[str]
) -> str | None:
    """Return the tag that a cell has, or has by its shape; None: it is no parameters cell."""
    source = executed.cells[number].strip()
    told = {*executed.tags.get(number, ()), executed.saved.get(source)}
    for tag in (INJECTED_TAG, HERE_TAG, OWN_TAG):
        if tag in told:
            return tag
    if source.startswith((INJECTED, HERE)):
        return INJECTED_TAG if source.startswith(INJECTED) else HERE_TAG
    if number in executed.tags and any(executed.tags.values()):
        return None  # this front end tells the tags of its cells, and this one has none that counts
    typed = {
        node.target.id
        for node in (ast.parse(source).body if names else ())
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.annotation, ast.Name)
        and node.annotation.id in _TYPES
    }.intersection(known)
    declares = ("params_file" in names and typed) or len(typed) >= _MANY
    return OWN_TAG if declares else None


def _value(executed: Executed, name: str, number: int, written: ast.expr) -> Any:
    """Return a parameter's value as its cell has it."""
    # A list that its cell goes on to use may have been added to.
    grows = isinstance(written, ast.List | ast.Dict) and name in _loaded(executed.cells[number])
    with contextlib.suppress(ValueError, TypeError, MemoryError, RecursionError):
        if not grows:
            return ast.literal_eval(written)
    # It was worked out: the namespace has it, unless another cell has put something else there.
    for later in range(number + 1, len(executed.cells)):
        if name in _stored(executed.cells[later]):
            raise ParamsError(
                f"`{name}` is worked out in the parameters cell, and cell [{later}] has assigned it since",
                hint="run the parameters cell again, and give the variable of the other cell another name",
            )
    return executed.namespace.get(name)


def _loaded(source: str) -> set[str]:
    """Return the names that a cell uses."""
    names = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Load)}


def _stored(source: str) -> set[str]:
    """Return all names that a cell may assign, in blocks too."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
    return found


def _others(
    executed: Executed,
    assigned: Mapping[int, Mapping[str, ast.expr]],
    counted: Collection[int],
    values: Mapping[str, Any],
    known: Collection[str],
) -> dict[str, int]:
    """Return the variables that could be taken for parameters, with the cell that assigned them last."""
    found: dict[str, int] = {}
    for number in assigned:
        for name in sorted(_bound(executed.cells[number])):
            if number in counted or name not in known:
                found.pop(name, None)
            else:
                found[name] = number
    return {
        name: number
        for name, number in found.items()
        if _differs(executed.namespace.get(name), values.get(name))
    }


def _differs(one: Any, other: Any) -> bool:
    try:
        return bool(one is not None and one != other)
    except Exception:  # a table, say: comparing it gives no truth value
        return True


_tags: dict[int, frozenset[str]] = {}


def watch(shell: InteractiveShell) -> None:
    """Take note of the tags of each cell that runs from now on; doing it twice changes nothing."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None or getattr(shell, "_k8swin_tags", False):
        return
    shell._k8swin_tags = True  # type: ignore[attr-defined]
    _note(shell, len(_ran(shell)) - 1)
    shell.events.register("pre_run_cell", lambda *_: _note(shell, len(_ran(shell))))


def _ran(shell: InteractiveShell) -> list[str]:
    """Return the sources that ran, by the number that their prompt has; the cell that runs is in it."""
    return [str(cell) for cell in shell.user_ns.get("In", [])]


def _note(shell: InteractiveShell, number: int) -> None:
    """Keep the tags of the cell that runs or is about to, which has or will have a number."""
    with contextlib.suppress(Exception):  # what a front end sends is its own affair
        metadata = shell.kernel.get_parent("shell")["metadata"]  # type: ignore[attr-defined]
        _tags[number] = frozenset(map(str, metadata.get("tags") or ()))


def notebook_path(namespace: Mapping[str, Any]) -> Path | None:
    """Return the file of the notebook that this kernel works for, where the front end tells it.

    JupyterLab does by an environment variable, VS Code by a variable in the kernel.
    """
    told = namespace.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    if not isinstance(told, str) or not told.endswith(".ipynb"):
        return None
    return Path(told)


def saved_cells(path: Path | None) -> dict[str, str]:
    """Return the parameters cells of a saved notebook: their tag by source. None where it cannot be read."""
    if path is None:
        return {}
    try:
        cells = json.loads(file_bytes(path, _NOTEBOOK_BYTES))["cells"]
        found = {}
        for cell in cells:
            tags = cell.get("metadata", {}).get("tags") or ()
            for tag in (OWN_TAG, HERE_TAG, INJECTED_TAG):
                if tag in tags and cell.get("cell_type") == "code":
                    source = cell["source"]
                    found[(source if isinstance(source, str) else "".join(source)).strip()] = tag
    except (OSError, Unreadable, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return found


def executed_in(shell: InteractiveShell) -> Executed:
    """Return what ran in this kernel, the cell that runs included."""
    namespace = dict(shell.user_ns)
    return Executed(_ran(shell), namespace, dict(_tags), saved_cells(notebook_path(namespace)))
