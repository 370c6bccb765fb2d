"""Hosts that no description names: `ubuntu@192.168.160.150`, `Administrator@win1:5986`, `root@[fd00::5]:2222`.

They are reached as others are: by host keys that are pinned and references to secrets. Pinned keys are those of the project
that one works in, else of the user's own folder `~/.k8swin`; what the user's OpenSSH knows already (`~/.ssh/known_hosts`) counts
too, and `~/.ssh/config` says how a host is reached, with its usual keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from k8swin_nb.description import Description, project_root
from k8swin_nb.errors import InventoryError
from k8swin_nb.host_description import HostDescription
from k8swin_nb.hosts import host_of
from k8swin_nb.inventory import Host, OwnKeys
from k8swin_nb.reading import shown

_NAMED = re.compile(
    r"(?P<user>[^@,]+(?:@[^@,]+)?)@(?P<at>\[[^\]\s]+\]|[^\s@:\[\],]+)(?::(?P<port>\d+))?"
)
_USUAL = ("id_ed25519", "id_ecdsa", "id_rsa")
"""Private keys that OpenSSH's client tries where nothing else is said."""

_HTTP_PORT = 5985
"""Where WinRM is asked without TLS, as Windows ships it; each message is encrypted all the same."""

_PLACE = "192.0.2.1"
_OF_ALL = ("known_hosts", "ssh_config", "host_key_policy")
"""Keys of a description that are about the way to a host, and not of the host alone."""

_NOT_HERE = (
    "name",
    "address",
    "os",
    "user",
    "role",
    "labels",
    "taints",
    "kubelet_settings",
    "vm_name",
    "platform",
)


def names_login(word: str) -> bool:
    """Tell whether a word is a host with its login: `user@address`, with or without a port."""
    return _NAMED.fullmatch(word) is not None


def state_folder() -> Path:
    """Return where pinned keys and records are of what belongs to no description: the project's folder, else the user's."""
    root = project_root()
    return root / ".k8swin" if (root / "params").is_dir() else Path.home() / ".k8swin"


def runs_folder() -> Path:
    """Return where the records of such runs are: `runs` of the project, else of the user's folder."""
    state = state_folder()
    return (state.parent if state.parent == project_root() else state) / "runs"


def settings() -> list[str]:
    """Return the keys of a description that may be given for such a host."""
    return [key for key in (*HostDescription.model_fields, *_OF_ALL) if key not in _NOT_HERE]


def host_of_login(
    word: str, system: Literal["linux", "windows"], given: Mapping[str, str] | None = None
) -> Host:
    r"""Return the host that a login names.

    Args:
        word: `user@address[:port]`; IPv6 in brackets, a user with its domain as `CORP\\user@...` or `user@corp.example@...`.
        system: Decides between SSH and WinRM.
        given: Further keys of a host in a description, such as `identity` or `credential`; paths start at the working directory.

    Raises:
        InventoryError: when the word is no login, or a key or its value is none.
    """
    found = _NAMED.fullmatch(word)
    if found is None:
        raise InventoryError(
            f"`{shown(word)}` names no host with its login",
            hint="write `user@address` or `user@address:port`, IPv6 in brackets: `user@[fd00::5]`",
        )
    values = dict(given or {})
    _check_keys(values)
    way = _way(given or {})
    ssh, winrm = values.pop("ssh_jump", ""), values.pop("winrm_jump", "")
    at = found["at"].strip("[]")
    described = _described(found, system, values)
    host = host_of(described.hosts[0], described)
    folder = Path.home() / ".ssh"
    usual = tuple(str(folder / name) for name in _USUAL if (folder / name).is_file())
    own = system == "linux" and not host.identity and not host.ssh_password
    known, config = folder / "known_hosts", folder / "config"
    return replace(
        host,
        name=at,
        address=at,
        own_keys=OwnKeys(usual) if own and usual else None,
        known_elsewhere=str(known) if known.is_file() else None,
        ssh_config=host.ssh_config or (str(config) if config.is_file() else None),
        ssh_jump=host_of_login(ssh, "linux", way) if ssh else None,
        winrm_jump=host_of_login(winrm, "linux", way) if winrm else None,
    )


def _way(given: Mapping[str, str]) -> dict[str, str]:
    """Return what a jump host shares with the host behind it."""
    return {key: value for key, value in given.items() if key in (*_OF_ALL, "identity")}


def _check_keys(values: Mapping[str, str]) -> None:
    import difflib

    for key in values:
        if key not in settings():
            close = difflib.get_close_matches(key, settings(), n=1)
            raise InventoryError(
                f"`{shown(key)}` is nothing that a host is given here",
                hint=f"did you mean `{close[0]}`?"
                if close
                else f"there are: {', '.join(settings())}",
            )


def _described(found: re.Match[str], system: str, values: dict[str, str]) -> Description:
    ways = {key: values.pop(key) for key in _OF_ALL if key in values}
    ways.setdefault("known_hosts", str(state_folder() / "known_hosts"))
    if found["port"]:
        values.setdefault("ssh_port" if system == "linux" else "winrm_port", found["port"])
    if system == "windows" and values.get("winrm_port") == str(_HTTP_PORT):
        values.setdefault("winrm_scheme", "http")
    if system == "windows" and values.get("winrm_scheme") == "http":
        values.setdefault("winrm_port", str(_HTTP_PORT))
    typed = {key: _typed(key, value) for key, value in values.items()}
    host = {"name": "host", "address": _PLACE, "os": system, "user": found["user"], **typed}
    try:
        described = Description.model_validate({"hosts": [host], **ways})
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][-1])
        raise InventoryError(
            f"`{key}` of `{shown(found[0])}`: {str(first['msg']).removeprefix('Value error, ')}",
            hint="a secret is given as a reference: `env:NAME`"
            if "credential" in key or "pass" in key
            else None,
        ) from None
    return described.in_folder(Path.cwd())


def _typed(key: str, value: str) -> object:
    kind = HostDescription.model_fields[key].annotation
    if kind is bool:
        return {"true": True, "false": False}.get(value.lower(), value)
    return int(value) if key.endswith("_port") and value.isdigit() else value
