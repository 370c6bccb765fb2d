"""What the form for hosts knows: the description's hosts, what is wrong with a new one, where its secret is kept.

`host_widget` shows it while one types. Headless, exported and without ipywidgets it is a static table of the hosts. A secret
itself never comes here: what is typed is where it is kept.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from k8swin_nb.description import (
    Description,
    check_description,
    open_description,
    project_path,
    read_description,
)
from k8swin_nb.description_edit import Change, change_host
from k8swin_nb.errors import K8swinError, ParamsError
from k8swin_nb.host_description import HostDescription
from k8swin_nb.hosts import host_of, inventory_of
from k8swin_nb.inventory import Host
from k8swin_nb.phases.network.ways import ways_table
from k8swin_nb.plan import network_plan
from k8swin_nb.tables import Column, Mark, StaticTable
from k8swin_nb.workflow.phase_run import PhaseRun

FIELDS = {
    "name": "Name",
    "os": "System",
    "role": "Role",
    "address": "Address",
    "user": "Login name",
    "ssh_port": "SSH port",
    "identity": "Private key",
    "winrm_scheme": "WinRM over",
    "winrm_port": "WinRM port",
    "ca": "Authority",
    "winrm_fingerprint": "Certificate",
}
"""What is typed, with its label."""

OF_SYSTEM = {
    "linux": ("ssh_port", "identity"),
    "windows": ("winrm_scheme", "winrm_port", "ca", "winrm_fingerprint"),
}
"""Fields that only hosts of one system have."""

SECRETS = {
    "linux": {
        "": "none: the SSH agent's key, or one without a pass phrase",
        "ssh_password": "the password of the login",
        "identity_passphrase": "the pass phrase of the private key",
        "sudo_password": "the password that sudo asks for",
    },
    "windows": {
        "credential": "the password of the login",
        "": "none: a ticket of Kerberos, or a client certificate",
    },
}
"""By system, the fields that refer to a secret, and what it opens."""

KINDS = {
    "env": "an environment variable",
    "file": "a file that you alone can read",
    "keyring": "the keyring of this account",
    "cmd": "a command that prints it",
}
"""Where a secret may be kept."""

PLACES = {
    "env": "write a NAME of capitals, such as WIN_PASSWORD",
    "file": "write a path with its folder, such as ../.k8swin/NAME.password",
    "keyring": "write SERVICE/USER",
    "cmd": "write a program of this computer and what it is given, such as pass show winworker01",
}
"""How such a place is written."""

Typed = dict[str, Any]
"""Fields of a host by name, as they stand in the form; what is empty is not given."""


def description_of(path: Path) -> Description:
    """Read the description that the form is about.

    Raises:
        ParamsError: when it cannot be read, or is none.
    """
    return open_description(path)


def problems(path: Path, name: str, typed: Typed) -> dict[str, list[str]]:
    """Return what is wrong with a typed host, by field; under an empty name what is about none of them.

    Args:
        path: The description's file.
        name: The host that is changed; empty: a new one.
        typed: Its fields.
    """
    found: dict[str, list[str]] = {}
    place = -1
    try:
        values, hosts = _others(path, name)
        place = len(hosts)
        if not name and any(host.get("name") == typed.get("name") for host in hosts):
            return {"name": [f"`{typed['name']}` is there already; choose it above to change it"]}
        record = _record(path, name, typed)
        check_description({**values, "hosts": [*hosts, record]}, source="form", folder=path.parent)
    except ParamsError as error:
        told = str(error).splitlines()[0].removeprefix("form: ")
        for part in re.split(r"; (?=`)", told):
            # What two hosts may not have in common names this one second.
            field = re.search(rf"`hosts\[{place}\]\.(\w+)", part)
            known = field[1] if field and field[1] in (*FIELDS, *_secret_fields()) else ""
            text = part.strip().replace(f"`hosts[{place}].", "`", 1) if field else part.strip()
            found.setdefault(known, []).append(text)
    except (KeyError, AttributeError, TypeError):
        found[""] = ["the description's `hosts` is no list of records"]
    return found


def plan_notes(path: Path, name: str, typed: Typed) -> list[str]:
    """Return what the plan of the networks says of a typed host; it may be the plan that is to be changed.

    Raises:
        ParamsError: when the description with the host is none.
    """
    values, hosts = _others(path, name)
    hosts = [*hosts, _record(path, name, typed)]
    description = check_description({**values, "hosts": hosts}, source="form", folder=path.parent)
    told = f"`{name or typed['name']}` "
    return [p.message for p in network_plan(description).problems() if p.message.startswith(told)]


def _others(path: Path, name: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a description's values, and its hosts without the one of a name."""
    values = read_description(path)
    return values, [host for host in values["hosts"] if not name or host.get("name") != name]


def _record(path: Path, name: str, typed: Typed) -> Typed:
    """Return a host as it would stand in the file: what the form has no field for stays as it is there."""
    before = [host for host in read_description(path)["hosts"] if name and host.get("name") == name]
    kept = {field: value for host in before for field, value in host.items() if field not in FIELDS}
    return {**kept, **typed}


def _secret_fields() -> set[str]:
    return {field for fields in SECRETS.values() for field in fields if field}


def place_problem(kind: str, place: str) -> str:
    """Say what is wrong with where a secret is said to be kept; nothing of it is repeated, it may be the secret."""
    if not place:
        return "where it is kept is missing"
    # Many a password could be a name too, so that others than the usual ones have to be set already.
    if kind == "env" and not (re.fullmatch(r"[A-Z_][A-Z0-9_]*", place) or place in os.environ):
        return (
            "that is no name of an environment variable, of capitals or set in this kernel; the secret itself does not "
            "belong here"
        )
    if kind == "keyring" and not re.fullmatch(r"[^/\s]+/\S+", place):
        return f"{PLACES[kind]}; the secret itself does not belong here"
    if kind == "file" and not re.search(r"[/\\]", place):
        return f"{PLACES[kind]}; the secret itself does not belong here"
    if kind == "cmd" and not shutil.which(place.split()[0]):
        return (
            "that starts with no program of this computer; the secret itself does not belong here"
        )
    return ""


def how_to_keep(kind: str, place: str, folder: Path) -> str:
    """Return what to type in a terminal so that a secret is kept there; it is asked for, and in no command line."""
    if kind == "env":
        return f"read -rs {place}; export {place}   # in the terminal that starts JupyterLab"
    if kind == "file":
        path = shlex.quote(str((folder / Path(place).expanduser()).resolve()))
        return f"(umask 077; cat > {path})   # type it, Enter, Ctrl-D"
    if kind == "keyring":
        service, _, user = place.rpartition("/")
        return f"keyring set {shlex.quote(service)} {shlex.quote(user)}"
    return ""


def host_from(path: Path, name: str, typed: Typed) -> Host:
    """Return the host that is typed, as the inventory has it.

    Raises:
        ParamsError: when the description with it is none.
    """
    values, hosts = _others(path, name)
    record = _record(path, name, typed)
    description = check_description(
        {**values, "hosts": [*hosts, record]}, source="form", folder=path.parent
    )
    return host_of(description.hosts[-1], description)


def change_of(path: Path, name: str, typed: Typed) -> Change:
    """Return the change of the description's file that adds the typed host, or changes the one of a name.

    Raises:
        K8swinError: when it cannot be made.
    """
    return change_host(path, name or str(typed["name"]), **fields_of(path, name, typed))


def fields_of(path: Path, name: str, typed: Typed) -> Typed:
    """Return the fields that are written: of a new host all that say something, of another what differs."""
    defaults = {field: model.default for field, model in HostDescription.model_fields.items()}
    if not name:
        return {f: v for f, v in typed.items() if f != "name" and v != defaults[f]}
    before = next((host for host in description_of(path).hosts if host.name == name), None)
    if before is None:
        raise ParamsError(
            f"`{name}` is no longer in `{path.name}`",
            hint="somebody has taken it out; open the form again",
        )
    # A reference to a secret that the form does not show at the moment stays.
    named = (*FIELDS, *(_secret_fields() & set(typed)))
    changed = {field: typed.get(field, defaults[field]) for field in named}
    return {
        field: value
        for field, value in changed.items()
        if field != "name" and value != getattr(before, field)
    }


def code_of(path: Path, name: str, typed: Typed) -> str:
    """Return the Python that makes the same change."""
    values = "".join(f", {f}={v!r}" for f, v in fields_of(path, name, typed).items())
    named = name or typed["name"]
    return f"from k8swin_nb import change_host\n\nchange_host({str(path)!r}, {named!r}{values}).write()"


def form(path: Path, *, interactive: bool) -> Any:
    """Return the form where a person looks on and ipywidgets is there, and else the static table of the hosts.

    Raises:
        ParamsError: when the description cannot be read.
    """
    if interactive and find_spec("ipywidgets") is not None:
        from k8swin_nb.phases.network.host_widget import HostForm

        return HostForm(path)
    return static_form(path)


def form_of(run: PhaseRun) -> Any:
    """Return the form for a notebook's description, as a view of a phase."""
    named = run.options.get("params_file")
    if isinstance(named, str) and named and project_path(named).is_file():
        return form(project_path(named), interactive=run.interactive)
    return hosts_table(run.description)


def static_form(path: Path) -> StaticTable:
    """Return the hosts of a description's file as a table."""
    return hosts_table(description_of(path))


def hosts_table(description: Description) -> StaticTable:
    """Return the hosts of a description: how each is reached, where its secret is kept, and whether its key is pinned."""
    ways = {row[0]: row[1:] for row in ways_table(inventory_of(description)).rows}
    rows = []
    for entry in description.hosts:
        host = host_of(entry, description)
        asked, login, trust = ways[entry.name]
        rows.append(
            (
                entry.name,
                entry.os,
                entry.role,
                entry.address,
                asked,
                login,
                _known(host, str(trust)),
            )
        )
    columns = ("host", "system", "role", "address", "asked at", Column("login"), Column("known by"))
    return StaticTable(f"Hosts of {description.cluster_name}", columns, rows)


def _known(host: Host, trust: str) -> Mark | str:
    if host.os != "linux":
        return trust
    # Imported here, because fabric's and paramiko's modules take longer to import than everything else together.
    from k8swin_nb.transports.hostkeys import pinned
    from k8swin_nb.transports.ssh_config import configured

    try:
        keys = pinned(configured(host))
    except K8swinError as error:
        return Mark(str(error), "failed")
    if not keys:
        return Mark("not pinned yet", "waiting")
    return Mark(f"pinned {', '.join(key.fingerprint for key in keys)}", "ok")
