"""Who works, from where, and with which version of the toolkit: what the first event of a notebook says."""

from __future__ import annotations

import base64
import contextlib
import getpass
import hashlib
import ipaddress
import json
import os
import subprocess
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from k8swin_nb.reading import Unreadable, file_bytes, file_text

NAME = "k8swin_nb"
"""The distribution's name, by which its own checkout is known."""

GIT_SECONDS = 5.0
"""How long git may take to say what a checkout holds."""

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of a file of the package that are compared."""

_CHECKED = (".py", ".sh", ".ps1", ".yaml")
"""Ends of the names of an installed distribution's files that are compared with what was installed."""


def operator() -> tuple[str, str]:
    """Return who works, and how that is known.

    `K8SWIN_OPERATOR` counts before the system's user name: an account may be several people's. What a login says of the
    person behind it stands in how it is known, and is believed as little as any variable of the environment.
    """
    name = os.environ.get("K8SWIN_OPERATOR")
    if name:
        return name, "K8SWIN_OPERATOR"
    try:
        name, by = getpass.getuser(), "login name"
    except (KeyError, OSError):  # a container's user without an entry in the password file
        name, by = (f"uid {os.getuid()}", "uid") if hasattr(os, "getuid") else ("unknown", "")
    for variable, what in (("SUDO_USER", "sudo"), ("JUPYTERHUB_USER", "JupyterHub")):
        behind = os.environ.get(variable)
        if behind and behind != name:
            by += f"; {what} says {behind}"
    return name, by


def came_from() -> str:
    """Return the address from which the operator's login came, as SSH tells it; empty: he sits here, or nobody knows."""
    for variable in ("SSH_CONNECTION", "SSH_CLIENT"):
        first = os.environ.get(variable, "").partition(" ")[0]
        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_address(first))
    return ""


@cache
def toolkit() -> dict[str, Any]:
    """Return version, commit and changes of the toolkit that runs; no error: what cannot be found out is empty.

    `commit` is that of the toolkit's own checkout, or the one that an installed distribution was built from; never that of a
    repository in which it merely lies. `changed` says whether files of it are not as they were committed or installed; None:
    nobody knows.
    """
    root = Path(__file__).resolve().parents[2]
    # An import of the package itself would make this module one that knows the magics.
    version = str(sys.modules[NAME].__version__)
    commit, changed = "", None
    with contextlib.suppress(Exception):  # whatever a strange installation may raise
        commit, changed = _of_checkout(root) if _is_own_checkout(root) else _of_distribution(root)
    return {"version": version, "commit": commit, "changed": changed}


def _is_own_checkout(root: Path) -> bool:
    if not (root / ".git").exists():
        return False
    try:
        project = tomllib.loads(file_text(root / "pyproject.toml")).get("project", {})
    except (OSError, Unreadable, ValueError):
        return False
    return str(project.get("name", "")).replace("-", "_") == NAME


def _of_checkout(root: Path) -> tuple[str, bool | None]:
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return "", None
    changes = _git(root, "status", "--porcelain", "--untracked-files=normal", "--", NAME)
    return commit.strip(), None if changes is None else bool(changes.strip())


def _git(root: Path, *words: str) -> str | None:
    # What a hook or a person has set would lead git to another repository; the checkout may be another account's.
    environment = {name: one for name, one in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    settings = ("-c", f"safe.directory={root}", "-c", "core.fsmonitor=false")
    try:
        done = subprocess.run(
            ["git", *settings, "-C", str(root), *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_SECONDS,
            check=True,
            start_new_session=True,  # a Ctrl-C is not git's
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")


def _of_distribution(root: Path) -> tuple[str, bool | None]:
    """Return the same of an installed distribution, if it is the one that runs."""
    found = metadata.distribution(NAME)
    if Path(str(found.locate_file(f"{NAME}/__init__.py"))).resolve() != root / NAME / "__init__.py":
        return "", None
    commit = ""
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        origin = json.loads(found.read_text("direct_url.json") or "{}")
        commit = str(origin.get("vcs_info", {}).get("commit_id", ""))
    return commit, _is_changed(found)


def _is_changed(found: metadata.Distribution) -> bool | None:
    """Tell whether files of a distribution are not as they were installed; None: it does not say how they were."""
    known = False
    for file in found.files or ():
        if file.parts[0] != NAME or file.suffix not in _CHECKED or file.hash is None:
            continue
        known = True
        try:
            content = file_bytes(Path(str(found.locate_file(file))), MOST_BYTES)
        except (OSError, Unreadable):
            return True
        digest = hashlib.new(file.hash.mode, content).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
            return True
    return False if known else None
