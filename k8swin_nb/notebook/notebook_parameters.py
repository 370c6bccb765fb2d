"""A notebook's parameters: found in the kernel, completed from the parameters file, checked.

papermill injects whatever it is given and only warns of a name that the notebook does not know, so the
check is made here, from inside. A parameter that is None was not given and comes from `params_file`; when
`hosts` is given (as `-f FILE` gives it) the file is not read, so that two clusters are never mixed.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from k8swin_nb.description import (
    Description,
    check_description,
    check_run_id,
    project_path,
    read_description,
    refuse_secrets,
)
from k8swin_nb.errors import ParamsError
from k8swin_nb.foreign_words import advice
from k8swin_nb.host_description import HostDescription
from k8swin_nb.reading import shown

INJECTED = "# Parameters"
"""The first line of the cell that papermill injects."""


def _declared(default: Any, text: str, only: tuple[str, ...] = ()) -> Any:
    """Declare a parameter with its help and, when it is for some, the notebooks that take it."""
    return field(default=default, metadata={"help": text, "only": only})


@dataclass(frozen=True, slots=True)
class NotebookParameters:
    """Parameters of a notebook run, beside the cluster's description."""

    ip: str | None = _declared(
        None,
        "address of the worker that is joined, or the only one that is removed (90_teardown); several with commas",
        ("04_join_linux", "04_join_windows", "90_teardown"),
    )
    confirm: str | None = _declared(
        None,
        "what is removed, word for word: the cluster, a colon, and each of its hosts, separated by spaces",
        ("90_teardown",),
    )
    keep_images: bool = _declared(
        True, "False removes the container images that were pulled here", ("90_teardown",)
    )
    remove_packages: bool = _declared(
        False, "True removes the packages that were installed here", ("90_teardown",)
    )
    remove_iptables: bool = _declared(
        False,
        "True removes the chains of Kubernetes, flannel and CNI and the jumps to them",
        ("90_teardown",),
    )
    restore_swap: bool = _declared(
        False, "True turns the swap on again that was turned off here", ("90_teardown",)
    )
    host: str | None = _declared(
        None, "name or address of the only host to look at", ("80_troubleshoot",)
    )
    symptom: str | None = _declared(
        None, "an error's text, or words, to look up in the table", ("80_troubleshoot",)
    )
    params_file: str = _declared(
        "params/lab.yaml",
        "description of the cluster: what is None below comes from it, and paths start at its folder",
    )
    dry_run: bool = _declared(False, "True shows what would run, and where, and changes nothing")
    run_id: str | None = _declared(
        None, "puts several notebooks into one record; None starts a new one"
    )
    runs: str = _declared("runs", "folder of the records, relative to the project's folder")


def given_names(cells: Sequence[str]) -> set[str]:
    """Return the names that parameters cells assign: papermill's, and the notebook's own."""
    names: set[str] = set()
    for cell in cells:
        try:
            tree = ast.parse(cell)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # a magic, or no Python
            continue
        assigned: set[str] = set()
        for node in tree.body:
            if isinstance(node, ast.Assign):
                assigned |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                assigned.add(node.target.id)
        if cell.lstrip().startswith(INJECTED) or "params_file" in assigned:
            names |= assigned
    return names


def collect(
    namespace: Mapping[str, Any], cells: Sequence[str]
) -> tuple[NotebookParameters, Description]:
    """Return the checked parameters of the running notebook.

    Args:
        namespace: The kernel's user namespace.
        cells: Sources of the cells that have run, in order.

    Raises:
        ParamsError: naming every parameter that is unknown, mistyped or missing.
    """
    own = {declared.name for declared in fields(NotebookParameters)}
    known = own | set(Description.model_fields)
    unknown = sorted(given_names(cells) - known)
    refuse_secrets(dict.fromkeys(unknown), "parameters")
    if unknown:
        told = advice(unknown[0], sorted(known), HostDescription.model_fields).lstrip(",: ")
        raise ParamsError(
            "unknown parameter " + ", ".join(f"`{name}`" for name in unknown),
            hint=told or f"parameters: {', '.join(sorted(known))}",
        )
    given = {name: namespace[name] for name in known if namespace.get(name) is not None}
    mine = _notebook_params({name: given.pop(name) for name in own if name in given})
    source = "parameters"
    path = project_path(mine.params_file)
    if not given.get("hosts"):
        given.pop("hosts", None)
        source = f"`{path.name}`" + (" and parameters" if given else "")
        given = {**read_description(path), **given}
    elif not path.parent.is_dir():
        raise ParamsError(
            f"no project is at or above `{Path.cwd()}`: it holds no folder `params`, and the description's paths and "
            "its pinned keys have no place to start from",
            hint="start papermill in the project's folder or below it, or say where the description "
            "lies: `-p params_file /FOLDER/params/NAME.yaml`",
        )
    return mine, check_description(given, source=source, folder=path.parent)


def _notebook_params(values: dict[str, Any]) -> NotebookParameters:
    listed = values.get("ip")
    if isinstance(listed, list) and all(isinstance(address, str) for address in listed):
        values["ip"] = ",".join(listed)
    for declared in fields(NotebookParameters):
        name = declared.name
        if name not in values:
            continue
        value = values[name]
        wanted = bool if isinstance(declared.default, bool) else str
        if type(value) is not wanted:
            raise ParamsError(
                f"`{name}` arrived as {type(value).__name__} {value!r}, expected {wanted.__name__}",
                hint=(
                    f"pass it as text: `-r {name} VALUE`"
                    if wanted is str
                    else f"pass `-p {name} true` or `false`"
                ),
            )
    if values.get("run_id"):
        check_run_id(values["run_id"])
    return NotebookParameters(**values)


def require_target(mine: NotebookParameters, description: Description, system: str) -> str:
    """Return the address of the worker that the notebook is about; of several, with commas between them.

    Args:
        mine: The notebook's parameters.
        description: The cluster's description.
        system: The worker's operating system; empty where any worker will do.

    Raises:
        ParamsError: when it is missing, the master's, or of no worker with the operating system.
    """
    workers = [
        host for host in description.hosts if host.role == "worker" and system in ("", host.os)
    ]
    choice = ", ".join(f"{host.address} ({host.name})" for host in workers) or "none in `hosts`"
    if not (mine.ip or "").strip(" ,"):
        raise ParamsError(
            "`ip` is missing: the address of the worker to join",
            hint=f"`-p ip ADDRESS`, one of: {choice}; several with commas",
        )
    named = [address.strip() for address in (mine.ip or "").split(",") if address.strip()]
    for address in named:
        found = [host for host in description.hosts if host.address == address]
        if not found:
            raise ParamsError(
                f"`ip` {shown(address)} is no host of the parameters",
                hint=f"give one of: {choice}, or add it to `hosts`",
            )
        if found[0] not in workers:
            raise ParamsError(
                f"`ip` {address} is the address of `{found[0].name}`, the {found[0].os} {found[0].role}",
                hint=f"give a {f'{system} worker'.strip()}'s: {choice}",
            )
    return ",".join(dict.fromkeys(named))
