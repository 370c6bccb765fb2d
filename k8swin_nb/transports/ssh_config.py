"""What a file of OpenSSH's client says of a host: `ssh_config` names one, else none is read.

Taken are `HostName`, `Port`, `ProxyJump`, `IdentityFile` with `IdentitiesOnly`, and `IdentityAgent`, for the host's name as it
would be typed behind `ssh`; what the description says itself counts before them. `User` is the description's. Host keys are
those of the project's own file, whatever `UserKnownHostsFile`, `HostKeyAlias` and `StrictHostKeyChecking` say. A way that is a
program of this computer (`ProxyCommand`, `Match exec`) is refused: nothing of a file may run here.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from k8swin_nb.errors import ParamsError
from k8swin_nb.inventory import Host, OwnKeys
from k8swin_nb.reading import shown
from k8swin_nb.transports.ssh_config_file import ConfigFile, Said

_JUMP = re.compile(r"(?:(?P<user>[^@\s]+)@)?(?P<host>\[[^\]\s]+\]|[^:\s]+)(?::(?P<port>\d+))?/?")
_TOKEN = re.compile(r"%(.?)|\$\{([^}]*)\}")
_MOST_JUMPS = 8
_NOT_USED = {
    "pkcs11provider": "load it into the SSH agent with `ssh-add -s PROVIDER`, and name the key's public half as `identity`",
    "securitykeyprovider": "load the key into the SSH agent with `ssh-add`, and name its public half as `identity`",
}
"""Keywords without which a login cannot come about, and what to do instead."""


@dataclass(frozen=True, slots=True)
class Words:
    """What the file says of one name; an empty text or None: nothing."""

    address: str = ""
    port: int | None = None
    keys: OwnKeys | None = None
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
        self._path = path
        self._file = ConfigFile(path)

    def of(self, name: str, user: str) -> Words:
        """Return what the file says of a name.

        Args:
            name: As it would be typed behind `ssh`.
            user: Who logs in there; empty: whom the file names.

        Raises:
            ParamsError: when it wants a program of this computer to run, or says what cannot be followed.
        """
        said = self._file.of(name, user)
        if said.first("proxycommand").lower() not in ("", "none"):
            raise self._refused(
                f"reaches `{name}` by `ProxyCommand`, which runs a program of this computer",
                "write `ProxyJump` there, or `ssh_jump` into the description",
            )
        for keyword, hint in _NOT_USED.items():
            if said.first(keyword).lower() not in ("", "none", "internal"):
                raise self._refused(f"has `{keyword}` for `{name}`, which is not used here", hint)
        port = said.first("port")
        if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise self._refused(f"names the port `{shown(port)}` for `{name}`, which is none")
        asked = self._expanded(said.first("hostname") or name, {"h": name}, "HostName")
        if not asked or re.search(r"\s", asked):
            raise self._refused(f"names the address `{shown(asked)}` for `{name}`, which is none")
        own_user = said.first("user")
        tokens = {"h": asked, "n": name, "p": port or "22", "r": user or own_user}
        return Words(
            address="" if asked == name else asked,
            port=int(port) if port else None,
            keys=self._keys(said, tokens),
            user=own_user,
            jumps=self._jumps(said, tokens),
        )

    def _jumps(self, said: Said, tokens: Mapping[str, str]) -> tuple[str, ...] | None:
        text = said.first("proxyjump").strip()
        if not text:
            return None
        if text.lower() == "none":
            return ()
        return tuple(self._expanded(one.strip(), tokens, "ProxyJump") for one in text.split(","))

    def _keys(self, said: Said, tokens: Mapping[str, str]) -> OwnKeys | None:
        """Return which keys to log in with; None: nothing is said of them."""
        local = socket.gethostname()
        more = {
            **tokens,
            "d": str(Path.home()),
            "i": str(os.getuid()) if hasattr(os, "getuid") else "",
            "k": said.first("hostkeyalias") or tokens["n"],
            "L": local.partition(".")[0],
            "l": local,
            "u": getpass.getuser(),
        }
        named = [one for one in said.all("identityfile") if one.lower() != "none"]
        found = []
        for text in named:
            path = _path(self._expanded(text, more, "IdentityFile"))
            # Of a key that an agent holds only the public half may be here.
            found += [one for one in (path, f"{path}.pub") if Path(one).is_file()][:1]
        for text in said.all("certificatefile"):
            path = _path(self._expanded(text, more, "CertificateFile"))
            if path not in [f"{one}-cert.pub" for one in found]:
                raise self._refused(
                    f"has `CertificateFile {shown(text)}` for `{tokens['n']}`, which is not used here",
                    "put it beside its key, as `KEY-cert.pub`: there it is found",
                )
        agent = said.first("identityagent")
        if agent.startswith("$"):
            agent = os.environ.get(agent[1:].strip("{}"), "none")
        elif agent and agent.lower() != "none" and agent != "SSH_AUTH_SOCK":
            agent = _path(self._expanded(agent, more, "IdentityAgent"))
        if not named and not agent:
            return None
        only = said.first("identitiesonly").lower() in ("yes", "true")
        return OwnKeys(tuple(dict.fromkeys(found)), "" if agent == "SSH_AUTH_SOCK" else agent, only)

    def _expanded(self, text: str, tokens: Mapping[str, str], keyword: str) -> str:
        """Return a value with its tokens and variables in place."""

        def one(found: re.Match[str]) -> str:
            value = (
                os.environ.get(found[2]) if found[2] else {"%": "%", **tokens}.get(found[1] or "")
            )
            if value is None:
                raise self._refused(
                    f"has `{keyword} {shown(text)}`, in which `{shown(found[0])}` stands for nothing",
                    "write there what it stands for",
                )
            return value

        return _TOKEN.sub(one, text)

    def _refused(self, what: str, hint: str | None = None) -> ParamsError:
        return ParamsError(f"`ssh_config` `{self._path}` {what}", hint=hint)

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
            if found is None:
                raise self._refused(
                    f"has `ProxyJump {shown(text)}`, which leads nowhere",
                    "write `[USER@]HOST[:PORT]`, several joined by commas",
                )
            if depth >= _MOST_JUMPS:
                raise self._refused(
                    f"has `ProxyJump {shown(text)}`, which leads nowhere: that one is reached through itself",
                    f"write `Host {shown(text)}` with `ProxyJump none` before it",
                )
            name = found["host"].strip("[]")
            own = self.of(name, found["user"] or "")
            user = found["user"] or own.user or like.user
            if "%" in user or "$" in user:
                raise self._refused(
                    f"has the user `{shown(user)}` for `{name}`", "write there what it stands for"
                )
            keys = own.keys or OwnKeys()
            one = Host(
                name=name,
                address=own.address or name,
                os="linux",
                roles=(),
                user=user,
                ssh_port=int(found["port"] or own.port or 22),
                own_keys=keys,
                known_hosts=like.known_hosts,
                folder=like.folder,
                host_key_policy=like.host_key_policy,
                ssh_jump=before or self.jump(own, like, depth + 1),
            )
            before = one
        return before


def _path(text: str) -> str:
    """Return a path whose `~` or `~NAME` is a home folder; of a NAME that is not there it stays."""
    try:
        return str(Path(text).expanduser())
    except RuntimeError:
        return text


def configured(host: Host) -> Host:
    """Return a host as it is reached, with what the file that `ssh_config` names says of it.

    Raises:
        ParamsError: when the file cannot be read, or says something that is refused here.
    """
    if host.ssh_config is None or host.os != "linux":
        return host
    file = _File(Path(host.ssh_config))
    words = file.of(host.name, host.user)
    return replace(
        host,
        ssh_host=host.ssh_host or words.address or None,
        ssh_port=host.ssh_port if host.ssh_port != 22 else words.port or 22,
        own_keys=None if host.identity or host.ssh_password else words.keys or host.own_keys,
        ssh_jump=host.ssh_jump or file.jump(words, host),
        ssh_config=None,
    )
