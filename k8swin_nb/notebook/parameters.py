"""A notebook's parameters: found in the kernel, completed from the parameters file, checked.

papermill injects whatever it is given and only warns of a name that the notebook does not know, so the
check is made here, from inside. A parameter that is None was not given and comes from `params_file`; when
`hosts` is given (as `-f FILE` gives it) the file is not read, so that two clusters are never mixed.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from k8swin_nb.errors import ParamsError
from k8swin_nb.params import ClusterParams, check_params, load_params, project_path

INJECTED = "# Parameters"
"""The first line of the cell that papermill injects."""


@dataclass(frozen=True, slots=True)
class NotebookParams:
    """Parameters of a notebook run, beside the cluster's description."""

    params_file: str = "params/lab.yaml"
    """The cluster's description, relative to the project's folder."""

    ip: str | None = None
    """Address of the worker that 04 joins."""

    dry_run: bool = False
    """Show what would run, and where; change nothing."""

    run_id: str | None = None
    """Puts several notebooks into one record; None: a new one."""

    runs: str = "runs"
    """Folder of the records, relative to the project's folder."""


def given_names(cells: Sequence[str]) -> set[str]:
    """Return the names that parameters cells assign: papermill's, and the notebook's own."""
    names: set[str] = set()
    for cell in cells:
        if not (cell.lstrip().startswith(INJECTED) or "params_file" in cell):
            continue
        try:
            tree = ast.parse(cell)
        except SyntaxError:
            continue
        for node in tree.body:
            if isinstance(node, ast.Assign):
                names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names.add(node.target.id)
    return names


def collect(
    namespace: Mapping[str, Any], cells: Sequence[str]
) -> tuple[NotebookParams, ClusterParams]:
    """Return the checked parameters of the running notebook.

    Args:
        namespace: The kernel's user namespace.
        cells: Sources of the cells that have run, in order.

    Raises:
        ParamsError: naming every parameter that is unknown, mistyped or missing.
    """
    own = {field.name for field in fields(NotebookParams)}
    known = own | set(ClusterParams.model_fields)
    unknown = sorted(given_names(cells) - known)
    if unknown:
        close = difflib.get_close_matches(unknown[0], known, n=1)
        raise ParamsError(
            "unknown parameter " + ", ".join(f"`{name}`" for name in unknown),
            hint=f"did you mean `{close[0]}`?"
            if close
            else f"parameters: {', '.join(sorted(known))}",
        )
    given = {name: namespace[name] for name in known if namespace.get(name) is not None}
    mine = _notebook_params({name: given.pop(name) for name in own if name in given})
    source = "parameters"
    if not given.get("hosts"):
        given.pop("hosts", None)
        path = project_path(mine.params_file)
        source = f"`{path.name}`" + (" and parameters" if given else "")
        given = {**load_params(path), **given}
    return mine, check_params(given, source=source)


def _notebook_params(values: dict[str, Any]) -> NotebookParams:
    for field in fields(NotebookParams):
        if field.name not in values:
            continue
        value = values[field.name]
        wanted = bool if field.name == "dry_run" else str
        if type(value) is not wanted:
            raise ParamsError(
                f"`{field.name}` arrived as {type(value).__name__} {value!r}, expected {wanted.__name__}",
                hint=(
                    f"pass it as text: `-r {field.name} VALUE`"
                    if wanted is str
                    else f"pass `-p {field.name} true` or `false`"
                ),
            )
    return NotebookParams(**values)


def require_target(mine: NotebookParams, params: ClusterParams, system: str) -> str:
    """Return the address of the worker to join.

    Raises:
        ParamsError: when it is missing, the master's, or of no worker with the operating system.
    """
    workers = [host for host in params.hosts if host.os == system and host.role == "worker"]
    choice = ", ".join(f"{host.address} ({host.name})" for host in workers) or "none in `hosts`"
    if not mine.ip:
        raise ParamsError(
            "`ip` is missing: the address of the worker to join",
            hint=f"`-p ip ADDRESS`, one of: {choice}",
        )
    for host in params.hosts:
        if host.address == mine.ip and host in workers:
            return mine.ip
        if host.address == mine.ip:
            raise ParamsError(
                f"`ip` {mine.ip} is the address of `{host.name}`, the {host.os} {host.role}",
                hint=f"give a {system} worker's: {choice}",
            )
    raise ParamsError(
        f"`ip` {mine.ip} is no host of the parameters",
        hint=f"give one of: {choice}, or add it to `hosts`",
    )
