"""A notebook's parameters: taken from its parameters cells (`given`), completed from the parameters file, checked.

papermill injects whatever it is given and only warns of a name that the notebook does not know, so the
check is made here, from inside. A parameter that is None was not given and comes from `params_file`; when
`hosts` is given (as `-f FILE` gives it) the file is not read, so that two clusters are never mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from k8swin_nb.description import (
    Description,
    check_description,
    check_reason,
    check_run_id,
    check_sign,
    project_path,
    read_description,
    refuse_secrets,
)
from k8swin_nb.errors import ParamsError
from k8swin_nb.foreign_words import advice
from k8swin_nb.host_description import HostDescription
from k8swin_nb.notebook.given import Executed, Given, given
from k8swin_nb.notebook.stream import is_interactive
from k8swin_nb.reading import shown


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
    reason: str | None = _declared(
        None, "why this is done, such as a ticket's number; it stands in the record"
    )
    sign: str | None = _declared(
        None,
        "what the record is signed with: ssh:PATH, certificate:PATH or sigstore; None: the variable K8SWIN_SIGN, else nothing",
    )


def collect(
    executed: Executed, named: Mapping[str, Any] | None = None
) -> tuple[NotebookParameters, Description, Given]:
    """Return the checked parameters of the running notebook, and what they were made of.

    Args:
        executed: What ran in the kernel.
        named: Parameters that the call itself names; they win.

    Raises:
        ParamsError: naming every parameter that is unknown, mistyped or missing.
    """
    own = {declared.name for declared in fields(NotebookParameters)}
    known = own | set(Description.model_fields)
    told = given(executed, known)
    unknown = sorted((told.names | set(named or {})) - known)
    refuse_secrets(dict.fromkeys(unknown), "parameters")
    if unknown:
        nearest = advice(unknown[0], sorted(known), HostDescription.model_fields).lstrip(",: ")
        raise ParamsError(
            "unknown parameter " + ", ".join(f"`{name}`" for name in unknown),
            hint=nearest or f"parameters: {', '.join(sorted(known))}",
        )
    values = {
        **told.values,
        **{name: one for name, one in (named or {}).items() if one is not None},
    }
    mine = _notebook_params({name: values.pop(name) for name in own if name in values})
    source = "parameters"
    path = project_path(mine.params_file)
    if not values.get("hosts"):
        values.pop("hosts", None)
        source = f"`{path.name}`" + (" and parameters" if values else "")
        values = {**read_description(path), **values}
    elif not path.parent.is_dir():
        raise ParamsError(
            f"no project is at or above `{Path.cwd()}`: it holds no folder `params`, and the description's paths and "
            "its pinned keys have no place to start from",
            hint="start in the project's folder or below it, or say where the description lies: "
            + _how_to_give(
                "params_file",
                '"/FOLDER/params/NAME.yaml"',
                "`-p params_file /FOLDER/params/NAME.yaml`",
            ),
        )
    return mine, check_description(values, source=source, folder=path.parent), told


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
                    _how_to_give(name, '"VALUE"', f"as text: `-r {name} VALUE`")
                    if wanted is str
                    else _how_to_give(name, "True", f"`-p {name} True` or `False`")
                ),
            )
    if values.get("run_id"):
        check_run_id(values["run_id"])
    check_reason(values.get("reason"))
    check_sign(values.get("sign"))
    return NotebookParameters(**values)


def _how_to_give(name: str, value: str, papermill: str) -> str:
    """Return how a parameter is given: at a desk in its cell, headless to papermill."""
    if is_interactive():
        return f"set `{name} = {value}` in the parameters cell"
    return f"give {papermill}"


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
            hint=_how_to_give("ip", '"ADDRESS"', "`-p ip ADDRESS`")
            + f", one of: {choice}; several with commas",
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
