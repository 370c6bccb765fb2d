"""What a file of OpenSSH's client says of a host: `ssh_config` names one, else none is read.

Taken are `HostName`, `Port`, `IdentityFile` and `ProxyJump`, for the host's name as it would be typed behind `ssh`; what the
description says itself counts before them. `User` is the description's. Host keys are those of the project's own file, whatever
`UserKnownHostsFile` and `StrictHostKeyChecking` say. A way that is a program of this computer (`ProxyCommand`, `Match exec`)
is refused: nothing of a file may run here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from k8swin_nb.errors import ParamsError
from k8swin_nb.inventory import Host
from k8swin_nb.reading import file_text, shown

_MATCH_EXEC = re.compile(r"^\s*match\b.*\bexec\b", re.IGNORECASE | re.MULTILINE)
_INCLUDE = re.compile(r"^\s*include\b\s*=?\s*(.*)$", re.IGNORECASE | re.MULTILINE)
_JUMP = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?P<host>\[[^\]]+\]|[^:\s]+)(?::(?P<port>\d+))?")
_MOST_JUMPS = 8


@dataclass(frozen=True, slots=True)
class Words:
    """What the file says of one name; an empty text or None: nothing."""

    address: str = ""
    port: int | None = None
    identity: str = ""
    user: str = ""
    jumps: tuple[str, ...] | None = None
    """Servers on the way, the nearest to this computer first; None: nothing is said."""


class _File:
    """One file of OpenSSH's client.

    Args:
        path: Of the file.

    Raises:
        ParamsError: when it cannot be read, or holds what is refused here.
    """

    def __init__(self, path: Path) -> None:
        # Imported here: whoever only draws a table of ways has no need of it.
        from paramiko.config import SSHConfig
        from paramiko.ssh_exception import ConfigParseError

        self._path = path
        try:
            text = file_text(path)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise ParamsError(
                f"`ssh_config` `{path}` cannot be read: {shown(why)}",
                hint="name a file such as `~/.ssh/config`",
            ) from error
        if _MATCH_EXEC.search(text):
            raise ParamsError(
                f"`ssh_config` `{path}` has `Match exec`, which runs a program of this computer",
                hint="leave it out of a copy of the file that `ssh_config` names",
            )
        if found := _INCLUDE.search(text):
            raise ParamsError(
                f"`ssh_config` `{path}` has `Include {shown(found[1].strip())}`, which is not followed",
                hint="name the file that says how these hosts are reached",
            )
        try:
            self._config = SSHConfig.from_text(text)
        except (ConfigParseError, ValueError) as error:
            raise ParamsError(
                f"`ssh_config` `{path}` is no configuration of OpenSSH's client: {shown(error)}",
                hint="see what `ssh -G -F FILE HOST` says of it",
            ) from error

    def of(self, name: str) -> Words:
        """Return what the file says of a name.

        Raises:
            ParamsError: when it wants a program of this computer to run.
        """
        said: dict[str, Any] = dict(self._config.lookup(name))
        command = str(said.get("proxycommand") or "none")
        if command.lower() != "none":
            raise ParamsError(
                f"`ssh_config` `{self._path}` reaches `{name}` by `ProxyCommand`, which runs a program of this computer",
                hint="write `ProxyJump` there, or `ssh_jump` into the description",
            )
        jump = str(said.get("proxyjump") or "").strip()
        port = str(said.get("port") or "")
        if port and not port.isdigit():
            raise ParamsError(f"`ssh_config` `{self._path}`: the port `{shown(port)}` is none")
        address = str(said.get("hostname") or "")
        files = [str(each) for each in said.get("identityfile") or []]
        return Words(
            address="" if address == name else address,
            port=int(port) if port else None,
            identity=next((each for each in files if Path(each).expanduser().is_file()), ""),
            user=str(said.get("user") or ""),
            jumps=None
            if not jump
            else tuple(each.strip() for each in jump.split(",") if each.strip().lower() != "none"),
        )

    def jump(self, words: Words, like: Host, depth: int = 0) -> Host | None:
        """Return the server before a host, as a host that is itself reached as the file says.

        Args:
            words: What the file says of the host.
            like: Whose known hosts and policy count, and who logs in where the file does not say it.
            depth: How many servers there are already.

        Raises:
            ParamsError: when the servers never come to an end, or one is not written as OpenSSH wants it.
        """
        before: Host | None = None
        for text in words.jumps or ():
            found = _JUMP.fullmatch(text.removeprefix("ssh://"))
            if found is None or depth >= _MOST_JUMPS:
                raise ParamsError(
                    f"`ssh_config` `{self._path}`: `ProxyJump {shown(text)}` leads nowhere",
                    hint="write `[USER@]HOST[:PORT]`, several joined by commas",
                )
            name = found["host"].strip("[]")
            own = self.of(name)
            one = Host(
                name=name,
                address=own.address or name,
                os="linux",
                roles=(),
                user=found["user"] or own.user or like.user,
                ssh_port=int(found["port"] or own.port or 22),
                identity=str(Path(own.identity).expanduser()) if own.identity else None,
                known_hosts=like.known_hosts,
                folder=like.folder,
                host_key_policy=like.host_key_policy,
                ssh_jump=before or self.jump(own, like, depth + 1),
            )
            before = one
        return before


def configured(host: Host) -> Host:
    """Return a host as it is reached, with what the file that `ssh_config` names says of it.

    Raises:
        ParamsError: when the file cannot be read, or says something that is refused here.
    """
    if host.ssh_config is None or host.os != "linux":
        return host
    path = Path(host.ssh_config)
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        changed = 0
    file = _file(path, changed)
    words = file.of(host.name)
    return replace(
        host,
        ssh_host=host.ssh_host or words.address or None,
        ssh_port=host.ssh_port if host.ssh_port != 22 else words.port or 22,
        identity=host.identity
        or (
            str(Path(words.identity).expanduser())
            if words.identity and not host.ssh_password
            else None
        ),
        ssh_jump=host.ssh_jump or file.jump(words, host),
        ssh_config=None,
    )


@lru_cache(maxsize=8)
def _file(path: Path, changed: int) -> _File:
    """Return a file, read once for all hosts until it changes."""
    return _File(path)
