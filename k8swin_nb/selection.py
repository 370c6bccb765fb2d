"""How hosts are named where several may be meant: `linux`, `win*,!win3`, `workers[0:2]`, `@failed`.

The words are Ansible's where it has them (groups, globs, `!`, `&`); a place in brackets counts as Python does, so that
`windows[0:2]` are two hosts and `[-1]` is the last one.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from k8swin_nb.errors import InventoryError

if TYPE_CHECKING:
    from k8swin_nb.inventory import Host

ROLE_WORDS = {
    "control-plane": "control-plane",
    "master": "control-plane",
    "masters": "control-plane",
    "worker": "worker",
    "workers": "worker",
    "hypervisor": "hypervisor",
    "hypervisors": "hypervisor",
}
"""Words that select by role."""

STATES = {
    "@ok": ("ok", "changed"),
    "@changed": ("changed",),
    "@failed": ("failed", "unreachable"),
    "@unreachable": ("unreachable",),
    "@left": ("left",),
}
"""Words that select by how the last run ended on a host: `left` are those on which it was stopped or never began."""

OPEN = (
    "open one: `%k8swin open params/mine.yaml` or `phase = open_phase(...)`; or name a host with its login: "
    "`--host ubuntu@192.168.160.150`"
)
"""What to do where no host is known."""

_WORD = re.compile(
    r"(?P<sign>[!&]?)\s*(?P<base>[^\[\]]+?)(?:\[(?P<at>-?\d+)\]|\[(?P<from>-?\d*):(?P<to>-?\d*)\])?"
)


def select(
    hosts: Sequence[Host], selection: str, last: Mapping[str, str] | None = None
) -> tuple[Host, ...]:
    """Return the hosts that a selection names, without duplicates, in their own order.

    Args:
        hosts: All there are.
        selection: Comma-separated words. Each is a host's name, a pattern such as `win*`, an operating system, a role, a
            group, `KEY=VALUE` of a node's label, `all`, or how the last run ended (`@failed`). `[0:2]` behind one takes
            a part of it, `!` in front takes hosts away, `&` keeps those alone that it names too. With nothing but such
            words all other hosts are meant.
        last: How the last run ended, by host; None: nothing has run.

    Raises:
        InventoryError: when a word is unknown, with the nearest, or no host is left.
    """
    words = [word.strip() for word in selection.split(",") if word.strip()]
    if not hosts:
        raise InventoryError("no cluster is open in this notebook", hint=OPEN)
    if not words:
        raise InventoryError("no host is named", hint=f"name one of: {names(hosts)}")
    chosen: set[str] = set()
    away: set[str] = set()
    only: list[set[str]] = []
    begun = False
    for word in words:
        found = _WORD.fullmatch(word)
        if found is None:
            raise InventoryError(
                f"`{word}` selects nothing",
                hint="write such as `windows[0:2]`, `win*` or `!winworker03`",
            )
        named = {host.name for host in _part(found, _matching(hosts, found["base"], last))}
        if found["sign"] == "!":
            away |= named
        elif found["sign"] == "&":
            only.append(named)
        else:
            begun = True
            chosen |= named
    if not begun:
        chosen = {host.name for host in hosts}
    for named in only:
        chosen &= named
    left = tuple(host for host in hosts if host.name in chosen - away)
    if not left:
        raise InventoryError(
            f"`{selection}` leaves no host", hint=f"hosts of this cluster: {names(hosts)}"
        )
    return left


def words_of(hosts: Sequence[Host]) -> list[str]:
    """Return every word that selects something, hosts first; for completion and suggestions."""
    words = [host.name for host in hosts]
    words += sorted({host.os for host in hosts})
    roles = {role for host in hosts for role in host.roles}
    words += [word for word, role in ROLE_WORDS.items() if role in roles]
    words += sorted({group for host in hosts for group in host.groups})
    words.append("all")
    return list(dict.fromkeys(words))


def names(hosts: Iterable[Host], most: int = 20) -> str:
    """Return names of hosts with commas between them, the first ones of many."""
    listed = [host.name for host in hosts]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more or "none"


def _part(found: re.Match[str], hosts: list[Host]) -> list[Host]:
    if found["at"] is not None:
        place = int(found["at"])
        if not -len(hosts) <= place < len(hosts):
            raise InventoryError(
                f"`{found[0]}`: `{found['base']}` are {len(hosts)} hosts: {names(hosts)}",
                hint="places count from 0; `[-1]` is the last one",
            )
        return [hosts[place]]
    if found["from"] is not None:
        first, end = (int(found[key]) if found[key] else None for key in ("from", "to"))
        return hosts[first:end]
    return hosts


def _matching(hosts: Sequence[Host], word: str, last: Mapping[str, str] | None) -> list[Host]:
    if word in ("all", "*"):
        return list(hosts)
    if word.startswith("@"):
        return _ended(hosts, word, last)
    named = [host for host in hosts if host.name == word]
    if named:
        return named
    if any(sign in word for sign in "*?"):
        like = [
            host
            for host in hosts
            if any(fnmatch.fnmatchcase(name, word) for name in (host.name, *host.groups))
        ]
        if not like:
            raise InventoryError(
                f"no host or group is like `{word}`",
                hint=f"there are: {', '.join(words_of(hosts))}",
            )
        return like
    role = ROLE_WORDS.get(word, word)
    key, equals, value = word.partition("=")
    found = [
        host
        for host in hosts
        if word == host.os
        or role in host.roles
        or word in host.groups
        or (equals and (key, value) in host.labels)
    ]
    if not found:
        raise unknown(hosts, word)
    return found


def _ended(hosts: Sequence[Host], word: str, last: Mapping[str, str] | None) -> list[Host]:
    if word not in STATES:
        close = difflib.get_close_matches(word, STATES, n=1)
        raise InventoryError(
            f"no end of a run is called `{word}`",
            hint=f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(STATES)}",
        )
    if last is None:
        raise InventoryError(
            f"`{word}`: nothing has run here yet",
            hint="run a magic or a phase first, or name hosts",
        )
    found = [host for host in hosts if last.get(host.name) in STATES[word]]
    if not found:
        ended = ", ".join(f"{name}: {state}" for name, state in list(last.items())[:20])
        raise InventoryError(f"`{word}`: no host of the last run", hint=f"it ended so: {ended}")
    return found


def unknown(hosts: Sequence[Host], word: str) -> InventoryError:
    """Return the error of a word that names no host, with the nearest that do."""
    words = words_of(hosts)
    close = difflib.get_close_matches(word, words, n=2, cutoff=0.5)
    did_you_mean = " or ".join(f"`{name}`" for name in close)
    return InventoryError(
        f"no host or group is named `{word}`",
        hint=f"did you mean {did_you_mean}?" if close else f"there are: {', '.join(words)}",
    )
